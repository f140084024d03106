public import NetworkTypes

/// A time without service, as one probe saw it.
public struct Outage: Codable, Equatable, Sendable {
    /// When the last answer before it arrived; when its first lost request was due, if that was
    /// earlier or if there was no answer before.
    public var begin: MonotonicInstant
    /// When the first answer after it arrived; nil while there is none.
    public var end: MonotonicInstant?
    /// How many of the requests due in it failed.
    public var lostRequests: Int

    public init(begin: MonotonicInstant, end: MonotonicInstant?, lostRequests: Int) {
        self.begin = begin
        self.end = end
        self.lostRequests = lostRequests
    }

    /// How long it lasted, or has lasted at `now` if it is not over.
    public func duration(now: MonotonicInstant) -> Duration { (end ?? now) - begin }
}

/// Makes outages of a probe's results: from the last success before to the first success after, for
/// every run of requests that failed.
///
/// Results arrive in the order in which requests end, and one that times out ends long after later
/// ones were answered. They are therefore put back into the order of the grid on which they were
/// due, and count once every earlier one is known. A request that the kernel retries in silence
/// (a lost SYN is sent again after 1 s, RFC 6298 §2) is late instead of lost: a probe's timeout
/// should be shorter than that.
public struct OutageMeter: Equatable, Sendable {
    /// The probe's interval: the grid.
    public let interval: Duration
    /// The outages that are over, in order.
    public var outages: [Outage] { over.map(\.outage) }
    /// The due moment up to which every request is accounted for; nil before the first result.
    public private(set) var accountedThrough: MonotonicInstant?
    /// When the last accounted request that was answered was due.
    public private(set) var lastSuccessDue: MonotonicInstant?
    /// Accounted requests.
    public private(set) var requests = 0
    /// Those that failed.
    public private(set) var lostRequests = 0

    private struct Result: Equatable, Sendable {
        var isSuccess: Bool
        var ended: MonotonicInstant
    }
    /// An outage and its first lost request.
    private struct Run: Equatable, Sendable {
        var outage: Outage
        var firstLostDue: MonotonicInstant
    }
    /// Results that wait for an earlier one.
    private var waiting: [MonotonicInstant: Result] = [:]
    private var over: [Run] = []
    /// The outage that is being measured; its end may still prove to be earlier.
    private var open: Run?
    private var lastSuccessEnded: MonotonicInstant?

    /// A meter of a probe with that interval.
    public init(interval: Duration) { self.interval = interval }

    /// Takes a result into account.
    ///
    /// - Parameters:
    ///   - result: due on the probe's grid (`ProbeSchedule`); each grid point brings one result,
    ///     also where the request could not even be sent. Results due before the first one that
    ///     ended are dropped: nothing is known of the service before them.
    ///   - ended: when the answer arrived, or the request failed.
    public mutating func record(_ result: ProbeResult, ended: MonotonicInstant) {
        if let accountedThrough, result.due <= accountedThrough { return }
        let due = result.due
        let result = Result(isSuccess: result.outcome.isSuccess, ended: ended)
        var next = accountedThrough.map { $0 + interval } ?? due
        // The rule: nothing is missing before it.
        if due == next, waiting.isEmpty {
            account(result, due: due)
            accountedThrough = due
            return
        }
        waiting[due] = result
        while let result = waiting.removeValue(forKey: next) {
            account(result, due: next)
            accountedThrough = next
            next += interval
        }
    }

    /// The outage that is not known to be over, or whose end is not final; its end is the first
    /// success seen so far, wherever in the grid.
    public var openOutage: Outage? {
        guard var outage = open?.outage else { return nil }
        let answered = waiting.values.filter(\.isSuccess).map(\.ended).min()
        outage.end = [outage.end, answered].compactMap(\.self).min()
        return outage
    }

    /// The outages that lasted beyond `time`, the present one among them.
    ///
    /// One that was on already, with no answer for longer than an interval before `time`, counts
    /// from `time` on: what comes later is not what began it. If it cost no request after `time`,
    /// it is left out.
    public func outages(since time: MonotonicInstant) -> [Outage] {
        let present = openOutage.flatMap { outage in
            open.map { Run(outage: outage, firstLostDue: $0.firstLostDue) }
        }
        return (over + [present].compactMap(\.self)).compactMap { run in
            guard run.outage.end.map({ $0 > time }) ?? true else { return nil }
            guard run.outage.begin < time - interval else { return run.outage }
            var rest = run.outage
            rest.begin = time
            rest.lostRequests -= min(rest.lostRequests, requests(from: run.firstLostDue, to: time))
            return rest.lostRequests == 0 && rest.end != nil ? nil : rest
        }
    }

    /// How many points of the grid, of which `first` is one, are before `end`.
    private func requests(from first: MonotonicInstant, to end: MonotonicInstant) -> Int {
        let step = interval.wholeNanoseconds
        return Int(max(0, (end - first).wholeNanoseconds + step - 1) / step)
    }

    private mutating func account(_ result: Result, due: MonotonicInstant) {
        requests += 1
        if !result.isSuccess { lostRequests += 1 }
        // A request due after an answer arrived belongs to what follows the outage.
        if let run = open, let end = run.outage.end, due >= end {
            over.append(run)
            open = nil
        }
        switch (result.isSuccess, open) {
        case (true, nil): break
        case (true, var run?):
            run.outage.end = min(run.outage.end ?? result.ended, result.ended)
            open = run
        case (false, var run?):
            run.outage.lostRequests += 1
            open = run
        case (false, nil):
            let begin = lastSuccessEnded.map { min($0, due) } ?? due
            open = Run(
                outage: Outage(begin: begin, end: nil, lostRequests: 1), firstLostDue: due)
        }
        if result.isSuccess {
            lastSuccessDue = due
            lastSuccessEnded = result.ended
        }
    }
}
