import NetworkTypes

/// What drives a machine's CLOCK_MONOTONIC: it begins anywhere and runs a little too fast or too
/// slow, as quartz does. A router and what judges it read this one; the network has the
/// simulation's time.
struct Quartz {
    /// What it shows when the simulation's time is zero, nanoseconds.
    var originNanoseconds: Int64
    /// Its error, in 2⁻²⁰: about a millionth.
    var error: Int64

    /// Clocks are at most so wrong: 0.2 %, many times what quartz is, but not what a virtual
    /// machine's clock may be while it is corrected.
    static let maximumError: Int64 = 2048
    private static let unitBits: Int64 = 20

    /// What it shows at that time.
    func reading(at instant: MonotonicInstant) -> MonotonicInstant {
        let time = instant.nanoseconds
        let whole = time >> Self.unitBits
        let rest = time & (1 << Self.unitBits - 1)
        return MonotonicInstant(
            nanoseconds: time &+ originNanoseconds &+ whole &* error
                &+ (rest &* error) >> Self.unitBits)
    }

    /// How much time it takes this clock to go on by so much, a nanosecond more at most; both
    /// nanoseconds.
    func nanoseconds(forOwn own: Int) -> Int {
        guard error != 0, own > 0 else { return own }
        let unit = 1 << Self.unitBits
        return own * unit / (unit + Int(error)) + 1
    }

    /// At most so long takes any clock to go on by so much; both nanoseconds.
    static func longest(forOwn own: Int) -> Int { own + own / 500 + 1 }
}
