/// The random numbers of one rule: each is a function of the seed, the link, the direction, the
/// frame's number and what it decides, and of nothing else. So neither time nor order nor other
/// frames change what happens to a frame, and a number can be asked for again.
///
/// A counter-based generator: the counter goes through a mixing function that changes each of its
/// bits' half of the result (the finalizer of SplitMix64: Steele, Lea and Flood, "Fast splittable
/// pseudorandom number generators", 2014), twice, with a key in between.
struct WireRandom: Equatable, Sendable {
    /// What a number decides. The raw value is part of what a seed means.
    enum Purpose: UInt64 {
        case loss = 1
        case stateChange, duplicate, corrupt, corruptBit, reorder, jitter
    }

    private let key: UInt64

    init(seed: UInt64, link: String, direction: WireDirection) {
        var key = Self.mixed(seed &+ Self.step)
        for byte in link.utf8 { key = Self.mixed(key ^ UInt64(byte)) }
        // No byte of a text, so that nothing that follows is taken for a part of the name.
        self.key = Self.mixed(key ^ (direction == .inward ? 0x1_00 : 0x2_00))
    }

    /// 64 even bits.
    ///
    /// - Parameters:
    ///   - frame: its number among those that the rule has selected.
    ///   - copy: 0, or 1 for the second copy of a frame that comes twice.
    func bits(frame: UInt64, copy: UInt64 = 0, _ purpose: Purpose) -> UInt64 {
        let stream = Self.mixed(key &+ (purpose.rawValue << 1 | copy) &* Self.step)
        return Self.mixed(stream &+ frame &* Self.step)
    }

    /// A number below `count`, each as likely as the others.
    func number(
        below count: UInt64, frame: UInt64, copy: UInt64 = 0, _ purpose: Purpose
    ) -> UInt64 {
        // The high half of the product: off by at most count / 2^64.
        bits(frame: frame, copy: copy, purpose).multipliedFullWidth(by: count).high
    }

    /// 2^64 divided by the golden ratio, odd: its multiples fill 64 bits evenly.
    private static let step: UInt64 = 0x9e37_79b9_7f4a_7c15

    private static func mixed(_ value: UInt64) -> UInt64 {
        var value = value
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}

/// A share of frames, in the form in which random bits are compared with it.
struct Chance: Equatable, Sendable {
    private let threshold: UInt64
    private let isCertain: Bool

    /// - Parameter percent: 0 to 100.
    init(percent: Double) {
        isCertain = percent >= 100
        threshold = isCertain ? .max : UInt64(max(percent, 0) / 100 * 0x1p64)
    }

    /// Whether it can happen at all.
    var isPossible: Bool { threshold > 0 }

    /// Whether it happens with these random bits.
    func happens(_ bits: UInt64) -> Bool { isCertain || bits < threshold }
}
