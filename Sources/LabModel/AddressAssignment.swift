import NetworkTypes

extension LabAssembly {
    /// The addresses of all interfaces: the given ones with their prefix lengths, and for each
    /// subnet of the network of whose family none is given, the lowest one that is free. Nodes and
    /// interfaces are served in the order of the file, so that a lab always gets the same.
    mutating func assignedAddresses() -> AddressTable {
        let taken = Set(holders.keys.map(\.address))
        var pools: [String: [AddressPool]] = [:]
        for network in networks ?? [] where network.isSound && network.parent == nil {
            var families: Set<IPAddress.Family> = []
            // A second subnet of a family is there for addresses that are given.
            pools[network.name.value] = network.subnets.compactMap {
                families.insert($0.value.base.family).inserted
                    ? AddressPool(subnet: $0.value, mark: $0.mark, taken: taken) : nil
            }
        }
        let table = nodes.map { node in
            node.interfaces.map { interface in
                guard let network = interface.network?.value else {
                    return (interface.addresses ?? []).map { $0.value.inItsSubnet([]) }
                }
                return addresses(
                    of: interface, subnets: subnets(of: network),
                    from: &pools[network, default: []])
            }
        }
        for network in networks ?? [] {
            for pool in pools[network.name.value] ?? [] where pool.refused > 0 {
                diagnostics.error(
                    "subnet \(pool.subnet) of network \(network.name.value) is too small: it has "
                        + "no address left for \(pool.refused) of its interfaces", at: pool.mark)
            }
        }
        return table
    }

    private func subnets(of network: String) -> [IPPrefix] {
        networks?.first { $0.name.value == network }?.subnets.map(\.value) ?? []
    }

    /// An interface's given addresses, and one from each pool of another family than theirs.
    private func addresses(
        of interface: InterfaceDraft, subnets: [IPPrefix], from pools: inout [AddressPool]
    ) -> [InterfaceAddress] {
        let given = (interface.addresses ?? []).map { $0.value.inItsSubnet(subnets) }
        // An empty list is how a file says that no address is wanted.
        if interface.addresses?.isEmpty == true { return [] }
        let families = Set(given.map(\.address).filter { !$0.isLinkLocal }.map(\.family))
        return given
            + pools.indices.compactMap { index in
                families.contains(pools[index].subnet.base.family) ? nil : pools[index].next()
            }
    }
}

extension WrittenAddress {
    /// The address with its prefix length: the written one, that of the subnet it is in, or that
    /// of link-local addresses (RFC 4291 §2.5.6).
    func inItsSubnet(_ subnets: [IPPrefix]) -> InterfaceAddress {
        let length =
            prefixLength ?? subnets.first { $0.contains(address) }?.length
            ?? (address.isLinkLocal ? 64 : address.bitWidth)
        return InterfaceAddress(address, prefixLength: length)
    }
}

extension IPAddress {
    /// Whether this is an IPv6 link-local address.
    var isLinkLocal: Bool {
        if case .v6(let address) = self { address.isLinkLocal } else { false }
    }
}

/// The free host addresses of a subnet, lowest first.
struct AddressPool {
    let subnet: IPPrefix
    /// Where the subnet is written.
    let mark: YAMLMark
    /// How often there was no address left.
    private(set) var refused = 0
    private let taken: Set<IPAddress>
    private var index: UInt64

    init(subnet: IPPrefix, mark: YAMLMark, taken: Set<IPAddress>) {
        self.subnet = subnet
        self.mark = mark
        self.taken = taken
        // The base is the network's own address, or IPv6's anycast address of its routers (RFC
        // 4291 §2.6.1), unless the subnet is a point-to-point link (RFC 3021, RFC 6164) or a host.
        index = subnet.length < subnet.base.bitWidth - 1 ? 1 : 0
    }

    /// The next free address; nil when there is none, which is counted.
    mutating func next() -> InterfaceAddress? {
        while let address = subnet.address(at: index) {
            index += 1
            if taken.contains(address) || subnet.broadcast.map({ .v4($0) }) == address { continue }
            return InterfaceAddress(address, prefixLength: subnet.length)
        }
        refused += 1
        return nil
    }
}
