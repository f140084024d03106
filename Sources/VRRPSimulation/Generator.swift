/// xoshiro256** with its state filled by SplitMix64, as its authors advise: every decision of a
/// simulation comes from here, so that a seed is a whole run.
///
/// Not the standard library's `random(in:using:)` and `shuffled(using:)`, whose use of a generator
/// may change between versions, and with it what a recorded seed means.
struct Generator {
    private var state: (UInt64, UInt64, UInt64, UInt64)

    init(seed: UInt64) {
        var mixed = seed
        func splitMix(_ state: inout UInt64) -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var value = state
            value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
            value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
            return value ^ value >> 31
        }
        state = (splitMix(&mixed), splitMix(&mixed), splitMix(&mixed), splitMix(&mixed))
    }

    /// The next 64 bits.
    mutating func next() -> UInt64 {
        func rotated(_ value: UInt64, by bits: UInt64) -> UInt64 {
            value << bits | value >> (64 - bits)
        }
        let result = rotated(state.1 &* 5, by: 7) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = rotated(state.3, by: 45)
        return result
    }

    /// A number from 0 to `bound` − 1: the high half of a product, whose bias of at most
    /// `bound` / 2⁶⁴ no run is long enough to see.
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
    mutating func chance(percent: Int) -> Bool { percent > 0 && number(below: 100) < percent }

    /// One of those, each as likely.
    ///
    /// - Precondition: there is one.
    mutating func element<Element>(of elements: [Element]) -> Element {
        elements[number(below: elements.count)]
    }

    /// A number of that range; the lower ones are likelier.
    mutating func lowNumber(in range: ClosedRange<Int>) -> Int {
        min(number(in: range), number(in: range))
    }

    /// Those in another order (Fisher and Yates).
    mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
        var elements = elements
        for index in elements.indices.dropFirst() {
            elements.swapAt(index, number(in: 0...index))
        }
        return elements
    }
}
