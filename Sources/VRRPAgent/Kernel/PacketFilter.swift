import KeepalivedConf
import Netlink
import NetworkTypes

/// The agent's tables of the packet filter: keepalived's, rule by rule.
///
/// They drop packets to and from virtual addresses that are not to be accepted (`no_accept`, RFC
/// 9568 §6.4.3), but for neighbour discovery (§6.1), and move a macvlan's group reports to its
/// base, so that switches learn the groups' members by the base's address. Beyond keepalived's they
/// drop what is sent to the virtual MAC of a backup (§6.4.2), which the kernel would forward.
///
/// Made when they are first needed, one per family, and removed at the end.
final class PacketFilter {
    private let table: String
    private let kernel: KernelShell
    private let log: Log
    /// Nil where the kernel has no packet filter.
    private var socket: FilterSocketBox?
    private var tables: Set<IPAddress.Family> = []
    /// The families in which the rules about virtual addresses, or about macvlans, are there.
    private var accepting: Set<IPAddress.Family> = []
    private var moving: Set<IPAddress.Family> = []
    private var linkLocal = false
    /// What is in the sets, and how often it was asked for.
    private var dropped: [Entry: Int] = [:]
    private var macvlans: [IPAddress.Family: [Device: Device]] = [:]
    /// The macvlans of backups; nil before there was one in that family.
    private var waiting: [IPAddress.Family: Set<Device>] = [:]

    /// Holds what cannot be copied, until it is needed none.
    private final class FilterSocketBox {
        let socket: FilterSocket
        init() throws(NetlinkError) { socket = try FilterSocket() }
        func perform(_ batch: FilterBatch) throws(NetlinkError) { try socket.perform(batch) }
    }

    /// An element of a set of virtual addresses.
    struct Entry: Hashable {
        var address: IPAddress
        /// The interface, for a link-local address.
        var device: Device?

        var family: IPAddress.Family { address.family }
        var set: String { device == nil ? "vips" : "vips_link_local" }
        var element: FilterBatch.Element {
            .init(address.octets + (device.map(FilterBatch.Element.octets) ?? []))
        }
    }

    init(table: String, kernel: KernelShell, log: Log) {
        self.table = table
        self.kernel = kernel
        self.log = log
    }

    // MARK: Virtual addresses

    /// Drops packets to and from addresses.
    func drop(_ objects: [KernelObject], of owner: String) {
        change(objects, of: owner, by: 1)
    }

    /// Takes that back.
    func allow(_ objects: [KernelObject], of owner: String) {
        change(objects, of: owner, by: -1)
    }

    private func change(_ objects: [KernelObject], of owner: String, by step: Int) {
        let entries = objects.compactMap(entry)
        for family in [IPAddress.Family.v4, .v6] {
            var elements: [String: [FilterBatch.Element]] = [:]
            var counts = dropped
            for entry in entries where entry.family == family {
                let count = (counts[entry] ?? 0) + step
                // Not asked for: removal of what an earlier run may have left.
                guard count >= 0 else { continue }
                counts[entry] = count == 0 ? nil : count
                if step > 0 ? count == 1 : count == 0 {
                    elements[entry.set, default: []].append(entry.element)
                }
            }
            guard !elements.isEmpty else { continue }
            let isDone = perform(family, for: owner) { batch throws(NetlinkError) in
                if step > 0 {
                    try addAcceptance(to: &batch, linkLocal: elements["vips_link_local"] != nil)
                }
                for (set, some) in elements.sorted(by: { $0.key < $1.key }) {
                    if step > 0 {
                        try batch.add(some, to: set)
                    } else {
                        try batch.remove(some, from: set)
                    }
                }
            }
            guard isDone else { continue }
            dropped = counts
            if step > 0 { accepting.insert(family) }
            if step > 0, elements["vips_link_local"] != nil { linkLocal = true }
        }
    }

    private func entry(_ object: KernelObject) -> Entry? {
        guard case .address(let address, let name) = object else { return nil }
        guard case .v6(let ipv6) = address.address.address, ipv6.isLinkLocal else {
            return Entry(address: address.address.address, device: nil)
        }
        // Remembered by its number alone: the name is only for messages.
        return kernel.device(name).map {
            Entry(address: address.address.address, device: Device(index: $0.index))
        }
    }

    /// The rules that drop what is in the sets, where they are not there yet.
    private func addAcceptance(
        to batch: inout FilterBatch, linkLocal needsLinkLocal: Bool
    ) throws(NetlinkError) {
        let isV6 = batch.family == .v6
        let family: IPAddress.Family = isV6 ? .v6 : .v4
        if !accepting.contains(family) {
            try batch.addChain("out", hook: .output, priority: -1)
            try batch.addChain("in", hook: .input, priority: -1)
            if isV6 { try batch.addChain("in_link_local") }
            if isV6 { try batch.addChain("out_link_local") }
            try batch.addSet("vips", of: isV6 ? .ipv6Address : .ipv4Address)
            if isV6 {
                try batch.addSet("neighbor-discovery", of: .icmpv6Type, isConstant: true)
                try batch.add([.init([135]), .init([136])], to: "neighbor-discovery")
            }
            for isIncoming in [true, false] {
                for rule in FilterRules.acceptance(family, isIncoming: isIncoming) {
                    try batch.addRule(to: isIncoming ? "in" : "out", rule)
                }
            }
        }
        guard isV6, needsLinkLocal, !linkLocal else { return }
        try batch.addSet("vips_link_local", of: .ipv6AddressOnDevice)
        for isIncoming in [true, false] {
            try batch.addRule(
                to: isIncoming ? "in_link_local" : "out_link_local",
                FilterRules.linkLocal(isIncoming: isIncoming))
        }
    }

    // MARK: Macvlans

    /// Sends the group reports that a macvlan would send by its base instead.
    func move(_ macvlan: Device, to base: Device, _ families: [IPAddress.Family]) {
        for family in families {
            guard macvlans[family]?[macvlan] == nil else { continue }
            let index = FilterBatch.Element.octets
            let isDone = perform(family, for: "") { batch throws(NetlinkError) in
                try addMoving(to: &batch)
                try batch.add([.init(index(macvlan), to: index(base))], to: "vmac_map")
                if family == .v6 { try batch.add([.init(index(macvlan))], to: "vmac_set") }
            }
            guard isDone else { continue }
            moving.insert(family)
            macvlans[family, default: [:]][macvlan] = base
        }
    }

    /// Takes that back: before the macvlan goes.
    func stopMoving(_ macvlan: Device) {
        for (family, devices) in macvlans {
            guard devices[macvlan] != nil else { continue }
            let index = FilterBatch.Element.octets
            perform(family, for: "") { batch throws(NetlinkError) in
                try batch.remove([.init(index(macvlan))], from: "vmac_map")
                if family == .v6 { try batch.remove([.init(index(macvlan))], from: "vmac_set") }
            }
            macvlans[family]?[macvlan] = nil
        }
    }

    /// Drops what is sent to a macvlan's own address: as backup.
    func discard(to macvlan: Device, _ families: [IPAddress.Family]) {
        for family in families where waiting[family]?.contains(macvlan) != true {
            let isDone = perform(family, for: "") { batch throws(NetlinkError) in
                if waiting[family] == nil {
                    try batch.addSet("vmac_waiting", of: .device)
                    try batch.addChain("waiting", hook: .prerouting, priority: -1)
                    try batch.addRule(to: "waiting", FilterRules.waiting)
                }
                try batch.add([.init(FilterBatch.Element.octets(of: macvlan))], to: "vmac_waiting")
            }
            if isDone { waiting[family, default: []].insert(macvlan) }
        }
    }

    /// Takes that back: as master, and before the macvlan goes.
    func stopDiscarding(to macvlan: Device) {
        for (family, devices) in waiting where devices.contains(macvlan) {
            perform(family, for: "") { batch throws(NetlinkError) in
                try batch.remove(
                    [.init(FilterBatch.Element.octets(of: macvlan))], from: "vmac_waiting")
            }
            waiting[family]?.remove(macvlan)
        }
    }

    private func addMoving(to batch: inout FilterBatch) throws(NetlinkError) {
        let family: IPAddress.Family = batch.family == .v6 ? .v6 : .v4
        guard !moving.contains(family) else { return }
        try batch.addSet("vmac_map", of: .device, to: .device)
        if batch.family == .v6 { try batch.addSet("vmac_set", of: .device) }
        try batch.addChain("out", hook: .output, priority: -1)
        for rule in FilterRules.moving(family).reversed() {
            try batch.addRule(to: "out", isFirst: true, rule)
        }
    }

    // MARK: Tables

    /// Removes tables that an earlier run has left.
    func removeStale() {
        for family in [IPAddress.Family.v4, .v6] {
            var batch = FilterBatch(family, table: table)
            do throws(NetlinkError) {
                try batch.deleteTable()
                try open()?.perform(batch)
                log.line("Deleting old ip\(family == .v4 ? "" : "6") \(table) table")
            } catch {
                // There is none, as it should be; or there is no packet filter at all, which
                // matters only to those who need it.
                continue
            }
        }
    }

    /// Removes the tables with all that is in them: at the end.
    func remove() {
        for family in tables {
            var batch = FilterBatch(family, table: table)
            do throws(NetlinkError) {
                try batch.deleteTable()
                try open()?.perform(batch)
            } catch {
                log.line("\(error)")
            }
        }
        tables = []
        accepting = []
        moving = []
        linkLocal = false
        dropped = [:]
        macvlans = [:]
        waiting = [:]
    }

    private func open() throws(NetlinkError) -> FilterSocketBox? {
        if socket == nil { socket = try FilterSocketBox() }
        return socket
    }

    /// Performs changes of a family's table, which it makes first where it is not there.
    ///
    /// - Returns: whether they were made; if not, it was logged.
    @discardableResult
    private func perform(
        _ family: IPAddress.Family, for owner: String,
        _ fill: (inout FilterBatch) throws(NetlinkError) -> Void
    ) -> Bool {
        var batch = FilterBatch(family, table: table)
        do throws(NetlinkError) {
            if !tables.contains(family) { try batch.addTable() }
            try fill(&batch)
            try open()?.perform(batch)
            tables.insert(family)
            return true
        } catch {
            log.line("\(owner)\(error)")
            return false
        }
    }
}
