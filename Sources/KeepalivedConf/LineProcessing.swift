// What keepalived does with a line before its parser sees it: variables, conditions, repetition.

extension LineReader {
    /// Processes a line without comments, and the lines it turns into.
    mutating func process(_ original: [Cell], depth: Int) {
        if let name = openDefinition {
            continueDefinition(of: name, with: original)
            return
        }
        guard let column = original.first?.column else { return }
        guard depth <= Self.maximumExpansionDepth else {
            report(
                at: column, .error, .misreadLine,
                "lines within lines more than \(Self.maximumExpansionDepth) deep",
                detail: "a variable that stands for itself? keepalived never ends")
            return
        }
        var followers: [[[Cell]]] = []
        if let line = resolve(original, depth: depth, followers: &followers) {
            if let (checks, start) = IncludeChecks.ofInclude(line) {
                if depth > 0 || IncludeChecks.ofInclude(original) == nil {
                    reportHiddenInclude(at: column)
                }
                include(line.dropping(start), checks: checks)
            } else {
                split(line, depth: depth)
            }
        }
        for follower in followers.reversed() {
            for line in follower {
                guard makeRoom(at: column) else { return }
                noteExpansion(line)
                process(line, depth: depth + 1)
            }
        }
    }

    /// The line for the parser, everything replaced; nil where nothing is left of it. The lines
    /// after the first of a variable that has several go to `followers`.
    private mutating func resolve(
        _ original: [Cell], depth: Int, followers: inout [[[Cell]]]
    ) -> [Cell]? {
        var line = original
        while true {
            if line.first?.byte == UInt8(ascii: "@") {
                guard let rest = conditional(line) else { return nil }
                line = rest
            }
            guard let first = line.first?.byte else { return nil }
            if first == UInt8(ascii: "$"), define(line) { return nil }
            if first == UInt8(ascii: "~") {
                guard line.hasPrefix("~SEQ") || line.hasPrefix("~LST") else { return line }
                replicate(line, depth: depth)
                return nil
            }
            guard line.contains(where: { $0.byte == UInt8(ascii: "$") }) else { return line }
            let (replaced, isComplete) = replaceVariables(in: line, followers: &followers)
            guard let replaced else { return line }
            guard isComplete else { return replaced }
            var decommenter = Decommenter(replaced)
            decommenter.run()
            line = decommenter.cells
            noteExpansion(line)
            if decommenter.openQuote != nil { report(decommenter) }
            let isToCheck =
                line.first?.byte == UInt8(ascii: "@")
                || line.contains { $0.byte == UInt8(ascii: "$") }
            guard isToCheck else { return line.isEmpty ? nil : line }
        }
    }

    /// keepalived looks for includes before it resolves conditions and variables, too.
    private mutating func reportHiddenInclude(at column: Int32) {
        report(
            at: column, .warning, .misreadLine, "include is not the first word of its line",
            detail: "keepalived 2.2.7 reads the file twice here")
    }

    // MARK: @ID

    /// What follows `@ID` or `@^ID`, where it applies to this machine; else nil.
    private mutating func conditional(_ line: [Cell]) -> [Cell]? {
        let isNegated = line.count > 1 && line[1].byte == UInt8(ascii: "^")
        let start = isNegated ? 2 : 1
        guard start <= line.count, let end = line.firstIndex(from: start, where: isBlankByte) else {
            report(
                at: line[0].column, .note, .noEffect,
                "'\(line.text)' has nothing after its condition",
                detail: "a line that starts with @ applies only where the word after it is the"
                    + " machine's id")
            return nil
        }
        let isMatch = Array(line[start..<end]).text == context.configID
        return isMatch != isNegated ? line.dropping(end) : nil
    }

    // MARK: $NAME=

    /// Takes a line as a definition; false when it is none.
    private mutating func define(_ line: [Cell]) -> Bool {
        guard let (name, start) = Definitions.definedName(in: line) else { return false }
        let (text, goesOn) = Self.definitionLine(line.dropping(start))
        definitions[name] = Definitions.Definition(
            value: .lines(text.isEmpty && goesOn ? [] : [text]), isMultiline: goesOn,
            position: position(line[0].column))
        if goesOn { openDefinition = name }
        return true
    }

    private mutating func continueDefinition(of name: String, with line: [Cell]) {
        let (text, goesOn) = Self.definitionLine(line)
        guard var definition = definitions[name], case .lines(var lines) = definition.value else {
            openDefinition = nil
            return
        }
        if let start = line.first, IncludeChecks.ofInclude(line) != nil {
            report(
                at: start.column, .error, .lossOfConfiguration,
                "include inside the definition of $\(name)",
                detail: "keepalived drops it, and ends the definition there")
            openDefinition = nil
            return
        }
        if !goesOn {
            openDefinition = nil
            if lines.isEmpty { definition.isMultiline = false }
        }
        if !text.isEmpty { lines.append(text) }
        definition.value = .lines(lines)
        definitions[name] = definition
    }

    /// A line of a definition without the `\` at its end, and whether there is one.
    private static func definitionLine(_ line: [Cell]) -> (text: [Cell], goesOn: Bool) {
        guard line.last?.byte == UInt8(ascii: "\\") else { return (line, false) }
        let end = line.dropLast().lastIndex { !isBlankByte($0.byte) }
        return (Array(line[..<(end.map { $0 + 1 } ?? 0)]), true)
    }

    // MARK: $NAME

    /// The line with its variables replaced, nil where none is in it; not complete where
    /// keepalived gives up on the way.
    private mutating func replaceVariables(
        in original: [Cell], followers: inout [[[Cell]]]
    ) -> (line: [Cell]?, isComplete: Bool) {
        var line = original
        var index = 0
        var count = 0
        while let dollar = line[index...].firstIndex(where: { $0.byte == UInt8(ascii: "$") }) {
            index = dollar
            guard let use = definitions.use(at: index, in: line) else {
                index += 1
                continue
            }
            count += 1
            guard count <= Self.maximumReplacements else {
                report(
                    at: line[index].column, .error, .misreadLine,
                    "variable $\(use.name) stands for itself", detail: "keepalived never ends")
                return (line, false)
            }
            let column = line[index].column
            var value = values(of: use)
            let first = value.isEmpty ? [] : value.removeFirst()
            guard line.count - use.range.count + first.count <= Self.maximumLineBytes else {
                report(
                    at: column, .error, .misreadLine,
                    "Parameter substitution on line '\(line.text)' would exceed maximum line"
                        + " length")
                return (line, false)
            }
            if !value.isEmpty {
                followers.append(value.map { Self.moved($0, to: column) })
            }
            line.replaceSubrange(use.range, with: Self.moved(first, to: column))
            if first.first(where: { !isBlankByte($0.byte) })?.byte == UInt8(ascii: "~") { break }
        }
        return (count > 0 ? line : nil, true)
    }

    /// The cells, said to stand where the variable stands that they come from.
    private static func moved(_ cells: [Cell], to column: Int32) -> [Cell] {
        cells.map { Cell(byte: $0.byte, isLiteral: $0.isLiteral, column: column) }
    }

    /// The lines of a variable's value.
    private func values(of use: Definitions.Use) -> [[Cell]] {
        let text: String
        switch use.definition.value {
        case .lines(let lines): return lines
        case .workingDirectory: text = workingDirectory
        case .random:
            // keepalived's range: as rand(3) has it at least.
            let low = use.parameters.first ?? 0
            let high = use.parameters.dropFirst().first ?? 32767
            text = String(context.random(min(low, high)...max(low, high)))
        }
        return [text.utf8.map { Cell(byte: $0, column: 0) }]
    }

    /// The folder of the file being read, absolute.
    private var workingDirectory: String {
        var parts: [Substring] = []
        let folder = file.utf8.lastIndex(of: UInt8(ascii: "/")).map { file[...$0] } ?? ""
        let path = folder.utf8.first == UInt8(ascii: "/") ? "" : context.workingDirectory + "/"
        for part in (path + folder).split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    // MARK: ~SEQ, ~LST

    /// Processes the text of `~SEQ(...)` or `~LST(...)` once for each of its values.
    private mutating func replicate(_ line: [Cell], depth: Int) {
        let isSequence = line[1].byte == UInt8(ascii: "S")
        let replication: Replication
        do {
            replication = try read(line, isSequence: isSequence)
        } catch {
            report(
                at: line[0].column, .error, .lossOfConfiguration,
                "Invalid ~\(isSequence ? "SEQ" : "LST") specification '\(line.text)'",
                detail: error.message)
            return
        }
        for index in 0..<replication.count {
            guard makeRoom(at: line[0].column) else { return }
            for (name, value) in zip(replication.names, replication.values(index)) {
                definitions.set(name, to: value, at: position(line[0].column))
            }
            process(replication.text, depth: depth + 1)
        }
    }

    private mutating func read(
        _ line: [Cell], isSequence: Bool
    ) throws(Replication.Failure) -> Replication {
        guard isSequence else { return try Replication(list: line) }
        var numbers: [[[Cell]]] = []
        var reader = self
        return try Replication(sequence: line) { cells in
            reader.replaceVariables(in: cells, followers: &numbers).line ?? cells
        }
    }
}

/// Takes comments, the escapes of comment characters, and blanks at the ends off a line.
struct Decommenter {
    private(set) var cells: [Cell]
    /// Where a comment character was escaped.
    private(set) var escapes: [Int32] = []
    /// Where the last quote opens that is not closed.
    private(set) var openQuote: Int32?
    /// The line that the quote is in, with its comment.
    private(set) var quoted = ""

    init(_ line: [Cell]) { cells = Array(line.drop { isBlankByte($0.byte) }) }

    mutating func run() {
        var kept: [Cell] = []
        kept.reserveCapacity(cells.count)
        var comment: Int?
        var goesOn = false
        var index = 0
        scan: while index < cells.count {
            var cell = cells[index]
            switch cell.byte {
            case UInt8(ascii: "\"") where comment == nil:
                openQuote = openQuote == nil ? cell.column : nil
            case UInt8(ascii: "\\"):
                index += 1
                guard index < cells.count else {
                    goesOn = true
                    break scan
                }
                if openQuote == nil, Self.isCommentStart(cells[index]) {
                    if comment == nil { escapes.append(cell.column) }
                    cell.byte = cells[index].byte
                    cell.isLiteral = true
                } else {
                    kept.append(cell)
                    cell = cells[index]
                }
            case _ where Self.isCommentStart(cell) && openQuote == nil && comment == nil:
                comment = kept.count
            default: break
            }
            kept.append(cell)
            index += 1
        }
        if openQuote != nil { quoted = kept.text }
        if let comment { kept.removeLast(kept.count - comment) }
        while let last = kept.last, isBlankByte(last.byte) { kept.removeLast() }
        // A `\` at the end of a line counts even at the end of its comment.
        if goesOn, let last = cells.last { kept.append(last) }
        cells = kept
    }

    private static func isCommentStart(_ cell: Cell) -> Bool {
        (cell.byte == UInt8(ascii: "#") || cell.byte == UInt8(ascii: "!")) && !cell.isLiteral
    }
}
