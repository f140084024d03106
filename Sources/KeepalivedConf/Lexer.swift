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
    /// Whether the rest of the line was dropped because a quote is not closed.
    var hasUnterminatedQuote = false
}

/// Splits one physical line into logical lines (keepalived 2.2.7, `lib/parser.c`).
///
/// Bytes, not characters: keepalived knows no encoding, and CR LF is one character to Swift.
struct LineLexer {
    private let bytes: ArraySlice<UInt8>
    private var index: Int
    private var columnIndex: Int
    private var column = 1
    private let file: String
    private let line: Int
    private let variables: Set<String>

    private(set) var lines: [LogicalLine] = []
    private(set) var diagnostics: [ConfDiagnostic] = []
    private var words: [Word] = []
    private var word: [UInt8] = []
    private var wordStart: Int?

    /// Lexes `bytes`, line number `line` of `file`, which starts at `column`; `variables` are those
    /// defined before it.
    init(
        _ bytes: ArraySlice<UInt8>, file: String, line: Int, column: Int, variables: Set<String>
    ) {
        self.bytes = bytes
        self.file = file
        self.line = line
        self.column = column
        self.variables = variables
        index = bytes.startIndex
        columnIndex = bytes.startIndex
    }

    /// Lexes the whole line.
    mutating func run() {
        scan: while index < bytes.endIndex {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: " "), 0x09...0x0d:
                endWord()
            case UInt8(ascii: "#"), UInt8(ascii: "!"):
                break scan
            case UInt8(ascii: "\\") where isCommentCharacter(at: index + 1):
                escapedCommentCharacter()
                continue
            case UInt8(ascii: "\""):
                endWord()
                guard quotedWord() else { return }
            case UInt8(ascii: "$"):
                variableReference()
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "}"):
                endLine()
                lines.append(
                    LogicalLine(
                        content: byte == UInt8(ascii: "{") ? .open : .close,
                        position: position(at: index)))
            default:
                append(byte)
            }
            index += 1
        }
        endLine()
    }

    private mutating func append(_ byte: UInt8) {
        if wordStart == nil { wordStart = index }
        word.append(byte)
    }

    private mutating func endWord() {
        guard let start = wordStart else { return }
        words.append(
            Word(text: String(decoding: word, as: UTF8.self), position: position(at: start)))
        word.removeAll(keepingCapacity: true)
        wordStart = nil
    }

    private mutating func endLine() {
        endWord()
        guard let first = words.first else { return }
        lines.append(LogicalLine(content: .words(words), position: first.position))
        words = []
    }

    private func isCommentCharacter(at index: Int) -> Bool {
        index < bytes.endIndex
            && (bytes[index] == UInt8(ascii: "#") || bytes[index] == UInt8(ascii: "!"))
    }

    /// `\#` and `\!` are meant to be the character itself, and are here. keepalived 2.2.7 unescapes
    /// them in its first pass over the file and takes them for comments in its second.
    private mutating func escapedCommentCharacter() {
        append(bytes[index + 1])
        report(
            at: index, .warning, .misreadLine,
            "escaped comment character: keepalived 2.2.7 drops the rest of the line",
            detail: "put the word in double quotes")
        index += 2
    }

    /// Reads a quoted word up to its closing quote; false when there is none, which ends the line.
    private mutating func quotedWord() -> Bool {
        guard let end = bytes[(index + 1)...].firstIndex(of: UInt8(ascii: "\"")) else {
            let text = String(decoding: bytes, as: UTF8.self)
            report(
                at: index, .error, .misreadLine, "Unterminated quote '\(trimmed(text))'",
                detail: "keepalived drops the rest of the line")
            let start = words.first?.position ?? position(at: index)
            lines.append(
                LogicalLine(content: .words(words), position: start, hasUnterminatedQuote: true))
            words = []
            return false
        }
        words.append(
            Word(
                text: String(decoding: bytes[(index + 1)..<end], as: UTF8.self),
                position: position(at: index), isQuoted: true))
        index = end
        return true
    }

    /// Takes `$NAME` or `${NAME}` into the word. Of a defined variable keepalived would put the
    /// value there, which we cannot yet; an undefined one stays as it is, so that a `{` after it
    /// ends the line.
    private mutating func variableReference() {
        let start = index
        append(bytes[index])
        index += 1
        let isBraced = index < bytes.endIndex && bytes[index] == UInt8(ascii: "{")
        let nameStart = isBraced ? index + 1 : index
        let nameEnd = bytes[nameStart...].firstIndex { !isNameByte($0) } ?? bytes.endIndex
        let name = String(decoding: bytes[nameStart..<nameEnd], as: UTF8.self)
        guard variables.contains(name) else { return }
        var end = nameEnd
        if isBraced {
            // `${_RANDOM 1 9}` has parameters.
            guard let brace = bytes[nameEnd...].firstIndex(of: UInt8(ascii: "}")) else { return }
            end = brace + 1
        }
        for position in index..<end { append(bytes[position]) }
        index = end
        report(
            at: start, .error, .notSupportedYet,
            "variable $\(name): known to keepalived, not supported yet by vrrp-agent",
            detail: "write its value here")
    }

    /// The position of the byte at `index`. Asked for in ascending order, so that each line is
    /// counted once.
    private mutating func position(at target: Int) -> SourcePosition {
        if target < columnIndex {
            // Only for a diagnostic about a word already passed.
            let between = bytes[target..<columnIndex].count { !isContinuationByte($0) }
            return SourcePosition(file: file, line: line, column: column - between)
        }
        column += bytes[columnIndex..<target].count { !isContinuationByte($0) }
        columnIndex = target
        return SourcePosition(file: file, line: line, column: column)
    }

    private mutating func report(
        at index: Int, _ severity: ConfDiagnostic.Severity, _ kind: ConfDiagnostic.Kind,
        _ message: String, detail: String
    ) {
        diagnostics.append(
            ConfDiagnostic(position(at: index), severity, kind, message, detail: detail))
    }
}

/// Whether the byte continues a UTF-8 character, and so takes no column of its own.
func isContinuationByte(_ byte: UInt8) -> Bool { byte & 0xc0 == 0x80 }

/// Whether the byte may stand in a variable's name.
func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
        true
    default: false
    }
}

/// Whether the byte is white space to keepalived (`isspace` in the C locale).
func isSpaceByte(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }

/// The text without white space at its ends.
func trimmed(_ text: String) -> String {
    let utf8 = text.utf8
    guard let first = utf8.firstIndex(where: { !isSpaceByte($0) }),
        let last = utf8.lastIndex(where: { !isSpaceByte($0) })
    else { return "" }
    return String(text[first...last])
}
