/// The Internet checksum (RFC 1071): the one's complement of the one's complement sum of 16-bit
/// words.
///
/// VRRPv2 sums the message alone (RFC 3768 §5.3.8), so the sum is kept open for more parts: a
/// pseudo header is simply one more call of `add`.
public struct InternetChecksum: Equatable, Sendable {
    private var sum: UInt64 = 0

    /// The sum of nothing.
    public init() {}

    /// The sum of those octets.
    public init(_ octets: some Sequence<UInt8>) {
        add(octets)
    }

    /// Adds octets in network order; an odd last one counts as the high half of its word.
    ///
    /// Each call starts at a word's boundary, so only the last part may have an odd length.
    public mutating func add(_ octets: some Sequence<UInt8>) {
        var isHighOctet = true
        for octet in octets {
            sum += isHighOctet ? UInt64(octet) << 8 : UInt64(octet)
            isHighOctet.toggle()
        }
    }

    /// Adds a 32-bit number.
    mutating func add(number32 value: UInt32) {
        sum += UInt64(value >> 16) + UInt64(value & 0xffff)
    }

    /// The checksum: what goes into the checksum field, whose own octets were summed as zero; or,
    /// over octets that include a right checksum, zero.
    public var value: UInt16 {
        var folded = sum
        while folded >> 16 != 0 { folded = (folded & 0xffff) + folded >> 16 }
        return ~UInt16(truncatingIfNeeded: folded)
    }
}
