public import NetworkTypes
public import Wire

/// What a cable does to the frames that it carries, in the words of tc-netem(8) and tc-tbf(8):
/// `out delay 10ms 2ms normal loss 5% only vrrp seed 7`.
public struct CableImpairment: Equatable, Sendable {
    /// The frames that it is done to, as the node at the cable's end sees them.
    public var direction = Fault.Direction.both
    /// What is done to them.
    public var impairment: Impairment
    /// What they carry; nil: anything.
    public var carried: FrameSelector.FrameProtocol?
    /// The UDP or TCP port that they come from or go to; nil: any.
    public var port: UInt16?
    /// The node whose Ethernet address they come from; nil: any.
    public var sender: String?
    /// The node whose Ethernet address they go to; nil: any.
    public var receiver: String?
    /// What everything random follows from.
    public var seed: UInt64 = 0
    /// What carries it out.
    public var path = Path.wire

    /// What can carry an impairment out.
    public enum Path: String, CaseIterable, Sendable {
        /// `wire-relay`: on every kernel, for every frame that can be described, by a seed.
        case wire
        /// The kernel's own sch_netem and sch_tbf, which know neither.
        case netem
    }

    public init(_ impairment: Impairment, direction: Fault.Direction = .both) {
        self.impairment = impairment
        self.direction = direction
    }

    /// Whether it ends what the cable does to these frames.
    public var isNone: Bool { impairment.changesNothing }

    /// What ends it.
    var ending: CableImpairment {
        var ending = self
        ending.impairment = Impairment()
        ending.seed = 0
        ending.path = .wire
        return ending
    }

    /// Why the kernel cannot carry it out by itself, and what would be right; nothing when it can.
    var problemsOfPath: [String] {
        guard path == .netem, !isNone else { return [] }
        var lacks: [String] = []
        if carried != nil || sender != nil || receiver != nil {
            lacks.append("'only', 'from' and 'to': it does the same to every frame")
        }
        if seed != 0 { lacks.append("'seed': its chance is another every time") }
        if case .every = impairment.loss { lacks.append("'loss every'") }
        if impairment.mtuBytes != nil { lacks.append("'mtu'") }
        if case .packets = impairment.rate?.limit {
            lacks.append("a rate's limit in packets: give it in octets, as 32kb")
        }
        return lacks.isEmpty
            ? [] : ["netem has no " + lacks.joined(separator: ", no ") + "; leave 'via netem' away"]
    }

    /// Whether another one is about the same frames, so that the later takes the place of the
    /// earlier.
    func isAboutSameFrames(as other: CableImpairment) -> Bool {
        direction == other.direction && carried == other.carried && port == other.port
            && sender == other.sender && receiver == other.receiver
    }

    /// The rules that do it: one for each Ethernet address that the nodes it names have on the
    /// cable's network.
    fileprivate func rules(
        addresses: (_ node: String) -> [MACAddress]
    ) -> [WireRule] {
        let senders = sender.map { addresses($0).map(Optional.some) } ?? [nil]
        let receivers = receiver.map { addresses($0).map(Optional.some) } ?? [nil]
        return senders.flatMap { sender in
            receivers.map { receiver in
                WireRule(
                    impairment,
                    of: FrameSelector(carried, port: port, from: sender, to: receiver), seed: seed)
            }
        }
    }
}

/// A cable that does something to frames, with the rules that a wire in its place obeys.
public struct ImpairedCable: Equatable, Sendable {
    /// The cable's port of the switch.
    public var port: DeploymentPlan.Port
    /// What happens to frames for the node: the first rule that selects a frame counts.
    public var inward: [WireRule]
    /// What happens to frames of the node.
    public var outward: [WireRule]
    /// What carries it out.
    public var path: CableImpairment.Path
    /// The one impairment that netem has to carry out for frames to the node; nil: none.
    public var inwardNetem: Impairment?
    /// The same for frames of the node.
    public var outwardNetem: Impairment?
}

extension NetworkFaults {
    /// The cables that do something to frames, in the plan's order.
    public func impairedCables(of plan: DeploymentPlan) -> [ImpairedCable] {
        plan.ports.compactMap { port in
            let endpoint = Endpoint(node: port.node, interface: port.interface)
            guard let impairments = impairments[endpoint] else { return nil }
            func rules(besides other: Fault.Direction) -> [WireRule] {
                impairments.filter { $0.direction != other }.flatMap { impairment in
                    impairment.rules { node in
                        plan.ports.filter { $0.node == node && $0.bridge == port.bridge }
                            .map(\.interfaceMAC)
                    }
                }
            }
            func netem(besides other: Fault.Direction) -> Impairment? {
                impairments.first { $0.direction != other && $0.path == .netem }?.impairment
            }
            return ImpairedCable(
                port: port, inward: rules(besides: .out), outward: rules(besides: .in),
                path: impairments.first?.path ?? .wire, inwardNetem: netem(besides: .out),
                outwardNetem: netem(besides: .in))
        }
    }
}

extension CableImpairment: Hashable {
    public func hash(into hasher: inout Hasher) { hasher.combine(description) }
}

extension CableImpairment: TextCodable {
    public static var textName: String { "impairment, as in `\(example)`" }
    /// How one is written.
    public static let example = "out delay 10ms 2ms loss 5% only vrrp"

    public static func parse(_ text: String) -> Self? {
        try? Self(words: text.split(separator: " ").map(String.init))
    }

    /// The words that ``init(words:)`` reads it from.
    public var description: String {
        var words = direction == .both ? [] : [direction.rawValue]
        words += isNone ? ["none"] : impairment.words
        if let carried { words += ["only", carried.rawValue] }
        if let port { words += ["port", String(port)] }
        if let sender { words += ["from", sender] }
        if let receiver { words += ["to", receiver] }
        if seed != 0 { words += ["seed", String(seed)] }
        if path != .wire { words += ["via", path.rawValue] }
        return words.joined(separator: " ")
    }
}

extension Impairment {
    /// In the words of tc(8).
    fileprivate var words: [String] {
        var words: [String] = []
        if delay != .zero || jitter != nil { words += ["delay", delay.exactText] }
        if let jitter {
            words.append(jitter.spread.exactText)
            if jitter.distribution != .uniform { words.append(jitter.distribution.rawValue) }
        }
        if let mtuBytes { words += ["mtu", String(mtuBytes)] }
        switch loss {
        case .random(let percent)?: words += ["loss", percent.percentText]
        case .every(let count)?: words += ["loss", "every", String(count)]
        case .gilbertElliott(let model)?:
            words += ["loss", "gemodel"]
            words += [
                model.badPercent, model.goodPercent, model.lossInBadPercent,
                model.lossInGoodPercent,
            ].map(\.percentText)
        case nil: break
        }
        if duplicatePercent != 0 { words += ["duplicate", duplicatePercent.percentText] }
        if corruptPercent != 0 { words += ["corrupt", corruptPercent.percentText] }
        if let reorder {
            words += ["reorder", reorder.percent.percentText]
            if reorder.gap != 1 { words += ["gap", String(reorder.gap)] }
        }
        if let rate {
            words += ["rate", "\(rate.bitsPerSecond)bit", "burst", "\(rate.burstBytes)b"]
            switch rate.limit {
            case .bytes(let count): words += ["limit", "\(count)b"]
            case .packets(let count): words += ["limit", String(count)]
            }
        }
        if limitPackets != Self.defaultLimitPackets { words += ["queue", String(limitPackets)] }
        return words
    }
}

extension Double {
    /// The shortest decimal that is this number, and `%`.
    fileprivate var percentText: String {
        self == rounded() && magnitude < 1e15 ? "\(Int(self))%" : "\(self)%"
    }
}
