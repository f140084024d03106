import NetworkTypes
import TestSupport
import Testing
import VRRP

/// The verdicts of RFC 3768 §7.1, and keepalived's words for them.
@Suite("Reception of version 2")
struct ReceptionTests {
    private static let local = Advertisement(
        vrid: 51, priority: 100, addresses: [.v4(IPv4Address(10, 10, 10, 10))])

    private func refusal(
        of advertisement: Advertisement, isUnicast: Bool = false,
        comparesAddresses: Bool = true, change: (inout [UInt8]) -> Void = { _ in }
    ) throws -> AdvertisementError? {
        var packet = try advertisement.ipv4Packet(
            from: IPv4Address(10, 10, 10, 3), identification: 1)
        change(&packet)
        let received = try ReceivedAdvertisement(parsing: packet)
        do throws(AdvertisementError) {
            _ = try received.validated(
                against: .init(
                    Self.local, isUnicast: isUnicast, comparesAddresses: comparesAddresses))
            return nil
        } catch {
            return error
        }
    }

    // RFC-CHECKLIST: 30
    @Test("§7.1: a wrong password is refused")
    func wrongPassword() throws {
        var expected = Self.local
        expected.authentication = .password(.init(truncating: "secret"))
        var sent = Self.local
        sent.authentication = .password(.init(truncating: "Secret"))
        let packet = try sent.ipv4Packet(from: IPv4Address(10, 10, 10, 3), identification: 1)
        let received = try ReceivedAdvertisement(parsing: packet)
        let error = #expect(throws: AdvertisementError.self) {
            try received.validated(against: .init(expected))
        }
        #expect(error == .wrongPassword)
        #expect(error?.description == "received an invalid passwd!")
    }

    @Test("the first failing check names the fault, in keepalived's order")
    func checksAreOrdered() throws {
        var other = Self.local
        other.interval = .seconds(2)
        other.addresses.append(.v4(IPv4Address(10, 10, 10, 11)))
        #expect(try refusal(of: other) == .wrongInterval(receivedSeconds: 2, expected: .seconds(1)))
        #expect(
            try refusal(of: other) { $0[8] = 64 } == .wrongTimeToLive(received: 64))
        #expect(
            try refusal(of: other) {
                $0[8] = 64; $0.removeLast()
            }
                == .wrongLength(receivedBytes: 43, expectedBytes: 44))
        other.interval = .seconds(1)
        #expect(try refusal(of: other) == .wrongAddressCount(received: 2, expected: 1))
        #expect(
            try refusal(of: other) { $0[20] = 0x22 } == .wrongType(received: 2))
    }

    @Test("a total length that is not the packet's is refused")
    func wrongTotalLength() throws {
        #expect(
            try refusal(of: Self.local) { $0[3] = 60 }
                == .wrongTotalLength(headerBytes: 60, receivedBytes: 40))
    }

    @Test("a unicast instance takes any TTL and refuses the group")
    func unicastInstance() throws {
        let packet = { (destination: IPv4Address) throws(AdvertisementError) in
            var packet = try Self.local.ipv4Packet(
                from: IPv4Address(10, 10, 10, 3), to: destination, identification: 1)
            packet[8] = 61
            return try ReceivedAdvertisement(parsing: packet)
        }
        let expectation = ReceivedAdvertisement.Expectation(Self.local, isUnicast: true)
        #expect(
            try packet(IPv4Address(10, 10, 10, 1)).validated(against: expectation) == Self.local)
        #expect(throws: AdvertisementError.wrongDestination(expectedUnicast: true)) {
            try packet(Advertisement.group).validated(against: expectation)
        }
    }

    @Test("vrrp_skip_check_adv_addr: other addresses are accepted when they are not compared")
    func addressesNotCompared() throws {
        var other = Self.local
        other.addresses = [.v4(IPv4Address(10, 10, 10, 77)), .v4(IPv4Address(10, 10, 10, 78))]
        #expect(try refusal(of: other, comparesAddresses: false) == nil)
    }

    @Test("the order of the addresses does not matter")
    func addressOrder() throws {
        let addresses = (10...12).map { IPAddress.v4(IPv4Address(10, 10, 10, $0)) }
        var sent = Self.local
        sent.addresses = addresses.reversed()
        var expected = Self.local
        expected.addresses = addresses
        let received = try ReceivedAdvertisement(
            parsing: sent.ipv4Packet(from: IPv4Address(10, 10, 10, 3), identification: 1))
        #expect(try received.validated(against: .init(expected)) == sent)
    }

    @Test("what is no IPv4 packet of protocol 112 is no VRRP")
    func foreignPackets() throws {
        #expect(throws: AdvertisementError.notVRRP) {
            try ReceivedAdvertisement(
                parsing: Fixture.frame("igmp-join", in: "v2-none").dropFirst(14))
        }
        #expect(throws: AdvertisementError.notVRRP) {
            try ReceivedAdvertisement(
                parsing: Fixture.frame("mld-join", in: "v3-ipv6-ll").dropFirst(14))
        }
        #expect(throws: AdvertisementError.packetTooShort(lengthBytes: 0)) {
            try ReceivedAdvertisement(parsing: [])
        }
    }

    // RFC-CHECKLIST: 14
    @Test("§5.3: what version 2 cannot say is not sent")
    func unencodable() {
        func error(_ change: (inout Advertisement) -> Void) -> AdvertisementError? {
            var advertisement = Self.local
            change(&advertisement)
            do throws(AdvertisementError) {
                try advertisement.checkEncodable(over: .v4)
                return nil
            } catch {
                return error
            }
        }
        #expect(
            error { $0.interval = .milliseconds(500) }
                == .unencodableInterval(.milliseconds(500), version: 2))
        #expect(
            error { $0.interval = .seconds(256) } == .unencodableInterval(.seconds(256), version: 2)
        )
        #expect(error { $0.interval = .zero } == .unencodableInterval(.zero, version: 2))
        #expect(error { $0.interval = .seconds(255) } == nil)
        #expect(error { $0.version = 4 } == .unsupportedVersion(4))
        let address = IPAddress.v4(IPv4Address(10, 0, 0, 1))
        #expect(
            error { $0.addresses = .init(repeating: address, count: 256) } == .tooManyAddresses(256)
        )
        #expect(error { $0.addresses = [.v6(.any)] } == .unsupportedAddress(.v6(.any)))
    }

    @Test("encode, then parse: nothing is lost", arguments: [1, 2026, 0xdead_beef])
    func roundTrip(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<100 {
            let sent = Advertisement(
                vrid: .random(in: 1...255, using: &generator),
                priority: .random(in: 0...255, using: &generator),
                interval: .seconds(Int.random(in: 1...255, using: &generator)),
                addresses: (0..<Int.random(in: 0...255, using: &generator)).map { _ in
                    .v4(IPv4Address(rawValue: generator.next32()))
                },
                authentication: Bool.random(using: &generator)
                    ? .none
                    : .password(.init(truncating: String(generator.next(), radix: 36))))
            let source = IPv4Address(rawValue: generator.next32())
            let packet = try sent.ipv4Packet(
                from: source, identification: .random(in: 0...65535, using: &generator))
            let received = try ReceivedAdvertisement(parsing: packet)
            #expect(received.source == .v4(source))
            #expect(try received.validated(against: .init(sent)) == sent)

            // One flipped bit anywhere in the message is noticed. (In the IP header that is the
            // kernel's task.)
            var damaged = packet
            damaged[.random(in: 20..<packet.count, using: &generator)] ^=
                1 << UInt8.random(in: 0..<8, using: &generator)
            #expect(throws: AdvertisementError.self) {
                try ReceivedAdvertisement(parsing: damaged).validated(against: .init(sent))
            }
        }
    }

    @Test("random octets never trap a parser", arguments: [7, 4242])
    func randomOctets(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let template = try Fixture.frame("advert#1", in: "v2-none-3vips")
        for _ in 0..<3000 {
            var frame = template.prefix(.random(in: 0...template.count, using: &generator))
            for _ in 0..<Int.random(in: 0...4, using: &generator) where !frame.isEmpty {
                frame[.random(in: 0..<frame.count, using: &generator)] = UInt8(
                    truncatingIfNeeded: generator.next())
            }
            _ = ObservedAdvertisement(ethernetFrame: frame)
            _ = ARPFrame(parsing: frame)
            guard let received = try? ReceivedAdvertisement(parsing: frame.dropFirst(14)) else {
                continue
            }
            _ = try? received.validated(against: .init(Self.local))
        }
    }
}

extension SeededGenerator {
    mutating func next32() -> UInt32 { UInt32(truncatingIfNeeded: next()) }
}
