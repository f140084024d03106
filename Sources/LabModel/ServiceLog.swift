import NetworkTypes

/// When nodes and their services began and ended, as far as bounds need it.
struct ServiceLog: Sendable {
    fileprivate enum Change: Sendable { case ready, stopping, ended }

    fileprivate struct Entry: Sendable {
        var time: MonotonicInstant
        var node: String
        /// Nil for the whole node.
        var service: String?
        var change: Change
    }

    private var entries: [Entry] = []

    /// Takes an event into account; whether it was about a node or service.
    mutating func fold(_ event: TimelineEvent) -> Bool {
        let change: Change
        var place: (node: String, service: String?)
        switch event.kind {
        case .node(let node, let state):
            place = (node, nil)
            switch state {
            case .stopped, .killed, .failed: change = .ended
            case .starting, .running: return true
            }
        case .service(let node, let service, let state):
            place = (node, service)
            switch state {
            case .ready: change = .ready
            case .stopping: change = .stopping
            case .exited, .failed: change = .ended
            case .starting, .running: return true
            }
        case .addressAdded, .addressRemoved, .link, .routeAdded, .routeRemoved, .neighbour,
            .neighbourRemoved, .advertisement, .gratuitousARP, .arp, .unsolicitedNA, .packet,
            .probe, .control, .fault, .step, .claim, .violation, .stall, .lost:
            return false
        }
        entries.append(
            Entry(time: event.time, node: place.node, service: place.service, change: change))
        return true
    }

    /// When the router's daemon first became ready from that moment on.
    func firstReady(of router: VirtualRouterFacts, since time: MonotonicInstant)
        -> MonotonicInstant?
    {
        entries.first { $0.time >= time && $0.change == .ready && $0.concerns(router) }?.time
    }

    /// When the router's daemon last became ready.
    func lastReady(of router: VirtualRouterFacts) -> MonotonicInstant? {
        entries.last { $0.change == .ready && $0.concerns(router) }?.time
    }

    /// When the last of the services that a verb started became ready from that moment on.
    func lastReady(of target: Target, since time: MonotonicInstant) -> MonotonicInstant? {
        entries.last {
            $0.time >= time && $0.change == .ready && $0.node == target.node
                && (target.service == nil || target.service == $0.service)
        }?.time
    }

    /// When the router's daemon was first told to stop, or ended, from that moment on.
    func firstStop(of router: VirtualRouterFacts, since time: MonotonicInstant)
        -> MonotonicInstant?
    {
        entries.first { $0.time >= time && $0.change != .ready && $0.concerns(router) }?.time
    }

    /// Whether the router's daemon was known to be down at that moment; one that nothing is known
    /// of is not.
    func isDown(_ router: VirtualRouterFacts, at time: MonotonicInstant) -> Bool {
        entries.last { $0.time <= time && $0.concerns(router) }.map { $0.change != .ready } ?? false
    }
}

extension ServiceLog.Entry {
    /// Whether this is about the router's daemon, or about the node under it.
    fileprivate func concerns(_ router: VirtualRouterFacts) -> Bool {
        node == router.node && (service == nil || service == router.service)
    }
}
