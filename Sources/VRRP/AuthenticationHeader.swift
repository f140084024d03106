public import NetworkTypes

/// The IP authentication header (RFC 2402 §2) as keepalived puts it before a VRRPv2 message:
/// HMAC-MD5-96 (RFC 2403), the source address for a Security Parameters Index, no padding.
struct AuthenticationHeader: Equatable {
    /// Octets of the header, integrity check value included.
    static let lengthBytes = 24

    var nextHeader: UInt8
    var securityParametersIndex: UInt32
    var sequenceNumber: UInt32

    private static let integrityCheckOffset = 12
    private static let integrityCheckBytes = 12
    /// The length field: in words of 32 bits, less two (RFC 2402 §2.2).
    private static let payloadLength = UInt8(lengthBytes / 4 - 2)

    /// The header at the start of `octets`; nil when it is not complete.
    init?(_ octets: ArraySlice<UInt8>) {
        guard octets.count >= Self.lengthBytes else { return nil }
        nextHeader = octets[octets.startIndex]
        securityParametersIndex = octets.number32(at: 4)
        sequenceNumber = octets.number32(at: 8)
    }

    /// The header's octets with an integrity check value of zeros.
    static func unsigned(securityParametersIndex: UInt32, sequenceNumber: UInt32) -> [UInt8] {
        var octets: [UInt8] = [Advertisement.ipProtocol, payloadLength, 0, 0]
        octets.append(number32: securityParametersIndex)
        octets.append(number32: sequenceNumber)
        octets += repeatElement(0, count: integrityCheckBytes)
        return octets
    }

    /// Puts the integrity check value into a packet that is complete but for it.
    static func sign(
        _ packet: inout [UInt8], with password: AuthenticationPassword, isUnicast: Bool
    ) {
        let offset = IPv4Header.minimumBytes
        let value = integrityCheckValue(
            of: packet, headerBytes: offset, password: password, isUnicast: isUnicast)
        let start = offset + integrityCheckOffset
        packet.replaceSubrange(start..<start + integrityCheckBytes, with: value)
    }

    /// Whether the integrity check value of a received packet is right.
    static func verifies(
        _ packet: [UInt8], headerBytes: Int, password: AuthenticationPassword, isUnicast: Bool
    ) -> Bool {
        let expected = integrityCheckValue(
            of: packet, headerBytes: headerBytes, password: password, isUnicast: isUnicast)
        let received = packet.octets(
            at: headerBytes + integrityCheckOffset, count: integrityCheckBytes)
        // Every octet is looked at, so that the time taken tells nothing about a guess.
        return zip(received, expected).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    /// HMAC-MD5-96 over the packet, with what routers may change (RFC 2402 §3.3.3.1.1) and the
    /// value itself taken as zero. keepalived holds the TTL for immutable unless it has unicast
    /// peers, which the RFC does not.
    private static func integrityCheckValue(
        of packet: [UInt8], headerBytes: Int, password: AuthenticationPassword, isUnicast: Bool
    ) -> ArraySlice<UInt8> {
        var covered = Array(packet.prefix(headerBytes + lengthBytes))
        covered[1] = 0  // Type of service.
        covered.replace(at: 6, number16: 0)  // Flags and fragment offset.
        if isUnicast { covered[8] = 0 }
        covered.replace(at: 10, number16: 0)  // Header checksum.
        let start = headerBytes + integrityCheckOffset
        for index in start..<start + integrityCheckBytes { covered[index] = 0 }
        var code = HMACMD5(key: password.octets)
        code.add(covered)
        code.add(packet[covered.count...])
        return code.code().prefix(integrityCheckBytes)
    }
}

/// The sequence numbers of one virtual router's authentication headers (RFC 2402 §2.5, §3.4.3).
///
/// What is sent is above all that was sent or accepted, as in keepalived, so that a new master goes
/// on where the old one stopped, and is believed by a keepalived that has one number for everybody.
/// What is accepted must be above what the same sender has sent: the numbers are of a security
/// association, which the sender's address tells. With one number for everybody, two masters that
/// send at the same pace with the same numbers take each other's advertisements for replays, and
/// both stay masters.
public struct AuthenticationSequence: Equatable, Sendable {
    /// The highest number sent or accepted.
    public private(set) var last: UInt32 = 0
    /// The highest number accepted from each sender. Those who know the password are few.
    private var lastBySender: [IPAddress: UInt32] = [:]
    /// keepalived stops here instead of starting over (RFC 2402 §3.3.2: it must not cycle).
    private static let limit: UInt32 = 0xffff_fffe
    /// Senders that are told apart; no virtual router has more.
    static let mostSenders = 255

    public init() {}

    /// The number for the next packet; nil when there is none left, in which case nothing may be
    /// sent until `restart()`.
    public mutating func next() -> UInt32? {
        guard last < Self.limit else { return nil }
        last += 1
        return last
    }

    /// What the next packet of that sender must be above.
    public func last(from sender: IPAddress) -> UInt32 {
        lastBySender[sender] ?? (lastBySender.count < Self.mostSenders ? 0 : last)
    }

    /// Takes note of a packet that was accepted.
    public mutating func accepted(_ number: UInt32, from sender: IPAddress) {
        last = max(last, number)
        guard lastBySender[sender] != nil || lastBySender.count < Self.mostSenders else { return }
        lastBySender[sender] = max(lastBySender[sender] ?? 0, number)
    }

    /// Starts over, where all routers have heard nothing for a master-down interval.
    public mutating func restart() { self = AuthenticationSequence() }
}
