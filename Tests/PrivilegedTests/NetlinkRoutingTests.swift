import CLinux
import Glibc
import LinuxSystem
import Netlink
import NetworkTypes
import SystemPackage
import Testing

@Suite(
    "Netlink: rules, routes with all their options, virtual links, the packet filter",
    .enabled(if: geteuid() == 0, "needs root"))
struct NetlinkRoutingTests {
    private let v0 = Device(index: 10, name: InterfaceName("v0"))

    /// A namespace with an interface `v0` that is up, has carrier, 192.0.2.1/24 and 2001:db8::1/64.
    private func lab() throws -> TestNamespace {
        let lab = try TestNamespace()
        try lab.socket.perform(
            .add(
                VethEnd(name: try name("v0"), index: 10),
                peer: VethPeer(name: try name("v1"), index: 11)),
            .set(.loopback, .up), .set(Device(index: 11), .up),
            .add(try address("192.0.2.1/24"), to: v0),
            .add(try address("2001:db8::1/64"), to: v0, flags: .noDuplicateDetection))
        return lab
    }

    @Test("an address with a peer comes and goes")
    func peer() throws {
        let lab = try lab()
        let own = try address("198.51.100.1/32")
        let peer = try #require(IPAddress("198.51.100.2"))
        try lab.socket.perform(.add(own, to: v0, peer: peer))
        let added = try #require(try lab.socket.addresses().first { $0.address == own })
        #expect(added.peer == peer)
        try lab.socket.perform(.remove(own, from: v0, peer: peer))
        #expect(!(try lab.socket.addresses().contains { $0.address == own }))
    }

    @Test("an IPv6 address that is never a source is deprecated from the start")
    func deprecated() throws {
        let lab = try lab()
        let vip = try address("2001:db8::100/128")
        try lab.socket.perform(
            .add(
                vip, to: v0, flags: [.noDuplicateDetection, .home],
                preferredSeconds: 0))
        let added = try #require(try lab.socket.addresses().first { $0.address == vip })
        #expect(added.flags.isSuperset(of: [.deprecated, .noDuplicateDetection, .permanent]))
    }

    @Test("a route is read back as it was made: several ways, metrics, gateways on the link")
    func routes() throws {
        let lab = try lab()
        let a = try #require(IPAddress("192.0.2.2"))
        let b = try #require(IPAddress("203.0.113.3"))
        var several = Route(to: try prefix("198.51.100.0/24"))
        several.nextHops = [
            .init(via: a, dev: v0, weight: 2), .init(via: b, dev: v0, weight: 1, isOnLink: true),
        ]
        several.metrics = [.init(number: 2, value: 1400, isLocked: true)]  // RTAX_MTU
        several.origin = Route.keepalivedOrigin
        several.scope = .universe
        several.typeOfService = 0x10
        several.metric = 9
        var other = Route(
            to: try prefix("198.51.101.0/24"), via: IPAddress("2001:db8::2"), dev: v0)
        other.table = 1000
        other.kind = .unicast
        try lab.socket.perform(.prepend(several), .add(other))

        var read = try #require(
            try lab.socket.routes(.v4).first { $0.destination == several.destination })
        #expect(read.nextHops == several.nextHops.map { Route.NextHop(unnamed: $0) })
        read.nextHops = several.nextHops
        read.metrics = several.metrics
        #expect(read == several)
        let inTable = try lab.socket.routes(.v4, table: 1000)
        #expect(inTable.map(\.gateway) == [IPAddress("2001:db8::2")])

        // Metrics are no part of what tells one route from another.
        try lab.socket.perform(.delete(several), .delete(other))
        #expect(try lab.socket.routes(.v4).map(\.destination) == [try prefix("192.0.2.0/24")])
        let error = try #require(try lab.socket.attempt([.delete(several)]).first ?? nil)
        #expect(error.code == .noSuchProcess)
    }

    @Test(
        "routes of every kind that IPv4 has", arguments: [RouteKind.blackhole, .throw, .prohibit])
    func kinds(kind: RouteKind) throws {
        let lab = try lab()
        var route = Route(to: try prefix("198.51.100.0/24"))
        route.kind = kind
        try lab.socket.perform(.add(route))
        #expect(try lab.socket.routes(.v4).contains { $0.kind == kind })
        try lab.socket.perform(.delete(route))
        #expect(!(try lab.socket.routes(.v4).contains { $0.kind == kind }))
    }

    @Test("rules are read back as they were made, and their removal is told")
    func rules() throws {
        let lab = try lab()
        var first = Rule(.v4)
        first.from = try prefix("192.0.2.0/24")
        first.table = 1000
        first.priority = 77
        first.mark = 5
        first.markMask = 0xff
        first.inputDevice = try name("v0")
        first.origin = Route.keepalivedOrigin
        var second = Rule(.v6)
        second.to = try prefix("2001:db8::/32")
        second.isInverted = true
        second.action = .prohibit
        second.table = 0
        second.priority = 78
        second.origin = Route.keepalivedOrigin
        var third = Rule(.v4)
        third.priority = 79
        third.suppressedPrefixLength = 0
        third.typeOfService = 0x10
        third.origin = 0
        var fourth = Rule(.v4)
        fourth.priority = 80
        fourth.action = .goto(32766)
        fourth.table = 0
        fourth.origin = 0
        var fifth = Rule(.v4)
        fifth.priority = 81
        fifth.table = 1000
        fifth.users = 7...9
        fifth.ipProtocol = 6
        fifth.sourcePorts = 80...80
        fifth.destinationPorts = 1000...2000
        fifth.origin = 0
        let monitor = try lab.namespace.run { try RouteMonitor(.rules) }
        try lab.socket.perform(.add(first), .add(second), .add(third), .add(fourth), .add(fifth))
        #expect(
            try lab.socket.rules(.v4).filter { (1..<100).contains($0.priority ?? 0) }
                == [first, third, fourth, fifth])
        #expect(try lab.socket.rules(.v6).filter { $0.priority == 78 } == [second])
        #expect(try lab.socket.attempt([.add(first)]).first??.code == .fileExists)
        try lab.socket.perform(.delete(first))
        #expect(try notification(from: monitor) { $0.kind == .ruleRemoved(first) } != nil)
        #expect(
            try lab.socket.attempt([.delete(first)]).first??.code == .noSuchFileOrDirectory)
    }

    @Test("a macvlan is private, has its Ethernet address and no link-local one")
    func macvlan() throws {
        let lab = try lab()
        let mac = MACAddress(octets: [0, 0, 0x5e, 0, 1, 51])
        try lab.socket.perform(
            .add(VirtualLink(.macvlan, name: try name("vrrp.51"), base: v0, address: mac)))
        let device = try lab.device("vrrp.51")
        try lab.socket.perform(.withoutLinkLocalAddress(device), .set(device, .up))
        let link = try #require(try lab.socket.link(named: try name("vrrp.51")))
        #expect(link.kind == "macvlan")
        #expect(link.macvlanMode == 1)  // MACVLAN_MODE_PRIVATE
        #expect(link.address == mac)
        #expect(link.peerIndex == v0.index)
        #expect(link.isUp)
        #expect(try lab.socket.addresses(of: device).isEmpty)
    }

    @Test("an ipvlan where the kernel has it, and a plain refusal where not")
    func ipvlan() throws {
        let lab = try lab()
        let i0 = try name("i0")
        let error =
            try lab.socket.attempt([
                .add(VirtualLink(.ipvlan, name: i0, base: v0))
            ]).first ?? nil
        if let error {
            #expect(error.code == .notSupported)
            #expect(error.operation == "ip link add link v0 name i0 type ipvlan mode l2")
        } else {
            let link = try #require(try lab.socket.link(named: i0))
            #expect(link.kind == "ipvlan")
            #expect(link.peerIndex == v0.index)
        }
    }

    @Test("a batch for the packet filter is made whole or not at all, and the refusal is named")
    func filterBatch() throws {
        let lab = try lab()
        let socket = try lab.namespace.run { try FilterSocket() }
        var batch = FilterBatch(.v4, table: "labctl")
        try batch.addTable()
        try batch.addSet("vips", of: .ipv4Address)
        try batch.add([.init([192, 0, 2, 100]), .init([192, 0, 2, 101])], to: "vips")
        try batch.addChain("in", hook: .input, priority: -1)
        try batch.addRule(
            to: "in",
            [
                .load(.network, offset: 16, bytes: 4, into: 1), .lookup(1, set: "vips"),
                .verdict(.drop),
            ])
        try socket.perform(batch)

        var twice = FilterBatch(.v4, table: "labctl")
        try twice.add([.init([192, 0, 2, 102])], to: "vips")
        try twice.add([.init([192, 0, 2, 100])], to: "vips")
        let error = #expect(throws: NetlinkError.self) { try socket.perform(twice) }
        #expect(error?.code == .fileExists)
        #expect(error?.operation == "nft add element ip labctl vips { 192.0.2.100 }")
        // The first of the two was not made: it can be now, and removed again.
        var once = FilterBatch(.v4, table: "labctl")
        try once.add([.init([192, 0, 2, 102])], to: "vips")
        try once.remove([.init([192, 0, 2, 102]), .init([192, 0, 2, 100])], from: "vips")
        try once.deleteTable()
        try socket.perform(once)
        var again = FilterBatch(.v4, table: "labctl")
        try again.deleteTable()
        #expect(throws: NetlinkError.self) { try socket.perform(again) }
    }
}

extension Route.NextHop {
    /// As the kernel tells it: devices by number only.
    fileprivate init(unnamed hop: Self) {
        self = hop
        device = hop.device.map { Device(index: $0.index) }
    }
}
