import CLinux
import Glibc
import LinuxSystem
import Netlink
import NetworkTypes
import Testing
import Wire

/// `wire-relay` between namespaces, on a real kernel.
@Suite("the userspace wire", .enabled(if: geteuid() == 0, "needs root"))
struct WireRelayTests {
    /// A rule about the frames that tests send.
    private static func rule(
        of frames: FrameSelector = FrameSelector(from: RelayStation.source), seed: UInt64 = 0,
        _ change: (inout Impairment) -> Void
    ) -> WireRule {
        var impairment = Impairment()
        change(&impairment)
        return WireRule(impairment, of: frames, seed: seed)
    }

    @Test("frames pass octet for octet and in order, of every length, with VLAN tags, both ways")
    func octetForOctet() throws {
        let stage = try RelayStage()
        try stage.set([stage.link()])
        let node = try RelayStation("eth0", in: stage.node)
        let other = try RelayStation("eth0", in: stage.other)
        let tags: [[UInt8]] = [
            [], [0x81, 0, 0x60, 100], [0x88, 0xa8, 0, 5, 0x81, 0, 0, 6],
        ]
        for (from, to) in [(node, other), (other, node)] {
            let frames = [60, 61, 600, 1513, 1514].flatMap { length in
                tags.map { RelayStation.frame(length, length: length, tags: $0) }
            }
            for frame in frames { try from.send(frame) }
            for frame in frames {
                let octets = try to.next().octets
                #expect(hexadecimal(octets) == hexadecimal(frame))
            }
        }
        let counters = try stage.counters()
        #expect(counters.outward.all.frames >= 15)
        #expect(counters.outward.refused == 0)
        #expect(counters.outward.missed == 0)
    }

    @Test("TCP passes with its offloads: super-frames and unfinished checksums as they are")
    func offloads() throws {
        let stage = try RelayStage()
        try stage.set([stage.link()])
        try transfer(8 << 20, through: stage)
        let outward = try stage.counters().outward
        #expect(outward.missed == 0)
        #expect(outward.refused == 0)
        // Full packets would be more: that is how large those were that passed.
        #expect(outward.all.frames < 8 << 20 / 1448 / 2, "\(outward.all.frames) frames")
        #expect(outward.sent == outward.all.frames)
    }

    @Test("a super-frame passes as one behind a VLAN tag, too", arguments: [false, true])
    func taggedSuperFrame(isTagged: Bool) throws {
        let stage = try RelayStage()
        try stage.set([stage.link()])
        let node = try RelayStation("eth0", in: stage.node)
        let other = try RelayStation("eth0", in: stage.other)
        let tag: [UInt8] = isTagged ? [0x81, 0, 0, 100] : []
        let ethernet = RelayStage.otherMAC.octets + RelayStation.source.octets + tag + [8, 0]
        // 4000 octets of TCP, whose checksum is to be calculated, in packets of 1000.
        let network: [UInt8] =
            [0x45, 0, 0x0f, 0xc8, 0, 1, 0x40, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]
        let transport: [UInt8] =
            [0x30, 0x39, 0, 9, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 1, 0, 0x5a, 0x5a, 0, 0]
        let frame =
            ethernet + network + transport + (0..<4000).map { UInt8($0 & 0xff) }
        var offload = virtio_net_hdr()
        offload.flags = CLINUX_VIRTIO_NEEDS_CHECKSUM
        offload.gso_type = CLINUX_VIRTIO_GSO_TCPV4
        offload.gso_size = 1000
        offload.csum_start = UInt16(ethernet.count + 20)
        offload.csum_offset = 16
        offload.hdr_len = UInt16(ethernet.count + 40)
        try node.send(frame, offload)
        let arrived = try other.next()
        #expect(hexadecimal(arrived.octets) == hexadecimal(frame))
        #expect(arrived.offload.flags & CLINUX_VIRTIO_NEEDS_CHECKSUM != 0)
        #expect(arrived.offload.gso_type == CLINUX_VIRTIO_GSO_TCPV4)
        #expect(arrived.offload.gso_size == 1000)
        #expect(arrived.offload.csum_start == 34)
        #expect(arrived.offload.csum_offset == 16)
        #expect(try stage.counters().outward.refused == 0)
    }

    @Test("TCP tells damage from data, though its checksums are unfinished when it happens")
    func damage() throws {
        let stage = try RelayStage()
        try stage.set([
            stage.link(out: [Self.rule(of: FrameSelector(.tcp)) { $0.corruptPercent = 8 }])
        ])
        try transfer(8 << 20, through: stage)
        #expect(try stage.counters().outward.all.corrupted > 0)
    }

    @Test("a delay counts from the arrival, by the kernel's stamps, and is not shorter")
    func delay() throws {
        let stage = try RelayStage()
        try stage.set([stage.link(out: [Self.rule { $0.delay = .milliseconds(10) }])])
        let node = try RelayStation("eth0", in: stage.node)
        let arrivals = try RelayStation("a", in: stage.fabric)
        let other = try RelayStation("eth0", in: stage.other)
        var delays: [Double] = []
        for number in 0..<50 {
            try node.send(RelayStation.frame(number))
            let arrived = try arrivals.next()
            let delivered = try other.next()
            #expect(arrived.octets == delivered.octets)
            delays.append(Double(delivered.nanoseconds - arrived.nanoseconds) / 1e6)
        }
        // The two clocks' distance is known to a microsecond or so.
        #expect(delays.allSatisfy { $0 > 9.98 }, "\(delays)")
        // scripts/bench wire says how exact it is; this machine may have other things to do.
        #expect(delays.sorted()[25] < 11, "\(delays)")
    }

    @Test("the same seed loses the same frames, twice, and as the lane says without a kernel")
    func sameSeed() throws {
        let rule = Self.rule(seed: 42) { $0.loss = .random(percent: 30) }
        var lane = WireLane(link: "node:eth0", direction: .outward, rules: [rule])
        let expected = (0..<500).filter { number in
            lane.pass(RelayStation.frame(number).span, at: .zero).lostBy == nil
        }
        #expect((300..<400).contains(expected.count))
        for _ in 1...2 {
            let stage = try RelayStage()
            try stage.set([stage.link(out: [rule])])
            let node = try RelayStation("eth0", in: stage.node)
            let other = try RelayStation("eth0", in: stage.other)
            for number in 0..<500 { try node.send(RelayStation.frame(number)) }
            try stage.set([stage.link()])
            try node.send(RelayStation.frame(0xffff))
            var passed: [Int] = []
            while passed.last != 0xffff { passed.append(RelayStation.number(of: try other.next())) }
            #expect(passed == expected + [0xffff])
        }
    }

    @Test("other rules leave what is under way; a link that goes takes it along")
    func changes() throws {
        let stage = try RelayStage()
        let node = try RelayStation("eth0", in: stage.node)
        let other = try RelayStation("eth0", in: stage.other)
        func delayed(_ milliseconds: Int) -> WireRule {
            Self.rule { $0.delay = .milliseconds(milliseconds) }
        }
        try stage.set([stage.link(out: [delayed(400)])])
        try node.send(RelayStation.frame(1))
        try waitUntil("it is under way") { try stage.counters().outward.queued == 1 }
        try stage.set([stage.link()])
        try node.send(RelayStation.frame(2))
        #expect(RelayStation.number(of: try other.next()) == 2)
        #expect(RelayStation.number(of: try other.next()) == 1)

        try stage.set([stage.link(out: [delayed(100)])])
        try node.send(RelayStation.frame(3))
        try waitUntil("it is under way") { try stage.counters().outward.queued == 1 }
        try stage.set([])
        try waitUntil("its sockets are closed") { try stage.packetSockets() == 0 }
        try stage.set([stage.link(out: [delayed(200)])])
        try node.send(RelayStation.frame(4))
        #expect(RelayStation.number(of: try other.next()) == 4)
    }

    @Test("an interface that goes ends its link, and no other")
    func vanishing() throws {
        let stage = try RelayStage()
        try stage.set([stage.link(), stage.secondLink()])
        let index = try stage.fabric.device("a").index
        // The second link's interfaces are still down, and that ends nothing.
        for end in ["c", "d"] {
            try stage.fabric.socket.perform(.set(stage.fabric.device(end), .up))
        }
        let from = try RelayStation("c-peer", in: stage.fabric)
        let to = try RelayStation("d-peer", in: stage.fabric)
        try waitUntil("the second link carries frames") {
            try stage.fabric.socket.link(named: name("d-peer"))?.isOperational == true
        }
        let wanted = try stage.link()
        try stage.node.socket.perform(.delete(stage.node.device("eth0")))
        let reply = try stage.nextReply()
        #expect(reply.id == nil)
        #expect(
            reply.ended == .init(link: "node:eth0", reason: "interface \(index) is gone"))
        try from.send(RelayStation.frame(7))
        #expect(RelayStation.number(of: try to.next()) == 7)
        let refusal = try stage.ask(.set([stage.secondLink(), wanted], id: 99))
        #expect(refusal.done == nil)
        #expect(refusal.error == "link node:eth0: open interface \(index): no such device")
        try from.send(RelayStation.frame(8))
        #expect(RelayStation.number(of: try to.next()) == 8)
    }

    @Test("a request that cannot be done changes nothing")
    func refusals() throws {
        let stage = try RelayStage()
        let rule = Self.rule { $0.loss = .every(1) }
        try stage.set([stage.link(out: [rule])])
        var second = try stage.secondLink()
        second.name = "node:eth0"
        for links in [
            [try stage.link(), second],
            [try stage.link(out: [Self.rule { $0.limitPackets = 0 }])],
            [WireLink(name: "third", node: try stage.fabric.device("a").index, network: 9999)],
        ] {
            let reply = try stage.ask(.set(links, id: 5))
            #expect(reply.done == nil)
            #expect(reply.error?.isEmpty == false)
        }
        #expect(try stage.counters().outward.rules.count == 1)
    }

    @Test("the end of the stream ends the relay and leaves nothing")
    func streamEnd() throws {
        let stage = try RelayStage()
        try stage.set([stage.link(out: [Self.rule { $0.delay = .seconds(60) }])])
        let node = try RelayStation("eth0", in: stage.node)
        try node.send(RelayStation.frame(1))
        try waitUntil("it is under way") { try stage.counters().outward.queued == 1 }
        #expect(try stage.packetSockets() == 2)
        #expect(try stage.close() == .exited(status: 0))
        #expect(try stage.packetSockets() == 0)
    }

    // MARK: TCP

    /// Sends that many octets from one station to the other, and finds them the same.
    private func transfer(_ count: Int, through stage: RelayStage) throws {
        let listener = try stage.other.namespace.run { try tcpSocket() }
        let client = try stage.node.namespace.run { try tcpSocket() }
        try withAddress("10.0.0.2", port: 9) { address, length in
            try systemCall("bind") { bind(listener.rawValue, address, length) }
            try systemCall("listen") { listen(listener.rawValue, 1) }
            // In progress: the connection is there when it can be accepted.
            _ = connect(client.rawValue, address, length)
        }
        var accepted: CInt = -1
        try waitUntil("the connection is made") {
            accepted = accept4(
                listener.rawValue, nil, nil, CLINUX_SOCK_NONBLOCK | CLINUX_SOCK_CLOEXEC)
            return accepted >= 0
        }
        let server = OwnedDescriptor(accepted)
        var number: UInt32 = 1
        let data = (0..<count).map { _ -> UInt8 in
            number = number &* 1_664_525 &+ 1_013_904_223
            return UInt8(number >> 24)
        }
        var (sent, received) = (0, [UInt8]())
        received.reserveCapacity(count)
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        let deadline = MonotonicClock.now + .seconds(60)
        while received.count < count {
            try #require(MonotonicClock.now < deadline, "\(received.count) of \(count) octets")
            if sent < count {
                let done = data[sent...].withUnsafeBytes {
                    send(client.rawValue, $0.baseAddress, $0.count, CLINUX_MSG_NOSIGNAL)
                }
                sent += max(done, 0)
            }
            let done = recv(server.rawValue, &buffer, buffer.count, 0)
            received += buffer.prefix(max(done, 0))
            if done < 0 {
                var request = pollfd(fd: server.rawValue, events: Int16(POLLIN), revents: 0)
                poll(&request, 1, 10)
            }
        }
        #expect(received == data)
    }

    private func tcpSocket() throws -> OwnedDescriptor {
        OwnedDescriptor(
            try systemCall("open a TCP socket") {
                socket(
                    AF_INET,
                    CInt(SOCK_STREAM.rawValue) | CLINUX_SOCK_CLOEXEC | CLINUX_SOCK_NONBLOCK, 0)
            })
    }

    private func withAddress(
        _ text: String, port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Void
    ) throws {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        inet_pton(AF_INET, text, &address.sin_addr)
        try withUnsafePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                try body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
