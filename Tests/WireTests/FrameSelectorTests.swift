import NetworkTypes
import Testing

@testable import Wire

@Suite("which frames a rule is about")
struct FrameSelectorTests {
    /// Frames by name, the first ones as captured of keepalived 2.2.7 (VRRPTests/Fixtures).
    private static let frames: [String: [UInt8]] = [
        "VRRPv2": octets(
            """
            01005e00001202000000000308004 5c0002800010000ff70c6850a0a0a03e0000012213332010001
            98b60a0a0a0a0000000000000000
            """),
        "VRRPv2 with AH": octets(
            """
            01005e0000120200000000030800 45c0004000010000ff33c6aa0a0a0a03e0000012
            700400000a0a0a0300000064c1e88128cfa9cec81f45c07b 2133c801020100b60a0a0a0a0000000000000000
            """),
        "ARP": octets(
            """
            ffffffffffff020000000001 0806 0001080006040001 020000000001 0a0a0a0a 000000000000 0a0a0a0a
            """),
        "ping": ipv4(protocol: 1, [8, 0, 0, 0, 0, 1, 0, 1]),
        "ping6": ipv6(next: 58, [128, 0, 0, 0, 0, 1, 0, 1]),
        "NS": ipv6(next: 58, [135, 0, 0, 0] + [UInt8](repeating: 0, count: 20)),
        "VRRPv3 over IPv6": ipv6(next: 112, [0x31, 51, 100, 1, 0, 100, 0, 0]),
        "DNS": ipv4(protocol: 17, ports(40_000, 53) + [0, 8, 0, 0]),
        "HTTP": ipv4(protocol: 6, ports(80, 50_000) + [UInt8](repeating: 0, count: 16)),
        "HTTP over IPv6": ipv6(next: 6, ports(50_000, 80) + [UInt8](repeating: 0, count: 16)),
        "LLDP": octets("0180c200000e 020000000001 88cc 0207"),
        "IEEE 802.3": octets("0180c2000000 020000000001 0026 424203"),
    ]

    private static let ethernet = octets("020000000002 020000000001")

    private static func ports(_ source: UInt16, _ destination: UInt16) -> [UInt8] {
        [source, destination].flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
    }

    static func ipv4(
        protocol number: UInt8, _ payload: [UInt8], fragment: UInt16 = 0, options: Int = 0
    ) -> [UInt8] {
        let length = 20 + options + payload.count
        return ethernet + [8, 0, 0x45 + UInt8(options / 4), 0, UInt8(length >> 8)]
            + [UInt8(length & 0xff), 0, 1, UInt8(fragment >> 8), UInt8(fragment & 0xff)]
            + [64, number, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]
            + [UInt8](repeating: 1, count: options) + payload
    }

    static func ipv6(next: UInt8, _ payload: [UInt8]) -> [UInt8] {
        ethernet + [0x86, 0xdd, 0x60, 0, 0, 0, UInt8(payload.count >> 8)]
            + [UInt8(payload.count & 0xff), next, 255] + [UInt8](repeating: 0xfe, count: 32)
            + payload
    }

    /// The names of the frames that are selected.
    private func selected(_ selector: FrameSelector) -> Set<String> {
        Set(Self.frames.filter { selector.selects($0.value) }.keys)
    }

    @Test("by protocol")
    func byProtocol() {
        #expect(selected(.any) == Set(Self.frames.keys))
        #expect(
            selected(FrameSelector(.vrrp)) == ["VRRPv2", "VRRPv2 with AH", "VRRPv3 over IPv6"])
        #expect(selected(FrameSelector(.arp)) == ["ARP"])
        #expect(selected(FrameSelector(.nd)) == ["NS"])
        #expect(selected(FrameSelector(.icmp)) == ["ping", "ping6", "NS"])
        #expect(selected(FrameSelector(.udp)) == ["DNS"])
        #expect(selected(FrameSelector(.tcp)) == ["HTTP", "HTTP over IPv6"])
        #expect(
            selected(FrameSelector(.ipv6)) == ["ping6", "NS", "VRRPv3 over IPv6", "HTTP over IPv6"])
        #expect(
            selected(FrameSelector(.ipv4)) == ["VRRPv2", "VRRPv2 with AH", "ping", "DNS", "HTTP"])
    }

    @Test("by port, at either end")
    func byPort() {
        #expect(selected(FrameSelector(.tcp, port: 80)) == ["HTTP", "HTTP over IPv6"])
        #expect(selected(FrameSelector(.tcp, port: 50_000)) == ["HTTP", "HTTP over IPv6"])
        #expect(selected(FrameSelector(.tcp, port: 53)) == [])
        #expect(selected(FrameSelector(.udp, port: 53)) == ["DNS"])
    }

    @Test("by Ethernet address, together with the protocol")
    func byAddress() throws {
        let sender = try #require(MACAddress("02:00:00:00:00:03"))
        let group = try #require(MACAddress("01:00:5e:00:00:12"))
        #expect(selected(FrameSelector(from: sender)) == ["VRRPv2", "VRRPv2 with AH"])
        #expect(selected(FrameSelector(to: group)) == ["VRRPv2", "VRRPv2 with AH"])
        #expect(selected(FrameSelector(to: .broadcast)) == ["ARP"])
        #expect(selected(FrameSelector(.arp, from: sender)) == [])
        #expect(selected(FrameSelector(from: group)) == [])
    }

    @Test("behind one VLAN tag, two, and those of IEEE 802.1ad")
    func behindTags() {
        for (name, frame) in Self.frames where name != "IEEE 802.3" {
            for tags in ["8100 0064", "88a8 0064 8100 0065", "9100 0001"] {
                let tagged = Array(frame[..<12]) + octets(tags) + frame[12...]
                for each in FrameSelector.FrameProtocol.allCases {
                    let selector = FrameSelector(each)
                    #expect(
                        selector.selects(tagged) == selector.selects(frame),
                        "\(name) \(tags) \(each)")
                }
            }
        }
    }

    @Test("behind IPv6 extension headers, IPv4 options and authentication headers")
    func behindExtensions() {
        let tcp = Self.ports(50_000, 80) + [UInt8](repeating: 0, count: 16)
        let selector = FrameSelector(.tcp, port: 80)
        let hopByHop: [UInt8] = [43, 0] + [UInt8](repeating: 0, count: 6)
        let routing: [UInt8] = [60, 1] + [UInt8](repeating: 0, count: 14)
        let options: [UInt8] = [51, 0] + [UInt8](repeating: 0, count: 6)
        let authentication: [UInt8] = [44, 4] + [UInt8](repeating: 0, count: 22)
        let first: [UInt8] = [6, 0, 0, 1, 0, 0, 0, 7]
        let later: [UInt8] = [6, 0, 0, 9, 0, 0, 0, 7]
        let before = hopByHop + routing + options + authentication
        #expect(selector.selects(Self.ipv6(next: 0, before + first + tcp)))
        // A later fragment is TCP, but has no ports.
        let fragment = Self.ipv6(next: 0, before + later + tcp)
        #expect(!selector.selects(fragment))
        #expect(FrameSelector(.tcp).selects(fragment))
        #expect(selector.selects(Self.ipv4(protocol: 6, tcp, options: 12)))
        #expect(!selector.selects(Self.ipv4(protocol: 6, tcp, fragment: 0x2010)))
        #expect(selector.selects(Self.ipv4(protocol: 6, tcp, fragment: 0x2000)))
        #expect(!selector.selects(Self.ipv6(next: 59, tcp)))
    }

    @Test("headers that go on for ever end")
    func endlessExtensions() {
        let endless = [[UInt8]](repeating: [0, 0, 0, 0, 0, 0, 0, 0], count: 100).flatMap(\.self)
        #expect(!FrameSelector(.tcp).selects(Self.ipv6(next: 0, endless)))
        let tags = [[UInt8]](repeating: octets("8100 0001"), count: 20).flatMap(\.self)
        #expect(!FrameSelector(.ipv4).selects(Self.ethernet + tags + [8, 0]))
    }

    @Test("a frame that ends anywhere, or lies about its lengths, is read no further than it goes")
    func cutFrames() {
        var selectors = FrameSelector.FrameProtocol.allCases.map { FrameSelector($0) }
        selectors += [FrameSelector(.tcp, port: 80), FrameSelector(.udp, port: 53)]
        for frame in Self.frames.values {
            for length in 0...frame.count {
                let cut = Array(frame[..<length])
                for selector in selectors where selector.selects(cut) {
                    #expect(selector.selects(frame))
                    #expect(length >= 14)
                }
                // Every octet of what is left with every length that it could tell.
                for place in stride(from: 12, to: length, by: 1) {
                    var lying = cut
                    lying[place] = 0xff
                    for selector in selectors { _ = selector.selects(lying) }
                }
            }
        }
        #expect(!FrameSelector(.arp).selects([UInt8]()))
        #expect(FrameSelector.any.selects([UInt8]()))
    }

    @Test("the first rule that selects a frame counts, and what none selects passes at once")
    func firstRule() throws {
        var lane = WireLane(
            link: "l", direction: .outward,
            rules: [
                WireRule(Impairment { $0.delay = .milliseconds(1) }, of: FrameSelector(.vrrp)),
                WireRule(Impairment { $0.loss = .every(1) }, of: FrameSelector(.ipv4)),
            ])
        let vrrp = try #require(Self.frames["VRRPv2"])
        let ping = try #require(Self.frames["ping"])
        let arp = try #require(Self.frames["ARP"])
        #expect(lane.pass(vrrp, at: at(0)).first?.due == at(1))
        #expect(lane.pass(ping, at: at(0)).lostBy == .loss)
        let passed = try #require(lane.pass(arp, at: at(0)).first)
        #expect(passed.due == at(0))
        #expect(passed.ticket == nil)
        #expect(lane.counters.frames == 3)
        #expect(lane.counters.passed == 2)
        #expect(lane.counters.lost == 1)
    }
}
