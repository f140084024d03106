/// How long things took, in the manner of an HDR histogram: a fixed amount of memory, whatever is
/// recorded, and every value to three significant digits.
///
/// Values are counted in microseconds, from 1 us to over 18 minutes; longer ones count as that.
/// Buckets are linear within each power of two: 1024 of them, so that a bucket is at most 1/1024
/// of its values wide.
public struct LatencyHistogram: Equatable, Sendable {
    /// Recorded values.
    public private(set) var count = 0
    /// The sum of all counts of values up to each bucket is taken when it is asked for.
    private var counts: [UInt32] = []
    private var longest: Int64 = 0

    /// The buckets of one power of two.
    private static let resolution = 1024
    /// log2 of ``resolution``.
    private static let resolutionBits = 10
    /// The greatest value in microseconds.
    private static let limit: Int64 = (1 << 30) - 1

    public init() {}

    /// Forgets everything.
    public mutating func reset() {
        count = 0
        longest = 0
        for index in counts.indices { counts[index] = 0 }
    }

    /// Counts a value; a negative one as nothing.
    public mutating func record(_ duration: Duration) {
        let microseconds = max(0, min(duration.wholeMicroseconds, Self.limit))
        if counts.isEmpty {
            counts = [UInt32](repeating: 0, count: Self.index(of: Self.limit) + 1)
        }
        counts[Self.index(of: microseconds)] &+= 1
        count += 1
        longest = max(longest, microseconds)
    }

    /// The value that `percentile` percent of the recorded ones do not exceed; nil before the
    /// first. 100 is the longest of all, exactly.
    ///
    /// - Precondition: from 0 to 100.
    public func value(atPercentile percentile: Double) -> Duration? {
        precondition((0...100).contains(percentile), "a percentile is 0 to 100")
        guard count > 0 else { return nil }
        let rank = Self.rank(ofPercentile: percentile, count: count)
        guard rank < count else { return .microseconds(longest) }
        var seen = 0
        for index in counts.indices {
            seen += Int(counts[index])
            if seen >= rank { return .microseconds(min(Self.greatest(in: index), longest)) }
        }
        return .microseconds(longest)
    }

    /// The place, from 1, of a percentile among that many sorted values (nearest rank): so many
    /// are, at the least, what `percentile` percent of them come to.
    ///
    /// - Precondition: there is a value.
    public static func rank(ofPercentile percentile: Double, count: Int) -> Int {
        precondition(count > 0, "nothing has no percentile")
        // Multiplied first: 99.9 / 100 is no number that a computer has.
        return min(count, max(1, Int((percentile * Double(count) / 100).rounded(.up))))
    }

    /// The bucket of a value: values below ``resolution`` have one each; from there on the leading
    /// bits of a value, after its first, say which.
    private static func index(of value: Int64) -> Int {
        guard value >= resolution else { return Int(value) }
        let exponent = 63 - value.leadingZeroBitCount - resolutionBits
        let mantissa = Int(value >> exponent) - resolution
        return resolution * (exponent + 1) + mantissa
    }

    /// The greatest value of a bucket.
    private static func greatest(in index: Int) -> Int64 {
        guard index >= resolution else { return Int64(index) }
        let exponent = index / resolution - 1
        let mantissa = Int64(index % resolution + resolution)
        return ((mantissa + 1) << exponent) - 1
    }
}

extension Duration {
    /// The duration in microseconds, rounded to the nearest.
    fileprivate var wholeMicroseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds &* 1_000_000 &+ (attoseconds + 500_000_000_000) / 1_000_000_000_000
    }
}
