/// An Ethernet (EUI-48) address.
public struct MACAddress: Hashable, Sendable, CustomStringConvertible {
    /// The six octets in the low 48 bits, the first octet highest.
    public var rawValue: UInt64

    /// The address whose octets are the low 48 bits of `rawValue`.
    public init(rawValue: UInt64) { self.rawValue = rawValue & 0xffff_ffff_ffff }

    /// The address with these six octets.
    ///
    /// - Precondition: there are six.
    @inlinable
    public init(octets: some Sequence<UInt8>) {
        var value: UInt64 = 0
        var count = 0
        for octet in octets {
            value = value << 8 | UInt64(octet)
            count += 1
        }
        precondition(count == 6, "an Ethernet address has six octets")
        rawValue = value
    }

    /// Parses six hexadecimal octets separated by colons, as `ip link` prints them; nil for
    /// anything else.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 6 else { return nil }
        var octets: [UInt8] = []
        for part in parts {
            guard (1...2).contains(part.utf8.count), part.utf8.allSatisfy(isHexadecimalDigit),
                let octet = UInt8(part, radix: 16)
            else { return nil }
            octets.append(octet)
        }
        self.init(octets: octets)
    }

    /// The address every station listens to.
    public static let broadcast = MACAddress(rawValue: 0xffff_ffff_ffff)

    /// The six octets in transmission order.
    public var octets: [UInt8] {
        (0..<6).map { UInt8(truncatingIfNeeded: rawValue >> (40 - 8 * $0)) }
    }

    /// Whether the group bit is set: a multicast or the broadcast address.
    public var isMulticast: Bool { rawValue & 0x0100_0000_0000 != 0 }

    public var description: String {
        octets.map { octet in
            let digits = String(octet, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined(separator: ":")
    }
}

func isHexadecimalDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
        UInt8(ascii: "A")...UInt8(ascii: "F"):
        true
    default: false
    }
}
