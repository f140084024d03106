import NetworkTypes
import Testing

@testable import Netlink

@Suite("Notifications are read from the kernel's bytes")
struct NotificationParsingTests {
    @Test("RTM_NEWLINK: a port of a bridge, with its carrier, kind and port state")
    func link() throws {
        let notifications = Notification.parse(Captured.linkOfPort, namespaceID: 7)
        #expect(notifications.count == 1)
        let notification = try #require(notifications.first)
        #expect(notification.namespaceID == 7)
        guard case .link(let link) = notification.kind else {
            Issue.record("not a link: \(notification)")
            return
        }
        #expect(link.index == 10)
        #expect(link.name == "v0")
        #expect(link.isUp)
        #expect(link.hasCarrier)
        #expect(link.isOperational)
        #expect(link.masterIndex == 12)
        #expect(link.address == MACAddress("02:00:00:00:00:01"))
        #expect(link.mtuBytes == 1400)
        #expect(link.flags == [.broadcast, .multicast])
        #expect(link.hardwareType == 1)
        #expect(link.kind == "veth")
        // The bridge itself was down.
        #expect(link.portState == .disabled)
        #expect(link.peerIndex == 11)
        #expect(link.peerNamespaceID == nil)
        #expect(link.device == Device(index: 10, name: InterfaceName("v0")))
    }

    @Test("RTM_DELLINK: a device that is gone")
    func linkRemoved() {
        let notifications = Notification.parse(Captured.linkRemoved)
        guard case .linkRemoved(let link) = notifications.first?.kind else {
            Issue.record("not a removal: \(notifications)")
            return
        }
        #expect(notifications.first?.namespaceID == nil)
        #expect(link.index == 11)
        #expect(link.name == "v1")
        #expect(!link.isUp)
        #expect(!link.hasCarrier)
        #expect(!link.isOperational)
    }

    @Test("RTM_NEWLINK of family AF_BRIDGE: a port and its state")
    func bridgePort() {
        let notifications = Notification.parse(Captured.bridgePort)
        guard notifications.count == 1, case .bridgePort(let port) = notifications[0].kind else {
            Issue.record("not a port: \(notifications)")
            return
        }
        #expect(port.index == 10)
        #expect(port.name == "v0")
        #expect(port.masterIndex == 12)
        #expect(port.state == .disabled)
    }

    @Test("RTM_DELLINK of family AF_BRIDGE: a port that leaves its bridge is not gone")
    func portLeftBridge() {
        #expect(Notification.parse(Captured.portLeftBridge) == [])
    }

    @Test("RTM_NEWADDR and RTM_DELADDR: an IPv4 address with label and broadcast address")
    func address() throws {
        let added = Notification.parse(Captured.address)
        guard case .addressAdded(let address) = added.first?.kind else {
            Issue.record("not an address: \(added)")
            return
        }
        #expect(address.interfaceIndex == 11)
        #expect(address.address == InterfaceAddress("192.0.2.1/24"))
        #expect(address.peer == nil)
        #expect(address.label == "v1:vip")
        #expect(address.scope == .universe)
        #expect(address.broadcast == IPv4Address(192, 0, 2, 255))
        #expect(address.flags == .permanent)
        #expect(
            Notification.parse(Captured.addressRemoved)
                == [Notification(namespaceID: nil, kind: .addressRemoved(address))])
    }

    @Test("RTM_NEWADDR: an IPv6 address without duplicate detection")
    func address6() throws {
        let added = Notification.parse(Captured.address6)
        guard case .addressAdded(let address) = added.first?.kind else {
            Issue.record("not an address: \(added)")
            return
        }
        #expect(address.address == InterfaceAddress("2001:db8::1/64"))
        #expect(address.label == nil)
        #expect(address.flags == [.permanent, .noDuplicateDetection])
    }

    @Test("RTM_NEWADDR: the local address of a point-to-point link, and the peer's")
    func pointToPointAddress() throws {
        let added = Notification.parse(Captured.pointToPointAddress)
        guard case .addressAdded(let address) = added.first?.kind else {
            Issue.record("not an address: \(added)")
            return
        }
        #expect(address.address == InterfaceAddress("198.51.100.1/30"))
        #expect(address.peer == IPAddress("198.51.100.2"))
    }

    @Test("RTM_NEWROUTE: the default route, which has no destination attribute")
    func route() throws {
        var route = Route(
            to: try #require(IPPrefix("0.0.0.0/0")), via: IPAddress("192.0.2.254"),
            dev: Device(index: 11))
        route.metric = 7
        route.scope = .universe
        route.origin = 3  // RTPROT_BOOT: made by ip
        #expect(Notification.parse(Captured.defaultRoute).map(\.kind) == [.routeAdded(route)])
        #expect("\(route)" == "default via 192.0.2.254 dev if11 metric 7 scope global proto 3")
    }

    @Test("RTM_NEWNEIGH: a neighbour, but not an entry of a bridge's forwarding table")
    func neighbour() {
        let notifications = Notification.parse(Captured.neighbour)
        guard case .neighbour(let neighbour) = notifications.first?.kind else {
            Issue.record("not a neighbour: \(notifications)")
            return
        }
        #expect(neighbour.interfaceIndex == 11)
        #expect(neighbour.address == IPAddress("192.0.2.254"))
        #expect(neighbour.macAddress == MACAddress("02:00:00:00:00:fe"))
        #expect(neighbour.state == .permanent)
        #expect(Notification.parse(Captured.bridgeEntry) == [])
    }

    @Test("several messages in one datagram are read in order")
    func severalMessages() {
        let kinds = Notification.parse(Captured.all.flatMap(\.self)).map(\.kind)
        #expect(kinds == Captured.all.flatMap { Notification.parse($0) }.map(\.kind))
        #expect(kinds.count == 9)
    }
}

@Suite("Malformed notifications are left out")
struct MalformedNotificationTests {
    @Test("a datagram cut short anywhere gives no message that is not whole")
    func truncation() {
        for whole in Captured.all {
            for length in 0..<whole.count {
                #expect(Notification.parse([UInt8](whole.prefix(length))) == [])
            }
        }
    }

    @Test("a message whose length is cut with it gives at most one notification")
    func shortenedMessage() {
        for whole in Captured.all {
            for length in 16..<whole.count {
                var cut = [UInt8](whole.prefix(length))
                cut.replaceSubrange(0..<4, with: littleEndian(UInt32(length)))
                #expect(Notification.parse(cut).count <= 1)
            }
        }
    }

    @Test("a length of 2³¹ and more, which is negative to libmnl, is refused")
    func hugeLength() {
        for length in [UInt32(1) << 31, .max] {
            var forged = Captured.address
            forged.replaceSubrange(0..<4, with: littleEndian(length))
            #expect(Notification.parse(forged) == [])
        }
    }

    @Test("an address with a prefix length its family does not have is left out")
    func impossiblePrefixLength() {
        var forged = Captured.address
        forged[17] = 33
        #expect(Notification.parse(forged) == [])
        forged[17] = 32
        #expect(Notification.parse(forged).count == 1)
    }

    @Test("an address of the other family's size is left out")
    func wrongFamily() {
        var forged = Captured.address
        forged[16] = 10
        #expect(Notification.parse(forged) == [])
    }

    @Test("any byte replaced by any of a few others never gives more than one notification")
    func anyByteReplaced() {
        for whole in Captured.all {
            for place in whole.indices {
                for value: UInt8 in [0, 1, 3, 4, 5, 0x7f, 0x80, 0xff, whole[place] ^ 0x10] {
                    var forged = whole
                    forged[place] = value
                    // A message that says it is shorter may leave a rest that reads as another.
                    #expect(Notification.parse(forged).count <= (place < 4 ? whole.count / 16 : 1))
                }
            }
        }
    }

    private func littleEndian(_ number: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
}
