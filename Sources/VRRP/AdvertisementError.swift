public import NetworkTypes

/// Why an advertisement was not accepted, or cannot be sent.
///
/// The descriptions of refusals are keepalived 2.2.7's log lines without the instance's name, so
/// that one set of assertions reads both daemons' logs.
public enum AdvertisementError: Error, Hashable, Sendable {
    // MARK: No VRRP message

    /// The packet ends before the VRRP header does, so that there is no VRID to look up.
    case packetTooShort(lengthBytes: Int, carrier: Carrier = .ipv4)
    /// The packet is neither IPv4 nor IPv6 with protocol 112, nor IPv4 with an authentication
    /// header before that.
    case notVRRP

    // MARK: Refused on receipt, in the order in which the checks are made (RFC 3768 §7.1)

    /// An authentication header where none is configured, or none where one is.
    case wrongCarrier(hasAuthenticationHeader: Bool)
    /// The packet is longer or shorter than its version and address count say.
    case wrongLength(receivedBytes: Int, expectedBytes: Int)
    /// The TTL or hop limit is not 255: a router has forwarded the packet.
    case wrongTimeToLive(received: UInt8)
    /// The version is not the configured one.
    case wrongVersion(received: Int, expected: Int)
    /// The Auth Type is none of those that were ever defined (0, 1, 2).
    case unknownAuthenticationType(UInt8)
    /// The Auth Type is not the configured one.
    case wrongAuthenticationType(received: UInt8, expected: UInt8)
    /// The password is another one.
    case wrongPassword
    /// The authentication header's integrity check value is not that of this packet and password.
    case wrongIntegrityCheckValue
    /// The authentication header's Security Parameters Index is not the source address.
    case wrongSecurityParametersIndex(received: UInt32, source: UInt32)
    /// The authentication header's sequence number was seen before: a replay.
    case replayedSequenceNumber(UInt32, last: UInt32)
    /// The advertised interval, in seconds, is not the configured one (version 2 only).
    case wrongInterval(receivedSeconds: Int, expected: Duration)
    /// The packet type is not 1.
    case wrongType(received: UInt8)
    /// The number of addresses is not the configured one.
    case wrongAddressCount(received: Int, expected: Int)
    /// The IP header's total length is not what was received.
    case wrongTotalLength(headerBytes: Int, receivedBytes: Int)
    /// The VRRP checksum is wrong.
    case wrongChecksum(version: Int)
    /// A unicast packet came to a multicast instance, or the other way round.
    case wrongDestination(expectedUnicast: Bool)
    /// A version 3 interval of 0 (RFC 9568, erratum 8301: it must not be). keepalived accepts it
    /// and takes over at once.
    case zeroInterval
    /// A version 3 message without addresses (RFC 9568 §5.2.5), where they are not compared.
    case noAddresses
    /// The first of a version 3 message's IPv6 addresses is not link-local (RFC 9568 §5.2.9).
    case firstAddressNotLinkLocal(IPAddress)
    /// A configured address is not among the advertised ones.
    case missingAddress(IPAddress, vrid: UInt8)
    /// The sender is none of the unicast peers.
    case notAPeer(IPAddress)
    /// A unicast peer's packet has gone further, or less far, than configured.
    case timeToLiveOutOfRange(received: UInt8, expected: ClosedRange<UInt8>)

    // MARK: Not possible here

    /// There are versions 2 and 3.
    case unsupportedVersion(Int)
    /// The address is not of the family that the message travels over.
    case unsupportedAddress(IPAddress)
    /// Version 2 says 1 to 255 whole seconds, version 3 says 1 to 4095 whole centiseconds.
    case unencodableInterval(Duration, version: Int)
    /// The count is one octet.
    case tooManyAddresses(Int)
    /// keepalived's authentication header is one of IPv4.
    case authenticationNeedsIPv4

    /// What a VRRP message travels in.
    public enum Carrier: Hashable, Sendable { case ipv4, ipv4WithAuthenticationHeader, ipv6 }
}

extension AdvertisementError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .packetTooShort, .notVRRP, .unsupportedVersion, .unsupportedAddress,
            .unencodableInterval, .tooManyAddresses, .authenticationNeedsIPv4:
            formatDescription
        case .wrongCarrier, .unknownAuthenticationType, .wrongAuthenticationType, .wrongPassword,
            .wrongIntegrityCheckValue, .wrongSecurityParametersIndex, .replayedSequenceNumber:
            authenticationDescription
        case .wrongLength(let received, let expected):
            "vrrp packet too \(received > expected ? "long" : "short"), "
                + "length \(received) and expect \(expected)"
        case .wrongTimeToLive(let received):
            "invalid TTL/HL. Received \(received) and expect \(Advertisement.timeToLive)"
        case .wrongVersion(let received, let expected):
            "wrong version. Received \(received) and expect \(expected)"
        case .wrongInterval(let received, let expected):
            "advertisement interval mismatch mine=\(expected.components.seconds) sec "
                + "rcv'd=\(received) sec"
        case .wrongType(let received):
            "Invalid packet type. \(received) and expect \(Advertisement.packetType)"
        case .wrongAddressCount(let received, let expected):
            "received an unexpected ip number count \(received), expected \(expected)!"
        case .wrongTotalLength(let header, let received):
            "ip_tot_len mismatch against received length. \(header) and received \(received)"
        case .wrongChecksum(let version):
            "Invalid VRRPv\(version) checksum"
        case .wrongDestination(let expectedUnicast):
            "Expected \(expectedUnicast ? "un" : "mult")icast packet but received "
                + "\(expectedUnicast ? "mult" : "un")icast packet"
        case .zeroInterval:
            "received an advertisement interval of 0"
        case .noAddresses:
            "received an advertisement without addresses"
        case .firstAddressNotLinkLocal(let address):
            "the first address of an advert must be link local, received \(address)"
        case .missingAddress(let address, let vrid):
            "ip address associated with VRID \(vrid) not present in MASTER advert: \(address)"
        case .notAPeer(let source):
            "unicast source address \(source) not a unicast peer"
        case .timeToLiveOutOfRange(let received, let expected):
            "TTL/HL \(received) not in range \(expected.lowerBound) - \(expected.upperBound)"
        }
    }

    /// Of what is no VRRP message, or cannot be made one.
    private var formatDescription: String {
        switch self {
        case .packetTooShort(let length, .ipv4):
            "IPv4 VRRP packet too short - \(length) bytes"
        case .packetTooShort(let length, .ipv4WithAuthenticationHeader):
            "IPv4 VRRP packet with AH too short - \(length) bytes"
        case .packetTooShort(let length, .ipv6):
            "IPv6 VRRP packet too short - \(length) bytes"
        case .notVRRP:
            "not an IP packet with protocol \(Advertisement.ipProtocol)"
        case .unsupportedVersion(let version):
            "VRRP version \(version) is not supported, only versions 2 and 3"
        case .unsupportedAddress(.v4(let address)):
            "VRRP over IPv6 advertises IPv6 addresses, not \(address)"
        case .unsupportedAddress(.v6(let address)):
            "VRRP over IPv4 advertises IPv4 addresses, not \(address)"
        case .unencodableInterval(let interval, version: 2):
            "VRRP version 2 advertises every 1 to 255 whole seconds, not every \(interval)"
        case .unencodableInterval(let interval, let version):
            "VRRP version \(version) advertises every 1 to 4095 centiseconds, not every \(interval)"
        case .tooManyAddresses(let count):
            "a VRRP message holds 255 addresses, not \(count)"
        case .authenticationNeedsIPv4:
            "auth_type AH needs IPv4"
        default:
            preconditionFailure("the caller hands over the cases above only")
        }
    }

    private var authenticationDescription: String {
        switch self {
        case .wrongCarrier(hasAuthenticationHeader: true):
            "Received AH header but auth type not AH"
        case .wrongCarrier(hasAuthenticationHeader: false):
            "No AH header but auth type is AH"
        case .unknownAuthenticationType(let type):
            "Invalid auth type: \(type)"
        case .wrongAuthenticationType(let received, let expected):
            "received a \(received) auth, expecting \(expected)!"
        case .wrongPassword:
            "received an invalid passwd!"
        case .wrongIntegrityCheckValue:
            "IPSEC-AH : invalid IPSEC HMAC-MD5 value. Due to fields mutation or bad password !"
        case .wrongSecurityParametersIndex(let received, let source):
            "IPSEC AH : invalid IPSEC SPI value. \(received) and expect \(source)"
        case .replayedSequenceNumber(let number, let last):
            "IPSEC-AH : sequence number \(number) already processed. Packet dropped. Local(\(last))"
        default:
            preconditionFailure("the caller hands over the cases above only")
        }
    }
}
