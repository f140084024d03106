import CLinux
import Glibc
public import NetworkTypes

/// CLOCK_MONOTONIC: where shells take the time that pure code is given.
public enum MonotonicClock {
    /// The present.
    public static var now: MonotonicInstant { MonotonicInstant(nanoseconds: read(CLOCK_MONOTONIC)) }

    /// CLOCK_REALTIME, in nanoseconds since 1970.
    public static var realtimeNanoseconds: Int64 { read(CLOCK_REALTIME) }

    /// What to add to a CLOCK_REALTIME stamp to get a monotonic one, and how far off that can be.
    ///
    /// The two clocks are read one after the other; the wall clock may be stepped at any time, so
    /// this is taken anew beside every batch of stamps.
    public static func realtimeOffset() -> (nanoseconds: Int64, uncertaintyNanoseconds: Int64) {
        var best: (nanoseconds: Int64, uncertaintyNanoseconds: Int64) = (0, .max)
        for _ in 0..<3 {
            let before = read(CLOCK_MONOTONIC)
            let wall = read(CLOCK_REALTIME)
            let after = read(CLOCK_MONOTONIC)
            if after - before < best.uncertaintyNanoseconds {
                best = (before + (after - before) / 2 - wall, after - before)
            }
        }
        return best
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
