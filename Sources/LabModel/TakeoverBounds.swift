public import NetworkTypes

/// The protocol's own bounds: how long a takeover may last after what was done, from the routers'
/// configuration.
///
/// | what was done                                  | the new master is there after               |
/// |------------------------------------------------|---------------------------------------------|
/// | the master's daemon or node stopped            | Skew_Time of the best remaining router: its |
/// |                                                | priority-0 advertisement shortens the wait  |
/// |                                                | (RFC 3768 §6.4.2, §6.4.3; RFC 9568 alike)   |
/// | the master's daemon or node killed             | Master_Down_Interval of that router (§6.1)  |
/// | one that was no master stopped or killed       | the same: nobody resigned                   |
/// | a daemon or node frozen                        | Master_Down_Interval, as after a kill       |
/// | a daemon or node started or thawed (first      | Master_Down_Interval of that router from    |
/// | election, or preemption: lower priorities are  | its readiness on (§6.4.2)                   |
/// | not heeded)                                    |                                             |
/// | carrier lost, a blackhole, a partition or cut  | Master_Down_Interval, as after a kill       |
/// | carrier back, healed                           | Master_Down_Interval, as after a start      |
/// | an imposter that advertises to every router    | nothing: the master yields to the first one |
/// | an imposter gone                               | Master_Down_Interval, as after a start; in  |
/// |                                                | version 3 of the interval that it said      |
/// | restart                                        | as stop for the others, as start for itself |
/// | anything else                                  | a default by name                           |
///
/// To each a margin for scheduling is added, and for an HTTP request its own time. A kill comes up
/// to one interval after the last advertisement, so the time seen after it is up to one interval
/// shorter than the bound.
public struct TakeoverBounds: Equatable, Sendable {
    /// Every virtual router of the lab.
    public var routers: [VirtualRouterFacts]
    /// The margins.
    public var allowances: Allowances

    public init(routers: [VirtualRouterFacts], allowances: Allowances = Allowances()) {
        self.routers = routers
        self.allowances = allowances
    }

    /// How long the first election for an address may last once its daemons are ready: the
    /// Master_Down_Interval of the router with the highest priority; nil for an address of no
    /// virtual router.
    public func election(of address: IPAddress) -> TimeBound? {
        best(of: sharing(address)).map {
            TimeBound(terms: $0.masterDownInterval(), margins: [allowances.schedulingTerm])
        }
    }

    /// How long a master may be late before another router takes over for it, where an expectation
    /// is about who is master: Master_Down_Interval less the interval that it waits anyway, of the
    /// most impatient router. Nil where it is not, or there is none.
    func patience(about expectation: Expectation) -> Duration? {
        switch expectation.condition {
        case .address, .addressOnOne, .state: break
        case .answer, .log, .mail, .sequence, .neighbour, .outage, .latency, .adverts, .inspect:
            return nil
        }
        return routers.map { router in
            TimeBound(terms: router.masterDownInterval(), margins: []).total
                - router.advertisementInterval
        }.min()
    }

    /// What an expectation is about.
    struct Subject: Equatable, Sendable {
        /// The virtual address it waits for; nil where none is involved.
        var address: IPAddress?
        /// The nodes that are to hold it; nil where the expectation does not say.
        var nodes: [String]?
        /// Whether a request has to be answered as well.
        var isRequest: Bool
        /// Whether it is about whatever becomes of any virtual address.
        var isAny = false
    }

    /// What the condition is about; `probe` is the probe that it names.
    func subject(of condition: Expectation.Condition, probe: Probe?) -> Subject {
        switch condition {
        case .address(let address, let nodes):
            Subject(address: address, nodes: nodes, isRequest: false)
        case .addressOnOne(let address, _):
            Subject(address: address, nodes: nil, isRequest: false)
        case .state(let state, let router, let nodes):
            Subject(
                address: routers.first {
                    nodes.contains($0.node) && (router == nil || router == $0.instance)
                }?.addresses.first, nodes: state == .master ? nodes : nil, isRequest: false)
        case .answer(let request, _, _):
            Subject(address: virtual(request.address), nodes: nil, isRequest: true)
        case .outage, .latency:
            Subject(
                address: probe.flatMap { virtual($0.request.address) }, nodes: nil, isRequest: true)
        case .neighbour(let address, _, let node):
            // It is corrected by what announces the takeover.
            Subject(address: virtual(address), nodes: [node], isRequest: false)
        case .log, .mail, .sequence, .adverts, .inspect:
            Subject(address: nil, nodes: nil, isRequest: false, isAny: true)
        }
    }

    /// The cause of an expectation and the bound counted from it.
    ///
    /// Every act of the group may delay the effect, so the bound is the one that ends last.
    func bound(
        for subject: Subject, after group: ActGroup, begun: MonotonicInstant, seen: Observation
    )
        -> (cause: Act, bound: TimeBound)
    {
        let addresses = subject.isAny ? virtualAddresses : []
        guard addresses.isEmpty else {
            // What ends last, of all of them.
            let bounds = addresses.map { address in
                bound(
                    for: Subject(
                        address: address, nodes: subject.nodes, isRequest: subject.isRequest),
                    after: group, begun: begun, seen: seen)
            }
            return bounds.reduce(bounds[0]) { latest, next in
                next.cause.time + next.bound.total > latest.cause.time + latest.bound.total
                    ? next : latest
            }
        }
        guard let cause = group.acts.first else {
            return start(for: subject, begun: begun, seen: seen)
        }
        var latest: (act: Act, bound: TimeBound)?
        for act in group.acts {
            guard let bound = bound(for: subject, after: act, seen: seen) else { continue }
            if let known = latest, act.time + bound.total <= known.act.time + known.bound.total {
                continue
            }
            latest = (act, bound)
        }
        guard var latest else {
            // From the last act's end on: a command may do its deed at its end.
            var bound = unknownEffect(on: subject)
            let last = group.acts.last ?? cause
            bound.terms =
                delayTerms(
                    "\(last.summary) over after", from: cause.time, to: last.ended ?? last.time)
                + bound.terms
            return (cause, bound)
        }
        let delay = delayTerms(
            "\(latest.act.summary) after", from: cause.time, to: latest.act.time)
        latest.bound.terms.insert(contentsOf: delay, at: 0)
        return (cause, latest.bound)
    }

    /// A bound that the lab file gives, counted from the group's last act on: a command before it
    /// that only looked is no part of it. A command may do its deed at its end.
    func counted(_ bound: TimeBound, after group: ActGroup) -> TimeBound {
        guard let cause = group.acts.first, let last = group.acts.last else { return bound }
        let isCommand = last.deed == .execute
        let delay = delayTerms(
            "\(last.summary) \(isCommand ? "over " : "")after", from: cause.time,
            to: isCommand ? last.ended ?? last.time : last.time)
        return TimeBound(terms: delay + bound.terms, margins: bound.margins)
    }

    /// The bound from one act on; nil if nothing is known of its effect on the subject.
    private func bound(for subject: Subject, after act: Act, seen: Observation) -> TimeBound? {
        if case .fault(let fault) = act.deed {
            return bound(for: subject, after: act, fault, seen: seen)
        }
        guard case .control(let verb, let target) = act.deed else { return nil }
        let struck = sharing(subject.address).filter { $0.runs(on: target) }
        guard !struck.isEmpty else {
            return subject.isRequest ? service(target, after: act, seen: seen) : nil
        }
        switch verb {
        case .stop, .kill, .freeze:
            return loss(of: struck, for: subject, after: act, isClean: verb == .stop, seen: seen)
        case .start, .thaw:
            return rise(
                of: struck, for: subject, after: act, isMended: verb == .thaw, seen: seen)
        case .restart:
            guard let nodes = subject.nodes, !struck.contains(where: { nodes.contains($0.node) })
            else { return rise(of: struck, for: subject, after: act, seen: seen) }
            return loss(of: struck, for: subject, after: act, isClean: true, seen: seen)
        case .reload: return nil
        }
    }

    /// The bound after something in the network was broken or mended.
    private func bound(
        for subject: Subject, after act: Act, _ fault: Fault, seen: Observation
    ) -> TimeBound? {
        let sharing = sharing(subject.address)
        let cutOff: [VirtualRouterFacts]
        switch fault {
        case .linkDown(let endpoint), .blackhole(let endpoint, _), .unplug(let endpoint),
            .plug(let endpoint, _?):
            cutOff = sharing.filter { $0.advertises(at: endpoint) }
        case .partition(let groups):
            // Wherever the master is, the others are to do without it.
            let holders = subject.address.map { seen.ownership.holders(of: $0, at: act.time) }
            cutOff = sharing.filter { router in
                (holders ?? []).contains(router.node)
                    && groups.contains { $0.contains(router.node) }
            }
        case .cut(let senders, let receivers):
            // Those who do not hear the master any more are to do without it.
            let holders = subject.address.map { seen.ownership.holders(of: $0, at: act.time) }
            cutOff = sharing.filter { router in
                (holders ?? []).contains(router.node) && senders.contains(router.node)
                    && sharing.contains { receivers.contains($0.node) }
            }
        // Frames get there, now and then.
        case .impair, .flap, .limit, .clock: return nil
        case .imposter(let network, let imposture):
            return bound(for: subject, after: act, imposture, on: network, seen: seen)
        case .linkUp(let endpoint), .plug(let endpoint, nil), .heal(let endpoint?):
            let back = sharing.filter { $0.advertises(at: endpoint) }
            return back.isEmpty
                ? nil : rise(of: sharing, for: subject, after: act, isMended: true, seen: seen)
        case .heal(nil):
            return sharing.isEmpty
                ? nil : rise(of: sharing, for: subject, after: act, isMended: true, seen: seen)
        }
        guard !cutOff.isEmpty else { return nil }
        return loss(of: cutOff, for: subject, after: act, isClean: false, seen: seen)
    }

    /// After routers went down: the best remaining one takes over.
    private func loss(
        of struck: [VirtualRouterFacts], for subject: Subject, after act: Act, isClean: Bool,
        seen: Observation
    ) -> TimeBound {
        let remaining = sharing(subject.address).filter {
            !struck.contains($0) && !seen.services.isDown($0, at: act.time)
        }
        let holders = subject.address.map { seen.ownership.holders(of: $0, at: act.time) } ?? []
        let lost = struck.first { holders.contains($0.node) } ?? struck[0]
        var bound = TimeBound(terms: [], margins: margins(for: subject))
        if isClean, let stopped = seen.services.firstStop(of: lost, since: act.time) {
            bound.terms = delayTerms("stopped after", from: act.time, to: stopped)
        }
        guard subject.nodes != [], let heir = best(of: expected(by: subject, among: remaining))
        else { return bound }
        // Only a master resigns; a backup that stops says nothing (RFC 3768 §6.4.2).
        if isClean, holders.contains(lost.node) {
            bound.terms.append(heir.skewTime(learned: lost.advertisementInterval))
        } else {
            bound.terms += heir.masterDownInterval(learned: lost.advertisementInterval)
        }
        return bound
    }

    /// After a daemon was started: it waits its Master_Down_Interval from its readiness on.
    func rise(
        of struck: [VirtualRouterFacts], for subject: Subject, after act: Act,
        isMended: Bool = false, seen: Observation
    ) -> TimeBound {
        var bound = TimeBound(terms: [], margins: margins(for: subject))
        guard subject.nodes != [], let starter = best(of: expected(by: subject, among: struck))
        else { return bound }
        // What was cut off or frozen runs already.
        if isMended {
            let said = seen.forgedIntervals[starter.vrid]
            bound.terms = starter.masterDownInterval(learned: said)
            return bound
        }
        if let ready = seen.services.firstReady(of: starter, since: act.time) {
            bound.terms = delayTerms("ready after", from: act.time, to: ready)
        } else if let ended = act.ended {
            bound.terms = delayTerms("started after", from: act.time, to: ended)
        } else {
            bound.margins.append(allowances.serviceStartTerm)
        }
        bound.terms += starter.masterDownInterval()
        return bound
    }

    /// After another service of a node was struck, where a request is to be answered.
    private func service(_ target: Target, after act: Act, seen: Observation) -> TimeBound {
        var bound = TimeBound(terms: [], margins: margins(for: Subject(isRequest: true)))
        if let ready = seen.services.lastReady(of: target, since: act.time) {
            bound.terms = delayTerms("ready after", from: act.time, to: ready)
        }
        bound.margins.append(allowances.unknownEffectTerm)
        return bound
    }

    /// Without any act: the first election, from the readiness of its daemons on, while it can
    /// still be going on when the scenario begins; afterwards the scenario's own beginning.
    private func start(for subject: Subject, begun: MonotonicInstant, seen: Observation)
        -> (Act, TimeBound)
    {
        let routers = expected(by: subject, among: sharing(subject.address))
        var bound = TimeBound(terms: [], margins: margins(for: subject))
        var labStart = Act(deed: .labStart, time: begun, summary: "the daemons' start")
        guard subject.nodes != [], let slowest = routers.min(by: { $0.priority < $1.priority })
        else {
            let act = Act(deed: .scenarioStart, time: begun, summary: "the scenario's start")
            bound.margins.append(allowances.unknownEffectTerm)
            return (act, bound)
        }
        let elected = subject.nodes == nil ? best(of: routers) ?? slowest : slowest
        bound.terms = elected.masterDownInterval()
        let ready = routers.compactMap { seen.services.lastReady(of: $0) }
        guard ready.count == routers.count, let last = ready.max() else {
            bound.margins.append(allowances.serviceStartTerm)
            return (labStart, bound)
        }
        guard last + bound.total >= begun else {
            return (
                Act(deed: .scenarioStart, time: begun, summary: "the scenario's start"), bound
            )
        }
        labStart.time = last
        return (labStart, bound)
    }

    /// Where nothing can be derived: the slowest takeover there is, and a default.
    private func unknownEffect(on subject: Subject) -> TimeBound {
        let slowest = sharing(subject.address).max {
            TimeBound(terms: $0.masterDownInterval(), margins: []).total
                < TimeBound(terms: $1.masterDownInterval(), margins: []).total
        }
        return TimeBound(
            terms: slowest?.masterDownInterval() ?? [],
            margins: margins(for: subject) + [allowances.unknownEffectTerm])
    }

    func margins(for subject: Subject) -> [TimeBound.Term] {
        [allowances.schedulingTerm] + (subject.isRequest ? [allowances.requestTerm] : [])
    }

    /// The routers that share an address.
    func sharing(_ address: IPAddress?) -> [VirtualRouterFacts] {
        guard let address else { return [] }
        return routers.filter { $0.addresses.contains(address) }
    }

    /// Every virtual address of the lab, once.
    private var virtualAddresses: [IPAddress] {
        routers.flatMap(\.addresses).reduce(into: []) { list, address in
            if !list.contains(address) { list.append(address) }
        }
    }

    /// The address, if it is a virtual one.
    private func virtual(_ address: IPAddress) -> IPAddress? {
        sharing(address).isEmpty ? nil : address
    }

    /// Those on the nodes the subject names, or all of them where it names none of theirs.
    private func expected(by subject: Subject, among routers: [VirtualRouterFacts])
        -> [VirtualRouterFacts]
    {
        let named = routers.filter { subject.nodes?.contains($0.node) ?? true }
        return named.isEmpty ? routers : named
    }

    /// The one that wins the election.
    private func best(of routers: [VirtualRouterFacts]) -> VirtualRouterFacts? {
        routers.max { $0.priority < $1.priority }
    }

    /// A term for the time between two events, unless it is too short to matter in print.
    private func delayTerms(
        _ words: String, from start: MonotonicInstant, to end: MonotonicInstant
    ) -> [TimeBound.Term] {
        let delay = end - start
        return delay < .milliseconds(1) ? [] : [.init("\(words) \(delay.text)", delay)]
    }
}
