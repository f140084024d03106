public import NetworkTypes

/// A cable that goes down and comes up again and again: `period 2s duty 50% count 5`.
///
/// Every period begins with the time in which the cable is down, `duty` of it, and in the rest it
/// is up; the first begins when the fault is applied. Without a count it goes on until it is
/// mended; with one it is over, and the cable up for good, when it has come up that many times.
public struct Flap: Hashable, Sendable {
    /// From one time the cable goes down to the next.
    public var period: Duration
    /// The share of each period in which it is down.
    public var dutyPercent: Double
    /// How many times it goes down; nil: until it is mended.
    public var count: Int?

    /// Two seconds, half of it down, as long as nobody mends it.
    public init(
        period: Duration = .seconds(2), dutyPercent: Double = 50, count: Int? = nil
    ) {
        self.period = period
        self.dutyPercent = dutyPercent
        self.count = count
    }

    /// The shortest time up or down: what the kernel takes to tell both ends of a change.
    public static let shortestPhase: Duration = .milliseconds(5)
    /// The longest period.
    public static let longestPeriod: Duration = .seconds(3600)
    /// The greatest count.
    public static let greatestCount = 1_000_000

    /// How long it is down in each period.
    public var downTime: Duration {
        .nanoseconds(Int64((Double(period.wholeNanoseconds) * dutyPercent / 100).rounded()))
    }

    /// What is wrong with it, and what would be right; nil when it can be done.
    public var problem: String? {
        guard period <= Self.longestPeriod else {
            return "a period of \(period.exactText) is more than an hour"
        }
        // Nothing is above or below what is not a number.
        guard dutyPercent > 0, dutyPercent < 100 else {
            return "the duty is the share of a period in which the cable is down, more than 0% and"
                + " less than 100%"
        }
        guard downTime >= Self.shortestPhase, period - downTime >= Self.shortestPhase else {
            return "of a period of \(period.exactText) the cable is down for \(downTime.exactText):"
                + " up and down take at least \(Self.shortestPhase.exactText) each"
        }
        if let count, !(1...Self.greatestCount).contains(count) {
            return "a count of \(count) is none of 1 to \(Self.greatestCount)"
        }
        return nil
    }

    /// What the cable does at a moment.
    public enum Phase: Equatable, Sendable {
        /// It is down until then, counted from the beginning.
        case down(until: Duration)
        /// It is up until then.
        case up(until: Duration)
        /// It has come up for the last time.
        case over
    }

    /// What the cable does so long after the fault was applied. A change belongs to what follows
    /// it.
    public func phase(after elapsed: Duration) -> Phase {
        let (length, down) = (period.wholeNanoseconds, downTime.wholeNanoseconds)
        let time = max(elapsed.wholeNanoseconds, 0)
        let (number, place) = time.quotientAndRemainder(dividingBy: length)
        let begin = number * length
        if let count, number >= Int64(count) || number == Int64(count) - 1 && place >= down {
            return .over
        }
        return place < down
            ? .down(until: .nanoseconds(begin + down)) : .up(until: .nanoseconds(begin + length))
    }
}

extension Flap: TextCodable {
    public static var textName: String { "flapping, as in `period 2s duty 50% count 5`" }

    public static func parse(_ text: String) -> Self? {
        var flap = Flap()
        var words = text.split(separator: " ")[...]
        while let word = words.popFirst() {
            guard let value = words.popFirst() else { return nil }
            switch word {
            case "period":
                guard let period = Duration(durationText: value) else { return nil }
                flap.period = period
            case "duty":
                guard let duty = share(value) else { return nil }
                flap.dutyPercent = duty
            case "count":
                guard let count = Int(value) else { return nil }
                flap.count = count
            default: return nil
            }
        }
        return flap.problem == nil ? flap : nil
    }

    /// What a share such as `50%` is in percent; nil for anything else.
    public static func share(_ text: some StringProtocol) -> Double? {
        text.hasSuffix("%") ? Double(text.dropLast()) : nil
    }

    public var description: String {
        let duty =
            dutyPercent == dutyPercent.rounded() ? "\(Int(dutyPercent))%" : "\(dutyPercent)%"
        return "period \(period.exactText) duty \(duty)" + (count.map { " count \($0)" } ?? "")
    }
}
