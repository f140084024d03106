public import NetworkTypes

/// A packet that reached a VRRP socket: its fixed fields are there, nothing is believed yet.
///
/// Reception has three steps, because a log line about a refused packet names the instance it was
/// meant for: `init(parsing:)` or `init(ipv6Message:)` finds the VRID, the shell looks the instance
/// up, and `validated(against:)` makes the checks of RFC 3768 §7.1 and RFC 9568 §7.1. Only what
/// that returns reaches a `VirtualRouter`, so a refused packet can move no timer.
public struct ReceivedAdvertisement: Equatable, Sendable {
    /// The sender's address.
    public let source: IPAddress
    /// The group, or this host.
    public let destination: IPAddress
    /// The TTL or hop limit on arrival; nil where the kernel has not told.
    public let timeToLive: UInt8?
    /// The virtual router's number.
    public let vrid: UInt8
    /// The authentication header's sequence number; nil without such a header. To be remembered
    /// when the packet has been accepted, and given to the next `Expectation`.
    public var sequenceNumber: UInt32? { authenticationHeader?.sequenceNumber }

    // What is in the octets, before any of it is checked. The message is what begins at
    // `messageOffset`; before it, over IPv4, are the packet's headers.
    let octets: [UInt8]
    let messageOffset: Int
    let header: IPv4Header?
    let authenticationHeader: AuthenticationHeader?

    /// Finds the VRRP header in a whole IPv4 packet, as a raw IPv4 socket delivers it, options and
    /// an authentication header allowed, or in a whole IPv6 packet.
    ///
    /// - Throws: `AdvertisementError.packetTooShort` or `.notVRRP`.
    public init(parsing packet: some Sequence<UInt8>) throws(AdvertisementError) {
        try self.init(parsing: Array(packet))
    }

    /// The same of an array, which is kept and not copied: what a socket delivers.
    public init(parsing packet: [UInt8]) throws(AdvertisementError) {
        switch packet.first.map({ $0 >> 4 }) {
        case 4, nil: try self.init(ipv4Packet: packet)
        case 6: try self.init(ipv6Packet: packet)
        default: throw .notVRRP
        }
    }

    private init(ipv4Packet packet: [UInt8]) throws(AdvertisementError) {
        guard let header = IPv4Header(packet[...]) else {
            throw .packetTooShort(lengthBytes: packet.count)
        }
        var offset = header.lengthBytes
        switch header.ipProtocol {
        case Advertisement.ipProtocol:
            authenticationHeader = nil
        case Advertisement.authenticationHeaderProtocol:
            guard let found = AuthenticationHeader(packet[offset...]) else {
                throw .packetTooShort(
                    lengthBytes: packet.count, carrier: .ipv4WithAuthenticationHeader)
            }
            // keepalived looks at this late and then drops the packet without a word.
            guard found.nextHeader == Advertisement.ipProtocol else { throw .notVRRP }
            authenticationHeader = found
            offset += AuthenticationHeader.lengthBytes
        default:
            throw .notVRRP
        }
        guard packet.count >= offset + Advertisement.headerBytes else {
            throw .packetTooShort(
                lengthBytes: packet.count,
                carrier: authenticationHeader == nil ? .ipv4 : .ipv4WithAuthenticationHeader)
        }
        octets = packet
        messageOffset = offset
        self.header = header
        source = .v4(header.source)
        destination = .v4(header.destination)
        timeToLive = header.timeToLive
        vrid = packet[offset + 1]
    }

    /// Finds the VRRP header in the payload of an IPv6 packet, as a raw IPv6 socket delivers it
    /// with the rest beside it.
    ///
    /// - Parameter hopLimit: nil where the kernel did not tell (IPV6_RECVHOPLIMIT); then it is not
    ///   checked.
    /// - Throws: `AdvertisementError.packetTooShort`.
    public init(
        ipv6Message message: [UInt8], source: IPv6Address, destination: IPv6Address,
        hopLimit: UInt8?
    ) throws(AdvertisementError) {
        guard message.count >= Advertisement.headerBytes else {
            throw .packetTooShort(lengthBytes: message.count, carrier: .ipv6)
        }
        octets = message
        messageOffset = 0
        header = nil
        authenticationHeader = nil
        self.source = .v6(source)
        self.destination = .v6(destination)
        timeToLive = hopLimit
        vrid = message[1]
    }

    /// A whole IPv6 packet, which only a simulated or captured one is.
    private init(ipv6Packet packet: [UInt8]) throws(AdvertisementError) {
        guard let header = IPv6Header(packet[...]) else {
            throw .packetTooShort(lengthBytes: packet.count, carrier: .ipv6)
        }
        guard header.nextHeader == Advertisement.ipProtocol else { throw .notVRRP }
        guard packet.count - IPv6Header.lengthBytes == header.payloadBytes else {
            throw .wrongTotalLength(
                headerBytes: header.payloadBytes + IPv6Header.lengthBytes,
                receivedBytes: packet.count)
        }
        try self.init(
            ipv6Message: Array(packet[IPv6Header.lengthBytes...]), source: header.source,
            destination: header.destination, hopLimit: header.hopLimit)
    }

    /// What an instance accepts.
    public struct Expectation: Equatable, Sendable {
        /// Version, interval, addresses and authentication that the sender must share. (Its
        /// priority is not compared, and in version 3 neither is its interval.)
        public var advertisement: Advertisement
        /// Whether the instance has unicast peers: then the TTL is not checked, because the packet
        /// has been routed, and a multicast packet is refused.
        public var isUnicast: Bool
        /// Whether the addresses are compared at all; keepalived's `vrrp_skip_check_adv_addr` stops
        /// it while the sender stays the same.
        public var comparesAddresses: Bool
        /// The only accepted coverage of a version 3 checksum over IPv4.
        public var checksum: ChecksumRule
        /// The only accepted unicast senders (`check_unicast_src`, or a peer with a TTL range); nil
        /// for anybody. In keepalived `skip_check_adv_addr` turns this check off as well.
        public var peers: [UnicastPeer]?
        /// Whether the first IPv6 address of version 3 must be link-local (`vrrp_strict`).
        public var requiresLinkLocalFirst: Bool
        /// The highest authentication header's sequence number so far; what is not above is a
        /// replay.
        public var lastSequenceNumber: UInt32

        public init(
            _ advertisement: Advertisement, isUnicast: Bool = false,
            comparesAddresses: Bool = true, checksum: ChecksumRule = .pseudoHeader,
            peers: [UnicastPeer]? = nil, requiresLinkLocalFirst: Bool = false,
            lastSequenceNumber: UInt32 = 0
        ) {
            self.advertisement = advertisement
            self.isUnicast = isUnicast
            self.comparesAddresses = comparesAddresses
            self.checksum = checksum
            self.peers = peers
            self.requiresLinkLocalFirst = requiresLinkLocalFirst
            self.lastSequenceNumber = lastSequenceNumber
        }
    }

    /// A router that sends its advertisements to this host alone; keepalived's `unicast_peer`.
    public struct UnicastPeer: Hashable, Sendable {
        public var address: IPAddress
        /// How far its packets may have come: `min_ttl`, `max_ttl`.
        public var timeToLive: ClosedRange<UInt8>

        public init(_ address: IPAddress, timeToLive: ClosedRange<UInt8> = 0...255) {
            self.address = address
            self.timeToLive = timeToLive
        }
    }
}
