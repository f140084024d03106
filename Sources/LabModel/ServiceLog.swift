import NetworkTypes

/// When nodes and their services began and ended, as far as bounds need it.
struct ServiceLog: Sendable {
    fileprivate enum Change: Sendable { case ready, stopping, ended }

    fileprivate struct Entry: Sendable {
        var time: MonotonicInstant
        /// Nil for the whole node.
        var service: String?
        var change: Change
    }

    /// The entries of each node, in the order of their times.
    private var entries: [String: [Entry]] = [:]
    /// The services of each node that were started and have not said anything of themselves since.
    private var silent: [String: Set<String>] = [:]

    /// Takes an event into account; whether it was about a node or service, or says that one was
    /// ready later than it seemed.
    mutating func fold(_ event: TimelineEvent) -> Bool {
        switch event.kind {
        case .node(let node, let state):
            switch state {
            case .stopped, .killed, .failed:
                append(Entry(time: event.time, service: nil, change: .ended), of: node)
            case .starting, .running: break
            }
        case .service(let node, let service, let state):
            let change: Change
            switch state {
            case .ready: change = .ready
            case .stopping: change = .stopping
            case .exited, .failed: change = .ended
            case .starting, .running:
                silent[node, default: []].insert(service)
                return true
            }
            append(Entry(time: event.time, service: service, change: change), of: node)
        case .claim(let claim): return note(claim, at: event.time)
        default: return false
        }
        return true
    }

    /// keepalived counts as ready with its pid file, which says nothing of the process that speaks
    /// VRRP: on a busy machine that comes to its timers much later. From its first word on they
    /// run.
    private mutating func note(
        _ claim: TimelineEvent.Claim, at time: MonotonicInstant
    ) -> Bool {
        guard silent[claim.node]?.remove(claim.service) != nil,
            let index = entries[claim.node]?.lastIndex(where: { $0.service == claim.service }),
            var entry = entries[claim.node]?[index], entry.change == .ready, entry.time < time
        else { return false }
        entries[claim.node]?.remove(at: index)
        entry.time = time
        append(entry, of: claim.node)
        return true
    }

    private mutating func append(_ entry: Entry, of node: String) {
        let place = entries[node]?.firstIndex(after: entry.time) ?? 0
        entries[node, default: []].insert(entry, at: place)
    }

    /// When the router's daemon first became ready from that moment on.
    func firstReady(of router: VirtualRouterFacts, since time: MonotonicInstant)
        -> MonotonicInstant?
    {
        first(since: time, of: router) { $0.change == .ready }
    }

    /// When the router's daemon last became ready.
    func lastReady(of router: VirtualRouterFacts) -> MonotonicInstant? {
        entries[router.node]?.last { $0.change == .ready && $0.concerns(router) }?.time
    }

    /// When the last of the services that a verb started became ready from that moment on.
    func lastReady(of target: Target, since time: MonotonicInstant) -> MonotonicInstant? {
        guard let entries = entries[target.node] else { return nil }
        for entry in entries.reversed() {
            guard entry.time >= time else { return nil }
            if entry.change == .ready, target.service == nil || target.service == entry.service {
                return entry.time
            }
        }
        return nil
    }

    /// When the router's daemon was first told to stop, or ended, from that moment on.
    func firstStop(of router: VirtualRouterFacts, since time: MonotonicInstant)
        -> MonotonicInstant?
    {
        first(since: time, of: router) { $0.change != .ready }
    }

    /// Whether the router's daemon was known to be down at that moment; one that nothing is known
    /// of is not.
    func isDown(_ router: VirtualRouterFacts, at time: MonotonicInstant) -> Bool {
        guard let entries = entries[router.node] else { return false }
        return entries[..<entries.firstIndex(after: time)].last { $0.concerns(router) }
            .map { $0.change != .ready } ?? false
    }

    /// Whether the router's daemon is known to be ready.
    func isUp(_ router: VirtualRouterFacts) -> Bool {
        entries[router.node]?.last { $0.concerns(router) }?.change == .ready
    }

    private func first(
        since time: MonotonicInstant, of router: VirtualRouterFacts,
        where isMeant: (Entry) -> Bool
    ) -> MonotonicInstant? {
        guard let entries = entries[router.node] else { return nil }
        // Of those at the very moment, too.
        let start = entries.firstIndex(after: time - .nanoseconds(1))
        return entries[start...].first { isMeant($0) && $0.concerns(router) }?.time
    }
}

extension ServiceLog.Entry {
    /// Whether this is about the router's daemon, or about the node under it.
    fileprivate func concerns(_ router: VirtualRouterFacts) -> Bool {
        service == nil || service == router.service
    }
}

extension [ServiceLog.Entry] {
    /// The place of the first entry later than that, by bisection.
    fileprivate func firstIndex(after time: MonotonicInstant) -> Int {
        var low = startIndex
        var high = endIndex
        while low < high {
            let middle = (low + high) / 2
            if self[middle].time <= time { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
