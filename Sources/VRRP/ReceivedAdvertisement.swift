public import NetworkTypes

/// An IPv4 packet that reached the VRRP socket: its fixed fields are there, nothing is believed
/// yet.
///
/// Reception has three steps, because a log line about a refused packet names the instance it was
/// meant for: `init(parsing:)` finds the VRID, the shell looks the instance up, and
/// `validated(against:)` makes the checks of RFC 3768 §7.1. Only what that returns reaches a
/// `VirtualRouter`, so a refused packet can move no timer.
public struct ReceivedAdvertisement: Equatable, Sendable {
    /// The sender's address.
    public let source: IPv4Address
    /// The group, or this host.
    public let destination: IPv4Address
    /// The TTL on arrival.
    public let timeToLive: UInt8
    /// The virtual router's number.
    public let vrid: UInt8

    /// What is in the octets, before any of it is checked.
    private let packet: [UInt8]
    private let header: IPv4Header
    private var message: ArraySlice<UInt8> { packet[header.lengthBytes...] }

    /// Finds the VRRP header in an IPv4 packet, options allowed.
    ///
    /// - Throws: `AdvertisementError.packetTooShort` or `.notVRRP`.
    public init(parsing packet: some Sequence<UInt8>) throws(AdvertisementError) {
        let packet = Array(packet)
        guard let header = IPv4Header(packet[...]) else {
            throw packet.first.map { $0 >> 4 == 4 } ?? true
                ? .packetTooShort(lengthBytes: packet.count) : .notVRRP
        }
        guard header.ipProtocol == Advertisement.ipProtocol else { throw .notVRRP }
        guard packet.count >= header.lengthBytes + Advertisement.headerBytes else {
            throw .packetTooShort(lengthBytes: packet.count)
        }
        self.packet = packet
        self.header = header
        source = header.source
        destination = header.destination
        timeToLive = header.timeToLive
        vrid = packet[header.lengthBytes + 1]
    }

    /// What an instance accepts.
    public struct Expectation: Equatable, Sendable {
        /// Version, interval, addresses and authentication that the sender must share. (Its
        /// priority is not compared.)
        public var advertisement: Advertisement
        /// Whether the instance has unicast peers: then the TTL is not checked, because it has been
        /// routed, and a multicast packet is refused.
        public var isUnicast: Bool
        /// Whether the addresses are compared at all; keepalived's `vrrp_skip_check_adv_addr` stops
        /// it while the sender stays the same.
        public var comparesAddresses: Bool

        public init(
            _ advertisement: Advertisement, isUnicast: Bool = false,
            comparesAddresses: Bool = true
        ) {
            self.advertisement = advertisement
            self.isUnicast = isUnicast
            self.comparesAddresses = comparesAddresses
        }
    }

    /// The advertisement, when it is well formed: complete, TTL 255, a version, type and Auth Type
    /// that exist, the checksum right. Whether it fits a configuration is not asked.
    ///
    /// - Throws: the first check that fails.
    public func wellFormed() throws(AdvertisementError) -> Advertisement {
        try checkLength()
        try checkTimeToLive()
        guard version == 2 else { throw .unsupportedVersion(version) }
        try checkAuthenticationTypeExists()
        try checkType()
        try checkTotalLength()
        try checkChecksum()
        return try contents()
    }

    /// The advertisement, when it passes every check of RFC 3768 §7.1 against an instance's
    /// configuration, made in keepalived's order so that the same packet gives the same log line.
    ///
    /// - Throws: the first check that fails.
    public func validated(
        against expectation: Expectation
    ) throws(AdvertisementError) -> Advertisement {
        let expected = expectation.advertisement
        try checkLength()
        if !expectation.isUnicast { try checkTimeToLive() }
        guard version == expected.version else {
            throw .wrongVersion(received: version, expected: expected.version)
        }
        guard version == 2 else { throw .unsupportedVersion(version) }
        try checkAuthenticationTypeExists()
        try checkAuthentication(expected.authentication)
        guard .seconds(intervalSeconds) == expected.interval else {
            throw .wrongInterval(receivedSeconds: intervalSeconds, expected: expected.interval)
        }
        try checkType()
        if expectation.comparesAddresses, addressCount != expected.addresses.count {
            throw .wrongAddressCount(received: addressCount, expected: expected.addresses.count)
        }
        try checkTotalLength()
        try checkChecksum()
        guard destination.isMulticast != expectation.isUnicast else {
            throw .wrongDestination(expectedUnicast: expectation.isUnicast)
        }
        let advertisement = try contents()
        if expectation.comparesAddresses {
            for address in expected.addresses where !advertisement.addresses.contains(address) {
                throw .missingAddress(address, vrid: vrid)
            }
        }
        return advertisement
    }

    // MARK: Fields

    private func octet(_ offset: Int) -> UInt8 { packet[header.lengthBytes + offset] }

    private var version: Int { Int(octet(0) >> 4) }
    private var addressCount: Int { Int(octet(3)) }
    private var authenticationType: UInt8 { octet(4) }
    private var intervalSeconds: Int { Int(octet(5)) }

    /// Octets from the addresses' end to the packet's: the authentication data of version 2.
    private var trailerBytes: Int { version == 2 ? AuthenticationPassword.lengthBytes : 0 }

    private func contents() throws(AdvertisementError) -> Advertisement {
        let authentication: Advertisement.Authentication =
            switch authenticationType {
            case 0: .none
            case 1: .password(AuthenticationPassword(octets: message.suffix(trailerBytes)))
            case let type: throw .unknownAuthenticationType(type)
            }
        return Advertisement(
            version: version, vrid: vrid, priority: octet(2), interval: .seconds(intervalSeconds),
            addresses: (0..<addressCount).map { index in
                .v4(
                    IPv4Address(
                        octets: message.octets(
                            at: Advertisement.headerBytes + 4 * index, count: 4)))
            }, authentication: authentication)
    }

    // MARK: Checks

    private func checkLength() throws(AdvertisementError) {
        let expected =
            header.lengthBytes + Advertisement.headerBytes + 4 * addressCount + trailerBytes
        guard packet.count == expected else {
            throw .wrongLength(receivedBytes: packet.count, expectedBytes: expected)
        }
    }

    private func checkTimeToLive() throws(AdvertisementError) {
        guard timeToLive == Advertisement.timeToLive else {
            throw .wrongTimeToLive(received: timeToLive)
        }
    }

    private func checkAuthenticationTypeExists() throws(AdvertisementError) {
        // Type 2, the IP authentication header, exists but is nobody's configuration here.
        guard authenticationType <= 2 else {
            throw .unknownAuthenticationType(authenticationType)
        }
    }

    private func checkAuthentication(
        _ expected: Advertisement.Authentication
    ) throws(AdvertisementError) {
        guard authenticationType == expected.type else {
            throw .wrongAuthenticationType(received: authenticationType, expected: expected.type)
        }
        if case .password(let password) = expected,
            !message.suffix(trailerBytes).elementsEqual(password.octets)
        {
            throw .wrongPassword
        }
    }

    private func checkType() throws(AdvertisementError) {
        guard octet(0) & 0x0f == Advertisement.packetType else {
            throw .wrongType(received: octet(0) & 0x0f)
        }
    }

    private func checkTotalLength() throws(AdvertisementError) {
        guard header.totalLengthBytes == packet.count else {
            throw .wrongTotalLength(
                headerBytes: header.totalLengthBytes, receivedBytes: packet.count)
        }
    }

    private func checkChecksum() throws(AdvertisementError) {
        guard InternetChecksum(message).value == 0 else { throw .wrongChecksum(version: version) }
    }
}
