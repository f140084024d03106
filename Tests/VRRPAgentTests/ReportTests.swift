import KeepalivedConf
import LinuxSystem
import NetworkTypes
import Testing
import VRRP

@testable import VRRPAgent

@Suite("keepalived.json, keepalived.data and keepalived.stats")
struct ReportTests {
    @Test(
        "the JSON dump is byte for byte keepalived's",
        arguments: ["plain", "v6", "vmac", "fault", "groups"])
    func json(_ name: String) throws {
        let fixture = try ReportFixture(name)
        let ours = try #require(InstanceJSON.text(try fixture.report()))
        // Field by field first, so that a failure says which.
        let (own, theirs) = (fields(ours), fields(fixture.json))
        for (one, other) in zip(own, theirs) { #expect(one == other) }
        #expect(ours == fixture.json)
    }

    private func fields(_ json: String) -> [String] {
        json.components(separatedBy: ",\"")
    }

    @Test("without instances there is no JSON, as in keepalived")
    func emptyJSON() {
        #expect(
            InstanceJSON.text(AgentReport(configuration: Configuration(), routerID: "x")) == nil)
    }

    @Test("the statistics are byte for byte keepalived's")
    func statistics() throws {
        let report = try ReportFixture("plain").report()
        #expect(try StatisticsReport.text(report) == ReportFixture.text("plain.stats"))
    }

    @Test(
        "the data dump has keepalived's lines about instances",
        arguments: ["plain", "v6", "vmac"])
    func data(_ name: String) throws {
        let report = try ReportFixture(name).report()
        let ours = StateReport.text(report) { _ in "Sat Nov 21 16:43:11 2026" }
            .components(separatedBy: "------< VRRP Topology >------\n").last!
        let recorded = try ReportFixture.text("\(name).data")
            .components(separatedBy: "------< VRRP Topology >------\n").last!
            .components(separatedBy: "------< VRRP Sockpool >------\n").first!
        let own = ours.components(separatedBy: "------<").first!.split(separator: "\n")
        let theirs = recorded.split(separator: "\n")
        // Descriptors and times are the run's.
        let ofRun = [
            "   fd_in", "   No sockets", "   Last transition", "   Read timeout",
            "   Master down timer", "   Using src_ip", "   Multicast address ff02",
            "   Use VMAC, i/f name",
        ]
        func comparable(_ lines: [Substring]) -> [Substring] {
            lines.filter { line in !ofRun.contains { line.hasPrefix($0) } }
        }
        #expect(comparable(own) == comparable(theirs))
    }

    @Test(
        "seconds as printf's %g has them",
        arguments: [
            (1_000_000, "1"), (250_000, "0.25"), (10_000, "0.01"), (0, "0"), (1_500_000, "1.5"),
            (40_950_000, "40.95"), (255_000_000, "255"), (1_234_567, "1.23457"),
        ])
    func shortSeconds(_ microseconds: Int, _ text: String) {
        #expect(Duration.microseconds(microseconds).shortSeconds == text)
    }

    @Test("a time tells microseconds, before the year for people")
    func wallTime() {
        let time = AgentReport.WallTime(nanoseconds: 1_795_279_391_006_679_999)
        #expect(time.seconds == "1795279391.006679")
        #expect(
            time.text { _ in "Sat Nov 21 16:43:11 2026" }
                == "1795279391.006679 (Sat Nov 21 16:43:11.006679 2026)")
    }
}

@Suite("Routes and rules in the dumps")
struct ObjectTextTests {
    private let position = SourcePosition(file: "x", line: 1, column: 1)

    private func route(_ text: String) throws -> RouteDefinition {
        let parts = text.split(separator: "/")
        let prefix = IPPrefix(
            containing: try #require(IPAddress(String(parts[0]))),
            length: try #require(Int(parts[1])))
        return RouteDefinition(destination: prefix, position: position)
    }

    /// Lines of `virtual_routes`, and each as keepalived 2.2.7 dumps it once it is set.
    private static let recordedRoutes = """
        10.50.0.0/16 src 10.10.10.50 via 10.10.10.254 dev eth0
        prepend 10.50.0.0/16 src 10.10.10.50 via inet 10.10.10.254 dev eth0 proto 18
        10.51.0.0/16 via 10.10.10.254 dev eth0 table 100 scope global metric 30
        prepend 10.51.0.0/16 via inet 10.10.10.254 dev eth0 table 100 proto 18 scope 0 metric 30
        10.52.0.0/16 dev eth0 no_track
        prepend 10.52.0.0/16 dev eth0 no_track
        10.53.0.0/16 via 10.10.10.254
        prepend 10.53.0.0/16 via inet 10.10.10.254 proto 18 no_track
        unreachable 10.54.0.0/16 dev eth0
        add unreachable 10.54.0.0/16 dev eth0 proto 18
        throw 10.55.0.0/16 append no_track
        append throw 10.55.0.0/16 no_track
        prepend blackhole 10.56.0.0/16 no_track
        add blackhole 10.56.0.0/16 no_track
        10.57.0.0/16 dev eth0 no_track protocol 77
        prepend 10.57.0.0/16 dev eth0 proto 77 no_track
        10.58.0.0/16 realms 5 via 10.10.10.3 dev eth0
        prepend 10.58.0.0/16 via inet 10.10.10.3 dev eth0 proto 18 realm 5
        10.59.0.0/16 realms 5/6 dev eth0 metric 7
        prepend 10.59.0.0/16 dev eth0 proto 18 metric 7 realms 5/6
        10.60.0.0/16 dev eth0 congctl cubic ttl-propagate enabled
        prepend 10.60.0.0/16 dev eth0 proto 18 congctl cubic ttl-propagate enabled
        10.61.0.0/16 tos 4 onlink via 10.99.0.1 dev eth0
        prepend 10.61.0.0/16 tos 4 via inet 10.99.0.1 dev eth0 proto 18 onlink
        default via 10.10.10.254 dev eth0 table 101 advmss 1300 mtu lock 1400 rtt 200ms window 1000
        prepend 0.0.0.0/0 via inet 10.10.10.254 dev eth0 table 101 proto 18 rtt 200ms \
        mtu lock 1400 window 1000 advmss 1300
        10.62.0.0/16 no_track nexthop via 10.10.10.2 dev eth0 nexthop via 10.10.10.3 weight 1
        prepend 10.62.0.0/16 nexthop via inet 10.10.10.2 dev eth0 nexthop via inet 10.10.10.3 \
        weight 1 no_track
        10.63.0.0/16 nexthop via 10.10.10.2 dev eth0 weight 2 onlink
        prepend 10.63.0.0/16 proto 18 nexthop via inet 10.10.10.2 dev eth0 weight 2 onlink no_track
        fd00:98::/64 dev eth0 metric 1024
        prepend fd00:98::/64 dev eth0 proto 18 metric 1024
        fd00:97::/64 dev eth0 pref high expires 100
        prepend fd00:97::/64 dev eth0 proto 18 expires 100sec pref high [installed ifindex 0]
        """

    @Test("routes are written as keepalived 2.2.7 writes them (recorded)")
    func routes() throws {
        let lines = Self.recordedRoutes.split(separator: "\n").map(String.init)
        for index in stride(from: 0, to: lines.count, by: 2) {
            let text = """
                vrrp_instance VI_1 {
                interface eth0
                virtual_router_id 51
                virtual_routes {
                \(lines[index])
                }
                }
                """
            let configuration = Configuration.parse(text, file: "c.conf").configuration
            let instance = try #require(configuration.instances.first)
            var report = RouteReport(route: try #require(instance.virtualRoutes.first))
            report.isSet = true
            #expect(report.description == lines[index + 1])
        }
    }

    @Test("rules are written as keepalived 2.2.7 writes them (recorded)")
    func rules() throws {
        func prefix(_ text: String) throws -> IPPrefix { try route(text).destination }
        var rule = RuleDefinition(family: .v4, position: position)
        rule.from = try prefix("10.60.0.0/16")
        rule.priority = 16383
        rule.table = 100
        #expect(
            rule.reportText
                == "from 10.60.0.0/16 priority 16383 tos 0x0 protocol 18 lookup 100")
        var to = RuleDefinition(family: .v4, position: position)
        to.to = try prefix("10.61.0.0/16")
        to.priority = 200
        to.table = 101
        #expect(
            to.reportText
                == "from all to 10.61.0.0/16 priority 200 tos 0x0 protocol 18 lookup 101")
        var not = RuleDefinition(family: .v4, position: position)
        not.isInverted = true
        not.from = try prefix("10.62.0.0/16")
        not.priority = 302
        not.action = .unreachable
        #expect(
            not.reportText
                == "not from 10.62.0.0/16 priority 302 tos 0x0 protocol 18 type unreachable")
        var suppressing = RuleDefinition(family: .v4, position: position)
        suppressing.from = try prefix("10.65.0.0/16")
        suppressing.priority = 305
        suppressing.suppressedPrefixLength = 0
        suppressing.suppressedInterfaceGroup = 3
        suppressing.table = 254
        #expect(
            suppressing.reportText
                == "from 10.65.0.0/16 priority 305 tos 0x0 suppress_prefixlen 0 suppress_ifgroup 3"
                + " protocol 18 lookup 254")
        rule.realms = 3 << 16 | 4
        rule.priority = 307
        #expect(
            rule.reportText
                == "from 10.60.0.0/16 priority 307 tos 0x0 protocol 18 realms 3/4 lookup 100")
    }

    @Test("what a rule asks of a packet is written in keepalived 2.2.7's order (recorded)")
    func ruleConditions() throws {
        let text = """
            vrrp_instance V {
            interface eth0
            virtual_router_id 51
            virtual_ipaddress {
            10.10.10.10
            }
            virtual_rules {
            from 10.1.1.1 ipproto 17 sport 10-20 dport 80-80 table 5 priority 1301
            from 10.1.1.2 uidrange 5-10 table 5 priority 1302
            from 10.1.1.3 tunnel-id 7 table 5 priority 1303 no_track
            from 10.1.1.4 l3mdev priority 1304
            from 10.1.1.5 table 5 protocol 4 no_track priority 1305
            iif eth0 oif lo dport 1-2 uidrange 0-0 suppress_prefixlength 3 table 5 priority 1307
            }
            }
            """
        let configuration = Configuration.parse(text, file: "c.conf").configuration
        let instance = try #require(configuration.instances.first)
        #expect(
            instance.virtualRules.map(\.reportText) == [
                "from 10.1.1.1 priority 1301 tos 0x0 protocol 18 ipproto 17 sport 10-20 dport 80-80"
                    + " lookup 5",
                "from 10.1.1.2 priority 1302 tos 0x0 uidrange 5-10 protocol 18 lookup 5",
                "from 10.1.1.3 priority 1303 tos 0x0 tunnel-id 7 lookup 5 no_track",
                "from 10.1.1.4 priority 1304 tos 0x0 l3mdev protocol 18 lookup 0",
                "from 10.1.1.5 priority 1305 tos 0x0 protocol 4 lookup 5 no_track",
                "from all priority 1307 tos 0x0 iif eth0 oif lo suppress_prefixlen 3 uidrange 0-0"
                    + " protocol 18 dport 1-2 lookup 5",
            ])
    }
}
