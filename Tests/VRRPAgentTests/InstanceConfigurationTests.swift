import KeepalivedConf
import NetworkTypes
import Testing
import VRRP

@testable import VRRPAgent

@Suite("From keepalived.conf to a router")
struct InstanceConfigurationTests {
    private func parse(_ lines: String, priority: Int = 100) -> ParsedConfiguration {
        Configuration.parse(
            """
            vrrp_instance VI_1 {
                interface eth0
                virtual_router_id 51
                priority \(priority)
                virtual_ipaddress {
                    10.10.10.10
                    10.10.10.11/24
                }
            \(lines)
            }
            """, file: "x.conf")
    }

    private func router(_ lines: String) throws -> VirtualRouter.Configuration {
        let configuration = parse(lines).configuration
        let instance = try #require(configuration.instances.first)
        return try instance.routerConfiguration(
            configuration.settings(startsAsMaster: false)[0])
    }

    @Test("what is not written has keepalived's defaults")
    func defaults() throws {
        let expected = VirtualRouter.Configuration(
            name: "VI_1", vrid: 51,
            addresses: [.v4(IPv4Address(10, 10, 10, 10)), .v4(IPv4Address(10, 10, 10, 11))])
        #expect(try router("") == expected)
    }

    @Test("the interfaces of addresses, routes and rules are tracked, and without weight")
    func carriers() throws {
        let configuration = parse(
            """
            track_interface {
                eth1 weight 7
                eth9 weight 9
            }
            virtual_ipaddress_excluded {
                10.20.20.1 dev eth1
                10.20.20.2 dev eth2 no_track
                10.20.20.3 dev eth0
            }
            virtual_routes {
                10.30.0.0/16 dev eth3
                10.31.0.0/16 dev eth4 no_track
            }
            virtual_rules {
                from 10.40.0.0/16 iif eth5 table 100
            }
            """
        ).configuration
        let instance = try #require(configuration.instances.first)
        let setting = InstanceSetting(
            instance, group: nil, in: configuration, startsAsMaster: false)
        #expect(
            setting.weights == [
                .interface("eth1"): .init(0), .interface("eth9"): .init(9),
                .interface("eth3"): .init(0), .interface("eth5"): .init(0),
            ])
    }

    @Test("every keyword reaches the router")
    func keywords() throws {
        let router = try router(
            """
            advert_int 3
            nopreempt
            preempt_delay 7
            garp_master_delay 0
            garp_master_repeat 2
            garp_master_refresh 60
            garp_master_refresh_repeat 3
            garp_lower_prio_delay 4
            garp_lower_prio_repeat 1
            authentication {
                auth_type PASS
                auth_pass passwordhere
            }
            """)
        #expect(router.advertisementInterval == .seconds(3))
        #expect(!router.preempts)
        #expect(router.authentication == .password(.init(truncating: "password")))
        #expect(
            router.announcements
                == .init(
                    masterRepeat: 2, masterDelay: nil, refreshInterval: .seconds(60),
                    refreshRepeat: 3, lowerPriorityRepeat: 1, lowerPriorityDelay: .seconds(4)))
    }

    @Test("what goes on through a reload is what is the same on the wire, whatever its name")
    func sameRouter() throws {
        func instance(_ lines: String, named name: String = "VI_1") throws -> VRRPInstance {
            var instance = try #require(parse(lines).configuration.instances.first)
            instance.name = name
            return instance
        }
        let plain = try instance("")
        #expect(plain.isSameRouter(as: try instance("version 3\nadvert_int 2")))
        #expect(plain.isSameRouter(as: try instance("", named: "other")))
        #expect(try !plain.isSameRouter(as: instance("virtual_router_id 52")))
        #expect(try !plain.isSameRouter(as: instance("interface eth1", named: "other")))
        #expect(try !plain.isSameRouter(as: instance("use_vmac", named: "other")))
        // By unicast several may have one number: of those that are renamed the source tells which.
        func unicast(_ number: Int, named name: String) throws -> VRRPInstance {
            try instance(
                "unicast_src_ip 10.0.0.\(number)\nunicast_peer {\n10.0.0.9\n}", named: name)
        }
        let first = try unicast(1, named: "one")
        #expect(try first.isSameRouter(as: unicast(1, named: "other")))
        #expect(try first.isSameRouter(as: unicast(2, named: "one")))
        #expect(try !first.isSameRouter(as: unicast(2, named: "other")))
        #expect(try !plain.isSameRouter(as: unicast(1, named: "other")))
    }

    @Test("preempt_delay 0 is none")
    func preemptionDelay() throws {
        #expect(try router("preempt_delay 7").preemptionDelay == .seconds(7))
        #expect(try router("preempt_delay 0").preemptionDelay == nil)
    }

    @Test("keepalived clears nopreempt where state is MASTER, so the router preempts")
    func clearedNopreempt() throws {
        #expect(try router("state MASTER\n nopreempt").preempts)
        #expect(try !router("state BACKUP\n nopreempt").preempts)
    }

    @Test("version 3 and an authentication header are the router's")
    func versions() throws {
        let router = try router("version 3\n advert_int 0.05")
        #expect(router.version == 3)
        #expect(router.advertisementInterval == .milliseconds(50))
        let signed = try self.router("authentication {\n auth_type AH\n auth_pass secret\n }")
        #expect(signed.authentication == .header(AuthenticationPassword(truncating: "secret")))
    }

    @Test("`state MASTER` starts as master only where that is asked for, and only then")
    func startAsMaster() throws {
        for (state, asked, starts) in [
            ("MASTER", true, true), ("MASTER", false, false), ("BACKUP", true, false),
        ] {
            let configuration = parse("state \(state)").configuration
            let instance = try #require(configuration.instances.first)
            let setting = configuration.settings(startsAsMaster: asked)[0]
            #expect(try instance.routerConfiguration(setting).startsAsMaster == starts)
        }
    }

    @Test("a member of a sync group is told what that tracks, others are not")
    func groupSetting() {
        let text = ["VI_1", "VI_2"].enumerated().map { index, name in
            """
            vrrp_instance \(name) {
                interface eth0
                virtual_router_id \(51 + index)
            }

            """
        }
        let group = """
            vrrp_sync_group G {
                group { VI_2 }
                track_interface { eth0 weight 10
                    eth1 }
            }
            """
        let configuration = Configuration.parse(text.joined() + group, file: "x.conf").configuration
        let settings = configuration.settings(startsAsMaster: false)
        #expect(settings.map(\.isInGroup) == [false, true])
        #expect(settings.map(\.isBoundToGroup) == [false, true])
        // Its own interface is tracked without weight in any case.
        #expect(settings.map { Set($0.groupWeights.keys) } == [[], [.interface("eth1")]])
    }

    @Test("a test of the configuration fails where keepalived's would")
    func configurationTest() {
        func status(_ lines: String) -> VRRPAgent.ExitStatus { .init(parse(lines).testStatus) }
        #expect(status("") == .success)
        #expect(status("prioritty 100") == .configurationTest)
        // Without effect here, but nothing wrong with the file.
        #expect(status("kernel_rx_buf_size 65536") == .success)
    }
}
