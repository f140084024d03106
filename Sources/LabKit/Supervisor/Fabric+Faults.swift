import CLinux
import Glibc
import LabModel
import Netlink
import NetworkTypes

// What is broken in the lab's network, on the switches' side.
//
// A cable that is pulled is the port set down, which takes the node's carrier away. What vanishes
// in silence is thrown away by the packet filter of the bridges (nf_tables): where frames get in,
// before the bridge learns anything from them, and where they are about to get out.

extension Fabric {
    /// The packet filter's table; it is there only while something is thrown away.
    private static let filterTable = "labctl"

    /// Whether the cable of that port is down, for the moment or until somebody mends it.
    func isDown(_ port: DeploymentPlan.Port) -> Bool { isDown(port.endpoint) }

    /// Whether that of an endpoint is.
    func isDown(_ endpoint: Endpoint) -> Bool {
        faults.isPulled(endpoint) || flapsDown.contains(endpoint) || moving.contains(endpoint)
    }

    /// Breaks or mends something. When it returns, it is so; a port that is up again may take a
    /// moment to deliver, and a cable that is put into another switch is down (``moving``) until
    /// its node has seen that.
    ///
    /// - Throws: ``NetlinkError``; ``LabError/machine(_:)`` where this kernel has no nf_tables.
    func apply(_ fault: Fault) throws {
        try change {
            let places = faults.places
            faults.apply(fault)
            // A flap begins with its cable down.
            if case .flap(let endpoint, _) = fault { flapsDown.insert(endpoint) }
            flapsDown = flapsDown.filter { faults.flap(of: $0) != nil }
            moving = moving.filter { !faults.isPulled($0) }
            let moved = Set(places.keys).union(faults.places.keys).filter {
                places[$0] != faults.places[$0]
            }
            moving.formUnion(moved.filter { !faults.isPulled($0) })
            return moved
        }
    }

    /// Takes a flapping cable down, or lets it come up.
    ///
    /// - Throws: ``NetlinkError``.
    func setFlap(_ endpoint: Endpoint, isDown: Bool) throws {
        try change {
            if isDown { flapsDown.insert(endpoint) } else { flapsDown.remove(endpoint) }
            return []
        }
    }

    /// Lets cables come up that have been put into another switch.
    ///
    /// - Throws: ``NetlinkError``.
    func endMoves(of endpoints: Set<Endpoint>) throws {
        try change {
            moving.subtract(endpoints)
            return []
        }
    }

    /// Has the switches do what the faults are after `body`, which says whose cables it has moved.
    /// Where the kernel refuses, nothing counts as changed.
    private func change(_ body: () -> Set<Endpoint>) throws {
        let before = (faults, flapsDown, moving)
        let downBefore = plan.ports.filter(isDown)
        let pulledBefore = plan.hostPorts.filter { isDown($0.interface.endpoint) }
        let moved = body()
        let downAfter = plan.ports.filter(isDown)
        let pulledAfter = plan.hostPorts.filter { isDown($0.interface.endpoint) }
        do {
            // In an order in which no frame slips through between two kinds of breakage.
            try set(.down, downAfter.filter { !downBefore.contains($0) })
            try replug(plan.ports.filter { moved.contains($0.endpoint) })
            try setFilter(faults.filter(of: switchPlan))
            try silence(besides: faults.impostures)
            try set(.up, downBefore.filter { !downAfter.contains($0) })
            try setPulled(true, pulledAfter.filter { !pulledBefore.contains($0) })
            try setPulled(false, pulledBefore.filter { !pulledAfter.contains($0) })
        } catch {
            (faults, flapsDown, moving) = before
            throw error
        }
    }

    /// Sets ports up or down; those of a node that is down are made as they are to be when it
    /// starts.
    private func set(_ change: LinkChange, _ ports: [DeploymentPlan.Port]) throws {
        let ports = ports.filter { change != .up || !disconnected.contains($0.node) }
        try attemptUnlessGone(try ports.map { try .set($0.device, change) })
    }

    /// Puts ports, or what stands in for them, into the bridges that they belong to now.
    private func replug(_ ports: [DeploymentPlan.Port]) throws {
        var requests: [Request] = []
        for port in ports {
            let (bridge, splice) = (bridge(of: port), splices[port.endpoint])
            // Of one that is being prepared, both are in the bridge.
            let devices =
                (splice.map { [$0.inner] } ?? [])
                + (splice?.isInPlace ?? false ? [] : [port.device])
            for device in devices {
                requests.append(try .set(device, .master(bridge?.device)))
                if let bridge, bridge.isPointToPoint || filter.separated.contains(device.index) {
                    requests.append(try .setBridgePort(device, .learning(false)))
                }
            }
        }
        try attemptUnlessGone(requests)
    }

    /// Has the packet filter name the ports that the bridges have now.
    func refreshFilter() throws { try setFilter(faults.filter(of: switchPlan)) }

    private func setFilter(_ next: PortFilter) throws {
        guard next != filter else { return }
        var batch = FilterBatch(bridgeTable: Self.filterTable)
        if !filter.isEmpty { try batch.deleteTable() }
        if !next.isEmpty { try batch.add(next) }
        do {
            try FilterSocket().perform(batch)
        } catch {
            throw LabError.machine("\(error); \(Self.filterRemedy)")
        }
        try setLearning(before: filter.separated, after: next.separated)
        filter = next
    }

    /// How to get a kernel that can throw frames away.
    static let filterRemedy =
        "frames are thrown away by nf_tables for bridges (CONFIG_NF_TABLES_BRIDGE): "
        + "boot a kernel that has it"

    /// While a network is in parts, every frame goes to every port of its part: what a bridge
    /// learned on one side of the cut would lead astray on the other.
    private func setLearning(before: Set<Int32>, after: Set<Int32>) throws {
        let cables = Set(plan.bridges.filter(\.isPointToPoint).map(\.name))
        let ports = switchPlan.ports.filter {
            // What is in no bridge learns nothing; it is told when it is plugged in.
            !cables.contains($0.bridge) && faults.places[$0.endpoint] != .nowhere
                && before.contains($0.index) != after.contains($0.index)
        }
        try attemptUnlessGone(
            try ports.map {
                try .setBridgePort($0.device, .learning(!after.contains($0.index)), .flush)
            })
    }

    /// Whether the kernel can throw frames away, tried in the calling thread's namespace.
    ///
    /// - Throws: ``NetlinkError`` when it cannot.
    static func tryFilter() throws {
        var batch = FilterBatch(bridgeTable: filterTable)
        try batch.add(PortFilter(mute: [1], deaf: [1]))
        try FilterSocket().perform(batch)
    }
}

extension DeploymentPlan.Port {
    /// The interface it is plugged into.
    var endpoint: Endpoint { Endpoint(node: node, interface: interface) }

    var device: Device { Device(index: index, name: name) }
}

extension DeploymentPlan.Bridge {
    var device: Device { Device(index: index, name: name) }
}

extension FilterBatch {
    /// Makes the table, with all that has to be thrown away.
    fileprivate mutating func add(_ filter: PortFilter) throws(NetlinkError) {
        try addTable()
        try addChain("prerouting", hook: .prerouting)
        try addChain("forward", hook: .forward)
        if !filter.mute.isEmpty {
            try add(filter.mute, as: "mute")
            try addRule(
                to: "prerouting",
                [.property(.inputDevice, into: 1), .lookup(1, set: "mute"), .verdict(.drop)])
        }
        if !filter.deaf.isEmpty {
            try add(filter.deaf, as: "deaf")
            try addRule(
                to: "forward",
                [.property(.outputDevice, into: 1), .lookup(1, set: "deaf"), .verdict(.drop)])
        }
        for (number, separation) in filter.separations.enumerated() {
            try add(separation.from, as: "from\(number)")
            try add(separation.to, as: "to\(number)")
            try addRule(
                to: "forward",
                [
                    .property(.inputDevice, into: 1), .lookup(1, set: "from\(number)"),
                    .property(.outputDevice, into: 1), .lookup(1, set: "to\(number)"),
                    .verdict(.drop),
                ])
        }
    }

    private mutating func add(_ ports: [Int32], as set: String) throws(NetlinkError) {
        try addSet(set, of: .device, isConstant: true)
        try add(
            ports.map { port in Element(withUnsafeBytes(of: port) { [UInt8]($0) }) }, to: set)
    }
}
