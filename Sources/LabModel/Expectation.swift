public import NetworkTypes

/// What must be so, and by when.
public struct Expectation: Codable, Equatable, Sendable {
    public var condition: Condition
    /// The bound, counted from the event that caused it; nil to derive it from cause and
    /// configuration. Of a sequence, how long after one of its events the next may come.
    public var within: Duration?
    /// How long it must stay so afterwards.
    public var holding: Duration?
    /// The same for what may come and go until the bound: by then it must be so and stay so,
    /// counted from the last thing that was done.
    public var settling: Duration?

    /// What must be so.
    public enum Condition: Codable, Equatable, Sendable {
        /// That address is configured on exactly these nodes (empty: on none).
        case address(IPAddress, nodes: [String])
        /// That address is configured on exactly one node, and on one of these.
        case addressOnOne(IPAddress, of: [String])
        /// A virtual router is in that state on each of these nodes, as kernel and wire show it;
        /// nil for every instance that the node has.
        case state(RouterState, router: String?, nodes: [String])
        /// A request from that node comes to that.
        case answer(ProbeRequest, from: String, Answer)
        /// A service has printed such a line since the cause.
        case log(Target, TextMatch)
        /// A mail server has taken such a mail since the cause.
        case mail(Target, MailPattern)
        /// These happened since the cause, in that order.
        case sequence([EventPattern])
        /// The longest outage that a probe has seen since the cause (the last success before to the
        /// first success after) is at most that long. A takeover that comes before its time is
        /// wrong, too: then it has to be at least so long.
        case outage(probe: String, atLeast: Duration? = nil, atMost: Duration)
        /// The answers to a probe since the cause came that fast.
        case latency(probe: String, [LatencyLimit])
        /// A node's neighbour table has the address at another node.
        case neighbour(IPAddress, of: String, isAt: String)
        /// So many advertisements were sent since the cause.
        case adverts(AdvertPattern, CountRange)
        /// A value in what `ip -j` prints in a node is that text.
        case inspect(node: String, arguments: [String], path: ValuePath, equals: String)

        /// An answer to `GET`: 200 and, if given, exactly that body less one trailing newline.
        public static func http(url: HTTPURL, from node: String, body: String?) -> Self {
            .answer(.http(url), from: node, body.map(Answer.body) ?? .ok)
        }
    }

    public init(
        _ condition: Condition, within: Duration? = nil, holding: Duration? = nil,
        settling: Duration? = nil
    ) {
        self.condition = condition
        self.within = within
        self.holding = holding
        self.settling = settling
    }
}

extension Expectation {
    /// The bound that the lab file gives; a sequence's is none for the whole.
    var givenBound: TimeBound? {
        if case .sequence = condition { return nil }
        return within.map(TimeBound.given)
    }
}

extension Expectation.Condition {
    /// The probe it is about.
    var probe: String? {
        switch self {
        case .outage(let probe, _, _), .latency(let probe, _): probe
        case .address, .addressOnOne, .state, .answer, .log, .mail, .sequence, .neighbour,
            .adverts, .inspect:
            nil
        }
    }
}

/// The states of a virtual router, in the words of RFC 3768 and keepalived.
public typealias RouterState = TimelineEvent.Claim.RouterState

/// How fast a share of a probe's answers must have come.
public struct LatencyLimit: Codable, Equatable, Sendable {
    /// The share in percent: 50 for the median, 99.9, 100 for the slowest.
    public var percentile: Double
    @Nanoseconds public var atMost: Duration

    public init(percentile: Double, atMost: Duration) {
        self.percentile = percentile
        self.atMost = atMost
    }

    /// The words of a lab file for percentiles.
    static let words: [(word: String, percentile: Double)] = [
        ("p50", 50), ("p90", 90), ("p99", 99), ("p999", 99.9), ("max", 100),
    ]

    /// The word for this one.
    var word: String {
        Self.words.first { $0.percentile == percentile }?.word ?? "p\(percentile)"
    }
}

/// Which advertisements are meant.
public struct AdvertPattern: Codable, Hashable, Sendable {
    /// From whose port; nil for any.
    public var node: String?
    /// Of that priority; nil for any.
    public var priority: Int?

    public init(from node: String? = nil, priority: Int? = nil) {
        self.node = node
        self.priority = priority
    }

    func matches(_ seen: TimelineEvent.Advertisement) -> Bool {
        (node == nil || node == seen.node) && (priority == nil || priority == seen.priority)
    }
}

/// How often something must have happened.
public struct CountRange: Codable, Hashable, Sendable, CustomStringConvertible {
    public var atLeast: Int
    /// Nil for any number.
    public var atMost: Int?

    public init(atLeast: Int = 0, atMost: Int? = nil) {
        self.atLeast = atLeast
        self.atMost = atMost
    }

    func contains(_ count: Int) -> Bool { count >= atLeast && count <= atMost ?? .max }

    public var description: String {
        switch (atLeast, atMost) {
        case (let least, nil): "at least \(least)"
        case (let least, let most?) where least == most: "\(least)"
        case (0, let most?): "at most \(most)"
        case (let least, let most?): "\(least) to \(most)"
        }
    }
}
