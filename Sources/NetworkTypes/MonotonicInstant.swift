/// A moment on CLOCK_MONOTONIC, the one clock of labs, agents and captures, in whole nanoseconds.
///
/// Monotonic because steps of the wall clock must move neither a timer nor a measurement. A pure
/// module never asks for the present: instants reach it as arguments.
public struct MonotonicInstant: Hashable, Comparable, Sendable, Codable {
    /// Nanoseconds since the clock's arbitrary origin (the machine's start, on Linux).
    public var nanoseconds: Int64

    /// The moment that many nanoseconds after the clock's origin.
    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The clock's origin.
    public static let zero = MonotonicInstant(nanoseconds: 0)

    public static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }

    /// This moment moved by `duration`, whose part below a nanosecond is dropped.
    public static func + (instant: Self, duration: Duration) -> Self {
        Self(nanoseconds: instant.nanoseconds &+ duration.wholeNanoseconds)
    }

    /// This moment moved back by `duration`.
    public static func - (instant: Self, duration: Duration) -> Self {
        Self(nanoseconds: instant.nanoseconds &- duration.wholeNanoseconds)
    }

    /// How long after `earlier` this moment is; negative when it is before.
    public static func - (later: Self, earlier: Self) -> Duration {
        .nanoseconds(later.nanoseconds - earlier.nanoseconds)
    }

    /// Moves this moment by `duration`.
    public static func += (instant: inout Self, duration: Duration) { instant = instant + duration }

    /// Encoded as the bare number of nanoseconds.
    public init(from decoder: any Decoder) throws {
        nanoseconds = try decoder.singleValueContainer().decode(Int64.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(nanoseconds)
    }
}

extension Duration {
    /// The duration in nanoseconds, its part below one dropped.
    public var wholeNanoseconds: Int64 {
        // One division of 128 bits; `components` takes two more.
        Int64(truncatingIfNeeded: attoseconds / 1_000_000_000)
    }

    /// The duration in milliseconds, for printing.
    public var milliseconds: Double { Double(wholeNanoseconds) / 1e6 }
}
