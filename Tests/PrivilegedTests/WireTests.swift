import Glibc
import LinuxSystem
import NetworkTypes
import Testing
import VRRP

/// What one daemon sent in a whole life, from its start to the end of its stop, as a tcpdump on
/// another node captured it.
///
/// The sender is that of the golden captures: MAC 02:00:00:00:00:01, address 10.10.10.1, the
/// master's file of Labs/two-node, which is what v2-pass-truncated was captured with.
private struct WireLife: Sendable {
    let daemon: String
    /// Its VRRP, ARP and IGMP frames, in order.
    var frames: [[UInt8]] = []
    /// What `tcpdump -vvv` says of them.
    var tcpdump = ""
    /// What `tshark -V` says of them, with every checksum calculated.
    var tshark = ""
    /// tshark's list of what it finds notable.
    var notable = ""

    private static let yaml = """
        networks:
          lan: { subnet: 10.10.10.0/24 }
        nodes:
          sender:
            interfaces:
              eth0: { network: lan, address: 10.10.10.1, mac: "02:00:00:00:00:01" }
            files: { /etc/keepalived/keepalived.conf: keepalived.conf }
            services: { keepalived: { kind: vrrp-agent } }
          watch:
            interfaces: { eth0: { network: lan, address: 10.10.10.9 } }
            services:
              capture:
                kind: command
                command: [tcpdump, -i, eth0, --immediate-mode, -U, -w, /root/capture.pcap,
                          "ether src 02:00:00:00:00:01 and (arp or igmp or vrrp)"]
                ready: { file: /root/capture.pcap }
        """

    /// Both daemons' lives, recorded side by side when they are first asked for.
    static let all = Result { try record(["vrrp-agent", "keepalived"]) }

    private static func record(_ daemons: [String]) throws -> [WireLife] {
        let conf = try FileSystem.readText(
            "\(Labctl.repository)/Labs/two-node/master/keepalived.conf")
        let labs = try daemons.map { daemon in
            try LabUnderTest("wire-\(daemon)", yaml, files: ["keepalived.conf": conf])
        }
        // The life that counts is the second: the capture listens when it begins.
        for (lab, daemon) in zip(labs, daemons) {
            try lab.up("--vrrp", daemon)
            try lab.apply("kill", "sender")
            try lab.exec("watch", "rm", "/root/capture.pcap")
            try lab.apply("restart", "watch/capture")
            try lab.apply("start", "sender")
        }
        for lab in labs {
            try eventually("\(lab.name) has announced itself twice", within: .seconds(30)) {
                try lab.captured("arp").count == 10
            }
            try lab.apply("stop", "sender/keepalived")
        }
        return try zip(labs, daemons).map { lab, daemon in
            // The kernel says twice that it leaves a group, as it does when it joins one.
            try eventually("\(lab.name) has left the group", within: .seconds(30)) {
                try lab.captured("igmp").filter(isLeave).count >= 2
            }
            var life = WireLife(daemon: daemon, frames: try lab.captured("arp or igmp or vrrp"))
            life.tcpdump = try lab.read("tcpdump", "-vvv", "-n", "-r")
            life.tshark = try lab.read("tshark", "-o", "ip.check_checksum:TRUE", "-V", "-r")
            life.notable = try lab.read(
                "tshark", "-o", "ip.check_checksum:TRUE", "-q", "-z", "expert", "-r")
            try lab.down()
            return life
        }
    }
}

extension LabUnderTest {
    /// What a program that reads captures prints about the capture so far.
    fileprivate func read(_ command: String...) throws -> String {
        let arguments = ["exec", "-l", name, "watch", "--"] + command + ["/root/capture.pcap"]
        let result = try Labctl.start(arguments).finish()
        try #require(result.status == 0, "\(result.errors)")
        return result.output
    }

    /// The frames captured so far that a filter lets through, from tcpdump's hexadecimal dump.
    fileprivate func captured(_ filter: String) throws -> [[UInt8]] {
        let result = try exec(
            "watch", "tcpdump", "-t", "-n", "-xx", "-r", "/root/capture.pcap", filter)
        var frames: [[UInt8]] = []
        for line in result.output.split(separator: "\n") {
            guard line.hasPrefix("\t0x") else {
                frames.append([])
                continue
            }
            let digits = line.split(separator: ":")[1].filter { $0 != " " }
            frames[frames.count - 1] += octets(digits)
        }
        return frames
    }
}

/// The octets written as pairs of hexadecimal digits.
private func octets(_ text: some StringProtocol) -> [UInt8] {
    let digits = Array(text)
    return stride(from: 0, to: digits.count - 1, by: 2).compactMap {
        UInt8(String(digits[$0...$0 + 1]), radix: 16)
    }
}

/// A frame without what may differ from one to the next: the IPv4 identification (octets 18 and 19
/// of the frame) and the header checksum that covers it (24 and 25).
private func comparable(_ frame: [UInt8]) -> String {
    var frame = frame
    if isIPv4(frame) { for index in [18, 19, 24, 25] { frame[index] = 0 } }
    return hexadecimal(frame)
}

private func isIPv4(_ frame: [UInt8]) -> Bool { frame.count >= 34 && frame[12...13] == [8, 0] }
private func isIGMP(_ frame: [UInt8]) -> Bool { isIPv4(frame) && frame[23] == 2 }

/// Whether this is an IGMPv3 report with a record of that type first, after the 14 octets of
/// Ethernet, the 24 of IP with Router Alert and the report's own 8 (RFC 3376 §4.2).
private func isReport(_ frame: [UInt8], ofType type: UInt8) -> Bool {
    isIGMP(frame) && frame.count > 46 && frame[38] == 0x22 && frame[46] == type
}
/// CHANGE_TO_EXCLUDE_MODE with no source.
private func isJoin(_ frame: [UInt8]) -> Bool { isReport(frame, ofType: 4) }
/// CHANGE_TO_INCLUDE_MODE with no source.
private func isLeave(_ frame: [UInt8]) -> Bool { isReport(frame, ofType: 3) }

@Suite(
    "The frames of a daemon's whole life", .enabled(if: buildsLabs, "needs root"),
    .enabled(if: hasKeepalived && hasTcpdump, "needs keepalived and tcpdump"))
struct WireTests {
    private static func life(_ daemon: String) throws -> WireLife {
        try #require(try WireLife.all.get().first { $0.daemon == daemon })
    }

    /// The golden frame with that label.
    private static func golden(_ label: String) throws -> [UInt8] {
        let text = try FileSystem.readText(
            "\(Labctl.repository)/Tests/VRRPTests/Fixtures/v2-pass-truncated.hex")
        let line = text.split(separator: "\n").first { $0.hasPrefix(label + " ") }
        return octets(try #require(line?.split(separator: " ").last))
    }

    private static func advertisements(_ life: WireLife) -> [[UInt8]] {
        life.frames.filter { ObservedAdvertisement(ethernetFrame: $0) != nil }
    }

    private static func gratuitousARPs(_ life: WireLife) -> [[UInt8]] {
        life.frames.filter { ARPFrame(parsing: $0)?.isGratuitous ?? false }
    }

    // RFC-CHECKLIST: 1, 3, 7, 12, 16
    @Test("every frame is a golden one, octet for octet, but for the identification")
    func golden() throws {
        for daemon in ["vrrp-agent", "keepalived"] {
            let life = try Self.life(daemon)
            let advertisements = Self.advertisements(life)
            #expect(advertisements.count >= 6)
            for advertisement in advertisements.dropLast() {
                #expect(comparable(advertisement) == comparable(try Self.golden("advert#1")))
            }
            let last = try #require(advertisements.last)
            #expect(comparable(last) == comparable(try Self.golden("advert-prio0")))
            #expect(Self.gratuitousARPs(life).count == 10)
            for announcement in Self.gratuitousARPs(life) {
                #expect(hexadecimal(announcement) == hexadecimal(try Self.golden("garp")))
            }
            for (isIt, label) in [(isJoin, "igmp-join"), (isLeave, "igmp-leave")] {
                let reports = life.frames.filter(isIt)
                #expect(reports.count == 2, "\(daemon): \(label)")
                for report in reports {
                    #expect(comparable(report) == comparable(try Self.golden(label)))
                }
            }
            let known = advertisements.count + 10 + 2 + 2
            #expect(life.frames.count == known, "\(daemon): \(life.frames.map(hexadecimal))")
        }
    }

    @Test("our frames are keepalived's, in the same order and number")
    func sameAsKeepalived() throws {
        func story(_ life: WireLife) -> [String] {
            life.frames.filter { !isIGMP($0) }.map(comparable)
        }
        let ours = story(try Self.life("vrrp-agent"))
        let theirs = story(try Self.life("keepalived"))
        // The sixth advertisement and the second burst are due at the same moment, and how many
        // advertisements follow depends on when the test stopped the daemon.
        let beforeSecondBurst = 1 + 5 + 4
        #expect(ours.prefix(beforeSecondBurst) == theirs.prefix(beforeSecondBurst))
        #expect(Set(ours) == Set(theirs))
        #expect(ours.last == theirs.last)
    }

    @Test("the identification counts from 1, as keepalived's does")
    func identification() throws {
        for daemon in ["vrrp-agent", "keepalived"] {
            let numbers = Self.advertisements(try Self.life(daemon)).map {
                Int($0[18]) << 8 | Int($0[19])
            }
            #expect(numbers == Array(1...numbers.count), "\(daemon)")
        }
    }

    @Test("tcpdump finds no fault in our frames")
    func tcpdump() throws {
        let life = try Self.life("vrrp-agent")
        let text = life.tcpdump
        for fault in ["bad", "wrong", "invalid", "truncated", "unknown", "[|", "length error"] {
            #expect(!text.contains(fault), "\(fault): \(text)")
        }
        let advertisements = text.split(separator: "\n").filter {
            $0.contains(
                "10.10.10.1 > 224.0.0.18: VRRPv2, Advertisement, vrid 51, prio 100, authtype "
                    + "simple, intvl 1s, length 20, addrs: 10.10.10.10 auth \"password\"")
        }
        #expect(advertisements.count == Self.advertisements(life).count - 1)
        #expect(text.contains("(tos 0xc0, ttl 255, id 1, offset 0, flags [none], proto VRRP (112)"))
    }

    // RFC-CHECKLIST: 7, 16
    @Test("Wireshark's dissector finds no fault in our frames, and every checksum good")
    func wireshark() throws {
        let life = try Self.life("vrrp-agent")
        for fault in ["Malformed", "[Checksum Status: Bad]", "[Header checksum status: Bad]"] {
            #expect(!life.tshark.contains(fault), "\(life.tshark)")
        }
        let count = Self.advertisements(life).count
        let protocols = life.tshark.split(separator: "Virtual Router Redundancy Protocol\n")
        #expect(protocols.count - 1 == count)
        for text in protocols.dropFirst() { #expect(text.contains("[Checksum Status: Good]")) }
        let headers = life.tshark.split(separator: "[Header checksum status: Good]").count - 1
        #expect(headers == life.frames.filter(isIPv4).count)
        // What deserves a note, a warning or an error would be listed.
        for list in ["Errors", "Warns", "Notes"] {
            #expect(!life.notable.contains(list), "\(life.notable)")
        }
    }
}
