public import NetworkTypes

/// What a captured advertisement says, for observers: versions 2 and 3, over IPv4 and IPv6, under
/// an IP authentication header or not.
///
/// An observer reports what was on the wire, so nothing is verified here: neither checksum nor
/// authentication nor TTL. A frame from which the contents cannot be read gives nil.
public struct ObservedAdvertisement: Equatable, Sendable {
    /// The sender's address in the IP header.
    public var source: IPAddress
    /// The destination in the IP header.
    public var destination: IPAddress
    /// 2 or 3.
    public var version: Int
    /// The virtual router's number.
    public var vrid: UInt8
    /// The sender's priority; 0 when it gives up.
    public var priority: UInt8
    /// How often the sender says it advertises.
    public var interval: Duration
    /// The virtual addresses, in the message's order.
    public var addresses: [IPAddress]

    private static let authenticationHeader: UInt8 = 51
    private static let ipv6HeaderBytes = 40

    /// Reads an Ethernet II frame, untagged or with one 802.1Q tag; nil when it is no
    /// advertisement.
    public init?(ethernetFrame frame: some Sequence<UInt8>) {
        let frame = Array(frame)
        guard frame.count >= 14 else { return nil }
        let isTagged = frame.number16(at: 12) == 0x8100
        let typeOffset = isTagged ? 16 : 12
        guard frame.count >= typeOffset + 2 else { return nil }
        switch frame.number16(at: typeOffset) {
        case 0x0800, 0x86dd: self.init(ipPacket: frame[(typeOffset + 2)...])
        default: return nil
        }
    }

    /// Reads an IPv4 or IPv6 packet, trailing padding allowed; nil when it is no advertisement.
    public init?(ipPacket packet: some Sequence<UInt8>) {
        let packet = Array(packet)
        switch packet.first.map({ $0 >> 4 }) {
        case 4: self.init(ipv4Packet: packet)
        case 6: self.init(ipv6Packet: packet)
        default: return nil
        }
    }

    private init?(ipv4Packet packet: [UInt8]) {
        guard let header = IPv4Header(packet[...]),
            (header.lengthBytes...packet.count).contains(header.totalLengthBytes)
        else { return nil }
        var payload = packet[header.lengthBytes..<header.totalLengthBytes]
        var next = header.ipProtocol
        if next == Self.authenticationHeader {
            // RFC 4302 §2: next header, then the length in words of 32 bits, less two.
            guard payload.count >= 2 else { return nil }
            next = payload[payload.startIndex]
            payload = payload.dropFirst((Int(payload[payload.startIndex + 1]) + 2) * 4)
        }
        guard next == Advertisement.ipProtocol else { return nil }
        self.init(
            message: payload, family: .v4, source: .v4(header.source),
            destination: .v4(header.destination))
    }

    private init?(ipv6Packet packet: [UInt8]) {
        guard packet.count >= Self.ipv6HeaderBytes, packet[6] == Advertisement.ipProtocol else {
            return nil
        }
        let end = Self.ipv6HeaderBytes + Int(packet.number16(at: 4))
        guard packet.count >= end else { return nil }
        self.init(
            message: packet[Self.ipv6HeaderBytes..<end], family: .v6,
            source: .v6(IPv6Address(octets: packet[8..<24])),
            destination: .v6(IPv6Address(octets: packet[24..<40])))
    }

    private init?(
        message: ArraySlice<UInt8>, family: IPAddress.Family, source: IPAddress,
        destination: IPAddress
    ) {
        guard message.count >= Advertisement.headerBytes else { return nil }
        let header = Array(message.prefix(Advertisement.headerBytes))
        guard header[0] & 0x0f == Advertisement.packetType else { return nil }
        switch header[0] >> 4 {
        case 2:
            version = 2
            interval = .seconds(Int(header[5]))
        case 3:
            version = 3
            // RFC 9568 §5.2.7: twelve bits of centiseconds, the nibble before them reserved.
            interval = .milliseconds(10 * Int(header.number16(at: 4) & 0x0fff))
        default: return nil
        }
        let width =
            switch family {
            case .v4: 4
            case .v6: 16
            }
        let count = Int(header[3])
        guard message.count >= Advertisement.headerBytes + width * count else { return nil }
        addresses = (0..<count).compactMap { index in
            IPAddress(
                octets: message.octets(at: Advertisement.headerBytes + width * index, count: width))
        }
        vrid = header[1]
        priority = header[2]
        self.source = source
        self.destination = destination
    }
}
