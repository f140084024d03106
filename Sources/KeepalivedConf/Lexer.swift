/// One word of a configuration line.
struct Word: Hashable, Sendable {
    /// The word without its quotes.
    var text: String
    /// Where it starts; for a quoted word, at its quote.
    var position: SourcePosition
    /// Whether it stood in double quotes.
    var isQuoted = false
}

/// A line as keepalived's parser gets it: words, or a single brace.
///
/// keepalived breaks lines at braces, so `a { b }` is four of these.
struct LogicalLine: Hashable, Sendable {
    /// What the line is.
    enum Content: Hashable, Sendable {
        /// Words; empty only where an unterminated quote took them all.
        case words([Word])
        /// `{`
        case open
        /// `}`
        case close
    }
    var content: Content
    /// Where its first character stands.
    var position: SourcePosition
    /// The line as it stands, where quotes or escapes may make other words of it; nil elsewhere.
    var quoting: Quoting?

    /// A line with quotes or escapes: a keyword's values and a command are read in different ways.
    ///
    /// One pointer, since a file has many lines and few of these.
    indirect enum Quoting: Hashable, Sendable {
        case closed(String)
        /// The rest of the line was dropped from its words because a `"` is not closed.
        case open(String)

        var text: String {
            switch self {
            case .closed(let text), .open(let text): text
            }
        }
    }
}

/// Splits a line into words and braces (keepalived 2.2.7, the end of `read_line` and
/// `alloc_strvec` in `lib/parser.c`).
///
/// Bytes, not characters: keepalived knows no encoding, and CR LF is one character to Swift.
struct LineLexer {
    /// How the columns of the bytes are known.
    enum Columns {
        /// All bytes are characters; that at `at` has column `first`.
        case bytes(first: Int32, at: Int)
        /// The columns of the bytes from that place on.
        case map([Int32], Int)
    }

    private let bytes: [UInt8]
    private let range: Range<Int>
    private let file: String
    private let line: Int32
    private let columns: Columns
    private let expansion: Int32
    private let hasComments: Bool
    private let hasQuoting: Bool

    private(set) var diagnostics: [ConfDiagnostic] = []
    /// What follows a brace and is no matter for the lexer: a definition, a conditional or
    /// repeated line, or an include.
    private(set) var rest: Range<Int>?

    /// Lexes the bytes of `range`, which have no blank at their start; in comments only where the
    /// line still `hasComments`. Its text is kept where it `hasQuoting`.
    init(
        _ bytes: [UInt8], _ range: Range<Int>, file: String, line: Int32, columns: Columns,
        expansion: Int32 = 0, hasComments: Bool = true, hasQuoting: Bool = false
    ) {
        self.bytes = bytes
        self.range = range
        self.file = file
        self.line = line
        self.columns = columns
        self.expansion = expansion
        self.hasComments = hasComments
        self.hasQuoting = hasQuoting
    }

    /// Lexes the whole line.
    mutating func run(into lines: inout [LogicalLine]) {
        var words: [Word] = []
        var start = range.lowerBound
        var index = start
        scan: while index < range.upperBound {
            let byte = bytes[index]
            switch byte {
            case 0x20, 0x09...0x0d: break
            case UInt8(ascii: "#") where hasComments, UInt8(ascii: "!") where hasComments:
                break scan
            case UInt8(ascii: "\""):
                guard let end = closingQuote(after: index) else {
                    reportOpenQuote(at: index)
                    lines.append(
                        LogicalLine(
                            content: .words(words),
                            position: words.first?.position ?? position(at: index),
                            quoting: .open(text(start..<range.upperBound))))
                    return
                }
                words.append(word((index + 1)..<end, at: index, isQuoted: true))
                index = end
            case UInt8(ascii: "{"), UInt8(ascii: "}"):
                finish(&words, start..<index, into: &lines)
                lines.append(
                    LogicalLine(
                        content: byte == UInt8(ascii: "{") ? .open : .close,
                        position: position(at: index)))
                if let start = directive(after: index) {
                    rest = start..<range.upperBound
                    return
                }
                start = index + 1
            default:
                let end = endOfWord(from: index)
                if words.isEmpty { words.reserveCapacity(2) }
                words.append(word(index..<end, at: index, isQuoted: false))
                index = end
                continue
            }
            index += 1
        }
        finish(&words, start..<index, into: &lines)
    }

    private mutating func finish(
        _ words: inout [Word], _ range: Range<Int>, into lines: inout [LogicalLine]
    ) {
        guard let first = words.first else { return }
        var content = LogicalLine.Content.words(words)
        if first.isQuoted, first.text == "{" || first.text == "}" {
            content = first.text == "{" ? .open : .close
            diagnostics.append(
                ConfDiagnostic(
                    first.position, .error, .misreadLine,
                    "a quoted '\(first.text)' at the start of a line",
                    detail: "keepalived takes it for a brace"))
        }
        lines.append(
            LogicalLine(
                content: content, position: first.position,
                quoting: hasQuoting ? .closed(text(range)) : nil))
        words = []
    }

    // MARK: Words

    private func word(_ range: Range<Int>, at index: Int, isQuoted: Bool) -> Word {
        Word(text: text(range), position: position(at: index), isQuoted: isQuoted)
    }

    private func text(_ range: Range<Int>) -> String {
        String(decoding: bytes[range], as: UTF8.self)
    }

    private func endOfWord(from start: Int) -> Int {
        var index = start + 1
        while index < range.upperBound {
            switch bytes[index] {
            case 0x20, 0x09...0x0d, UInt8(ascii: "\""), UInt8(ascii: "{"), UInt8(ascii: "}"):
                return index
            case UInt8(ascii: "#"), UInt8(ascii: "!"):
                if hasComments { return index }
            default: break
            }
            index += 1
        }
        return index
    }

    private func closingQuote(after index: Int) -> Int? {
        var index = index + 1
        while index < range.upperBound {
            if bytes[index] == UInt8(ascii: "\"") { return index }
            index += 1
        }
        return nil
    }

    /// Where a directive starts that stands right after a brace.
    private func directive(after brace: Int) -> Int? {
        var start = brace + 1
        while start < range.upperBound, isBlankByte(bytes[start]) { start += 1 }
        guard start < range.upperBound else { return nil }
        switch bytes[start] {
        case UInt8(ascii: "@"), UInt8(ascii: "~"), UInt8(ascii: "$"): return start
        case UInt8(ascii: "i"):
            return bytes[start..<range.upperBound].starts(with: "include".utf8) ? start : nil
        default: return nil
        }
    }

    /// The bytes as cells, for those who take the rest of the line.
    func cells(_ part: Range<Int>) -> [Cell] {
        part.map { Cell(byte: bytes[$0], column: column(at: $0)) }
    }

    // MARK: Positions

    private func column(at index: Int) -> Int32 {
        switch columns {
        case .bytes(let first, let start): first + Int32(index - start)
        case .map(let columns, let start): columns[index - start]
        }
    }

    private func position(at index: Int) -> SourcePosition {
        SourcePosition(file: file, line: line, column: column(at: index), expansion: expansion)
    }

    /// A quote without its end; where the comments were taken off that has been said, unless the
    /// other quote is an escaped one, which opens no string there.
    private mutating func reportOpenQuote(at index: Int) {
        guard hasComments || hasClosedQuotes else { return }
        let text = trimmed(text(range))
        diagnostics.append(
            ConfDiagnostic(
                position(at: index), .error, .misreadLine,
                hasComments ? "Unterminated quote '\(text)'" : "Unmatched quote: '\(text)'",
                detail: "keepalived drops the rest of the line"))
    }

    /// Whether all quotes are closed when `\"` is none.
    private var hasClosedQuotes: Bool {
        var isOpen = false
        var isEscaped = false
        for byte in bytes[range] {
            if byte == UInt8(ascii: "\""), !isEscaped { isOpen.toggle() }
            isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
        }
        return !isOpen
    }
}
