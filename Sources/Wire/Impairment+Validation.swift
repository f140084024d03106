import NetworkTypes

/// A rule that makes no sense.
public struct InvalidImpairment: Error, Equatable, CustomStringConvertible, Sendable {
    /// What is wrong, and what would be right, one sentence for each mistake.
    public var problems: [String]
    public var description: String { problems.joined(separator: "; ") }
}

extension Impairment {
    /// The longest delay or jitter: what a lab could wait for, and no more frames are kept for.
    public static let longestDelay: Duration = .seconds(600)
    /// The most copies of frames that a rule may have under way.
    public static let greatestLimitPackets = 1_000_000
    /// The shortest bucket: what takes the shortest Ethernet frame.
    public static let smallestBurstBytes = 60
    /// The largest bucket, and the most bytes that may wait for one.
    public static let greatestBytes = 1 << 30
    /// The MTUs that there can be: IPv4's least (RFC 791 §3.2) to the longest packet.
    public static let mtuRange = 68...65_535
    /// The fastest rate: a terabit a second.
    public static let greatestRate = 1_000_000_000_000

    /// Finds out whether it can be done.
    ///
    /// - Throws: ``InvalidImpairment`` with every mistake in it.
    public func validate() throws(InvalidImpairment) {
        let problems = problems
        guard problems.isEmpty else { throw InvalidImpairment(problems: problems) }
    }

    /// What is wrong with it; nothing when it can be done.
    public var problems: [String] {
        var problems = loss?.problems ?? []
        if let mtuBytes { problems += Self.number(mtuBytes, "an MTU", Self.mtuRange) }
        problems += Self.share(duplicatePercent, "duplicate")
        problems += Self.share(corruptPercent, "corrupt")
        if let reorder {
            problems += Self.share(reorder.percent, "reorder")
            problems += Self.number(reorder.gap, "the gap of reorder", 1...Int.max)
            if delay <= .zero, jitter == nil {
                problems.append(
                    "reorder without a delay: frames can only overtake others that wait, "
                        + "so give a delay too, such as 10 ms")
            }
        }
        problems += Self.time(delay, "delay")
        if let jitter {
            problems += Self.time(jitter.spread, "jitter")
            if delay <= .zero {
                problems.append(
                    "jitter without a delay: it is how far the delay varies, so give a delay too, "
                        + "at least as long")
            }
        }
        problems += rate?.problems ?? []
        problems += Self.number(limitPackets, "limit", 1...Self.greatestLimitPackets)
        return problems
    }

    fileprivate static func share(_ percent: Double, _ name: String) -> [String] {
        // Nothing is equal to or above what is not a number.
        percent >= 0 && percent <= 100
            ? [] : ["\(name) of \(percent) percent: a share is 0 to 100 percent"]
    }

    fileprivate static func number(
        _ value: Int, _ name: String, _ range: ClosedRange<Int>
    ) -> [String] {
        if range.contains(value) { return [] }
        let limits =
            range.upperBound == .max
            ? "at least \(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
        return ["\(name) of \(value): it is \(limits)"]
    }

    private static func time(_ duration: Duration, _ name: String) -> [String] {
        if duration < .zero {
            ["\(name) of \(duration.milliseconds) ms: no frame arrives before it was sent"]
        } else if duration > longestDelay {
            [
                "\(name) of \(duration.milliseconds) ms: at most "
                    + "\(longestDelay.components.seconds) seconds"
            ]
        } else {
            []
        }
    }
}

extension Impairment.Loss {
    fileprivate var problems: [String] {
        switch self {
        case .random(let percent): Impairment.share(percent, "loss")
        case .every(let count): Impairment.number(count, "loss of every Nth, an N", 1...Int.max)
        case .gilbertElliott(let model): model.problems
        }
    }
}

extension Impairment.GilbertElliott {
    fileprivate var problems: [String] {
        var problems = Impairment.share(badPercent, "gemodel p")
        problems += Impairment.share(goodPercent, "gemodel r")
        problems += Impairment.share(lossInBadPercent, "gemodel 1-h")
        problems += Impairment.share(lossInGoodPercent, "gemodel 1-k")
        return problems
    }
}

extension Impairment.Rate {
    fileprivate var problems: [String] {
        var problems = Impairment.number(
            bitsPerSecond, "a rate in bits a second", 1...Impairment.greatestRate)
        let burst = Impairment.smallestBurstBytes...Impairment.greatestBytes
        if !burst.contains(burstBytes) {
            problems.append(
                "a burst of \(burstBytes) bytes: a longer packet than the burst never passes, so "
                    + "it is at least the longest, such as 1514, and at most \(burst.upperBound)")
        }
        switch limit {
        case .bytes(let count):
            problems += Impairment.number(
                count, "a rate's limit in bytes", 0...Impairment.greatestBytes)
        case .packets(let count):
            problems += Impairment.number(
                count, "a rate's limit in packets", 0...Impairment.greatestLimitPackets)
        }
        return problems
    }
}
