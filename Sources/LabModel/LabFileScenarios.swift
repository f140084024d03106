import NetworkTypes

// Scenarios with their files and probes.
extension LabFileDecoder {
    /// What a scenario can refer to.
    struct ScenarioScope {
        /// The services of each node by its name; nil where they could not be read. Nil for a lab
        /// whose nodes could not be read.
        var services: [String: [String]?]?
        /// The kinds of the services that could be read.
        var kinds: [Target: Service.Kind] = [:]
        /// The nodes in the order of the file.
        var nodes: [String] = []
        /// The networks, in the order of the file; nil where they could not be read.
        var networks: [String]?
        /// The interfaces of each node by its name, those that only a link names as well; nil
        /// where they could not be read.
        var interfaces: [String: Set<String>]?
        /// The nodes on each network, in the order of the file; nil where that could not be read.
        var networkMembers: [String: [String]]?
        /// Which of the nodes' interfaces are macvlans of the host's.
        var hostInterfaces = HostInterfaces()
        /// The names of all probes, mistaken ones too; nil when they could not be read.
        var probes: [String]? = []
        /// The scenario, in the words of messages.
        var place = ""
    }

    /// The `scenarios` section.
    mutating func scenarios(
        _ entry: YAMLEntry, nodes: [NodeDraft]?, links: [LinkDraft]?, networks: [NetworkDraft]?
    ) -> [Scenario] {
        var scope = ScenarioScope()
        scope.networks = networks?.map(\.name.value)
        if let nodes {
            scope.nodes = nodes.map(\.name.value)
            scope.networkMembers = members(nodes)
            scope.hostInterfaces = LabAssembly.hostInterfaces(
                networks: networks ?? [], nodes: nodes)
            scope.interfaces = links.map { interfaces(of: nodes, links: $0) }
            scope.services = Dictionary(
                nodes.map { ($0.name.value, $0.serviceNames) },
                uniquingKeysWith: { first, _ in first })
            for node in nodes {
                for service in node.services {
                    let target = Target(node: node.name.value, service: service.value.name)
                    scope.kinds[target] = service.value.kind
                }
            }
        }
        return (namedEntries(entry, what: "scenarios") ?? []).compactMap {
            scenario($0, scope: scope)
        }
    }

    private func members(_ nodes: [NodeDraft]) -> [String: [String]] {
        var members: [String: [String]] = [:]
        for node in nodes {
            for network in Set(node.interfaces.compactMap(\.network?.value)) {
                members[network, default: []].append(node.name.value)
            }
        }
        return members
    }

    private func interfaces(of nodes: [NodeDraft], links: [LinkDraft]) -> [String: Set<String>] {
        var interfaces: [String: Set<String>] = [:]
        for node in nodes {
            interfaces[node.name.value] =
                Set(node.interfaces.map(\.name.value.text)).union(node.unsoundInterfaces)
        }
        for end in links.flatMap(\.endpoints) {
            interfaces[end.node]?.insert(end.writtenInterface)
        }
        return interfaces
    }

    /// One scenario under its name.
    mutating func scenario(_ entry: YAMLEntry, scope: ScenarioScope) -> Scenario? {
        var scope = scope
        scope.place = "scenario \(entry.key)"
        checkScenarioName(Located(entry.key, entry.keyMark))
        guard
            let fields = fields(
                entry.value, as: .scenario, place: scope.place, mark: entry.keyMark)
        else { return nil }
        var scenario = Scenario(name: entry.key)
        if let entry = fields["summary"] {
            scenario.summary = text(entry, of: scope.place)?.value
        }
        if let entry = fields["description"] {
            if fields["summary"] != nil {
                diagnostics.error(
                    "\(scope.place) has both 'summary' and 'description'; write one",
                    at: entry.keyMark)
            } else {
                scenario.summary = text(entry, of: scope.place)?.value
            }
        }
        if let entry = fields["files"] {
            for entry in namedEntries(entry, what: "files of \(scope.place)") ?? [] {
                checkNode(Located(entry.key, entry.keyMark), scope)
                scenario.files += files(entry, of: "node \(entry.key) in \(scope.place)").map {
                    Scenario.FileOverride(node: entry.key, file: $0)
                }
            }
        }
        scenario.needs = fields["needs"].map { needs($0, of: scope.place) } ?? []
        if let entry = fields["probes"] {
            let entries = namedEntries(entry, what: "probes of \(scope.place)")
            scope.probes = entries?.map(\.key)
            scenario.probes = (entries ?? []).compactMap { probe($0, scope: scope) }
        } else if fields.hasUnknownKeys {
            scope.probes = nil
        }
        if let entry = fields["checks"] { scenario.checks = checks(entry, scope: scope) }
        if let entry = fields["steps"], let values = list(entry, what: "steps of \(scope.place)") {
            if values.isEmpty { diagnostics.error("\(scope.place) has no steps", at: entry.mark) }
            scenario.steps = values.enumerated().compactMap { index, value in
                step(value, place: "step \(index + 1) of \(scope.place)", scope: scope)
            }
        }
        if let entry = fields["cleanup"],
            let values = list(entry, what: "cleanup of \(scope.place)")
        {
            scenario.cleanup = values.enumerated().compactMap { index, value in
                step(value, place: "cleanup step \(index + 1) of \(scope.place)", scope: scope)
            }
        }
        if let entry = fields["sweep"] {
            scenario.sweep = sweep(entry, of: scenario, place: scope.place)
        }
        return scenario
    }

    /// What a lab or a scenario cannot do without.
    mutating func needs(_ entry: YAMLEntry, of place: String) -> [Scenario.Capability] {
        (texts(entry, of: place) ?? []).compactMap { text in
            if let known = Scenario.Capability(rawValue: text.value) { return known }
            let all = Scenario.Capability.allCases.map(\.rawValue)
            diagnostics.error(
                "\(place) needs '\(text.value)', which nobody knows"
                    + SpellingSuggestion.hint(for: text.value, among: all), at: text.mark)
            return nil
        }
    }

    private mutating func sweep(
        _ entry: YAMLEntry, of scenario: Scenario, place: String
    ) -> Scenario.Sweep? {
        let what = "sweep of \(place)"
        guard let fields = fields(entry.value, as: .sweep, place: what, mark: entry.keyMark),
            let over = fields["over"], let by = fields["by"], let text = text(over, of: what)
        else { return nil }
        let step = duration(by, of: what)
        let ends = text.value.split(separator: ".", omittingEmptySubsequences: false)
        // A decimal point is one as well: the two between the ends stand alone.
        let middle = ends.indices.first { ends[$0].isEmpty }
        let from = middle.flatMap {
            Duration(durationText: ends[..<$0].joined(separator: "."))
        }
        let through = middle.flatMap {
            Duration(durationText: ends[($0 + 1)...].joined(separator: "."))
        }
        guard let from, let through, from <= through else {
            diagnostics.error(
                "'over' of \(what) must be two durations as in 0ms..900ms, not '\(text.value)'",
                at: text.mark)
            return nil
        }
        guard scenario.steps.haveTrigger else {
            diagnostics.error(
                "\(place) has no 'at:' that a sweep could move", at: entry.keyMark)
            return nil
        }
        guard let step else { return nil }
        let sweep = Scenario.Sweep(from: from, through: through, step: step)
        guard sweep.count <= Scenario.Sweep.maximumRuns else {
            diagnostics.error(
                "\(what) makes \(sweep.count) runs; \(Scenario.Sweep.maximumRuns) is the most",
                at: entry.keyMark)
            return nil
        }
        return sweep
    }

    /// A scenario's name: a word of the command line, and a file's name in recorded runs.
    private mutating func checkScenarioName(_ name: Located<String>) {
        let isAllowed = name.value.utf8.allSatisfy {
            (0x61...0x7a).contains($0) || (0x41...0x5a).contains($0) || (0x30...0x39).contains($0)
                || $0 == 0x2d || $0 == 0x2e || $0 == 0x5f
        }
        guard isAllowed, (1...64).contains(name.value.utf8.count), !name.value.hasPrefix("-"),
            !name.value.hasPrefix(".")
        else {
            diagnostics.error(
                "scenario name '\(name.value)' must be 1 to 64 letters, digits, '-', '_' and '.', "
                    + "not beginning with '-' or '.'", at: name.mark)
            return
        }
    }

    /// Notes a node that is not defined.
    @discardableResult
    mutating func checkNode(_ name: Located<String>, _ scope: ScenarioScope) -> Bool {
        guard let services = scope.services, services[name.value] == nil else { return true }
        let hint = SpellingSuggestion.hint(
            for: name.value, among: scope.nodes, known: "the lab's nodes are")
        diagnostics.error(
            "\(scope.place) names node '\(name.value)', which is not defined\(hint)", at: name.mark)
        return false
    }
}
