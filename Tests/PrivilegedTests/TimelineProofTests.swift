import CLinux
import Foundation
import Glibc
import LabModel
import LinuxSystem
import NetworkTypes
import Testing

/// A lab of plain nodes on one network, and what `tcpdump` and `ip monitor` see of it from where
/// its supervisor sits.
private final class WatchedLab {
    let lab: LabUnderTest
    let nodes: [String]
    /// The supervisor, whose network namespace is the fabric.
    let supervisor: Int32
    private let monitor: RunningProgram
    private let capture: RunningProgram

    init(_ name: String, nodes count: Int) throws {
        nodes = (0..<count).map { "n\($0)" }
        let list = nodes.map { "  \($0): { interfaces: { eth0: { network: lan } } }\n" }
        lab = try LabUnderTest(
            name, "networks: { lan: { subnet: 10.0.0.0/16 } }\nnodes:\n" + list.joined())
        try lab.up()
        supervisor = try #require(try processes(of: lab.name).first)
        let enter = ["-t", "\(supervisor)", "-n"]
        // Into a file: a pipe that nobody reads would hold it up.
        monitor = try RunningProgram(
            "/bin/sh",
            [
                "-c",
                "exec nsenter \(enter.joined(separator: " ")) ip -o -rcvbuf 134217728"
                    + " monitor all-nsid address route >\(lab.folder)/monitor.txt",
            ], folder: "/", input: "", environment: [])
        capture = try RunningProgram(
            "/usr/bin/nsenter",
            enter + [
                "tcpdump", "-U", "-i", "any", "-Q", "in", "-B", "65536", "-n", "-w",
                "\(lab.folder)/all.pcap", "arp",
            ], folder: "/", input: "", environment: [])
        try awaitWatchers()
    }

    /// Both are there once they show a change that is made for the purpose.
    private func awaitWatchers() throws {
        try eventually("tcpdump and ip monitor listen") {
            try lab.exec(nodes[0], "ip", "address", "replace", "172.28.0.1/32", "dev", "eth0")
            try lab.exec(nodes[0], "ip", "address", "delete", "172.28.0.1/32", "dev", "eth0")
            try lab.exec(
                nodes[0], "python3", "-c", WatchedLab.announcer(count: 1, address: "172.28.0.1"))
            return try monitored("172.28.0.1") > 0 && capturedFrames("172.28.") > 0
        }
    }

    /// A program that announces addresses by gratuitous ARP.
    static func announcer(count: Int, address: String) -> String {
        """
        import socket, struct
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        s.bind(('eth0', 0))
        mac = s.getsockname()[4]
        ip = socket.inet_aton('\(address)')
        body = struct.pack('!HHBBH', 1, 0x800, 6, 4, 1) + mac + ip + b'\\xff' * 6 + ip
        for _ in range(\(count)): s.send(b'\\xff' * 6 + mac + b'\\x08\\x06' + body)
        """
    }

    /// How many ARP frames for addresses with that beginning entered by a port, as tcpdump has it.
    func capturedFrames(_ address: String) throws -> Int {
        // The file has indices; their names are the fabric's.
        let list = try Labctl.tool(
            "/usr/bin/nsenter", "-t", "\(supervisor)", "-n", "tcpdump", "-n", "-r",
            "\(lab.folder)/all.pcap", within: .seconds(120))
        // A frame comes by the bridge, too.
        return list.output.split(separator: "\n").filter {
            $0.contains("tell \(address)") && !$0.contains(" lan ")
        }.count
    }

    /// How many lines of `ip monitor` have all these words.
    func monitored(_ words: String...) throws -> Int {
        try FileSystem.readText("\(lab.folder)/monitor.txt").split(separator: "\n").filter { line in
            words.allSatisfy { line.contains($0) }
                && line.contains("Deleted") == words.contains("Deleted")
        }.count
    }

    /// The timeline, once nothing more is under way.
    func events() throws -> [TimelineEvent] {
        let run = try Labctl.run("events", "-l", lab.name, "--format", "json")
        #expect(run.status == 0, "\(run.errors)")
        let decoder = JSONDecoder()
        return try run.output.split(separator: "\n").map {
            try decoder.decode(TimelineEvent.self, from: Data($0.utf8))
        }
    }

    func end() throws {
        for program in [monitor, capture] { program.signal(SIGTERM) }
        for program in [monitor, capture] { _ = try program.finish() }
        try lab.down()
    }
}

@Suite("The timeline loses nothing", .enabled(if: geteuid() == 0, "needs root"))
struct TimelineProofTests {
    /// Addresses, routes and announcements that every node makes and takes back.
    private static let changes = 20

    @Test("every change of a few nodes is on the timeline, as ip monitor and tcpdump have it")
    func fewNodes() throws { try compare("timeline-few", nodes: 4) }

    @Test(
        "every change of 200 nodes is on the timeline, as ip monitor and tcpdump have it",
        .enabled(if: getenv("LABCTL_TEST_FULL") != nil, "long: scripts/test --full runs it"))
    func manyNodes() throws { try compare("timeline-many", nodes: 200) }

    private func compare(_ name: String, nodes count: Int) throws {
        let watched = try WatchedLab(name, nodes: count)
        // All nodes at once: the programs run beside each other.
        let storms = try watched.nodes.enumerated().map { index, node in
            try Labctl.start([
                "exec", "-l", watched.lab.name, node, "--", "python3", "-c", Self.storm(index),
            ])
        }
        for storm in storms { #expect(try storm.finish(within: .seconds(300)).status == 0) }
        let total = count * Self.changes
        try eventually("ip monitor has printed all of it", within: .seconds(60)) {
            try watched.monitored("Deleted", "172.30.") >= 2 * total
        }
        let events = try watched.events()
        #expect(zip(events, events.dropFirst()).allSatisfy { $0.time <= $1.time })
        #expect(!events.contains { $0.kind.name == .lost })
        func seen(_ kind: TimelineEvent.Kind.Name, _ beginning: String) -> [String] {
            events.filter { $0.kind.name == kind && $0.kind.words.contains(beginning) }
                .compactMap(\.kind.node)
        }
        for node in watched.nodes {
            let figures = [
                seen(.addressAdded, "172.30."), seen(.addressRemoved, "172.30."),
                seen(.routeAdded, "172.31."), seen(.routeRemoved, "172.31."),
                seen(.gratuitousARP, "172.29."),
            ].map { $0.filter { $0 == node }.count }
            #expect(figures == Array(repeating: Self.changes, count: 5), "\(node)")
        }
        // Each address has a line of its own and one of its local route.
        #expect(try watched.monitored("inet 172.30.") == total)
        #expect(try watched.monitored("Deleted", "inet 172.30.") == total)
        #expect(try watched.monitored("172.31.") == seen(.routeAdded, "172.31.").count)
        #expect(try watched.monitored("Deleted", "172.31.") == seen(.routeRemoved, "172.31.").count)
        try eventually("tcpdump has written all of it", within: .seconds(60)) {
            try watched.capturedFrames("172.29.") >= total
        }
        #expect(try watched.capturedFrames("172.29.") == seen(.gratuitousARP, "172.29.").count)
        try watched.end()
    }

    /// A program that makes and takes back addresses and routes, and announces an address.
    private static func storm(_ index: Int) -> String {
        """
        import subprocess
        lines = []
        for i in range(\(changes)):
            address = f'172.30.\(index).{i + 1}/32 dev eth0'
            route = f'172.31.{i}.0/24 dev eth0'
            lines += [f'address add {address}', f'route add {route}']
            lines += [f'route delete {route}', f'address delete {address}']
        subprocess.run(['ip', '-batch', '-'], input='\\n'.join(lines), text=True, check=True)

        """ + WatchedLab.announcer(count: changes, address: "172.29.0.\(index + 1)")
    }

    @Test("what is lost while the supervisor stands still is told, and the state is right again")
    func overrun() throws {
        let lab = try LabUnderTest(
            "timeline-overrun",
            """
            networks: { lan: { subnet: 10.0.0.0/24 } }
            nodes:
              a: { interfaces: { eth0: { network: lan } } }
            """)
        try lab.up()
        let supervisor = try #require(try processes(of: lab.name).first)
        try NetlinkOverrun.prepare(supervisor)
        // More than the socket's buffer holds, from outside: the supervisor cannot pass it on.
        let count = NetlinkOverrun.isLong ? 30_000 : 500
        let flaps =
            "for i in $(seq \(count)); do echo address add 172.30.0.1/32 dev eth0;"
            + " echo address delete 172.30.0.1/32 dev eth0; done | ip -batch - &&"
            + " ip address add 172.30.0.2/32 dev eth0 && ip route add 172.31.0.0/24 dev eth0 &&"
            + " ip neighbour add 10.0.0.77 lladdr 02:00:00:00:00:77 dev eth0"
        let follower = try Labctl.start([
            "events", "-l", lab.name, "-f", "--kind", "lost,stall,neighbour,route-added",
        ])
        kill(supervisor, SIGSTOP)
        let storm = try? Labctl.tool(
            "/usr/sbin/ip", "netns", "exec", "\(lab.name)-a", "sh", "-c", flaps)
        kill(supervisor, SIGCONT)
        #expect(storm?.status == 0, "\(storm?.errors ?? "it did not run")")
        let told = try follower.awaitOutput(
            "10.0.0.77 on eth0 is at 02:00:00:00:00:77, permanent", within: .seconds(120))
        #expect(
            told.contains("notifications lost; read anew: links, addresses, routes, neighbours"))
        #expect(told.contains("route added: 172.31.0.0/24 dev eth0"))
        if NetlinkOverrun.isLong { #expect(told.contains("this machine stood still for")) }
        let addresses = try lab.status().node("a").interface("eth0").addresses
        #expect(addresses.contains("172.30.0.2/32") && !addresses.contains("172.30.0.1/32"))
        follower.signal(SIGTERM)
        _ = try follower.finish()
        try lab.down()
    }
}
