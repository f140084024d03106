public import NetworkTypes
public import Spoofing

extension Imposture {
    /// What the station is to do, to the last number: what its words leave open follows from the
    /// lab and its virtual routers.
    ///
    /// - The Ethernet address is one of its own, the same in every run.
    /// - `vrid`, where the network's routers have one only. Version, interval and addresses are
    ///   those of the network's routers with that VRID, or else 3, 1 s and none.
    /// - The IP source is, over IPv4, the last address of the network that nobody has; over IPv6,
    ///   the link-local address that goes with the Ethernet address (RFC 4291, appendix A).
    ///
    /// - Parameters:
    ///   - network: where the station stands.
    ///   - routers: what is known of the lab's virtual routers.
    /// - Throws: ``ImpostureError`` where that leaves something open, or cannot be encoded.
    public func order(
        on network: Network, in lab: Lab, routers: [VirtualRouterFacts]
    ) throws(ImpostureError) -> StationOrder {
        var order = StationOrder(
            mac: mac ?? lab.imposterMAC(on: network), seed: seed)
        let resolver = ForgeryResolver(
            network: network, lab: lab, mac: order.mac,
            routers: routers.filter { router in
                lab.node(router.node)?.interfaces.contains {
                    $0.name.text == router.interface && $0.attachment == .network(network.name)
                } ?? false
            })
        for act in acts {
            switch act {
            case .arp(let address, let period):
                order.claims.append(AddressClaim(address, announcePeriod: period))
            case .replay(let replay): order.replays.append(replay)
            case .advert(let forgery):
                order.adverts.append(try resolver.advert(forgery, perSecond: nil))
            case .flood(let rate, let forgery):
                order.adverts.append(try resolver.advert(forgery, perSecond: rate))
            }
        }
        return order
    }
}

/// Fills in what the words of forged advertisements leave open.
private struct ForgeryResolver {
    let network: Network
    let lab: Lab
    let mac: MACAddress
    /// Those on the network.
    let routers: [VirtualRouterFacts]

    func advert(
        _ forgery: Imposture.Forgery, perSecond: Int?
    ) throws(ImpostureError) -> ForgedAdvert {
        let vrid: UInt8
        if let given = forgery.vrid { vrid = given } else { vrid = try onlyVRID() }
        let model = routers.first { $0.vrid == Int(vrid) }
        let version = forgery.version ?? model?.version ?? 3
        let interval = forgery.interval ?? model?.advertisementInterval ?? .seconds(1)
        var addresses = forgery.addresses
        let family =
            addresses.first?.family ?? forgery.source?.family
            ?? model?.addresses.first?.family ?? .v4
        if addresses.isEmpty {
            addresses = model?.addresses.filter { $0.family == family } ?? []
        }
        if let password = forgery.password, version == 3 {
            throw ImpostureError(
                description: "auth \(password): version 3 of VRRP has no passwords (RFC 9568 §9)")
        }
        let source: IPAddress
        if let given = forgery.source { source = given } else { source = try self.source(family) }
        let advert = ForgedAdvert(
            version: version, vrid: vrid, priority: forgery.priority, interval: interval,
            addresses: addresses, password: forgery.password,
            source: source, flaws: forgery.flaws,
            period: perSecond.map { .seconds(1) / $0 } ?? interval)
        if let problem = advert.problem {
            throw ImpostureError(description: "advert of VRID \(vrid): \(problem)")
        }
        return advert
    }

    private func onlyVRID() throws(ImpostureError) -> UInt8 {
        let known = Set(routers.map(\.vrid)).sorted()
        guard known.count == 1, let vrid = UInt8(exactly: known[0]) else {
            let there =
                known.isEmpty
                ? "network \(network.name) has no virtual router"
                : "network \(network.name) has VRIDs "
                    + known.map(String.init).joined(separator: ", ")
            throw ImpostureError(description: "\(there): say which is meant, as 'vrid 51' does")
        }
        return vrid
    }

    private func source(_ family: IPAddress.Family) throws(ImpostureError) -> IPAddress {
        switch family {
        case .v6: return .v6(IPv6Address(linkLocalOf: mac))
        case .v4:
            let taken = Set(
                lab.nodes.flatMap(\.interfaces).flatMap(\.addresses).map(\.address)
                    + routers.flatMap(\.addresses))
            for subnet in network.subnets where subnet.base.family == .v4 {
                if let free = subnet.lastAddress(besides: taken) { return free }
            }
            throw ImpostureError(
                description: "network \(network.name) has no IPv4 address left for the station: "
                    + "say which it uses, as 'from 10.0.0.250' does")
        }
    }
}

extension IPPrefix {
    /// The last address of hosts in this network that is none of those; nil without one.
    fileprivate func lastAddress(besides taken: Set<IPAddress>) -> IPAddress? {
        guard length < 31 else { return nil }
        let count = UInt64(1) << UInt64(32 - length)
        // Not the broadcast address, nor the network's own.
        for index in (1..<count - 1).reversed() {
            if let address = address(at: index), !taken.contains(address) { return address }
        }
        return nil
    }
}

extension IPv6Address {
    /// The link-local address with the modified EUI-64 identifier of an Ethernet address
    /// (RFC 4291, appendix A).
    fileprivate init(linkLocalOf mac: MACAddress) {
        let octets = mac.octets
        self.init(
            octets: [0xfe, 0x80, 0, 0, 0, 0, 0, 0, octets[0] ^ 0x02] + octets[1..<3]
                + [0xff, 0xfe] + octets[3..<6])
    }
}

extension Lab {
    /// The Ethernet address of the station that stands on a network and belongs to nobody.
    func imposterMAC(on network: Network) -> MACAddress {
        var derivation = MACDerivation(
            lab: name, taken: nodes.flatMap { $0.interfaces.map(\.mac) })
        return derivation.next(for: ["imposter", network.name.text, ""])
    }

    /// The network of that name.
    public func network(_ name: InterfaceName) -> Network? { networks.first { $0.name == name } }
}
