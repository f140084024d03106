import CLinux
import Glibc
import LinuxSystem
import Netlink
import NetworkTypes
import SystemPackage
import Testing

@Suite("Netlink: notifications", .enabled(if: geteuid() == 0, "needs root"))
struct NetlinkMonitorTests {
    @Test("a monitor tells of an address coming and going in its own namespace")
    func ownNamespace() throws {
        let lab = try TestNamespace()
        let monitor = try lab.namespace.run { try RouteMonitor() }
        #expect(try monitor.drain() == [])
        let vip = try address("192.0.2.100/32")
        try lab.socket.perform(
            .set(.loopback, .up), .add(vip, to: .loopback, label: "lo:vip", scope: .link))
        // The kernel notifies before it acknowledges, so nothing is to be waited for.
        let first = try monitor.drain()
        #expect(first.allSatisfy { $0.namespaceID == nil })
        let added = first.compactMap { notification -> AssignedAddress? in
            if case .addressAdded(let address) = notification.kind { address } else { nil }
        }
        #expect(added.last?.address == vip)
        #expect(added.last?.label == "lo:vip")
        #expect(added.last?.scope == .link)
        try lab.socket.perform(.remove(vip, from: .loopback))
        #expect(try monitor.drain().map(\.kind) == [.addressRemoved(try #require(added.last))])
    }

    @Test("a monitor in the fabric tells of every namespace that has a number there, by number")
    func allNamespaces() throws {
        let fabric = try TestNamespace()
        let monitor = try fabric.namespace.run { try RouteMonitor(allNamespaces: true) }
        let numbered = try TestNamespace()
        let other = try TestNamespace()
        let unnumbered = try TestNamespace()
        try fabric.socket.perform(
            .setNamespaceID(101, of: numbered.reference),
            .setNamespaceID(102, of: other.reference))
        #expect(try fabric.socket.namespaceID(of: numbered.reference) == 101)
        #expect(try fabric.socket.namespaceID(of: unnumbered.reference) == nil)
        let renumbered = try #require(
            try fabric.socket.attempt([.setNamespaceID(103, of: other.reference)]).first ?? nil)
        #expect(renumbered.code == .fileExists)

        let vip = try address("192.0.2.100/32")
        try unnumbered.socket.perform(.add(vip, to: .loopback))
        try other.socket.perform(.add(vip, to: .loopback))
        try numbered.socket.perform(.add(vip, to: .loopback))
        try fabric.socket.perform(.add(vip, to: .loopback))
        let ids = try monitor.drain().filter {
            if case .addressAdded(let added) = $0.kind { added.address == vip } else { false }
        }.map(\.namespaceID)
        #expect(ids == [102, 101, nil])
    }

    @Test("the tables of a namespace are read from the fabric by its number")
    func dumpsByNumber() throws {
        let fabric = try TestNamespace()
        let node = try TestNamespace()
        let own = try address("192.0.2.1/24")
        try fabric.socket.perform(
            .setNamespaceID(101, of: node.reference),
            .add(
                VethEnd(name: try name("v0")),
                peer: VethPeer(name: try name("eth0"), index: 2, namespace: node.reference)))
        try node.socket.perform(.add(own, to: Device(index: 2)))
        #expect(
            try fabric.socket.links(inNamespace: 101).map(\.name).sorted() == ["eth0", "lo"])
        #expect(
            try fabric.socket.addresses(inNamespace: 101).map(\.address).contains(own))
        #expect(!(try fabric.socket.addresses().map(\.address).contains(own)))
    }

    @Test("a monitor holds no namespace alive: a node's end of a link goes with the node")
    func namespaceDies() throws {
        let fabric = try TestNamespace()
        let monitor = try fabric.namespace.run { try RouteMonitor(allNamespaces: true) }
        do {
            let node = try TestNamespace()
            try fabric.socket.perform(
                .setNamespaceID(101, of: node.reference),
                .add(
                    VethEnd(name: try name("port")),
                    peer: VethPeer(name: try name("eth0"), namespace: node.reference)))
            try node.socket.perform(.set(.loopback, .up))
        }
        let gone = try notification(from: monitor) {
            if case .linkRemoved(let link) = $0.kind, $0.namespaceID == nil {
                link.name == "port"
            } else {
                false
            }
        }
        #expect(gone != nil)
    }

    @Test("a monitor whose buffer ran over says so, and goes on")
    func overrun() throws {
        let lab = try TestNamespace()
        let monitor = try lab.namespace.run { try RouteMonitor() }
        var small: CInt = 4096
        setsockopt(
            monitor.descriptor, SOL_SOCKET, SO_RCVBUF, &small, socklen_t(MemoryLayout<CInt>.size))
        let addresses = try (1...100).map { try address("10.0.0.\($0)/32") }
        try lab.socket.perform(try addresses.map { try Request.add($0, to: .loopback) })
        let notifications = try monitor.drain()
        #expect(notifications.contains { $0.kind == .overrun })
        #expect(notifications.count < 100)
        // What the owner does then.
        #expect(try lab.socket.addresses(of: .loopback).map(\.address) == addresses)
        try lab.socket.perform(.remove(addresses[0], from: .loopback))
        let next = try monitor.drain()
        #expect(next.count == 1)
        guard case .addressRemoved(let removed) = next.first?.kind else {
            Issue.record("no removal: \(next)")
            return
        }
        #expect(removed.address == addresses[0])
    }

    @Test("routes and neighbours are told of when asked for")
    func routesAndNeighbours() throws {
        let lab = try TestNamespace()
        let monitor = try lab.namespace.run { try RouteMonitor([.routes]) }
        var route = Route(to: try prefix("203.0.113.0/24"))
        route.kind = .blackhole
        try lab.socket.perform(.add(route), .delete(route))
        let kinds = try monitor.drain().map(\.kind)
        guard kinds.count == 2, case .routeAdded(let added) = kinds[0],
            case .routeRemoved(let removed) = kinds[1]
        else {
            Issue.record("not a route that came and went: \(kinds)")
            return
        }
        #expect(added.destination == route.destination)
        #expect(added.kind == .blackhole)
        #expect(removed == added)
    }
}
