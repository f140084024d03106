public import NetworkTypes

// The lab's own station on a network: what docker calls a network's gateway. The host's connections
// to published ports come from it, and what leaves the lab goes through it. It has a port of its
// own in the network's bridge, so that whatever is broken is broken for it as well.

/// The names that gateways bear where others bear a node's.
public enum GatewayName {
    private static let start = "gateway@"

    /// The name of the gateway on a network: `gateway@lan`, which no hostname can be.
    public static func name(on network: InterfaceName) -> String { start + network.text }
}

extension Network {
    /// Whether it is joined to the host by NAT.
    public var isNATed: Bool {
        if case .nat? = external { true } else { false }
    }
}

extension Lab {
    /// Whether the lab has a station of its own on some network.
    public var hasGateways: Bool { networks.contains { $0.gateway != nil } }

    /// Gives the lab a station on a network that needs one and has none yet: addresses, one of each
    /// family.
    ///
    /// - Returns: why there is none, where there is none; else nil.
    mutating func assignGateway(at place: Int) -> String? {
        let network = networks[place]
        let isNeeded =
            network.isNATed
            || published.contains { port in network.subnets.contains { $0.contains(port.address) } }
        guard isNeeded else { return nil }
        var addresses = network.gateway ?? []
        let given = Set(addresses.map(\.address.family))
        var families: Set<IPAddress.Family> = given
        var taken: Set<IPAddress>?
        for subnet in network.subnets where families.insert(subnet.base.family).inserted {
            if taken == nil { taken = addressesInUse }
            guard let address = Self.lastFree(of: subnet, besides: taken ?? []) else {
                return "subnet \(subnet) of network \(network.name) is too small: it has no "
                    + "address left for the network's gateway"
            }
            addresses.append(address)
        }
        networks[place].gateway = addresses
        return nil
    }

    /// Has nodes on NATed networks that have no default route for IPv4 send what is for elsewhere
    /// to the gateway of the first such network.
    mutating func addDefaultRoutes() {
        for place in nodes.indices {
            let hasOne = nodes[place].routes.contains {
                $0.destination == nil && $0.gateway?.family != .v6
            }
            guard !hasOne else { continue }
            let gateways = nodes[place].interfaces.compactMap { interface -> IPAddress? in
                guard case .network(let name) = interface.attachment,
                    let network = networks.first(where: { $0.name == name }), network.isNATed
                else { return nil }
                return network.gateway?.first { gateway in
                    gateway.address.family == .v4
                        && interface.addresses.contains { $0.network == gateway.network }
                }?.address
            }
            guard let gateway = gateways.first else { continue }
            nodes[place].routes.append(Route(destination: nil, gateway: gateway))
        }
    }

    /// The last address of a subnet that nobody has; of a large one, of its first 65534: the first
    /// ones are given to nodes.
    private static func lastFree(
        of subnet: IPPrefix, besides taken: Set<IPAddress>
    ) -> InterfaceAddress? {
        let isPair = subnet.length >= subnet.base.bitWidth - 1
        var index: UInt64 = 0xfffe
        let bits = subnet.base.bitWidth - subnet.length
        if bits < 16 { index = (1 << UInt64(bits)) - 1 }
        while true {
            if let address = subnet.address(at: index), !taken.contains(address),
                subnet.broadcast.map({ .v4($0) }) != address, index > 0 || isPair
            {
                return InterfaceAddress(address, prefixLength: subnet.length)
            }
            guard index > 0 else { return nil }
            index -= 1
        }
    }

    /// Every address that somebody in the lab has or speaks of, be it in a file: virtual addresses
    /// are nobody's yet.
    private var addressesInUse: Set<IPAddress> {
        var found = Set(published.map(\.address))
        for node in nodes {
            found.formUnion(node.interfaces.flatMap { $0.addresses.map(\.address) })
            found.formUnion(node.routes.compactMap(\.gateway))
            for file in node.files { found.formUnion(Self.addresses(in: file.contents)) }
            for service in node.services {
                for word in service.arguments {
                    found.formUnion(Self.addresses(in: Array(word.utf8)))
                }
            }
        }
        for file in scenarios.flatMap(\.files) {
            found.formUnion(Self.addresses(in: file.file.contents))
        }
        return found
    }

    /// How much of a file is looked at, in bytes: what names addresses is configuration.
    private static let maximumLookBytes = 1 << 20
    /// The longest text of an address (INET6_ADDRSTRLEN less the final NUL).
    private static let maximumAddressBytes = 45

    private static func addresses(in bytes: [UInt8]) -> Set<IPAddress> {
        var found: Set<IPAddress> = []
        var word: [UInt8] = []
        func end() {
            defer { word.removeAll(keepingCapacity: true) }
            guard 2...maximumAddressBytes ~= word.count,
                word.contains(where: { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ":") }),
                let address = IPAddress(String(decoding: word, as: UTF8.self))
            else { return }
            found.insert(address)
        }
        for byte in bytes.prefix(maximumLookBytes) {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: ":"), UInt8(ascii: "."),
                UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"):
                word.append(byte)
            default: end()
            }
        }
        end()
        return found
    }
}
