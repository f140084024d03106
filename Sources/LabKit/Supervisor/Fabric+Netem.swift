import Glibc
import LabModel
import LinuxSystem
import Netlink
import NetworkTypes
import SystemPackage
import Wire

// Cables that the kernel impairs: `impair ... via netem`.
//
// A queue works where frames leave a device, and a node must not see it. For frames to the node
// that is the switch's port; for its own frames there is no such place, so the cable is cut as for
// the relay: the port leaves its bridge, one end of a veth pair takes its place, and a bridge of
// two ports joins the pair's other end with the port. Frames to the node leave by the port, frames
// of the node by the outer end.

/// What the kernel does to the frames of a cable.
struct Emulation: Equatable {
    var inward: Impairment?
    var outward: Impairment?
}

extension Fabric {
    /// The cables that the kernel has to impair, and can: both parts are there.
    private func emulatedCables() throws -> [ImpairedCable] {
        let cables = faults.impairedCables(of: faults.cabled(plan)).filter { $0.path == .netem }
        guard !cables.isEmpty else { return [] }
        let present = Set(try socket.links().map(\.index))
        return cables.filter {
            (splices[$0.port.endpoint]?.isInPlace ?? false) && present.contains($0.port.index)
        }
    }

    /// Whether there is a cable that the kernel has to impair.
    var needsJoints: Bool {
        faults.impairments.contains { $0.value.first?.path == .netem }
    }

    /// Joins the ports of cables that the kernel impairs with what stands in their places, and has
    /// it do what the faults say. The relay must have let go of them.
    ///
    /// - Throws: ``NetlinkError``.
    func setJoints() throws {
        for cable in try emulatedCables() {
            let endpoint = cable.port.endpoint
            guard var splice = splices[endpoint] else { continue }
            if splice.joint == nil { splice.joint = try makeJoint(cable.port) }
            let emulation = Emulation(inward: cable.inwardNetem, outward: cable.outwardNetem)
            if splice.emulation != emulation, let joint = splice.joint {
                splices[endpoint] = splice
                // A port whose node has started again is another device.
                for device in [cable.port.device, splice.outer] {
                    try socket.perform(
                        .set(device, .master(joint)), .setBridgePort(device, .learning(false)))
                }
                try setQueues(of: cable.port.device, emulation.inward)
                try setQueues(of: splice.outer, emulation.outward)
                splice.emulation = emulation
            }
            splices[endpoint] = splice
        }
    }

    /// Takes ports and pairs apart again that the kernel has nothing to do with any more.
    ///
    /// - Throws: ``NetlinkError``.
    func removeJoints() throws {
        for (endpoint, splice) in splices {
            guard let joint = splice.joint, faults.impairments[endpoint]?.first?.path != .netem,
                let port = plan.ports.first(where: { $0.endpoint == endpoint })
            else { continue }
            splices[endpoint]?.joint = nil
            splices[endpoint]?.emulation = nil
            try attemptUnlessGone([try .delete(joint)])
            for device in [port.device, splice.outer] { try removeQueues(of: device) }
        }
    }

    private func makeJoint(_ port: DeploymentPlan.Port) throws -> Device {
        // Above the pairs' numbers (prepareSplice), and the same in every run.
        guard let place = plan.ports.firstIndex(where: { $0.endpoint == port.endpoint }),
            let name = InterfaceName("joint\(port.index)")
        else { preconditionFailure("a fault's endpoint is one of the lab's") }
        let joint = Device(index: spliceBase + Int32(2 * plan.ports.count + 1 + place), name: name)
        var bridge = Netlink.Bridge(name: name, index: joint.index, mtuBytes: port.mtuBytes)
        bridge.forwardsReservedGroups = true
        try socket.perform(.add(bridge))
        return joint
    }

    private func setQueues(of device: Device, _ impairment: Impairment?) throws {
        try removeQueues(of: device)
        guard let impairment else { return }
        var requests = [try Request.add(NetemQueue(impairment), to: device)]
        if let bucket = TokenBucketQueue(impairment) {
            requests.append(try .add(bucket, behindEmulatorOf: device))
        }
        try socket.perform(requests)
    }

    /// Takes queues away, where there are any.
    private func removeQueues(of device: Device) throws {
        for case let error? in try socket.attempt([try .deleteQueue(of: device)]) {
            guard [ENOENT, EINVAL, ENODEV].contains(error.code.rawValue) else { throw error }
        }
    }

    /// Finds out whether the kernel can impair a cable, in a namespace of its own.
    ///
    /// - Throws: ``LabError/machine(_:)`` with the remedy where it cannot.
    static func tryNetem() throws {
        do {
            try NetworkNamespace.create().run {
                try RouteSocket().perform(.add(NetemQueue(), to: .loopback))
            }
        } catch {
            throw LabError.machine(
                "\(error); this kernel has no sch_netem: leave 'via netem' away, for the wire does"
                    + " the same on every kernel, or boot one that has it")
        }
    }
}

extension NetemQueue {
    /// What of an impairment is netem's. Delay and jitter come before the rate here, and after it
    /// with the wire.
    fileprivate init(_ impairment: Impairment) {
        self.init(limitPackets: impairment.limitPackets)
        delay = impairment.delay
        if let jitter = impairment.jitter {
            self.jitter = jitter.spread
            if jitter.distribution == .normal { distribution = Self.normal }
        }
        switch impairment.loss {
        case .random(let percent): loss = .random(percent / 100)
        case .gilbertElliott(let model):
            loss = .gilbertElliott(
                p: model.badPercent / 100, r: model.goodPercent / 100,
                oneMinusH: model.lossInBadPercent / 100, oneMinusK: model.lossInGoodPercent / 100)
        // Said to be none of netem's before (CableImpairment.problemsOfPath).
        case .every, nil: break
        }
        duplicate = impairment.duplicatePercent / 100
        corrupt = impairment.corruptPercent / 100
        reorder = impairment.reorder.map { Reorder(share: $0.percent / 100, gap: $0.gap) }
    }

    /// As many values as fit a request.
    private static let normal = Impairment.netemTable(size: 1024)
}

extension TokenBucketQueue {
    /// Nil where the impairment has no rate.
    fileprivate init?(_ impairment: Impairment) {
        guard let rate = impairment.rate, case .bytes(let limit) = rate.limit else { return nil }
        self.init(
            bytesPerSecond: max(rate.bitsPerSecond / 8, 1), burstBytes: rate.burstBytes,
            limitBytes: limit)
    }
}
