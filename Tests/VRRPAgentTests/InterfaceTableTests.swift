import Netlink
import NetworkTypes
import Testing

@testable import VRRPAgent

@Suite("Interfaces, as the kernel tells of them")
struct InterfaceTableTests {
    private var table = InterfaceTable()
    private let mac = MACAddress(octets: [2, 0, 0, 0, 0, 1])

    @Test("an interface appears, comes up, loses its carrier and vanishes")
    mutating func life() throws {
        let eth0 = try name("eth0")
        #expect(table.handle(.link(link(isUp: false))) == [.appeared(eth0)])
        #expect(!table.isUp(eth0))
        // Set up, but without carrier, it is not up.
        #expect(table.handle(.link(link(hasCarrier: false))) == [])
        #expect(table.handle(.link(link())) == [.up(eth0)])
        #expect(table.isUp(eth0))
        // The kernel tells the same more than once.
        #expect(table.handle(.link(link())) == [])
        #expect(table.handle(.link(link(hasCarrier: false))) == [.down(eth0)])
        #expect(table.handle(.linkRemoved(link(hasCarrier: false))) == [.vanished(eth0)])
        #expect(table[eth0] == nil)
    }

    @Test("an interface that vanishes while it is up is down first, and takes its addresses along")
    mutating func vanishes() throws {
        let eth0 = try name("eth0")
        _ = table.handle(.link(link()))
        _ = table.handle(.addressAdded(try assigned("192.0.2.1/24")))
        #expect(table.handle(.linkRemoved(link())) == [.down(eth0), .vanished(eth0)])
        // What is told late about it changes nothing.
        #expect(table.handle(.addressRemoved(try assigned("192.0.2.1/24"))) == [])
        _ = table.handle(.link(link(index: 9)))
        #expect(table[eth0]?.addresses == [])
    }

    @Test("an interface comes back with another index, even before its end is told")
    mutating func comesBack() throws {
        let eth0 = try name("eth0")
        _ = table.handle(.link(link()))
        let back = link(index: 9)
        #expect(
            table.handle(.link(back))
                == [.down(eth0), .vanished(eth0), .appeared(eth0), .up(eth0)])
        #expect(table[eth0]?.device.index == 9)
        // The old one's end does not end the new one.
        #expect(table.handle(.linkRemoved(link())) == [])
        #expect(table[eth0]?.device.index == 9)
    }

    @Test("what is derived from interfaces is known to be old once one of them changed")
    mutating func generation() throws {
        _ = table.handle(.link(link()))
        let first = table.generation
        _ = table.handle(.addressAdded(try assigned("192.0.2.1/24")))
        #expect(table.generation == first, "its addresses are another matter")
        _ = table.handle(.link(link(hasCarrier: false)))
        let second = table.generation
        #expect(second != first)
        _ = table.handle(.linkRemoved(link()))
        #expect(table.generation != second)
    }

    @Test("a renamed interface is gone by its old name and there by the new, with its addresses")
    mutating func renamed() throws {
        let (eth0, lan) = (try name("eth0"), try name("lan"))
        let own = try address("192.0.2.1/24")
        _ = table.handle(.link(link()))
        _ = table.handle(.addressAdded(try assigned("192.0.2.1/24")))
        var other = link()
        other.name = "lan"
        #expect(
            table.handle(.link(other))
                == [.down(eth0), .vanished(eth0), .appeared(lan), .up(lan), .added(own, lan)])
        #expect(table[eth0] == nil)
        #expect(table.has(own, on: lan))
    }

    @Test("another Ethernet address is told, for the gratuitous ARP that must say it")
    mutating func anotherMAC() throws {
        _ = table.handle(.link(link()))
        var other = link()
        other.address = MACAddress(octets: [2, 0, 0, 0, 0, 2])
        #expect(table.handle(.link(other)) == [.addressChanged(of: try name("eth0"))])
    }

    // RFC-CHECKLIST: 2
    @Test("an address that instances move is no news to them, unless one of them sends from it")
    func moves() throws {
        let (eth0, moved) = (try name("eth0"), try address("192.0.2.100/24"))
        let own = try address("192.0.2.1/24")
        let virtual: Set = [PlacedAddress(moved.address, on: eth0)]
        #expect(InterfaceTable.Change.added(moved, eth0).isMove(of: virtual))
        #expect(InterfaceTable.Change.removed(moved, eth0).isMove(of: virtual))
        #expect(!InterfaceTable.Change.added(own, eth0).isMove(of: virtual))
        // Where they do not move it, it may be an interface's own.
        #expect(!InterfaceTable.Change.added(moved, try name("eth1")).isMove(of: virtual))
        #expect(!InterfaceTable.Change.removed(moved, eth0).isMove(of: []))
        for change: InterfaceTable.Change in [
            .appeared(eth0), .vanished(eth0), .up(eth0), .down(eth0), .addressChanged(of: eth0),
        ] {
            #expect(!change.isMove(of: virtual))
        }
    }

    @Test("addresses come and go; the first that is not virtual is the source")
    mutating func addresses() throws {
        let eth0 = try name("eth0")
        _ = table.handle(.link(link()))
        for text in ["192.0.2.100/32", "192.0.2.1/24", "192.0.2.2/24"] {
            #expect(
                table.handle(.addressAdded(try assigned(text)))
                    == [.added(try address(text), eth0)])
        }
        #expect(table.handle(.addressAdded(try assigned("192.0.2.1/24"))) == [])
        let vip = try #require(IPAddress("192.0.2.100"))
        let virtual: Set = [PlacedAddress(vip, on: eth0)]
        // One that is moved on a macvlan can be the own one of what is below.
        let above: Set = [PlacedAddress(vip, on: try name("vrrp.51"))]
        #expect(table.source(.v4, on: eth0, without: above) == vip)
        #expect(table.source(.v4, on: eth0, without: virtual) == IPAddress("192.0.2.1"))
        #expect(
            table.handle(.addressRemoved(try assigned("192.0.2.1/24")))
                == [.removed(try address("192.0.2.1/24"), eth0)])
        #expect(table.source(.v4, on: eth0, without: virtual) == IPAddress("192.0.2.2"))
        #expect(table.source(.v6, on: eth0, without: []) == nil)
    }

    // RFC-CHECKLIST: 4
    @Test(
        "an IPv6 source is link-local and not another station's; a tentative one is the last choice"
    )
    mutating func linkLocalSource() throws {
        let eth0 = try name("eth0")
        let own = try address("fe80::1/64")
        _ = table.handle(.link(link()))
        _ = table.handle(.addressAdded(try assigned("2001:db8::1/64")))
        _ = table.handle(.addressAdded(try assigned("fe80::1/64", flags: .tentative)))
        #expect(table.source(.v6, on: eth0, without: []) == own.address)
        let other = try address("fe80::2/64")
        _ = table.handle(.addressAdded(try assigned("fe80::2/64")))
        #expect(table.source(.v6, on: eth0, without: []) == other.address)
        _ = table.handle(.addressRemoved(try assigned("fe80::2/64")))
        // Duplicate address detection ends: told, though the address was there.
        #expect(
            table.handle(.addressAdded(try assigned("fe80::1/64"))) == [.added(own, eth0)])
        #expect(table.source(.v6, on: eth0, without: []) == own.address)
        _ = table.handle(.addressAdded(try assigned("fe80::1/64", flags: .duplicate)))
        #expect(table.source(.v6, on: eth0, without: []) == nil)
    }

    @Test("a macvlan is up only while what is below it is, but a veth stands alone")
    mutating func base() throws {
        let vmac = try name("vrrp.51")
        _ = table.handle(.link(link()))
        var macvlan = Link(index: 20, name: "vrrp.51", kind: "macvlan")
        macvlan.peerIndex = 2
        _ = table.handle(.link(macvlan))
        #expect(table.isUp(vmac))
        _ = table.handle(.link(link(hasCarrier: false)))
        #expect(!table.isUp(vmac))
        var veth = Link(index: 21, name: "v0", kind: "veth")
        veth.peerIndex = 2
        _ = table.handle(.link(veth))
        #expect(table.isUp(try name("v0")))
    }

    @Test("read anew after a loss, it says what it missed and is as one that missed nothing")
    mutating func resynchronised() throws {
        let (eth0, eth1, eth2) = (try name("eth0"), try name("eth1"), try name("eth2"))
        _ = table.handle(.link(link()))
        _ = table.handle(.link(Link(index: 3, name: "eth1")))
        _ = table.handle(.addressAdded(try assigned("192.0.2.1/24")))
        let links = [link(hasCarrier: false), Link(index: 4, name: "eth2")]
        let addresses = [try assigned("192.0.2.2/24")]
        #expect(
            table.replace(links: links, addresses: addresses)
                == [
                    .down(eth1), .vanished(eth1), .removed(try address("192.0.2.1/24"), eth0),
                    .down(eth0), .appeared(eth2), .up(eth2),
                    .added(try address("192.0.2.2/24"), eth0),
                ])
        #expect(table.names == [eth0, eth2])
        #expect(table.replace(links: links, addresses: addresses) == [])
    }

    // MARK: Values

    private func link(index: Int32 = 2, isUp: Bool = true, hasCarrier: Bool = true) -> Link {
        Link(index: index, name: "eth0", isUp: isUp, hasCarrier: hasCarrier, address: mac)
    }

    private func assigned(
        _ text: String, flags: AddressFlags = .permanent
    ) throws -> AssignedAddress {
        AssignedAddress(try address(text), interfaceIndex: 2, flags: flags)
    }

    private func name(_ text: String) throws -> InterfaceName { try #require(InterfaceName(text)) }

    private func address(_ text: String) throws -> InterfaceAddress {
        try #require(InterfaceAddress(text))
    }
}
