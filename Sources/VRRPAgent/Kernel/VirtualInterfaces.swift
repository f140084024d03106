import KeepalivedConf
import Netlink
import NetworkTypes
import SystemPackage

/// The interfaces that the agent makes for virtual routers (`use_vmac`, `use_ipvlan`,
/// `use_vmac_addr`), with the kernel's parameters that they need.
///
/// They are made at the start and stay in every state: a backup's have no address and so answer
/// nobody, and what is sent to their Ethernet address is discarded. Nothing here throws: what the
/// kernel refuses is logged with the instance.
final class VirtualInterfaces {
    private let kernel: KernelShell
    private let filter: PacketFilter
    private let parameters: KernelParameters
    private let log: Log
    /// Whether group reports are left alone (`disable_local_igmp`), for IPv4.
    private let keepsReports: Bool
    /// What is there, by name, and whose it is.
    private var made: [InterfaceName: Made] = [:]
    /// The instances that are not master, as far as they have said so.
    private var waiting: Set<String> = []

    private struct Made {
        var plan: VirtualInterfacePlan
        var device: Device
        /// The instance's name.
        var name: String
        var owner: String { VirtualInterfaces.owner(name) }
    }

    /// Who log lines are about.
    private static func owner(_ name: String) -> String { "(\(name))" }

    init(
        kernel: KernelShell, filter: PacketFilter, parameters: KernelParameters, log: Log,
        keepsReports: Bool = false
    ) {
        self.kernel = kernel
        self.filter = filter
        self.parameters = parameters
        self.log = log
        self.keepsReports = keepsReports
    }

    /// The parameters of the interface below that a macvlan for IPv4 needs: it answers only for
    /// its own addresses, and for those only by the interface they are on.
    private static func baseParameters(_ base: InterfaceName) -> [String] {
        ["arp_ignore", "arp_filter"].map { KernelParameters.ipv4(base.text, $0) }
    }

    // MARK: Making

    /// Makes what the plans of an instance say, where it is not there, and removes what it had and
    /// needs no more.
    ///
    /// An interface that is there as it should be, left by an earlier run that was killed, is
    /// taken over.
    ///
    /// - Returns: whether all are there. Without its interface an instance is in FAULT; call this
    ///   again when the base has appeared, or when one was removed by hand.
    @discardableResult
    func make(_ plans: [VirtualInterfacePlan], for name: String) -> Bool {
        for (interface, made) in made.sorted(by: { $0.key < $1.key })
        where made.name == name && !plans.contains(made.plan) {
            remove(interface)
        }
        var isComplete = true
        for plan in plans where !make(plan, for: name) { isComplete = false }
        return isComplete
    }

    /// Takes in whether an instance is master. While it is not, it discards frames to its virtual
    /// MAC (RFC 9568 §6.4.2): the kernel forwards what comes in by any interface, with an address
    /// or without. (keepalived lets it.)
    func setMaster(_ isMaster: Bool, for name: String) {
        if isMaster { waiting.remove(name) } else { waiting.insert(name) }
        for made in made.values where made.name == name { discard(to: made) }
    }

    private func discard(to made: Made) {
        guard made.plan.kind == .macvlan else { return }
        if waiting.contains(made.name) {
            filter.discard(to: made.device, made.plan.families)
        } else {
            filter.stopDiscarding(to: made.device)
        }
    }

    private func make(_ plan: VirtualInterfacePlan, for name: String) -> Bool {
        let owner = Self.owner(name)
        if let made = made[plan.name] {
            if kernel.interfaces[index: made.device.index]?.device.name == plan.name { return true }
            // Somebody removed it; its base's parameters are still as they should be.
            forget(made)
        }
        guard let base = kernel.device(plan.base) else { return false }
        guard prepare(plan, base, for: owner) else { return false }
        let isNew = kernel.device(plan.name) == nil
        guard let device = isNew ? create(plan, base, for: owner) : kernel.device(plan.name) else {
            return false
        }
        let new = Made(plan: plan, device: device, name: name)
        made[plan.name] = new
        discard(to: new)
        if plan.kind == .macvlan { setParameters(plan) }
        if plan.kind == .macvlan, plan.family == .v6 || !keepsReports {
            filter.move(device, to: base, plan.families)
        }
        let needsIPv6 = plan.family == .v6 || plan.hasOtherFamily
        if parameters.value(KernelParameters.ipv6(plan.name.text, "disable_ipv6")) != nil {
            parameters.set(
                KernelParameters.ipv6(plan.name.text, "disable_ipv6"), to: needsIPv6 ? 0 : 1)
        }
        setUp(plan, device, for: owner)
        return true
    }

    /// Clears the way for an interface.
    ///
    /// - Returns: false when an interface that is not the agent's to remove has its name.
    private func prepare(
        _ plan: VirtualInterfacePlan, _ base: Device, for owner: String
    ) -> Bool {
        guard let old = kernel.interfaces[plan.name] else { return true }
        let sort = plan.kind == .macvlan ? "VMAC" : "ipvlan"
        guard old.kind == plan.linkKind.rawValue else {
            log.line("\(owner) \(sort) \(plan.name) conflicts with existing interface")
            return false
        }
        let isRight =
            old.baseIndex == base.index
            && (plan.kind == .ipvlan
                || old.mac == plan.address && old.macvlanMode == VirtualLink.privateMode)
        guard !isRight else { return true }
        log.line(
            "\(owner) Removing old \(sort) interface \(plan.name) due to conflicting interface")
        kernel.delete(old.device, for: "\(owner) ")
        return true
    }

    private func create(
        _ plan: VirtualInterfacePlan, _ base: Device, for owner: String
    ) -> Device? {
        let sort = plan.kind == .macvlan ? "VMAC" : "ipvlan"
        do throws(NetlinkError) {
            var link = VirtualLink(
                plan.linkKind, name: plan.name, base: base, address: plan.address)
            link.ipvlanFlags = plan.mode.rawValue
            let device = try kernel.make(link)
            log.detail("\(owner): Success creating \(sort) interface \(plan.name)")
            return device
        } catch {
            // A kernel without macvlan or ipvlan says EOPNOTSUPP.
            log.line("\(owner): Unable to create \(sort) interface \(plan.name): \(error)")
            return nil
        }
    }

    private func setParameters(_ plan: VirtualInterfacePlan) {
        guard plan.family == .v4 else {
            // Or it would answer ARP, with an Ethernet address for IPv6, for every IPv4 address of
            // the machine: RFC 9568 §8.1.2. (keepalived's do.)
            return parameters.set(KernelParameters.ipv4(plan.name.text, "arp_ignore"), to: 1)
        }
        parameters.moveReversePathFilter(kernel.interfaces.names.subtracting(made.keys))
        let values = [
            ("arp_ignore", 1), ("accept_local", 1), ("rp_filter", 0), ("promote_secondaries", 1),
        ]
        for (name, value) in values {
            parameters.set(KernelParameters.ipv4(plan.name.text, name), to: value)
        }
        for parameter in Self.baseParameters(plan.base) { parameters.borrow(parameter, as: 1) }
    }

    private func setUp(_ plan: VirtualInterfacePlan, _ device: Device, for owner: String) {
        var requests: [Request] = []
        do throws(NetlinkError) {
            // Neither of these can be part of the request that makes it, and the first must be in
            // effect before the second.
            if plan.kind == .macvlan { requests.append(try .withoutLinkLocalAddress(device)) }
            requests.append(try .set(device, .up))
        } catch {
            log.line("\(owner) \(error)")
        }
        kernel.perform(requests, for: "\(owner) ")
        if plan.family == .v6, plan.kind == .macvlan, plan.transmits,
            let source = linkLocalSource(plan)
        {
            kernel.assign(
                InterfaceAddress(source, prefixLength: 64), to: device, scope: .link,
                preferredSeconds: 0, for: "\(owner) ")
        }
        if let address = plan.interfaceAddress {
            kernel.assign(address, to: device, for: "\(owner) ")
        }
    }

    /// What advertisements have as their source that leave by a macvlan with its own Ethernet
    /// address: the written one, or the base's, which no virtual address is (RFC 9568 §7.4).
    private func linkLocalSource(_ plan: VirtualInterfacePlan) -> IPAddress? {
        if let source = plan.source, source.family == .v6 { return source }
        if let own = kernel.interfaces.source(.v6, on: plan.base, without: []) {
            return own
        }
        guard let octets = kernel.interfaces[plan.base]?.mac?.octets else { return nil }
        // Modified EUI-64 (RFC 4291, appendix A).
        let identifier =
            [octets[0] ^ 0x02, octets[1], octets[2], 0xff, 0xfe] + octets[3...5]
        return IPAddress(octets: [0xfe, 0x80, 0, 0, 0, 0, 0, 0] + identifier)
    }

    /// Takes in that instances have other names from now on.
    ///
    /// - Parameter names: the new ones by the old ones.
    func rename(_ names: [String: String]) {
        for (interface, made) in made { self.made[interface]?.name = names[made.name] ?? made.name }
        waiting = Set(waiting.map { names[$0] ?? $0 })
    }

    // MARK: Removing

    /// Removes an instance's interfaces.
    func remove(for name: String) {
        make([], for: name)
        waiting.remove(name)
    }

    /// Removes all: at the end.
    func removeAll() { for interface in made.keys.sorted() { remove(interface) } }

    private func remove(_ name: InterfaceName) {
        guard let made = made[name] else { return }
        filter.stopMoving(made.device)
        filter.stopDiscarding(to: made.device)
        if kernel.interfaces[index: made.device.index]?.device.name == name {
            kernel.delete(made.device, for: "\(made.owner) ")
            let sort = made.plan.kind == .macvlan ? "VMAC" : "ipvlan"
            log.detail("\(made.owner) Success removing \(sort) interface \(name)")
        }
        release(made)
    }

    private func forget(_ made: Made) {
        filter.stopMoving(made.device)
        filter.stopDiscarding(to: made.device)
        release(made)
    }

    private func release(_ made: Made) {
        self.made[made.plan.name] = nil
        guard made.plan.kind == .macvlan, made.plan.family == .v4 else { return }
        for parameter in Self.baseParameters(made.plan.base) { parameters.release(parameter) }
    }
}

extension VirtualInterfacePlan {
    /// The families whose addresses its instance has, its own first.
    fileprivate var families: [IPAddress.Family] {
        [family] + (hasOtherFamily ? [family == .v4 ? .v6 : .v4] : [])
    }

    fileprivate var linkKind: VirtualLink.Kind {
        switch kind {
        case .macvlan: .macvlan
        case .ipvlan: .ipvlan
        }
    }
}
