public import NetworkTypes

/// Something broken in the network between the nodes, or mended: on the switch's side, where a node
/// can neither see who did it nor undo it; or something that a node has too little of. What is done
/// to a node or service itself is a ``ControlVerb``.
public enum Fault: Hashable, Sendable {
    /// The cable is pulled: not a frame passes, and the node sees its carrier go.
    case linkDown(Endpoint)
    /// Frames vanish between node and switch, and nothing tells the node: its carrier stays.
    case blackhole(Endpoint, Direction)
    /// The cable goes down and comes up, again and again.
    case flap(Endpoint, Flap)
    /// The cable is up and passes frames both ways: the end of `linkDown`, `blackhole` and `flap`.
    case linkUp(Endpoint)
    /// The cable's end is taken out of its switch and put into that of another network; nil: into
    /// the one where it belongs. The node sees its carrier go and come.
    case plug(Endpoint, InterfaceName?)
    /// The cable's end is in no switch: the carrier goes. `plug` is its end.
    case unplug(Endpoint)
    /// The cable delays, loses, damages or multiplies frames. It takes the place of what the cable
    /// did to the same frames before, and comes before what it does to others.
    case impair(Endpoint, CableImpairment)
    /// Frames pass only between nodes that share a group; one may be in several, and is then the
    /// bridge between nodes that do not reach each other; without groups, the network is whole. A
    /// node that no group names keeps
    /// reaching everybody, and everybody it. It takes the place of a partition before it.
    case partition([[String]])
    /// What the first nodes send does not get to the others, while they hear what those send;
    /// without nodes, everybody hears everybody. It takes the place of a cut before it.
    case cut(from: [String], to: [String])
    /// A node has less of some resources from then on. It takes the place of limits of the same
    /// resources, and outlives the node.
    case limit(String, NodeLimits)
    /// A service runs with clocks that are off, or with right ones again: what came of the start
    /// that follows, or of an end. Nobody applies it by itself.
    case clock(Target, ClockOffset)
    /// A station that belongs to nobody stands on the network of that name and does what the
    /// imposture says, in the place of what it did there before; or goes, where that is nothing. No
    /// partition keeps it from anybody.
    case imposter(InterfaceName, Imposture)
    /// Everything that was broken at the endpoint is mended, a partition and a cut included, and it
    /// is plugged in where it belongs; where none is given, at every one, and no node has limits
    /// any more.
    case heal(Endpoint?)

    /// Which way frames are lost, as the node sees it.
    public enum Direction: String, Codable, CaseIterable, Sendable {
        case both
        /// What is sent to the node.
        case `in`
        /// What the node sends.
        case out
    }
}

extension Fault: CustomStringConvertible {
    /// The fault in words, as the command line and a scenario's step have it:
    /// `partition a b | c`.
    public var description: String {
        switch self {
        case .linkDown(let endpoint): "link \(endpoint) down"
        case .blackhole(let endpoint, .both): "link \(endpoint) blackhole"
        case .blackhole(let endpoint, let direction):
            "link \(endpoint) blackhole \(direction.rawValue)"
        case .flap(let endpoint, let flap): "link \(endpoint) flap \(flap)"
        case .linkUp(let endpoint): "link \(endpoint) up"
        case .plug(let endpoint, let network?): "plug \(endpoint) \(network)"
        case .plug(let endpoint, nil): "plug \(endpoint)"
        case .unplug(let endpoint): "unplug \(endpoint)"
        case .impair(let endpoint, let impairment): "impair \(endpoint) \(impairment)"
        case .partition([]): "partition none"
        case .partition(let groups):
            "partition " + groups.map { $0.joined(separator: " ") }.joined(separator: " | ")
        case .limit(let node, let limits): "limit \(node) \(limits)"
        case .clock(let target, let offset): "clock \(target) \(offset)"
        case .cut([], _), .cut(_, []): "cut none"
        case .cut(let senders, let receivers):
            "cut \(senders.joined(separator: ",")) to \(receivers.joined(separator: ","))"
        case .imposter(let network, let imposture): "imposter \(network) \(imposture)"
        case .heal(let endpoint?): "heal \(endpoint)"
        case .heal(nil): "heal"
        }
    }

    /// What takes it back, and nothing else; nil for what mends.
    public var ending: Fault? {
        switch self {
        case .linkDown(let endpoint), .blackhole(let endpoint, _), .flap(let endpoint, _):
            .linkUp(endpoint)
        case .plug(let endpoint, _?), .unplug(let endpoint): .plug(endpoint, nil)
        case .impair(let endpoint, let impairment):
            impairment.isNone ? nil : .impair(endpoint, impairment.ending)
        case .partition(let groups): groups.isEmpty ? nil : .partition([])
        case .cut(let senders, _): senders.isEmpty ? nil : .cut(from: [], to: [])
        case .limit(let node, let limits): limits.isNone ? nil : .limit(node, limits.ending)
        case .imposter(let network, let imposture):
            imposture.isNone ? nil : .imposter(network, Imposture.ending)
        case .linkUp, .plug(_, nil), .clock, .heal: nil
        }
    }

    /// The endpoint it is applied to; nil for one that concerns several.
    public var endpoint: Endpoint? {
        switch self {
        case .linkDown(let endpoint), .blackhole(let endpoint, _), .linkUp(let endpoint),
            .impair(let endpoint, _), .flap(let endpoint, _), .plug(let endpoint, _),
            .unplug(let endpoint):
            endpoint
        case .heal(let endpoint): endpoint
        case .partition, .cut, .limit, .clock, .imposter: nil
        }
    }

    /// The node it is applied to; nil for one that concerns several.
    public var node: String? {
        switch self {
        case .limit(let node, _): node
        case .clock(let target, _): target.node
        case .linkDown, .blackhole, .flap, .linkUp, .plug, .unplug, .impair, .partition, .cut,
            .imposter, .heal:
            endpoint?.node
        }
    }
}

extension Fault: Decodable {
    /// What is done, without where: `fault` in JSON.
    public enum Kind: String, Codable, CaseIterable, Sendable {
        case linkDown = "link-down"
        case blackhole
        case linkUp = "link-up"
        case flap, plug, unplug, impair, partition, cut, limit, clock, imposter, heal
    }

    private enum Key: String, CodingKey {
        case fault, endpoint, direction, flap, network, impairment, groups, from, to
        case node, limits, target, clock, imposture
    }

    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Key.self)
        func endpoint() throws -> Endpoint {
            try fields.decode(Endpoint.self, forKey: .endpoint)
        }
        switch try fields.decode(Kind.self, forKey: .fault) {
        case .linkDown: self = .linkDown(try endpoint())
        case .blackhole:
            self = .blackhole(
                try endpoint(), try fields.decode(Direction.self, forKey: .direction))
        case .flap: self = .flap(try endpoint(), try fields.decode(Flap.self, forKey: .flap))
        case .linkUp: self = .linkUp(try endpoint())
        case .plug:
            self = .plug(
                try endpoint(), try fields.decodeIfPresent(InterfaceName.self, forKey: .network))
        case .unplug: self = .unplug(try endpoint())
        case .impair:
            self = .impair(
                try endpoint(), try fields.decode(CableImpairment.self, forKey: .impairment))
        case .partition:
            self = .partition(try fields.decode([[String]].self, forKey: .groups))
        case .limit:
            self = .limit(
                try fields.decode(String.self, forKey: .node),
                try fields.decode(NodeLimits.self, forKey: .limits))
        case .clock:
            self = .clock(
                try fields.decode(Target.self, forKey: .target),
                try fields.decode(ClockOffset.self, forKey: .clock))
        case .imposter:
            self = .imposter(
                try fields.decode(InterfaceName.self, forKey: .network),
                try fields.decode(Imposture.self, forKey: .imposture))
        case .cut:
            self = .cut(
                from: try fields.decode([String].self, forKey: .from),
                to: try fields.decode([String].self, forKey: .to))
        case .heal: self = .heal(try fields.decodeIfPresent(Endpoint.self, forKey: .endpoint))
        }
    }
}

extension Fault: JSONWritable {
    public func write(to fields: inout some JSONFields) {
        fields.field("fault", kind)
        if let endpoint { fields.field("endpoint", endpoint) }
        switch self {
        case .blackhole(_, let direction): fields.field("direction", direction)
        case .flap(_, let flap): fields.field("flap", flap)
        case .plug(_, let network?): fields.field("network", network)
        case .impair(_, let impairment): fields.field("impairment", impairment)
        case .partition(let groups): fields.field("groups", groups)
        case .limit(let node, let limits):
            fields.field("node", node)
            fields.field("limits", limits)
        case .clock(let target, let offset):
            fields.field("target", target)
            fields.field("clock", offset)
        case .imposter(let network, let imposture):
            fields.field("network", network)
            fields.field("imposture", imposture)
        case .cut(let senders, let receivers):
            fields.field("from", senders)
            fields.field("to", receivers)
        case .linkDown, .linkUp, .plug(_, nil), .unplug, .heal: break
        }
    }

    /// Its kind.
    public var kind: Kind {
        switch self {
        case .linkDown: .linkDown
        case .blackhole: .blackhole
        case .flap: .flap
        case .linkUp: .linkUp
        case .plug: .plug
        case .unplug: .unplug
        case .impair: .impair
        case .partition: .partition
        case .limit: .limit
        case .clock: .clock
        case .imposter: .imposter
        case .cut: .cut
        case .heal: .heal
        }
    }
}
