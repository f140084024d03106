extension Reading {
    /// Reads a command: program and arguments in the first value, then user and group.
    ///
    /// keepalived splits the line anew for it, and then its value, both times with `'` around what
    /// belongs together as well as `"`, and with escapes (2.2.7, `notify_script_init`). So in
    /// `"/bin/sh -c 'echo \"a b\"'"` the shell gets two arguments.
    mutating func command(_ statement: Statement) -> Command? {
        let position = statement.arguments.first?.position ?? statement.position
        guard let words = commandWords(of: statement, at: position), let value = words.first,
            let arguments = commandWords(value, at: position), !arguments.isEmpty
        else { return nil }
        return Command(
            arguments: arguments, user: Array(words.dropFirst()), position: position)
    }

    /// The values of the line; nil, and reported, where it is no command.
    private mutating func commandWords(
        of statement: Statement, at position: SourcePosition
    ) -> [String]? {
        guard let text = statement.quoting?.text else { return statement.arguments.map(\.text) }
        return commandWords(trimmed(text), at: position).map { Array($0.dropFirst()) }
    }

    private mutating func commandWords(_ text: String, at position: SourcePosition) -> [String]? {
        var splitter = CommandSplitter(text)
        do throws(CommandSplitter.Unfinished) {
            return try splitter.run()
        } catch {
            let message = error.message(of: text)
            switch error {
            case .quote: adjusted(position, message)
            case .escape: note(position, message)
            }
            return nil
        }
    }
}

/// Splits a command into words as keepalived does (2.2.7, `alloc_strvec_quoted_escaped` in
/// `lib/parser.c`): at white space, with `'` and `"` around what belongs together, within a word as
/// well, and with C's escapes everywhere.
struct CommandSplitter {
    /// Why a text is no command.
    enum Unfinished: Error, Equatable {
        /// A quote is not closed.
        case quote(Character)
        /// It ends with a `\`.
        case escape

        /// keepalived's words for it.
        func message(of text: String) -> String {
            switch self {
            case .quote(let quote): "String '\(text)': missing terminating \(quote)"
            case .escape: "Missing escape char at end: '\(text)'"
            }
        }
    }

    private let bytes: [UInt8]
    private var index = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    /// The words.
    mutating func run() throws(Unfinished) -> [String] {
        var words: [String] = []
        while true {
            while let byte = next, isSpaceByte(byte) { index += 1 }
            guard next != nil else { return words }
            // A C string ends at a NUL, however it came to be there.
            words.append(String(decoding: try word().prefix { $0 != 0 }, as: UTF8.self))
        }
    }

    private var next: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func word() throws(Unfinished) -> [UInt8] {
        var word: [UInt8] = []
        var quote: UInt8?
        while let byte = next {
            switch (byte, quote) {
            case (UInt8(ascii: "\\"), _):
                index += 1
                word.append(try escaped())
                continue
            case (_, byte): quote = nil
            case (UInt8(ascii: "'"), nil), (UInt8(ascii: "\""), nil): quote = byte
            case (_, nil) where isSpaceByte(byte): return word
            default: word.append(byte)
            }
            index += 1
        }
        if let quote { throw .quote(Character(UnicodeScalar(quote))) }
        return word
    }

    /// What follows a `\`.
    private mutating func escaped() throws(Unfinished) -> UInt8 {
        guard let byte = next else { throw .escape }
        let following = index + 1 < bytes.count ? bytes[index + 1] : nil
        switch byte {
        case UInt8(ascii: "x") where following.flatMap(Self.digit) != nil:
            index += 1
            return number(base: 16, digits: .max)
        case UInt8(ascii: "0")...UInt8(ascii: "7"): return number(base: 8, digits: 3)
        case UInt8(ascii: "c"):
            if let following {
                index += 2
                return following & 0x1f
            }
        default: break
        }
        index += 1
        return Self.controls[byte] ?? byte
    }

    private mutating func number(base: UInt8, digits: Int) -> UInt8 {
        var value: UInt8 = 0
        var left = digits
        while left > 0, let digit = next.flatMap(Self.digit), digit < base {
            value = value &* base &+ digit
            index += 1
            left -= 1
        }
        return value
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        Character(UnicodeScalar(byte)).hexDigitValue.map { UInt8($0) }
    }

    private static let controls: [UInt8: UInt8] = [
        UInt8(ascii: "a"): 0x07, UInt8(ascii: "b"): 0x08, UInt8(ascii: "E"): 0x1b,
        UInt8(ascii: "f"): 0x0c, UInt8(ascii: "n"): 0x0a, UInt8(ascii: "r"): 0x0d,
        UInt8(ascii: "t"): 0x09, UInt8(ascii: "v"): 0x0b,
    ]
}
