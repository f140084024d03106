/// SplitMix64 (Steele, Lea, Flood 2014): every choice of a schedule comes from here, so that a seed
/// is a schedule, on any machine.
///
/// Not the standard library's `random(in:using:)`, whose use of a generator may change between
/// versions, and with it what a seed means.
struct Dice {
    private var state: UInt64

    /// - Parameters:
    ///   - seed: the schedule's.
    ///   - round: which round they are for. Each has dice of its own, so that a longer schedule
    ///     begins as a shorter one does.
    init(seed: UInt64, round: Int) {
        state = seed
        state = next() ^ UInt64(truncatingIfNeeded: round)
    }

    /// The next 64 bits.
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }

    /// A number from 0 to `bound` - 1.
    ///
    /// - Precondition: `bound` is positive.
    mutating func number(below bound: Int) -> Int {
        Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(bound)).high)
    }

    /// A number of that range.
    mutating func number(in range: ClosedRange<Int>) -> Int {
        range.lowerBound + number(below: range.count)
    }

    /// True that often.
    mutating func chance(percent: Int) -> Bool { number(below: 100) < percent }

    /// One of those, each as likely; nil of none.
    mutating func element<Element>(of elements: [Element]) -> Element? {
        elements.isEmpty ? nil : elements[number(below: elements.count)]
    }

    /// One of those, the first ones likelier; nil of none.
    mutating func earlyElement<Element>(of elements: [Element]) -> Element? {
        guard !elements.isEmpty else { return nil }
        return elements[min(number(below: elements.count), number(below: elements.count))]
    }

    /// Those in another order (Fisher and Yates).
    mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
        var elements = elements
        for index in elements.indices.dropFirst() {
            elements.swapAt(index, number(in: 0...index))
        }
        return elements
    }

    /// A time between two, in whole hundredths of a second.
    mutating func time(from least: Duration, to most: Duration) -> Duration {
        let unit = Duration.milliseconds(10)
        let first = Int(least / unit)
        let last = max(first, Int(most / unit))
        return unit * number(in: first...last)
    }
}
