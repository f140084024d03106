import NetworkTypes
import Testing
import VRRP

/// What observers read from captured frames, whoever sent them.
@Suite("Observation")
struct ObservationTests {
    @Test(
        "advertisements of keepalived and FRR, versions 2 and 3, IPv4 and IPv6",
        arguments: [
            ("v2-none", 2, 1000, "10.10.10.1", "224.0.0.18", "10.10.10.10"),
            ("v2-pass-8", 2, 1000, "10.10.10.1", "224.0.0.18", "10.10.10.10"),
            ("v2-ah", 2, 1000, "10.10.10.1", "224.0.0.18", "10.10.10.10"),
            ("v2-unicast-pass", 2, 1000, "10.10.10.1", "10.10.10.2", "10.10.10.10"),
            ("v3-ipv4", 3, 1000, "10.10.10.1", "224.0.0.18", "10.10.10.10"),
            ("v3-ipv4-adv100ms", 3, 100, "10.10.10.1", "224.0.0.18", "10.10.10.10"),
            ("v3-ipv6-ll", 3, 1000, "fe80::ff:fe00:1", "ff02::12", "fe80::10"),
            ("v3-ipv6-unicast", 3, 1000, "fd00:10::1", "fd00:10::2", "fd00:10::10"),
            ("v2-ipv6-pass", 2, 1000, "fe80::ff:fe00:1", "ff02::12", "fe80::10"),
            ("frr-v2-ipv4", 2, 1000, "10.10.10.1", "224.0.0.18", "10.10.10.10"),
        ])
    func advertisements(
        fixture: String, version: Int, milliseconds: Int, source: String, destination: String,
        address: String
    ) throws {
        for (label, priority) in [("advert#1", UInt8(100)), ("advert-prio0", 0)] {
            let frame = try Fixture.frame(label, in: fixture)
            let observed = try #require(ObservedAdvertisement(ethernetFrame: frame))
            #expect(observed.version == version)
            #expect(observed.vrid == 51)
            #expect(observed.priority == priority)
            #expect(observed.interval == .milliseconds(milliseconds))
            #expect(observed.source == IPAddress(source))
            #expect(observed.destination == IPAddress(destination))
            #expect(observed.addresses.map(\.description) == [address])
        }
    }

    @Test(
        "what else there is to see: TTL, authentication, and what the checksum covers",
        arguments: [
            ("v2-none", 255, UInt8?(0), UInt32?.none, ObservedAdvertisement.Checksum.messageOnly),
            ("v2-pass-8", 255, 1, nil, .messageOnly),
            ("v2-ah", 255, 2, 1, .messageOnly),
            ("v3-ipv4", 255, nil, nil, .pseudoHeader),
            // Its pseudo header names the group, which the packet does not.
            ("v3-ipv4-unicast-oldchksum", 255, nil, nil, .wrong),
            ("v3-ipv6-ll", 255, nil, nil, .pseudoHeader),
            ("v3-ipv6-unicast", 64, nil, nil, .pseudoHeader),
        ] as [(String, UInt8, UInt8?, UInt32?, ObservedAdvertisement.Checksum)])
    func details(
        fixture: String, timeToLive: UInt8, authenticationType: UInt8?, sequenceNumber: UInt32?,
        checksum: ObservedAdvertisement.Checksum
    ) throws {
        let frame = try Fixture.frame("advert#1", in: fixture)
        let observed = try #require(ObservedAdvertisement(ethernetFrame: frame))
        #expect(observed.timeToLive == timeToLive)
        #expect(observed.authenticationType == authenticationType)
        #expect(observed.sequenceNumber == sequenceNumber)
        #expect(observed.checksum == checksum)
    }

    @Test("a neighbour advertisement that was asked for, or is cut short, announces nothing")
    func neighbourAdvertisements() throws {
        let frame = try Fixture.frame("unsolicited-na", in: "v3-ipv6-ll")
        let parsed = try #require(NeighbourAdvertisementFrame(parsing: frame))
        #expect(parsed.target.description == "fe80::10")
        #expect(parsed.isOverriding && !parsed.isRouter)
        #expect(NeighbourAdvertisementFrame(parsing: frame.dropLast()) == nil)
        var solicited = frame
        solicited.replaceSubrange(38..<54, with: IPv6Address(high: 0xfe80 << 48, low: 1).octets)
        #expect(NeighbourAdvertisementFrame(parsing: solicited) == nil)
        let router = NeighbourAdvertisementFrame.unsolicited(
            for: parsed.target, at: parsed.targetMAC, isRouter: true)
        #expect(router.octets[58] == 0xa0)
        #expect(NeighbourAdvertisementFrame(parsing: router.octets) == router)
    }

    @Test("Ethernet's padding and an 802.1Q tag are no obstacle")
    func paddedAndTagged() throws {
        let frame = try Fixture.frame("advert#1", in: "v3-ipv4")
        let plain = try #require(ObservedAdvertisement(ethernetFrame: frame))
        #expect(ObservedAdvertisement(ethernetFrame: frame + [0, 0, 0, 0]) == plain)
        let tagged = frame[..<12] + [0x81, 0x00, 0x00, 0x2a] + frame[12...]
        #expect(ObservedAdvertisement(ethernetFrame: tagged) == plain)
    }

    @Test("other traffic is none", arguments: ["garp", "igmp-join"])
    func otherTraffic(label: String) throws {
        #expect(
            ObservedAdvertisement(ethernetFrame: try Fixture.frame(label, in: "v2-none")) == nil)
    }

    @Test("an address count that the message does not have room for is none")
    func overstatedCount() throws {
        var frame = try Fixture.frame("advert#1", in: "v3-ipv4")
        frame[14 + 20 + 3] = 2
        #expect(ObservedAdvertisement(ethernetFrame: frame) == nil)
    }

    @Test(
        "RFC 5227: requests, replies and probes are not gratuitous; both forms of announcement are")
    func gratuitousOrNot() throws {
        let mac = try #require(MACAddress("02:00:00:00:00:01"))
        let address = IPv4Address(10, 10, 10, 10)
        var frame = ARPFrame.gratuitous(for: address, at: mac)
        frame.operation = .reply
        #expect(ARPFrame(parsing: frame.octets)?.isGratuitous == true)
        frame.targetAddress = IPv4Address(10, 10, 10, 1)
        #expect(ARPFrame(parsing: frame.octets)?.isGratuitous == false)
        frame = .gratuitous(for: .any, at: mac)
        #expect(ARPFrame(parsing: frame.octets)?.isGratuitous == false)
    }

    @Test("padding after an ARP packet is ignored; a short one or another protocol is none")
    func arpFrames() throws {
        let frame = try Fixture.frame("garp", in: "v2-vmac")
        let parsed = try #require(ARPFrame(parsing: frame + [UInt8](repeating: 0, count: 18)))
        #expect(parsed.senderMAC == MACAddress("00:00:5e:00:01:33"))
        #expect(parsed.octets == frame)
        #expect(ARPFrame(parsing: frame.dropLast()) == nil)
        #expect(ARPFrame(parsing: try Fixture.frame("advert#1", in: "v2-none")) == nil)
    }
}

/// RFC 1071.
@Suite("Internet checksum")
struct InternetChecksumTests {
    @Test("§3: the worked example, in any split at a word's boundary")
    func workedExample() {
        let octets: [UInt8] = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]
        #expect(InternetChecksum(octets).value == ~UInt16(0xddf2))
        var sum = InternetChecksum(octets[..<2])
        sum.add(octets[2...])
        #expect(sum == InternetChecksum(octets))
    }

    @Test("§1: an odd last octet is padded with zero")
    func oddLength() {
        #expect(InternetChecksum([0x12, 0x34, 0x56]).value == ~UInt16(0x1234 + 0x5600))
    }
}
