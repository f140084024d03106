import LabModel
import LinuxSystem
import NetworkTypes

// What daemons say of themselves, put on the timeline beside what kernel and wire show: our agent
// by messages to its manager, which bear its own stamps, the others by their logs.

extension Supervisor {
    /// Looks for states of virtual routers in what the lab's VRRP daemons print.
    func watchClaims() {
        var kinds: [String: Service.Kind] = [:]
        for node in order.lab.nodes {
            for service in node.services
            where service.kind.speaksVRRP && !service.tellsItsManager {
                kinds["\(node.name)/\(service.name)"] = service.kind
            }
        }
        let lateness = Lateness(loop)
        _ = output.addListener { [unowned self] line in
            guard let kind = kinds["\(line.node)/\(line.service)"] else { return }
            let uncertainty = lateness.look(at: line.time)
            guard let claim = ClaimParser.claim(in: line.text, of: kind) else { return }
            record(
                claim, of: Target(node: line.node, service: line.service), read: line.time,
                uncertainty: uncertainty)
        }
    }

    /// Puts onto the timeline what a service has told its manager, if that is a virtual router's
    /// state.
    func recordClaim(in assignment: String, of service: Target) {
        guard let claim = ClaimParser.claim(inAssignment: assignment) else { return }
        record(claim, of: service, read: MonotonicClock.now, uncertainty: .zero)
    }

    private func record(
        _ claim: ClaimParser.Finding, of target: Target, read: MonotonicInstant,
        uncertainty: Duration
    ) {
        timeline.record(
            .claim(
                TimelineEvent.Claim(
                    node: target.node, service: target.service ?? "", instance: claim.instance,
                    state: claim.state, source: claim.source)),
            at: claim.time.map { machineTime($0, of: target) } ?? read,
            stamp: claim.time == nil ? .receipt : .origin,
            uncertainty: claim.time == nil ? uncertainty : .zero)
    }
}

extension Service {
    /// Whether it is told where its manager listens, and says its virtual routers' states there.
    fileprivate var tellsItsManager: Bool {
        kind == .vrrpAgent && (readiness ?? .notify) == .notify
    }
}
