public import NetworkTypes

/// One direction of one link: decides what becomes of each frame.
///
/// The first rule that selects a frame decides about it; one that no rule selects passes at once.
/// Every random decision is a function of the rule's seed, the link's name, the direction, the
/// frame's number among those that the rule has selected, and what is decided (``WireRandom``). So
/// the same seed loses exactly the same packets, whatever their timing. What does depend on time is
/// the rate, and what finds no room.
public struct WireLane: Sendable {
    /// A frame, as it comes to the wire.
    public struct Arrival: Equatable, Sendable {
        /// How many octets of it can be inverted: from its Ethernet header on.
        public var length: Int
        /// What it comes to on the wire: for a super-frame all of its packets with their headers.
        public var bytes: Int
        /// The longest of its packets.
        public var largestPacketBytes: Int
        /// What of it comes before the network layer.
        var linkHeaderBytes = 14

        /// How long the network layer of the longest packet is: what an MTU is about.
        var largestNetworkBytes: Int { largestPacketBytes - linkHeaderBytes }

        /// A frame of its own.
        public init(length: Int) { self.init(length: length, bytes: length, largest: length) }

        /// A super-frame of several packets (GSO).
        public init(length: Int, bytes: Int, largest: Int) {
            self.length = length
            self.bytes = bytes
            largestPacketBytes = largest
        }
    }

    /// A copy of a frame that passes.
    public struct Copy: Equatable, Sendable {
        /// When it is to be sent: not before its frame arrived.
        public var due: MonotonicInstant
        /// Which bit of it is inverted, counted from the highest of the first octet; nil: none.
        public var invertedBit: Int?
        fileprivate(set) var rule: UInt32

        init(due: MonotonicInstant, rule: UInt32) {
            self.due = due
            self.rule = rule
        }

        /// What tells the lane that it has been sent; nil: it need not be told.
        public var ticket: Ticket? { rule == 0 ? nil : Ticket(rule: rule) }
    }

    /// Stands for a copy that is under way.
    public struct Ticket: Hashable, Sendable {
        fileprivate var rule: UInt32
    }

    /// Why a frame, or one copy of it, does not arrive.
    public enum LossReason: Equatable, Sendable {
        /// The rule's loss.
        case loss
        /// The limit, or no room before the token bucket.
        case overlimit
        /// The MTU.
        case oversize
    }

    /// What becomes of a frame.
    public struct Passage: Equatable, Sendable {
        /// The first copy; nil when the frame is lost.
        public private(set) var first: Copy?
        /// The second copy of a frame that comes twice.
        public private(set) var second: Copy?
        /// Why there is no copy; nil when there is one.
        public var lostBy: LossReason? { first == nil ? reason : nil }
        private var reason: LossReason

        init(reason: LossReason) { self.reason = reason }

        init(passing copy: Copy) {
            first = copy
            reason = .loss
        }

        /// The copies to be sent.
        public var copies: [Copy] { [first, second].compactMap(\.self) }

        mutating func add(_ copy: Copy?) {
            if copy == nil {
                reason = .overlimit
            } else if first == nil {
                first = copy
            } else {
                second = copy
            }
        }
    }

    /// The link's name, as it is part of what a seed means.
    public let link: String
    public let direction: WireDirection
    private var states: [RuleState] = []
    private var rulesEver: UInt32 = 0
    /// Of rules that are no more.
    private var formerCounters = WireCounters()
    /// What passed without a rule.
    private var unselected = 0
    private var needsHeaders = false

    /// - Precondition: the rules are valid (``WireRule/problems``).
    public init(link: String, direction: WireDirection, rules: [WireRule] = []) {
        self.link = link
        self.direction = direction
        setRules(rules)
    }

    /// The rules in force.
    public var rules: [WireRule] { states.map(\.rule) }

    /// What has become of each rule's frames, in the rules' order. A rule counts from when it came
    /// into force.
    public var ruleCounters: [WireCounters] { states.map(\.counters) }

    /// What has become of all frames, ever.
    public var counters: WireCounters {
        var sum = states.reduce(formerCounters) { $0 + $1.counters }
        sum.frames += unselected
        sum.passed += unselected
        return sum
    }

    /// Puts other rules in force. One that was among the old ones goes on where it is, with its
    /// numbers and what it remembers; the others begin with frame number 1. What is under way is
    /// under way.
    ///
    /// - Precondition: the rules are valid (``WireRule/problems``).
    public mutating func setRules(_ rules: [WireRule]) {
        var former = states
        states = rules.map { rule in
            if let place = former.firstIndex(where: { $0.rule == rule }) {
                return former.remove(at: place)
            }
            rulesEver += 1
            return RuleState(rule, number: rulesEver, link: link, direction: direction)
        }
        formerCounters = former.reduce(formerCounters) { $0 + $1.counters }
        needsHeaders = rules.contains { $0.frames != .any || $0.impairment.mtuBytes != nil }
    }

    /// Decides about a frame.
    ///
    /// - Parameters:
    ///   - frame: from its Ethernet header on.
    ///   - arrival: what it comes to; nil: it is no super-frame.
    ///   - time: when it arrived, not before the one before it.
    public mutating func pass(
        _ frame: Span<UInt8>, _ arrival: Arrival? = nil, at time: MonotonicInstant
    ) -> Passage {
        let headers = needsHeaders ? FrameHeaders(frame) : nil
        for place in states.indices {
            let selector = states[place].rule.frames
            if selector != .any {
                guard let headers, selector.selects(headers, of: frame) else { continue }
            }
            var arrival = arrival ?? Arrival(length: frame.count)
            if let headers { arrival.linkHeaderBytes = headers.network }
            return states[place].pass(arrival, at: time)
        }
        unselected += 1
        return Passage(passing: Copy(due: time, rule: 0))
    }

    /// A copy has been sent, or will never be: there is room for another.
    public mutating func depart(_ ticket: Ticket) {
        guard let place = states.firstIndex(where: { $0.number == ticket.rule }) else { return }
        states[place].depart()
    }
}

extension WireRule {
    /// What is wrong with it; nothing when it can be done.
    public var problems: [String] { frames.problems + impairment.problems }
}
