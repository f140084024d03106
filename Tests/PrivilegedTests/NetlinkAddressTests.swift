import CLinux
import Glibc
import LinuxSystem
import Netlink
import NetworkTypes
import SystemPackage
import Testing

@Suite("Netlink: addresses, routes, batches", .enabled(if: geteuid() == 0, "needs root"))
struct NetlinkAddressTests {
    private let v0 = Device(index: 10, name: InterfaceName("v0"))

    /// A namespace with an interface `v0` that is up and has carrier.
    private func labWithInterface() throws -> TestNamespace {
        let lab = try TestNamespace()
        try lab.socket.perform(
            .add(
                VethEnd(name: try name("v0"), index: 10),
                peer: VethPeer(name: try name("v1"), index: 11)),
            .set(.loopback, .up), .set(Device(index: 11), .up))
        return lab
    }

    @Test("an IPv4 address with label, scope and broadcast address comes and goes")
    func address4() throws {
        let lab = try labWithInterface()
        let vip = try address("192.0.2.100/32")
        try lab.socket.perform(
            .add(
                vip, to: v0, label: "v0:vip", scope: .link, broadcast: IPv4Address(192, 0, 2, 255)),
            .add(try address("192.0.2.1/24"), to: v0))
        let addresses = try lab.socket.addresses(of: v0).filter { $0.address.address.family == .v4 }
        #expect(addresses.map(\.address) == [vip, try address("192.0.2.1/24")])
        #expect(addresses.map(\.interfaceIndex) == [10, 10])
        #expect(addresses.map(\.label) == ["v0:vip", "v0"])
        #expect(addresses.map(\.scope) == [.link, .universe])
        #expect(addresses.map(\.broadcast) == [IPv4Address(192, 0, 2, 255), nil])
        #expect(addresses.allSatisfy { $0.flags == .permanent })

        try lab.socket.perform(.remove(vip, from: v0))
        #expect(!(try lab.socket.addresses().contains { $0.address == vip }))
        let error = try #require(try lab.socket.attempt([.remove(vip, from: v0)]).first ?? nil)
        #expect(error.code == .addressNotAvailable)
        #expect(error.operation == "ip address delete 192.0.2.100/32 dev v0")
    }

    @Test("an IPv6 address is tentative, unless it comes without duplicate detection")
    func address6() throws {
        let lab = try labWithInterface()
        let checked = try address("2001:db8::1/64")
        let unchecked = try address("2001:db8::2/64")
        try lab.socket.perform(
            .add(checked, to: v0),
            .add(unchecked, to: v0, flags: [.noDuplicateDetection, .noPrefixRoute]))
        let addresses = try lab.socket.addresses(of: v0)
        let first = try #require(addresses.first { $0.address == checked })
        let second = try #require(addresses.first { $0.address == unchecked })
        #expect(first.flags.contains(.tentative))
        #expect(!second.flags.contains(.tentative))
        #expect(second.flags.isSuperset(of: [.noDuplicateDetection, .noPrefixRoute]))
        try lab.socket.perform(.remove(checked, from: v0), .remove(unchecked, from: v0))
        #expect(try lab.socket.addresses(of: v0).allSatisfy { $0.scope == .link })
    }

    @Test("an address without a prefix route leaves the routing table alone")
    func noPrefixRoute() throws {
        let lab = try labWithInterface()
        try lab.socket.perform(
            .add(try address("192.0.2.1/24"), to: v0),
            .add(try address("198.51.100.1/24"), to: v0, flags: .noPrefixRoute))
        #expect(try lab.socket.routes(.v4).map(\.destination) == [try prefix("192.0.2.0/24")])
    }

    @Test("the addresses of one interface do not contain another's")
    func addressesOfOneInterface() throws {
        let lab = try labWithInterface()
        try lab.socket.perform(.add(try address("192.0.2.1/24"), to: Device(index: 11)))
        #expect(try lab.socket.addresses(of: v0).allSatisfy { $0.interfaceIndex == 10 })
        #expect(
            try lab.socket.addresses(of: .loopback).map(\.address)
                == [try address("127.0.0.1/8"), try address("::1/128")])
    }

    @Test("routes are added, replaced and deleted", arguments: [IPAddress.Family.v4, .v6])
    func routes(family: IPAddress.Family) throws {
        let lab = try labWithInterface()
        let isV4 = family == .v4
        let own = try address(isV4 ? "192.0.2.1/24" : "2001:db8::1/64")
        let first = try #require(IPAddress(isV4 ? "192.0.2.2" : "2001:db8::2"))
        let second = try #require(IPAddress(isV4 ? "192.0.2.3" : "2001:db8::3"))
        let all = try prefix(isV4 ? "0.0.0.0/0" : "::/0")
        var blackhole = Route(to: try prefix(isV4 ? "203.0.113.0/24" : "2001:db8:1::/48"))
        blackhole.kind = .blackhole
        blackhole.metric = 5
        try lab.socket.perform(
            .add(own, to: v0, flags: .noDuplicateDetection), .add(Route(to: all, via: first)),
            .add(blackhole))
        func route(to destination: IPPrefix) throws -> Route? {
            try lab.socket.routes(family).first { $0.destination == destination }
        }
        #expect(try route(to: all)?.gateway == first)
        #expect(try route(to: all)?.device?.index == 10)
        #expect(try route(to: blackhole.destination)?.kind == .blackhole)
        #expect(try route(to: blackhole.destination)?.metric == 5)

        let taken = try #require(
            try lab.socket.attempt([.add(Route(to: all, via: first))]).first ?? nil)
        #expect(taken.code == .fileExists)
        try lab.socket.perform(.replace(Route(to: all, via: second)), .delete(blackhole))
        #expect(try route(to: all)?.gateway == second)
        #expect(try route(to: blackhole.destination) == nil)
        try lab.socket.perform(.delete(Route(to: all, via: second)))
        #expect(try route(to: all) == nil)
        let gone = try #require(
            try lab.socket.attempt([.delete(Route(to: all, via: second))]).first ?? nil)
        #expect(gone.code == .noSuchProcess)
    }

    @Test("a batch: errors belong to their requests, and the requests after them are performed")
    func batch() throws {
        let lab = try labWithInterface()
        let own = try address("192.0.2.1/24")
        let requests = [
            try Request.add(own, to: v0),
            try Request.add(own, to: v0),
            try Request.add(own, to: Device(index: 99)),
            try Request.add(
                Route(to: try prefix("198.51.100.0/24"), via: IPAddress("203.0.113.9"))),
            try Request.add(try address("192.0.2.2/24"), to: v0),
        ]
        let outcomes = try lab.socket.attempt(requests)
        #expect(outcomes.map { $0?.code.rawValue } == [nil, EEXIST, ENODEV, ENETUNREACH, nil])
        #expect(
            outcomes.map { $0?.kernelMessage } == [
                nil, "ipv4: Address already assigned", "ipv4: Device not found",
                "Nexthop has invalid gateway", nil,
            ])
        #expect(
            outcomes[3]?.description
                == "ip route add 198.51.100.0/24 via 203.0.113.9: network is unreachable"
                + " (Nexthop has invalid gateway)")
        #expect(
            try lab.socket.addresses(of: v0).filter { $0.address.address.family == .v4 }.count == 2)

        let first = #expect(throws: NetlinkError.self) {
            try lab.socket.perform(Array(requests.dropFirst(2)))
        }
        #expect(first?.operation == "ip address add 192.0.2.1/24 dev if99")
    }

    @Test("a batch larger than one send keeps each error with its request")
    func largeBatch() throws {
        let lab = try labWithInterface()
        let requests = try (0..<200).map { number in
            try Request.add(
                try address("10.0.0.\(number)/32"), to: number % 7 == 3 ? Device(index: 99) : v0)
        }
        let outcomes = try lab.socket.attempt(requests)
        #expect(outcomes.count == 200)
        for (number, outcome) in outcomes.enumerated() {
            #expect(outcome?.code.rawValue == (number % 7 == 3 ? ENODEV : nil))
        }
    }

    @Test("the answers to a full batch of refused requests all fit")
    func refusedBatch() throws {
        let lab = try labWithInterface()
        let requests = try (0..<256).map { number in
            try Request.add(try address("10.0.0.\(number)/32"), to: Device(index: 99))
        }
        let outcomes = try lab.socket.attempt(requests)
        #expect(outcomes.count == 256)
        #expect(outcomes.allSatisfy { $0?.kernelMessage == "ipv4: Device not found" })
    }

    @Test("neighbours: none at first, then the one that was asked for in vain")
    func neighbours() throws {
        let lab = try labWithInterface()
        try lab.socket.perform(.add(try address("192.0.2.1/24"), to: v0))
        #expect(try lab.socket.neighbours(of: v0).allSatisfy { $0.address.isMulticast })
        try lab.namespace.run { try sendDatagram(to: IPv4Address(192, 0, 2, 9)) }
        let neighbour = try lab.socket.neighbours(of: v0).first {
            $0.address == IPAddress("192.0.2.9")
        }
        #expect(neighbour?.state == .incomplete)
        #expect(neighbour?.macAddress == nil)
    }
}

/// Sends one UDP datagram to the discard port of `address`, or to all stations.
func sendDatagram(to address: IPv4Address, _ text: String = "x") throws {
    let descriptor = OwnedDescriptor(
        try systemCall("socket") { socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0) })
    var on: CInt = 1
    setsockopt(descriptor.rawValue, SOL_SOCKET, SO_BROADCAST, &on, socklen_t(4))
    var target = sockaddr_in()
    target.sin_family = sa_family_t(AF_INET)
    target.sin_port = in_port_t(9).bigEndian
    target.sin_addr.s_addr = address.rawValue.bigEndian
    let bytes = Array(text.utf8)
    _ = try withUnsafePointer(to: &target) { target in
        try target.withMemoryRebound(to: sockaddr.self, capacity: 1) { target in
            try systemCall("send to \(address)") {
                sendto(
                    descriptor.rawValue, bytes, bytes.count, 0, target,
                    socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
