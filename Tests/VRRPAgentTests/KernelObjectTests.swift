import KeepalivedConf
import Netlink
import NetworkTypes
import Testing

@testable import VRRPAgent

@Suite("What the configuration has put into the kernel's tables")
struct KernelObjectTests {
    private let here = SourcePosition(file: "keepalived.conf", line: 7, column: 3)

    @Test("an address asks for all of its options, and is removed by its peer too")
    func address() throws {
        var vip = try virtualAddress("192.0.2.100/32")
        vip.label = "eth0:1"
        vip.broadcast = IPv4Address(192, 0, 2, 255)
        vip.scope = .link
        vip.peer = InterfaceAddress("198.51.100.2/32")
        let object = KernelObject(vip)
        #expect(
            try object.addition(device)?.operation
                == "ip address add 192.0.2.100/32 dev eth0 peer 198.51.100.2 label eth0:1"
                + " scope link broadcast 192.0.2.255")
        #expect(
            try object.removal(device)?.operation
                == "ip address delete 192.0.2.100/32 dev eth0 peer 198.51.100.2")
        var ipv6 = try virtualAddress("2001:db8::100/128")
        ipv6.flags = [.nodad, .home]
        ipv6.preferredLifetime = .zero
        #expect(
            try KernelObject(ipv6).addition(device)?.operation
                == "ip address add 2001:db8::100/128 dev eth0 scope global nodad home"
                + " preferred_lft 0")
    }

    @Test("without its interface there is nothing to ask for")
    func noInterface() throws {
        let object = KernelObject(try virtualAddress("192.0.2.100/32"))
        #expect(try object.addition { _ in nil } == nil)
        #expect(try object.removal { _ in nil } == nil)
        #expect(object.key { _ in nil } == nil)
    }

    @Test("a route is keepalived's: everywhere, and made by it")
    func route() throws {
        var route = RouteDefinition(destination: try prefix("198.51.100.0/24"), position: here)
        route.interface = InterfaceName("eth0")
        route.source = IPAddress("192.0.2.1")
        route.metrics = [.init(number: 2, value: 1400, isLocked: true)]
        #expect(
            try KernelObject(route).addition(device)?.operation
                == "ip route prepend 198.51.100.0/24 dev eth0 src 192.0.2.1 scope global"
                + " proto 18 mtu lock 1400")
        var hop = RouteDefinition.NextHop()
        hop.gateway = IPAddress("192.0.2.2")
        hop.weight = 3
        route.nextHops = [hop]
        route.interface = nil
        route.type = .blackhole
        route.metrics = []
        #expect(
            try KernelObject(route).removal(device)?.operation
                == "ip route delete blackhole 198.51.100.0/24 src 192.0.2.1 scope global proto 18"
                + " nexthop via 192.0.2.2 weight 3")
    }

    @Test("a rule is keepalived's, and looks up the main table unless it says")
    func rule() throws {
        var rule = RuleDefinition(family: .v4, position: here)
        rule.from = try prefix("192.0.2.0/24")
        rule.priority = 100
        rule.firewallMark = .init(value: 5, mask: 0xff)
        #expect(
            try KernelObject(rule).addition(device)?.operation
                == "ip rule add from 192.0.2.0/24 fwmark 0x5/0xff priority 100 lookup 254"
                + " protocol 18")
        rule.action = .prohibit
        #expect(
            try KernelObject(rule).removal(device)?.operation
                == "ip rule delete from 192.0.2.0/24 fwmark 0x5/0xff priority 100 prohibit"
                + " protocol 18")
    }

    @Test("where an object stands, and whether it is tracked, does not make it another")
    func equality() throws {
        var moved = try virtualAddress("192.0.2.100/32")
        moved.position = SourcePosition(file: "other.conf", line: 1, column: 1)
        moved.isTracked = false
        #expect(KernelObject(moved) == KernelObject(try virtualAddress("192.0.2.100/32")))
        moved.label = "eth0:1"
        #expect(KernelObject(moved) != KernelObject(try virtualAddress("192.0.2.100/32")))
    }

    @Test("between two configurations only what differs is touched, in the order of the file")
    func difference() throws {
        let old = try ["192.0.2.1/32", "192.0.2.2/32", "192.0.2.3/32"].map(object)
        let new = try ["192.0.2.4/32", "192.0.2.3/32", "192.0.2.5/32"].map(object)
        let difference = KernelDifference(from: old, to: new)
        #expect(difference.removed == Array(old[0...1]))
        #expect(difference.added == [new[0], new[2]])
        #expect(KernelDifference(from: old, to: old.reversed()).added.isEmpty)
    }

    @Test("the kernel's word of an object is recognised")
    func recognition() throws {
        var definition = RouteDefinition(destination: try prefix("2001:db8::/32"), position: here)
        definition.gateway = IPAddress("fe80::1")
        definition.interface = InterfaceName("eth0")
        var told = Route(to: try prefix("2001:db8::/32"), via: IPAddress("fe80::1"))
        told.metric = 1024
        told.origin = 18
        #expect(KernelObject(definition).key(device) == KernelObject.Key(told))
        told.metric = 7
        #expect(KernelObject(definition).key(device) != KernelObject.Key(told))
        let vip = KernelObject(try virtualAddress("192.0.2.100/32"))
        #expect(vip.key(device) == .address(try interfaceAddress("192.0.2.100/32"), index: 2))
    }

    @Test("an address that no interface has is not there, a route may be")
    func presence() throws {
        var table = InterfaceTable()
        let vip = KernelObject(try virtualAddress("192.0.2.100/32"))
        #expect(!vip.mayBe(in: table))
        _ = table.replace(
            links: [Link(index: 2, name: "eth0", isUp: true, hasCarrier: true)],
            addresses: [AssignedAddress(try interfaceAddress("192.0.2.1/24"), interfaceIndex: 2)])
        #expect(!vip.mayBe(in: table))
        // The length is the peer's where there is one.
        let left = AssignedAddress(try interfaceAddress("192.0.2.100/24"), interfaceIndex: 2)
        _ = table.handle(.addressAdded(left))
        #expect(vip.mayBe(in: table))
        let route = RouteDefinition(destination: try prefix("198.51.100.0/24"), position: here)
        #expect(KernelObject(route).mayBe(in: table))
    }

    // MARK: Values

    private func device(_ name: InterfaceName) -> Device? { Device(index: 2, name: name) }

    private func object(_ text: String) throws -> KernelObject {
        KernelObject(try virtualAddress(text))
    }

    private func prefix(_ text: String) throws -> IPPrefix { try #require(IPPrefix(text)) }

    private func interfaceAddress(_ text: String) throws -> InterfaceAddress {
        try #require(InterfaceAddress(text))
    }

    /// An address on eth0 with nothing written after it.
    private func virtualAddress(_ text: String) throws -> VirtualAddress {
        let parsed = Configuration.parse(
            """
            vrrp_instance VI_1 {
                interface eth0
                virtual_router_id 51
                virtual_ipaddress {
                    \(text)
                }
            }
            """, file: "keepalived.conf")
        var address = try #require(
            parsed.configuration.instances.first?.virtualAddresses.first)
        address.flags = []
        address.preferredLifetime = nil
        return address
    }
}
