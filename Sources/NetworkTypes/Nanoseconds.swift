/// A duration that is encoded as a whole number of nanoseconds, as instants are.
///
/// The standard library's own encoding is a pair of numbers that nobody outside Swift can read.
@propertyWrapper
public struct Nanoseconds: Codable, Hashable, Sendable {
    public var wrappedValue: Duration

    public init(wrappedValue: Duration) { self.wrappedValue = wrappedValue }

    public init(from decoder: any Decoder) throws {
        wrappedValue = .nanoseconds(try decoder.singleValueContainer().decode(Int64.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(wrappedValue.wholeNanoseconds)
    }
}
