import CLinux
import Glibc
import LinuxSystem
import Netlink
import NetworkTypes
import Testing

@Suite("Netlink: bridge ports", .enabled(if: geteuid() == 0, "needs root"))
struct NetlinkBridgePortTests {
    /// A bridge with three nodes on it, whose ports have the indices 101 to 103.
    private struct Network: ~Copyable {
        let fabric: TestNamespace
        let first: TestNamespace
        let second: TestNamespace
        let third: TestNamespace

        static func build() throws -> Network {
            let network = Network(
                fabric: try TestNamespace(), first: try TestNamespace(),
                second: try TestNamespace(), third: try TestNamespace())
            let monitor = try network.fabric.namespace.run { try RouteMonitor(.links) }
            try network.fabric.socket.perform(.add(Bridge(name: try name("lan"), index: 100)))
            try network.attach(network.first, number: 1)
            try network.attach(network.second, number: 2)
            try network.attach(network.third, number: 3)
            // A new port forwards before it has carrier, too; what it gets then is lost.
            var waiting: Set<Int32> = [101, 102, 103]
            _ = try notification(from: monitor) {
                if case .link(let link) = $0.kind, link.isOperational {
                    waiting.remove(link.index)
                }
                return waiting.isEmpty
            }
            try #require(waiting.isEmpty)
            return network
        }

        private func attach(_ node: borrowing TestNamespace, number: Int32) throws {
            try fabric.socket.perform(
                .add(
                    VethEnd(
                        name: try name("port\(number)"), index: 100 + number,
                        master: Device(index: 100)),
                    peer: VethPeer(name: try name("eth0"), index: 2, namespace: node.reference)))
            try node.socket.perform(
                .add(
                    try address("192.0.2.\(number)/24"), to: Device(index: 2),
                    broadcast: IPv4Address(192, 0, 2, 255)),
                .set(Device(index: 2), .up))
        }
    }

    private let port2 = Device(index: 102, name: InterfaceName("port2"))
    private let everyone = IPv4Address(192, 0, 2, 255)

    @Test("a disabled port swallows everything, while both ends keep their carrier")
    func blackhole() throws {
        let network = try Network.build()
        let second = try network.second.namespace.run { try listen() }
        let third = try network.third.namespace.run { try listen() }

        try network.fabric.socket.perform(.setBridgePort(port2, .state(.disabled)))
        try network.first.namespace.run { try sendDatagram(to: everyone, "lost") }
        // The bridge has dealt with the frame once another port delivers it.
        #expect(try receive(third) == "lost")
        #expect(
            try network.fabric.socket.link(named: try name("port2"))?.portState == .disabled)
        #expect(try network.fabric.socket.link(named: try name("port2"))?.hasCarrier == true)
        #expect(try network.second.socket.link(named: try name("eth0"))?.hasCarrier == true)

        try network.fabric.socket.perform(.setBridgePort(port2, .state(.forwarding)))
        try network.first.namespace.run { try sendDatagram(to: everyone, "kept") }
        #expect(try receive(third) == "kept")
        #expect(try receive(second) == "kept")
    }

    @Test("a node that sets its link down and up gets a disabled port forwarding again")
    func carrierUndoesState() throws {
        let network = try Network.build()
        let monitor = try network.fabric.namespace.run { try RouteMonitor(.links) }
        try network.fabric.socket.perform(.setBridgePort(port2, .state(.disabled)))
        _ = try monitor.drain()
        let eth0 = Device(index: 2)
        try network.second.socket.perform(.set(eth0, .down))
        let down = try notification(from: monitor) {
            if case .link(let link) = $0.kind {
                link.index == 102 && !link.hasCarrier
            } else {
                false
            }
        }
        #expect(down != nil)
        try network.second.socket.perform(.set(eth0, .up))
        // So whoever cuts a link this way watches for this notification and cuts it again.
        let forwarding = try notification(from: monitor) {
            if case .bridgePort(let port) = $0.kind {
                port.index == 102 && port.state == .forwarding
            } else {
                false
            }
        }
        #expect(forwarding != nil)
    }

    @Test("a port off its bridge swallows everything, whatever the node does to its own end")
    func portOffItsBridge() throws {
        let network = try Network.build()
        let second = try network.second.namespace.run { try listen() }
        let third = try network.third.namespace.run { try listen() }
        let monitor = try network.fabric.namespace.run { try RouteMonitor(.links) }
        try network.fabric.socket.perform(.set(port2, .master(nil)))
        #expect(try network.second.socket.link(named: try name("eth0"))?.hasCarrier == true)
        let eth0 = Device(index: 2)
        for change in [LinkChange.down, .up] {
            try network.second.socket.perform(.set(eth0, change))
            let settled = try notification(from: monitor) {
                if case .link(let link) = $0.kind {
                    link.index == 102 && link.isOperational == (change == .up)
                } else {
                    false
                }
            }
            #expect(settled != nil)
        }
        try network.first.namespace.run { try sendDatagram(to: everyone, "lost") }
        #expect(try receive(third) == "lost")

        try network.fabric.socket.perform(.set(port2, .master(Device(index: 100))))
        try network.first.namespace.run { try sendDatagram(to: everyone, "kept") }
        #expect(try receive(third) == "kept")
        #expect(try receive(second) == "kept")
    }

    @Test("a port that does not flood lets no broadcast out")
    func noBroadcast() throws {
        let network = try Network.build()
        let second = try network.second.namespace.run { try listen() }
        let third = try network.third.namespace.run { try listen() }
        try network.fabric.socket.perform(
            .setBridgePort(
                port2, .learning(false), .floodsUnicast(false), .floodsMulticast(false),
                .floodsBroadcast(false)))
        try network.first.namespace.run { try sendDatagram(to: everyone, "lost") }
        #expect(try receive(third) == "lost")
        try network.fabric.socket.perform(.setBridgePort(port2, .floodsBroadcast(true)))
        try network.first.namespace.run { try sendDatagram(to: everyone, "kept") }
        #expect(try receive(second) == "kept")
    }
}

/// A socket that gets what ``sendDatagram(to:_:)`` sends, and waits for it for 30 s at most.
private func listen() throws -> OwnedDescriptor {
    let descriptor = OwnedDescriptor(
        try systemCall("socket") { socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0) })
    var timeout = timeval(tv_sec: 30, tv_usec: 0)
    setsockopt(
        descriptor.rawValue, SOL_SOCKET, SO_RCVTIMEO, &timeout,
        socklen_t(MemoryLayout<timeval>.size))
    var own = sockaddr_in()
    own.sin_family = sa_family_t(AF_INET)
    own.sin_port = in_port_t(9).bigEndian
    _ = try withUnsafePointer(to: &own) { own in
        try own.withMemoryRebound(to: sockaddr.self, capacity: 1) { own in
            try systemCall("bind") {
                bind(descriptor.rawValue, own, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
    return descriptor
}

private func receive(_ descriptor: borrowing OwnedDescriptor) throws -> String {
    var bytes = [UInt8](repeating: 0, count: 64)
    let number = descriptor.rawValue
    let count = try systemCall("receive") { recv(number, &bytes, bytes.count, 0) }
    return String(decoding: bytes.prefix(count), as: UTF8.self)
}
