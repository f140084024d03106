import KeepalivedConf
import NetworkTypes

/// An address on an interface.
struct PlacedAddress: Hashable {
    let address: IPAddress
    let interface: InterfaceName

    init(_ address: IPAddress, on interface: InterfaceName) {
        self.address = address
        self.interface = interface
    }
}

/// An interface that the agent makes for a virtual router.
struct VirtualInterfacePlan: Hashable {
    var kind: VRRPInstance.VirtualInterface.Kind
    var name: InterfaceName
    /// The interface below.
    var base: InterfaceName
    /// A macvlan's address; an ipvlan has its base's.
    var address: MACAddress?
    /// How an ipvlan sees others on its base.
    var mode = VRRPInstance.VirtualInterface.IPVLANMode.bridge
    /// The family of the addresses it is for.
    var family: IPAddress.Family
    /// Whether addresses of the other family are on the instance too.
    var hasOtherFamily = false
    /// Whether advertisements leave by it, so that an IPv6 one needs a link-local address.
    var transmits = false
    /// An address of its own (`use_ipvlan NAME ADDRESS`).
    var interfaceAddress: InterfaceAddress?
    /// The written source address, which a link-local one must be.
    var source: IPAddress?

    /// The Ethernet address of a virtual router (RFC 9568 §7.3).
    static func address(_ vrid: UInt8, _ family: IPAddress.Family) -> MACAddress {
        MACAddress(octets: [0, 0, 0x5e, 0, family == .v4 ? 1 : 2, vrid])
    }
}

/// Which interface each virtual address goes on, and which of those are made for it.
///
/// Pure, and the same for the same configuration and the same interfaces.
///
/// With `use_vmac`, the instance's own interface stands for the one made on top of it, for
/// addresses of the instance's family. With `use_vmac_addr`, or `use_vmac` after an address, the
/// others get interfaces of their own, one for each interface and family.
struct AddressPlacement: Hashable {
    /// What an interface for some addresses is told by.
    private struct Extra: Hashable {
        var base: InterfaceName
        var family: IPAddress.Family
        var vrid: UInt8
    }

    private var names: [Extra: InterfaceName] = [:]

    /// - Parameters:
    ///   - configuration: every name that it uses is kept clear of.
    ///   - isTaken: whether an interface of that name exists that is not what would be made: not a
    ///     macvlan on that base with that address.
    init(
        _ configuration: Configuration,
        isTaken: (InterfaceName, _ base: InterfaceName, MACAddress) -> Bool = { _, _, _ in false }
    ) {
        let prefix = configuration.global.vmacAddressPrefix ?? configuration.global.vmacPrefix
        var used = Set(configuration.instances.compactMap(\.virtualInterface?.name))
        for instance in configuration.instances {
            for address in instance.virtualAddresses + instance.excludedAddresses {
                guard let extra = Self.extra(for: address, in: instance), names[extra] == nil,
                    let name = Self.names(extra, prefix).first(where: { name in
                        !used.contains(name)
                            && !isTaken(name, extra.base, Self.address(extra, instance))
                    })
                else { continue }
                names[extra] = name
                used.insert(name)
            }
        }
    }

    /// The interface that an address goes on.
    func interface(of address: VirtualAddress, in instance: VRRPInstance) -> InterfaceName {
        switch instance.device(for: address) {
        case .interface(let name): name
        case .macvlan(let base):
            Self.extra(for: address, in: instance).flatMap { names[$0] } ?? base
        }
    }

    /// The interfaces that an instance needs made, its own first.
    func plans(for instance: VRRPInstance) -> [VirtualInterfacePlan] {
        var plans: [VirtualInterfacePlan] = []
        let all = instance.virtualAddresses + instance.excludedAddresses
        if let own = instance.virtualInterface {
            plans.append(
                VirtualInterfacePlan(
                    kind: own.kind, name: own.name, base: instance.interface,
                    address: own.kind == .ipvlan
                        ? nil
                        : own.address
                            ?? VirtualInterfacePlan.address(
                                instance.virtualRouterID, instance.family),
                    mode: own.mode, family: instance.family,
                    hasOtherFamily: instance.excludedAddresses.contains {
                        $0.address.address.family != instance.family
                    }, transmits: !own.transmitsFromBase, interfaceAddress: own.interfaceAddress,
                    source: instance.sourceAddress))
        }
        for address in all {
            guard let extra = Self.extra(for: address, in: instance), let name = names[extra],
                !plans.contains(where: { $0.name == name })
            else { continue }
            plans.append(
                VirtualInterfacePlan(
                    kind: .macvlan, name: name, base: extra.base,
                    address: Self.address(extra, instance), family: extra.family))
        }
        return plans
    }

    /// What an address needs made for it besides its instance's own interface; nil: nothing.
    private static func extra(for address: VirtualAddress, in instance: VRRPInstance) -> Extra? {
        guard case .macvlan(let base) = instance.device(for: address) else { return nil }
        return Extra(
            base: base, family: address.address.address.family, vrid: instance.virtualRouterID)
    }

    private static func address(_ extra: Extra, _ instance: VRRPInstance) -> MACAddress {
        instance.virtualInterface?.address ?? VirtualInterfacePlan.address(extra.vrid, extra.family)
    }

    /// The names to choose from, the first that is free: `vrrp.51`, `vrrp1.51`, `vrrp2.51`...; for
    /// IPv6 `vrrp6.51` second. `vrrp` is `vmac_addr_prefix`, or else `vmac_prefix`.
    private static func names(_ extra: Extra, _ prefix: String) -> [InterfaceName] {
        let numbers = 1...99
        let marks =
            extra.family == .v6
            ? ["", "6"] + numbers.filter { $0 != 6 }.map(String.init)
            : [""] + numbers.map(String.init)
        return marks.compactMap { InterfaceName("\(prefix)\($0).\(extra.vrid)") }
    }
}
