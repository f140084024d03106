import NetworkTypes

// Steps of scenarios, and their expectations.
extension LabFileDecoder {
    /// One step: a mapping with one key, its verb.
    mutating func step(
        _ value: YAMLValue, number: Int, scope: ScenarioScope
    ) -> Step? {
        let place = "step \(number) of \(scope.place)"
        guard case .mapping(let entries) = value.content, entries.count == 1,
            let entry = entries.first
        else {
            let verbs = LabFileKeys.step.keys.joined(separator: ", ")
            diagnostics.error("\(place) must be one of \(verbs) with its object", at: value.mark)
            return nil
        }
        guard fields(value, as: .step, place: place, mark: value.mark)?[entry.key] != nil else {
            return nil
        }
        let action: Step.Action? =
            switch entry.key {
            case "wait": duration(entry, of: place, canBeZero: true).map { .wait($0) }
            case "exec": execution(entry, of: place, scope: scope)
            case "expect": expectation(entry, of: place, scope: scope).map { .expect($0) }
            default:
                ControlVerb(rawValue: entry.key).flatMap { verb in
                    target(entry, of: place, scope: scope).map { .control(verb, $0) }
                }
            }
        return action.map { Step($0, line: entry.keyMark.line) }
    }

    private mutating func target(
        _ entry: YAMLEntry, of place: String, scope: ScenarioScope
    ) -> Target? {
        guard let text = text(entry, of: place) else { return nil }
        guard let target = Target.parse(text.value) else {
            diagnostics.error(
                "'\(text.value)' of \(place) must be NODE or NODE/SERVICE", at: text.mark)
            return nil
        }
        guard checkNode(Located(target.node, text.mark), scope) else { return nil }
        guard let service = target.service, let known = scope.services?[target.node] ?? nil,
            !known.contains(service)
        else { return target }
        let hint = SpellingSuggestion.hint(for: service, among: known, known: "it has")
        diagnostics.error(
            "\(scope.place) names service '\(service)', which node \(target.node) does not have"
                + hint, at: text.mark)
        return nil
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
        guard let node, let words else { return nil }
        return .execute(
            node: node.value, command: words, status: Int32(status?.value ?? 0))
    }

    private mutating func expectation(
        _ entry: YAMLEntry, of place: String, scope: ScenarioScope
    ) -> Expectation? {
        guard case .mapping(let entries) = entry.value.content else {
            diagnostics.error(
                "'expect' of \(place) must be a mapping, not \(entry.value.typeInWords)",
                at: entry.mark)
            return nil
        }
        let tables = [
            LabFileKeys.addressExpectation, .httpExpectation, .outageExpectation,
        ]
        let subjects = tables.compactMap { table in table.required.first }
        let written = entries.filter { subjects.contains($0.key) }
        guard written.count == 1,
            let table = tables.first(where: { $0.required.first == written[0].key })
        else {
            expectationWithoutSubject(
                entries, subjects: subjects, written: written, of: place, at: entry)
            return nil
        }
        guard
            let fields = fields(entry.value, as: table, place: place, mark: entry.value.mark)
        else { return nil }
        let within = fields["within"].flatMap { duration($0, of: place) }
        let holding = fields["for"].flatMap { duration($0, of: place) }
        let condition: Expectation.Condition? =
            switch written[0].key {
            case "vip": addressCondition(fields, scope: scope)
            case "http": httpCondition(fields, scope: scope)
            default: outageCondition(fields, scope: scope)
            }
        return condition.map { Expectation($0, within: within, holding: holding) }
    }

    /// Notes what is wrong with an expectation that has none or several of `vip`, `http`, `outage`.
    private mutating func expectationWithoutSubject(
        _ entries: [YAMLEntry], subjects: [String], written: [YAMLEntry], of place: String,
        at entry: YAMLEntry
    ) {
        if written.count > 1 {
            diagnostics.error(
                "\(place) has both '\(written[0].key)' and '\(written[1].key)'; write two steps",
                at: written[1].keyMark)
            return
        }
        for entry in entries {
            if let meant = SpellingSuggestion.closest(to: entry.key, among: subjects) {
                diagnostics.error(
                    "unknown key '\(entry.key)' in \(place); did you mean '\(meant)'?",
                    at: entry.keyMark)
                return
            }
        }
        let listed = subjects.map { "'\($0)'" }.joined(separator: ", ")
        diagnostics.error("'expect' of \(place) has none of \(listed)", at: entry.mark)
    }

    private mutating func addressCondition(
        _ fields: Fields, scope: ScenarioScope
    ) -> Expectation.Condition? {
        guard let entry = fields["vip"], let text = text(entry, of: fields.place) else {
            return nil
        }
        guard let address = IPAddress(text.value) else {
            diagnostics.error(
                "vip '\(text.value)' of \(fields.place) is no address, as '192.0.2.1' is (without "
                    + "a prefix length)", at: text.mark)
            return nil
        }
        let isAbsent = fields["absent"].map { boolean($0, of: fields.place) }
        switch (fields["on"], isAbsent) {
        case (let on?, nil):
            guard let nodes = texts(on, of: fields.place) else { return nil }
            // Every unknown name is noted, not the first alone.
            let known = nodes.filter { checkNode($0, scope) }
            guard known.count == nodes.count else { return nil }
            return .address(address, nodes: nodes.map(\.value))
        case (nil, true??):
            return .address(address, nodes: [])
        case (_, .some(.none)):
            return nil
        case (let on?, true??):
            diagnostics.error(
                "\(fields.place) has both 'on' and 'absent'; write one", at: on.keyMark)
            return nil
        case (let on?, false??):
            diagnostics.error(
                "\(fields.place) has both 'on' and 'absent'; write 'on' alone", at: on.keyMark)
            return nil
        case (nil, false??), (nil, nil):
            if !fields.hasUnknownKeys {
                diagnostics.error(
                    "\(fields.place) says neither 'on: NODE' nor 'absent: true'", at: entry.keyMark)
            }
            return nil
        }
    }

    private mutating func httpCondition(
        _ fields: Fields, scope: ScenarioScope
    ) -> Expectation.Condition? {
        let url = fields["http"].flatMap { httpURL($0, of: fields.place) }
        let node = fields["from"].flatMap { text($0, of: fields.place) }
        if let node { checkNode(node, scope) }
        var body: String?
        if let entry = fields["body"] {
            if case .scalar(let text, _) = entry.value.content, !entry.value.isNull {
                body = text
            } else {
                diagnostics.error(
                    "'body' of \(fields.place) must be a text, not \(entry.value.typeInWords)",
                    at: entry.mark)
            }
        }
        guard let url, let node else { return nil }
        return .http(url: url, from: node.value, body: body)
    }

    private mutating func outageCondition(
        _ fields: Fields, scope: ScenarioScope
    ) -> Expectation.Condition? {
        let bound = fields["at-most"].flatMap {
            duration($0, of: fields.place, canBeZero: true)
        }
        guard let entry = fields["outage"], let probe = text(entry, of: fields.place) else {
            return nil
        }
        if let probes = scope.probes, !probes.contains(probe.value) {
            let hint =
                probes.isEmpty
                ? "; it has no probes"
                : SpellingSuggestion.hint(for: probe.value, among: probes, known: "it has")
            diagnostics.error(
                "\(scope.place) names probe '\(probe.value)', which it does not have\(hint)",
                at: probe.mark)
            return nil
        }
        return bound.map { .outage(probe: probe.value, atMost: $0) }
    }
}
