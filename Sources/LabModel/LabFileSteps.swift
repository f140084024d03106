import NetworkTypes

// Steps of scenarios.
extension LabFileDecoder {
    /// One step: a mapping with one key, its verb, and perhaps the event it waits for.
    mutating func step(
        _ value: YAMLValue, place: String, scope: ScenarioScope, isPart: Bool = false
    ) -> Step? {
        var value = value
        if case .mapping(let entries) = value.content {
            value.content = .mapping(Self.withWholeTrigger(entries))
        }
        guard case .mapping(let entries) = value.content,
            case let verbs = entries.filter({ !Self.companions.contains($0.key) }),
            verbs.count == 1,
            let entry = verbs.first
        else {
            let verbs = LabFileKeys.step.keys.filter { !Self.companions.contains($0) }
                .joined(separator: ", ")
            diagnostics.error("\(place) must be one of \(verbs) with its object", at: value.mark)
            return nil
        }
        guard let fields = fields(value, as: .step, place: place, mark: value.mark),
            fields[entry.key] != nil
        else { return nil }
        let trigger = fields["at"].flatMap { self.trigger($0, of: place, verb: entry.key, scope) }
        if isPart, ["parallel", "expect"].contains(entry.key) {
            diagnostics.error(
                "\(place) cannot be '\(entry.key)': what is done in parallel are acting steps",
                at: entry.keyMark)
            return nil
        }
        let lasting = fields["for"].flatMap { duration($0, of: place) }
        var clock: ClockOffset?
        guard let action = action(entry, of: place, scope: scope, clock: &clock) else { return nil }
        let step = Step(
            action, at: trigger, lasting: lasting, clock: clock, line: entry.keyMark.line)
        if let given = fields["for"], !step.canBeTakenBack {
            diagnostics.error(
                "\(place) is nothing that 'for' could take back: it belongs to stop, kill, freeze,"
                    + " link down, blackhole and flap, plug, unplug, impair, partition, cut,"
                    + " imposter and limit", at: given.keyMark)
            return nil
        }
        return step
    }

    /// The keys that stand beside a step's verb.
    private static let companions = ["at", "for"]

    /// Entries with `at:` as it is meant: in `{ kill: master, at: frame(arp, 192.0.2.1) + 5ms }`
    /// the comma between the parentheses ends a value for YAML, and what follows is a key.
    private static func withWholeTrigger(_ entries: [YAMLEntry]) -> [YAMLEntry] {
        guard let start = entries.firstIndex(where: { $0.key == "at" }),
            case .scalar(var text, isPlain: true) = entries[start].value.content
        else { return entries }
        func isOpen(_ text: String) -> Bool {
            text.count { $0 == "(" } > text.count { $0 == ")" }
        }
        var end = start + 1
        while isOpen(text), end < entries.count, entries[end].value.isNull {
            text += ", " + entries[end].key
            end += 1
        }
        var entries = entries
        entries[start].value.content = .scalar(text, isPlain: true)
        entries.removeSubrange(start + 1..<end)
        return entries
    }

    private mutating func action(
        _ entry: YAMLEntry, of place: String, scope: ScenarioScope, clock: inout ClockOffset?
    ) -> Step.Action? {
        switch entry.key {
        case "wait": duration(entry, of: place, canBeZero: true).map { .wait($0) }
        case "exec": execution(entry, of: place, scope: scope)
        case "expect": expectation(entry, of: place, scope: scope).map { .expect($0) }
        case "link", "plug", "unplug", "impair", "partition", "cut", "imposter",
            "heal":
            fault(entry, of: place, scope: scope).map { .fault($0) }
        case "limit": limiting(entry, of: place, scope: scope).map { .fault($0) }
        case "edit": edit(entry, of: place, scope: scope).map { .edit($0) }
        case "parallel": parallel(entry, of: place, scope: scope)
        case "reboot": rebooting(entry, of: place, scope: scope)
        case "start", "restart":
            starting(entry, of: place, scope: scope, clock: &clock)
        default:
            ControlVerb(rawValue: entry.key).flatMap { verb in
                target(entry, of: place, scope: scope, needsService: verb == .reload).map {
                    .control(verb, $0)
                }
            }
        }
    }

    /// A node, or a service of it.
    mutating func target(
        _ entry: YAMLEntry, of place: String, scope: ScenarioScope, needsService: Bool = false
    ) -> Target? {
        guard let text = text(entry, of: place) else { return nil }
        guard let target = Target.parse(text.value), !needsService || target.service != nil else {
            let form = needsService ? "NODE/SERVICE" : "NODE or NODE/SERVICE"
            diagnostics.error("'\(text.value)' of \(place) must be \(form)", at: text.mark)
            return nil
        }
        return checkTarget(target, at: text.mark, scope) ? target : nil
    }

    /// Notes a node or service that is not defined.
    mutating func checkTarget(
        _ target: Target, at mark: YAMLMark, _ scope: ScenarioScope
    ) -> Bool {
        guard checkNode(Located(target.node, mark), scope) else { return false }
        guard let service = target.service, let known = scope.services?[target.node] ?? nil,
            !known.contains(service)
        else { return true }
        let hint = SpellingSuggestion.hint(for: service, among: known, known: "it has")
        diagnostics.error(
            "\(scope.place) names service '\(service)', which node \(target.node) does not have"
                + hint, at: mark)
        return false
    }

    private mutating func execution(
        _ entry: YAMLEntry, of place: String, scope: ScenarioScope
    ) -> Step.Action? {
        guard
            let fields = fields(
                entry.value, as: .execution, place: place, mark: entry.keyMark)
        else { return nil }
        let node = fields["on"].flatMap { text($0, of: place) }
        if let node { checkNode(node, scope) }
        let words = fields["command"].flatMap { command($0, of: place) }
        let status = fields["status"].flatMap { number($0, of: place, in: 0...255) }
        let output = fields["output"].flatMap { textMatch($0, of: place) }
        guard let node, let words else { return nil }
        return .execute(
            node: node.value, command: words, status: Int32(status?.value ?? 0), output: output)
    }

    /// A text that must be equalled, or a mapping with what it contains or matches.
    private mutating func textMatch(_ entry: YAMLEntry, of place: String) -> TextMatch? {
        if case .scalar(let text, _) = entry.value.content, !entry.value.isNull {
            return .equals(text)
        }
        let place = "'\(entry.key)' of \(place)"
        guard case .mapping = entry.value.content else {
            diagnostics.error(
                "\(place) must be a text, { contains: TEXT } or { matches: REGEX }, not "
                    + entry.value.typeInWords, at: entry.mark)
            return nil
        }
        guard
            let fields = fields(entry.value, as: .textMatch, place: place, mark: entry.value.mark)
        else { return nil }
        return textMatch(fields)
    }

    /// What `contains` or `matches` says; one of them must be there.
    mutating func textMatch(_ fields: Fields) -> TextMatch? {
        switch (fields["contains"], fields["matches"]) {
        case (let entry?, nil): return text(entry, of: fields.place).map { .contains($0.value) }
        case (nil, let entry?):
            guard let pattern = text(entry, of: fields.place) else { return nil }
            guard (try? Regex(pattern.value)) != nil else {
                diagnostics.error(
                    "'\(pattern.value)' of \(fields.place) is no regular expression",
                    at: pattern.mark)
                return nil
            }
            return .matches(pattern.value)
        case (_?, let entry?):
            diagnostics.error(
                "\(fields.place) has both 'contains' and 'matches'; write one", at: entry.keyMark)
        case (nil, nil):
            if !fields.hasUnknownKeys {
                diagnostics.error(
                    "\(fields.place) has neither 'contains' nor 'matches'", at: fields.mark)
            }
        }
        return nil
    }

    private mutating func edit(
        _ entry: YAMLEntry, of place: String, scope: ScenarioScope
    ) -> [Scenario.FileOverride]? {
        guard let nodes = namedEntries(entry, what: "edit of \(place)") else { return nil }
        let errorsBefore = diagnostics.errorCount
        let edits = nodes.flatMap { entry in
            checkNode(Located(entry.key, entry.keyMark), scope)
            return files(entry, of: "node \(entry.key) in \(place)").map {
                Scenario.FileOverride(node: entry.key, file: $0)
            }
        }
        if edits.isEmpty, diagnostics.errorCount == errorsBefore {
            diagnostics.error("'edit' of \(place) names no file", at: entry.mark)
        }
        return edits
    }

    private mutating func parallel(
        _ entry: YAMLEntry, of place: String, scope: ScenarioScope
    ) -> Step.Action? {
        guard let values = list(entry, what: "'parallel' of \(place)") else { return nil }
        if values.isEmpty { diagnostics.error("'parallel' of \(place) is empty", at: entry.mark) }
        let parts = values.enumerated().compactMap { index, value in
            step(value, place: "part \(index + 1) of \(place)", scope: scope, isPart: true)
        }
        return .parallel(parts)
    }
}

// Events.
extension LabFileDecoder {
    private mutating func trigger(
        _ entry: YAMLEntry, of place: String, verb: String, _ scope: ScenarioScope
    ) -> Trigger? {
        guard let text = text(entry, of: place) else { return nil }
        guard !["wait", "expect", "parallel"].contains(verb) else {
            diagnostics.error(
                "\(place) is '\(verb)', which waits for no event: 'at' belongs to acting steps",
                at: entry.keyMark)
            return nil
        }
        guard let trigger = Trigger.parse(text.value) else {
            unknownEvent(text, of: place, form: "EVENT [+ DURATION]")
            return nil
        }
        return checkPattern(trigger.pattern, at: text.mark, scope) ? trigger : nil
    }

    /// An event of a sequence.
    mutating func pattern(
        _ text: Located<String>, of place: String, _ scope: ScenarioScope
    ) -> EventPattern? {
        guard let pattern = EventPattern.parse(text.value) else {
            unknownEvent(text, of: place, form: "an event")
            return nil
        }
        return checkPattern(pattern, at: text.mark, scope) ? pattern : nil
    }

    private mutating func unknownEvent(
        _ text: Located<String>, of place: String, form: String
    ) {
        let word = text.value.prefix { $0.isASCII && $0.isLetter }
        let isKnown = EventPattern.words.contains(String(word))
        let hint =
            isKnown
            ? "; as in " + (EventPattern.examples[String(word)] ?? "")
            : SpellingSuggestion.hint(
                for: String(word), among: EventPattern.words, known: "events are")
        diagnostics.error("'\(text.value)' of \(place) is not \(form)\(hint)", at: text.mark)
    }

    private mutating func checkPattern(
        _ pattern: EventPattern, at mark: YAMLMark, _ scope: ScenarioScope
    ) -> Bool {
        if case .service(let target, _) = pattern { return checkTarget(target, at: mark, scope) }
        let unknown = pattern.nodes.filter {
            pattern.isFrame
                ? !checkStation(Located($0, mark), scope) : !checkNode(Located($0, mark), scope)
        }
        return unknown.isEmpty
    }
}

extension EventPattern {
    /// How each kind is written.
    fileprivate static let examples = [
        "advert": "advert(NODE) or advert(NODE, priority 0)",
        "garp": "garp(ADDRESS) from NODE", "frame": "frame(arp, ADDRESS) from NODE",
        "vip": "vip(ADDRESS) on NODE or off NODE", "state": "state(NODE) = MASTER",
        "service": "service(NODE/SERVICE) = ready or = ended",
        "neighbour": "neighbour(ADDRESS) of NODE",
    ]
}
