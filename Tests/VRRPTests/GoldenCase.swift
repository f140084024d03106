import NetworkTypes
public import VRRP

/// What keepalived 2.2.7 was configured with when a file of Fixtures/ was captured.
struct GoldenCase: Sendable {
    var fixture: String
    var advertisement: Advertisement
    var source: IPAddress
    /// The group when nil.
    var peer: IPAddress?
    var checksum = ChecksumRule.pseudoHeader
    /// Which MAC address advertisements come from, and which is announced.
    var mac = GoldenCase.interfaceMAC
    var announcedMAC: MACAddress?
    /// Addresses that are announced and not advertised: `virtual_ipaddress_excluded`.
    var excluded: [IPAddress] = []

    static let interfaceMAC = MACAddress(rawValue: 0x0200_0000_0001)
    static let peerMAC = MACAddress(rawValue: 0x0200_0000_0002)
    static let vmac4 = MACAddress(rawValue: 0x0000_5e00_0133)
    static let vmac6 = MACAddress(rawValue: 0x0000_5e00_0233)

    init(
        _ fixture: String, version: Int = 2, vrid: UInt8 = 51, priority: UInt8 = 100,
        interval: Duration = .seconds(1), _ addresses: [String] = ["10.10.10.10"],
        authentication: Advertisement.Authentication = .none, source: String? = nil,
        peer: String? = nil
    ) {
        self.fixture = fixture
        let addresses = addresses.compactMap { IPAddress($0) }
        advertisement = Advertisement(
            version: version, vrid: vrid, priority: priority, interval: interval,
            addresses: addresses, authentication: authentication)
        let isIPv6 = addresses.first?.family == .v6
        self.source =
            source.flatMap { IPAddress($0) }
            ?? (isIPv6
                ? .v6(IPv6Address(high: 0xfe80 << 48, low: 0xff_fe00_0001))
                : .v4(IPv4Address(10, 10, 10, 1)))
        self.peer = peer.flatMap { IPAddress($0) }
    }

    /// The case with some of its properties set.
    func with(_ change: (inout GoldenCase) -> Void) -> GoldenCase {
        var copy = self
        change(&copy)
        return copy
    }

    var destination: IPAddress { peer ?? Advertisement.group(source.family) }

    /// What is announced, in order.
    var announced: [IPAddress] { advertisement.addresses + excluded }

    /// The advertisement with another priority.
    func advertisement(priority: UInt8) -> Advertisement {
        var advertisement = advertisement
        advertisement.priority = priority
        return advertisement
    }

    /// What a router that shares this configuration expects.
    var expectation: ReceivedAdvertisement.Expectation {
        ReceivedAdvertisement.Expectation(
            advertisement, isUnicast: peer != nil, checksum: checksum)
    }

    /// Every captured configuration of keepalived.
    static let all: [GoldenCase] = version2 + version3

    private static let version2: [GoldenCase] = [
        GoldenCase("v2-none"),
        GoldenCase("v2-pass-8", authentication: .password("password")),
        GoldenCase("v2-pass-truncated", authentication: .password("passwordhere")),
        GoldenCase("v2-pass-short-lll", vrid: 52, authentication: .password("lll")),
        GoldenCase("v2-none-3vips", ["10.10.10.12", "10.10.10.10", "10.10.10.11"]),
        GoldenCase("v2-none-20vips", (100..<120).map { "10.10.10.\($0)" }),
        GoldenCase("v2-0vips", []).with { $0.excluded = [.v4(IPv4Address(10, 10, 10, 50))] },
        GoldenCase("v2-excluded-vip").with {
            $0.excluded = [.v4(IPv4Address(10, 10, 10, 50))]
        },
        GoldenCase("v2-prio255-owner", priority: 255),
        GoldenCase("v2-prio254-from-track", priority: 254),
        GoldenCase("v2-advert5", interval: .seconds(5)),
        GoldenCase("v2-vrid255-prio1", vrid: 255, priority: 1),
        GoldenCase("v2-mcast-src-ip", source: "10.10.10.77"),
        GoldenCase("v2-unicast-pass", authentication: .password("lll"), peer: "10.10.10.2"),
        GoldenCase("v2-vmac").with { $0.mac = vmac4 },
        GoldenCase("v2-vmac-xmit-base").with { $0.announcedMAC = vmac4 },
        GoldenCase("v2-ah", authentication: .header("password")),
        GoldenCase("v2-ah-unicast", authentication: .header("password"), peer: "10.10.10.2"),
        GoldenCase("v2-ipv6-none", ["fe80::10"]),
        GoldenCase("v2-ipv6-pass", ["fe80::10"], authentication: .password("password")),
    ]

    private static let version3: [GoldenCase] = [
        GoldenCase("v3-ipv4", version: 3),
        GoldenCase("v3-ipv4-adv100ms", version: 3, interval: .milliseconds(100)),
        GoldenCase("v3-ipv4-adv10ms", version: 3, interval: .milliseconds(10)),
        GoldenCase("v3-ipv4-adv40.95s", version: 3, priority: 255, interval: .milliseconds(40_950)),
        GoldenCase("v3-ipv4-3vips", version: 3, ["10.10.10.12", "10.10.10.10", "10.10.10.11"]),
        GoldenCase("v3-ipv4-vmac", version: 3).with { $0.mac = vmac4 },
        GoldenCase("v3-ipv4-unicast", version: 3, peer: "10.10.10.2"),
        GoldenCase("v3-ipv4-unicast-oldchksum", version: 3, peer: "10.10.10.2").with {
            $0.checksum = .groupPseudoHeader()
        },
        GoldenCase("v3-ipv6-ll", version: 3, ["fe80::10"]),
        GoldenCase("v3-ipv6-ll+global", version: 3, ["fe80::10", "fd00:10::10"]),
        GoldenCase("v3-ipv6-globalonly", version: 3, ["fd00:10::10"]),
        GoldenCase("v3-ipv6-vmac", version: 3, ["fe80::10", "fd00:10::10"]).with {
            $0.mac = vmac6
        },
        GoldenCase(
            "v3-ipv6-unicast", version: 3, ["fd00:10::10"], source: "fd00:10::1",
            peer: "fd00:10::2"),
    ]
}

extension GoldenCase: CustomStringConvertible {
    var description: String { fixture }
}

extension AuthenticationPassword: ExpressibleByStringLiteral {
    public init(stringLiteral text: String) { self.init(truncating: text) }
}
