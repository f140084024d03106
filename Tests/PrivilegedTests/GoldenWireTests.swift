import CLinux
import Glibc
import LinuxSystem
import Netlink
import NetworkTypes
import Testing
import VRRP

/// A configuration that keepalived's frames were captured for, and what follows from it here.
private struct GoldenConfiguration: Sendable {
    /// The capture's name.
    var name: String
    /// What the instance says besides interface, VRID 51, priority 100 and its addresses.
    var lines: String
    var addresses = "10.10.10.10"
    /// Whether a second advertisement follows within a second.
    var repeats = true

    /// `state MASTER` is MASTER at once here, so that nobody has to wait for 40.95 s; an
    /// authentication header does not go with it.
    var text: String {
        """
        vrrp_instance VI_1 {
            \(lines.contains("AH") ? "" : "state MASTER")
            interface eth0
            virtual_router_id 51
            priority 100
            \(lines)
            virtual_ipaddress {
                \(addresses)
            }
        }
        """
    }

    private static let unicast = "unicast_src_ip 10.10.10.1\n unicast_peer {\n 10.10.10.2\n }"
    private static let excluded = "virtual_ipaddress_excluded {\n 10.10.10.50\n }"
    private static let three = "10.10.10.12\n 10.10.10.10\n 10.10.10.11"

    private static func authentication(_ type: String, _ password: String) -> String {
        "authentication {\n auth_type \(type)\n auth_pass \(password)\n }"
    }

    /// All but v2-prio254-from-track, whose first advertisements depend on when a script answers.
    static let all = [
        Self(name: "v2-none", lines: ""),
        Self(name: "v2-pass-8", lines: authentication("PASS", "password")),
        Self(name: "v2-pass-truncated", lines: authentication("PASS", "passwordhere")),
        Self(
            name: "v2-pass-short-lll",
            lines: "virtual_router_id 52\n" + authentication("PASS", "lll")),
        Self(name: "v2-none-3vips", lines: "", addresses: three),
        Self(
            name: "v2-none-20vips", lines: "",
            addresses: (100..<120).map { "10.10.10.\($0)" }.joined(separator: "\n")),
        Self(name: "v2-excluded-vip", lines: excluded),
        Self(name: "v2-prio255-owner", lines: "priority 255"),
        Self(name: "v2-advert5", lines: "advert_int 5", repeats: false),
        Self(name: "v2-vrid255-prio1", lines: "virtual_router_id 255\n priority 1"),
        Self(name: "v2-mcast-src-ip", lines: "mcast_src_ip 10.10.10.77"),
        Self(name: "v2-unicast-pass", lines: unicast + "\n" + authentication("PASS", "lll")),
        Self(name: "v2-vmac", lines: "use_vmac"),
        Self(name: "v2-vmac-xmit-base", lines: "use_vmac\n vmac_xmit_base"),
        Self(name: "v2-ah", lines: authentication("AH", "password")),
        Self(name: "v2-ah-unicast", lines: unicast + "\n" + authentication("AH", "password")),
        Self(name: "v2-ipv6-none", lines: "version 2", addresses: "fe80::10"),
        Self(
            name: "v2-ipv6-pass", lines: "version 2\n" + authentication("PASS", "password"),
            addresses: "fe80::10"),
        Self(name: "v3-ipv4", lines: "version 3"),
        Self(name: "v3-ipv4-adv100ms", lines: "version 3\n advert_int 0.1"),
        Self(name: "v3-ipv4-adv10ms", lines: "version 3\n advert_int 0.01"),
        Self(
            name: "v3-ipv4-adv40.95s", lines: "version 3\n advert_int 40.95\n priority 255",
            repeats: false),
        Self(name: "v3-ipv4-3vips", lines: "version 3", addresses: three),
        Self(name: "v3-ipv4-vmac", lines: "version 3\n use_vmac"),
        Self(name: "v3-ipv4-unicast", lines: "version 3\n" + unicast),
        Self(
            name: "v3-ipv4-unicast-oldchksum",
            lines: "version 3\n old_unicast_checksum\n" + unicast),
        Self(name: "v3-ipv6-ll", lines: "", addresses: "fe80::10"),
        Self(name: "v3-ipv6-ll+global", lines: "", addresses: "fe80::10\n fd00:10::10"),
        Self(name: "v3-ipv6-globalonly", lines: "", addresses: "fd00:10::10"),
        Self(name: "v3-ipv6-vmac", lines: "use_vmac", addresses: "fe80::10\n fd00:10::10"),
        Self(
            name: "v3-ipv6-unicast",
            lines: "unicast_src_ip fd00:10::1\n unicast_peer {\n fd00:10::2\n }",
            addresses: "fd00:10::10"),
    ]
}

/// The agent with such a configuration on the sender of the captures (README.md of the fixtures),
/// and what arrives at the other end of its link.
private final class GoldenSender {
    let configuration: GoldenConfiguration
    private let stage: GoldenStage
    private let agent: AgentProcess
    private(set) var frames: [[UInt8]] = []

    init(_ configuration: GoldenConfiguration) throws {
        self.configuration = configuration
        stage = try GoldenStage()
        agent = try AgentProcess(
            configuration.text, in: stage.router.namespace, test: "golden-\(configuration.name)",
            options: ["--start-as-master"])
    }

    /// Makes the unicast peers known.
    static func introduce(_ senders: [GoldenSender]) throws {
        for sender in senders {
            try sender.stage.introduce(
                ["10.10.10.2", "fd00:10::2"], at: MACAddress(rawValue: 0x0200_0000_0002))
        }
    }

    /// The advertisements that have arrived.
    func advertisements() throws -> [[UInt8]] {
        frames += try stage.received().map(\.bytes)
        return frames.filter { ObservedAdvertisement(ethernetFrame: $0) != nil }
    }

    /// The distinct gratuitous ARPs and unsolicited neighbour advertisements that have arrived.
    func announcements() throws -> Set<String> {
        frames += try stage.received().map(\.bytes)
        return Set(frames.filter(Self.isAnnouncement).map(hexadecimal))
    }

    private static func isAnnouncement(_ frame: [UInt8]) -> Bool {
        if ARPFrame(parsing: frame)?.isGratuitous ?? false { return true }
        // Ethernet 14, IPv6 40, then the type; to all nodes.
        return frame.count > 54 && frame[12...13] == [0x86, 0xdd] && frame[20] == 58
            && frame[54] == 136 && frame[..<6] == [0x33, 0x33, 0, 0, 0, 1]
    }

    func stop() throws { try agent.end() }
}

/// A frame without what differs from one to the next: the IPv4 identification and the header
/// checksum over it, or the IPv6 flow label.
private func comparable(_ frame: [UInt8], isFirst: Bool) -> String {
    var frame = frame
    if frame[12...13] == [0x86, 0xdd] {
        frame[15] &= 0xf0
        for index in 16...17 { frame[index] = 0 }
    } else if !isFirst {
        for index in [18, 19, 24, 25] { frame[index] = 0 }
    }
    return hexadecimal(frame)
}

/// A capture of keepalived, frames by their labels.
private struct GoldenCapture {
    private var frames: [(label: String, octets: [UInt8])] = []

    init(_ name: String) throws {
        let text = try FileSystem.readText(
            "\(Labctl.repository)/Tests/VRRPTests/Fixtures/\(name).hex")
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let words = line.split(separator: " ")
            guard let label = words.first, let digits = words.last.map(Array.init) else { continue }
            frames.append(
                (
                    String(label),
                    stride(from: 0, to: digits.count - 1, by: 2).compactMap {
                        UInt8(String(digits[$0...$0 + 1]), radix: 16)
                    }
                ))
        }
    }

    func frame(_ label: String) throws -> [UInt8] {
        try #require(frames.first { $0.label == label }?.octets)
    }

    var announcements: Set<String> {
        Set(
            frames.filter { $0.label.hasPrefix("garp") || $0.label.hasPrefix("unsolicited-na") }
                .map { hexadecimal($0.octets) })
    }
}

@Suite("The agent's frames and keepalived's", .enabled(if: geteuid() == 0, "needs root"))
struct GoldenWireTests {
    // RFC-CHECKLIST: 1, 2, 3, 4, 5, 6, 7, 12, 13, 15, 16, 18
    @Test("for the same configuration every frame is the captured one, octet for octet")
    func frames() throws {
        let senders = try GoldenConfiguration.all.map(GoldenSender.init)
        try GoldenSender.introduce(senders)
        for sender in senders {
            let golden = try GoldenCapture(sender.configuration.name)
            let count = sender.configuration.repeats ? 2 : 1
            try waitUntil("\(sender.configuration.name) has advertised and announced itself") {
                try sender.advertisements().count >= count
                    && sender.announcements().isSuperset(of: golden.announcements)
            }
        }
        for sender in senders {
            let name = sender.configuration.name
            let golden = try GoldenCapture(name)
            try sender.stop()
            let sent = try sender.advertisements()
            // Identification and sequence number count from 1, so these need no allowance.
            for (index, label) in ["advert#1", "advert#2"].enumerated()
            where index == 0 || sender.configuration.repeats {
                #expect(
                    comparable(sent[index], isFirst: true)
                        == comparable(try golden.frame(label), isFirst: true), "\(name) \(label)")
            }
            #expect(try sender.announcements() == golden.announcements, "\(name)")
            // A signature covers what counts up, which is another number here.
            if !name.contains("-ah") {
                #expect(
                    comparable(try #require(sent.last), isFirst: false)
                        == comparable(try golden.frame("advert-prio0"), isFirst: false), "\(name)")
            }
        }
    }
}
