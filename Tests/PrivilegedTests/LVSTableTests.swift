import CLinux
import Glibc
import LinuxSystem
import Netlink
import NetworkTypes
import SystemPackage
import Testing

/// Whether this kernel balances.
private let hasIPVS: Bool = {
    do {
        _ = try IPVSSocket()
        return true
    } catch {
        return false
    }
}()

/// What `ipvsadm -Sn` says after keepalived 2.2.7 has read a file, it says after our agent has. The
/// real servers are on no network, so that checks fail at once and nothing is forwarded.
@Suite(
    "LVS: the kernel's table",
    .enabled(if: geteuid() == 0, "needs root"),
    .enabled(if: hasIPVS, "this kernel has no ip_vs: user-mode Linux runs it"), .serialized)
struct LVSTableTests {
    private static let schedulers = ["rr", "wrr", "lc", "wlc", "sh", "mh", "sed", "nq"]

    /// A service with two machines behind it.
    private static func service(
        _ target: String, _ lines: String, server: String = "", ports: String = " 80",
        family: String = "192.0.2."
    ) -> String {
        """
        virtual_server \(target) {
        \(lines)
            real_server \(family)10\(ports) {
                weight 3
        \(server)
            }
            real_server \(family)20\(ports) {
                weight 1
        \(server)
            }
        }

        """
    }

    private static let tcp = "protocol TCP\n"

    /// Configurations, each of a machine of its own.
    private static let cases: [(name: String, text: String)] =
        [
            (
                "every scheduler",
                schedulers.enumerated().map { number, scheduler in
                    service("192.0.2.100 8\(number)", "lb_algo \(scheduler)\nlb_kind DR\n\(tcp)")
                }.joined()
            ),
            (
                "every method",
                ["NAT", "DR", "TUN"].enumerated().map { number, method in
                    service(
                        "192.0.2.100 8\(number)", "lb_algo wrr\nlb_kind \(method)\n\(tcp)",
                        ports: method == "NAT" ? " 8080" : "")
                }.joined()
            ),
            (
                "persistence",
                service(
                    "192.0.2.100 80", "lb_algo rr\nlb_kind DR\npersistence_timeout 50\n\(tcp)")
                    + service(
                        "192.0.2.101 80",
                        "lb_algo rr\nlb_kind NAT\npersistence_timeout 600\n"
                            + "persistence_granularity 255.255.255.0\n\(tcp)")
            ),
            (
                "a firewall mark",
                service("fwmark 7", "lb_algo rr\nlb_kind DR\n", ports: "")
                    + service("fwmark 8", "lb_algo wlc\nlb_kind NAT\n", ports: " 8080")
            ),
            (
                "a group",
                """
                virtual_server_group WEB {
                    192.0.2.100-103 80
                    192.0.2.200 443
                    fwmark 9
                }

                """ + service("group WEB", "lb_algo rr\nlb_kind DR\n\(tcp)")
            ),
            (
                "IPv6, and flags of schedulers",
                service(
                    "2001:db8::100 80", "lb_algo sh\nsh-port\nsh-fallback\nlb_kind DR\n\(tcp)",
                    family: "2001:db8::")
                    + service(
                        "192.0.2.100 53", "lb_algo rr\nops\nlb_kind NAT\nprotocol UDP\n",
                        ports: " 53")
            ),
            (
                "the sorry server, for machines that nobody reaches",
                service(
                    "192.0.2.100 80",
                    "lb_algo rr\nlb_kind DR\ndelay_loop 1\nsorry_server 192.0.2.30 80\n\(tcp)",
                    server: "TCP_CHECK {\nconnect_timeout 1\nretry 0\nwarmup 0\n}\n")
            ),
            (
                "inhibit_on_failure, for machines that nobody reaches",
                service(
                    "192.0.2.100 80", "lb_algo wlc\nlb_kind NAT\ndelay_loop 1\n\(tcp)",
                    server:
                        "inhibit_on_failure\nTCP_CHECK {\nconnect_timeout 1\nretry 0\nwarmup 0\n}\n"
                )
            ),
            (
                "alpha, and limits",
                service(
                    "192.0.2.100 80", "alpha\nlb_algo wlc\nlb_kind NAT\n\(tcp)",
                    server: "TCP_CHECK {\nconnect_timeout 1\n}\n")
                    + service(
                        "192.0.2.101 80", "lb_algo wlc\nlb_kind NAT\n\(tcp)",
                        server: "uthreshold 100\nlthreshold 20\n")
            ),
        ]

    /// Whether the tables are what failed checks make of them: the sorry server is in, and what is
    /// inhibited has no weight.
    private static func checksFailed(_ tables: [[String]]) -> Bool {
        let entries = tables.joined()
        return entries.contains { $0.contains("192.0.2.30:80") }
            && entries.count { $0.hasSuffix("-w 0") } == 2
    }

    /// A director: a program, and the table of the kernel it is alone with.
    private final class Director {
        let machine: TestNamespace
        let agent: AgentProcess

        init(_ text: String, _ program: AgentProcess.Program, test: String) throws {
            machine = try TestNamespace()
            try machine.socket.perform(.set(.loopback, .up))
            agent = try AgentProcess(
                "global_defs {\n}\n" + text, in: machine.namespace, test: test, program: program,
                options: [
                    "-l", "-C", "-c", "/tmp/vrrp-agent-\(getpid())-\(test)/checkers.pid",
                ])
        }

        func table() throws -> [String] {
            try machine.namespace.run {
                let pipe = try #require(popen("ipvsadm -Sn", "r"))
                let output = String(
                    decoding: try FileSystem.readAll(fileno(pipe), name: "ipvsadm"), as: UTF8.self)
                try #require(pclose(pipe) == 0)
                return output.split(separator: "\n").map(String.init).sorted()
            }
        }
    }

    @Test("equals keepalived's for the same file, entry by entry, and is empty after the end")
    func tables() throws {
        // All at once: what takes time is that checks fail.
        let pairs = try Self.cases.enumerated().map { number, configuration in
            (
                name: configuration.name,
                theirs: try Director(configuration.text, .keepalived, test: "ipvs-k\(number)"),
                ours: try Director(configuration.text, .ours, test: "ipvs-o\(number)")
            )
        }
        func tables() throws -> [(theirs: [String], ours: [String])] {
            try pairs.map { (try $0.theirs.table(), try $0.ours.table()) }
        }
        // Looking is a process each, which takes from the daemons what they need under user-mode
        // Linux: so it is done seldom. Three looks alike: no table is halfway.
        var last = try tables()
        var alike = 0
        let deadline = MonotonicClock.now + .seconds(240)
        while alike < 3, MonotonicClock.now < deadline {
            usleep(500_000)
            let now = try tables()
            let settled =
                now.elementsEqual(last, by: ==)
                && now.allSatisfy {
                    !$0.theirs.isEmpty && $0.theirs == $0.ours
                }
            alike = settled && Self.checksFailed(now.map(\.theirs)) ? alike + 1 : 0
            last = now
        }
        #expect(alike == 3, "the tables never were settled and equal")
        for (pair, tables) in zip(pairs, last) {
            #expect(
                tables.theirs == tables.ours,
                "\(pair.name)\n\(pair.ours.agent.log)\n\(pair.theirs.agent.log)")
            try pair.theirs.agent.end()
            try pair.ours.agent.end()
        }
        #expect(try tables().allSatisfy { $0.theirs.isEmpty && $0.ours.isEmpty })
    }

    @Test("what is written is read back: services, destinations, masks, limits and tunnels")
    func roundTrip() throws {
        let machine = try TestNamespace()
        // Without a table of local addresses the kernel takes every address for a broadcast.
        try machine.socket.perform(.set(.loopback, .up))
        try machine.namespace.run {
            let socket = try IPVSSocket()
            let address = try #require(IPAddress("192.0.2.100"))
            let real = try #require(IPAddress("192.0.2.10"))
            let service = IPVSService(
                .address(address, transport: .tcp, port: 80), scheduler: "wlc",
                persistence: .init(timeoutSeconds: 50, prefixLength: 24))
            var first = IPVSDestination(real, port: 80, .directRouting, weight: 5)
            first.upperThreshold = 100
            first.lowerThreshold = 20
            let second = IPVSDestination(
                try #require(IPAddress("192.0.2.20")), port: 80,
                .tunnel(.init(type: 1, port: 5555, flags: 1)), weight: 0)
            try socket.perform(.addService(service))
            for destination in [first, second] {
                try socket.perform(.addDestination(destination, to: service))
            }
            #expect(try socket.services() == [service])
            #expect(Set(try socket.destinations(of: service)) == [first, second])
            do throws(NetlinkError) {
                try socket.perform(.addService(service))
                Issue.record("a service was added twice")
            } catch {
                #expect(error.code == .fileExists)
                #expect("\(error)".contains("ipvsadm -A -t 192.0.2.100:80 -s wlc -p 50 -M"))
            }
            try socket.perform(.flush)
            #expect(try socket.services().isEmpty)
        }
    }

    @Test("the lab lvs-dr passes with our agent and with keepalived")
    func lab() throws {
        for daemon in ["vrrp-agent", "keepalived"] {
            let run = try Labctl.run(
                "test", "Labs/lvs-dr", "--name", "\(labPrefix)lvs", "--vrrp", daemon,
                // Everything takes longer under user-mode Linux: 70 s on two idle cores.
                within: .seconds(600))
            #expect(run.status == 0, "\(daemon):\n\(run.output)\(run.errors)")
            #expect(run.output.contains("\n4 passed, 0 failed in "), "\(run.output)")
        }
    }

    @Test(
        "the tutorial's virtual_server has one real server left: its standby's httpd does not run")
    func tutorial() throws {
        let run = try Labctl.run(
            "test", "Labs/httpd-ha", "--name", "\(labPrefix)lvs", "--scenario", "lvs",
            within: .seconds(600))
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        #expect(run.output.contains("\n1 passed, 0 failed in "), "\(run.output)")
    }
}
