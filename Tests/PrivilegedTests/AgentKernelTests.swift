import CLinux
import Glibc
import KeepalivedConf
import LinuxSystem
import Netlink
import NetworkTypes
import Testing

@testable import VRRPAgent

/// The same file, given to keepalived in one namespace and to the agent's own pieces in another:
/// what the usual tools then print must be the same, line by line.
@Suite(
    "What vrrp-agent does to the kernel is what keepalived does",
    .enabled(if: comparesWithKeepalived, "needs root, keepalived and nft"))
struct AgentKernelTests {
    /// Compares master's states, and then what is left.
    ///
    /// - Parameters:
    ///   - left: lines that differ at the end, because the agent puts back what keepalived leaves.
    ///   - better: a master's lines that differ on purpose, and keepalived's instead.
    private func compare(
        _ configuration: String, test: String, reversePathFilter: Int = 0,
        left: Set<String> = [], better: [String: String] = [:]
    ) throws {
        let ours = try KernelStage(reversePathFilter: reversePathFilter)
        let theirs = try KernelStage(reversePathFilter: reversePathFilter)
        let before = try ours.settledState()
        let untouched = StateDifference(before, try theirs.awaitState { $0 == before })
        #expect(untouched.isEmpty, "\(untouched)")
        let agent = try ours.lab.namespace.run { try AgentKernel(configuration) }
        try ours.lab.namespace.run { agent.start() }
        let master = try ours.settledState().map { better[$0] ?? $0 }
        #expect(master != before)
        let keepalived = try KeepalivedProcess(configuration, in: theirs, test: test)
        let reference = try theirs.awaitState { $0 == master }
        #expect(
            StateDifference(master, reference).isEmpty,
            "\(StateDifference(master, reference))\n\(keepalived.log)")

        try ours.lab.namespace.run { agent.stop() }
        let after = try ours.state()
        #expect(StateDifference(after, before).isEmpty, "\(StateDifference(after, before))")
        keepalived.end()
        // Its child may end after it.
        let end = try theirs.awaitState { Set(StateDifference($0, before).onlyLeft) == left }
        #expect(Set(StateDifference(end, before).onlyLeft) == left)
    }

    @Test("addresses with all their options")
    func addresses() throws {
        try compare(
            """
            vrrp_instance VI_1 {
                interface eth0
                virtual_router_id 51
                priority 255
                virtual_ipaddress {
                    10.0.0.100
                    10.0.0.101/24 brd +
                    10.0.0.102/32 brd 10.0.0.255 label eth0:vip scope link
                    10.0.0.103/24 dev eth1 noprefixroute
                    10.0.0.104 peer 10.9.9.9/32
                }
                virtual_ipaddress_excluded {
                    10.0.0.110 dev lo scope host
                    2001:db8::100
                    2001:db8::101/64 -nodad
                    2001:db8::102 preferred_lft 1000
                    2001:db8::103/64 dev eth1 home
                    fe80::100
                }
            }

            """, test: "addresses")
    }

    @Test("routes, of instances and static")
    func routes() throws {
        try compare(
            """
            static_ipaddress {
                10.1.1.1/24 dev eth1
            }
            static_routes {
                172.16.1.0/24 via 10.1.1.2 dev eth1
                2001:db8:9::/48 via fe80::9 dev eth1 metric 5
            }
            static_rules {
                from 10.1.1.0/24 table 100 priority 300
            }
            vrrp_instance VI_1 {
                interface eth0
                virtual_router_id 51
                priority 255
                virtual_ipaddress {
                    10.0.0.100/24
                }
                virtual_routes {
                    192.168.1.0/24 via 10.0.0.2
                    192.168.2.0/24 dev eth0 metric 5 src 10.0.0.100
                    blackhole 192.168.3.0/24
                    unreachable 192.168.4.0/24 table 1000
                    192.168.5.0/24 nexthop via 10.0.0.2 weight 2 nexthop via 10.0.0.3 dev eth0 onlink
                    192.168.6.0/24 via 10.0.0.2 dev eth0 mtu lock 1400 advmss 1300 tos 0x10
                    192.168.7.0/24 dev eth0 scope link
                    prohibit 2001:db8:4::/48
                    2001:db8:5::/48 dev eth0 metric 7
                }
                virtual_rules {
                    from 192.168.1.0/24 table 1000 priority 100
                    to 192.168.2.0/24 table 100 priority 77 tos 0x10
                    not from 1.2.3.4 fwmark 5/0xff iif eth0 oif lo priority 78 prohibit
                    from 2001:db8::/32 table 1000 priority 5000
                    from 9.9.9.9 table main suppress_prefixlength 0 priority 200
                }
            }

            """, test: "routes")
    }

    @Test("use_vmac: the interface, its parameters, its base's, and the group reports")
    func vmac() throws {
        try compare(
            """
            vrrp_instance VI_1 {
                interface eth0
                virtual_router_id 51
                priority 255
                use_vmac
                virtual_ipaddress {
                    10.0.0.100
                    10.0.0.101/24 dev eth0
                    10.0.0.102 dev eth1
                }
                virtual_ipaddress_excluded {
                    10.0.0.110
                }
            }

            """, test: "vmac", reversePathFilter: 1,
            left: ["eth0/arp_ignore:1", "eth0/arp_filter:1", "eth1/rp_filter:1"])
    }

    // use_vmac_addr alone is not compared: keepalived then moves no group reports, as it has not
    // chosen its firewall yet when it makes the first interface.
    @Test("use_vmac_addr, and use_vmac after an address: interfaces on other interfaces")
    func vmacAddresses() throws {
        try compare(
            """
            vrrp_instance VI_1 {
                interface eth0
                virtual_router_id 51
                priority 255
                use_vmac
                use_vmac_addr
                virtual_ipaddress {
                    10.0.0.100
                    10.0.0.101 dev eth1
                }
            }
            vrrp_instance VI_2 {
                interface eth0
                virtual_router_id 52
                priority 255
                use_vmac
                virtual_ipaddress {
                    10.0.0.110
                    10.0.0.111/24 dev eth1 use_vmac
                }
            }

            """, test: "vmac-addresses",
            left: [
                "eth0/arp_ignore:1", "eth0/arp_filter:1", "eth1/arp_ignore:1",
                "eth1/arp_filter:1",
            ])
    }

    @Test("use_vmac for IPv6, with an IPv4 address aside")
    func vmac6() throws {
        try compare(
            """
            vrrp_instance VI_6 {
                interface eth0
                virtual_router_id 52
                priority 255
                use_vmac
                virtual_ipaddress {
                    fe80::100
                    2001:db8::100/64
                }
                virtual_ipaddress_excluded {
                    10.0.0.110
                }
            }

            """, test: "vmac6", better: ["vrrp.52/arp_ignore:1": "vrrp.52/arp_ignore:0"])
    }

    @Test("no_accept: the rules that drop, and those that let neighbour discovery pass")
    func noAccept() throws {
        try compare(
            """
            vrrp_instance VI_1 {
                version 3
                interface eth0
                virtual_router_id 51
                priority 254
                advert_int 0.1
                no_accept
                virtual_ipaddress {
                    10.0.0.100
                    10.0.0.101
                }
                virtual_ipaddress_excluded {
                    fe80::100
                    2001:db8::100
                }
            }

            """, test: "no-accept")
    }

    @Test(
        "virtual interfaces that share an Ethernet address, told apart by their IP addresses",
        .enabled(if: makesIPVLAN, "this kernel has no ipvlan: user-mode Linux runs it"))
    func ipvlan() throws {
        try compare(
            """
            vrrp_instance VI_1 {
                interface eth0
                virtual_router_id 51
                priority 255
                use_ipvlan vip0 10.0.0.50/24
                virtual_ipaddress {
                    10.0.0.100/24
                    10.0.0.101/24 dev eth1
                }
            }
            vrrp_instance VI_2 {
                interface eth1
                virtual_router_id 52
                priority 255
                use_ipvlan vip1 10.1.0.50/24 private
                virtual_ipaddress {
                    10.1.0.100/24
                }
            }

            """, test: "ipvlan")
    }
}
