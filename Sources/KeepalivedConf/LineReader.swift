/// Turns a file and what it includes into the lines that keepalived's parser gets (2.2.7,
/// `read_line` in `lib/parser.c`).
///
/// Most lines hold nothing but words and braces and go straight to the ``LineLexer``. The others
/// are made into ``Cell``s first, which know where they come from: lines with variables or
/// escapes, definitions, conditional and repeated lines, and includes.
///
/// keepalived goes over the text twice: its parent process writes what it read to a copy, comments
/// and includes resolved, and the process that runs VRRP reads the copy. Where the two come to
/// different results, this is the second, but for plain mistakes, which are reported.
struct LineReader {
    /// Bytes of a line that keepalived reads at once (its MAXBUF less the NUL).
    static let maximumLineBytes = 1023
    /// How deep includes may nest.
    static let maximumIncludeDepth = 32
    /// How deep the lines of variables and repeated lines may nest.
    static let maximumExpansionDepth = 64
    /// Replacements in one line, of which keepalived's buffer has no room for more unless a
    /// variable stands for itself.
    static let maximumReplacements = 1024
    /// Lines that a configuration may come to with its repeated lines.
    static let maximumLines = 4_000_000
    /// Lines that are kept to be shown in diagnostics.
    static let maximumExpandedLines = 4096

    var lines: [LogicalLine] = []
    /// The files that were read, in order.
    private(set) var files: [String] = []
    var diagnostics: [ConfDiagnostic] = []
    let context: ConfigurationContext
    private let source: IncludeSource
    private var openFiles: [String] = []
    /// Where the line being read stands.
    var file = ""
    var lineNumber: Int32 = 0
    var definitions: Definitions
    /// The variable whose definition goes on.
    var openDefinition: String?
    /// The lines that variables and repeated lines turned into, as far as they are kept.
    private(set) var expandedLines: [String] = []
    /// The line being read in `expandedLines`, counted from 1; 0: it stands in the file as it is.
    var expansion: Int32 = 0
    /// Lines processed that variables and repetition made.
    private var expandedCount = 0
    // What `include_check` needs to know.
    var includeChecks: IncludeChecks
    var blockDepth = 0
    var isInGlobalDefinitions = false

    init(context: ConfigurationContext, source: IncludeSource) {
        self.context = context
        self.source = source
        definitions = Definitions(context: context)
        includeChecks = context.includeChecks
    }

    // MARK: Files

    /// Reads a file and the files it includes.
    mutating func read(_ text: String, file: String) {
        let includer = (self.file, lineNumber, includeChecks)
        openFiles.append(file)
        files.append(file)
        self.file = file
        let bytes = Array(text.utf8)
        // About as many lines as a file of that size has, so that they are not moved often.
        lines.reserveCapacity(lines.count + bytes.count / 16)
        var start = 0
        lineNumber = 0
        while start < bytes.count {
            var end = start
            var classes: UInt8 = 0
            while end < bytes.count, bytes[end] != 0x0a {
                classes |= ByteClass.of(bytes[end])
                end += 1
            }
            lineNumber += 1
            readPhysical(bytes, start..<end, classes: classes)
            start = end + 1
        }
        openFiles.removeLast()
        (self.file, lineNumber, includeChecks) = includer
    }

    /// Reads one line of the file, in the pieces in which keepalived would.
    private mutating func readPhysical(_ bytes: [UInt8], _ range: Range<Int>, classes: UInt8) {
        guard range.count > Self.maximumLineBytes else {
            readPiece(bytes, range, column: 1, classes: classes)
            return
        }
        report(
            at: 1, .error, .misreadLine, "line of \(range.count) bytes",
            detail: "keepalived reads at most \(Self.maximumLineBytes) at once and takes the rest"
                + " for another line, even inside a comment")
        var start = range.lowerBound
        var column: Int32 = 1
        while start < range.upperBound {
            let end = min(start + Self.maximumLineBytes, range.upperBound)
            readPiece(bytes, start..<end, column: column, classes: classes)
            column += Int32(bytes[start..<end].count { !isContinuationByte($0) })
            start = end
        }
    }

    private mutating func readPiece(
        _ bytes: [UInt8], _ range: Range<Int>, column: Int32, classes: UInt8
    ) {
        var start = range.lowerBound
        var end = range.upperBound
        while end > start, bytes[end - 1] == 0x0d { end -= 1 }
        while start < end, isBlankByte(bytes[start]) { start += 1 }
        guard start < end else {
            openDefinition = nil
            return
        }
        expansion = 0
        let isPlain =
            classes & ByteClass.special == 0 && openDefinition == nil
            && !startsDirective(bytes, start..<end)
        guard isPlain else {
            let cells = Self.cells(bytes, range.lowerBound..<end, column: column)
            var decommenter = Decommenter(cells)
            decommenter.run()
            report(decommenter)
            // A line with nothing but a comment ends a definition, as an empty one does.
            if decommenter.cells.isEmpty { openDefinition = nil }
            process(decommenter.cells, depth: 0)
            return
        }
        var lexer = LineLexer(
            bytes, start..<end, file: file, line: lineNumber,
            columns: classes & ByteClass.multibyte == 0
                ? .bytes(first: column, at: range.lowerBound)
                : .map(
                    Self.cells(bytes, range.lowerBound..<end, column: column).map(\.column),
                    range.lowerBound), hasQuoting: classes & ByteClass.quoting != 0)
        let first = lines.count
        lexer.run(into: &lines)
        finish(lexer, from: first)
    }

    /// Whether the text is not for the lexer: a definition, a conditional or repeated line, or an
    /// `include`, maybe.
    private func startsDirective(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
        switch bytes[range.lowerBound] {
        case UInt8(ascii: "$"), UInt8(ascii: "@"), UInt8(ascii: "~"): true
        case UInt8(ascii: "i"): bytes[range].starts(with: "include".utf8)
        default: false
        }
    }

    private static func cells(_ bytes: [UInt8], _ range: Range<Int>, column: Int32) -> [Cell] {
        var column = column - 1
        return range.map { index in
            if !isContinuationByte(bytes[index]) { column += 1 }
            return Cell(byte: bytes[index], column: max(column, 1))
        }
    }

    // MARK: Lines for the parser

    /// Splits a line with nothing to replace in it into words and braces.
    mutating func split(_ line: [Cell], depth: Int) {
        var lexer = LineLexer(
            line.map(\.byte), 0..<line.count, file: file, line: lineNumber,
            columns: .map(line.map(\.column), 0), expansion: expansion, hasComments: false,
            hasQuoting: line.contains { ByteClass.of($0.byte) & ByteClass.quoting != 0 })
        let first = lines.count
        lexer.run(into: &lines)
        finish(lexer, from: first, cells: line, depth: depth)
    }

    /// Takes over what the lexer has to say, and the rest of the line where that is not for it.
    private mutating func finish(
        _ lexer: LineLexer, from first: Int, cells: [Cell]? = nil, depth: Int = 0
    ) {
        if !lexer.diagnostics.isEmpty { diagnostics += lexer.diagnostics }
        followBlocks(from: first)
        guard let rest = lexer.rest else { return }
        if let cells {
            process(Array(cells[rest]), depth: depth + 1)
        } else {
            var decommenter = Decommenter(lexer.cells(rest))
            decommenter.run()
            report(decommenter)
            process(decommenter.cells, depth: depth + 1)
        }
    }

    /// Whether the configuration has room for one more line that is not in the file.
    mutating func makeRoom(at column: Int32) -> Bool {
        expandedCount += 1
        if expandedCount == Self.maximumLines {
            report(
                at: column, .error, .refused, "more than \(Self.maximumLines) lines",
                detail: "what is repeated is left out from here on")
        }
        return expandedCount < Self.maximumLines
    }

    /// Follows the blocks as far as `include_check` needs it: it counts from where it stands.
    private mutating func followBlocks(from first: Int) {
        for index in first..<lines.count {
            switch lines[index].content {
            case .open: blockDepth += 1
            case .close: blockDepth = max(blockDepth - 1, 0)
            case .words(let words):
                guard blockDepth < 2, let keyword = words.first?.text else { continue }
                if blockDepth == 0 {
                    isInGlobalDefinitions = keyword == "global_defs"
                } else if isInGlobalDefinitions, keyword == "include_check" {
                    setIncludeChecks(words.dropFirst())
                }
            }
        }
    }

    // MARK: Includes

    /// Reads what an `include` names.
    mutating func include(_ pattern: [Cell], checks: IncludeChecks) {
        guard let column = pattern.first?.column else { return }
        let name = pattern.text
        guard openFiles.count <= Self.maximumIncludeDepth else {
            report(
                at: column, .error, .misreadLine,
                "include '\(name)' is nested more than \(Self.maximumIncludeDepth) deep")
            return
        }
        let result = IncludeResult(
            name, in: file, source: source, checks: includeChecks.union(checks))
        for complaint in result.complaints {
            let isFatal = !complaint.checks.isDisjoint(with: includeChecks.union(checks))
            var detail = "keepalived runs without what was to be included"
            if isFatal { detail = "keepalived does not run without" }
            if name.utf8.first == UInt8(ascii: "\"") {
                detail += "; it takes the quotes for a part of the name"
            }
            report(
                at: column, isFatal ? .error : complaint.severity,
                isFatal ? .refusedInclude : .missingInclude, complaint.message, detail: detail)
        }
        let (savedExpansion, savedDefinition) = (expansion, openDefinition)
        for included in result.files {
            if openFiles.contains(included.path) {
                report(
                    at: column, .error, .misreadLine, "'\(included.path)' includes itself")
                continue
            }
            read(included.text, file: included.path)
        }
        (expansion, openDefinition) = (savedExpansion, savedDefinition)
    }

    /// `include_check [+-CHECK...]`: all checks where none is named.
    private mutating func setIncludeChecks(_ words: ArraySlice<Word>) {
        if words.isEmpty { includeChecks = .all }
        for word in words {
            let sign = word.text.utf8.first
            let isChange = sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+")
            if !isChange {
                guard word == words.first else {
                    complain(
                        of: word,
                        "Duplicate include_check '\(word.text)' specified - ignoring")
                    continue
                }
                includeChecks = []
            }
            let name = String(word.text.dropFirst(isChange ? 1 : 0))
            guard let check = IncludeChecks(name: name) else {
                complain(of: word, "Unknown include_check type '\(name)' - ignoring")
                continue
            }
            switch sign {
            case UInt8(ascii: "-"): includeChecks.subtract(check)
            case UInt8(ascii: "+"): includeChecks.formUnion(check)
            default: includeChecks = [.readable, check]
            }
        }
    }

    private mutating func complain(of word: Word, _ message: String) {
        diagnostics.append(ConfDiagnostic(word.position, .warning, .adjustedValue, message))
    }

    // MARK: Reports

    func position(_ column: Int32) -> SourcePosition {
        SourcePosition(file: file, line: lineNumber, column: column, expansion: expansion)
    }

    mutating func report(
        at column: Int32, _ severity: ConfDiagnostic.Severity, _ kind: ConfDiagnostic.Kind,
        _ message: String, detail: String? = nil
    ) {
        diagnostics.append(
            ConfDiagnostic(position(column), severity, kind, message, detail: detail))
    }

    /// Remembers what the line being read has turned into, to show it where something is wrong
    /// with it; only so many, for those who repeat lines by the thousand.
    mutating func noteExpansion(_ line: [Cell]) {
        guard expandedLines.count < Self.maximumExpandedLines else {
            expansion = 0
            return
        }
        expandedLines.append(line.text)
        expansion = Int32(expandedLines.count)
    }

    mutating func report(_ decommenter: Decommenter) {
        for column in decommenter.escapes {
            report(
                at: column, .warning, .misreadLine,
                "escaped comment character: keepalived 2.2.7 drops the rest of the line",
                detail: "put the word in double quotes")
        }
        guard let column = decommenter.openQuote else { return }
        report(
            at: column, .error, .misreadLine, "Unterminated quote '\(decommenter.quoted)'",
            detail: "keepalived drops the rest of the line")
    }
}
