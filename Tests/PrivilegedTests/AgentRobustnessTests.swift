import CLinux
import Glibc
import LinuxSystem
import Netlink
import NetworkTypes
import Testing
import VRRP

/// The running agent, and what may happen to it.
@Suite("vrrp-agent withstands", .enabled(if: geteuid() == 0, "needs root"))
struct AgentRobustnessTests {
    /// An instance of version 3 on eth0, with the address 10.0.0.100.
    private func instance(_ settings: String) -> String {
        """
        vrrp_instance VI_1 {
            version 3
            interface eth0
            virtual_router_id 51
            \(settings)
            virtual_ipaddress {
                10.0.0.100
            }
        }
        """
    }

    private func advertisement(
        _ priority: UInt8, interval: Duration = .milliseconds(100)
    ) -> Advertisement {
        Advertisement(
            version: 3, vrid: 51, priority: priority, interval: interval,
            addresses: [.v4(IPv4Address(10, 0, 0, 100))])
    }

    @Test("an address that is removed again and again: put back three times, then given up, once")
    func meddler() throws {
        let stage = try AgentStage()
        // Three seconds in which removals count, whatever the machine does.
        let agent = try AgentProcess(
            instance("priority 254\nadvert_int 1"), in: stage.router.namespace, test: "meddler")
        try agent.awaitLine("Sending gratuitous ARP on eth0 for 10.0.0.100")
        for _ in 1...3 {
            try stage.run("ip addr del 10.0.0.100/32 dev eth0")
            try agent.awaitLine("(VI_1) a VIP was removed by hand - putting it back")
            try waitUntil("the address is back") { try stage.has("10.0.0.100") }
        }
        #expect(try !stage.lan.advertisements().contains { $0.advertisement.priority == 0 })
        try stage.run("ip addr del 10.0.0.100/32 dev eth0")
        try agent.awaitLine("(VI_1) Entering BACKUP STATE")
        try agent.awaitLine("(VI_1) Entering MASTER STATE")
        try waitUntil("the address is back") { try stage.has("10.0.0.100") }
        let farewells = try stage.lan.advertisements().filter { $0.advertisement.priority == 0 }
        #expect(farewells.count == 1)
    }

    @Test("an interface that is renamed, loses its address, is made anew with the same number")
    func interface() throws {
        let stage = try AgentStage()
        let agent = try AgentProcess(
            instance("priority 254\nadvert_int 0.1"), in: stage.router.namespace, test: "interface")
        func expectMaster() throws {
            try agent.awaitLine("(VI_1) Entering MASTER STATE")
            _ = try stage.lan.received()
            _ = try stage.lan.awaitAdvertisement { $0.priority == 254 }
            try waitUntil("the address is there") { try stage.has("10.0.0.100") }
        }
        try expectMaster()
        try stage.run("ip link set eth0 down && ip link set eth0 name eth7 up")
        try agent.awaitLine("(VI_1) Entering FAULT STATE")
        try stage.run("ip link set eth7 down && ip link set eth7 name eth0 up")
        try stage.run("ip addr replace 10.0.0.1/24 dev eth0")
        try expectMaster()

        try stage.run("ip addr del 10.0.0.1/24 dev eth0")
        try agent.awaitLine("(VI_1) Entering FAULT STATE")
        try stage.run("ip addr add 10.0.0.1/24 dev eth0")
        try expectMaster()

        // All at once, as far as the agent can tell.
        try stop(agent)
        try stage.remakeLAN()
        agent.signal(SIGCONT)
        try agent.awaitLine("(VI_1) Entering FAULT STATE")
        try expectMaster()
        // It hears others again, too.
        try stage.lan.advertise(advertisement(255, interval: .seconds(10)))
        try agent.awaitLine("(VI_1) Entering BACKUP STATE")
        try waitUntil("the address is gone") { try !stage.has("10.0.0.100") }
    }

    @Test("without the interface of one of its addresses it is in FAULT, and back with it")
    func otherInterface() throws {
        let stage = try AgentStage()
        let make = "ip link add v1 type veth peer name v2 && ip link set v2 up && ip link set v1 up"
        try stage.run(make)
        let agent = try AgentProcess(
            instance("priority 254\nadvert_int 0.1")
                .replacing("10.0.0.100", with: "10.0.0.100\n10.3.0.100 dev v1"),
            in: stage.router.namespace, test: "other")
        try agent.awaitLine("(VI_1) Entering MASTER STATE")
        try waitUntil("the address is there") { try stage.has("10.3.0.100", on: "v1") }
        try stage.run("ip link del v1")
        try agent.awaitLine("Netlink reports v1 down\n(VI_1) Entering FAULT STATE")
        try waitUntil("the others are gone") { try !stage.has("10.0.0.100") }
        try stage.run(make)
        try agent.awaitLine("Netlink reports v1 up\n(VI_1) Entering BACKUP STATE")
        try agent.awaitLine("(VI_1) Entering MASTER STATE")
        try waitUntil("the address is back") { try stage.has("10.3.0.100", on: "v1") }
    }

    @Test("a virtual interface that is removed is made anew, and its addresses come back")
    func virtualInterface() throws {
        let stage = try AgentStage()
        let agent = try AgentProcess(
            instance("priority 254\nadvert_int 0.1\nuse_vmac"), in: stage.router.namespace,
            test: "vmac")
        try agent.awaitLine("(VI_1) Entering MASTER STATE")
        try waitUntil("the address is there") { try stage.has("10.0.0.100", on: "vrrp.51") }
        try stage.run("ip link del vrrp.51")
        try agent.awaitLine("(VI_1) Entering MASTER STATE")
        try waitUntil("the address is back") { try stage.has("10.0.0.100", on: "vrrp.51") }
        try stage.lan.advertise(advertisement(255, interval: .seconds(10)))
        try agent.awaitLine("(VI_1) Entering BACKUP STATE")
    }

    @Test("a loss of notifications while it was stopped: what was missed is put right")
    func overrun() throws {
        let stage = try AgentStage()
        let agent = try AgentProcess(
            instance("priority 254\nadvert_int 1"), in: stage.router.namespace, test: "overrun")
        try agent.awaitLine("Sending gratuitous ARP on eth0 for 10.0.0.100")
        try NetlinkOverrun.prepare(agent.pid)
        try stop(agent)
        // More than the receive buffer takes.
        var batch = ""
        for number in 0..<(NetlinkOverrun.isLong ? 60_000 : 1000) {
            let address = "10.9.\(number / 250).\(number % 250)/32 dev eth1\n"
            batch += "addr add \(address)addr del \(address)"
        }
        try FileSystem.write(Array(batch.utf8), to: "\(agent.folder)/batch")
        try stage.run("ip -batch \(agent.folder)/batch")
        try stage.run("ip addr del 10.0.0.100/32 dev eth0")
        agent.signal(SIGCONT)
        try agent.awaitLine("Netlink: notifications were lost, reading all interfaces anew")
        try agent.awaitLine("(VI_1) a VIP was removed by hand - putting it back")
        try waitUntil("the address is back") { try stage.has("10.0.0.100") }
        #expect(!agent.log.contains("BACKUP STATE\n(VI_1) sent"))
        // And it hears others as before, though perhaps not the first: its sockets were made anew.
        try waitUntil("it is backup") {
            try stage.lan.advertise(advertisement(255, interval: .seconds(10)))
            return agent.news.contains("(VI_1) Entering BACKUP STATE")
        }
    }

    @Test("a stop for longer than a takeover takes: as master it yields, as backup it waits on")
    func stopped() throws {
        let stage = try AgentStage()
        let agent = try AgentProcess(
            instance("priority 100\nadvert_int 0.1"), in: stage.router.namespace, test: "stopped")
        try agent.awaitLine("(VI_1) Entering MASTER STATE")
        _ = try stage.lan.awaitAdvertisement()
        try stop(agent)
        let stopped = try stage.lan.advertisements().count
        // Another one has taken over; its interval is so long that nothing else comes of it.
        usleep(500_000)
        try stage.lan.advertise(advertisement(200, interval: .seconds(10)))
        agent.signal(SIGCONT)
        try agent.awaitLine("(VI_1) Entering BACKUP STATE")
        try waitUntil("the address is gone") { try !stage.has("10.0.0.100") }
        let late = try stage.lan.advertisements().dropFirst(stopped)
        #expect(late.count <= 1, "\(late)")

        // As backup: the last word before the stop is long ago, but others came meanwhile.
        try stage.lan.advertise(advertisement(200))
        try agent.awaitLine("(VI_1) advertisement interval updated from 10000ms to 100ms by master")
        try stop(agent)
        usleep(1_000_000)
        try stage.lan.advertise(advertisement(200, interval: .seconds(10)))
        agent.signal(SIGCONT)
        try agent.awaitLine("(VI_1) advertisement interval updated from 100ms to 10000ms by master")
        #expect(!agent.news.contains("MASTER"))
        #expect(try stage.lan.advertisements().count - stopped <= 1)
    }

    /// Stops it, and waits until it is.
    private func stop(_ agent: AgentProcess) throws {
        agent.signal(SIGSTOP)
        try waitUntil("the agent has stopped") {
            try FileSystem.readText("/proc/\(agent.pid)/stat").contains(") T ")
        }
    }

    @Test("100 000 advertisements with a wrong checksum: no change of state, and no growth")
    func flood() throws {
        let stage = try AgentStage()
        let agent = try AgentProcess(
            instance("priority 100\nadvert_int 0.1"), in: stage.router.namespace, test: "flood")
        try agent.awaitLine("(VI_1) Entering MASTER STATE")
        _ = try stage.lan.awaitAdvertisement()
        var packet = try advertisement(200).ipv4Packet(
            from: stage.lan.address, identification: 1)
        packet[26] ^= 0xff
        let group = MACAddress(rawValue: 0x0100_5e00_0012)
        let before = try agent.residentKilobytes()
        for _ in 0..<100_000 { try stage.lan.send(packet, to: group) }
        try agent.awaitLine(
            "(VI_1) Invalid VRRPv3 checksum")
        _ = try stage.lan.received()
        _ = try stage.lan.awaitAdvertisement { $0.priority == 100 }
        #expect(try agent.residentKilobytes() - before < 2048)
        #expect(agent.log.split(separator: "\n").count { $0.contains("Entering") } == 2)
        #expect(try agent.end() == 0)
    }
}
