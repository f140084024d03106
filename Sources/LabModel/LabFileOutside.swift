import NetworkTypes

// What joins a lab to its host: published ports, and the lab's own stations on its networks.

extension LabFileDecoder {
    /// The list of `publish`, or the one text there.
    mutating func publications(_ entry: YAMLEntry) -> [Located<WrittenPublication>] {
        if entry.value.isNull { return [] }
        return (texts(entry, of: "the lab") ?? []).compactMap { text in
            do throws(WrittenPublication.Problem) {
                return Located(try WrittenPublication(text.value), text.mark)
            } catch {
                diagnostics.error(error.message, at: text.mark)
                return nil
            }
        }
    }

    /// The keys of a network that are about what is outside of the lab.
    mutating func joinOutside(_ draft: inout NetworkDraft, _ fields: Fields) {
        if let entry = fields["gateway"], let text = text(entry, of: fields.place) {
            draft.gateway = gateway(text, of: draft, place: fields.place)
        }
        if let entry = fields["external"] {
            draft.external = external(entry, of: draft, place: fields.place)
        }
    }

    /// `external`: its type alone, or a mapping.
    private mutating func external(
        _ entry: YAMLEntry, of draft: NetworkDraft, place: String
    ) -> ExternalNetwork? {
        let (network, place) = (place, "'external' of \(place)")
        var (written, owner) = (entry, network)
        var options: Fields?
        if case .mapping = entry.value.content {
            guard
                let fields = fields(
                    entry.value, as: .external, place: place, mark: entry.keyMark),
                let type = fields["type"]
            else { return nil }
            (written, owner, options) = (type, place, fields)
        }
        guard let type = text(written, of: owner) else { return nil }
        switch type.value {
        case "nat": return nat(options, type, of: draft, place: place)
        case "macvlan": return macvlan(options, type, place: place)
        case let word where word.hasPrefix("macvlan:"):
            diagnostics.error(
                "\(place) is written '{ type: macvlan, parent: \(word.dropFirst(8)) }'",
                at: type.mark)
            return nil
        default:
            diagnostics.error(
                "\(place) is 'nat' or 'macvlan', not '\(type.value)'", at: type.mark)
            return nil
        }
    }

    private mutating func nat(
        _ options: Fields?, _ type: Located<String>, of draft: NetworkDraft, place: String
    ) -> ExternalNetwork? {
        var nat = ExternalNetwork.NAT()
        if let parent = options?["parent"] {
            diagnostics.error("'parent' of \(place) is for type 'macvlan'", at: parent.keyMark)
        }
        if let dns = options?["dns"] { nat.nameServers = nameServers(dns, of: place) }
        if let forward = options?["ip-forward"] {
            guard let word = text(forward, of: place) else { return nil }
            guard ["enable", "keep"].contains(word.value) else {
                diagnostics.error(
                    "'ip-forward' of \(place) is 'enable' or 'keep', not '\(word.value)'",
                    at: word.mark)
                return nil
            }
            nat.enablesForwarding = word.value == "enable"
        }
        let hasIPv4 = draft.subnets.contains { $0.value.base.family == .v4 }
        if draft.isSound, !hasIPv4 {
            diagnostics.error(
                "network \(draft.name.value) is to be NATed, which takes an IPv4 subnet",
                at: type.mark)
        }
        return .nat(nat)
    }

    private mutating func macvlan(
        _ options: Fields?, _ type: Located<String>, place: String
    ) -> ExternalNetwork? {
        for entry in ["dns", "ip-forward"].compactMap({ options?[$0] }) {
            diagnostics.error("'\(entry.key)' of \(place) is for type 'nat'", at: entry.keyMark)
        }
        guard let entry = options?["parent"] else {
            // What is there may be what was meant.
            if options?.hasUnknownKeys == true { return nil }
            diagnostics.error(
                "\(place) lacks the host's interface, as in '{ type: macvlan, parent: eth0 }'",
                at: type.mark)
            return nil
        }
        guard let name = text(entry, of: place) else { return nil }
        guard let parent = InterfaceName(name.value), parent.text != "lo" else {
            diagnostics.error(
                "'\(name.value)' of \(place) is no interface of the host that leads outside, as "
                    + "'eth0' is", at: name.mark)
            return nil
        }
        return .macvlan(ExternalNetwork.Macvlan(parent: parent))
    }

    private mutating func nameServers(_ entry: YAMLEntry, of place: String) -> [IPAddress]? {
        texts(entry, of: place)?.compactMap { text in
            if case .v4(let address)? = IPAddress(text.value), !address.isLoopback {
                return .v4(address)
            }
            diagnostics.error(
                "'\(text.value)' is no IPv4 address of a name server that a lab can reach",
                at: text.mark)
            return nil
        }
    }

    private mutating func gateway(
        _ text: Located<String>, of draft: NetworkDraft, place: String
    ) -> Located<IPAddress>? {
        guard let address = IPAddress(text.value) else {
            diagnostics.error(
                "'\(text.value)' is no address for the gateway of \(place), as '192.0.2.254' is",
                at: text.mark)
            return nil
        }
        guard draft.isSound else { return Located(address, text.mark) }
        guard let subnet = draft.subnets.first(where: { $0.value.contains(address) })?.value else {
            let listed = draft.subnets.map(\.value.description).joined(separator: " and ")
            diagnostics.error(
                "gateway \(address) of \(place) is outside "
                    + (listed.isEmpty ? "it: it has no subnet" : listed), at: text.mark)
            return nil
        }
        let isReserved =
            subnet.broadcast.map { .v4($0) } == address
            || address == subnet.base && subnet.length < address.bitWidth - 1
        if isReserved {
            diagnostics.error(
                "gateway \(address) of \(place) is no host's address in \(subnet)", at: text.mark)
            return nil
        }
        return Located(address, text.mark)
    }
}

extension NetworkDraft {
    /// The given address of the lab's own station with its subnet's prefix length.
    var givenGateway: InterfaceAddress? {
        gateway.flatMap { gateway in
            subnets.first { $0.value.contains(gateway.value) }.map {
                InterfaceAddress(gateway.value, prefixLength: $0.value.length)
            }
        }
    }

    /// Whether it is joined to the host by NAT.
    var isNATed: Bool {
        if case .nat? = external { true } else { false }
    }

    /// The host's interface that its nodes' are macvlans of.
    var parent: InterfaceName? {
        if case .macvlan(let macvlan)? = external { macvlan.parent } else { nil }
    }
}

extension LabAssembly {
    /// Which of the nodes' interfaces are macvlans of the host's.
    static func hostInterfaces(
        networks: [NetworkDraft], nodes: [NodeDraft]
    ) -> HostInterfaces {
        HostInterfaces(
            parents: networks.map { ($0.name.value, $0.parent) },
            interfaces: nodes.flatMap { node in
                node.interfaces.compactMap { interface in
                    interface.network.map { network in
                        let name = interface.name.value
                        return (Endpoint(node: node.name.value, interface: name), network.value)
                    }
                }
            })
    }

    /// What is published, the targets' addresses found. Nothing is said about a target where too
    /// little is known of networks and nodes.
    mutating func resolvedPublications(addresses: AddressTable) -> [PublishedPort] {
        guard let networks, networks.allSatisfy(\.isSound), nodesAreKnown,
            nodesWithoutAddresses.isEmpty
        else { return [] }
        let targets = PublicationTargets(
            networks: networks.map { ($0.name.value, $0.subnets.map(\.value)) },
            nodes: zip(nodes, addresses).map { node, addresses in
                (node.name.value, addresses.flatMap { $0.map(\.address) })
            })
        var published: [PublishedPort] = []
        for written in publications {
            do throws(WrittenPublication.Problem) {
                let port = try targets.resolve(written.value)
                if let problem = hostInterfaceProblem(with: port) { throw problem }
                if let conflict = PublicationTargets.conflict(of: port, with: published) {
                    throw .init(message: conflict)
                }
                published.append(port)
            } catch {
                diagnostics.error(error.message, at: written.mark)
            }
        }
        return published
    }

    /// The lab has no station of its own where nodes are stations of the host's network.
    private func hostInterfaceProblem(with port: PublishedPort) -> WrittenPublication.Problem? {
        for network in networks ?? [] {
            guard let parent = network.parent,
                network.subnets.contains(where: { $0.value.contains(port.address) })
            else { continue }
            return .init(
                message: "\(port.address) is on network \(network.name.value), that of the host's "
                    + "\(parent), where it is reached without being published")
        }
        return nil
    }

    /// A given gateway is nobody else's address, and somebody's.
    mutating func checkGateways(_ published: [PublishedPort]) {
        for network in networks ?? [] {
            guard let gateway = network.gateway else { continue }
            let name = network.name.value
            if let holder = holders[AddressKey(address: gateway.value)] {
                diagnostics.error(
                    "gateway \(gateway.value) of network \(name) is \(holder.interface)'s, line "
                        + "\(holder.line)", at: gateway.mark)
            } else if published.contains(where: { $0.address == gateway.value }) {
                diagnostics.error(
                    "gateway \(gateway.value) of network \(name) is published, but nothing of the "
                        + "lab listens there", at: gateway.mark)
            } else if !network.isNATed, diagnostics.errorCount == 0,
                !published.contains(where: { port in
                    network.subnets.contains { $0.value.contains(port.address) }
                })
            {
                diagnostics.error(
                    "gateway \(gateway.value) of network \(name) would be nobody's: it is for "
                        + "networks on which something is published; nodes have a 'gateway' of "
                        + "their own", at: gateway.mark)
            }
        }
    }

    /// The lab with its own stations.
    mutating func withGateways(_ lab: Lab) -> Lab? {
        var lab = lab
        for (place, network) in (networks ?? []).enumerated() where network.device != nil {
            if let problem = lab.assignGateway(at: place) {
                diagnostics.error(problem, at: network.name.mark)
            }
        }
        lab.addDefaultRoutes()
        return diagnostics.errorCount == 0 ? lab : nil
    }
}
