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
    /// - Parameter restored: lines that differ at the end, because the agent puts back what
    ///   keepalived leaves.
    private func compare(
        _ configuration: String, test: String, reversePathFilter: Int = 0,
        left: Set<String> = []
    ) throws {
        let ours = try KernelStage(reversePathFilter: reversePathFilter)
        let theirs = try KernelStage(reversePathFilter: reversePathFilter)
        let before = try ours.settledState()
        let untouched = Difference(before, try theirs.awaitState { $0 == before })
        #expect(untouched.isEmpty, "\(untouched)")
        let agent = try ours.lab.namespace.run { try AgentKernel(configuration) }
        try ours.lab.namespace.run { agent.start() }
        let master = try ours.settledState()
        #expect(master != before)
        let keepalived = try KeepalivedProcess(configuration, in: theirs, test: test)
        let reference = try theirs.awaitState { $0 == master }
        #expect(
            Difference(master, reference).isEmpty,
            "\(Difference(master, reference))\n\(keepalived.log)")

        try ours.lab.namespace.run { agent.stop() }
        let after = try ours.state()
        #expect(Difference(after, before).isEmpty, "\(Difference(after, before))")
        keepalived.end()
        // Its child may end after it.
        let end = try theirs.awaitState { Set(Difference($0, before).onlyLeft) == left }
        #expect(Set(Difference(end, before).onlyLeft) == left)
    }

    /// Lines that only one of two texts has.
    private struct Difference: CustomStringConvertible {
        var onlyLeft: [String]
        var onlyRight: [String]
        /// Both may have the same lines in another order.
        var isReordered: Bool

        init(_ left: [String], _ right: [String]) {
            let (lines, others) = (Set(left), Set(right))
            onlyLeft = left.filter { !others.contains($0) }
            onlyRight = right.filter { !lines.contains($0) }
            isReordered = left != right
            if let place = zip(left, right).enumerated().first(where: {
                $0.element.0 != $0.element.1
            }) {
                orders = "order: - \(place.element.0)\n       + \(place.element.1)"
            }
        }

        var isEmpty: Bool { !isReordered }
        var description: String {
            let lines = onlyLeft.map { "- \($0)" } + onlyRight.map { "+ \($0)" }
            return lines.isEmpty ? orders : lines.joined(separator: "\n")
        }
        /// The first line that stands in another place, in both texts.
        private var orders: String = ""
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

            """, test: "vmac6")
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

    @Test("what a killed run has left is taken over or removed")
    func leftovers() throws {
        let configuration = """
            vrrp_instance VI_1 {
                interface eth0
                virtual_router_id 51
                priority 255
                use_vmac
                virtual_ipaddress {
                    10.0.0.100
                }
                virtual_routes {
                    192.168.1.0/24 dev eth0
                }
                virtual_rules {
                    from 192.168.1.0/24 table 1000 priority 100
                }
            }

            """
        let stage = try KernelStage()
        let before = try stage.state()
        try stage.lab.namespace.run { try AgentKernel(configuration).start() }
        let vrrp = try stage.lab.device("vrrp.51")
        let master = try stage.state()
        let agent = try stage.lab.namespace.run { try AgentKernel(configuration) }
        try stage.lab.namespace.run { agent.start() }
        #expect(try stage.lab.device("vrrp.51") == vrrp)
        #expect(try stage.state() == master)
        try stage.lab.namespace.run { agent.stop() }
        // The first run's records of what the parameters were are lost with it.
        let left = Difference(try stage.state(), before).onlyLeft
        #expect(Set(left) == ["eth0/arp_ignore:1", "eth0/arp_filter:1"])
    }

    @Test("an interface in the way is removed if it is a macvlan, and left alone if it is not")
    func inTheWay() throws {
        let configuration = """
            vrrp_instance VI_1 {
                interface eth0
                virtual_router_id 51
                priority 255
                use_vmac
                virtual_ipaddress {
                    10.0.0.100
                }
            }

            """
        let stage = try KernelStage()
        let vrrp = try name("vrrp.51")
        try stage.lab.socket.perform(
            .add(VirtualLink(.macvlan, name: vrrp, base: Device(index: 20))))
        let agent = try stage.lab.namespace.run { try AgentKernel(configuration) }
        try stage.lab.namespace.run { agent.start() }
        let link = try #require(try stage.lab.socket.link(named: vrrp))
        #expect(link.peerIndex == 10)
        #expect(link.address == MACAddress("00:00:5e:00:01:33"))
        try stage.lab.namespace.run { agent.stop() }
        #expect(try stage.lab.socket.link(named: vrrp) == nil)

        try stage.lab.socket.perform(.addLink(vrrp, kind: "bridge"))
        let other = try stage.lab.namespace.run { try AgentKernel(configuration) }
        try stage.lab.namespace.run { other.start() }
        #expect(try stage.lab.socket.link(named: vrrp)?.kind == "bridge")
        try stage.lab.namespace.run { other.stop() }
        #expect(try stage.lab.socket.link(named: vrrp)?.kind == "bridge")
    }

    @Test("what somebody else takes away is missing, unless it is not tracked")
    func interference() throws {
        let stage = try KernelStage()
        let agent = try stage.lab.namespace.run {
            try AgentKernel(
                """
                static_ipaddress {
                    10.1.1.1/24 dev eth1
                }
                vrrp_instance VI_1 {
                    interface eth0
                    virtual_router_id 51
                    priority 255
                    virtual_ipaddress {
                        10.0.0.100
                        10.0.0.101 no_track
                    }
                    virtual_routes {
                        192.168.1.0/24 dev eth0
                        192.168.2.0/24 dev eth0 no_track
                    }
                    virtual_rules {
                        from 192.168.1.0/24 table 1000 priority 100
                    }
                }

                """)
        }
        try stage.lab.namespace.run { agent.start() }
        let objects = agent.objects[0]
        // What the agent itself did is no interference.
        objects.remove()
        objects.set()
        #expect(objects.missing(try agent.kernel.drain()).isEmpty)
        let commands = [
            "ip addr del 10.0.0.100/32 dev eth0": true, "ip addr del 10.0.0.101/32 dev eth0": false,
            "ip route del 192.168.1.0/24": true, "ip route del 192.168.2.0/24": false,
            "ip rule del priority 100": true,
        ]
        for (command, matters) in commands.sorted(by: { $0.key < $1.key }) {
            _ = try stage.output(of: command)
            let missing = objects.missing(try agent.kernel.drain())
            #expect(missing.count == (matters ? 1 : 0), "\(command): \(missing)")
        }
        // A static address is put back.
        let own = try address("10.1.1.1/24")
        _ = try stage.output(of: "ip addr del 10.1.1.1/24 dev eth1")
        #expect(!(try stage.lab.socket.addresses().contains { $0.address == own }))
        agent.statics.restore(try agent.kernel.drain())
        #expect(try stage.lab.socket.addresses().contains { $0.address == own })
    }

    @Test("after a loss of notifications the tables are read anew")
    func overrun() throws {
        let stage = try KernelStage()
        let kernel = try stage.lab.namespace.run {
            try KernelShell(
                log: Log(isStamped: false, isDetailed: false), receiveBufferBytes: 4096)
        }
        let eth0 = try name("eth0")
        let last = try address("10.0.1.200/32")
        try stage.lab.socket.perform(
            (1...200).map { number throws(NetlinkError) in
                try .add(
                    InterfaceAddress(
                        .v4(IPv4Address(10, 0, 1, UInt8(number))), prefixLength: 32),
                    to: Device(index: 10))
            })
        try stage.lab.socket.perform(
            .remove(try address("10.0.0.1/24"), from: Device(index: 10)),
            .set(Device(index: 21), .down))
        let report = try kernel.drain()
        #expect(report.wasOverrun)
        #expect(kernel.interfaces.has(last, on: eth0))
        #expect(kernel.interfaces[eth0]?.addresses.count == 201)
        #expect(report.changes.contains(.removed(try address("10.0.0.1/24"), eth0)))
        #expect(report.gone.contains(.address(try address("10.0.0.1/24"), index: 10)))
        #expect(!kernel.interfaces.isUp(try name("eth1")))
        // And from then on it goes on as before.
        try stage.lab.socket.perform(.remove(last, from: Device(index: 10)))
        let next = try kernel.drain()
        #expect(!next.wasOverrun)
        #expect(next.changes == [.removed(last, eth0)])
    }

    @Test("a reload while master touches only what differs")
    func reload() throws {
        func text(_ addresses: String, _ routes: String) -> String {
            """
            vrrp_instance VI_1 {
                interface eth0
                virtual_router_id 51
                priority 254
                no_accept
                virtual_ipaddress {
                    \(addresses)
                }
                virtual_routes {
                    \(routes)
                }
            }

            """
        }
        let stage = try KernelStage()
        let agent = try stage.lab.namespace.run {
            try AgentKernel(text("10.0.0.100\n10.0.0.101", "192.168.1.0/24 dev eth0"))
        }
        try stage.lab.namespace.run { agent.start() }
        let monitor = try stage.lab.namespace.run { try RouteMonitor([.addresses, .routes]) }
        let next = Configuration.parse(
            text("10.0.0.101\n10.0.0.102", "192.168.2.0/24 dev eth0"), file: "keepalived.conf"
        ).configuration
        try stage.lab.namespace.run {
            agent.objects[0].reconfigure(try #require(next.instances.first))
        }
        var told: [String] = []
        for notification in try monitor.drain() {
            switch notification.kind {
            case .addressAdded(let address): told.append("+\(address.address)")
            case .addressRemoved(let address): told.append("-\(address.address)")
            case .routeAdded(let route) where route.table == Route.mainTable:
                told.append("+\(route.destination)")
            case .routeRemoved(let route) where route.table == Route.mainTable:
                told.append("-\(route.destination)")
            default: break
            }
        }
        #expect(
            told == ["-192.168.1.0/24", "-10.0.0.100/32", "+10.0.0.102/32", "+192.168.2.0/24"])
        let rules = try stage.output(of: "nft list ruleset")
        #expect(rules.contains("elements = { 10.0.0.101, 10.0.0.102 }"))
    }
}
