import CLinux
import Glibc
import LinuxSystem
import Netlink
import NetworkTypes
import SystemPackage
import Testing
import VRRP

/// Two namespaces joined by a veth pair, 10.10.10.1 and 10.10.10.2, both ends called eth0.
struct TestLink: ~Copyable {
    let here: TestNamespace
    let there: TestNamespace
    static let hereMAC = MACAddress(rawValue: 0x0200_0000_0001)

    init() throws {
        let here = try TestNamespace()
        let there = try TestNamespace()
        let eth0 = try name("eth0")
        try here.socket.perform(
            .add(
                VethEnd(name: eth0, address: Self.hereMAC),
                peer: VethPeer(name: eth0, namespace: there.reference)))
        try there.socket.perform(.set(there.device("eth0"), .up))
        try here.socket.perform(.add(address("10.10.10.1/24"), to: here.device("eth0")))
        try there.socket.perform(.add(address("10.10.10.2/24"), to: there.device("eth0")))
        // Frames vanish until the device has its queue.
        let deadline = MonotonicClock.now + .seconds(30)
        while try here.socket.link(named: eth0)?.isOperational != true
            || there.socket.link(named: eth0)?.isOperational != true
        {
            guard MonotonicClock.now < deadline else { throw NeverUp() }
            usleep(1000)
        }
        self.here = here
        self.there = there
    }

    struct NeverUp: Error {}
}

/// The next packet of a raw socket, awaited for 30 s at most.
func packet(from socket: RawIPv4Socket, within limit: Duration = .seconds(30)) throws -> [UInt8]? {
    let deadline = MonotonicClock.now + limit
    while true {
        if let packet = try socket.receive() { return packet }
        let rest = (deadline - MonotonicClock.now).wholeNanoseconds / 1_000_000
        guard rest >= 0 else { return nil }
        var poll = pollfd(fd: socket.descriptor.rawValue, events: Int16(POLLIN), revents: 0)
        Glibc.poll(&poll, 1, CInt(rest) + 1)
    }
}

extension RawIPv4Socket {
    /// The next packet; nil when none is waiting.
    fileprivate func receive() throws -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 2048)
        return try receive(into: &buffer).map { Array(buffer[..<$0]) }
    }
}

@Suite("Raw IPv4 sockets", .enabled(if: geteuid() == 0, "needs root"))
struct RawSocketTests {
    private let advertisement = Advertisement(
        vrid: 51, priority: 100, addresses: [.v4(IPv4Address(10, 10, 10, 10))])

    @Test("a packet with its own header arrives as it was sent, at the group's members only")
    func group() throws {
        let link = try TestLink()
        let device = try link.here.device("eth0").index
        let sender = try link.here.namespace.run {
            try RawIPv4Socket.sending(Advertisement.ipProtocol, by: device)
        }
        let own = try link.here.namespace.run {
            try RawIPv4Socket.receiving(
                Advertisement.ipProtocol, from: device, group: Advertisement.group)
        }
        let peerDevice = try link.there.device("eth0").index
        let member = try link.there.namespace.run {
            try RawIPv4Socket.receiving(
                Advertisement.ipProtocol, from: peerDevice, group: Advertisement.group)
        }
        let sent = try advertisement.ipv4Packet(
            from: IPv4Address(10, 10, 10, 1), identification: 7)
        // What is sent to the host itself is not for the group's socket: the next it gets is the
        // second packet.
        let peer = IPv4Address(10, 10, 10, 2)
        try sender.send(
            advertisement.ipv4Packet(
                from: IPv4Address(10, 10, 10, 1), to: peer, identification: 6), to: peer)
        try sender.send(sent, to: Advertisement.group)
        #expect(try packet(from: member) == sent)
        #expect(try own.receive() == nil, "a sender does not hear itself")
        #expect(try sender.receive() == nil, "a sender receives nothing")
    }

    @Test("without a group a socket gets what is sent to the host")
    func host() throws {
        let link = try TestLink()
        let device = try link.here.device("eth0").index
        let sender = try link.here.namespace.run {
            try RawIPv4Socket.sending(Advertisement.ipProtocol, by: device)
        }
        let peerDevice = try link.there.device("eth0").index
        let receiver = try link.there.namespace.run {
            try RawIPv4Socket.receiving(Advertisement.ipProtocol, from: peerDevice, group: nil)
        }
        let peer = IPv4Address(10, 10, 10, 2)
        let sent = try advertisement.ipv4Packet(
            from: IPv4Address(10, 10, 10, 1), to: peer, identification: 6)
        try sender.send(sent, to: peer)
        #expect(try packet(from: receiver) == sent)
    }

    @Test("sending by a device that is down says so")
    func down() throws {
        let link = try TestLink()
        let device = try link.here.device("eth0")
        let sender = try link.here.namespace.run {
            try RawIPv4Socket.sending(Advertisement.ipProtocol, by: device.index)
        }
        let frames = try link.here.namespace.run { try FrameSender() }
        try link.here.socket.perform(.set(device, .down))
        let packet = try advertisement.ipv4Packet(
            from: IPv4Address(10, 10, 10, 1), identification: 1)
        #expect(throws: SystemError.self) { try sender.send(packet, to: Advertisement.group) }
        let frame = ARPFrame.gratuitous(for: IPv4Address(10, 10, 10, 10), at: TestLink.hereMAC)
        let error = #expect(throws: SystemError.self) {
            try frames.send(frame.octets, by: device.index)
        }
        #expect(error?.code == .networkDown)
    }

    @Test("a frame is captured at the other end as it was sent")
    func frame() throws {
        let link = try TestLink()
        // ldh [12]; jeq #0x806, 0, 1; ret #-1; ret #0
        let arp: [FilterInstruction] = [
            .init(0x28, 0, 0, 12), .init(0x15, 0, 1, 0x0806), .init(0x06, 0, 0, .max),
            .init(0x06, 0, 0, 0),
        ]
        let capture = try link.there.namespace.run { try PacketCapture(filter: arp) }
        let frames = try link.here.namespace.run { try FrameSender() }
        let sent = ARPFrame.gratuitous(for: IPv4Address(10, 10, 10, 10), at: TestLink.hereMAC)
        try frames.send(sent.octets, by: link.here.device("eth0").index)
        var poll = pollfd(fd: capture.descriptor.rawValue, events: Int16(POLLIN), revents: 0)
        Glibc.poll(&poll, 1, 30_000)
        #expect(try capture.drain().first.map { ARPFrame(parsing: $0.bytes) } == sent)
    }
}
