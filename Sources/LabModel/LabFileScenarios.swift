import NetworkTypes

// Scenarios with their files and probes.
extension LabFileDecoder {
    /// What a scenario can refer to.
    struct ScenarioScope {
        /// The services of each node by its name; nil where they could not be read. Nil for a lab
        /// whose nodes could not be read.
        var services: [String: [String]?]?
        /// The nodes in the order of the file.
        var nodes: [String] = []
        /// The names of all probes, mistaken ones too; nil when they could not be read.
        var probes: [String]? = []
        /// The scenario, in the words of messages.
        var place = ""
    }

    /// The `scenarios` section.
    mutating func scenarios(_ entry: YAMLEntry, nodes: [NodeDraft]?) -> [Scenario] {
        var scope = ScenarioScope()
        if let nodes {
            scope.nodes = nodes.map(\.name.value)
            scope.services = Dictionary(
                nodes.map { ($0.name.value, $0.serviceNames) },
                uniquingKeysWith: { first, _ in first })
        }
        return (namedEntries(entry, what: "scenarios") ?? []).compactMap {
            scenario($0, scope: scope)
        }
    }

    private mutating func scenario(_ entry: YAMLEntry, scope: ScenarioScope) -> Scenario? {
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
        if let entry = fields["probes"] {
            let entries = namedEntries(entry, what: "probes of \(scope.place)")
            scope.probes = entries?.map(\.key)
            scenario.probes = (entries ?? []).compactMap { probe($0, scope: scope) }
        } else if fields.hasUnknownKeys {
            scope.probes = nil
        }
        if let entry = fields["steps"], let values = list(entry, what: "steps of \(scope.place)") {
            if values.isEmpty { diagnostics.error("\(scope.place) has no steps", at: entry.mark) }
            scenario.steps = values.enumerated().compactMap { index, value in
                step(value, number: index + 1, scope: scope)
            }
        }
        return scenario
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

    private mutating func probe(_ entry: YAMLEntry, scope: ScenarioScope) -> Probe? {
        let place = "probe \(entry.key) of \(scope.place)"
        guard let fields = fields(entry.value, as: .probe, place: place, mark: entry.keyMark)
        else { return nil }
        let node = fields["from"].flatMap { text($0, of: place) }
        if let node { checkNode(node, scope) }
        let url = fields["http"].flatMap { httpURL($0, of: place) }
        let interval = fields["every"].flatMap { duration($0, of: place) }
        let timeout = fields["timeout"].flatMap { duration($0, of: place) }
        if let entry = fields["every"], let interval, interval < .milliseconds(1) {
            diagnostics.error("'every' of \(place) must be at least 1ms", at: entry.mark)
        }
        guard let node, let url else { return nil }
        return Probe(
            name: entry.key, node: node.value, url: url,
            interval: interval ?? Probe.defaultInterval,
            timeout: timeout ?? Probe.defaultTimeout)
    }

    mutating func httpURL(_ entry: YAMLEntry, of place: String) -> HTTPURL? {
        guard let text = text(entry, of: place) else { return nil }
        if let url = HTTPURL(text.value) { return url }
        diagnostics.error(
            "'\(text.value)' is no address to fetch; write http://ADDRESS[:PORT][/PATH], names are "
                + "not looked up", at: text.mark)
        return nil
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

extension Probe {
    /// How often a probe asks when the lab file does not say.
    public static let defaultInterval = Duration.milliseconds(10)
    /// How long a request may take when the lab file does not say: less than the second after
    /// which TCP repeats a lost SYN (RFC 6298 §2.1), so that an answer is about the moment it was
    /// asked in.
    public static let defaultTimeout = Duration.milliseconds(500)
}
