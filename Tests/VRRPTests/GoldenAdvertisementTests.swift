import NetworkTypes
import Testing
import VRRP

/// What we send is, octet for octet, what keepalived 2.2.7 sent for the same configuration.
@Suite("Golden frames")
struct GoldenAdvertisementTests {
    @Test("every capture has its configuration")
    func everyFixtureIsCovered() throws {
        let named = Set(GoldenCase.all.map { "\($0.fixture).hex" })
        let captured = try Fixture.names().filter {
            $0.hasSuffix(".hex") && !$0.hasPrefix("frr-")
        }
        #expect(named == Set(captured))
    }

    // RFC-CHECKLIST: 1, 3, 5, 6, 7, 8, 12, 14, 15, 16, 18, 21
    @Test(
        "RFC 3768 §5, RFC 9568 §5: advertisements equal keepalived's", arguments: GoldenCase.all)
    func advertisementsEqualCaptured(_ golden: GoldenCase) throws {
        for (label, priority) in [
            ("advert#1", golden.advertisement.priority),
            ("advert#2", golden.advertisement.priority), ("advert-prio0", 0),
        ] {
            let captured = try Fixture.frame(label, in: golden.fixture)
            let packet = try packet(
                of: golden.advertisement(priority: priority), golden, like: captured[14...])
            let frame = ethernetHeader(golden) + packet
            #expect(hexadecimal(frame) == hexadecimal(captured), "\(label)")
        }
    }

    /// The packet with those values taken from `captured` that no configuration determines.
    private func packet(
        of advertisement: Advertisement, _ golden: GoldenCase, like captured: ArraySlice<UInt8>
    ) throws -> [UInt8] {
        let captured = Array(captured)
        switch (golden.source, golden.destination) {
        case (.v4(let source), .v4(let destination)):
            // keepalived counts both from 1, and the authentication header's along.
            let count = UInt16(captured[4]) << 8 | UInt16(captured[5])
            return try advertisement.ipv4Packet(
                from: source, to: destination, identification: count,
                checksum: golden.checksum, sequenceNumber: UInt32(count))
        case (.v6(let source), .v6(let destination)):
            let label =
                UInt32(captured[1] & 0x0f) << 16 | UInt32(captured[2]) << 8 | UInt32(captured[3])
            // To a peer the kernel's default, which the RFC does not allow (§5.1.2.3).
            return try advertisement.ipv6Packet(
                from: source, to: destination, hopLimit: golden.peer == nil ? 255 : 64,
                flowLabel: label)
        case (.v4, .v6), (.v6, .v4):
            Issue.record("source and destination are of one family")
            return []
        }
    }

    private func ethernetHeader(_ golden: GoldenCase) -> [UInt8] {
        let destination: [UInt8] =
            switch golden.destination {
            case _ where golden.peer != nil: GoldenCase.peerMAC.octets
            case .v4: [0x01, 0x00, 0x5e, 0x00, 0x00, 0x12]
            case .v6: [0x33, 0x33, 0x00, 0x00, 0x00, 0x12]
            }
        let etherType: [UInt8] = golden.source.family == .v4 ? [0x08, 0x00] : [0x86, 0xdd]
        return destination + golden.mac.octets + etherType
    }

    @Test(
        "what keepalived sent is accepted by who shares its configuration",
        arguments: GoldenCase.all)
    func capturedAreAccepted(_ golden: GoldenCase) throws {
        let packet = try Fixture.frame("advert#1", in: golden.fixture).dropFirst(14)
        let received = try ReceivedAdvertisement(parsing: packet)
        #expect(received.source == golden.source)
        #expect(received.destination == golden.destination)
        #expect(received.vrid == golden.advertisement.vrid)
        #expect(try received.validated(against: golden.expectation) == golden.advertisement)
    }

    @Test(
        "gratuitous ARP and neighbour advertisements equal keepalived's", arguments: GoldenCase.all)
    func announcementsEqualCaptured(_ golden: GoldenCase) throws {
        let mac = golden.announcedMAC ?? golden.mac
        for (index, address) in golden.announced.enumerated() {
            let suffix = index == 0 ? "" : "#\(index + 1)"
            switch address {
            case .v4(let address):
                let captured = try Fixture.frame("garp\(suffix)", in: golden.fixture)
                let frame = ARPFrame.gratuitous(for: address, at: mac)
                #expect(hexadecimal(frame.octets) == hexadecimal(captured))
                #expect(frame.octets.count == ARPFrame.lengthBytes)
                #expect(ARPFrame(parsing: captured) == frame)
                #expect(frame.isGratuitous)
            case .v6(let address):
                let captured = try Fixture.frame("unsolicited-na\(suffix)", in: golden.fixture)
                let frame = NeighbourAdvertisementFrame.unsolicited(for: address, at: mac)
                #expect(hexadecimal(frame.octets) == hexadecimal(captured))
                #expect(frame.octets.count == NeighbourAdvertisementFrame.lengthBytes)
                #expect(NeighbourAdvertisementFrame(parsing: captured) == frame)
            }
        }
    }

    @Test("FRR's messages equal keepalived's", arguments: ["v2-ipv4", "v3-ipv4"])
    func messagesEqualFRRs(_ name: String) throws {
        let ours = name == "v2-ipv4" ? "v2-none" : "v3-ipv4"
        for label in ["advert#1", "advert-prio0"] {
            let theirs = try Fixture.frame(label, in: "frr-\(name)").dropFirst(34)
            #expect(
                try hexadecimal(Fixture.frame(label, in: ours).dropFirst(34))
                    == hexadecimal(theirs))
        }
    }

    @Test("FRR's IPv6 frames: the virtual address is the source, and says it is a router")
    func framesEqualFRRs() throws {
        let address = IPv6Address(high: 0xfe80 << 48, low: 0x10)
        let announced = NeighbourAdvertisementFrame.unsolicited(
            for: address, at: GoldenCase.vmac6, isRouter: true)
        #expect(
            try hexadecimal(announced.octets)
                == hexadecimal(Fixture.frame("unsolicited-na", in: "frr-v3-ipv6")))
        for (label, priority) in [("advert#1", UInt8(100)), ("advert-prio0", 0)] {
            let advertisement = Advertisement(
                version: 3, vrid: 51, priority: priority, addresses: [.v6(address)])
            let theirs = try Fixture.frame(label, in: "frr-v3-ipv6").dropFirst(14)
            #expect(
                try hexadecimal(advertisement.ipv6Message(from: address))
                    == hexadecimal(theirs.dropFirst(40)))
            #expect(
                try ReceivedAdvertisement(parsing: theirs).validated(against: .init(advertisement))
                    == advertisement)
        }
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

/// RFC 1071, RFC 9568 §7.1: damage is noticed.
@Suite("Damaged packets")
struct DamagedPacketTests {
    // RFC-CHECKLIST: 26
    @Test(
        "any flipped bit of a message is refused, and none anywhere traps",
        arguments: GoldenCase.all)
    func flippedBits(_ golden: GoldenCase) throws {
        let packet = Array(try Fixture.frame("advert#1", in: golden.fixture).dropFirst(14))
        let messageBytes =
            8 + golden.advertisement.addresses.reduce(0) { $0 + $1.octets.count }
            + (golden.source.family == .v4 && golden.advertisement.version == 2 ? 8 : 0)
        let messageStart = packet.count - messageBytes
        for bit in 0..<8 * packet.count {
            var damaged = packet
            damaged[bit / 8] ^= 0x80 >> UInt8(bit % 8)
            guard let accepted = accepted(damaged, golden) else { continue }
            // The IP header has its own checksum over IPv4, and none over IPv6: what of it we do
            // not look at must not change what is understood either.
            #expect(bit / 8 < messageStart, "bit \(bit) is in the message")
            #expect(accepted == golden.advertisement)
        }
    }

    // RFC-CHECKLIST: 25
    @Test("any shortened packet is refused, and so is a longer one", arguments: GoldenCase.all)
    func otherLengths(_ golden: GoldenCase) throws {
        let packet = Array(try Fixture.frame("advert#1", in: golden.fixture).dropFirst(14))
        for length in 0..<packet.count {
            #expect(accepted(Array(packet.prefix(length)), golden) == nil, "\(length) octets")
        }
        #expect(accepted(packet + [0], golden) == nil)
        #expect(accepted(packet + [UInt8](repeating: 0, count: 16), golden) == nil)
    }

    private func accepted(_ packet: [UInt8], _ golden: GoldenCase) -> Advertisement? {
        let received = try? ReceivedAdvertisement(parsing: packet)
        return try? received?.validated(against: golden.expectation)
    }
}
