import NetworkTypes

/// An expectation while it is waited for: judges it from what was seen.
struct ExpectationWatch: Sendable {
    let expectation: Expectation
    /// When its step began.
    let began: MonotonicInstant
    /// Since when it is so, once it was found so; only `for:` waits on.
    private var heldSince: MonotonicInstant?
    /// The requests of an http expectation.
    private(set) var requests: RequestLoop?

    /// What an expectation is judged by.
    struct Context {
        var seen: Observation
        var cause: Act
        /// The bound it is held against.
        var bound: TimeBound
        var allowances: Allowances
        /// Whether the effect of the cause was seen by an earlier expectation.
        var effectHasArrived: Bool
        /// The probe of an outage expectation.
        var probe: Probe?
        /// When the scenario began.
        var begun: MonotonicInstant

        var deadline: MonotonicInstant { cause.time + bound.total }
        /// Whether the cause is a beginning, so that what was so before the scenario is no matter.
        var isFromStart: Bool { cause.deed == .labStart || cause.deed == .scenarioStart }
    }

    enum Judgement: Equatable {
        /// Undecided; to be judged again at that moment or when something happens.
        case pending(until: MonotonicInstant)
        case passed(StepResult)
        /// What was seen instead.
        case failed(seen: String)
    }

    init(_ expectation: Expectation, began: MonotonicInstant) {
        self.expectation = expectation
        self.began = began
        if case .http = expectation.condition { requests = RequestLoop(next: began) }
    }

    /// Whether it is met, still may be, or cannot be any more.
    mutating func judge(_ context: Context, now: MonotonicInstant) -> Judgement {
        switch expectation.condition {
        case .address(let address, let nodes):
            judge(address, on: nodes, context, now: now)
        case .http:
            judgeAnswers(context, now: now)
        case .outage(_, let limit):
            judgeOutage(atMost: limit, context, now: now)
        }
    }

    // MARK: Addresses

    private mutating func judge(
        _ address: IPAddress, on nodes: [String], _ context: Context, now: MonotonicInstant
    ) -> Judgement {
        let ownership = context.seen.ownership
        let holders = ownership.holders(of: address)
        let changed = ownership.lastChange(of: address)
        let holding = expectation.holding ?? .zero
        guard holders == Set(nodes).sorted() else {
            if let heldSince, let changed {
                // A change after the time was up is none of this expectation's business.
                if changed >= heldSince + holding { return passed(since: heldSince, context) }
                return .failed(
                    seen: "it held for \((changed - heldSince).text), then "
                        + place(holders, since: changed, context))
            }
            guard now < context.deadline else {
                return .failed(seen: place(holders, since: changed, context))
            }
            return .pending(until: context.deadline)
        }
        let since = max(changed ?? context.cause.time, context.cause.time)
        let wasSoAtBegin = context.isFromStart && since <= context.begun
        guard since <= context.deadline || wasSoAtBegin else {
            return .failed(seen: "it was so only " + Words.moment(since, from: context.cause))
        }
        heldSince = since
        guard now >= since + holding else { return .pending(until: since + holding) }
        return passed(since: changed, context)
    }

    private func place(_ holders: [String], since: MonotonicInstant?, _ context: Context) -> String
    {
        let nodes = Words.nodes(holders)
        guard let since else { return "on \(nodes) so far" }
        return "on \(nodes) since \(Words.moment(since, from: context.cause))"
    }

    // MARK: Answers

    /// Takes the result of request `id`; false if it is none of this expectation's.
    mutating func take(
        _ result: ProbeResult, of id: Int, now: MonotonicInstant, interval: Duration
    ) -> Bool {
        guard case .http(_, _, let body) = expectation.condition, requests?.inFlight == id else {
            return false
        }
        let isRight = ExpectedBody.isMet(by: result.outcome, body: body)
        requests?.note(result.outcome, isRight: isRight, next: now + interval)
        if isRight, heldSince == nil { heldSince = now }
        return true
    }

    /// Whether a request is to be sent now, which then has that number.
    mutating func sendsRequest(as id: Int, now: MonotonicInstant) -> Bool {
        guard let loop = requests, loop.inFlight == nil, loop.next <= now else { return false }
        requests?.inFlight = id
        return true
    }

    private func judgeAnswers(_ context: Context, now: MonotonicInstant) -> Judgement {
        guard let requests else { preconditionFailure("an http expectation has requests") }
        let allowances = context.allowances
        let last = requests.last.map { Words.outcome($0) } ?? "no answer yet"
        guard let heldSince else {
            // However late after its cause a step begins, its first request is given its time.
            let deadline =
                requests.answered > 0
                ? context.deadline
                : max(
                    context.deadline, began + allowances.requestTimeout + allowances.scheduling)
            guard now < deadline else { return .failed(seen: last) }
            return .pending(until: min(deadline, nextRequest ?? deadline))
        }
        let isInTime = heldSince <= context.deadline
        guard isInTime || requests.firstWasRight else {
            return .failed(
                seen: "it was so only " + Words.moment(heldSince, from: context.cause))
        }
        guard requests.lastWasRight else {
            return .failed(seen: "it held for \((now - heldSince).text), then \(last)")
        }
        let end = heldSince + (expectation.holding ?? .zero)
        if let nextRequest {
            guard now < end else { return passed(since: isInTime ? heldSince : nil, context) }
            return .pending(until: min(nextRequest, end))
        }
        // A request sent within the time may be answered after it.
        let giveUp = end + allowances.requestTimeout + allowances.scheduling
        guard now < giveUp else { return .failed(seen: "no answer to the last request") }
        return .pending(until: giveUp)
    }

    /// When the next request is to be sent; nil while one is under way.
    private var nextRequest: MonotonicInstant? {
        requests?.inFlight == nil ? requests?.next : nil
    }

    // MARK: Outages

    private func judgeOutage(
        atMost limit: Duration, _ context: Context, now: MonotonicInstant
    ) -> Judgement {
        guard let probe = context.probe, let meter = context.seen.meters[probe.name] else {
            return .failed(seen: "no probe of that name")
        }
        // Before its cause can have had its effect, no outage means nothing.
        let effect = context.effectHasArrived ? began : max(began, context.deadline)
        let settled = effect + (expectation.holding ?? .zero)
        let outages = meter.outages(since: context.cause.time)
        let longest = outages.max { $0.duration(now: now) < $1.duration(now: now) }
        if let longest, longest.duration(now: now) > limit {
            let length = longest.duration(now: now).text
            let end = longest.end == nil ? " and no answer since" : ""
            return .failed(seen: "\(length), \(Words.lost(longest.lostRequests))\(end)")
        }
        let open = outages.last.flatMap { $0.end == nil ? $0 : nil }
        if open == nil, let answered = meter.lastSuccessDue, answered >= settled {
            return .passed(StepResult(cause: context.cause.summary, outage: longest))
        }
        let giveUp = settled + limit + probe.timeout + context.allowances.scheduling
        guard now < giveUp else {
            let through = meter.accountedThrough.map {
                "no result of \(probe.name) later than \(Words.moment($0, from: context.cause))"
            }
            return .failed(seen: through ?? "no result of \(probe.name) at all")
        }
        guard let open else { return .pending(until: giveUp) }
        // One nanosecond past the limit it is exceeded.
        return .pending(until: min(giveUp, open.begin + limit + .nanoseconds(1)))
    }

    private func passed(since: MonotonicInstant?, _ context: Context) -> Judgement {
        var result = StepResult(cause: context.cause.summary, bound: context.bound)
        if let since, since > context.cause.time, since <= context.deadline {
            result.after = since - context.cause.time
        }
        return .passed(result)
    }
}

/// The requests of an http expectation: one at a time, at a steady pace.
struct RequestLoop: Sendable {
    /// The number of the request under way.
    var inFlight: Int?
    /// When the next one may be sent.
    var next: MonotonicInstant
    /// What became of the last one.
    private(set) var last: ProbeResult.Outcome?
    private(set) var lastWasRight = false
    private(set) var firstWasRight = false
    private(set) var answered = 0

    init(next: MonotonicInstant) { self.next = next }

    mutating func note(_ outcome: ProbeResult.Outcome, isRight: Bool, next: MonotonicInstant) {
        inFlight = nil
        self.next = next
        last = outcome
        lastWasRight = isRight
        if answered == 0 { firstWasRight = isRight }
        answered += 1
    }
}
