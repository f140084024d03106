public import LabModel

/// What is to be broken, when and for how long: rounds one after the other, between which the lab
/// gets well.
public struct Schedule: Hashable, Sendable {
    public var rounds: [Round]

    public init(_ rounds: [Round]) { self.rounds = rounds }

    /// Every fault of every round.
    public var faults: [Disturbance] { rounds.flatMap(\.faults) }

    /// How long it takes where everything goes as fast as the protocol has it.
    ///
    /// - Parameter ground: what it is about.
    public func length(on ground: Ground) -> Duration {
        rounds.reduce(.zero) { $0 + $1.length(on: ground) }
    }
}

/// Faults that overlap, after which everything is taken back and the lab gets well.
public struct Round: Hashable, Sendable {
    /// Which it is of its schedule, from 1.
    public var number: Int
    /// In the order in which they begin.
    public private(set) var faults: [Disturbance]
    /// How long nothing is done after the lab is well again.
    public var pause: Duration

    /// - Parameter faults: as many as there may be at a time, see ``Disturbance/claim``.
    public init(number: Int, _ faults: [Disturbance], pause: Duration = .zero) {
        self.number = number
        self.pause = pause
        self.faults = faults.enumerated().sorted {
            ($0.element.start, $0.offset) < ($1.element.start, $1.offset)
        }.map(\.element)
        // A lab file has no word for the end of a partition but `heal: all`, which ends everything
        // else in the network, too. So a partition is the last of it to end.
        let last = faults.filter(\.isOfNetwork).map(\.end).max() ?? .zero
        for index in self.faults.indices where self.faults[index].isPartition {
            self.faults[index].duration = last - self.faults[index].start
        }
    }

    /// When the last of the faults is taken back, from the round's beginning.
    public var end: Duration { faults.map(\.end).max() ?? .zero }

    /// How long it takes, by the routers' timers.
    func length(on ground: Ground) -> Duration {
        end + ground.unit + Health.calm(on: ground) + Self.handling + pause
    }

    /// What the verbs themselves take, about.
    private static let handling = Duration.milliseconds(200)
}

/// One fault of a round.
public struct Disturbance: Hashable, Sendable {
    public var deed: Deed
    /// When, from the round's beginning.
    public var start: Duration
    /// After how long it is taken back; of no meaning for what takes itself back.
    public var duration: Duration

    public init(_ deed: Deed, at start: Duration, for duration: Duration) {
        self.deed = deed
        self.start = start
        self.duration = duration
    }

    /// When it is taken back, from the round's beginning.
    public var end: Duration { start + (deed.endings.isEmpty ? .zero : duration) }

    /// Its kind.
    public var kind: FaultKind { FaultKind(deed) }

    /// Whether only `heal: all` ends it.
    var isPartition: Bool { kind == .partition || kind == .cut }

    var isOfNetwork: Bool { if case .fault = deed { true } else { false } }

    /// What it strikes: of several faults with the same claim one is on at a time.
    var claim: String {
        switch deed {
        case .control(_, let target), .shift(let target, _): target.node
        case .fault(.limit(let node, _)): "limits of \(node)"
        case .fault(.imposter(let network, _)): "the imposter on \(network)"
        case .fault(.cut): "what is heard"
        case .fault(let fault): fault.endpoint?.description ?? "the network"
        }
    }

    /// `kill node2 for 420ms`.
    public var text: String {
        deed.text + (deed.endings.isEmpty ? "" : " for \(duration.words)")
    }
}

/// What a fault does.
public enum Deed: Hashable, Sendable {
    /// To a node or service: kill, stop, freeze or restart.
    case control(ControlVerb, Target)
    /// To the network, or to what a node has of its machine.
    case fault(Fault)
    /// A service is started again with clocks that are off.
    case shift(Target, ClockOffset)

    var step: Step {
        switch self {
        case .control(let verb, let target): Step(.control(verb, target))
        case .fault(let fault): Step(.fault(fault))
        case .shift(let target, let offset): Step(.control(.restart, target), clock: offset)
        }
    }

    /// What takes it back; none for what takes itself back.
    var endings: [Step.Action] {
        switch self {
        case .control(let verb, let target):
            verb.ending.map { [.control($0, target)] } ?? []
        case .shift(let target, _): [.control(.restart, target)]
        case .fault(let fault): fault.ending.map { [.fault($0)] } ?? []
        }
    }

    /// As a scenario's step says it: `kill node2`.
    public var text: String { step.summary }
}

extension Duration {
    /// As people write it in a lab file, to the millisecond: `420ms`, `1.5s`.
    var words: String {
        let milliseconds = Int(self / .milliseconds(1))
        guard milliseconds >= 1000 else { return "\(milliseconds)ms" }
        let (seconds, rest) = milliseconds.quotientAndRemainder(dividingBy: 1000)
        guard rest != 0 else { return "\(seconds)s" }
        var digits = String(1000 + rest).dropFirst()
        while digits.last == "0" { digits = digits.dropLast() }
        return "\(seconds).\(digits)s"
    }
}
