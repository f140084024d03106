import Glibc
import LabModel
import LinuxSystem
import NetworkTypes
import Testing

@Suite(
    "Two routers' logs", .enabled(if: buildsLabs, "needs root"),
    .enabled(if: hasKeepalived && hasTcpdump, "needs keepalived and tcpdump"))
struct InteropLogTests {
    /// The lines in which our agent is not like keepalived, by how they begin, and why.
    private static let differences = DaemonLog.differences.merging([
        "(VI_1) Received advert from 10.10.10.2 with lower priority":
            "comes only if both speak at the same moment",
        "Assigned address fe80::": "comes when the kernel has it, after the start or before",
    ]) { $1 }

    /// The lines of each life of a daemon, in order: without stamps and descriptors' numbers, less
    /// those that differ, and each once: how often it is said depends on when the test acted.
    private static func lives(_ log: [String]) -> [[String]] {
        var lives: [[String]] = []
        for line in log {
            let text = String(line.dropFirst(AgentProcess.stampLength))
            if text.hasPrefix("Starting Keepalived v") || text.hasPrefix("Starting vrrp-agent v") {
                lives.append([])
            }
            guard !lives.isEmpty, !differences.keys.contains(where: text.hasPrefix) else {
                continue
            }
            // Where the kernel has no ip_vs, labs start keepalived with -P: it would end otherwise.
            let plain = DaemonLog.without("fd(", text).replacing(" '-P'", with: "")
            if !lives[lives.count - 1].contains(plain) { lives[lives.count - 1].append(plain) }
        }
        return lives
    }

    @Test("are keepalived's, line by line and in order", arguments: DaemonPair.allCases)
    func sameLines(_ pair: DaemonPair) throws {
        let life = try TwoNodeLife.of(pair)
        let model = try TwoNodeLife.of(.keepalived)
        for node in ["master", "backup"] {
            let lines = Self.lives(try #require(life.logs[node]))
            let expected = Self.lives(try #require(model.logs[node]))
            // Both nodes' daemons were started twice.
            #expect(lines.count == 2)
            #expect(expected.count == 2)
            for (lines, expected) in zip(lines, expected) { #expect(lines == expected, "\(node)") }
        }
    }

    @Test("tell the master's story as the tutorial's readers will see it")
    func masterStory() throws {
        let log = try #require(try TwoNodeLife.of(.ours).logs["master"])
        let first = try #require(Self.lives(log).first)
        #expect(
            first == [
                "Command line: 'keepalived' '-n' '-l' '-D' '-f' '/etc/keepalived/keepalived.conf'",
                "Opening file '/etc/keepalived/keepalived.conf'.",
                "Configuration file /etc/keepalived/keepalived.conf",
                "Registering Kernel netlink reflector",
                "Registering Kernel netlink command channel",
                "(/etc/keepalived/keepalived.conf: Line 20) Truncating auth_pass to 8 characters",
                "(VI_1) Warning - nopreempt will not work with initial state MASTER - clearing",
                "Assigned address 10.10.10.1 for interface eth0",
                "Registering gratuitous ARP shared channel",
                "(VI_1) removing VIPs.",
                "(VI_1) Entering BACKUP STATE (init)",
                "VRRP sockpool: [ifindex(  2), family(IPv4), proto(112), fd(n) multicast, "
                    + "address(224.0.0.18)]",
                "(VI_1) Receive advertisement timeout",
                "(VI_1) Entering MASTER STATE",
                "(VI_1) setting VIPs.",
                "(VI_1) Sending/queueing gratuitous ARPs on eth0 for 10.10.10.10",
                "Sending gratuitous ARP on eth0 for 10.10.10.10",
            ])
    }

    @Test("no mail is sent, whatever the tutorial says: nothing sets smtp_alert")
    func noMail() throws {
        for pair in DaemonPair.allCases {
            let life = try TwoNodeLife.of(pair)
            for node in ["master", "backup"] {
                let mail = try #require(life.mail[node])
                #expect(mail.contains("listening on any"))
                #expect(!mail.contains(".25: Flags"), "\(pair.testDescription), \(node): \(mail)")
                // The watch does see what there is to see.
                let after = try #require(life.mailAfterConnection[node])
                #expect(after.contains("127.0.0.1.25: Flags [S]"))
            }
        }
    }
}
