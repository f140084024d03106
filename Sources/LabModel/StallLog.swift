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

    /// How much of the time from `start` to `end` the machine stood still. What was noticed twice,
    /// by the supervisor and in a node, counts once.
    func total(from start: MonotonicInstant, to end: MonotonicInstant) -> Duration {
        var total = Duration.zero
        var counted = start
        for stall in stalls.sorted(by: { $0.end - $0.duration < $1.end - $1.duration }) {
            let begin = max(counted, stall.end - stall.duration)
            let last = min(end, stall.end)
            guard last > begin else { continue }
            total += last - begin
            counted = last
        }
        return total
    }
}
