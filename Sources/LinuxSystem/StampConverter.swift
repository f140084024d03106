import NetworkTypes

/// Converts the kernel's stamps, which are of CLOCK_REALTIME, to CLOCK_MONOTONIC.
///
/// The wall clock may be set at any time, also between a stamp and the look at it: then its offset
/// has another value than at the look before, and a stamp belongs to the one or the other.
struct StampConverter {
    private struct Look {
        var offset: Int64
        var uncertainty: Int64
        var time: Int64
    }

    /// How far the clocks drift apart between two looks while nobody sets one: a slew is 500
    /// millionths at most (adjtimex(2)), and the looks have their own uncertainty.
    private static let driftPerNanosecond = 1000 as Int64
    private static let leastStep: Int64 = 1_000_000

    private var last: Look?
    private var before: Look?

    init() {}

    /// Takes note of a look at both clocks.
    ///
    /// - Parameters:
    ///   - offset: what to add to the wall clock's time, and how far off that can be.
    ///   - now: the monotonic clock's, not before the look.
    mutating func look(
        offset: (nanoseconds: Int64, uncertaintyNanoseconds: Int64), now: MonotonicInstant
    ) {
        before = last
        last = Look(
            offset: offset.nanoseconds, uncertainty: offset.uncertaintyNanoseconds,
            time: now.nanoseconds)
    }

    /// When something was stamped that has been found since the last look but one.
    ///
    /// - Precondition: both clocks have been looked at.
    /// - Returns: never a time after the last look, but for what comes in while it is handled.
    func time(of stamp: Int64, now: MonotonicInstant) -> (MonotonicInstant, Duration) {
        guard let last else { preconditionFailure("both clocks are looked at before a stamp is") }
        let time = stamp + last.offset
        let uncertainty = Duration.nanoseconds(last.uncertainty)
        guard let before else {
            return time > now.nanoseconds
                ? (now, uncertainty) : (MonotonicInstant(nanoseconds: time), uncertainty)
        }
        let step = abs(last.offset - before.offset)
        let elapsed = last.time - before.time
        if step <= Self.leastStep + elapsed / Self.driftPerNanosecond {
            return (MonotonicInstant(nanoseconds: min(time, now.nanoseconds)), uncertainty)
        }
        // The clock was set. What is found now has come since the look before, or a little sooner.
        let span = before.time - Self.leastStep...now.nanoseconds
        let former = stamp + before.offset
        switch (span.contains(time), span.contains(former)) {
        case (true, false): return (MonotonicInstant(nanoseconds: time), uncertainty)
        case (false, true): return (MonotonicInstant(nanoseconds: former), uncertainty)
        case (true, true): return (MonotonicInstant(nanoseconds: time), .nanoseconds(step))
        case (false, false): return (now, .nanoseconds(elapsed))
        }
    }
}
