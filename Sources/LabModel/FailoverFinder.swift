import NetworkTypes

extension Failover {
    /// The last failover of a timeline; nil where no virtual address has come from one node to
    /// another.
    ///
    /// - Parameters:
    ///   - events: the timeline, in order.
    ///   - lab: where it happened; whom its probes ask tells which of them saw the failover.
    ///   - routers: the lab's virtual routers, for theory. Of one that is not among them, what its
    ///     advertisements say is taken for its configuration.
    public static func last(
        in events: some Sequence<TimelineEvent>, of lab: Lab? = nil,
        routers: [VirtualRouterFacts] = []
    ) -> Failover? {
        var finder = FailoverFinder(lab: lab, routers: routers)
        for event in events { finder.fold(event) }
        return finder.last()
    }

    /// The last failover of a recorded run.
    public static func last(
        in events: some Sequence<TimelineEvent>, of record: RunRecord
    ) -> Failover? {
        last(in: events, of: record.lab, routers: record.virtualRouters)
    }
}

/// Collects what failovers consist of, and puts the last one together.
private struct FailoverFinder {
    private typealias Seen = (time: MonotonicInstant, what: TimelineEvent.Advertisement)

    private let lab: Lab?
    private let routers: [VirtualRouterFacts]
    private var ownership = Ownership()
    private var advertisements: [Seen] = []
    private var announcements: [(time: MonotonicInstant, node: String, IPAddress, MACAddress)] = []
    private var neighbours: [(time: MonotonicInstant, entry: TimelineEvent.Neighbour)] = []
    private var probes: [(ended: MonotonicInstant, result: ProbeResult)] = []
    /// What was done, and what happened by itself.
    private var acts: [TimelineEvent] = []
    private var accidents: [TimelineEvent] = []
    /// When a node's services were ready, its link was there again, or it was thawed; nil for all
    /// nodes at once.
    private var readies: [(time: MonotonicInstant, node: String?)] = []

    init(lab: Lab?, routers: [VirtualRouterFacts]) {
        self.lab = lab
        self.routers = routers
    }

    mutating func fold(_ event: TimelineEvent) {
        ownership.fold(event)
        switch event.kind {
        case .advertisement(let seen):
            // What nobody believes has no part in it.
            if seen.flaw == nil { advertisements.append((event.time, seen)) }
        case .gratuitousARP(let node, _, let address, let mac):
            announcements.append((event.time, node, .v4(address), mac))
        case .unsolicitedNA(let node, _, let address, let mac):
            announcements.append((event.time, node, .v6(address), mac))
        case .neighbour(let entry): neighbours.append((event.time, entry))
        case .probe(let result): probes.append((event.time, result))
        case .control(let verb, let target):
            acts.append(event)
            if verb == .thaw { readies.append((event.time, target.node)) }
        case .fault(.clock): break  // The start that it came of is an act of its own.
        case .fault(let fault):
            acts.append(event)
            switch fault {
            case .linkUp, .plug(_, nil), .heal: readies.append((event.time, fault.endpoint?.node))
            case .linkDown, .blackhole, .flap, .plug, .unplug, .impair, .partition, .cut, .limit,
                .clock, .imposter:
                break
            }
        case .service(let node, _, .ready), .link(let node, _, true, true):
            readies.append((event.time, node))
        case .service(_, _, .exited), .service(_, _, .failed), .node(_, .failed),
            .link(_, _, _, false), .link(_, _, false, _):
            accidents.append(event)
        case .service, .node, .link, .addressAdded, .addressRemoved, .routeAdded, .routeRemoved,
            .neighbourRemoved, .arp, .packet, .step, .claim, .violation, .stall, .lost,
            .scenario:
            break
        }
    }

    /// A change of an address's holder.
    private struct Takeover {
        var address: IPAddress
        var before: Ownership.Span
        var after: Ownership.Span
        /// When `after.node` had ceased to be master before, if it ever was.
        var floor: MonotonicInstant
    }

    private func lastTakeover() -> Takeover? {
        var virtual = Set(routers.flatMap(\.addresses))
        for seen in advertisements { virtual.formUnion(seen.what.addresses) }
        var last: Takeover?
        for address in virtual.sorted() {
            let spans = ownership.spans(of: address)
            guard
                let (index, before) = spans.indices.reversed().lazy.compactMap({ index in
                    Self.loser(to: index, of: spans).map { (index, $0) }
                }).first
            else { continue }
            let after = spans[index]
            if let last, last.after.since >= after.since { continue }
            let earlier = spans[..<index].last { $0.node == after.node }
            last = Takeover(
                address: address, before: before, after: after, floor: earlier?.until ?? .zero)
        }
        return last
    }

    /// Who lost an address to the holder of a span: of those before it, who held it longest.
    ///
    /// - Returns: nil where that is the same node, and where it held the address on after the span
    ///   was over: two masters for a moment, of which the second gave in.
    private static func loser(to index: Int, of spans: [Ownership.Span]) -> Ownership.Span? {
        func end(_ span: Ownership.Span) -> Int64 { span.until?.nanoseconds ?? .max }
        let after = spans[index]
        guard let before = spans[..<index].max(by: { end($0) < end($1) }),
            before.node != after.node, after.until == nil || end(before) <= end(after)
        else { return nil }
        return before
    }

    func last() -> Failover? {
        guard let takeover = lastTakeover() else { return nil }
        let (from, to) = (takeover.before.node, takeover.after.node)
        let heard = advertisements.filter { $0.what.addresses.contains(takeover.address) }
        let first = heard.first {
            $0.what.node == to && $0.what.priority > 0 && $0.time > takeover.floor
        }
        let sign = min(first?.time ?? takeover.after.since, takeover.after.since)
        var failover = Failover(
            address: takeover.address,
            vrid: first?.what.vrid ?? heard.last { $0.what.node == from }?.what.vrid, from: from,
            to: to, cause: cause(of: takeover, before: sign),
            firstAdvertisement: first?.time, appeared: takeover.after.since, parts: [])
        let theirs = heard.filter { $0.what.node == from && $0.time < sign }
        failover.resignation =
            theirs.last {
                $0.what.priority == 0 && $0.time >= failover.cause?.time ?? takeover.before.since
            }?.time
        let last = theirs.last { $0.what.priority > 0 && wasHeard($0, failover, first?.what, sign) }
        failover.lastAdvertisement = last?.time
        let announcement = announcements.first {
            $0.node == to && $0.2 == takeover.address && $0.time >= sign
        }
        failover.announced = announcement?.time
        failover.relearned = relearned(failover, mac: announcement?.3, since: sign)
        failover.served = served(failover)
        divide(&failover, first: first?.what, last: last?.what, theirs)
        return failover
    }

    // MARK: Cause and effect

    private func cause(of takeover: Takeover, before sign: MonotonicInstant) -> Failover.Moment? {
        let window = takeover.before.since...max(sign, takeover.before.since)
        let nodes = [takeover.before.node, takeover.after.node]
        func concerns(_ event: TimelineEvent) -> Bool {
            guard window.contains(event.time) else { return false }
            return event.kind.node.map(nodes.contains) ?? true
        }
        let cause =
            acts.last(where: concerns)
            ?? accidents.last { concerns($0) && $0.kind.node == takeover.before.node }
        return cause.map { event in
            let isAct =
                switch event.kind {
                case .control, .fault: true
                default: false
                }
            let place = isAct ? "" : event.kind.node.map { "\($0): " } ?? ""
            return Failover.Moment(event.time, place + event.kind.words)
        }
    }

    /// Whether the heir heard an advertisement, as far as that can be told: not when the two were
    /// cut off from each other; and on a cable that loses frames, none after which its timer would
    /// have run longer.
    private func wasHeard(
        _ seen: Seen, _ failover: Failover, _ first: TimelineEvent.Advertisement?,
        _ sign: MonotonicInstant
    ) -> Bool {
        guard let cause = failover.cause, seen.time > cause.time else { return true }
        if isCutOff(failover) { return false }
        switch fault(behind: failover) {
        case .impair, .flap: break
        case .linkDown, .blackhole, .linkUp, .plug, .unplug, .partition, .cut, .limit, .clock,
            .imposter, .heal, nil:
            return true
        }
        guard let heir = facts(failover, first) else { return true }
        let interval = seen.what.interval
        let timer = TimeBound(terms: heir.masterDownInterval(learned: interval), margins: [])
        return seen.time + timer.total < sign + interval / 8
    }

    /// Whether the cause cut the two off from each other, so that what `from` sent afterwards did
    /// not reach `to`.
    private func isCutOff(_ failover: Failover) -> Bool {
        switch fault(behind: failover) {
        case .linkDown, .blackhole, .unplug, .partition, .cut, .plug(_, _?): true
        case .linkUp, .plug(_, nil), .flap, .impair, .limit, .clock, .imposter, .heal, nil: false
        }
    }

    /// What in the network was its cause; nil for any other.
    private func fault(behind failover: Failover) -> Fault? {
        guard let cause = failover.cause else { return nil }
        for event in acts where event.time == cause.time {
            if case .fault(let fault) = event.kind { return fault }
        }
        return nil
    }

    private func relearned(
        _ failover: Failover, mac: MACAddress?, since: MonotonicInstant
    ) -> Failover.Moment? {
        var known: [String: MACAddress] = [:]
        for (time, entry) in neighbours where entry.address == failover.address {
            guard let found = entry.mac, entry.node != failover.to, entry.node != failover.from
            else { continue }
            if time >= since, mac == nil || found == mac, let before = known[entry.node],
                before != found
            {
                return Failover.Moment(time, entry.node)
            }
            known[entry.node] = found
        }
        return nil
    }

    private func served(_ failover: Failover) -> Failover.Moment? {
        let begin = failover.cause?.time ?? failover.lastAdvertisement ?? failover.appeared
        let moved = [failover.appeared, failover.announced, failover.relearned?.time]
        // What is lost only after everybody knows the new master has another reason.
        let end = moved.compactMap(\.self).max() ?? failover.appeared
        var asks: [String: Bool] = [:]
        // A request that times out ends after later ones were answered.
        var firstLost: [String: MonotonicInstant] = [:]
        for (_, result) in probes
        where !result.outcome.isSuccess && result.due >= begin && result.due <= end {
            guard let probe = result.probe else { continue }
            let isConcerned = asks[probe] ?? self.probe(probe, asksBy: failover.address)
            asks[probe] = isConcerned
            guard isConcerned else { continue }
            firstLost[probe] = min(firstLost[probe] ?? result.due, result.due)
        }
        for (ended, result) in probes where ended >= failover.appeared {
            guard let probe = result.probe, result.outcome.isSuccess, let lost = firstLost[probe],
                lost < result.due
            else { continue }
            return Failover.Moment(ended, probe)
        }
        return nil
    }

    /// Whether a probe's requests go to a virtual address, or by way of it as of a gateway: to
    /// somebody whom none of the networks has that have the address.
    private func probe(_ name: String, asksBy address: IPAddress) -> Bool {
        let written =
            lab?.scenarios.flatMap(\.probes).filter { $0.name == name }.map(\.request) ?? []
        // `labctl probe` calls its probes by what they ask.
        let requests = written.isEmpty ? [ProbeRequest(name: name)].compactMap(\.self) : written
        let subnets = lab?.networks.flatMap(\.subnets) ?? []
        return requests.isEmpty
            || requests.contains { request in
                let asked = request.address
                if asked == address { return true }
                return asked.family == address.family
                    && !subnets.contains { $0.contains(address) && $0.contains(asked) }
            }
    }

    // MARK: Parts

    private func divide(
        _ failover: inout Failover, first: TimelineEvent.Advertisement?,
        last: TimelineEvent.Advertisement?, _ theirs: [Seen]
    ) {
        let sign = min(failover.firstAdvertisement ?? failover.appeared, failover.appeared)
        let heir = facts(failover, first)
        var begin: MonotonicInstant?
        var theory = TimeBound(terms: [], margins: [])
        if let resignation = failover.resignation {
            begin = resignation
            theory.terms = heir.map { [$0.skewTime(learned: last?.interval)] } ?? []
        } else if isPreemption(failover, last: last) {
            failover.ready =
                readies.last { ($0.node ?? failover.to) == failover.to && $0.time <= sign }?.time
            let superior = lastRespected(
                theirs, priority: first?.priority ?? .max, sign: sign, ready: failover.ready, heir)
            if let superior {
                failover.outranked = superior.time
                failover.ready = nil
            }
            begin = failover.outranked ?? failover.ready
            theory.terms =
                heir.map { $0.masterDownInterval(learned: superior?.what.interval) } ?? []
        } else if let time = failover.lastAdvertisement, first != nil {
            begin = time
            theory.terms = heir.map { $0.masterDownInterval(learned: last?.interval) } ?? []
        }
        var end = sign
        if let begin {
            end = theory.terms.isEmpty ? sign : min(begin + theory.total, sign)
            failover.timer = end
            failover.parts.append(.init(name: .detect, begin: begin, end: end, theory: theory))
        }
        func add(_ name: Failover.Part.Name, until time: MonotonicInstant?) {
            guard let time else { return }
            let nothing = TimeBound(terms: [], margins: [])
            failover.parts.append(
                .init(name: name, begin: end, end: max(end, time), theory: nothing))
            end = max(end, time)
        }
        add(.elect, until: failover.firstAdvertisement)
        add(.announce, until: max(failover.appeared, failover.announced ?? failover.appeared))
        add(.relearn, until: failover.relearned?.time)
        add(.serve, until: failover.served?.time)
    }

    /// The advertisement of a living master that last restarted its heir's timer; nil where the
    /// heir's readiness was later.
    ///
    /// A lower priority than the heir's restarts nothing (RFC 9568 §6.4.2). An heir whose own
    /// priority has risen meanwhile says that to nobody: then it is the one from which on the timer
    /// ran out when it did.
    private func lastRespected(
        _ theirs: [Seen], priority: Int, sign: MonotonicInstant, ready: MonotonicInstant?,
        _ heir: VirtualRouterFacts?
    ) -> Seen? {
        if let superior = theirs.last(where: { $0.what.priority >= priority }),
            superior.time >= ready ?? .zero
        {
            return superior
        }
        guard let heir else { return nil }
        func fits(_ time: MonotonicInstant, _ interval: Duration) -> Bool {
            let timer = TimeBound(terms: heir.masterDownInterval(learned: interval), margins: [])
            let distance = sign - time - timer.total
            return distance > .zero - interval / 8 && distance < interval / 8
        }
        if let ready, fits(ready, heir.advertisementInterval) { return nil }
        return theirs.last { fits($0.time, $0.what.interval) }
    }

    /// Whether the master lived when it was taken over from: its last advertisement was not missed.
    private func isPreemption(_ failover: Failover, last: TimelineEvent.Advertisement?) -> Bool {
        guard let time = failover.lastAdvertisement, let first = failover.firstAdvertisement,
            let last, !isCutOff(failover)
        else { return false }
        return first - time < last.interval * 3 / 2
    }

    private func facts(
        _ failover: Failover, _ first: TimelineEvent.Advertisement?
    ) -> VirtualRouterFacts? {
        let known = routers.first {
            $0.node == failover.to && $0.addresses.contains(failover.address)
        }
        if let known { return known }
        guard let first, (1...255).contains(first.priority) else { return nil }
        return VirtualRouterFacts(
            node: first.node, service: "", instance: "VRID \(first.vrid)",
            interface: first.interface, version: first.version, vrid: first.vrid,
            priority: first.priority, advertisementInterval: first.interval, preempts: true,
            addresses: first.addresses)
    }
}
