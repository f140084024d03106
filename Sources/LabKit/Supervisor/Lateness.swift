import LinuxSystem
import NetworkTypes

/// How late a notification can have been read that bears no stamp of its own.
///
/// What arrives while the process waits wakes it: then it is late by the time until the process got
/// a CPU and the time since. What arrives while the process is busy waits for the next look.
final class Lateness {
    private let loop: EventLoop
    private let delay = SchedulingDelay()
    private var lastLook: MonotonicInstant
    private var lastDelay: Duration?

    init(_ loop: EventLoop) {
        self.loop = loop
        loop.recordsWaits = true
        lastLook = MonotonicClock.now
        lastDelay = delay?.total
    }

    /// Notes that nothing is left to be read.
    ///
    /// - Returns: the longest that anything read since the last call can have waited before `now`.
    func look(at now: MonotonicInstant) -> Duration {
        let total = delay?.total
        var delayed: Duration?
        if let total, let lastDelay { delayed = total - lastDelay }
        defer {
            lastLook = now
            lastDelay = total
        }
        return Self.bound(wait: loop.lastWait, lastLook: lastLook, delayed: delayed, now: now)
    }

    /// The same from the figures.
    ///
    /// - Parameters:
    ///   - wait: the loop's last waiting; that the one before it ended without a word of this
    ///     source counts as a look.
    ///   - delayed: how long the process was kept from a CPU since `lastLook`; nil if that is not
    ///     known.
    static func bound(
        wait: EventLoop.Wait, lastLook: MonotonicInstant, delayed: Duration?, now: MonotonicInstant
    ) -> Duration {
        let look = max(lastLook, min(wait.previousEnd, wait.begin))
        guard look < wait.end, let delayed else { return now - look }
        let busy = max(wait.begin - look, .zero)
        return min(now - look, busy + delayed + (now - wait.end))
    }
}
