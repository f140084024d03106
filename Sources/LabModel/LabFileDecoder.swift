import NetworkTypes

/// Reads a lab file's tree of values into a draft, and notes every mistake on the way.
///
/// The reading of each part of the file is an extension in a file of its own; here are the root
/// and what all of them use. A function that returns nil has noted why.
struct LabFileDecoder {
    var diagnostics: DiagnosticList
    var sources: SourceFiles

    /// The mapping's known entries by key.
    struct Fields {
        /// What it is, in the words of messages: `network lan`.
        let place: String
        /// Where a message about the whole of it points.
        let mark: YAMLMark
        fileprivate(set) var entries: [String: YAMLEntry] = [:]
        /// Whether there are unknown keys, which may have been meant to be any that is missing.
        fileprivate(set) var hasUnknownKeys = false

        subscript(key: String) -> YAMLEntry? { entries[key] }
    }

    /// Reads the whole file; nil when its root is not even a mapping.
    mutating func lab(_ root: YAMLValue) -> LabDraft? {
        guard case .mapping(let written) = root.content else {
            diagnostics.error(
                "a lab file must be a mapping, not \(root.typeInWords)", at: root.mark)
            return nil
        }
        // As in compose files: a place for anchors that the rest of the file refers to.
        let entries = written.filter { !$0.key.hasPrefix("x-") }
        let value = YAMLValue(content: .mapping(entries), mark: root.mark)
        guard let fields = fields(value, as: .lab, place: "the lab", mark: root.mark) else {
            return nil
        }
        var draft = LabDraft(mark: root.mark)
        if let entry = fields["name"], let name = labName(entry) { draft.name = name }
        if let entry = fields["needs"] { draft.needs = needs(entry, of: "the lab") }
        if let entry = fields["networks"] {
            draft.networks = namedEntries(entry, what: "networks")?.map { network($0) }
        } else if !fields.hasUnknownKeys {
            draft.networks = []
        }
        if let entry = fields["nodes"] {
            draft.nodes = namedEntries(entry, what: "nodes").flatMap { nodes($0) }
            if draft.nodes?.isEmpty == true {
                diagnostics.error("a lab needs at least one node", at: entry.keyMark)
            }
        }
        if let entry = fields["links"] {
            let errorsBefore = diagnostics.errorCount
            draft.links = links(entry, nodes: draft.nodes ?? [])
            draft.linksAreSound = diagnostics.errorCount == errorsBefore
        } else {
            draft.linksAreSound = !fields.hasUnknownKeys
        }
        if let entry = fields["publish"] { draft.publications = publications(entry) }
        if let entry = fields["scenarios"] {
            let errorsBefore = diagnostics.errorCount
            draft.scenarios = scenarios(
                entry, nodes: draft.nodes, links: draft.linksAreSound ? draft.links : nil,
                networks: draft.networks)
            draft.scenariosAreSound = diagnostics.errorCount == errorsBefore
        } else {
            draft.scenariosAreSound = !fields.hasUnknownKeys
        }
        return draft
    }

    /// The lab's name, where it can be one.
    private mutating func labName(_ entry: YAMLEntry) -> String? {
        guard let name = text(entry, of: "the lab") else { return nil }
        guard Lab.isValidName(name.value) else {
            diagnostics.error(
                "lab name '\(name.value)' must be 1 to 32 of a-z, 0-9 and '-', beginning with a "
                    + "letter or digit", at: name.mark)
            return nil
        }
        return name.value
    }
}

// MARK: mappings and lists

extension LabFileDecoder {
    /// The entries of a mapping whose keys are known: unknown and missing ones are noted. Nothing
    /// at all counts as an empty mapping.
    mutating func fields(
        _ value: YAMLValue, as table: LabFileKeys, place: String, mark: YAMLMark
    ) -> Fields? {
        var fields = Fields(place: place, mark: mark)
        if !value.isNull {
            guard case .mapping(let entries) = value.content else {
                diagnostics.error(
                    "\(place) must be a mapping, not \(value.typeInWords)", at: value.mark)
                return nil
            }
            for entry in entries {
                if table.keys.contains(entry.key) {
                    fields.entries[entry.key] = entry
                } else {
                    let hint = SpellingSuggestion.hint(for: entry.key, among: table.keys)
                    diagnostics.error(
                        "unknown key '\(entry.key)' in \(place)\(hint)", at: entry.keyMark)
                    fields.hasUnknownKeys = true
                }
            }
        }
        let missing = table.required.filter { fields[$0] == nil }
        // A misspelt key is one mistake, not an unknown key and a missing one.
        if !missing.isEmpty, !fields.hasUnknownKeys {
            let keys = missing.map { "'\($0)'" }.joined(separator: " and ")
            diagnostics.error("\(place) has no \(keys)", at: mark)
        }
        return fields
    }

    /// The entries of a mapping from names to something; nothing at all counts as empty.
    mutating func namedEntries(_ entry: YAMLEntry, what: String) -> [YAMLEntry]? {
        if entry.value.isNull { return [] }
        guard case .mapping(let entries) = entry.value.content else {
            diagnostics.error(
                "\(what) must be a mapping from names, not \(entry.value.typeInWords)",
                at: entry.mark)
            return nil
        }
        return entries
    }

    /// The elements of a list.
    mutating func list(_ entry: YAMLEntry, what: String) -> [YAMLValue]? {
        guard case .sequence(let values) = entry.value.content else {
            diagnostics.error(
                "\(what) must be a list, not \(entry.value.typeInWords)", at: entry.mark)
            return nil
        }
        return values
    }
}

// MARK: scalars

extension LabFileDecoder {
    /// A text that is not empty.
    mutating func text(_ entry: YAMLEntry, of place: String) -> Located<String>? {
        guard case .scalar(let text, _) = entry.value.content, !entry.value.isNull, !text.isEmpty
        else {
            diagnostics.error(
                "'\(entry.key)' of \(place) must be a text, not \(entry.value.typeInWords)",
                at: entry.mark)
            return nil
        }
        return Located(text, entry.value.mark)
    }

    /// A text, or a list of texts.
    mutating func texts(_ entry: YAMLEntry, of place: String) -> [Located<String>]? {
        guard case .sequence(let values) = entry.value.content else {
            guard case .scalar = entry.value.content else {
                diagnostics.error(
                    "'\(entry.key)' of \(place) must be a text or a list of texts, not "
                        + entry.value.typeInWords, at: entry.mark)
                return nil
            }
            return text(entry, of: place).map { [$0] }
        }
        var texts: [Located<String>] = []
        var isComplete = true
        for value in values {
            guard case .scalar(let text, _) = value.content, !value.isNull else {
                diagnostics.error(
                    "'\(entry.key)' of \(place) must be a list of texts; this is "
                        + value.typeInWords, at: value.mark)
                isComplete = false
                continue
            }
            texts.append(Located(text, value.mark))
        }
        return isComplete ? texts : nil
    }

    /// A whole number in that range.
    mutating func number(
        _ entry: YAMLEntry, of place: String, in range: ClosedRange<Int>
    ) -> Located<Int>? {
        guard case .scalar(let text, isPlain: true) = entry.value.content, let number = Int(text),
            range.contains(number)
        else {
            diagnostics.error(
                "'\(entry.key)' of \(place) must be a number from \(range.lowerBound) to "
                    + "\(range.upperBound), not \(entry.value.typeInWords)", at: entry.mark)
            return nil
        }
        return Located(number, entry.value.mark)
    }

    /// `true` or `false`.
    mutating func boolean(_ entry: YAMLEntry, of place: String) -> Bool? {
        switch entry.value.content {
        case .scalar("true", isPlain: true): return true
        case .scalar("false", isPlain: true): return false
        default:
            diagnostics.error(
                "'\(entry.key)' of \(place) must be true or false, not \(entry.value.typeInWords)",
                at: entry.mark)
            return nil
        }
    }

    /// A duration, greater than zero unless `canBeZero`.
    mutating func duration(
        _ entry: YAMLEntry, of place: String, canBeZero: Bool = false
    ) -> Duration? {
        guard case .scalar(let text, _) = entry.value.content,
            let duration = Duration(durationText: text), canBeZero || duration > .zero
        else {
            diagnostics.error(
                "'\(entry.key)' of \(place) must be a duration such as 10ms, 5s or 1m, not "
                    + entry.value.typeInWords, at: entry.mark)
            return nil
        }
        return duration
    }

    /// A command: a list of its words, or one text that is split as a shell does.
    mutating func command(_ entry: YAMLEntry, of place: String) -> [String]? {
        guard let texts = texts(entry, of: place) else { return nil }
        if case .sequence = entry.value.content {
            guard texts.first?.value.isEmpty == false else {
                diagnostics.error("'\(entry.key)' of \(place) is empty", at: entry.mark)
                return nil
            }
            return texts.map(\.value)
        }
        guard let line = texts.first else { return nil }
        do throws(ShellWords.Problem) {
            let words = try ShellWords.split(line.value)
            if words.first?.isEmpty == false { return words }
            diagnostics.error("'\(entry.key)' of \(place) is empty", at: line.mark)
        } catch {
            let message =
                switch error {
                case .unterminatedQuote: "a quote in '\(entry.key)' of \(place) is not closed"
                case .danglingBackslash: "'\(entry.key)' of \(place) ends with a backslash"
                case .needsShell(let character):
                    "'\(character)' in '\(entry.key)' of \(place) needs a shell; write "
                        + "[sh, -c, '...'], or quote it"
                }
            diagnostics.error(message, at: line.mark)
        }
        return nil
    }

    /// The MTU of a device: IPv4's least (RFC 791) to the most a veth or bridge takes.
    mutating func mtu(_ entry: YAMLEntry, of place: String) -> Located<Int>? {
        number(entry, of: place, in: 68...65535)
    }

    /// A name that devices in Linux can have, for a device of a node or for a bridge.
    mutating func deviceName(_ name: Located<String>, what: String) -> InterfaceName? {
        // `lo` is there already; `all` and `default` have other meanings under net.ipv4.conf; the
        // kernel would fill in a `%d`.
        if ["lo", "all", "default"].contains(name.value) {
            diagnostics.error("\(what) cannot be called '\(name.value)'", at: name.mark)
            return nil
        }
        if let device = InterfaceName(name.value), !name.value.contains("%") { return device }
        let count = name.value.utf8.count
        if count > InterfaceName.maximumLengthBytes {
            diagnostics.error(
                "name '\(name.value)' of \(what) has \(count) bytes; Linux allows "
                    + "\(InterfaceName.maximumLengthBytes)", at: name.mark)
        } else {
            diagnostics.error(
                "\(what) cannot be called '\(name.value)'; Linux allows no '/', ':', '%' or white "
                    + "space in a device's name", at: name.mark)
        }
        return nil
    }
}
