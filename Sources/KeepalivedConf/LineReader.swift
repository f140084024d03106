/// A file that an `include` names.
public struct IncludedFile: Hashable, Sendable {
    /// Its path, as diagnostics name it.
    public var path: String
    /// Its contents.
    public var text: String

    /// The file of that path and contents.
    public init(path: String, text: String) {
        self.path = path
        self.text = text
    }
}

/// Finds the files that an `include` names: given the pattern as written and the file it stands in
/// (to whose folder a relative pattern belongs), the readable files it matches, in order.
public typealias IncludeResolver = (_ pattern: String, _ includingFile: String) -> [IncludedFile]

/// Turns a file and what it includes into logical lines.
///
/// This is the stage that knows about text: included files, lines too long, and (next) variables,
/// conditional lines and `~SEQ`, all of which keepalived resolves before its parser sees a line.
struct LineReader {
    /// Bytes of a line that keepalived reads at once (its MAXBUF less the NUL).
    static let maximumLineBytes = 1023
    /// How deep includes may nest.
    static let maximumIncludeDepth = 32

    private(set) var lines: [LogicalLine] = []
    /// The files that were read, in order.
    private(set) var files: [String] = []
    private(set) var diagnostics: [ConfDiagnostic] = []
    private let include: IncludeResolver
    private var openFiles: [String] = []
    /// Names of variables the parser would have to replace.
    private var variables: Set<String> = ["_PWD", "_INSTANCE", "_RANDOM", "_HASH", "_BANG"]
    /// Whether the last line was a variable's definition that goes on.
    private var continuesDefinition = false

    init(include: @escaping IncludeResolver) { self.include = include }

    /// Reads a file and the files it includes.
    mutating func read(_ text: String, file: String) {
        openFiles.append(file)
        files.append(file)
        let bytes = Array(text.utf8)
        var start = 0
        var line = 1
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            read(bytes[start..<end], file: file, line: line)
            start = end + 1
            line += 1
        }
        openFiles.removeLast()
    }

    /// Reads one physical line, in the pieces in which keepalived would.
    private mutating func read(_ bytes: ArraySlice<UInt8>, file: String, line: Int) {
        guard bytes.count > Self.maximumLineBytes else {
            readPiece(bytes, file: file, line: line, column: 1)
            return
        }
        diagnostics.append(
            ConfDiagnostic(
                SourcePosition(file: file, line: line, column: 1), .error, .misreadLine,
                "line of \(bytes.count) bytes",
                detail: "keepalived reads at most \(Self.maximumLineBytes) at once and takes the"
                    + " rest for another line, even inside a comment"))
        var start = bytes.startIndex
        var column = 1
        while start < bytes.endIndex {
            let end = min(start + Self.maximumLineBytes, bytes.endIndex)
            readPiece(bytes[start..<end], file: file, line: line, column: column)
            column += bytes[start..<end].count { !isContinuationByte($0) }
            start = end
        }
    }

    private mutating func readPiece(
        _ bytes: ArraySlice<UInt8>, file: String, line: Int, column: Int
    ) {
        if continuesDefinition {
            continuesDefinition = endsInBackslash(bytes)
            return
        }
        let blanks = bytes.prefix { isSpaceByte($0) }.count
        let content = bytes.dropFirst(blanks)
        let start = SourcePosition(file: file, line: line, column: column + blanks)
        if isDirective(content, at: start) { return }
        var lexer = LineLexer(
            bytes, file: file, line: line, column: column, variables: variables)
        lexer.run()
        diagnostics += lexer.diagnostics
        for logical in lexer.lines {
            guard case .words(let words) = logical.content, words.count > 1,
                let option = IncludeOption(keyword: words[0].text)
            else {
                lines.append(logical)
                continue
            }
            readIncluded(words[1], option: option, from: file)
        }
    }

    /// Whether the line is one that keepalived's reader replaces by others before it is parsed; it
    /// is then reported and left out.
    private mutating func isDirective(
        _ content: ArraySlice<UInt8>, at position: SourcePosition
    ) -> Bool {
        guard let first = content.first else { return false }
        let rest = content.dropFirst()
        switch first {
        case UInt8(ascii: "$"):
            let name = rest.prefix { isNameByte($0) }
            guard !name.isEmpty, content.dropFirst(1 + name.count).first == UInt8(ascii: "=") else {
                return false
            }
            variables.insert(String(decoding: name, as: UTF8.self))
            continuesDefinition = endsInBackslash(content)
            // Where it is used is the error: unused, it changes nothing.
            notSupported("variable definitions", .warning, at: position)
        case UInt8(ascii: "@"):
            guard let next = rest.first, !isSpaceByte(next) else { return false }
            notSupported("conditional lines (@ID)", .error, at: position)
        case UInt8(ascii: "~"):
            guard rest.starts(with: "SEQ".utf8) || rest.starts(with: "LST".utf8) else {
                return false
            }
            notSupported("replicated lines (~SEQ, ~LST)", .error, at: position)
        default: return false
        }
        return true
    }

    private mutating func notSupported(
        _ what: String, _ severity: ConfDiagnostic.Severity, at position: SourcePosition
    ) {
        diagnostics.append(
            ConfDiagnostic(
                position, severity, .notSupportedYet,
                "\(what): known to keepalived, not supported yet by vrrp-agent",
                detail: "the line is left out"))
    }

    private func endsInBackslash(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.last { !isSpaceByte($0) } == UInt8(ascii: "\\")
    }

    private mutating func readIncluded(
        _ pattern: Word, option: IncludeOption, from file: String
    ) {
        guard openFiles.count <= Self.maximumIncludeDepth else {
            diagnostics.append(
                ConfDiagnostic(
                    pattern.position, .error, .missingInclude,
                    "include '\(pattern.text)' is nested more than \(Self.maximumIncludeDepth) deep"
                ))
            return
        }
        let files = include(pattern.text, file)
        if files.isEmpty {
            // A pattern may well match nothing; a file that is named is meant to be there.
            let isPattern = pattern.text.utf8.contains { "*?[{".utf8.contains($0) }
            diagnostics.append(
                ConfDiagnostic(
                    pattern.position, isPattern && option == .plain ? .warning : .error,
                    .missingInclude, "Config files missing '\(pattern.text)'.",
                    detail: "keepalived runs without what was to be included"))
        }
        for included in files {
            if openFiles.contains(included.path) {
                diagnostics.append(
                    ConfDiagnostic(
                        pattern.position, .error, .missingInclude,
                        "'\(included.path)' includes itself"))
                continue
            }
            read(included.text, file: included.path)
        }
    }
}

/// The forms of `include`, which differ in what they complain about.
enum IncludeOption {
    /// `include`: complains about nothing but a missing file.
    case plain
    /// `includer`, `includem`, `includew`, `includeb`, `includea`: wants readable files, a match.
    case strict

    init?(keyword: String) {
        switch keyword {
        case "include": self = .plain
        case "includer", "includem", "includew", "includeb", "includea": self = .strict
        default: return nil
        }
    }
}
