import Netlink
import NetworkTypes

/// The machine's interfaces and their addresses, kept by what the kernel tells about them.
///
/// Pure: it is handed notifications and says what they changed. A notification costs the same
/// however many interfaces, addresses and instances there are (but for the addresses of the one
/// interface it is about).
struct InterfaceTable {
    /// An interface, as it is now.
    struct Interface: Hashable {
        /// Its number and name.
        var device: Device
        /// Whether it was set up (IFF_UP).
        var isSetUp: Bool
        /// Whether it has a carrier (IFF_LOWER_UP).
        var hasCarrier: Bool
        var mac: MACAddress?
        var mtuBytes: Int
        var flags: Link.Flags
        /// ARPHRD_ of linux/if_arp.h.
        var hardwareType: UInt16
        /// `macvlan`, `veth`...
        var kind: String?
        /// The number of the interface below a macvlan, an ipvlan or a VLAN; nil without one in
        /// this namespace.
        var baseIndex: Int32?
        var macvlanMode: UInt32?
        /// Its addresses, in the order in which they were told.
        var addresses: [AssignedAddress] = []

        /// Set up, and with a carrier.
        var isUp: Bool { isSetUp && hasCarrier }

        init(_ link: Link) {
            device = link.device
            isSetUp = link.isUp
            hasCarrier = link.hasCarrier
            mac = link.address
            mtuBytes = link.mtuBytes
            flags = link.flags
            hardwareType = link.hardwareType
            kind = link.kind
            // A veth's other end is not below it.
            baseIndex =
                link.kind == "veth" || link.peerNamespaceID != nil || link.peerIndex == 0
                ? nil : link.peerIndex
            macvlanMode = link.macvlanMode
        }
    }

    /// Something that changed.
    enum Change: Hashable {
        /// It is new, or there again, perhaps with another number.
        case appeared(InterfaceName)
        /// It is gone, with its addresses; they are not told one by one.
        case vanished(InterfaceName)
        /// It was set up and has a carrier, as it had not before.
        case up(InterfaceName)
        /// It was set down, or lost its carrier.
        case down(InterfaceName)
        /// Its Ethernet address is another.
        case addressChanged(of: InterfaceName)
        /// It has an address, or may use it now (duplicate address detection ended).
        case added(InterfaceAddress, InterfaceName)
        /// It lost an address.
        case removed(InterfaceAddress, InterfaceName)
    }

    private var interfaces: [Int32: Interface] = [:]
    private var indices: [InterfaceName: Int32] = [:]
    /// Another one after every change of an interface other than of its addresses: what was derived
    /// from the interfaces holds as long as this stays.
    private(set) var generation: UInt64 = 0

    // MARK: Questions

    /// All names.
    var names: Set<InterfaceName> { Set(indices.keys) }

    /// The interface of that name.
    subscript(name: InterfaceName) -> Interface? { indices[name].flatMap { interfaces[$0] } }

    /// The interface of that number.
    subscript(index index: Int32) -> Interface? { interfaces[index] }

    /// Whether it is up and so is what it is on top of.
    func isUp(_ name: InterfaceName) -> Bool {
        guard let interface = self[name], interface.isUp else { return false }
        guard let base = interface.baseIndex.flatMap({ interfaces[$0] }) else { return true }
        return base.isUp
    }

    /// Whether the interface has that address, of that prefix length.
    func has(_ address: InterfaceAddress, on name: InterfaceName) -> Bool {
        self[name]?.addresses.contains { $0.address == address } ?? false
    }

    /// What advertisements of a family have as their source: the first IPv4 address, or the first
    /// link-local IPv6 one that is not somebody else's (RFC 9568 §5.1.2.1), which may be tentative:
    /// it cannot be sent from yet, but the timers run, as in keepalived. The kernel looks for
    /// duplicates for one to two seconds, mostly less than they take.
    ///
    /// - Parameter virtual: the addresses that instances move, and that so are not the interface's
    ///   own.
    func source(
        _ family: IPAddress.Family, on name: InterfaceName, without virtual: Set<PlacedAddress>
    ) -> IPAddress? {
        guard let addresses = self[name]?.addresses else { return nil }
        // The first is mostly the one: of a thousand instances each looks for it, and each has put
        // an address of its own behind it.
        func first(isTentative: Bool) -> IPAddress? {
            addresses.first { assigned in
                let address = assigned.address.address
                guard address.family == family,
                    assigned.flags.contains(.tentative) == isTentative,
                    !virtual.contains(PlacedAddress(address, on: name))
                else { return false }
                guard case .v6(let address) = address else { return true }
                return address.isLinkLocal && !assigned.flags.contains(.duplicate)
            }?.address.address
        }
        return first(isTentative: false) ?? first(isTentative: true)
    }

    // MARK: Changes

    /// Takes in what the kernel told, and says what that changed; nothing for what it told again
    /// and for what is not about interfaces. An overrun is for ``replace(links:addresses:)``.
    mutating func handle(_ notification: Notification.Kind) -> [Change] {
        switch notification {
        case .link(let link): take(link)
        case .linkRemoved(let link): forget(link.index)
        case .addressAdded(let address): take(address)
        case .addressRemoved(let address): forget(address)
        case .bridgePort, .routeAdded, .routeRemoved, .ruleAdded, .ruleRemoved, .neighbour,
            .neighbourRemoved, .overrun:
            []
        }
    }

    /// Takes in that an interface was removed by the agent itself, before the kernel tells.
    mutating func remove(index: Int32) { _ = forget(index) }

    /// Takes in all there is, read from the kernel, and says how that differs from what was known.
    mutating func replace(links: [Link], addresses: [AssignedAddress]) -> [Change] {
        var changes: [Change] = []
        let present = Set(links.map(\.index))
        for index in interfaces.keys.sorted() where !present.contains(index) {
            changes += forget(index)
        }
        let known = Set(addresses.map { Key($0) })
        for interface in interfaces.values.sorted(by: { $0.device.index < $1.device.index }) {
            for address in interface.addresses where !known.contains(Key(address)) {
                changes += forget(address)
            }
        }
        for link in links { changes += take(link) }
        for address in addresses { changes += take(address) }
        return changes
    }

    /// What tells one address from another.
    private struct Key: Hashable {
        let index: Int32
        let address: InterfaceAddress

        init(_ assigned: AssignedAddress) {
            index = assigned.interfaceIndex
            address = assigned.address
        }
    }

    private mutating func take(_ link: Link) -> [Change] {
        generation += 1
        guard let name = link.device.name else { return [] }
        guard let old = interfaces[link.index], old.device.name == name else {
            // New, or renamed: another name is another interface to a configuration.
            let addresses = interfaces[link.index]?.addresses ?? []
            var changes = forget(link.index)
            // Its predecessor's end may not have been told yet.
            if let predecessor = indices[name] { changes += forget(predecessor) }
            var interface = Interface(link)
            interface.addresses = addresses
            interfaces[link.index] = interface
            indices[name] = link.index
            changes.append(.appeared(name))
            if interface.isUp { changes.append(.up(name)) }
            return changes + addresses.map { .added($0.address, name) }
        }
        var interface = Interface(link)
        interface.addresses = old.addresses
        interfaces[link.index] = interface
        var changes: [Change] = []
        if old.mac != interface.mac { changes.append(.addressChanged(of: name)) }
        if old.isUp != interface.isUp { changes.append(interface.isUp ? .up(name) : .down(name)) }
        return changes
    }

    private mutating func forget(_ index: Int32) -> [Change] {
        generation += 1
        guard let interface = interfaces.removeValue(forKey: index),
            let name = interface.device.name
        else { return [] }
        if indices[name] == index { indices[name] = nil }
        return (interface.isUp ? [.down(name)] : []) + [.vanished(name)]
    }

    private mutating func take(_ assigned: AssignedAddress) -> [Change] {
        let index = assigned.interfaceIndex
        guard let interface = interfaces[index], let name = interface.device.name else { return [] }
        let place = interface.addresses.firstIndex { $0.address == assigned.address }
        guard let place else {
            interfaces[index]?.addresses.append(assigned)
            return [.added(assigned.address, name)]
        }
        interfaces[index]?.addresses[place] = assigned
        let wasUsable = interface.addresses[place].isUsable
        return assigned.isUsable && !wasUsable ? [.added(assigned.address, name)] : []
    }

    private mutating func forget(_ assigned: AssignedAddress) -> [Change] {
        let index = assigned.interfaceIndex
        guard let interface = interfaces[index], let name = interface.device.name,
            let place = interface.addresses.firstIndex(where: { $0.address == assigned.address })
        else { return [] }
        interfaces[index]?.addresses.remove(at: place)
        return [.removed(assigned.address, name)]
    }
}

extension AssignedAddress {
    /// Whether packets may have it as their source.
    fileprivate var isUsable: Bool { flags.isDisjoint(with: [.tentative, .duplicate]) }
}
