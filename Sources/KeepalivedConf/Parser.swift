/// Makes statements of logical lines exactly as keepalived 2.2.7 does (`process_stream` and
/// `alloc_value_block` in `lib/parser.c`), and says where that is not what was meant.
///
/// keepalived does not know the extent of a block whose keyword it does not know: it ignores the
/// `{`, tries each line inside as a line of the block around, and takes the `}` for the end of
/// that. `depth` counts the braces as they were written, `level` the blocks keepalived is in; while
/// the two differ, what it complains about is a consequence of a mistake already reported.
///
/// Each of keepalived's processes goes over the whole file, and passes over the blocks that are
/// not its own by counting braces: where braces do not match, they see different files. So a
/// parser is one of the processes.
struct Parser {
    private let lines: [LogicalLine]
    private let process: ConfigurationProcess
    /// How deep the block is that is being parsed.
    private var level = 0
    private var index = 0
    private(set) var diagnostics: [ConfDiagnostic] = []
    /// The blocks of other processes that were passed over.
    private(set) var skippedKeywords: Set<String> = []
    /// The open braces as written, each with what it belongs to.
    private var openBraces: [OpenBrace] = []
    private var instanceNames: Set<String> = []
    /// Where the blocks begin of which a '}' was found missing.
    private var unclosedBlocks: Set<SourcePosition> = []

    private struct OpenBrace {
        var owner: String?
        var position: SourcePosition
    }

    /// The block being parsed.
    private struct Block {
        var section: Section
        /// 0 at the top level.
        var level: Int
        /// What was written for it; nothing for the top level.
        var words: [Word]
        /// The keywords it has.
        let keywords: [String: Keyword]

        init(_ section: Section, level: Int, words: [Word] = []) {
            self.section = section
            self.level = level
            self.words = words
            keywords = Grammar.keywords(in: section)
        }

        /// What was written for it: `vrrp_instance VI_1`.
        var title: String {
            words.isEmpty ? "the file" : words.map(\.text).joined(separator: " ")
        }
        var position: SourcePosition? { words.first?.position }
    }

    init(_ lines: [LogicalLine], as process: ConfigurationProcess) {
        self.lines = lines
        self.process = process
    }

    private var depth: Int { openBraces.count }

    /// Parses the whole file.
    mutating func run() -> [Statement] {
        let top = Block(.topLevel, level: 0)
        let statements = parseStatements(of: top, needsOpenBrace: false)
        if let last = lines.last, let innermost = openBraces.last {
            // One mistake is one error: each of these braces has been missed already.
            let isKnown = depth == unclosedBlocks.count
            report(
                last.position, isKnown ? .note : .error,
                isKnown ? .consequence : .unbalancedBraces,
                "There are \(depth) missing '}'s or extra '{'s",
                detail: "the '{' \(innermost.owner.map { "of \($0) " } ?? "")on line"
                    + " \(innermost.position.line) is not closed", namesLine: false)
        }
        return statements
    }

    // MARK: Blocks with keywords

    private mutating func parseStatements(
        of block: Block, needsOpenBrace: Bool
    ) -> [Statement] {
        var statements: [Statement] = []
        var needsOpenBrace = needsOpenBrace
        /// Whether the line before was already reported as standing in the wrong block.
        var isInStrayRun = false
        while index < lines.count {
            let line = lines[index]
            index += 1
            if needsOpenBrace, line.content != .open {
                report(
                    line.position, .error, .unbalancedBraces,
                    "Missing '{' at beginning of configuration block", detail: "of \(block.title)")
            }
            switch line.content {
            case .open:
                open(at: line.position)
                if !needsOpenBrace { reportUnexpectedOpen(after: index - 1, in: block) }
                needsOpenBrace = false
            case .close:
                let wasDisplaced = depth != block.level
                close(at: line.position)
                if block.level > 0 { return statements }
                if wasDisplaced {
                    report(line.position, .note, .consequence, "Unknown keyword '}'")
                }
            case .words(let words):
                needsOpenBrace = false
                guard let first = words.first else { continue }
                guard let rule = block.keywords[first.text] else {
                    isInStrayRun = reportUnknown(words, in: block, isInStrayRun: isInStrayRun)
                    continue
                }
                isInStrayRun = false
                if block.level == 0, !process.acts(on: first.text) {
                    skippedKeywords.insert(first.text)
                    skipBlock()
                    continue
                }
                if let statement = parseStatement(words, rule: rule, line: line, in: block) {
                    statements.append(statement)
                }
                // keepalived skips the second list with a brace too many, and so takes its '}' for
                // the end of the group.
                if [.syncGroup, .trackGroup].contains(block.section), first.text == "group",
                    statements.count(where: { $0.name == "group" }) > 1
                {
                    return statements
                }
            }
        }
        return statements
    }

    /// Parses the statement that starts with `words`; nil when keepalived skips it.
    private mutating func parseStatement(
        _ words: [Word], rule: Keyword, line: LogicalLine, in block: Block
    ) -> Statement? {
        let statement = Statement(words, rule: rule, quoting: line.quoting)
        let isCutScript =
            if case .open = line.quoting { statement.name.hasPrefix("notify") } else { false }
        if rule.requiresParameter, statement.arguments.isEmpty, !isCutScript {
            report(
                statement.position, .error, .refused,
                "*** Configuration line starting `\(statement.name)` is missing a parameter after"
                    + " keyword `\(statement.name)` at word position 2")
        }
        switch rule.form {
        case .value: break
        case .list: parseEntries(of: statement, in: block)
        case .block(let section):
            if section == .vrrpInstance, isSkipped(statement) {
                skipBlock()
                return nil
            }
            let inner = Block(section, level: block.level + 1, words: words)
            level += 1
            statement.body = parseStatements(of: inner, needsOpenBrace: true)
            level -= 1
            if let last = lines[..<index].last, last.content == .close {
                statement.endPosition = last.position
            }
        }
        return statement
    }

    /// Whether keepalived leaves out the instance as a whole.
    private mutating func isSkipped(_ statement: Statement) -> Bool {
        guard statement.arguments.count == 1 else {
            report(
                statement.position, .error, .lossOfConfiguration, "vrrp_instance must have a name",
                detail: "one word, or in double quotes; keepalived skips this instance")
            return true
        }
        guard !instanceNames.insert(statement.value.text).inserted else { return false }
        report(
            statement.value.position, .error, .lossOfConfiguration,
            "vrrp instance \(statement.value.text) already defined",
            detail: "keepalived skips this one")
        return true
    }

    /// Passes over a block whose braces match.
    private mutating func skipBlock() {
        let outside = depth
        while index < lines.count {
            let line = lines[index]
            index += 1
            switch line.content {
            case .open: open(at: line.position)
            case .close:
                close(at: line.position)
                if depth <= outside { return }
            case .words:
                // A keyword without its block: nothing to skip after all.
                if depth == outside {
                    index -= 1
                    return
                }
            }
        }
    }

    // MARK: Blocks of free lines

    private mutating func parseEntries(of statement: Statement, in block: Block) {
        // The one list with a name.
        let names = statement.name == "virtual_server_group" ? 1 : 0
        if let extra = statement.arguments.dropFirst(names).first {
            let holdsAddresses = statement.name.hasPrefix("virtual_ipaddress")
            report(
                extra.position, holdsAddresses ? .error : .warning,
                holdsAddresses ? .lossOfConfiguration : .adjustedValue,
                "Block \(statement.name) has extra parameters \(extra.text) ...",
                detail: "keepalived ignores them")
        }
        var hasOpened = false
        while index < lines.count {
            let line = lines[index]
            index += 1
            switch line.content {
            case .open where !hasOpened && statement.entries.isEmpty:
                hasOpened = true
                open(at: line.position)
            case .open:
                open(at: line.position)
                readOpen(amongEntriesOf: statement, at: line.position, in: block)
            case .close:
                close(at: line.position)
                statement.endPosition = line.position
                return
            case .words(let words):
                guard !words.isEmpty else { continue }
                let isDisplaced = depth != block.level + 1
                if isDisplaced, !hasOpened, statement.entries.isEmpty {
                    report(
                        line.position, .error, .unbalancedBraces,
                        "Missing '{' at beginning of configuration block",
                        detail: "of \(statement.name)")
                }
                statement.entries.append(
                    Statement.Entry(words: words, isDisplaced: isDisplaced))
            }
        }
    }

    /// A `{` among free lines, which keepalived takes for a line: one on its own, or a block in the
    /// wrong place or after a missing `}`.
    private mutating func readOpen(
        amongEntriesOf statement: Statement, at position: SourcePosition, in block: Block
    ) {
        let before = statement.entries.last
        guard let culprit = before, !culprit.isDisplaced,
            Grammar.keyword(culprit.words[0].text, in: block.section) != nil
                || Grammar.keyword(culprit.words[0].text, in: .topLevel) != nil
        else {
            // The line before is what it is without the brace.
            let isDisplaced = before?.isDisplaced ?? false
            statement.entries.append(
                Statement.Entry(
                    words: [Word(text: "{", position: position)], isDisplaced: isDisplaced))
            // Those who read the other lists say what they think of such a line.
            let takesAnything =
                ["notification_email", "interface_up_down_delays"].contains(statement.name)
                || block.section == .trackGroup
            if takesAnything, !isDisplaced {
                report(
                    position, .error, .lossOfConfiguration,
                    "'{' in \(statement.name) is taken for one of its lines",
                    detail: "keepalived takes the next '}' for the end of \(statement.name)")
            }
            return
        }
        statement.entries.removeLast()
        let name = culprit.words[0].text
        report(
            culprit.position, .error, .lossOfConfiguration,
            "'\(name)' in \(statement.name) is taken for one of its lines",
            detail: "is a '}' missing before it? keepalived takes the next '}' for the end of"
                + " \(statement.name)")
    }
}

// MARK: - What keepalived does not understand

extension Parser {
    /// Reports an unknown keyword; true when it is known, but in another block.
    private mutating func reportUnknown(
        _ words: [Word], in block: Block, isInStrayRun: Bool
    ) -> Bool {
        let word = words[0]
        let message = "Unknown keyword '\(word.text)'"
        let hasBlock = index < lines.count && lines[index].content == .open
        let belongsElsewhere = Grammar.sections(of: word.text)
        let isLostInstance = word.text == "vrrp_instance"
        if depth != block.level, !isLostInstance {
            report(word.position, .note, .consequence, message)
            return false
        }
        if word.text.unicodeScalars.first == "\u{FEFF}" {
            report(
                word.position, hasBlock ? .error : .warning,
                hasBlock ? .lossOfConfiguration : .unknownKeyword, message,
                detail: "the file starts with a UTF-8 byte order mark, which keepalived takes for a"
                    + " part of the word; save it without")
            return false
        }
        var details: [String] = []
        if belongsElsewhere.contains(.topLevel), block.level > 0 {
            details.append(
                "it is written inside \(block.title), of which the '}' is missing before it")
            if let position = block.position { unclosedBlocks.insert(position) }
        } else if let home = belongsElsewhere.first {
            details.append("it belongs in \(home.rawValue)")
            if block.level == 0 { details.append("is there a '}' too many before it?") }
        } else if let meant = suggestion(for: word.text, among: Grammar.names(in: block.section)) {
            details.append("did you mean '\(meant)'?")
        }
        let isStray = block.level == 0 && !belongsElsewhere.isEmpty
        if isStray, isInStrayRun {
            report(word.position, .note, .consequence, message)
            return true
        }
        if hasBlock || isLostInstance {
            details.append(
                block.level == 0
                    ? "keepalived ignores the whole block"
                    : "keepalived takes its '}' for the end of \(block.title)")
        }
        let isLoss =
            hasBlock || isLostInstance || (isStray && belongsElsewhere.contains(.vrrpInstance))
        report(
            word.position, isLoss ? .error : .warning,
            isLoss ? .lossOfConfiguration : .unknownKeyword, message,
            detail: details.isEmpty ? nil : details.joined(separator: "; "))
        return isStray
    }

    /// Reports a `{` where none belongs, unless it is that of an unknown keyword, which has been
    /// reported with it.
    private mutating func reportUnexpectedOpen(after openIndex: Int, in block: Block) {
        let message = "Unexpected '{' - ignoring"
        let position = lines[openIndex].position
        guard openIndex > 0, case .words(let words) = lines[openIndex - 1].content,
            let word = words.first
        else {
            report(position, .error, .lossOfConfiguration, message)
            return
        }
        if Grammar.keyword(word.text, in: block.section) == nil {
            if lines[openIndex - 1].position.line != position.line {
                report(position, .note, .consequence, message)
            }
            return
        }
        report(
            position, .error, .lossOfConfiguration, message,
            detail: "'\(word.text)' has no block; keepalived takes the next '}' for the end of"
                + " \(block.title)")
    }

    private mutating func open(at position: SourcePosition) {
        var owner: String?
        if index >= 2, case .words(let words) = lines[index - 2].content, let word = words.first {
            owner = word.text
        }
        openBraces.append(OpenBrace(owner: owner, position: position))
    }

    private mutating func close(at position: SourcePosition) {
        guard openBraces.popLast() == nil else { return }
        report(position, .warning, .unbalancedBraces, "Extra '}' found")
    }

    private mutating func report(
        _ position: SourcePosition, _ severity: ConfDiagnostic.Severity,
        _ kind: ConfDiagnostic.Kind, _ message: String, detail: String? = nil,
        namesLine: Bool = true
    ) {
        var diagnostic = ConfDiagnostic(
            position, severity, kind, message, detail: detail, namesLine: namesLine)
        diagnostic.isAboutTopLevel = level == 0
        diagnostics.append(diagnostic)
    }
}
