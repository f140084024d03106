import NetworkTypes

// What must hold over the whole run of a scenario.
extension LabFileDecoder {
    /// The `checks` section: a list of mappings with one key each, the rule.
    mutating func checks(_ entry: YAMLEntry, scope: ScenarioScope) -> [Check] {
        (list(entry, what: "checks of \(scope.place)") ?? []).enumerated().compactMap {
            check($1, place: "check \($0 + 1) of \(scope.place)", scope: scope)
        }
    }

    private mutating func check(
        _ value: YAMLValue, place: String, scope: ScenarioScope
    ) -> Check? {
        guard case .mapping(let entries) = value.content, entries.count == 1,
            let entry = entries.first
        else {
            let rules = LabFileKeys.check.keys.joined(separator: ", ")
            diagnostics.error("\(place) must be one of \(rules)", at: value.mark)
            return nil
        }
        guard fields(value, as: .check, place: place, mark: value.mark)?[entry.key] != nil else {
            return nil
        }
        return rule(entry, place: place, scope: scope).map {
            Check($0, line: entry.keyMark.line)
        }
    }

    private mutating func rule(
        _ entry: YAMLEntry, place: String, scope: ScenarioScope
    ) -> Check.Rule? {
        switch entry.key {
        case "one-owner":
            if case .scalar = entry.value.content {
                return address(entry, of: place).map {
                    .oneOwner($0, overlap: Check.defaultOverlap)
                }
            }
            guard let fields = fields(entry, as: .oneOwnerCheck, of: place) else { return nil }
            let overlap = fields["overlap"].flatMap { duration($0, of: place, canBeZero: true) }
            return fields["vip"].flatMap { address($0, of: place) }.map {
                .oneOwner($0, overlap: overlap ?? Check.defaultOverlap)
            }
        case "owned":
            guard let fields = fields(entry, as: .ownedCheck, of: place) else { return nil }
            let gap = fields["gap"].flatMap { duration($0, of: place) }
            let address = fields["vip"].flatMap { self.address($0, of: place) }
            guard let address, let gap else { return nil }
            return .owned(address, gap: gap)
        case "adverts":
            guard let fields = fields(entry, as: .advertsCheck, of: place) else { return nil }
            let router = fields["router"].flatMap { text($0, of: place)?.value }
            return fields["gap"].flatMap { duration($0, of: place) }.map {
                .advertised(router: router, gap: $0)
            }
        case "priority": return priorityRule(entry, place: place, scope: scope)
        case "survives":
            return probeName(entry, of: place, scope).map { .survives(probe: $0) }
        case "dead-are-silent": return flag(entry, of: place) ? .deadAreSilent : nil
        case "owners-agree": return flag(entry, of: place) ? .ownersAgree : nil
        case "able-take-over": return flag(entry, of: place) ? .ableTakeOver : nil
        default: return flag(entry, of: place) ? .noDuplicateAddress : nil
        }
    }

    private mutating func fields(
        _ entry: YAMLEntry, as table: LabFileKeys, of place: String
    ) -> Fields? {
        fields(entry.value, as: table, place: place, mark: entry.keyMark)
    }

    private mutating func priorityRule(
        _ entry: YAMLEntry, place: String, scope: ScenarioScope
    ) -> Check.Rule? {
        guard let fields = fields(entry, as: .priorityCheck, of: place) else { return nil }
        let node = fields["of"].flatMap { text($0, of: place) }
        if let node { checkNode(node, scope) }
        let from = fields["from"].flatMap { number($0, of: place, in: 1...255) }
        let to = fields["to"].flatMap { number($0, of: place, in: 1...255) }
        guard let from, let to else { return nil }
        guard from.value <= to.value else {
            diagnostics.error("'from' of \(place) is more than its 'to'", at: from.mark)
            return nil
        }
        return .priority(node: node?.value, from.value...to.value)
    }

    /// A rule without an object is switched on; there is no sense in switching it off.
    private mutating func flag(_ entry: YAMLEntry, of place: String) -> Bool {
        guard let isOn = boolean(entry, of: place) else { return false }
        if !isOn {
            diagnostics.error(
                "'\(entry.key)' of \(place) can only be true; leave it out otherwise",
                at: entry.mark)
        }
        return isOn
    }
}
