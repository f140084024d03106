import NetworkTypes

// Expectations of scenarios.
extension LabFileDecoder {
    mutating func expectation(
        _ entry: YAMLEntry, of place: String, scope: ScenarioScope
    ) -> Expectation? {
        guard case .mapping(let entries) = entry.value.content else {
            diagnostics.error(
                "'expect' of \(place) must be a mapping, not \(entry.value.typeInWords)",
                at: entry.mark)
            return nil
        }
        let tables = LabFileKeys.expectations
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
        let settling = fields["settled"].flatMap { duration($0, of: place) }
        if let entry = fields["settled"], fields["for"] != nil {
            diagnostics.error("\(place) has both 'for' and 'settled'; write one", at: entry.keyMark)
        }
        return condition(written[0], fields, scope: scope).map {
            Expectation($0, within: within, holding: holding, settling: settling)
        }
    }

    private mutating func condition(
        _ subject: YAMLEntry, _ fields: Fields, scope: ScenarioScope
    ) -> Expectation.Condition? {
        switch subject.key {
        case "vip": addressCondition(fields, scope: scope)
        case "state": stateCondition(subject, fields, scope: scope)
        case "log": logCondition(subject, fields, scope: scope)
        case "mail": mailCondition(subject, fields, scope: scope)
        case "sequence": sequenceCondition(subject, fields, scope: scope)
        case "outage": outageCondition(subject, fields, scope: scope)
        case "latency": latencyCondition(subject, fields, scope: scope)
        case "neighbour": neighbourCondition(subject, fields, scope: scope)
        case "adverts": advertsCondition(subject, fields, scope: scope)
        case "ip": inspectCondition(subject, fields, scope: scope)
        default: answerCondition(subject, fields, scope: scope)
        }
    }

    /// Notes what is wrong with an expectation that has none or several of the subjects.
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

    /// Nodes that are defined, one or a list; every unknown name is noted.
    private mutating func nodes(
        _ entry: YAMLEntry, of place: String, _ scope: ScenarioScope
    ) -> [String]? {
        guard let nodes = texts(entry, of: place) else { return nil }
        let known = nodes.filter { checkNode($0, scope) }
        return known.count == nodes.count ? nodes.map(\.value) : nil
    }

    /// A node that is defined.
    private mutating func node(
        _ key: String, _ fields: Fields, _ scope: ScenarioScope
    ) -> String? {
        guard let node = fields[key].flatMap({ text($0, of: fields.place) }) else { return nil }
        return checkNode(node, scope) ? node.value : nil
    }

    private mutating func addressCondition(
        _ fields: Fields, scope: ScenarioScope
    ) -> Expectation.Condition? {
        guard let entry = fields["vip"], let address = self.address(entry, of: fields.place) else {
            return nil
        }
        if let oneOf = fields["one-of"] {
            guard let other = fields["on"] ?? fields["absent"] else {
                return nodes(oneOf, of: fields.place, scope).map { .addressOnOne(address, of: $0) }
            }
            diagnostics.error(
                "\(fields.place) has both 'one-of' and '\(other.key)'; write one",
                at: oneOf.keyMark)
            return nil
        }
        let isAbsent = fields["absent"].map { boolean($0, of: fields.place) }
        switch (fields["on"], isAbsent) {
        case (let on?, nil):
            return nodes(on, of: fields.place, scope).map { .address(address, nodes: $0) }
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
                    "\(fields.place) says neither 'on: NODE' nor 'one-of: [NODE, NODE]' nor "
                        + "'absent: true'", at: entry.keyMark)
            }
            return nil
        }
    }

    private mutating func stateCondition(
        _ subject: YAMLEntry, _ fields: Fields, scope: ScenarioScope
    ) -> Expectation.Condition? {
        let router = fields["router"].flatMap { text($0, of: fields.place)?.value }
        let nodes = fields["on"].flatMap { self.nodes($0, of: fields.place, scope) }
        guard let word = text(subject, of: fields.place) else { return nil }
        // INITIALIZE is a daemon's own word; kernel and wire cannot show it.
        let known: [RouterState] = [.master, .backup, .fault]
        guard let state = RouterState(rawValue: word.value), known.contains(state) else {
            diagnostics.error(
                "unknown state '\(word.value)' of \(fields.place)"
                    + SpellingSuggestion.hint(for: word.value, among: known.map(\.rawValue)),
                at: word.mark)
            return nil
        }
        return nodes.map { .state(state, router: router, nodes: $0) }
    }

    private mutating func answerCondition(
        _ subject: YAMLEntry, _ fields: Fields, scope: ScenarioScope
    ) -> Expectation.Condition? {
        let request = self.request(subject, of: fields.place)
        let node = self.node("from", fields, scope)
        let answer = self.answer(fields)
        guard let request, let node, let answer else { return nil }
        return .answer(request, from: node, answer)
    }

    /// The answer that `body`, `status` or `outcome` describes; success where there is none.
    private mutating func answer(_ fields: Fields) -> Answer? {
        let written = ["body", "status", "outcome"].compactMap { fields[$0] }
        guard let entry = written.first else { return .ok }
        if written.count > 1 {
            diagnostics.error(
                "\(fields.place) has both '\(entry.key)' and '\(written[1].key)'; write one",
                at: written[1].keyMark)
        }
        switch entry.key {
        case "body":
            if case .scalar(let text, _) = entry.value.content, !entry.value.isNull {
                return .body(text)
            }
            diagnostics.error(
                "'body' of \(fields.place) must be a text, not \(entry.value.typeInWords)",
                at: entry.mark)
            return nil
        case "status":
            return number(entry, of: fields.place, in: 100...999).map { .status($0.value) }
        default:
            guard let word = text(entry, of: fields.place) else { return nil }
            let known = Answer.outcomes.first { $0.word == word.value }
            if let known { return known.answer }
            diagnostics.error(
                "unknown outcome '\(word.value)' of \(fields.place)"
                    + SpellingSuggestion.hint(
                        for: word.value, among: Answer.outcomes.map(\.word)), at: word.mark)
            return nil
        }
    }

    private mutating func logCondition(
        _ subject: YAMLEntry, _ fields: Fields, scope: ScenarioScope
    ) -> Expectation.Condition? {
        let target = self.target(subject, of: fields.place, scope: scope, needsService: true)
        let match = textMatch(fields)
        guard let target, let match else { return nil }
        return .log(target, match)
    }

    private mutating func mailCondition(
        _ subject: YAMLEntry, _ fields: Fields, scope: ScenarioScope
    ) -> Expectation.Condition? {
        let target = self.target(subject, of: fields.place, scope: scope, needsService: true)
        if let target, let kind = scope.kinds[target], kind != .smtp {
            diagnostics.error(
                "\(fields.place) asks \(target) for mail, which is of kind \(kind.rawValue); a "
                    + "service of kind smtp takes mail", at: subject.mark)
            return nil
        }
        var pattern = MailPattern()
        if let entry = fields["to"] {
            guard let user = text(entry, of: fields.place) else { return nil }
            pattern.user = user.value
        }
        if fields["contains"] != nil || fields["matches"] != nil {
            guard let match = textMatch(fields) else { return nil }
            pattern.subject = match
        }
        return target.map { .mail($0, pattern) }
    }

    private mutating func sequenceCondition(
        _ subject: YAMLEntry, _ fields: Fields, scope: ScenarioScope
    ) -> Expectation.Condition? {
        guard let written = texts(subject, of: fields.place) else { return nil }
        guard !written.isEmpty else {
            diagnostics.error("'sequence' of \(fields.place) is empty", at: subject.mark)
            return nil
        }
        let patterns = written.compactMap { self.pattern($0, of: fields.place, scope) }
        return patterns.count == written.count ? .sequence(patterns) : nil
    }

    /// The name of a probe of the scenario.
    mutating func probeName(
        _ entry: YAMLEntry, of place: String, _ scope: ScenarioScope
    ) -> String? {
        guard let probe = text(entry, of: place) else { return nil }
        guard let probes = scope.probes, !probes.contains(probe.value) else { return probe.value }
        let hint =
            probes.isEmpty
            ? "; it has no probes"
            : SpellingSuggestion.hint(for: probe.value, among: probes, known: "it has")
        diagnostics.error(
            "\(scope.place) names probe '\(probe.value)', which it does not have\(hint)",
            at: probe.mark)
        return nil
    }

    private mutating func outageCondition(
        _ subject: YAMLEntry, _ fields: Fields, scope: ScenarioScope
    ) -> Expectation.Condition? {
        let least = fields["at-least"].flatMap { duration($0, of: fields.place) }
        let most = fields["at-most"].flatMap {
            duration($0, of: fields.place, canBeZero: true)
        }
        guard let probe = probeName(subject, of: fields.place, scope), let most else { return nil }
        if let least, least > most, let entry = fields["at-least"] {
            leastIsMore(entry, of: fields.place)
        }
        return .outage(probe: probe, atLeast: least, atMost: most)
    }

    private mutating func leastIsMore(_ entry: YAMLEntry, of place: String) {
        diagnostics.error("'at-least' of \(place) is more than its 'at-most'", at: entry.keyMark)
    }

    private mutating func latencyCondition(
        _ subject: YAMLEntry, _ fields: Fields, scope: ScenarioScope
    ) -> Expectation.Condition? {
        let probe = probeName(subject, of: fields.place, scope)
        let written = LatencyLimit.words.filter { fields[$0.word] != nil }
        let limits = written.compactMap { word, percentile in
            fields[word].flatMap { duration($0, of: fields.place) }.map {
                LatencyLimit(percentile: percentile, atMost: $0)
            }
        }
        if written.isEmpty, !fields.hasUnknownKeys {
            let words = LatencyLimit.words.map { "'\($0.word)'" }.joined(separator: ", ")
            diagnostics.error("\(fields.place) has none of \(words)", at: subject.keyMark)
        }
        guard let probe, !limits.isEmpty, limits.count == written.count else { return nil }
        return .latency(probe: probe, limits)
    }

    private mutating func neighbourCondition(
        _ subject: YAMLEntry, _ fields: Fields, scope: ScenarioScope
    ) -> Expectation.Condition? {
        let address = self.address(subject, of: fields.place)
        let client = node("of", fields, scope)
        let owner = station("is", fields, scope)
        guard let address, let client, let owner else { return nil }
        return .neighbour(address, of: client, isAt: owner)
    }

    private mutating func advertsCondition(
        _ subject: YAMLEntry, _ fields: Fields, scope: ScenarioScope
    ) -> Expectation.Condition? {
        let range = countRange(fields)
        guard
            let pattern = self.fields(
                subject.value, as: .advertPattern, place: "'adverts' of \(fields.place)",
                mark: subject.keyMark)
        else { return nil }
        let node = pattern["from"].map { _ in station("from", pattern, scope) }
        let priority = pattern["priority"].flatMap { number($0, of: pattern.place, in: 0...255) }
        // A node that is not defined was noted.
        if case .some(.none) = node { return nil }
        return range.map {
            .adverts(AdvertPattern(from: node ?? nil, priority: priority?.value), $0)
        }
    }

    private mutating func countRange(_ fields: Fields) -> CountRange? {
        func count(_ key: String, _ decoder: inout LabFileDecoder) -> Int? {
            fields[key].flatMap {
                decoder.number($0, of: fields.place, in: 0...1_000_000)?.value
            }
        }
        let exact = count("count", &self)
        let least = count("at-least", &self)
        let most = count("at-most", &self)
        let others = fields["at-least"] ?? fields["at-most"]
        if let entry = fields["count"] {
            if let others {
                diagnostics.error(
                    "\(fields.place) has both 'count' and '\(others.key)'; write one",
                    at: entry.keyMark)
            }
            return exact.map { CountRange(atLeast: $0, atMost: $0) }
        }
        guard others != nil else {
            if !fields.hasUnknownKeys {
                diagnostics.error(
                    "\(fields.place) has none of 'count', 'at-least', 'at-most'", at: fields.mark)
            }
            return nil
        }
        if let least, let most, least > most, let entry = fields["at-least"] {
            leastIsMore(entry, of: fields.place)
        }
        return CountRange(atLeast: least ?? 0, atMost: most)
    }

    private mutating func inspectCondition(
        _ subject: YAMLEntry, _ fields: Fields, scope: ScenarioScope
    ) -> Expectation.Condition? {
        let arguments = command(subject, of: fields.place)
        let node = self.node("on", fields, scope)
        let path = fields["path"].flatMap { text($0, of: fields.place) }
        var way: ValuePath?
        if let path {
            way = ValuePath.parse(path.value)
            if way == nil {
                diagnostics.error(
                    "'path' of \(fields.place) must be as in [0].addr_info[0].local, not "
                        + "'\(path.value)'", at: path.mark)
            }
        }
        guard let entry = fields["equals"] else { return nil }
        guard case .scalar(let text, _) = entry.value.content else {
            diagnostics.error(
                "'equals' of \(fields.place) must be a text, not \(entry.value.typeInWords)",
                at: entry.mark)
            return nil
        }
        guard let arguments, let node, let way else { return nil }
        return .inspect(node: node, arguments: arguments, path: way, equals: text)
    }
}
