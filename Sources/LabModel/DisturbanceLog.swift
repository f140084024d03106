import NetworkTypes

/// What was done to the lab and not undone yet: what is broken in its network, and what stands
/// still.
struct DisturbanceLog: Sendable {
    private(set) var faults = NetworkFaults()
    private var frozen: Set<Target> = []

    /// Takes an event into account; whether anything is another way now.
    mutating func fold(_ event: TimelineEvent) -> Bool {
        switch event.kind {
        case .fault(let fault):
            let before = faults
            faults.apply(fault)
            return faults != before
        case .control(.freeze, let target): return frozen.insert(target).inserted
        case .control(.thaw, let target): return frozen.remove(target) != nil
        // What has ended stands still no more, and comes back as something else.
        case .node(let node, .stopped), .node(let node, .killed), .node(let node, .failed):
            let before = frozen.count
            frozen = frozen.filter { $0.node != node }
            return frozen.count != before
        case .service(let node, let service, .exited), .service(let node, let service, .failed):
            return frozen.remove(Target(node: node, service: service)) != nil
        default: return false
        }
    }

    /// Whether a virtual router's daemon stands still, by itself or with its node, or may come to
    /// nothing in time: where its node lacks something, nobody can say.
    func isHindered(_ router: VirtualRouterFacts) -> Bool {
        frozen.contains { router.runs(on: $0) } || faults.limits[router.node] != nil
    }

    /// Whether nothing is wrong with the router's own cable, and nobody says anything to it that no
    /// router says.
    func isSound(at router: VirtualRouterFacts) -> Bool {
        guard faults.impostures.isEmpty else { return false }
        return router.endpoint.map { faults.fault(at: $0) == nil } ?? false
    }

    /// Whether two routers of one network hear each other: frames pass both ways as they were sent.
    /// Where a cable is lossy or slow, nobody can say; that counts as not.
    func hearEachOther(_ one: VirtualRouterFacts, _ other: VirtualRouterFacts) -> Bool {
        guard isSound(at: one), isSound(at: other), let here = one.endpoint,
            let there = other.endpoint
        else { return false }
        return faults.passes(from: here, to: there) && faults.passes(from: there, to: here)
    }
}

extension VirtualRouterFacts {
    /// The switch's port that its advertisements enter by.
    var endpoint: Endpoint? {
        InterfaceName(interface).map { Endpoint(node: node, interface: $0) }
    }
}
