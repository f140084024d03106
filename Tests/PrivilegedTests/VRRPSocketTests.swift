import CLinux
import Glibc
import LinuxSystem
import Netlink
import NetworkTypes
import SystemPackage
import Testing
import VRRP

@testable import VRRPAgent

/// Every form in which VRRP travels, from one namespace to another.
@Suite("VRRP sockets", .enabled(if: geteuid() == 0, "needs root"))
struct VRRPSocketTests {
    private static let here4 = IPv4Address(10, 10, 10, 1)
    private static let there4 = IPv4Address(10, 10, 10, 2)
    private static let here6 = IPv6Address(high: 0xfe80 << 48, low: 1)
    private static let there6 = IPv6Address(high: 0xfe80 << 48, low: 2)
    private static let multicast4 = VRRPSocket.Endpoint.multicast(group: .v4(Advertisement.group))
    private static let multicast6 = VRRPSocket.Endpoint.multicast(group: .v6(Advertisement.group6))

    private static let advertisement4 = Advertisement(
        version: 3, vrid: 51, priority: 100, interval: .milliseconds(10),
        addresses: [.v4(IPv4Address(10, 10, 10, 10))])
    private static let advertisement6 = Advertisement(
        version: 3, vrid: 51, priority: 100, interval: .milliseconds(10),
        addresses: [.v6(IPv6Address(high: 0xfe80 << 48, low: 0x10))])

    /// The link with an IPv6 address at each end that is in use at once.
    private func link() throws -> TestLink {
        let link = try TestLink()
        try enable("eth0", in: link.here, "fe80::1/64")
        try enable("eth0", in: link.there, "fe80::2/64")
        return link
    }

    private func enable(
        _ device: String, in namespace: borrowing TestNamespace, _ text: String
    ) throws {
        let device = try namespace.device(device)
        try namespace.socket.perform(.set(device, .up))
        try namespace.socket.perform(
            .add(address(text), to: device, flags: .noDuplicateDetection))
    }

    private func open(
        _ endpoint: VRRPSocket.Endpoint, in namespace: borrowing TestNamespace,
        by device: String = "eth0", ipProtocol: UInt8 = Advertisement.ipProtocol
    ) throws -> VRRPSocket {
        let index = try namespace.device(device).index
        return try namespace.namespace.run {
            try VRRPSocket(
                VRRPSocket.Key(device: index, ipProtocol: ipProtocol, endpoint: endpoint))
        }
    }

    /// What a socket receives next, awaited for 30 s at most.
    private func next(of socket: VRRPSocket) throws -> ReceivedAdvertisement? {
        let deadline = MonotonicClock.now + .seconds(30)
        while MonotonicClock.now < deadline {
            if let received = try socket.receive() { return received }
            var poll = pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)
            let rest = (deadline - MonotonicClock.now).wholeNanoseconds / 1_000_000
            Glibc.poll(&poll, 1, CInt(max(0, rest)) + 1)
        }
        return nil
    }

    // RFC-CHECKLIST: 5, 6
    @Test("IPv6 to the group, both ways: the hop limit is seen, and nobody hears itself")
    func multicastIPv6() throws {
        let link = try link()
        let here = try open(Self.multicast6, in: link.here)
        let there = try open(Self.multicast6, in: link.there)
        for (from, to, source) in [
            (here, there, Self.here6), (there, here, Self.there6),
        ] {
            var sender = AdvertisementSender(to: .group(.v6(Advertisement.group6)))
            #expect(sender.send(Self.advertisement6, from: .v6(source), through: from).isEmpty)
            let received = try #require(try next(of: to))
            #expect(received.source == .v6(source))
            #expect(received.destination == .v6(Advertisement.group6))
            #expect(received.timeToLive == 255)
            #expect(
                try received.validated(against: .init(Self.advertisement6))
                    == Self.advertisement6)
            #expect(try from.receive() == nil, "a sender does not hear itself")
        }
    }

    @Test("IPv6 to a peer: the kernel's hop limit unless unicast_ttl says otherwise; no multicast")
    func unicastIPv6() throws {
        let link = try link()
        let here = try open(.unicast(source: .v6(Self.here6)), in: link.here)
        let there = try open(.unicast(source: .v6(Self.there6)), in: link.there)
        let group = try open(Self.multicast6, in: link.there)
        let groupHere = try open(Self.multicast6, in: link.here)
        var toGroup = AdvertisementSender(to: .group(.v6(Advertisement.group6)))
        #expect(
            toGroup.send(Self.advertisement6, from: .v6(Self.here6), through: groupHere).isEmpty)
        for (setting, arriving) in [(nil, 64), (255, 255), (3, 3)] as [(UInt8?, UInt8)] {
            var sender = AdvertisementSender(
                to: .peers([.v6(Self.there6)]), unicastTimeToLive: setting)
            #expect(
                sender.send(Self.advertisement6, from: .v6(Self.here6), through: here).isEmpty)
            // What was sent to the group first would come first.
            let received = try #require(try next(of: there))
            #expect(received.timeToLive == arriving)
            #expect(
                try received.validated(against: .init(Self.advertisement6, isUnicast: true))
                    == Self.advertisement6)
        }
        #expect(try next(of: group)?.destination == .v6(Advertisement.group6))
        #expect(try group.receive() == nil, "the group's socket gets no unicast")
    }

    @Test("IPv6 to a peer by global addresses")
    func globalUnicastIPv6() throws {
        let link = try link()
        try enable("eth0", in: link.here, "fd00:10::1/64")
        try enable("eth0", in: link.there, "fd00:10::2/64")
        let (source, peer) = try (
            #require(IPAddress("fd00:10::1")), #require(IPAddress("fd00:10::2"))
        )
        let here = try open(.unicast(source: source), in: link.here)
        let there = try open(.unicast(source: peer), in: link.there)
        var sender = AdvertisementSender(to: .peers([peer]))
        #expect(sender.send(Self.advertisement6, from: source, through: here).isEmpty)
        let received = try #require(try next(of: there))
        #expect(received.source == source)
        #expect(
            try received.validated(
                against: .init(
                    Self.advertisement6, isUnicast: true,
                    peers: [.init(source, timeToLive: 64...64)]))
                == Self.advertisement6)
    }

    @Test("what was prepared goes out again and again, with the next Identification")
    func resending() throws {
        let link = try link()
        let here = try open(Self.multicast4, in: link.here)
        let there = try open(Self.multicast4, in: link.there)
        let advertisement = Self.advertisement4
        let (priority, source) = (advertisement.priority, IPAddress.v4(Self.here4))
        var sender = AdvertisementSender(to: .group(.v4(Advertisement.group)))
        sender.prepare(advertisement, from: source)
        #expect(sender.resend(priority: priority - 1, from: source, through: here) == nil)
        #expect(sender.resend(priority: priority, from: .v4(Self.there4), through: here) == nil)
        for number in 1...3 as ClosedRange<UInt16> {
            let failures = sender.resend(priority: priority, from: source, through: here)
            #expect(try #require(failures).isEmpty)
            #expect(sender.identification == number)
            let received = try #require(try next(of: there))
            #expect(try received.validated(against: .init(advertisement)) == advertisement)
        }
        sender.reconfigure(sender)
        #expect(sender.resend(priority: priority, from: source, through: here) == nil)
    }

    @Test("IPv4 to a peer: only what is addressed to the source address, and no multicast")
    func unicastIPv4() throws {
        let link = try link()
        try link.there.socket.perform(
            .add(address("10.10.10.3/24"), to: link.there.device("eth0")))
        let here = try open(.unicast(source: .v4(Self.here4)), in: link.here)
        let there = try open(.unicast(source: .v4(Self.there4)), in: link.there)
        let groupHere = try open(Self.multicast4, in: link.here)
        let group = try open(Self.multicast4, in: link.there)
        var toGroup = AdvertisementSender(to: .group(.v4(Advertisement.group)))
        #expect(
            toGroup.send(Self.advertisement4, from: .v4(Self.here4), through: groupHere).isEmpty)
        var sender = AdvertisementSender(
            to: .peers([.v4(IPv4Address(10, 10, 10, 3)), .v4(Self.there4)]),
            checksum: .messageOnly, unicastTimeToLive: 64)
        #expect(sender.send(Self.advertisement4, from: .v4(Self.here4), through: here).isEmpty)
        let received = try #require(try next(of: there))
        #expect(received.destination == .v4(Self.there4))
        #expect(received.timeToLive == 64)
        #expect(
            try received.validated(
                against: .init(Self.advertisement4, isUnicast: true, checksum: .messageOnly))
                == Self.advertisement4)
        #expect(try there.receive() == nil)
        #expect(try next(of: group)?.destination == .v4(Advertisement.group))
        #expect(try group.receive() == nil, "the group's socket gets no unicast")
    }

    @Test("an authentication header: protocol 51 to its own sockets, the numbers count up")
    func authenticationHeader() throws {
        let link = try link()
        var advertisement = Self.advertisement4
        advertisement.version = 2
        advertisement.interval = .seconds(1)
        advertisement.authentication = .header(AuthenticationPassword(truncating: "password"))
        let here = try open(Self.multicast4, in: link.here, ipProtocol: 51)
        let there = try open(Self.multicast4, in: link.there, ipProtocol: 51)
        let plain = try open(Self.multicast4, in: link.there)
        var sender = AdvertisementSender(to: .group(.v4(Advertisement.group)))
        var last: UInt32 = 0
        for number in 1...3 as ClosedRange<UInt32> {
            #expect(sender.send(advertisement, from: .v4(Self.here4), through: here).isEmpty)
            let received = try #require(try next(of: there))
            #expect(
                try received.validated(against: .init(advertisement, lastSequenceNumber: last))
                    == advertisement)
            #expect(received.sequenceNumber == number)
            last = number
            #expect(sender.identification == UInt16(number))
        }
        #expect(try plain.receive() == nil)
    }

    @Test("mcast_dst_ip: each group's socket gets its own")
    func otherGroups() throws {
        let link = try link()
        let others: [(IPAddress, IPAddress, Advertisement)] = [
            (.v4(IPv4Address(224, 0, 0, 99)), .v4(Self.here4), Self.advertisement4),
            (
                .v6(IPv6Address(high: 0xff02 << 48, low: 0x99)), .v6(Self.here6),
                Self.advertisement6
            ),
        ]
        for (group, source, advertisement) in others {
            let usual = Advertisement.group(group.family)
            let here = try open(.multicast(group: group), in: link.here)
            let there = try open(.multicast(group: group), in: link.there)
            let usualThere = try open(.multicast(group: usual), in: link.there)
            // The pair that sends is bound to nothing: it may send to any group.
            for destination in [usual, group, usual] {
                var sender = AdvertisementSender(to: .group(destination))
                #expect(sender.send(advertisement, from: source, through: here).isEmpty)
            }
            #expect(try next(of: there)?.destination == group)
            #expect(try there.receive() == nil)
            #expect(try next(of: usualThere)?.destination == usual)
            #expect(try next(of: usualThere)?.destination == usual)
        }
    }

    @Test("what comes in by another interface is not received")
    func otherInterface() throws {
        let link = try link()
        let eth1 = try name("eth1")
        try link.here.socket.perform(
            .add(VethEnd(name: eth1), peer: VethPeer(name: eth1, namespace: link.there.reference)))
        try enable("eth1", in: link.here, "fe80::11/64")
        try enable("eth1", in: link.there, "fe80::12/64")
        let deadline = MonotonicClock.now + .seconds(30)
        while try link.here.socket.link(named: eth1)?.isOperational != true {
            guard MonotonicClock.now < deadline else { throw TestLink.NeverUp() }
            usleep(1000)
        }
        for (endpoint, source, advertisement) in [
            (Self.multicast4, IPAddress.v4(Self.here4), Self.advertisement4),
            (Self.multicast6, .v6(Self.here6), Self.advertisement6),
        ] {
            let there0 = try open(endpoint, in: link.there)
            let there1 = try open(endpoint, in: link.there, by: "eth1")
            let here0 = try open(endpoint, in: link.here)
            let here1 = try open(endpoint, in: link.here, by: "eth1")
            var sender = AdvertisementSender(to: .group(endpoint.address))
            let other: IPAddress =
                source.family == .v4
                ? source : .v6(IPv6Address(high: 0xfe80 << 48, low: 0x11))
            #expect(sender.send(advertisement, from: other, through: here1).isEmpty)
            #expect(try next(of: there1) != nil)
            #expect(try there0.receive() == nil)
            #expect(sender.send(advertisement, from: source, through: here0).isEmpty)
            #expect(try next(of: there0)?.source == source)
            #expect(try there1.receive() == nil)
        }
    }

    @Test("a device that goes down, and then away, is told by sending and not by receiving")
    func deviceDown() throws {
        let link = try link()
        let device = try link.here.device("eth0")
        let sockets = try [Self.multicast4, Self.multicast6].map { try open($0, in: link.here) }
        let sources: [IPAddress] = [.v4(Self.here4), .v6(Self.here6)]
        func failures(_ index: Int) -> [AdvertisementSender.Failure] {
            var sender = AdvertisementSender(to: .group(sockets[index].key.endpoint.address))
            return sender.send(
                [Self.advertisement4, Self.advertisement6][index], from: sources[index],
                through: sockets[index])
        }
        for index in sockets.indices { #expect(failures(index).isEmpty) }
        try link.here.socket.perform(.set(device, .down))
        for index in sockets.indices {
            #expect(failures(index).map(\.saysLinkIsDown) == [true])
            #expect(try sockets[index].receive() == nil)
            #expect(try sockets[index].receive() == nil)
        }
        try link.here.socket.perform(.delete(device))
        for index in sockets.indices {
            let failed = failures(index)
            #expect(failed.map(\.saysLinkIsDown) == [true])
            let line = try #require(failed.first?.line(for: "VI_1"))
            #expect(line.hasPrefix("(VI_1): send advert error "))
            #expect(try sockets[index].receive() == nil)
        }
    }

    @Test("a source address that is not this host's is refused when the sockets are opened")
    func foreignSource() throws {
        let link = try link()
        for source in [
            IPAddress.v4(IPv4Address(10, 10, 10, 99)),
            .v6(IPv6Address(high: 0xfe80 << 48, low: 0x99)),
        ] {
            let error = #expect(throws: SystemError.self) {
                try open(.unicast(source: source), in: link.here)
            }
            #expect(error?.code == .addressNotAvailable)
        }
    }

    @Test("a packet that is too short to read, and one longer than any can be, are told apart")
    func oddLengths() throws {
        let link = try link()
        let here = try open(Self.multicast6, in: link.here)
        let there = try open(Self.multicast6, in: link.there)
        let raw = try link.here.namespace.run {
            try RawIPv6Socket.sending(
                Advertisement.ipProtocol, by: here.key.device, checksumOffset: 6,
                multicastHops: 255, trafficClass: 0)
        }
        // The kernel wants room for the checksum, which ends where the header does.
        try raw.send(
            [0x31, 51, 100, 255, 0, 1, 0, 0] + [UInt8](repeating: 0, count: 5000),
            from: Self.here6, to: Advertisement.group6)
        let received = try #require(try next(of: there))
        #expect(throws: AdvertisementError.wrongLength(receivedBytes: 4089, expectedBytes: 4088)) {
            try received.validated(against: .init(Self.advertisement6))
        }
        // One that ends in the header has a wrong checksum to the kernel, or none.
        let raw4 = try link.here.namespace.run {
            try RawIPv4Socket.sending(Advertisement.ipProtocol, by: here.key.device)
        }
        let there4 = try open(Self.multicast4, in: link.there)
        var packet = try Self.advertisement4.ipv4Packet(from: Self.here4, identification: 1)
        packet.removeLast(5)
        packet[3] = UInt8(packet.count)
        try raw4.send(packet, to: Advertisement.group)
        #expect(throws: AdvertisementError.packetTooShort(lengthBytes: 27)) {
            try next(of: there4)
        }
    }

    @Test("over IPv6 the kernel drops what has a wrong checksum")
    func wrongChecksum() throws {
        let link = try link()
        let there = try open(Self.multicast6, in: link.there)
        let frames = try link.here.namespace.run { try FrameSender() }
        let device = try link.here.device("eth0").index
        let header: [UInt8] =
            [0x33, 0x33, 0, 0, 0, 0x12] + TestLink.hereMAC.octets + [0x86, 0xdd]
        var damaged = try Self.advertisement6.ipv6Packet(from: Self.here6)
        damaged[42] = 200
        try frames.send(header + damaged, by: device)
        try frames.send(
            header + Self.advertisement6.ipv6Packet(from: Self.here6), by: device)
        let received = try #require(try next(of: there))
        #expect(try received.validated(against: .init(Self.advertisement6)).priority == 100)
        #expect(try there.receive() == nil)
    }

    @Test("announcements of both families arrive as keepalived sends them")
    func announcements() throws {
        let link = try link()
        let all: [FilterInstruction] = [.init(0x06, 0, 0, .max)]
        let capture = try link.there.namespace.run { try PacketCapture(filter: all) }
        let announcer = try link.here.namespace.run { try Announcer() }
        let device = try link.here.device("eth0").index
        let outlet = Announcer.Outlet(device: device, mac: TestLink.hereMAC)
        var expected: [[UInt8]] = []
        for text in ["10.10.10.10", "fe80::10"] {
            let announcement = AnnouncementQueue.Announcement(
                owner: "VI_1", interface: try name("eth0"), address: try #require(IPAddress(text)))
            let frame = try #require(Announcer.Frame(announcement, by: outlet))
            expected.append(frame.octets)
            try announcer.send(frame)
        }
        let deadline = MonotonicClock.now + .seconds(30)
        while !expected.isEmpty, MonotonicClock.now < deadline {
            var poll = pollfd(fd: capture.descriptor.rawValue, events: Int16(POLLIN), revents: 0)
            Glibc.poll(&poll, 1, 1000)
            for frame in try capture.drain() { expected.removeAll { $0 == frame.bytes } }
        }
        #expect(expected.isEmpty)
    }
}

extension VRRPSocket {
    /// The next packet; nil when none is waiting.
    fileprivate func receive() throws -> ReceivedAdvertisement? {
        var buffer = [UInt8](repeating: 0, count: Self.bufferBytes)
        return try receive(into: &buffer).map { try ReceivedAdvertisement($0, in: buffer) }
    }
}
