import NetworkTypes
import SystemPackage
import Testing

@testable import Netlink

@Suite("A request says what it does as the ip command that does it")
struct RequestTests {
    private let eth0 = Device(index: 2, name: InterfaceName("eth0"))

    @Test("links")
    func links() throws {
        var bridge = Bridge(name: try name("br0"), index: 5)
        #expect(
            try Request.add(bridge).operation
                == "ip link add br0 index 5 up type bridge stp_state 0 mcast_snooping 0"
                + " forward_delay 0")
        bridge.runsSpanningTree = true
        bridge.isUp = false
        #expect(
            try Request.add(bridge).operation
                == "ip link add br0 index 5 type bridge stp_state 1 mcast_snooping 0")
        let end = VethEnd(
            name: try name("v0"), address: MACAddress("02:00:00:00:00:01"), mtuBytes: 1400,
            master: Device(index: 5))
        let peer = VethPeer(name: try name("eth0"), index: 2, namespace: .process(42))
        #expect(
            try Request.add(end, peer: peer).operation
                == "ip link add v0 address 02:00:00:00:00:01 mtu 1400 master if5 up type veth"
                + " peer name eth0 index 2 netns 42")
        #expect(
            try Request.set(eth0, .down, .name(try name("eth1")), .master(nil)).operation
                == "ip link set eth0 down name eth1 nomaster")
        #expect(
            try Request.setBridgePort(eth0, .state(.disabled), .learning(false)).operation
                == "bridge link set dev eth0 state disabled learning off")
        #expect(try Request.delete(Device(index: 9)).operation == "ip link delete if9")
    }

    @Test("addresses and routes")
    func addressesAndRoutes() throws {
        let address = try #require(InterfaceAddress("2001:db8::1/64"))
        #expect(
            try Request.add(address, to: eth0, scope: .link, flags: [.noDuplicateDetection])
                .operation == "ip address add 2001:db8::1/64 dev eth0 scope link nodad")
        var route = Route(to: try #require(IPPrefix("::/0")), via: IPAddress("2001:db8::2"))
        #expect(try Request.add(route).operation == "ip -6 route add default via 2001:db8::2")
        route = Route(to: try #require(IPPrefix("192.0.2.0/24")))
        route.kind = .blackhole
        #expect(try Request.delete(route).operation == "ip route delete blackhole 192.0.2.0/24")
    }

    @Test("a label that is too long is refused before the kernel is asked")
    func longLabel() throws {
        let address = try #require(InterfaceAddress("192.0.2.1/24"))
        _ = try Request.add(address, to: eth0, label: "eth0:1234567890")
        let error = #expect(throws: NetlinkError.self) {
            try Request.add(address, to: eth0, label: "eth0:12345678901")
        }
        #expect(error?.code == .outOfRange)
        #expect(
            error?.operation == "ip address add 192.0.2.1/24 dev eth0 label eth0:12345678901")
    }

    private func name(_ text: String) throws -> InterfaceName {
        try #require(InterfaceName(text))
    }
}
