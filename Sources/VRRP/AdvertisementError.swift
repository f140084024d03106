public import NetworkTypes

/// Why an advertisement was not accepted, or cannot be sent.
///
/// The descriptions of refusals are keepalived 2.2.7's log lines without the instance's name, so
/// that one set of assertions reads both daemons' logs.
public enum AdvertisementError: Error, Hashable, Sendable {
    // MARK: No VRRP message

    /// The packet ends before the VRRP header does, so that there is no VRID to look up.
    case packetTooShort(lengthBytes: Int)
    /// The packet is not IPv4 with protocol 112.
    case notVRRP

    // MARK: Refused on receipt, in the order in which the checks are made (RFC 3768 §7.1)

    /// The packet is longer or shorter than its version and address count say.
    case wrongLength(receivedBytes: Int, expectedBytes: Int)
    /// The TTL is not 255: a router has forwarded the packet.
    case wrongTimeToLive(received: UInt8)
    /// The version is not the configured one.
    case wrongVersion(received: Int, expected: Int)
    /// The Auth Type is none of those that were ever defined (0, 1, 2).
    case unknownAuthenticationType(UInt8)
    /// The Auth Type is not the configured one.
    case wrongAuthenticationType(received: UInt8, expected: UInt8)
    /// The password is another one.
    case wrongPassword
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
    /// A configured address is not among the advertised ones.
    case missingAddress(IPAddress, vrid: UInt8)

    // MARK: Not possible here

    /// Version 2 is what this implementation speaks.
    case unsupportedVersion(Int)
    /// A version 2 message over IPv4 carries IPv4 addresses.
    case unsupportedAddress(IPAddress)
    /// Version 2 says 1 to 255 whole seconds.
    case unencodableInterval(Duration)
    /// The count is one octet.
    case tooManyAddresses(Int)
}

extension AdvertisementError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .packetTooShort(let length):
            "IPv4 VRRP packet too short - \(length) bytes"
        case .notVRRP:
            "not an IPv4 packet with protocol \(Advertisement.ipProtocol)"
        case .wrongLength(let received, let expected):
            "vrrp packet too \(received > expected ? "long" : "short"), "
                + "length \(received) and expect \(expected)"
        case .wrongTimeToLive(let received):
            "invalid TTL/HL. Received \(received) and expect \(Advertisement.timeToLive)"
        case .wrongVersion(let received, let expected):
            "wrong version. Received \(received) and expect \(expected)"
        case .unknownAuthenticationType(let type):
            "Invalid auth type: \(type)"
        case .wrongAuthenticationType(let received, let expected):
            "received a \(received) auth, expecting \(expected)!"
        case .wrongPassword:
            "received an invalid passwd!"
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
        case .missingAddress(let address, let vrid):
            "ip address associated with VRID \(vrid) not present in MASTER advert: \(address)"
        case .unsupportedVersion(let version):
            "VRRP version \(version) is not supported, only version 2"
        case .unsupportedAddress(let address):
            "VRRP version 2 advertises IPv4 addresses, not \(address)"
        case .unencodableInterval(let interval):
            "VRRP version 2 advertises every 1 to 255 whole seconds, not every \(interval)"
        case .tooManyAddresses(let count):
            "a VRRP message holds 255 addresses, not \(count)"
        }
    }
}
