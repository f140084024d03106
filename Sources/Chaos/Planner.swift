/// Draws schedules: the same seed, lab, kinds, length and rate give the same on any machine.
public struct Planner: Sendable {
    /// The most faults of a round.
    static let maximumFaults = 4
    /// How often a fault is drawn again that would strike what another has in hand.
    private static let maximumDraws = 8
    /// The least time from a fault to its end: what a service and its kernel take to be gone.
    static let leastDuration = Duration.milliseconds(100)
    /// The longest time of one.
    static let mostDuration = Duration.seconds(15)

    private let ground: Ground
    private let kinds: [FaultKind]
    private let seed: UInt64
    /// The most faults in a minute; nil: as many as the routers' timers let.
    private let rate: Double?

    /// - Parameters:
    ///   - kinds: those that do not apply to the lab are left out.
    ///   - rate: the most faults in a minute; nil: as many as the routers' timers let.
    public init(_ ground: Ground, kinds: [FaultKind], seed: UInt64, rate: Double? = nil) {
        self.ground = ground
        self.kinds = kinds.filter { $0.applies(to: ground) }
        self.seed = seed
        self.rate = rate
    }

    /// A schedule of about that length: the rounds that begin before its end.
    ///
    /// - Precondition: one of the kinds applies to the lab.
    public func schedule(length: Duration) -> Schedule {
        precondition(!kinds.isEmpty, "there is something to draw from")
        var rounds: [Round] = []
        var time = Duration.zero
        while time < length {
            let round = round(rounds.count + 1)
            time += round.length(on: ground)
            rounds.append(round)
        }
        return Schedule(rounds)
    }

    private func round(_ number: Int) -> Round {
        var dice = Dice(seed: seed, round: number)
        let wanted = [1, 1, 2, 2, 2, 3, 3, 4][dice.number(below: 8)]
        var faults: [Disturbance] = []
        for _ in 0..<(wanted * Self.maximumDraws)
        where faults.count < min(wanted, Self.maximumFaults) {
            let fault = disturbance(&dice, isFirst: faults.isEmpty)
            guard let fault, !faults.contains(where: { $0.claim == fault.claim }) else { continue }
            faults.append(fault)
        }
        var round = Round(number: number, faults)
        if let rate {
            let least = Duration.seconds(60) * (Double(faults.count) / rate)
            let pause = max(least - round.length(on: ground), .zero)
            round.pause = .milliseconds(10) * Int(pause / .milliseconds(10))
        }
        return round
    }

    private func disturbance(_ dice: inout Dice, isFirst: Bool) -> Disturbance? {
        guard let kind = dice.element(of: kinds), let deed = kind.draw(&dice, on: ground) else {
            return nil
        }
        let unit = ground.unit
        let start = isFirst ? .zero : dice.time(from: .zero, to: unit * 2)
        // Shorter than it takes anybody to notice, long enough for one takeover, for several.
        let range =
            switch dice.number(below: 10) {
            case 0...3: (unit * 0.1, unit * 0.9)
            case 4...7: (unit * 1.1, unit * 2.5)
            default: (unit * 2.5, unit * 5)
            }
        let drawn = dice.time(from: range.0, to: range.1)
        let duration = min(max(drawn, Self.leastDuration), Self.mostDuration)
        return Disturbance(deed, at: start, for: duration)
    }
}
