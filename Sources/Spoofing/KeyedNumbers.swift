/// Random numbers that are functions of a seed and of what they are for, so that a station sends
/// the same whenever it gets to send it.
///
/// The finalizer of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", 2014), as in the wire's decisions.
struct KeyedNumbers: Equatable, Sendable {
    private let key: UInt64
    private static let step: UInt64 = 0x9e37_79b9_7f4a_7c15

    /// - Parameter stream: what they are for: those of two streams have nothing to do with each
    ///   other.
    init(seed: UInt64, stream: UInt64) {
        key = Self.mixed(Self.mixed(seed &+ Self.step) ^ stream &* Self.step)
    }

    /// 64 even bits.
    ///
    /// - Parameters:
    ///   - index: the number of the frame.
    ///   - part: which of the numbers that one frame needs.
    func bits(_ index: UInt64, part: UInt64 = 0) -> UInt64 {
        Self.mixed(Self.mixed(key &+ index &* Self.step) &+ part &* Self.step)
    }

    /// A number below `count`, each as likely as the others.
    func number(below count: UInt64, _ index: UInt64, part: UInt64 = 0) -> UInt64 {
        bits(index, part: part).multipliedFullWidth(by: count).high
    }

    private static func mixed(_ value: UInt64) -> UInt64 {
        var value = value
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}
