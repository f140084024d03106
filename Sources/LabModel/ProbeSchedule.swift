public import NetworkTypes

/// When a probe's requests are due: a fixed grid of moments, laid down when the probe starts.
///
/// A late request moves no later one and none is left out, so what a client would have suffered
/// while the prober itself was late is counted too (no coordinated omission).
public struct ProbeSchedule: Equatable, Sendable {
    /// When the first request is due.
    public let start: MonotonicInstant
    /// The time from one due moment to the next.
    public let interval: Duration
    /// When the next request is due: the shell's deadline.
    public private(set) var nextDue: MonotonicInstant

    /// A grid from `start` on.
    ///
    /// - Precondition: the interval is at least a nanosecond.
    public init(start: MonotonicInstant, interval: Duration) {
        precondition(interval >= .nanoseconds(1), "a probe's interval is at least a nanosecond")
        self.start = start
        self.interval = interval
        nextDue = start
    }

    /// The due moment of the next request to send, or nil while it lies ahead. A caller that is
    /// late gets every missed one, the oldest first, by calling again until it gets nil.
    public mutating func popDue(now: MonotonicInstant) -> MonotonicInstant? {
        guard nextDue <= now else { return nil }
        defer { nextDue += interval }
        return nextDue
    }
}
