import LabModel
import LinuxSystem
import NetworkTypes

// What daemons say of themselves, put on the timeline beside what kernel and wire show.

extension Supervisor {
    /// Looks for states of virtual routers in what the lab's VRRP daemons print.
    func watchClaims() {
        var kinds: [String: Service.Kind] = [:]
        for node in order.lab.nodes {
            for service in node.services where service.kind.speaksVRRP {
                kinds["\(node.name)/\(service.name)"] = service.kind
            }
        }
        let lateness = Lateness(loop)
        _ = output.addListener { [unowned self] line in
            guard let kind = kinds["\(line.node)/\(line.service)"] else { return }
            let uncertainty = lateness.look(at: line.time)
            guard let claim = ClaimParser.claim(in: line.text, of: kind) else { return }
            timeline.record(
                .claim(
                    TimelineEvent.Claim(
                        node: line.node, service: line.service, instance: claim.instance,
                        state: claim.state, source: claim.source)),
                at: claim.time ?? line.time, stamp: claim.time == nil ? .receipt : .origin,
                uncertainty: claim.time == nil ? uncertainty : .zero)
        }
    }
}
