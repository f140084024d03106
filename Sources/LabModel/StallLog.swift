import NetworkTypes

/// How long the machine itself stood still, and when.
struct StallLog: Sendable {
    private var stalls: [(end: MonotonicInstant, duration: Duration)] = []

    /// Takes an event into account; whether it was a stall. A stall is reported when it is over.
    mutating func fold(_ event: TimelineEvent) -> Bool {
        guard case .stall(let duration) = event.kind else { return false }
        stalls.append((event.time, duration))
        return true
    }

    /// How much of the time from `start` to `end` the machine stood still.
    func total(from start: MonotonicInstant, to end: MonotonicInstant) -> Duration {
        stalls.reduce(.zero) { sum, stall in
            let overlap = min(end, stall.end) - max(start, stall.end - stall.duration)
            return overlap > .zero ? sum + overlap : sum
        }
    }
}
