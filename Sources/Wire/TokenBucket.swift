import NetworkTypes

/// A token bucket with the queue before it (tc-tbf(8)), as a function of arrivals: when a frame
/// arrives, it says when the frame will have its tokens.
struct TokenBucket: Sendable {
    private let rate: Impairment.Rate
    /// Billionths of a bit, so that no rate rounds: a nanosecond brings `bitsPerSecond` of them. A
    /// super-frame may leave the bucket in debt.
    private var tokens: Int128
    private let capacity: Int128
    /// When `tokens` was what it is: the last departure, in the future while frames wait.
    private var filledAt: MonotonicInstant?
    /// The frames that wait for their tokens, the next to leave first.
    private var waiting: ArraySlice<(departure: MonotonicInstant, bytes: Int)> = []
    private var waitingBytes = 0

    init(_ rate: Impairment.Rate) {
        self.rate = rate
        capacity = Self.cost(ofBytes: rate.burstBytes)
        tokens = capacity
    }

    private static func cost(ofBytes count: Int) -> Int128 { Int128(count) * 8 * 1_000_000_000 }

    /// When a frame leaves, or nil where it is lost: there is no room for it to wait, or one of its
    /// packets is longer than the bucket.
    ///
    /// - Parameters:
    ///   - bytes: all of its packets with their headers.
    ///   - largest: the longest of its packets.
    mutating func departure(
        bytes: Int, largest: Int, at arrival: MonotonicInstant
    ) -> MonotonicInstant? {
        guard largest <= rate.burstBytes else { return nil }
        while let first = waiting.first, first.departure <= arrival {
            waiting.removeFirst()
            waitingBytes -= first.bytes
        }
        let start = max(arrival, filledAt ?? arrival)
        var filled = tokens + Int128((start - (filledAt ?? start)).wholeNanoseconds) * perNanosecond
        filled = min(filled, capacity)
        let needed = min(Self.cost(ofBytes: bytes), capacity)
        var departure = start
        if filled < needed {
            let wait = (needed - filled + perNanosecond - 1) / perNanosecond
            // What a lab would never live to see is as good as lost.
            guard wait < Self.longestWaitNanoseconds else { return nil }
            departure = start + .nanoseconds(Int64(wait))
            filled += wait * perNanosecond
        }
        if departure > arrival {
            switch rate.limit {
            case .bytes(let limit): guard waitingBytes + bytes <= limit else { return nil }
            case .packets(let limit): guard waiting.count < limit else { return nil }
            }
            waiting.append((departure, bytes))
            waitingBytes += bytes
        }
        tokens = min(filled, capacity) - Self.cost(ofBytes: bytes)
        filledAt = departure
        return departure
    }

    private var perNanosecond: Int128 { Int128(rate.bitsPerSecond) }
    /// Some 115 days.
    private static let longestWaitNanoseconds: Int128 = 10_000_000_000_000_000
}
