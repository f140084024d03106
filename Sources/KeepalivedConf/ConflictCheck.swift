import NetworkTypes

/// What instances may not have in common: keepalived's `check_vrid_conflicts` and
/// `check_vmac_conflicts`.
struct ConflictCheck: Reading {
    var diagnostics: [ConfDiagnostic] = []
    private(set) var instances: [VRRPInstance]
    private let drafts: [InstanceDraft]

    init(_ instances: [VRRPInstance], drafts: [InstanceDraft]) {
        self.instances = instances
        self.drafts = drafts
    }

    /// Where an instance's number stands.
    private func position(_ instance: VRRPInstance) -> SourcePosition {
        drafts.first { $0.name == instance.name }?.virtualRouterIDPosition ?? instance.position
    }

    /// What no two instances may share, when they send to a group.
    private struct Key: Hashable {
        var virtualRouterID: UInt8
        var family: IPAddress.Family
        var interface: InterfaceName
        var group: IPAddress
    }

    /// Checks all instances against each other.
    mutating func run(_ global: GlobalDefinitions) {
        var owners: [Key: String] = [:]
        owners.reserveCapacity(instances.count)
        for instance in instances where !instance.usesUnicast {
            let group =
                instance.multicastGroup
                ?? (instance.family == .v4
                    ? .v4(global.multicastGroup4) : .v6(global.multicastGroup6))
            let key = Key(
                virtualRouterID: instance.virtualRouterID, family: instance.family,
                interface: instance.interface, group: group)
            guard let other = owners[key] else {
                owners[key] = instance.name
                continue
            }
            refused(
                position(instance),
                "\(other) and \(instance.name) both use VRID \(instance.virtualRouterID) with"
                    + " \(instance.family == .v4 ? "IPv4" : "IPv6") on interface"
                    + " \(instance.interface)", namesLine: false)
        }
        checkUnicast()
        checkVirtualInterfaces()
    }

    /// With unicast a number belongs to a pair of addresses.
    private mutating func checkUnicast() {
        let unicast = instances.filter(\.usesUnicast)
        for (index, instance) in unicast.enumerated() {
            for other in unicast[..<index]
            where other.virtualRouterID == instance.virtualRouterID
                && other.family == instance.family && other.interface == instance.interface
                && other.sourceAddress == instance.sourceAddress
                && !Set(other.unicastPeers).isDisjoint(with: instance.unicastPeers)
            {
                refused(
                    position(instance),
                    "(\(other.name)) duplicate VRID conflict with \(instance.name) VRID"
                        + " \(instance.virtualRouterID)", namesLine: false)
            }
        }
    }

    /// An address of one instance cannot be on the interface that another has made, unless they
    /// change state together.
    private mutating func checkVirtualInterfaces() {
        for index in instances.indices {
            let instance = instances[index]
            guard let name = instance.virtualInterface?.name else { continue }
            for other in instances[..<index]
            where other.virtualRouterID == instance.virtualRouterID
                && (other.syncGroup == nil || other.syncGroup != instance.syncGroup)
            {
                let addresses = other.virtualAddresses + other.excludedAddresses
                for address in addresses where address.interface == name {
                    let message =
                        "(\(other.name)) VIP/eVIP \(address.address.address) uses same VMAC as"
                        + " VRRP instance \(instance.name), disabling \(instance.name)"
                    adjusted(address.position, message, namesLine: false)
                    instances[index].configurationFaults.append(message)
                }
            }
        }
    }
}

extension VRRPInstance {
    /// Whether it sends to peers rather than to a group.
    public var usesUnicast: Bool { !unicastPeers.isEmpty }
}
