import CLinux
import Glibc
import KeepalivedConf
import LinuxSystem
import Netlink
import NetworkTypes
import Testing

@testable import VRRPAgent

/// What happens to the agent's objects in the kernel besides setting and removing them.
@Suite(
    "What vrrp-agent has in the kernel outlives crashes, meddlers, losses and reloads",
    .enabled(if: comparesWithKeepalived, "needs root, keepalived and nft"))
struct AgentKernelLifeTests {
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
        let left = StateDifference(try stage.state(), before).onlyLeft
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
