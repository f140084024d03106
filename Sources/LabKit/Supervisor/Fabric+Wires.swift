import LabModel
import Netlink
import NetworkTypes
import Wire

// Cables that do something to frames. The kernel of a common machine cannot delay a frame, or lose
// it by a seed; so such a cable is cut in two, and a process of ours moves the frames from one part
// to the other: the port leaves its bridge, and one end of a veth pair takes its place there, of
// which the relay has the other end.

/// The pair that stands in the place of a port.
struct Splice {
    /// The end that is a port of the bridge.
    var inner: Device
    /// Its name.
    var name: InterfaceName
    /// The end that the relay has.
    var outer: Device
    /// Whether it has taken the port's place.
    var isInPlace = false
    /// The bridge that joins the outer end with the port, where the kernel impairs the cable.
    var joint: Device?
    /// What was told to the kernel to do with frames for the node, and with its own.
    var emulation: Emulation?
}

extension Fabric {
    /// The plan as the switches have it now: of a port that a pair stands in for, its inner end.
    var switchPlan: DeploymentPlan {
        guard !splices.isEmpty else { return faults.cabled(plan) }
        var plan = faults.cabled(plan)
        for index in plan.ports.indices {
            guard let splice = splices[plan.ports[index].endpoint], splice.isInPlace else {
                continue
            }
            plan.ports[index].index = splice.inner.index
            plan.ports[index].name = splice.name
        }
        return plan
    }

    /// Makes the pair that is to take the place of a port, without any effect yet.
    ///
    /// - Returns: the index of the end that has to be operational before frames pass.
    /// - Throws: ``NetlinkError``.
    func prepareSplice(for endpoint: Endpoint) throws -> Int32 {
        if let known = splices[endpoint] { return known.inner.index }
        guard let place = plan.ports.firstIndex(where: { $0.endpoint == endpoint }) else {
            preconditionFailure("a fault's endpoint is one of the lab's")
        }
        let port = plan.ports[place]
        let bridge = bridge(of: port)
        let base = spliceBase
        let innerName = try Self.name("wire\(port.index)")
        let outerName = try Self.name("relay\(port.index)")
        let inner = Device(index: base + Int32(2 * place + 1), name: innerName)
        let outer = Device(index: base + Int32(2 * place + 2), name: outerName)
        var requests = [
            try Request.add(
                VethEnd(
                    name: innerName, index: inner.index, mtuBytes: port.mtuBytes,
                    master: bridge?.device),
                peer: VethPeer(name: outerName, index: outer.index, mtuBytes: port.mtuBytes)),
            try .set(outer, .up),
        ]
        if let bridge, bridge.isPointToPoint {
            requests.append(try .setBridgePort(inner, .learning(false)))
        }
        do {
            try socket.perform(requests)
        } catch {
            try? attemptUnlessGone([try .delete(inner)])
            throw error
        }
        splices[endpoint] = Splice(inner: inner, name: innerName, outer: outer)
        return inner.index
    }

    /// What is made beside the plan has indices above this: above all that the plan has, and the
    /// same in every run.
    var spliceBase: Int32 { plan.greatestIndex }

    private static func name(_ text: String) throws -> InterfaceName {
        guard let name = InterfaceName(text) else {
            throw LabError.failed("\(text) is no interface name")
        }
        return name
    }

    /// Lets the pairs of impaired cables take the places of their ports. Until the relay has them,
    /// not one frame passes there.
    ///
    /// - Throws: ``NetlinkError``.
    func insertSplices() throws {
        let waiting = splices.filter { !$0.value.isInPlace && faults.impairments[$0.key] != nil }
        guard !waiting.isEmpty else { return }
        for endpoint in waiting.keys { splices[endpoint]?.isInPlace = true }
        try attemptUnlessGone(
            plan.ports.filter { waiting[$0.endpoint] != nil }.map {
                try .set($0.device, .master(nil))
            })
        try refreshFilter()
    }

    /// Puts ports whose cables do nothing to frames any more back into their places, and removes
    /// the pairs. The relay must have let go of them.
    ///
    /// - Throws: ``NetlinkError``.
    func removeSplices() throws {
        // One that is not in place yet is being prepared.
        let idle = splices.filter { $0.value.isInPlace && faults.impairments[$0.key] == nil }
        guard !idle.isEmpty else { return }
        for endpoint in idle.keys { splices[endpoint] = nil }
        var requests = try idle.values.map { try Request.delete($0.inner) }
        for port in plan.ports where idle[port.endpoint] != nil {
            let bridge = bridge(of: port)
            requests.append(try .set(port.device, .master(bridge?.device)))
            if let bridge, bridge.isPointToPoint {
                requests.append(try .setBridgePort(port.device, .learning(false)))
            }
        }
        try attemptUnlessGone(requests)
        try refreshFilter()
    }

    /// What the relay has to do, for those cables of which both parts are there.
    ///
    /// - Throws: ``NetlinkError``.
    func wireLinks() throws -> [WireLink] {
        let present = Set(try socket.links().map(\.index))
        return faults.impairedCables(of: faults.cabled(plan)).compactMap { cable in
            guard cable.path == .wire, let splice = splices[cable.port.endpoint], splice.isInPlace,
                present.contains(cable.port.index)
            else { return nil }
            return WireLink(
                name: cable.port.endpoint.description, node: cable.port.index,
                network: splice.outer.index, inward: cable.inward, outward: cable.outward)
        }
    }
}
