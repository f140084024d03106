public import NetworkTypes

/// What a captured advertisement says, for observers: versions 2 and 3, over IPv4 and IPv6, under
/// an IP authentication header or not.
///
/// An observer reports what was on the wire, so nothing is refused here: neither for its checksum,
/// of which it is said what it covers, nor for authentication nor TTL. A frame from which the
/// contents cannot be read gives nil.
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
    /// The TTL or hop limit in the IP header.
    public var timeToLive: UInt8
    /// Version 2's Auth Type; nil in version 3, which has none.
    public var authenticationType: UInt8?
    /// The IP authentication header's sequence number; nil without such a header.
    public var sequenceNumber: UInt32?
    /// What the checksum covers.
    public var checksum: Checksum

    /// What a checksum was found to be computed over.
    public enum Checksum: Hashable, Sendable {
        /// The message and the pseudo header with the packet's addresses.
        case pseudoHeader
        /// The message alone.
        case messageOnly
        /// Neither.
        case wrong
    }

    /// What the IP headers say.
    private struct Carrier {
        var source: IPAddress
        var destination: IPAddress
        var timeToLive: UInt8
        var sequenceNumber: UInt32?
    }

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
        var carrier = Carrier(
            source: .v4(header.source), destination: .v4(header.destination),
            timeToLive: header.timeToLive)
        var next = header.ipProtocol
        if next == Advertisement.authenticationHeaderProtocol {
            guard let authentication = AuthenticationHeader(payload) else { return nil }
            next = authentication.nextHeader
            carrier.sequenceNumber = authentication.sequenceNumber
            // RFC 4302 §2.2: the length is in words of 32 bits, less two.
            payload = payload.dropFirst((Int(payload[payload.startIndex + 1]) + 2) * 4)
        }
        guard next == Advertisement.ipProtocol else { return nil }
        self.init(message: payload, carrier)
    }

    private init?(ipv6Packet packet: [UInt8]) {
        guard let header = IPv6Header(packet[...]), header.nextHeader == Advertisement.ipProtocol,
            packet.count >= IPv6Header.lengthBytes + header.payloadBytes
        else { return nil }
        self.init(
            message: packet[IPv6Header.lengthBytes...].prefix(header.payloadBytes),
            Carrier(
                source: .v6(header.source), destination: .v6(header.destination),
                timeToLive: header.hopLimit))
    }

    private init?(message: ArraySlice<UInt8>, _ carrier: Carrier) {
        guard message.count >= Advertisement.headerBytes else { return nil }
        let header = Array(message.prefix(Advertisement.headerBytes))
        guard header[0] & 0x0f == Advertisement.packetType else { return nil }
        switch header[0] >> 4 {
        case 2:
            version = 2
            interval = .seconds(Int(header[5]))
            authenticationType = header[4]
        case 3:
            version = 3
            // RFC 9568 §5.2.7: twelve bits of centiseconds, the nibble before them reserved.
            interval = .milliseconds(10 * Int(header.number16(at: 4) & 0x0fff))
        default: return nil
        }
        let width = carrier.source.family.octetCount
        let count = Int(header[3])
        guard message.count >= Advertisement.headerBytes + width * count else { return nil }
        addresses = (0..<count).compactMap { index in
            IPAddress(
                octets: message.octets(at: Advertisement.headerBytes + width * index, count: width))
        }
        vrid = header[1]
        priority = header[2]
        source = carrier.source
        destination = carrier.destination
        timeToLive = carrier.timeToLive
        sequenceNumber = carrier.sequenceNumber
        checksum = Checksum(of: message, from: carrier.source, to: carrier.destination)
    }
}

extension ObservedAdvertisement.Checksum {
    fileprivate init(
        of message: ArraySlice<UInt8>, from source: IPAddress, to destination: IPAddress
    ) {
        var sum: InternetChecksum? =
            switch (source, destination) {
            case (.v4(let source), .v4(let destination)):
                InternetChecksum(
                    pseudoHeaderFrom: source, to: destination, lengthBytes: message.count)
            case (.v6(let source), .v6(let destination)):
                InternetChecksum(
                    pseudoHeaderFrom: source, to: destination, lengthBytes: message.count)
            case (.v4, .v6), (.v6, .v4): nil
            }
        sum?.add(message)
        if sum?.value == 0 {
            self = .pseudoHeader
        } else if InternetChecksum(message).value == 0 {
            self = .messageOnly
        } else {
            self = .wrong
        }
    }
}
