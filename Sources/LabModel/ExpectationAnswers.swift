import NetworkTypes

// Expectations that ask: requests to servers, and commands whose output is looked at.

/// The requests of an expectation: one at a time, at a steady pace.
struct RequestLoop: Sendable {
    /// The number of the request under way.
    var inFlight: Int?
    /// When the next one may be sent.
    var next: MonotonicInstant
    /// What became of the last one, in words.
    private(set) var last: String?
    private(set) var lastWasRight = false
    private(set) var firstWasRight = false
    private(set) var answered = 0

    init(next: MonotonicInstant) { self.next = next }

    mutating func note(_ words: String, isRight: Bool, next: MonotonicInstant) {
        inFlight = nil
        self.next = next
        last = words
        lastWasRight = isRight
        if answered == 0 { firstWasRight = isRight }
        answered += 1
    }
}

extension ExpectationWatch {
    /// Takes the result of request `id`; false if it is none of this expectation's.
    mutating func take(
        _ result: ProbeResult, of id: Int, now: MonotonicInstant, interval: Duration
    ) -> Bool {
        guard case .answer(_, _, let answer) = expectation.condition else { return false }
        return take(
            isRight: answer.isMet(by: result.outcome), words: Words.outcome(result.outcome),
            of: id, now: now, interval: interval)
    }

    /// Takes what a command printed.
    mutating func take(
        _ result: ActionResult, of id: Int, now: MonotonicInstant, interval: Duration
    ) -> Bool {
        guard case .inspect(_, _, let path, let wanted) = expectation.condition else {
            return false
        }
        let isRight: Bool
        let words: String
        switch result {
        case .exited(.status(0), let output):
            switch path.value(inJSON: output) {
            case .success(let value):
                isRight = value == wanted
                words = "'\(value)'"
            case .failure(let missing):
                isRight = false
                words = missing.reason
            }
        case .exited(let reason, let output):
            isRight = false
            words = "\(reason)" + Words.lastLine(of: output)
        case .failed(let reason):
            isRight = false
            words = reason
        case .done: preconditionFailure("a command exits")
        }
        return take(isRight: isRight, words: words, of: id, now: now, interval: interval)
    }

    private mutating func take(
        isRight: Bool, words: String, of id: Int, now: MonotonicInstant, interval: Duration
    ) -> Bool {
        guard requests?.inFlight == id else { return false }
        requests?.note(words, isRight: isRight, next: now + interval)
        if isRight, heldSince == nil { heldSince = now }
        return true
    }

    /// The action of a request that is to be sent now, which then has that number.
    mutating func request(
        as id: Int, now: MonotonicInstant, allowances: Allowances
    ) -> ScenarioAction? {
        guard let loop = requests, loop.inFlight == nil, loop.next <= now else { return nil }
        requests?.inFlight = id
        switch expectation.condition {
        case .answer(let request, let node, _):
            return .request(
                id: id, node: node, request, timeout: allowances.requestTimeout)
        case .inspect(let node, let arguments, _, _):
            return .inspect(id: id, node: node, command: ["ip", "-j"] + arguments)
        case .address, .addressOnOne, .state, .log, .mail, .sequence, .outage, .latency,
            .neighbour, .adverts:
            preconditionFailure("only what asks has requests")
        }
    }

    func judgeAnswers(_ context: Context, now: MonotonicInstant) -> Judgement {
        guard let requests else { preconditionFailure("what asks has requests") }
        let allowances = context.allowances
        let last = requests.last ?? "no answer yet"
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
}
