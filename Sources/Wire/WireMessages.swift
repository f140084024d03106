// What labctl's supervisor and `wire-relay` say to each other: one JSON object a line.

/// What the relay is asked to do.
public struct WireRequest: Codable, Equatable, Sendable {
    /// Comes back with the answer.
    public var id: Int
    /// The links that there are to be from now on, all of them: new ones are opened, and those that
    /// are not named are closed. Either all of it happens or nothing.
    public var set: [WireLink]?
    /// Asks for counters.
    public var counters: Bool?

    /// Has these links, and no others, in force.
    public static func set(_ links: [WireLink], id: Int) -> WireRequest {
        WireRequest(id: id, set: links, counters: nil)
    }

    /// Asks what has become of all frames.
    public static func counters(id: Int) -> WireRequest {
        WireRequest(id: id, set: nil, counters: true)
    }
}

/// A link that a relay is in the middle of.
public struct WireLink: Codable, Equatable, Sendable {
    /// Names it in answers, and is part of what a seed means: the same in every run.
    public var name: String
    /// The index of the interface that leads to the node.
    public var node: Int32
    /// The index of the interface that leads to the network.
    public var network: Int32
    /// What happens to frames for the node: the first rule that selects a frame counts.
    public var inward: [WireRule]
    /// What happens to frames of the node.
    public var outward: [WireRule]

    public init(
        name: String, node: Int32, network: Int32, inward: [WireRule] = [],
        outward: [WireRule] = []
    ) {
        self.name = name
        self.node = node
        self.network = network
        self.inward = inward
        self.outward = outward
    }

    private enum CodingKeys: String, CodingKey {
        case name, node, network
        case inward = "in"
        case outward = "out"
    }

    /// A direction left out has no rules.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        name = try values.decode(String.self, forKey: .name)
        node = try values.decode(Int32.self, forKey: .node)
        network = try values.decode(Int32.self, forKey: .network)
        inward = try values.decodeIfPresent([WireRule].self, forKey: .inward) ?? []
        outward = try values.decodeIfPresent([WireRule].self, forKey: .outward) ?? []
    }

    /// What is wrong with it; nothing when it can be done.
    public var problems: [String] {
        var problems: [String] = []
        if name.isEmpty { problems.append("a link without a name") }
        if node <= 0 || network <= 0 || node == network {
            problems.append(
                "link \(name): interfaces \(node) and \(network): "
                    + "they are two, and their indices positive")
        }
        for (rules, direction) in [(inward, WireDirection.inward), (outward, .outward)] {
            for (place, rule) in rules.enumerated() {
                problems += rule.problems.map {
                    "link \(name), \(direction.rawValue), rule \(place + 1): \($0)"
                }
            }
        }
        return problems
    }
}

/// What the relay says.
public struct WireReply: Codable, Equatable, Sendable {
    /// The request's; nil for what nobody has asked for.
    public var id: Int?
    /// Whether what was asked for is in force.
    public var done: Bool?
    /// Why nothing of what was asked for was done.
    public var error: String?
    /// What has become of all frames.
    public var links: [WireLinkCounters]?
    /// A link has ended by itself.
    public var ended: Ended?

    public init(
        id: Int? = nil, done: Bool? = nil, error: String? = nil,
        links: [WireLinkCounters]? = nil, ended: Ended? = nil
    ) {
        self.id = id
        self.done = done
        self.error = error
        self.links = links
        self.ended = ended
    }

    /// A link that is no more.
    public struct Ended: Codable, Equatable, Sendable {
        public var link: String
        /// Why: `interface 5 is gone`.
        public var reason: String
        public init(link: String, reason: String) {
            self.link = link
            self.reason = reason
        }
    }
}

/// What has become of a link's frames.
public struct WireLinkCounters: Codable, Equatable, Sendable {
    public var name: String
    public var inward: WireDirectionCounters
    public var outward: WireDirectionCounters

    public init(name: String, inward: WireDirectionCounters, outward: WireDirectionCounters) {
        self.name = name
        self.inward = inward
        self.outward = outward
    }

    private enum CodingKeys: String, CodingKey {
        case name
        case inward = "in"
        case outward = "out"
    }
}

/// What has become of the frames of one direction.
public struct WireDirectionCounters: Codable, Equatable, Sendable {
    /// By the rules.
    public var all: WireCounters
    /// By each rule, in order, since it came into force.
    public var rules: [WireCounters]
    /// Copies that wait for their time.
    public var queued: Int
    /// Copies that were handed to the kernel.
    public var sent: Int
    /// Copies that the kernel did not take: the interface was down, or its queue full.
    public var refused: Int
    /// Frames that the relay never saw, since it was kept from its work too long, and frames that
    /// were longer than any it has room for. Not in `all`.
    public var missed: Int

    public init(
        all: WireCounters, rules: [WireCounters], queued: Int, sent: Int, refused: Int,
        missed: Int
    ) {
        self.all = all
        self.rules = rules
        self.queued = queued
        self.sent = sent
        self.refused = refused
        self.missed = missed
    }
}
