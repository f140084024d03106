public import LabModel
public import NetworkTypes

/// Tells a probe as it goes, `labctl probe`: results go in, a line comes out whenever requests are
/// answered otherwise than the ones before, and in the end the figures.
public struct ProbeNarration: Sendable {
    /// What came of the requests from one on.
    public struct Line: Equatable, Sendable {
        /// When that request was due, since the first one.
        public var offset: Duration
        public var text: String
        public var isGood: Bool
    }

    private let probe: Probe
    private var meter: OutageMeter
    private var latencies = LatencyHistogram()
    private var waiting: [MonotonicInstant: ProbeResult.Outcome] = [:]
    private var first: MonotonicInstant?
    private var next: MonotonicInstant?
    private var told: String?
    /// When the first of the requests that have failed in a row was due, and how many they are.
    private var failing: (since: MonotonicInstant, count: Int)?

    public init(_ probe: Probe) {
        self.probe = probe
        meter = OutageMeter(interval: probe.interval)
    }

    /// How many requests are accounted for: each has ended, and so has every one due before it.
    public var requests: Int { meter.requests }

    /// Takes in a result, which came at `ended`.
    ///
    /// - Returns: what there is to tell, in the order in which requests were due: a request that
    ///   times out ends long after later ones were answered.
    public mutating func record(_ result: ProbeResult, ended: MonotonicInstant) -> [Line] {
        meter.record(result, ended: ended)
        if result.outcome.isSuccess { latencies.record(ended - result.due) }
        waiting[result.due] = result.outcome
        var due = next ?? result.due
        if first == nil { first = due }
        var lines: [Line] = []
        while let outcome = waiting.removeValue(forKey: due) {
            if let line = line(outcome, due: due) { lines.append(line) }
            due += probe.interval
        }
        next = due
        return lines
    }

    private mutating func line(
        _ outcome: ProbeResult.Outcome, due: MonotonicInstant
    ) -> Line? {
        var text = outcome.brief
        let before = failing
        failing =
            outcome.isSuccess ? nil : (before?.since ?? due, (before?.count ?? 0) + 1)
        guard text != told else { return nil }
        told = text
        if outcome.isSuccess, let before {
            let requests = before.count == 1 ? "1 request" : "\(before.count) requests"
            text += " (\(requests) lost)"
        }
        return Line(
            offset: due - (first ?? due), text: text, isGood: outcome.isSuccess)
    }

    // MARK: Figures

    /// What it comes to.
    public struct Figures: Codable, Equatable, Sendable {
        /// The node it asked from, and what it asked.
        public var node: String
        public var request: String
        /// Requests that are accounted for, and those among them that failed.
        public var requests: Int
        public var lost: Int
        public var outages: [OutageFigures]
        /// Times to answer, of the answered requests; nil where there is none.
        public var median: Nanoseconds?
        public var p99: Nanoseconds?
        public var max: Nanoseconds?
    }

    /// A time without service.
    public struct OutageFigures: Codable, Equatable, Sendable {
        /// Since the first request was due.
        @Nanoseconds public var at: Duration
        /// Nil where it was not over.
        public var length: Nanoseconds?
        /// Requests that failed.
        public var lost: Int
    }

    /// The figures so far.
    public var figures: Figures {
        func latency(_ percentile: Double) -> Nanoseconds? {
            latencies.value(atPercentile: percentile).map(Nanoseconds.init(wrappedValue:))
        }
        let outages = (meter.outages + [meter.openOutage].compactMap(\.self)).map { outage in
            OutageFigures(
                at: outage.begin - (first ?? outage.begin),
                length: outage.end.map { Nanoseconds(wrappedValue: $0 - outage.begin) },
                lost: outage.lostRequests)
        }
        return Figures(
            node: probe.node, request: probe.request.description, requests: meter.requests,
            lost: meter.lostRequests, outages: outages, median: latency(50), p99: latency(99),
            max: latency(100))
    }
}

extension ProbeNarration.Figures {
    /// In lines for people: how many were lost, the outages, the times to answer.
    public var lines: [String] {
        let share = requests == 0 ? 0 : Double(lost) / Double(requests) * 100
        let permille = Int((share * 10).rounded())
        var lines = [
            "\(requests) requests, \(lost) without an answer (\(permille / 10).\(permille % 10) %)"
        ]
        for outage in outages {
            let length = outage.length.map { "\($0.wrappedValue.text)" } ?? "not over"
            lines.append("outage at \(outage.at.text): \(length), \(outage.lost) requests lost")
        }
        let latencies = [("median", median), ("p99", p99), ("max", max)].compactMap { name, value in
            value.map { "\(name) \($0.wrappedValue.text)" }
        }
        if !latencies.isEmpty {
            lines.append("time to answer: \(latencies.joined(separator: ", "))")
        }
        return lines
    }
}

extension ProbeResult.Outcome {
    /// In a few words, fit for a terminal: `200 this is master`, `answered`, `no answer: timed
    /// out`.
    fileprivate var brief: String { EventText.printable(words) }

    private var words: String {
        switch self {
        case .answered(let status, let body):
            let line = body.split(whereSeparator: \.isNewline).first.map { " \($0.prefix(60))" }
            return "\(status)\(line ?? "")"
        case .replied: return "answered"
        case .failed(let reason): return "no answer: \(reason)"
        }
    }
}
