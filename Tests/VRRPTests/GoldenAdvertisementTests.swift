import NetworkTypes
import Testing
import VRRP

/// What we send is, octet for octet, what keepalived 2.2.7 sent for the same configuration.
@Suite("Golden frames")
struct GoldenAdvertisementTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var fixture: String
        var priority: UInt8 = 100
        var addresses = ["10.10.10.10"]
        var password: String?
        var destination = Advertisement.group
        var testDescription: String { fixture }

        func advertisement(priority: UInt8) -> Advertisement {
            Advertisement(
                vrid: 51, priority: priority, addresses: addresses.compactMap { IPAddress($0) },
                authentication: password.map { .password(.init(truncating: $0)) } ?? .none)
        }
    }

    static let cases = [
        Case(fixture: "v2-none"),
        Case(fixture: "v2-pass-8", password: "password"),
        Case(fixture: "v2-pass-truncated", password: "passwordhere"),
        Case(fixture: "v2-none-3vips", addresses: ["10.10.10.12", "10.10.10.10", "10.10.10.11"]),
        Case(fixture: "v2-prio255-owner", priority: 255),
        Case(fixture: "v2-unicast-pass", password: "lll", destination: IPv4Address(10, 10, 10, 2)),
    ]

    @Test("RFC 3768 §5: advertisements equal keepalived's", arguments: cases)
    func advertisementsEqualCaptured(_ golden: Case) throws {
        for (label, priority) in [
            ("advert#1", golden.priority), ("advert#2", golden.priority), ("advert-prio0", 0),
        ] {
            let captured = try Fixture.frame(label, in: golden.fixture).dropFirst(14)
            let identification = UInt16(captured[18]) << 8 | UInt16(captured[19])
            let packet = try golden.advertisement(priority: priority).ipv4Packet(
                from: IPv4Address(10, 10, 10, 1), to: golden.destination,
                identification: identification)
            #expect(hexadecimal(packet) == hexadecimal(captured), "\(label)")
        }
    }

    @Test(
        "what keepalived sent is well formed and says what it was configured with", arguments: cases
    )
    func capturedAreWellFormed(_ golden: Case) throws {
        let packet = try Fixture.frame("advert#1", in: golden.fixture).dropFirst(14)
        let received = try ReceivedAdvertisement(parsing: packet)
        #expect(received.source == .v4(IPv4Address(10, 10, 10, 1)))
        #expect(received.destination == .v4(golden.destination))
        let expected = golden.advertisement(priority: golden.priority)
        #expect(try received.wellFormed() == expected)
        let isUnicast = golden.destination != Advertisement.group
        #expect(
            try received.validated(against: .init(expected, isUnicast: isUnicast)) == expected)
    }

    @Test("gratuitous ARP equals keepalived's", arguments: cases)
    func gratuitousARPEqualsCaptured(_ golden: Case) throws {
        let captured = try Fixture.frame("garp", in: golden.fixture)
        let address = try #require(golden.addresses.first.flatMap { IPv4Address($0) })
        let mac = try #require(MACAddress("02:00:00:00:00:01"))
        let frame = ARPFrame.gratuitous(for: address, at: mac)
        #expect(hexadecimal(frame.octets) == hexadecimal(captured))
        #expect(frame.octets.count == ARPFrame.lengthBytes)
        #expect(ARPFrame(parsing: captured) == frame)
        #expect(frame.isGratuitous)
    }

    @Test("RFC 2338 §5.3.6: passwords that share their first eight octets are one password")
    func passwordsAreTruncated() {
        #expect(
            AuthenticationPassword(truncating: "passwordhere")
                == AuthenticationPassword(truncating: "passwordXYZ"))
        #expect(
            AuthenticationPassword(truncating: "passwor")
                != AuthenticationPassword(truncating: "password"))
        #expect(
            AuthenticationPassword(truncating: "lll").octets == [0x6c, 0x6c, 0x6c, 0, 0, 0, 0, 0])
        // Eight octets, not eight characters.
        #expect(
            AuthenticationPassword(truncating: "éééééé") == .init(truncating: "éééé"))
    }
}
