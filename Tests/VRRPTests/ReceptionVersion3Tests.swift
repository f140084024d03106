import NetworkTypes
import Testing
import VRRP

/// RFC 9568 §7.1 over both families, and unicast.
@Suite("Reception of version 3")
struct ReceptionVersion3Tests {
    private static let over4 = Advertisement(
        version: 3, vrid: 51, priority: 100, addresses: [.v4(IPv4Address(10, 10, 10, 10))])
    private static let over6 = Advertisement(
        version: 3, vrid: 51, priority: 100,
        addresses: [.v6(linkLocal(0x10)), .v6(IPv6Address(high: 0xfd00_0010 << 32, low: 0x10))])
    private static let source4 = IPv4Address(10, 10, 10, 3)
    private static let source6 = linkLocal(3)

    private static func linkLocal(_ low: UInt64) -> IPv6Address {
        IPv6Address(high: 0xfe80 << 48, low: low)
    }

    private func outcome(
        _ received: ReceivedAdvertisement, _ expectation: ReceivedAdvertisement.Expectation
    ) -> Result<Advertisement, AdvertisementError> {
        Result { () throws(AdvertisementError) in try received.validated(against: expectation) }
    }

    /// What becomes of an advertisement over IPv4 with a message changed, its checksum made right
    /// again.
    private func outcome(
        over4 advertisement: Advertisement = over4, checksum: ChecksumRule = .pseudoHeader,
        to destination: IPv4Address = Advertisement.group,
        expecting expectation: ReceivedAdvertisement.Expectation = .init(over4),
        change: (inout [UInt8]) -> Void = { _ in }
    ) throws -> Result<Advertisement, AdvertisementError> {
        var packet = try advertisement.ipv4Packet(
            from: Self.source4, to: destination, identification: 1, checksum: checksum)
        let before = InternetChecksum(packet[20...]).value
        change(&packet)
        // RFC 1624: what the message's sum lost or gained goes into its checksum.
        let difference = Int(InternetChecksum(packet[20...]).value) - Int(before)
        let old = Int(packet[26]) << 8 | Int(packet[27])
        let new = (old + difference + 0xffff) % 0xffff
        packet[26] = UInt8(new >> 8)
        packet[27] = UInt8(new & 0xff)
        return try outcome(ReceivedAdvertisement(parsing: packet), expectation)
    }

    // RFC-CHECKLIST: 15, 32
    @Test(
        "§5.2.7: an interval of 1 to 4095 centiseconds is said and learned",
        arguments: [1, 10, 4095])
    func intervals(centiseconds: Int) throws {
        var sent = Self.over4
        sent.interval = .milliseconds(10 * centiseconds)
        #expect(try outcome(over4: sent) == .success(sent))
        sent.addresses = Self.over6.addresses
        let received = try ReceivedAdvertisement(parsing: sent.ipv6Packet(from: Self.source6))
        #expect(outcome(received, .init(Self.over6)) == .success(sent))
    }

    // RFC-CHECKLIST: 15
    @Test("§5.2.7: other intervals cannot be said")
    func unencodableIntervals() {
        for interval in [Duration.zero, .milliseconds(5), .milliseconds(15), .milliseconds(40_960)]
        {
            var advertisement = Self.over4
            advertisement.interval = interval
            #expect(throws: AdvertisementError.unencodableInterval(interval, version: 3)) {
                try advertisement.checkEncodable(over: .v4)
            }
        }
    }

    // RFC-CHECKLIST: 13, 38
    @Test("§5.2.6: the reserved bits are sent as zero and ignored on receipt")
    func reservedBits() throws {
        let packet = try Self.over4.ipv4Packet(from: Self.source4, identification: 1)
        #expect(packet[24] & 0xf0 == 0)
        #expect(try outcome { $0[24] |= 0xf0 } == .success(Self.over4))
    }

    // RFC-CHECKLIST: 33
    @Test("erratum 8301: an interval of 0 is refused, which keepalived accepts")
    func zeroInterval() throws {
        #expect(
            try outcome {
                $0[24] = 0
                $0[25] = 0
            } == .failure(.zeroInterval))
    }

    // RFC-CHECKLIST: 34
    @Test("§5.2.5: no addresses are refused, in keepalived's words where it compares them")
    func noAddresses() throws {
        var empty = Self.over4
        empty.addresses = []
        #expect(
            try outcome(over4: empty) == .failure(.wrongAddressCount(received: 0, expected: 1)))
        #expect(
            try outcome(
                over4: empty, expecting: .init(Self.over4, comparesAddresses: false))
                == .failure(.noAddresses))
        #expect(try outcome(over4: empty, expecting: .init(empty)) == .failure(.noAddresses))
    }

    static let rules: [ChecksumRule] = [
        .pseudoHeader, .messageOnly, .groupPseudoHeader(IPv4Address(224, 0, 0, 18)),
    ]

    // RFC-CHECKLIST: 17
    @Test(
        "§5.2.8: a receiver takes the one rule it is configured with, every time", arguments: rules)
    func checksumRules(_ configured: ChecksumRule) throws {
        let expectation = ReceivedAdvertisement.Expectation(
            Self.over4, isUnicast: true, checksum: configured)
        for sent in Self.rules + [configured] {
            #expect(
                try outcome(
                    checksum: sent, to: IPv4Address(10, 10, 10, 1), expecting: expectation)
                    == (sent == configured
                        ? .success(Self.over4) : .failure(.wrongChecksum(version: 3))))
        }
        // Version 2 and IPv6 know one rule only.
        var version2 = Self.over4
        version2.version = 2
        #expect(
            try outcome(
                over4: version2, checksum: .pseudoHeader,
                expecting: .init(version2, checksum: configured)) == .success(version2))
    }

    // MARK: IPv6

    private func outcome6(
        _ advertisement: Advertisement = over6, hopLimit: UInt8? = 255,
        to destination: IPv6Address = Advertisement.group6,
        expecting expectation: ReceivedAdvertisement.Expectation = .init(over6),
        change: (inout [UInt8]) -> Void = { _ in }
    ) throws -> Result<Advertisement, AdvertisementError> {
        var message = try advertisement.ipv6Message(from: Self.source6, to: destination)
        change(&message)
        return try outcome(
            ReceivedAdvertisement(
                ipv6Message: message, source: Self.source6, destination: destination,
                hopLimit: hopLimit), expectation)
    }

    // RFC-CHECKLIST: 23
    @Test("§5.1.2.3: a hop limit that is not 255 is refused, one that is not known is not")
    func hopLimit() throws {
        #expect(try outcome6() == .success(Self.over6))
        #expect(try outcome6(hopLimit: 254) == .failure(.wrongTimeToLive(received: 254)))
        #expect(try outcome6(hopLimit: nil) == .success(Self.over6))
    }

    // RFC-CHECKLIST: 18, 26
    @Test(
        "over IPv6 the checksum covers the addresses, the length is exact, the group is the group's"
    )
    func overIPv6() throws {
        #expect(try outcome6 { $0[6] ^= 1 } == .failure(.wrongChecksum(version: 3)))
        #expect(
            try outcome6 { $0.removeLast() }
                == .failure(.wrongLength(receivedBytes: 39, expectedBytes: 40)))
        #expect(
            try outcome6(to: Self.linkLocal(1))
                == .failure(.wrongDestination(expectedUnicast: false)))
        let error = #expect(throws: AdvertisementError.self) {
            try ReceivedAdvertisement(
                ipv6Message: [0x31, 51, 100, 1, 0, 100, 0], source: Self.source6,
                destination: Advertisement.group6, hopLimit: 255)
        }
        #expect(error?.description == "IPv6 VRRP packet too short - 7 bytes")
    }

    // RFC-CHECKLIST: 19
    @Test("§5.2.9, vrrp_strict: the first IPv6 address is link-local")
    func firstAddress() throws {
        var other = Self.over6
        other.addresses.reverse()
        #expect(try outcome6(other) == .success(other))
        let strict = ReceivedAdvertisement.Expectation(Self.over6, requiresLinkLocalFirst: true)
        #expect(
            try outcome6(other, expecting: strict)
                == .failure(.firstAddressNotLinkLocal(other.addresses[0])))
        #expect(try outcome6(expecting: strict) == .success(Self.over6))
    }

    @Test("version 2 over IPv6 says its type of authentication and carries none")
    func version2OverIPv6() throws {
        var advertisement = Self.over6
        advertisement.version = 2
        advertisement.authentication = .password("password")
        #expect(
            try advertisement.ipv6Message(from: Self.source6).count == 8 + 2 * 16)
        #expect(
            try outcome6(advertisement, expecting: .init(advertisement))
                == .success(advertisement))
        var other = advertisement
        other.authentication = .none
        #expect(
            try outcome6(advertisement, expecting: .init(other))
                == .failure(.wrongAuthenticationType(received: 1, expected: 0)))
    }

    // RFC-CHECKLIST: 20
    @Test("§5.2.9: addresses of the other family cannot be said")
    func otherFamily() {
        #expect(throws: AdvertisementError.unsupportedAddress(Self.over6.addresses[0])) {
            try Self.over6.checkEncodable(over: .v4)
        }
        #expect(throws: AdvertisementError.unsupportedAddress(Self.over4.addresses[0])) {
            try Self.over4.checkEncodable(over: .v6)
        }
        #expect(
            "\(AdvertisementError.unsupportedAddress(Self.over4.addresses[0]))"
                == "VRRP over IPv6 advertises IPv6 addresses, not 10.10.10.10")
    }

    // MARK: Unicast

    @Test("unicast: any TTL and sender, unless peers are given; then theirs, in keepalived's words")
    func unicastPeers() throws {
        let destination = IPv4Address(10, 10, 10, 1)
        func outcome(_ peers: [ReceivedAdvertisement.UnicastPeer]?, timeToLive: UInt8) throws
            -> AdvertisementError?
        {
            var packet = try Self.over4.ipv4Packet(
                from: Self.source4, to: destination, identification: 1)
            packet[8] = timeToLive
            let expectation = ReceivedAdvertisement.Expectation(
                Self.over4, isUnicast: true, peers: peers)
            switch try self.outcome(ReceivedAdvertisement(parsing: packet), expectation) {
            case .success: return nil
            case .failure(let error): return error
            }
        }
        let peer = IPAddress.v4(Self.source4)
        #expect(try outcome(nil, timeToLive: 3) == nil)
        #expect(try outcome([.init(peer)], timeToLive: 3) == nil)
        let stranger = try outcome([.init(.v4(destination))], timeToLive: 255)
        #expect(stranger?.description == "unicast source address 10.10.10.3 not a unicast peer")
        let ranged = [ReceivedAdvertisement.UnicastPeer(peer, timeToLive: 250...254)]
        #expect(try outcome(ranged, timeToLive: 254) == nil)
        #expect(
            try outcome(ranged, timeToLive: 255)?.description == "TTL/HL 255 not in range 250 - 254"
        )
        #expect(
            try outcome(ranged, timeToLive: 249)
                == .timeToLiveOutOfRange(received: 249, expected: 250...254))
    }

    @Test("unicast_ttl goes into the packet")
    func unicastTimeToLive() throws {
        let packet = try Self.over4.ipv4Packet(
            from: Self.source4, to: IPv4Address(10, 9, 8, 7), identification: 1, timeToLive: 64)
        #expect(packet[8] == 64)
        #expect(InternetChecksum(packet[..<20]).value == 0)
    }
}
