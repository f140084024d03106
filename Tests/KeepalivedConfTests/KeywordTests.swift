import KeepalivedConf
import NetworkTypes
import Testing

@Suite("Routes, rules, groups and interfaces of an instance's own")
struct KeywordTests {
    @Test("a route in iproute2's words, metrics by the kernel's numbers")
    func routes() throws {
        let parsed = parse(
            instance(
                """
                virtual_routes {
                198.51.100.0/24 via 192.0.2.9 dev eth0 table 200 metric 5 mtu lock 1400 rtt 2s
                default dev eth0 no_track
                inet6 default via fe80::1 dev eth0
                blackhole 203.0.113.0/24 no_track
                203.0.113.0/24 dev eth0 nexthop via 192.0.2.7 weight 2 nexthop via 192.0.2.8
                }
                """))
        let routes = try parsed.only.virtualRoutes
        try #require(routes.count == 5)
        #expect(routes[0].destination == IPPrefix("198.51.100.0/24"))
        #expect(routes[0].gateway == IPAddress("192.0.2.9"))
        #expect(routes[0].table == 200 && routes[0].metric == 5)
        #expect(
            routes[0].metrics == [
                RouteDefinition.Metric(number: 2, value: 1400, isLocked: true),
                RouteDefinition.Metric(number: 4, value: 16000),
            ])
        #expect(routes[0].isTracked && routes[0].routeProtocol == 18)
        #expect(routes[1].destination == IPPrefix("0.0.0.0/0") && !routes[1].isTracked)
        #expect(routes[2].destination == IPPrefix("::/0"))
        #expect(routes[3].type == .blackhole)
        #expect(routes[4].nextHops.map(\.weight) == [2, nil])
    }

    @Test("a rule without a preference gets the next one down, each family by itself")
    func rules() throws {
        let parsed = parse(
            instance(
                """
                virtual_rules {
                from 192.0.2.0/24 table 100
                from 2001:db8::/32 lookup main
                to 192.0.2.0/24 table 101
                fwmark 0x10/0xff blackhole priority 7
                }
                """))
        let rules = try parsed.only.virtualRules
        #expect(rules.map(\.priority) == [16384, 16384, 16383, 7])
        #expect(rules.map(\.family) == [.v4, .v6, .v4, .v4])
        #expect(rules[1].table == 254)
        #expect(
            rules[3].firewallMark == RuleDefinition.FirewallMark(value: 0x10, mask: 0xff))
        #expect(rules[3].action == .blackhole)
    }

    @Test("use_vmac: a name of its own, the addresses of its interface and family on it")
    func virtualInterface() throws {
        let parsed = parse(
            instance(
                "use_vmac\nvirtual_ipaddress_excluded {\n2001:db8::1\n}",
                addresses: "192.0.2.1\n192.0.2.2 dev eth1\n192.0.2.3 dev eth1 use_vmac"))
        let only = try parsed.only
        let name = try #require(InterfaceName("vrrp.51"))
        #expect(only.virtualInterface?.name == name)
        #expect(only.virtualInterface?.address == nil)
        let eth1 = try #require(InterfaceName("eth1"))
        #expect(
            only.virtualAddresses.map { only.device(for: $0) } == [
                .interface(name), .interface(eth1), .macvlan(above: eth1),
            ])
        #expect(
            only.excludedAddresses.map { only.device(for: $0) } == [.interface(only.interface)])
    }

    @Test("a macvlan's address of five octets ends in the VRID")
    func addressOfFiveOctets() throws {
        let only = try parse(instance("use_vmac 02:00:00:00:09 v")).only
        #expect(only.virtualInterface?.address == MACAddress("02:00:00:00:09:33"))
        #expect(only.virtualInterface?.name == InterfaceName("v"))
    }

    @Test("a group clears its members' weights but for interfaces; its name is with them")
    func syncGroup() throws {
        let script = "vrrp_script s {\nscript /bin/true\nweight 5\n}\n"
        let group = "vrrp_sync_group G {\ngroup { VI_1 VI_2 }\nnotify /bin/true\n}\n"
        let second = instance("", addresses: "192.0.2.2").replacing("VI_1", with: "VI_2")
            .replacing("51", with: "52")
        let tracked = "track_script {\ns\n}\ntrack_interface {\neth1 weight 7\n}"
        let parsed = parse(script + group + instance(tracked) + "\n" + second)
        let first = try #require(parsed.configuration.instance(named: "VI_1"))
        #expect(first.syncGroup == "G")
        #expect(first.trackedScripts.isEmpty && first.trackedInterfaces.map(\.weight) == [7])
        let definition = try #require(parsed.configuration.syncGroups.first)
        #expect(definition.members == ["VI_1", "VI_2"])
        #expect(definition.notify.any?.arguments == ["/bin/true"])
        #expect(!definition.usesTrackingWeights)
    }

    @Test("an instance that can never run says why: unicast without a peer, ipvlan without address")
    func configurationFaults() throws {
        #expect(try parse(instance("unicast_fault_no_peer")).only.configurationFaults.count == 1)
        #expect(try parse(instance("use_ipvlan")).only.configurationFaults.count == 1)
        #expect(try parse(instance("")).only.configurationFaults.isEmpty)
    }

    @Test("--config-test: 0, 2 for a missing parameter, 5 for any complaint, 6 for scripts")
    func testStatus() {
        #expect(parse(instance("")).testStatus == .accepted)
        #expect(parse(instance("priority")).testStatus == .missingParameter)
        #expect(parse(instance("priority 999")).testStatus == .complaints)
        #expect(parse(instance("virtual_router_id 0")).testStatus == .complaints)
        #expect(parse(instance("kernel_rx_buf_size 9")).testStatus == .accepted)
        #expect(
            ConfigurationTestStatus(of: [], violatesScriptSecurity: true) == .unsafe)
        let lost = parse(instance("", addresses: "192.0.2.1\n2001:db8::1"))
        #expect(lost.testStatus == .complaints && lost.wouldRun)
    }
}
