import Testing

@testable import Wire

@Suite("super-frames and checksums")
struct FrameOffloadTests {
    /// A TCP super-frame as a veth hands it over: the checksum field has the pseudo-header's sum.
    private func superFrame(ipv6: Bool, payload: Int) -> (frame: [UInt8], offload: FrameOffload) {
        let header: [UInt8] =
            [0x1f, 0x90, 0, 80, 0xff, 0xff, 0xff, 0x00, 0, 0, 0, 1, 0x50, 0x99, 1, 0, 0, 0, 0, 0]
        let data = (0..<payload).map { UInt8($0 * 7 & 0xff) }
        let frame =
            ipv6
            ? FrameSelectorTests.ipv6(next: 6, header + data)
            : FrameSelectorTests.ipv4(protocol: 6, header + data)
        var offload = FrameOffload()
        offload.checksumStart = ipv6 ? 54 : 34
        offload.checksumOffset = 16
        offload.segmentation = .tcp
        offload.segmentBytes = 1000
        return (frame, offload)
    }

    /// The Internet checksum over octets in which it already is: 0xffff where it is right.
    private func sum(_ octets: [UInt8]) -> UInt32 {
        var sum: UInt32 = 0
        for (place, octet) in octets.enumerated() {
            sum += place % 2 == 0 ? UInt32(octet) << 8 : UInt32(octet)
            sum = sum >> 16 + sum & 0xffff
        }
        return sum
    }

    private func pseudoHeader(_ packet: [UInt8], ipv6: Bool, protocol number: UInt8) -> [UInt8] {
        let length = packet.count - (ipv6 ? 54 : 34)
        return Array(ipv6 ? packet[22..<54] : packet[26..<34])
            + [0, number, UInt8(length >> 8), UInt8(length & 0xff)]
    }

    @Test("a super-frame comes to as many packets, with a header each", arguments: [false, true])
    func arrival(ipv6: Bool) {
        let (frame, offload) = superFrame(ipv6: ipv6, payload: 2500)
        let header = ipv6 ? 74 : 54
        #expect(
            offload.arrival(of: frame)
                == WireLane.Arrival(
                    length: frame.count, bytes: 2500 + 3 * header, largest: header + 1000))
        #expect(FrameOffload().arrival(of: frame) == WireLane.Arrival(length: frame.count))
    }

    @Test("its packets have all of its octets, and checksums that hold", arguments: [false, true])
    func packets(ipv6: Bool) {
        let (frame, offload) = superFrame(ipv6: ipv6, payload: 2500)
        let header = ipv6 ? 74 : 54
        let transport = header - 20
        let packets = offload.packets(of: frame)
        #expect(packets.map(\.count) == [header + 1000, header + 1000, header + 500])
        #expect(packets.flatMap { $0[header...] } == Array(frame[header...]))
        for (number, packet) in packets.enumerated() {
            #expect(
                sum(pseudoHeader(packet, ipv6: ipv6, protocol: 6) + packet[transport...]) == 0xffff)
            let sequence = packet[transport + 4..<transport + 8].reduce(UInt32(0)) {
                $0 << 8 | UInt32($1)
            }
            #expect(sequence == 0xffff_ff00 &+ UInt32(number * 1000))
            // CWR of the first, FIN and PSH of the last, ACK of all.
            #expect(packet[transport + 13] == [0x90, 0x10, 0x19][number])
            if !ipv6 {
                #expect(sum(Array(packet[14..<34])) == 0xffff)
                #expect(Int(packet[16]) << 8 | Int(packet[17]) == packet.count - 14)
                #expect(packet[19] == UInt8(1 + number))
            }
        }
    }

    @Test("UDP_SEGMENT: each packet has its length and its checksum")
    func udpPackets() {
        let data = [UInt8](repeating: 5, count: 250)
        let frame = FrameSelectorTests.ipv4(protocol: 17, [0, 1, 0, 2, 1, 2, 0, 0] + data)
        var offload = FrameOffload()
        (offload.checksumStart, offload.checksumOffset) = (34, 6)
        (offload.segmentation, offload.segmentBytes) = (.udp, 100)
        let packets = offload.packets(of: frame)
        #expect(packets.map { Int($0[38]) << 8 | Int($0[39]) } == [108, 108, 58])
        for packet in packets {
            #expect(sum(pseudoHeader(packet, ipv6: false, protocol: 17) + packet[34...]) == 0xffff)
        }
    }

    @Test("behind a VLAN tag, too")
    func tagged() {
        var (frame, offload) = superFrame(ipv6: false, payload: 1500)
        frame.insert(contentsOf: octets("8100 0064"), at: 12)
        offload.checksumStart = 38
        let packets = offload.packets(of: frame)
        #expect(packets.map(\.count) == [1058, 558])
        #expect(packets.allSatisfy { sum(Array($0[18..<38])) == 0xffff })
    }

    @Test("the checksum of one packet is completed from the sum that is there")
    func oneChecksum() {
        var frame = FrameSelectorTests.ipv4(protocol: 17, [0, 1, 0, 2, 0, 12, 0, 0, 1, 2, 3, 4])
        let pseudo = sum(pseudoHeader(frame, ipv6: false, protocol: 17))
        frame[40] = UInt8(pseudo >> 8)
        frame[41] = UInt8(pseudo & 0xff)
        var offload = FrameOffload()
        (offload.checksumStart, offload.checksumOffset) = (34, 6)
        let packet = offload.packets(of: frame)[0]
        #expect(sum(pseudoHeader(packet, ipv6: false, protocol: 17) + packet[34...]) == 0xffff)
        #expect(FrameOffload().packets(of: frame) == [frame])
    }

    @Test("damage is one bit of one packet, and no checksum covers it")
    func damaged() {
        let (frame, offload) = superFrame(ipv6: false, payload: 2500)
        let sound = offload.packets(of: frame)
        for octet in [0, 13, 20, 40, 53, 54, 1053, 1054, 2053, 2054, 2553] {
            let packets = offload.damaged(frame, bit: octet * 8 + 3)
            var bits = 0
            for (packet, other) in zip(packets, sound) {
                bits += zip(packet, other).reduce(0) { $0 + ($1.0 ^ $1.1).nonzeroBitCount }
            }
            #expect(bits == 1)
            let place = octet < 54 ? 0 : (octet - 54) / 1000
            #expect(packets[place] != sound[place])
        }
    }

    @Test("an IPv6 header that the transport's begins in the middle of leaves it whole")
    func overlappingHeaders() {
        var (frame, offload) = superFrame(ipv6: true, payload: 10)
        frame[20] = 17
        offload.checksumStart = 34
        offload.checksumOffset = 6
        offload.segmentation = .udp
        offload.segmentBytes = 1
        // 42 octets of headers, and IPv6's go on to 54.
        frame.removeLast(frame.count - 54)
        #expect(offload.packets(of: frame).count == 1)
    }

    @Test("headers that do not fit the frame leave it whole")
    func nonsense() {
        let (frame, sensible) = superFrame(ipv6: false, payload: 100)
        for (start, offset, size) in [
            (1000, 16, 10), (150, 16, 10), (34, 60_000, 10), (34, 16, 0), (0, 16, 10), (33, 16, 10),
        ] {
            var offload = sensible
            (offload.checksumStart, offload.checksumOffset) = (start, offset)
            offload.segmentBytes = size
            #expect(!offload.packets(of: frame).isEmpty)
            #expect(offload.arrival(of: frame).bytes >= 100)
            #expect(!offload.damaged(frame, bit: frame.count * 8 - 1).isEmpty)
        }
    }
}
