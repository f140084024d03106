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

    @Test(
        "global_defs: what only keepalived acts on is checked as keepalived checks it",
        arguments: [
            // As keepalived 2.2.7 says when it tests the file.
            ("lvs_flush_on_stop x", ["Unknown lvs_flush_on_stop type x"]),
            ("lvs_flush_on_stop VS", []),
            ("lvs_timeouts tcp x", ["Invalid lvs_timeout tcp (x) - ignoring"]),
            ("lvs_timeouts tcp 2678401", ["Invalid lvs_timeout tcp (2678401) - ignoring"]),
            ("lvs_timeouts tcp 5 udp", ["No value specified for lvs_timeout udp - ignoring"]),
            (
                "lvs_timeouts foo 5",
                [
                    "Unknown option foo specified for lvs_timeouts",
                    "Unknown option 5 specified for lvs_timeouts",
                ]
            ),
            ("lvs_sync_daemon eth0 V id 300", ["Invalid syncid (300) - defaulting to vrid"]),
            ("lvs_sync_daemon eth0 V id 30 ttl 7 group 224.0.0.9", []),
            (
                "lvs_sync_daemon eth0 V 30",
                ["Please use keyword \"id\" before lvs_sync_daemon SYNCID"]
            ),
            (
                "lvs_sync_daemon eth0 inst V inst W",
                ["lvs_sync_daemon vrrp instance has already been specified as V - ignoring"]
            ),
            (
                "lvs_sync_daemon eth0 V maxlen 0 foo",
                [
                    "Invalid lvs_sync_daemon maxlen (0) - ignoring",
                    "Unknown option foo specified for lvs_sync_daemon",
                ]
            ),
            (
                "lvs_sync_daemon eth0 V group 10.0.0.1",
                ["lvs_sync_daemon group address 10.0.0.1 is not multicast - ignoring"]
            ),
            (
                "lvs_sync_daemon eth0 V\nlvs_sync_daemon eth1 W",
                ["lvs_sync_daemon has already been specified as eth0 V - ignoring"]
            ),
            ("vrrp_netlink_cmd_rcv_bufs x", ["vrrp_netlink_cmd_rcv_bufs size (x) invalid"]),
            ("process_monitor_rcv_bufs", ["process_monitor_rcv_bufs size missing"]),
            (
                "vrrp_netlink_cmd_rcv_bufs_force maybe",
                [
                    "Invalid value 'maybe' for global vrrp_netlink_cmd_rcv_bufs_force specified"
                ]
            ),
            ("reload_time_file", ["reload_time_file invalid"]),
            ("snmp_socket", ["SNMP error : snmp socket name missing"]),
            ("snmp_socket a\nsnmp_socket b", ["SNMP socket already set to a - ignoring"]),
            ("dbus_service_name", ["dbus_service_name missing - ignoring"]),
        ])
    func ignoredGlobals(_ lines: String, _ messages: [String]) {
        let parsed = parse("global_defs {\n\(lines)\n}\n" + instance(""))
        let complaints = parsed.diagnostics.filter(\.isComplaint)
        #expect(complaints.count == messages.count)
        for (complaint, message) in zip(complaints, messages) {
            // Of a number, it says what is wrong with it besides.
            let isSaid =
                complaint.message == message || complaint.detail?.hasSuffix(message) == true
            #expect(isSaid, "\(complaint)")
        }
        #expect(parsed.testStatus == (messages.isEmpty ? .accepted : .complaints))
    }

    @Test("global_defs: lvs_sync_daemon's inst without a name ends keepalived")
    func syncInstanceWithoutName() {
        let parsed = parse("global_defs {\nlvs_sync_daemon eth0 inst\n}\n" + instance(""))
        #expect(parsed.testStatus == .missingParameter)
        let complaint = parsed.diagnostics.first(where: \.isComplaint)
        #expect(complaint?.message.hasSuffix("`inst` at word position 4") == true)
    }

    @Test("track_group: one name, each once, with members")
    func trackGroups() {
        let group = "group {\nVI_1\n}\n}\n"
        let text =
            "track_group {\n\(group)track_group T {\n\(group)track_group T {\n\(group)"
            + "track_group U {\ngroup {\n}\n}\n"
        let parsed = parse(text + instance(""))
        #expect(
            parsed.diagnostics.filter(\.isComplaint).map { "\($0.position.line): \($0.message)" }
                == [
                    "1: track_group must have a name - skipping",
                    "11: track_group T already defined",
                    "18: Warning - track group U has empty group block",
                ])
        #expect(parsed.testStatus == .complaints)
        let twice = parse("track_group T {\ngroup {\nVI_1\n}\n\(group)" + instance(""))
        #expect(
            twice.diagnostics.filter(\.isComplaint).map(\.message)
                == ["Group list already specified for sync group T"])
    }

    @Test("the track_group of a static entry has to be there before it")
    func trackGroupOfStaticEntries() {
        let group = "track_group T {\ngroup {\nVI_1\n}\n}\n"
        let entries = """
            static_ipaddress {
                172.31.0.1/24 dev eth0 track_group T
            }
            static_routes {
                10.50.0.0/16 via 10.10.10.250 dev eth0 track_group T
            }
            static_rules {
                from 172.31.0.0/24 iif eth0 table 31 priority 31 track_group T
            }

            """
        func complaints(_ text: String) -> [String] {
            let parsed = parse(text + instance(""))
            let configuration = parsed.configuration
            #expect(configuration.staticAddresses.count == 1)
            #expect(configuration.staticRoutes.count == 1 && configuration.staticRules.count == 1)
            return parsed.diagnostics.filter(\.isComplaint).map {
                "\($0.position.line): \($0.message)"
            }
        }
        #expect(complaints(group + entries) == [])
        #expect(
            complaints(entries + group)
                == [2, 5, 8].map { "\($0): track_group T not found" })
    }
}
