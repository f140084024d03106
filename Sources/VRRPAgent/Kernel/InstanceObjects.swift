import KeepalivedConf
import Netlink
import NetworkTypes

/// What a virtual router has in the kernel's tables while it is master: its addresses, routes and
/// rules, in keepalived's order and with its log lines. Nothing here throws: what the kernel
/// refuses is logged with the instance and the object.
final class InstanceObjects {
    private(set) var instance: VRRPInstance
    private let kernel: KernelShell
    private let firewall: PacketFilter
    private let log: Log

    /// Whether they were set and not removed since.
    private(set) var isSet = false

    /// The interfaces that take the place of those the addresses were written for.
    private var placement: AddressPlacement

    /// - Parameter placement: where addresses go; with `use_vmac` not where they were written for.
    init(
        _ instance: VRRPInstance, placement: AddressPlacement, kernel: KernelShell,
        firewall: PacketFilter, log: Log
    ) {
        self.instance = instance
        self.placement = placement
        self.kernel = kernel
        self.firewall = firewall
        self.log = log
    }

    private var owner: String { "(\(instance.name)) " }

    /// Whether packets to the addresses are dropped (`no_accept`). Never the owner's.
    private var dropsPackets: Bool { !instance.acceptsPackets && instance.priority != 255 }

    private var parts: Parts { Parts(instance, placement) }

    /// An instance's objects by the lists they are in.
    private struct Parts {
        var addresses: [KernelObject]
        var excluded: [KernelObject]
        var routes: [KernelObject]
        var rules: [KernelObject]

        init(_ instance: VRRPInstance, _ placement: AddressPlacement) {
            func placed(_ address: VirtualAddress) -> KernelObject {
                KernelObject(address, on: placement.interface(of: address, in: instance))
            }
            addresses = instance.virtualAddresses.map(placed)
            excluded = instance.excludedAddresses.map(placed)
            routes = instance.virtualRoutes.map { KernelObject($0) }
            rules = instance.virtualRules.map { KernelObject($0) }
        }

        /// Leaves out the others.
        mutating func keep(_ isKept: (KernelObject) -> Bool) {
            for list in [\Parts.addresses, \.excluded, \.routes, \.rules] {
                self[keyPath: list].removeAll { !isKept($0) }
            }
        }
    }

    /// The interface that an address goes on.
    func interface(of address: VirtualAddress) -> InterfaceName {
        placement.interface(of: address, in: instance)
    }

    // MARK: Changes of state

    /// What ``set()`` puts in place, made in advance.
    private final class Preparation {
        let parts: Parts
        /// Adds the addresses; nil where that is not possible in one go.
        let additions: RequestBatch?
        /// The interfaces' for which `additions` were made.
        let generation: UInt64

        init(_ parts: Parts, _ kernel: KernelShell) {
            self.parts = parts
            additions = kernel.additions(of: parts.addresses)
            generation = kernel.interfaces.generation
        }
    }

    private var preparation: Preparation?

    /// Makes what ``set()`` needs: in a takeover every moment counts.
    func prepare() { _ = prepared() }

    /// Gives the memory of what was prepared back.
    func unprepare() { preparation = nil }

    private func prepared() -> Preparation {
        if let preparation, preparation.generation == kernel.interfaces.generation {
            return preparation
        }
        let made = Preparation(parts, kernel)
        preparation = made
        return made
    }

    /// Puts everything in place: on becoming master.
    func set() {
        let prepared = prepared()
        if dropsPackets {
            log.detail("\(owner)setting firewall drop rule")
            firewall.drop(prepared.parts.addresses + prepared.parts.excluded, of: owner)
        }
        if let additions = prepared.additions, !prepared.parts.addresses.isEmpty {
            log.detail("\(owner)setting VIPs.")
            kernel.add(additions, for: owner)
        } else {
            step("setting VIPs.", prepared.parts.addresses, kernel.add)
        }
        step("setting E-VIPs.", prepared.parts.excluded, kernel.add)
        step("setting Virtual Routes", prepared.parts.routes, kernel.add)
        step("setting Virtual Rules", prepared.parts.rules, kernel.add)
        isSet = true
    }

    /// Takes everything away: on leaving master.
    func remove() {
        guard isSet else { return }
        isSet = false
        remove(parts, by: kernel.remove)
    }

    /// Takes away what an earlier run that was killed has left.
    ///
    /// To be called before the instance's own interface is made: on one that was not there nothing
    /// can be left, and as in keepalived nothing is said then.
    ///
    /// keepalived leaves routes where they are; they would outlive a router that never becomes
    /// master again.
    func removeStale() {
        var parts = parts
        parts.keep { $0.key(kernel.device) != nil }
        remove(parts, by: kernel.removeKnown)
    }

    private func remove(_ parts: Parts, by remove: ([KernelObject], String) -> Void) {
        let (addresses, excluded) = (parts.addresses, parts.excluded)
        step("removing Virtual Rules", parts.rules, remove)
        step("removing Virtual Routes", parts.routes, remove)
        step("removing VIPs.", addresses, remove)
        step("removing E-VIPs.", excluded, remove)
        if dropsPackets, !(addresses + excluded).isEmpty {
            log.detail("\(owner)removing firewall drop rule")
            firewall.allow(addresses + excluded, of: owner)
        }
    }

    private func step(
        _ line: StaticString, _ objects: [KernelObject],
        _ change: ([KernelObject], String) -> Void
    ) {
        guard !objects.isEmpty else { return }
        log.detail("\(owner)\(line)")
        change(objects, owner)
    }

    // MARK: Reload

    /// Takes on another configuration of the same virtual router. While they are set, only what
    /// differs is touched: first what is gone is removed, as it may be in the way of what is new.
    ///
    /// - Parameter nextPlacement: where addresses go from now on; nil: where they went.
    func reconfigure(_ next: VRRPInstance, _ nextPlacement: AddressPlacement? = nil) {
        let (old, dropped) = (parts, dropsPackets)
        instance = next
        if let nextPlacement { placement = nextPlacement }
        if preparation != nil {
            unprepare()
            prepare()
        }
        guard isSet else { return }
        let new = parts
        func difference(_ list: KeyPath<Parts, [KernelObject]>) -> KernelDifference {
            KernelDifference(from: old[keyPath: list], to: new[keyPath: list])
        }
        let addresses = KernelDifference(
            from: old.addresses + old.excluded, to: new.addresses + new.excluded)
        let (routes, rules) = (difference(\.routes), difference(\.rules))
        kernel.remove(rules.removed, for: owner)
        kernel.remove(routes.removed, for: owner)
        kernel.remove(addresses.removed, for: owner)
        let oldDrops = dropped ? old.addresses + old.excluded : []
        let newDrops = dropsPackets ? new.addresses + new.excluded : []
        for address in addresses.removed {
            log.line("\(owner)ip address \(address), no longer exist")
        }
        let drops = KernelDifference(from: oldDrops, to: newDrops)
        firewall.allow(drops.removed, of: owner)
        firewall.drop(drops.added, of: owner)
        kernel.add(addresses.added, for: owner)
        // A route goes with the address it has as its source, and an interface's with its first
        // address: where addresses went, all are asked for again.
        kernel.add(addresses.removed.isEmpty ? routes.added : new.routes, for: owner)
        kernel.add(rules.added, for: owner)
    }

    /// Says after a reload that everything is set, as keepalived does, which sets it all again.
    func confirm() {
        guard isSet, log.isDetailed else { return }
        let parts = parts
        for (line, objects) in [
            ("setting VIPs.", parts.addresses), ("setting E-VIPs.", parts.excluded),
            ("setting Virtual Routes", parts.routes), ("setting Virtual Rules", parts.rules),
        ] where !objects.isEmpty { log.detail("\(owner)\(line)") }
    }

    // MARK: Interference

    /// What somebody else has taken away that should be there, but for what is not tracked.
    ///
    /// An interface that is gone takes its addresses and routes along; that is told as what it is,
    /// and they are not missing.
    func missing(_ report: KernelShell.Report) -> [KernelObject] {
        guard isSet, !report.gone.isEmpty else { return [] }
        let addresses = (instance.virtualAddresses + instance.excludedAddresses).filter(\.isTracked)
            .map { KernelObject($0, on: interface(of: $0)) }
        let routes = instance.virtualRoutes.filter(\.isTracked).map { KernelObject($0) }
        let rules = instance.virtualRules.filter(\.isTracked).map { KernelObject($0) }
        return (addresses + routes + rules).filter { object in
            object.key(kernel.device).map(report.gone.contains) ?? false
        }
    }
}

/// What is to be done to get from some objects to others.
struct KernelDifference: Hashable {
    /// In the order in which they were.
    var removed: [KernelObject]
    /// In the order in which they will be.
    var added: [KernelObject]

    init(from old: [KernelObject], to new: [KernelObject]) {
        let (before, after) = (Set(old), Set(new))
        removed = old.filter { !after.contains($0) }
        added = new.filter { !before.contains($0) }
    }
}
