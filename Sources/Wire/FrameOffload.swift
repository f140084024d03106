/// What a kernel has left to do for a frame, in the terms of struct virtio_net_hdr: a checksum that
/// is not complete, and one frame that stands for many packets.
///
/// A frame passes with it as it is. Only one that is to arrive damaged has to be finished first, as
/// in sch_netem.c: a checksum that is calculated later would cover the damage.
public struct FrameOffload: Equatable, Sendable {
    /// How the packets of a super-frame are made.
    public enum Segmentation: Equatable, Sendable {
        /// TCP over either version of IP.
        case tcp
        /// UDP packets, each with its own header (UDP_SEGMENT).
        case udp
        /// IP fragments of one UDP packet, which no Linux since 4.14 makes.
        case fragments
    }

    /// Where the octets begin that a checksum is still to be calculated of, up to the frame's end;
    /// nil: it is complete.
    public var checksumStart: Int?
    /// Where it belongs, from there.
    public var checksumOffset = 0
    /// How packets are to be made of the frame; nil: it is one.
    public var segmentation: Segmentation?
    /// How much each of them carries.
    public var segmentBytes = 0

    /// Nothing is left to do.
    public init() {}

    /// What a frame comes to on the wire.
    ///
    /// - Parameter frame: from its Ethernet header on.
    public func arrival(of frame: Span<UInt8>) -> WireLane.Arrival {
        guard segmentation != nil, segmentBytes > 0, let header = headerBytes(of: frame) else {
            return WireLane.Arrival(length: frame.count)
        }
        let payload = frame.count - header
        let packets = max((payload + segmentBytes - 1) / segmentBytes, 1)
        return WireLane.Arrival(
            length: frame.count, bytes: payload + packets * header,
            largest: header + min(segmentBytes, payload))
    }

    /// The length of all headers up to TCP's or UDP's; nil where the frame has no such.
    private func headerBytes(of frame: Span<UInt8>) -> Int? {
        guard let start = checksumStart, start >= 0 else { return nil }
        let end: Int
        switch segmentation {
        case .tcp:
            guard start + 20 <= frame.count else { return nil }
            end = start + max(Int(frame[start + 12] >> 4) * 4, 20)
        case .udp, .fragments: end = start + 8
        case nil: return nil
        }
        return end <= frame.count ? end : nil
    }

    /// The packets that a frame stands for, each with complete checksums; the frame itself, with
    /// its checksum, when it is one, or of a kind that cannot be taken apart.
    public func packets(of frame: [UInt8]) -> [[UInt8]] {
        var whole = frame
        guard let kind = segmentation, kind != .fragments, segmentBytes > 0,
            let start = checksumStart, let header = headerBytes(of: frame.span),
            let network = FrameHeaders.networkStart(of: frame.span),
            network + (frame[network] >> 4 == 4 ? 20 : 40) <= start
        else {
            completeChecksum(of: &whole)
            return [whole]
        }
        var packets: [[UInt8]] = []
        var place = header
        repeat {
            let end = min(place + segmentBytes, frame.count)
            var packet = Array(frame[..<header]) + frame[place..<end]
            let isLast = end == frame.count
            finish(
                &packet, kind, number: packets.count, network: network, transport: start,
                payloadStart: place - header, isLast: isLast)
            packets.append(packet)
            place = end
        } while place < frame.count
        return packets
    }

    /// The packets that a frame stands for, with that bit inverted in the one that it is in.
    ///
    /// - Parameter bit: counted from the highest of the frame's first octet.
    public func damaged(_ frame: [UInt8], bit: Int) -> [[UInt8]] {
        var packets = packets(of: frame)
        var (packet, octet) = (0, bit / 8)
        if packets.count > 1, let header = headerBytes(of: frame.span), octet >= header {
            packet = (octet - header) / segmentBytes
            octet -= packet * segmentBytes
        }
        packets[packet][octet] ^= 0x80 >> UInt8(bit % 8)
        return packets
    }

    /// Makes a packet's headers its own (RFC 791 §3.1, RFC 8200 §3, RFC 9293 §3.1).
    private func finish(
        _ packet: inout [UInt8], _ kind: Segmentation, number: Int, network: Int, transport: Int,
        payloadStart: Int, isLast: Bool
    ) {
        if packet[network] >> 4 == 4 {
            packet.put(packet.count - network, at: network + 2)
            packet.put(packet.number(at: network + 4) &+ number, at: network + 4)
            packet.put(0, at: network + 10)
            let length = Int(packet[network] & 0xf) * 4
            packet.put(
                Checksum.of(packet[network..<min(network + length, packet.count)]),
                at: network + 10)
        } else {
            packet.put(packet.count - network - 40, at: network + 4)
        }
        let length = packet.count - transport
        switch kind {
        case .tcp:
            let sequence =
                packet.number(at: transport + 4) << 16 | packet.number(at: transport + 6)
            let own = sequence &+ payloadStart
            packet.put(own >> 16, at: transport + 4)
            packet.put(own, at: transport + 6)
            // FIN and PSH are the last packet's, CWR the first's (RFC 3168 §6.1.2).
            if !isLast { packet[transport + 13] &= ~0x09 }
            if number > 0 { packet[transport + 13] &= ~0x80 }
        case .udp, .fragments: packet.put(length, at: transport + 4)
        }
        let at = transport + checksumOffset
        guard at + 2 <= packet.count else { return }
        packet.put(0, at: at)
        let isIPv4 = packet[network] >> 4 == 4
        let addresses = isIPv4 ? network + 12..<network + 20 : network + 8..<network + 40
        var sum = Checksum.sum(packet[addresses]) + Checksum.sum(packet[transport...])
        sum += UInt64(length) + (kind == .tcp ? 6 : 17)
        packet.put(Checksum.folded(sum, isUDP: kind == .udp), at: at)
    }

    /// Completes the one checksum of a frame that is a packet: where it belongs is the sum of what
    /// goes before (skb_checksum_help, net/core/dev.c).
    private func completeChecksum(of frame: inout [UInt8]) {
        guard let start = checksumStart, start >= 0, checksumOffset >= 0,
            start + checksumOffset + 2 <= frame.count
        else { return }
        let sum = Checksum.sum(frame[start...])
        frame.put(Checksum.folded(sum, isUDP: checksumOffset == 6), at: start + checksumOffset)
    }
}

/// The Internet checksum (RFC 1071).
private enum Checksum {
    static func sum(_ octets: ArraySlice<UInt8>) -> UInt64 {
        var sum: UInt64 = 0
        var isHigh = true
        for octet in octets {
            sum += isHigh ? UInt64(octet) << 8 : UInt64(octet)
            isHigh.toggle()
        }
        return sum
    }

    /// UDP says with 0 that there is none, so that a sum of 0 is sent as ones (RFC 768).
    static func folded(_ sum: UInt64, isUDP: Bool = false) -> Int {
        var sum = sum
        while sum > 0xffff { sum = sum >> 16 + sum & 0xffff }
        let checksum = Int(~sum & 0xffff)
        return checksum == 0 && isUDP ? 0xffff : checksum
    }

    static func of(_ octets: ArraySlice<UInt8>) -> Int { folded(sum(octets)) }
}

extension [UInt8] {
    fileprivate func number(at place: Int) -> Int { Int(self[place]) << 8 | Int(self[place + 1]) }

    /// Writes the lower 16 bits of a number.
    fileprivate mutating func put(_ number: Int, at place: Int) {
        self[place] = UInt8(truncatingIfNeeded: number >> 8)
        self[place + 1] = UInt8(truncatingIfNeeded: number)
    }
}
