public import NetworkTypes

/// What the checksum of a VRRPv3 message over IPv4 covers, which implementations disagree about.
///
/// A receiver accepts the rule it is configured with and no other, every time: keepalived's
/// fallback to the old unicast rule is a latch that a single damaged packet closes for ever.
/// Version 2 always sums the message alone (RFC 3768 §5.3.8), and over IPv6 the pseudo header is
/// always part of it (RFC 9568 §5.2.8).
public enum ChecksumRule: Hashable, Sendable {
    /// A pseudo header of the packet's own addresses and the message: keepalived's and FRR's
    /// reading of RFC 5798 §5.2.8.
    case pseudoHeader
    /// The message alone: RFC 9568 §5.2.8, keepalived's `v3_checksum_as_v2`.
    case messageOnly
    /// A pseudo header that names this group in the destination's place, for unicast with
    /// keepalived before 1.3.6: `old_unicast_checksum`.
    case groupPseudoHeader(IPv4Address = Advertisement.group)

    /// The sum so far, before the message is added.
    func sum(
        from source: IPv4Address, to destination: IPv4Address, messageBytes: Int
    ) -> InternetChecksum {
        switch self {
        case .messageOnly:
            InternetChecksum()
        case .pseudoHeader:
            InternetChecksum(pseudoHeaderFrom: source, to: destination, lengthBytes: messageBytes)
        case .groupPseudoHeader(let group):
            InternetChecksum(pseudoHeaderFrom: source, to: group, lengthBytes: messageBytes)
        }
    }
}

extension InternetChecksum {
    /// The sum of the IPv4 pseudo header of a VRRP message (RFC 5798 §5.2.8, as RFC 768 has it).
    init(pseudoHeaderFrom source: IPv4Address, to destination: IPv4Address, lengthBytes: Int) {
        self.init()
        add(number32: source.rawValue)
        add(number32: destination.rawValue)
        add(number32: UInt32(Advertisement.ipProtocol) << 16 | UInt32(lengthBytes))
    }

    /// The sum of the IPv6 pseudo header (RFC 8200 §8.1).
    init(
        pseudoHeaderFrom source: IPv6Address, to destination: IPv6Address, lengthBytes: Int,
        nextHeader: UInt8 = Advertisement.ipProtocol
    ) {
        self.init()
        for half in [source.high, source.low, destination.high, destination.low] {
            add(number32: UInt32(half >> 32))
            add(number32: UInt32(truncatingIfNeeded: half))
        }
        add(number32: UInt32(lengthBytes))
        add(number32: UInt32(nextHeader))
    }
}
