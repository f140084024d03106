import NetworkTypes

// What is done to the network between the nodes.
extension LabFileDecoder {
    /// What a step of that verb does to the network.
    mutating func fault(
        _ entry: YAMLEntry, of place: String, scope: ScenarioScope
    ) -> Fault? {
        let fault =
            entry.key == "imposter"
            ? imposter(entry, of: place, scope: scope) : written(entry, of: place, scope: scope)
        guard let fault, let problem = scope.hostInterfaces.problem(with: fault) else {
            return fault
        }
        diagnostics.error("\(place): \(problem)", at: entry.mark)
        return nil
    }

    private mutating func written(
        _ entry: YAMLEntry, of place: String, scope: ScenarioScope
    ) -> Fault? {
        switch entry.key {
        case "link": linkFault(entry, of: place, scope: scope)
        case "plug": plugging(entry, of: place, scope: scope)
        case "unplug": endpoint(entry, of: place, scope: scope).map { .unplug($0) }
        case "impair": impairing(entry, of: place, scope: scope)
        case "partition": partition(entry, of: place, scope: scope)
        case "cut": cut(entry, of: place, scope: scope)
        default: healing(entry, of: place, scope: scope)
        }
    }

    private mutating func linkFault(
        _ entry: YAMLEntry, of place: String, scope: ScenarioScope
    ) -> Fault? {
        guard let fields = fields(entry.value, as: .linkFault, place: place, mark: entry.keyMark)
        else { return nil }
        let port = fields["port"].flatMap { endpoint($0, of: place, scope: scope) }
        guard let entry = fields["state"], let state = text(entry, of: place) else { return nil }
        let words = ["down", "up", "blackhole", "flap"]
        guard words.contains(state.value) else {
            diagnostics.error(
                "unknown state '\(state.value)' of \(place)"
                    + SpellingSuggestion.hint(for: state.value, among: words), at: state.mark)
            return nil
        }
        var direction = Fault.Direction.both
        if let entry = fields["direction"], let text = text(entry, of: place) {
            let known = Fault.Direction.allCases.map(\.rawValue)
            if state.value != "blackhole" {
                diagnostics.error(
                    "only a blackhole has a 'direction', and \(place) is '\(state.value)'",
                    at: entry.keyMark)
            } else if let known = Fault.Direction(rawValue: text.value) {
                direction = known
            } else {
                diagnostics.error(
                    "unknown direction '\(text.value)' of \(place)"
                        + SpellingSuggestion.hint(for: text.value, among: known), at: text.mark)
            }
        }
        let flap = flap(fields, state: state.value)
        guard let port else { return nil }
        switch state.value {
        case "down": return .linkDown(port)
        case "up": return .linkUp(port)
        case "flap": return flap.map { .flap(port, $0) }
        default: return .blackhole(port, direction)
        }
    }

    /// How a cable flaps; nil when it does not, or not in a way that is one.
    private mutating func flap(_ fields: Fields, state: String) -> Flap? {
        let given = ["period", "duty", "count"].compactMap { fields[$0] }
        guard state == "flap" else {
            for entry in given {
                diagnostics.error(
                    "only a flapping cable has a '\(entry.key)', and \(fields.place) is '\(state)'",
                    at: entry.keyMark)
            }
            return nil
        }
        let errorsBefore = diagnostics.errorCount
        var flap = Flap()
        if let entry = fields["period"], let period = duration(entry, of: fields.place) {
            flap.period = period
        }
        if let entry = fields["duty"], let text = text(entry, of: fields.place) {
            if let share = Flap.share(text.value) {
                flap.dutyPercent = share
            } else {
                diagnostics.error(
                    "'\(text.value)' of \(fields.place) is no share, as 50% is", at: text.mark)
            }
        }
        if let entry = fields["count"] {
            let range = 1...Flap.greatestCount
            flap.count = number(entry, of: fields.place, in: range)?.value
        }
        guard diagnostics.errorCount == errorsBefore else { return nil }
        if let problem = flap.problem {
            diagnostics.error("\(fields.place): \(problem)", at: given.first?.mark ?? fields.mark)
            return nil
        }
        return flap
    }

    /// `NODE:INTERFACE`, which goes back to where it belongs, or a mapping with its new network.
    private mutating func plugging(
        _ entry: YAMLEntry, of place: String, scope: ScenarioScope
    ) -> Fault? {
        guard case .mapping = entry.value.content else {
            return endpoint(entry, of: place, scope: scope).map { .plug($0, nil) }
        }
        guard let fields = fields(entry.value, as: .plugFault, place: place, mark: entry.keyMark)
        else { return nil }
        let port = fields["port"].flatMap { endpoint($0, of: place, scope: scope) }
        guard let entry = fields["network"], let name = text(entry, of: place),
            checkNetwork(name, scope)
        else { return nil }
        return port.flatMap { port in InterfaceName(name.value).map { .plug(port, $0) } }
    }

    private mutating func endpoint(
        _ entry: YAMLEntry, of place: String, scope: ScenarioScope
    ) -> Endpoint? {
        guard let text = text(entry, of: place) else { return nil }
        guard let endpoint = Endpoint.parse(text.value) else {
            diagnostics.error(
                "'\(text.value)' of \(place) must be NODE:INTERFACE", at: text.mark)
            return nil
        }
        guard checkNode(Located(endpoint.node, text.mark), scope) else { return nil }
        guard let known = scope.interfaces?[endpoint.node],
            !known.contains(endpoint.interface.text)
        else { return endpoint }
        let hint = SpellingSuggestion.hint(
            for: endpoint.interface.text, among: known.sorted(), known: "it has")
        diagnostics.error(
            "\(scope.place) names interface '\(endpoint.interface)', which node "
                + "\(endpoint.node) does not have\(hint)", at: text.mark)
        return nil
    }

    /// `NODE:INTERFACE` and the words of an impairment.
    private mutating func impairing(
        _ entry: YAMLEntry, of place: String, scope: ScenarioScope
    ) -> Fault? {
        guard let text = text(entry, of: place) else { return nil }
        let words = text.value.split(separator: " ").map(String.init)
        var port = entry
        port.value.content = .scalar(words.first ?? "", isPlain: false)
        let endpoint = endpoint(port, of: place, scope: scope)
        do throws(CableImpairmentError) {
            let impairment = try CableImpairment(words: Array(words.dropFirst()))
            for node in [impairment.sender, impairment.receiver] {
                if let node { checkNode(Located(node, text.mark), scope) }
            }
            return endpoint.map { .impair($0, impairment) }
        } catch {
            diagnostics.error("'\(entry.key)' of \(place): \(error)", at: text.mark)
            return nil
        }
    }

    /// Groups; a shape; or a mapping with a shape and what it is about.
    private mutating func partition(
        _ entry: YAMLEntry, of place: String, scope: ScenarioScope
    ) -> Fault? {
        switch entry.value.content {
        case .sequence: return groups(entry, of: place, scope: scope)
        case .scalar:
            guard let text = text(entry, of: place) else { return nil }
            let words = text.value.split(separator: " ").map(String.init)
            return partition(words, at: text.mark, entry, of: place, scope)
        case .mapping: break
        }
        guard
            let fields = fields(
                entry.value, as: .partitionShape, place: place, mark: entry.keyMark)
        else { return nil }
        let given = ["shape", "isolate", "bridge"].compactMap { fields[$0] }
        guard given.count == 1 else {
            diagnostics.error(
                "'partition' of \(place) has one of 'shape' (halves or ring), 'isolate' and"
                    + " 'bridge'", at: entry.mark)
            return nil
        }
        var network: String?
        if let entry = fields["network"] {
            guard let name = text(entry, of: place), checkNetwork(name, scope) else { return nil }
            network = name.value
        }
        guard let objects = texts(given[0], of: place) else { return nil }
        var words = objects.map(\.value)
        if given[0].key != "shape" {
            let unknown = objects.filter { !checkNode($0, scope) }
            guard unknown.isEmpty else { return nil }
            words.insert(given[0].key, at: 0)
        }
        return partition(words, at: given[0].mark, entry, of: place, scope, network: network)
    }

    /// The groups that a shape makes of the lab's nodes, or of a network's.
    private mutating func partition(
        _ words: [String], at mark: YAMLMark, _ entry: YAMLEntry, of place: String,
        _ scope: ScenarioScope, network: String? = nil
    ) -> Fault? {
        do throws(PartitionShapeError) {
            guard let shape = try PartitionShape(words: words) else {
                let word = words.first ?? ""
                diagnostics.error(
                    "'\(word)' of \(place) is no shape of a partition"
                        + SpellingSuggestion.hint(for: word, among: PartitionShape.words), at: mark)
                return nil
            }
            // Where the nodes could not be read, that is said already.
            guard let members = scope.networkMembers else { return nil }
            let nodes = network.map { members[$0] ?? [] } ?? scope.nodes
            return .partition(try shape.groups(of: nodes))
        } catch {
            diagnostics.error("'partition' of \(place): \(error)", at: mark)
            return nil
        }
    }

    /// Nodes whose frames do not get to others.
    private mutating func cut(
        _ entry: YAMLEntry, of place: String, scope: ScenarioScope
    ) -> Fault? {
        if case .scalar("none", _) = entry.value.content { return .cut(from: [], to: []) }
        guard let fields = fields(entry.value, as: .cutFault, place: place, mark: entry.keyMark)
        else { return nil }
        var sides: [[Located<String>]] = []
        for key in ["from", "to"] {
            guard let entry = fields[key], let nodes = texts(entry, of: place) else { continue }
            let unknown = nodes.filter { !checkNode($0, scope) }
            if nodes.isEmpty {
                diagnostics.error("'\(key)' of \(place) names no node", at: entry.mark)
            } else if unknown.isEmpty {
                sides.append(nodes)
            }
        }
        guard sides.count == 2 else { return nil }
        for node in sides[1] where sides[0].contains(where: { $0.value == node.value }) {
            diagnostics.error(
                "'cut' of \(place) has node '\(node.value)' on both sides", at: node.mark)
            return nil
        }
        return .cut(from: sides[0].map(\.value), to: sides[1].map(\.value))
    }

    private mutating func groups(
        _ entry: YAMLEntry, of place: String, scope: ScenarioScope
    ) -> Fault? {
        guard let values = list(entry, what: "'partition' of \(place)") else { return nil }
        var groups: [[String]] = []
        for value in values {
            let group = YAMLEntry(key: entry.key, keyMark: entry.keyMark, value: value)
            guard let nodes = texts(group, of: place) else { return nil }
            for (index, node) in nodes.enumerated() {
                checkNode(node, scope)
                if nodes[..<index].contains(where: { $0.value == node.value }) {
                    diagnostics.error(
                        "'partition' of \(place) has node '\(node.value)' twice in a group",
                        at: node.mark)
                }
            }
            groups.append(nodes.map(\.value))
        }
        guard groups.count >= 2 else {
            diagnostics.error(
                "'partition' of \(place) must be at least two groups, as [[a], [b, c]] is",
                at: entry.mark)
            return nil
        }
        return .partition(groups)
    }

    private mutating func healing(
        _ entry: YAMLEntry, of place: String, scope: ScenarioScope
    ) -> Fault? {
        if case .scalar("all", _) = entry.value.content { return .heal(nil) }
        return endpoint(entry, of: place, scope: scope).map { .heal($0) }
    }
}
