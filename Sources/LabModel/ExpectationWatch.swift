import NetworkTypes

/// An expectation while it is waited for: judges it from what was seen.
struct ExpectationWatch: Sendable {
    let expectation: Expectation
    /// When its step began.
    let began: MonotonicInstant
    /// Since when it is so, once it was found so; only `for:` waits on.
    var heldSince: MonotonicInstant?
    /// The requests of an expectation that has to ask.
    var requests: RequestLoop?
    /// Cause and bound, as far as nothing they are made of has changed.
    var derivation: Derivation?

    /// What is kept of a derived bound, and what it was derived from.
    struct Derivation: Sendable {
        var cause: Act
        var bound: TimeBound
        var version: Version
    }

    /// How often what bounds are made of has changed.
    struct Version: Equatable, Sendable {
        var group: Int
        var seen: Int
    }

    /// What an expectation is judged by.
    struct Context {
        var seen: Observation
        var occurrences: Occurrences
        var cause: Act
        /// When the last of what was done with the cause was over.
        var lastDone: MonotonicInstant
        /// The bound it is held against.
        var bound: TimeBound
        var allowances: Allowances
        /// Whether the effect of the cause was seen by an earlier expectation.
        var effectHasArrived: Bool
        /// The probe of an expectation about one.
        var probe: Probe?
        /// When the scenario began.
        var begun: MonotonicInstant

        var deadline: MonotonicInstant { cause.time + bound.total }
        /// Whether the cause is a beginning, so that what was so before the scenario is no matter.
        var isFromStart: Bool { cause.deed == .labStart || cause.deed == .scenarioStart }
        /// From when on events count: those of a lab's own start, whenever they were.
        var eventsSince: MonotonicInstant { isFromStart ? .zero : cause.time }
    }

    enum Judgement: Equatable {
        /// Undecided; to be judged again at that moment or when something happens.
        case pending(until: MonotonicInstant)
        case passed(StepResult)
        /// What was seen instead; of something that came too early, by how much.
        case failed(seen: String, early: Duration? = nil)
    }

    init(_ expectation: Expectation, began: MonotonicInstant) {
        self.expectation = expectation
        self.began = began
        switch expectation.condition {
        case .answer, .inspect: requests = RequestLoop(next: began)
        case .address, .addressOnOne, .state, .log, .mail, .sequence, .outage, .latency,
            .neighbour, .adverts:
            break
        }
    }

    /// Which events can decide it: other ones need no judgement.
    var interests: Observation.News {
        switch expectation.condition {
        case .address, .addressOnOne: [.owners, .services, .stalls]
        case .state: [.states, .stalls]
        case .neighbour: [.neighbours, .frames, .services, .stalls]
        case .outage, .latency: [.probes, .owners, .services, .stalls]
        // Judged when one of them occurs.
        case .log, .mail, .sequence, .adverts, .answer, .inspect: [.owners, .services, .stalls]
        }
    }

    /// Whether it is met, still may be, or cannot be any more.
    mutating func judge(_ context: Context, now: MonotonicInstant) -> Judgement {
        switch expectation.condition {
        case .address(let address, let nodes):
            return judge(
                sight(of: address, context) { $0 == Set(nodes).sorted() }, context, now: now)
        case .addressOnOne(let address, let nodes):
            return judge(
                sight(of: address, context) { $0.count == 1 && nodes.contains($0[0]) }, context,
                now: now)
        case .state(let state, let router, let nodes):
            return judge(
                sight(of: state, router: router, on: nodes, context), context, now: now)
        case .neighbour(let address, let client, let node):
            return judge(
                sight(of: address, in: client, at: node, context), context, now: now)
        case .answer, .inspect: return judgeAnswers(context, now: now)
        case .outage(_, let least, let most):
            return judgeOutage(atLeast: least, atMost: most, context, now: now)
        case .latency(_, let limits): return judgeLatency(limits, context, now: now)
        case .log(let target, let match):
            return judgeLine(.line(target, match), context, now: now)
        case .mail(let target, let pattern):
            return judgeLine(.mail(target, pattern), context, now: now)
        case .sequence(let patterns): return judgeSequence(patterns, context, now: now)
        case .adverts(let pattern, let range):
            return judgeAdverts(pattern, range, context, now: now)
        }
    }

    // MARK: What is so for a time

    /// What is to be so, as it is.
    struct Sight {
        var isSo: Bool
        /// Since when it is as it is; nil if it never was otherwise.
        var changed: MonotonicInstant?
        /// How it is.
        var words: String
    }

    private mutating func judge(
        _ sight: Sight, _ context: Context, now: MonotonicInstant
    ) -> Judgement {
        let holding = expectation.settling ?? expectation.holding ?? .zero
        let mayChange = expectation.settling != nil
        guard sight.isSo else {
            if let heldSince, let changed = sight.changed {
                // A change after the time was up is none of this expectation's business.
                if changed >= heldSince + holding { return passed(since: heldSince, context) }
                guard mayChange, changed <= context.deadline else {
                    return .failed(
                        seen: "it held for \((changed - heldSince).text), then "
                            + place(sight, context))
                }
                self.heldSince = nil
            }
            guard now < context.deadline else { return .failed(seen: place(sight, context)) }
            return .pending(until: context.deadline)
        }
        let since = max(sight.changed ?? context.cause.time, context.cause.time)
        let wasSoAtBegin = context.isFromStart && since <= context.begun
        guard since <= context.deadline || wasSoAtBegin else {
            return .failed(seen: "it was so only " + Words.moment(since, from: context.cause))
        }
        let held = mayChange ? max(since, context.lastDone) : since
        heldSince = held
        guard now >= held + holding else { return .pending(until: held + holding) }
        return passed(since: sight.changed, context)
    }

    private func place(_ sight: Sight, _ context: Context) -> String {
        guard let since = sight.changed else { return "\(sight.words) so far" }
        return "\(sight.words) since \(Words.moment(since, from: context.cause))"
    }

    private func sight(
        of address: IPAddress, _ context: Context, isSo: (_ holders: [String]) -> Bool
    ) -> Sight {
        let ownership = context.seen.ownership
        let holders = ownership.holders(of: address)
        return Sight(
            isSo: isSo(holders), changed: ownership.lastChange(of: address),
            words: "on \(Words.nodes(holders))")
    }

    private func sight(
        of state: RouterState, router: String?, on nodes: [String], _ context: Context
    ) -> Sight {
        var isSo = true
        var changed: MonotonicInstant?
        var words: [String] = []
        for node in nodes {
            let pattern = EventPattern.state(state, router: router, on: node)
            let isSoHere = context.occurrences.isSo(pattern)
            let since = context.occurrences.lastChange(of: pattern)
            if !isSoHere { words.append("\(node) is not") }
            // What has to change last decides since when all of it is so.
            if isSoHere == isSo {
                changed = [changed, since].compactMap(\.self).max()
            } else if isSo {
                isSo = false
                changed = since
            }
        }
        return Sight(
            isSo: isSo, changed: changed,
            words: isSo ? state.rawValue : words.joined(separator: " and "))
    }

    private func sight(
        of address: IPAddress, in client: String, at node: String, _ context: Context
    ) -> Sight {
        let table = context.seen.neighbours
        guard let entry = table.entry(for: address, of: client) else {
            return Sight(isSo: false, changed: nil, words: "no entry")
        }
        guard let mac = entry.mac else {
            return Sight(isSo: false, changed: entry.since, words: "an entry without an answer")
        }
        let station = table.station(mac)
        return Sight(
            isSo: station == node, changed: entry.since,
            words: "at \(station ?? "a station that nobody is") (\(mac))")
    }

    /// The result of an expectation that became so at that moment; nil if it was so before.
    func passed(since: MonotonicInstant?, _ context: Context, measured: String? = nil)
        -> Judgement
    {
        var result = StepResult(
            cause: context.cause.summary, bound: context.bound, measured: measured)
        if let since, since > context.cause.time, since <= context.deadline {
            result.after = since - context.cause.time
        }
        return .passed(result)
    }

    /// From when on a count or measurement since the cause can be final: before its cause can have
    /// had its effect, that nothing happened means nothing.
    func settled(_ context: Context) -> MonotonicInstant {
        (context.effectHasArrived ? began : max(began, context.deadline))
            + (expectation.holding ?? .zero)
    }
}
