import NetworkTypes

// The checks of addresses and routes.
extension LabAssembly {
    /// Given addresses fit their networks, and each is given once.
    mutating func checkAddresses() {
        // What is written once for several nodes (`count`) is one mistake.
        var refused: Set<YAMLMark> = []
        for node in nodes {
            for interface in node.interfaces {
                let errorsBefore = diagnostics.errorCount
                let label = "\(node.name.value):\(interface.name.value)"
                for address in interface.addresses ?? [] where !refused.contains(address.mark) {
                    let errorsBefore = diagnostics.errorCount
                    if let network = interface.network {
                        guard isKnown(network.value) else { continue }
                        checkAddress(address, in: network.value, of: label)
                    } else if interface.link != nil {
                        checkLinkAddress(address, of: label)
                    }
                    checkUse(address, segment: segment(of: interface), by: label)
                    if diagnostics.errorCount > errorsBefore { refused.insert(address.mark) }
                }
                checkIsGiven(interface, label, refused: &refused)
                let isPlaced = interface.network.map { isKnown($0.value) } ?? true
                if !interface.isSound || !isPlaced || diagnostics.errorCount > errorsBefore {
                    nodesWithoutAddresses.insert(node.name.value)
                }
            }
        }
    }

    /// Where others have addresses, too, none can be chosen.
    private mutating func checkIsGiven(
        _ interface: InterfaceDraft, _ label: String, refused: inout Set<YAMLMark>
    ) {
        guard interface.addresses == nil, interface.isSound, let name = interface.network?.value,
            let network = networks?.first(where: { $0.name.value == name }),
            let parent = network.parent, !network.subnets.isEmpty,
            refused.insert(interface.name.mark).inserted
        else { return }
        diagnostics.error(
            "\(label) is on network \(name), that of the host's \(parent), where others have "
                + "addresses, too: write its 'address', or 'addresses: []' for none",
            at: interface.name.mark)
    }

    private func segment(of interface: InterfaceDraft) -> String {
        interface.network?.value ?? "link \(interface.link ?? 0)"
    }

    /// Whether the network of that name is there and its subnets could be read.
    func isKnown(_ network: String) -> Bool {
        networks?.first { $0.name.value == network }?.isSound ?? false
    }

    private mutating func checkAddress(
        _ written: Located<WrittenAddress>, in network: String, of label: String
    ) {
        let address = written.value.address
        if case .v6(let v6) = address, v6.isLinkLocal { return }
        let subnets =
            networks?.first { $0.name.value == network }?.subnets.map(\.value) ?? []
        guard !subnets.isEmpty else {
            guard let length = written.value.prefixLength else {
                diagnostics.error(
                    "network \(network) has no subnet, so address \(address) of \(label) needs its "
                        + "prefix length", at: written.mark)
                return
            }
            checkIsHost(
                address, in: IPPrefix(containing: address, length: length), of: label,
                at: written.mark)
            return
        }
        guard let subnet = subnets.first(where: { $0.contains(address) }) else {
            let listed = subnets.map(\.description).joined(separator: " and ")
            diagnostics.error(
                "address \(address) of \(label) is outside network \(network), \(listed)",
                at: written.mark)
            return
        }
        if let length = written.value.prefixLength, length != subnet.length {
            diagnostics.error(
                "address \(address)/\(length) of \(label) has another prefix length than its "
                    + "subnet \(subnet); leave it out", at: written.mark)
            return
        }
        checkIsHost(address, in: subnet, of: label, at: written.mark)
    }

    /// An address of a link's end brings its own subnet, which may not be a network's.
    private mutating func checkLinkAddress(
        _ written: Located<WrittenAddress>, of label: String
    ) {
        let address = written.value.address
        if case .v6(let v6) = address, v6.isLinkLocal { return }
        guard let length = written.value.prefixLength else {
            diagnostics.error(
                "address \(address) of \(label), the end of a link, needs its prefix length, as "
                    + "'\(address)/\(address.family == .v4 ? 30 : 64)'", at: written.mark)
            return
        }
        let subnet = IPPrefix(containing: address, length: length)
        for network in networks ?? [] {
            if let other = network.subnets.first(where: { $0.value.overlaps(subnet) }) {
                diagnostics.error(
                    "address \(address)/\(length) of \(label), the end of a link, overlaps "
                        + "\(other.value) of network \(network.name.value), line "
                        + "\(other.mark.line)", at: written.mark)
                return
            }
        }
        checkIsHost(address, in: subnet, of: label, at: written.mark)
    }

    private mutating func checkIsHost(
        _ address: IPAddress, in subnet: IPPrefix, of label: String, at mark: YAMLMark
    ) {
        if let broadcast = subnet.broadcast, .v4(broadcast) == address {
            diagnostics.error(
                "address \(address) of \(label) is the broadcast address of \(subnet)", at: mark)
        } else if address == subnet.base, subnet.length < address.bitWidth - 1 {
            diagnostics.error(
                "address \(address) of \(label) is "
                    + (address.family == .v4
                        ? "the network's own in \(subnet)"
                        : "the anycast address of \(subnet)'s routers (RFC 4291 §2.6.1)"),
                at: mark)
        }
    }

    private mutating func checkUse(
        _ written: Located<WrittenAddress>, segment: String, by label: String
    ) {
        var key = AddressKey(address: written.value.address)
        if case .v6(let v6) = key.address, v6.isLinkLocal { key.segment = segment }
        if let holder = holders[key] {
            diagnostics.error(
                "address \(key.address) of \(label) is \(holder.interface)'s, line \(holder.line)",
                at: written.mark)
        } else {
            holders[key] = Holder(interface: label, line: written.mark.line)
        }
    }

    /// Routes name interfaces that exist and gateways that are on a network of the node.
    mutating func checkRoutes(addresses: AddressTable) {
        for (node, addresses) in zip(nodes, addresses) where node.isSound {
            guard node.unsoundInterfaces.isEmpty,
                !nodesWithoutAddresses.contains(node.name.value), nodesAreKnown
            else { continue }
            let name = node.name.value
            let onLink = node.routes.compactMap { $0.gateway == nil ? $0.destination : nil }
            let connected = addresses.joined().map(\.network) + onLink
            var seen: Set<String> = []
            for route in node.routes.sorted(by: { $0.mark < $1.mark }) {
                let target = route.destination.map(\.description) ?? "default"
                let family = (route.destination?.base ?? route.gateway?.value)?.family ?? .v4
                guard seen.insert("\(family) \(target)").inserted else {
                    diagnostics.error("node \(name) has two routes to \(target)", at: route.mark)
                    continue
                }
                if let device = route.device,
                    !node.interfaces.contains(where: { $0.name.value.text == device.value })
                {
                    let names = node.interfaces.map(\.name.value.text)
                    diagnostics.error(
                        "route to \(target) names interface '\(device.value)', which node \(name) "
                            + "does not have"
                            + SpellingSuggestion.hint(
                                for: device.value, among: names, known: "it has"),
                        at: device.mark)
                }
                if let gateway = route.gateway {
                    checkGateway(
                        gateway, of: route, on: node, own: Array(addresses.joined()),
                        connected: connected)
                }
            }
        }
    }

    private mutating func checkGateway(
        _ gateway: Located<IPAddress>, of route: RouteDraft, on node: NodeDraft,
        own: [InterfaceAddress], connected: [IPPrefix]
    ) {
        let address = gateway.value
        let name = node.name.value
        if let destination = route.destination, destination.base.family != address.family {
            diagnostics.error(
                "gateway \(address) is of another address family than \(destination)",
                at: gateway.mark)
        } else if own.contains(where: { $0.address == address }) {
            diagnostics.error("gateway \(address) is node \(name)'s own address", at: gateway.mark)
        } else if case .v6(let v6) = address, v6.isLinkLocal {
            if route.device == nil {
                diagnostics.error(
                    "gateway \(address) is link-local, so its route needs 'dev'", at: gateway.mark)
            }
        } else if !connected.contains(where: { $0.contains(address) }) {
            diagnostics.error(
                "gateway \(address) is on no network of node \(name)", at: gateway.mark)
        }
    }
}
