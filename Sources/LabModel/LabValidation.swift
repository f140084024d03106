import NetworkTypes

// The checks of a lab's parts against one another: names, networks, links.
extension LabAssembly {
    /// A resolver does not tell `R1` from `r1`.
    mutating func checkNodeNames() {
        var seen: [String: Located<String>] = [:]
        for node in nodes {
            let key = node.name.value.lowercased()
            if let first = seen[key] {
                diagnostics.error(
                    "node '\(node.name.value)' has the name of node '\(first.value)', line "
                        + "\(first.mark.line), but for its case", at: node.name.mark)
            } else {
                seen[key] = node.name
            }
        }
    }

    /// No two subnets of the lab may share an address, whichever network they belong to.
    mutating func checkNetworks() {
        struct Owned {
            var prefix: IPPrefix
            var network: String
            var mark: YAMLMark
        }
        let all = (networks ?? []).flatMap { network in
            network.subnets.map {
                Owned(prefix: $0.value, network: network.name.value, mark: $0.mark)
            }
        }
        // Sorted by base, an overlapping subnet follows the one it lies in.
        let sorted = all.sorted {
            ($0.prefix.base.octets.count, $0.prefix.base, $0.prefix.length, $0.mark)
                < ($1.prefix.base.octets.count, $1.prefix.base, $1.prefix.length, $1.mark)
        }
        var widest: Owned?
        for subnet in sorted {
            guard let other = widest, other.prefix.overlaps(subnet.prefix) else {
                widest = subnet
                continue
            }
            let (first, second) =
                other.mark < subnet.mark ? (other, subnet) : (subnet, other)
            diagnostics.error(
                "subnet \(second.prefix) of network \(second.network) overlaps \(first.prefix) of "
                    + "network \(first.network), line \(first.mark.line)", at: second.mark)
        }
    }

    /// Plugs the links into their nodes' interfaces, which need not be listed under the nodes.
    mutating func plugLinks() {
        guard nodesAreKnown else { return }
        let places = Dictionary(
            nodes.enumerated().map { ($1.name.value, $0) }, uniquingKeysWith: { first, _ in first })
        for (index, link) in links.enumerated() {
            for endpoint in link.endpoints {
                let errorsBefore = diagnostics.errorCount
                plug(endpoint, into: places[endpoint.node], ofLink: index, mtu: link.mtuBytes)
                if diagnostics.errorCount > errorsBefore { linksAreSound = false }
            }
        }
    }

    /// - Parameter node: the place of the endpoint's node; nil where there is none.
    private mutating func plug(
        _ endpoint: LinkDraft.Endpoint, into node: Int?, ofLink index: Int, mtu: Located<Int>?
    ) {
        let label = "\(endpoint.node):\(endpoint.writtenInterface)"
        guard let node else {
            let names = nodes.map(\.name.value)
            diagnostics.error(
                "link \(label) names node '\(endpoint.node)', which is not defined"
                    + SpellingSuggestion.hint(
                        for: endpoint.node, among: names, known: "the lab's nodes are"),
                at: endpoint.mark)
            return
        }
        guard let name = endpoint.interface else { return }
        let position = nodes[node].interfaces.firstIndex { $0.name.value == name }
        var interface =
            position.map { nodes[node].interfaces[$0] }
            ?? InterfaceDraft(name: Located(name, endpoint.mark), addresses: nil)
        if let other = interface.link {
            diagnostics.error(
                "\(label) is an end of link \(other + 1) already", at: endpoint.mark)
            return
        }
        if let network = interface.network {
            diagnostics.error(
                "\(label) is plugged into network \(network.value) already, line "
                    + "\(network.mark.line)", at: endpoint.mark)
            return
        }
        interface.link = index
        if let addresses = endpoint.addresses {
            if interface.addresses != nil {
                diagnostics.error(
                    "\(label) has addresses in the link and on line \(interface.name.mark.line)",
                    at: endpoint.mark)
            } else {
                interface.addresses = addresses
            }
        }
        interface.mtuBytes = interface.mtuBytes ?? mtu
        if let position {
            nodes[node].interfaces[position] = interface
        } else {
            nodes[node].interfaces.append(interface)
        }
    }

    /// Every interface ends in a network that exists, or in a link; no bridge has more ports than
    /// the kernel can count.
    mutating func checkPlugs() {
        var ports: [String: Int] = [:]
        let names = networks?.map(\.name.value)
        for node in nodes {
            for interface in node.interfaces {
                let label = "\(node.name.value):\(interface.name.value)"
                if let network = interface.network {
                    ports[network.value, default: 0] += 1
                    checkIPv6MTU(of: interface, label: label, on: network.value)
                    guard let names, !names.contains(network.value) else { continue }
                    diagnostics.error(
                        "interface \(label) names network '\(network.value)', which is not defined"
                            + SpellingSuggestion.hint(
                                for: network.value, among: names, known: "the lab's networks are"),
                        at: network.mark)
                } else if interface.link == nil, interface.isSound, linksAreSound {
                    diagnostics.error(
                        "interface \(label) has no 'network' and is no end of a link",
                        at: interface.name.mark)
                }
            }
        }
        for network in networks ?? [] {
            let count = ports[network.name.value, default: 0]
            if count > DeploymentPlan.maximumPortsPerBridge {
                diagnostics.error(
                    "network \(network.name.value) has \(count) interfaces; a Linux bridge takes "
                        + "\(DeploymentPlan.maximumPortsPerBridge)", at: network.name.mark)
            }
        }
    }

    /// IPv6 asks for 1280 bytes of every link (RFC 8200 §5); Linux switches it off below.
    private mutating func checkIPv6MTU(
        of interface: InterfaceDraft, label: String, on network: String
    ) {
        let subnets = networks?.first { $0.name.value == network }?.subnets ?? []
        guard let mtu = interface.mtuBytes, mtu.value < 1280,
            let subnet = subnets.first(where: { $0.value.base.family == .v6 })?.value
        else { return }
        diagnostics.error(
            "mtu \(mtu.value) of \(label) is too small for IPv6 (\(subnet)), which needs 1280",
            at: mtu.mark)
    }

    /// A MAC address belongs to one interface of the lab.
    mutating func checkMACs() {
        var holders: [MACAddress: Holder] = [:]
        for node in nodes {
            for interface in node.interfaces {
                guard let mac = interface.mac else { continue }
                let label = "\(node.name.value):\(interface.name.value)"
                if let holder = holders[mac.value] {
                    diagnostics.error(
                        "MAC address \(mac.value) of \(label) is \(holder.interface)'s, line "
                            + "\(holder.line)", at: mac.mark)
                } else {
                    holders[mac.value] = Holder(interface: label, line: mac.mark.line)
                }
            }
        }
    }
}
