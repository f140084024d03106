public import NetworkTypes

// The interfaces that an instance makes for itself, and which addresses go on them.
extension InstanceCompletion {
    /// Names the interface, and corrects what does not go with it.
    mutating func completeVirtualInterface(of instance: inout VRRPInstance) {
        instance.usesVMACForOtherAddresses = draft.coversOtherInterfaces
        if let written = draft.virtualInterface {
            complete(written, of: &instance)
        } else if let position = draft.transmitsFromBasePosition {
            correct(position, "vmac_xmit_base is only valid with a vmac")
        }
        let (interface, family) = (instance.interface, instance.family)
        let isMacvlan = instance.virtualInterface?.kind == .macvlan
        placeAddresses(&instance.virtualAddresses, on: interface, family, isMacvlan: isMacvlan)
        placeAddresses(&instance.excludedAddresses, on: interface, family, isMacvlan: isMacvlan)
        guard instance.extraAnnouncementInterval != .zero else { return }
        let addresses = instance.virtualAddresses + instance.excludedAddresses
        let hasOwn = addresses.contains {
            if case .macvlan = instance.device(for: $0) { true } else { false }
        }
        let base = instance.virtualInterface?.name ?? instance.interface
        let hasOther = addresses.contains {
            if case .interface(let name) = instance.device(for: $0) { name != base } else { false }
        }
        if !hasOwn, !(hasOther && instance.announcesOnAllInterfaces) {
            instance.extraAnnouncementInterval = .zero
        }
    }

    private mutating func complete(
        _ written: VirtualInterfaceDraft, of instance: inout VRRPInstance
    ) {
        guard
            let name = written.name
                ?? instance.freeName(
                    prefix: globals.definitions.vmacPrefix, besides: namesInUse)
        else { return }
        var own = VRRPInstance.VirtualInterface(kind: written.kind, name: name)
        own.nameIsWritten = written.name != nil
        own.mode = written.mode ?? .bridge
        own.coversOtherInterfaces = draft.coversOtherInterfaces
        own.interfaceAddress = written.interfaceAddress
        own.transmitsFromBase = draft.transmitsFromBasePosition != nil
        own.address = written.address.map {
            written.endsInVirtualRouterID
                ? MACAddress(rawValue: $0.rawValue | UInt64(instance.virtualRouterID)) : $0
        }
        if isStrict, own.address != nil {
            adjusted(
                written.position,
                "\(tag): cannot specify MAC address with strict mode - clearing", namesLine: false)
            own.address = nil
        }
        if isStrict, own.transmitsFromBase, own.kind == .macvlan {
            correct(
                draft.transmitsFromBasePosition,
                "xmit_base is incompatible with strict mode - resetting")
            own.transmitsFromBase = false
        }
        if instance.promotesSecondaries {
            correct(
                draft.promotesSecondariesPosition,
                "promote_secondaries is automatically set for vmacs - ignoring")
            instance.promotesSecondaries = false
        }
        if own.kind == .ipvlan { completeIPVLAN(&own, written, of: &instance) }
        instance.virtualInterface = own
        instance.virtualInterfacePosition = written.position
    }

    private mutating func completeIPVLAN(
        _ own: inout VRRPInstance.VirtualInterface, _ written: VirtualInterfaceDraft,
        of instance: inout VRRPInstance
    ) {
        if instance.family == .v4, own.interfaceAddress == nil {
            let message =
                "IPv4 ipvlan requires a source ip address to be configured. setting instance to"
                + " fault state"
            correct(written.position, message)
            instance.configurationFaults.append(message)
        }
        if own.transmitsFromBase {
            correct(
                draft.transmitsFromBasePosition, "vmac_xmit_base is only valid with a vmac")
            own.transmitsFromBase = false
        }
    }

    /// Clears `use_vmac` of addresses where it has no effect of its own, and puts the addresses of
    /// the instance's interface on the virtual one.
    private mutating func placeAddresses(
        _ addresses: inout [VirtualAddress], on interface: InterfaceName,
        _ family: IPAddress.Family, isMacvlan: Bool
    ) {
        for index in addresses.indices where addresses[index].usesVMAC {
            let address = addresses[index]
            let isHome = address.interface == interface
            let isOwnFamily = address.address.address.family == family
            if isHome, isOwnFamily, isMacvlan {
                correct(
                    address.position,
                    "use_vmac specified for VIP/eVIP \(address.address.address) and vrrp instance")
                addresses[index].usesVMAC = false
            } else if !(isHome && isOwnFamily), draft.coversOtherInterfaces {
                correct(
                    address.position,
                    "use_vmac_addr specified and use_vmac specified for VIP/eVIP"
                        + " \(address.address.address)")
                addresses[index].usesVMAC = false
            }
        }
    }
}

extension VRRPInstance {
    /// Where an address is set.
    public enum AddressDevice: Hashable, Sendable {
        /// On that interface, which may be the one that the instance makes.
        case interface(InterfaceName)
        /// On a macvlan of its own above that interface, with the virtual router's MAC address for
        /// the address's family (`use_vmac` of an address, `use_vmac_addr`).
        case macvlan(above: InterfaceName)
    }

    /// The first name of keepalived's for its own interface that no other instance has: `vrrp.51`,
    /// then `vrrp1.51` and so on, for IPv6 `vrrp6.51` before those.
    func freeName(prefix: String, besides used: Set<InterfaceName>) -> InterfaceName? {
        let numbers = family == .v6 ? [0, 6, 1, 2, 3, 4, 5] + Array(7...99) : Array(0...99)
        for number in numbers {
            let end = "\(number == 0 ? "" : String(number)).\(virtualRouterID)"
            let start = prefix.utf8.prefix(InterfaceName.maximumLengthBytes - end.utf8.count)
            if let name = InterfaceName(String(decoding: start, as: UTF8.self) + end),
                !used.contains(name)
            {
                return name
            }
        }
        return nil
    }

    /// Where that address of the instance is set: with `use_vmac` what would be on the instance's
    /// interface is on the virtual one, when it is of the instance's family.
    public func device(for address: VirtualAddress) -> AddressDevice {
        let isOwnFamily = address.address.address.family == family
        guard address.interface == interface else {
            return address.usesVMAC || usesVMACForOtherAddresses
                ? .macvlan(above: address.interface) : .interface(address.interface)
        }
        if let own = virtualInterface, own.kind == .macvlan, isOwnFamily {
            return .interface(own.name)
        }
        return address.usesVMAC || usesVMACForOtherAddresses && !isOwnFamily
            ? .macvlan(above: interface) : .interface(interface)
    }
}
