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

    /// How the machine stood still in some span of time. What was noticed twice, by the supervisor
    /// and in a node, counts once.
    struct Standstill: Equatable, Sendable {
        var total = Duration.zero
        /// Of the pieces that it consists of.
        var longest = Duration.zero
        var count = 0

        /// `118 ms`, `1.442 s (40 times, 118 ms at the longest)`.
        var text: String {
            count < 2
                ? total.text : "\(total.text) (\(count) times, \(longest.text) at the longest)"
        }
    }

    /// How the machine stood still from `start` to `end`.
    func standstill(from start: MonotonicInstant, to end: MonotonicInstant) -> Standstill {
        var still = Standstill()
        var counted = start
        for stall in stalls.sorted(by: { $0.end - $0.duration < $1.end - $1.duration }) {
            let begin = max(counted, stall.end - stall.duration)
            let last = min(end, stall.end)
            guard last > begin else { continue }
            still.total += last - begin
            still.longest = max(still.longest, last - begin)
            still.count += 1
            counted = last
        }
        return still
    }

    /// The most that the machine stood still in a span of that length, between `start` and `end`.
    func worst(
        within length: Duration, from start: MonotonicInstant, to end: MonotonicInstant
    ) -> Standstill {
        // The worst span begins with a piece.
        stalls.map { max(start, $0.end - $0.duration) }.filter { $0 < end }
            .map { standstill(from: $0, to: min(end, $0 + length)) }
            .max { $0.total < $1.total } ?? Standstill()
    }
}
