/// An IPv4 address.
public struct IPv4Address: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The address as a number, the first octet highest; addresses compare as these numbers do (RFC
    /// 3768 §6.4.3).
    public var rawValue: UInt32

    /// The address with that number.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The address with these four octets, in the order they are written.
    public init(_ first: UInt8, _ second: UInt8, _ third: UInt8, _ fourth: UInt8) {
        rawValue = UInt32(first) << 24 | UInt32(second) << 16 | UInt32(third) << 8 | UInt32(fourth)
    }

    /// The address with these four octets in network order.
    ///
    /// - Precondition: there are four.
    @inlinable
    public init(octets: some Collection<UInt8>) {
        precondition(octets.count == 4, "an IPv4 address has four octets")
        rawValue = octets.reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// Parses four decimal octets (`192.0.2.1`); nil for anything else, leading zeros and short
    /// forms included.
    public init?(_ text: some StringProtocol) {
        var text = String(text)
        let value = text.withUTF8 { Self.parse($0) }
        guard let value else { return nil }
        rawValue = value
    }

    private static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt32? {
        var value: UInt32 = 0
        var octet: UInt32?
        var dots = 0
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                // A digit after a leading zero is none of a decimal octet.
                guard octet != 0 else { return nil }
                let next = (octet ?? 0) * 10 + UInt32(byte - UInt8(ascii: "0"))
                guard next <= 255 else { return nil }
                octet = next
            case UInt8(ascii: "."):
                guard let complete = octet, dots < 3 else { return nil }
                value = value << 8 | complete
                octet = nil
                dots += 1
            default: return nil
            }
        }
        guard let last = octet, dots == 3 else { return nil }
        return value << 8 | last
    }

    /// 0.0.0.0.
    public static let any = IPv4Address(rawValue: 0)

    /// The four octets in network order.
    public var octets: [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: rawValue >> (24 - 8 * $0)) }
    }

    /// Whether this is a group address, 224.0.0.0/4.
    public var isMulticast: Bool { rawValue >> 28 == 0xe }

    /// Whether this is in 127.0.0.0/8.
    public var isLoopback: Bool { rawValue >> 24 == 127 }

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    public var description: String { octets.map { String($0) }.joined(separator: ".") }
}
