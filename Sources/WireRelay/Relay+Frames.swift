import CLinux
import Glibc
import LinuxSystem
import NetworkTypes
import Wire

extension Relay {
    /// A stamp that says something else than the last second is taken for none: the wall clock was
    /// set, or the stamp is one that the sender's kernel has left.
    private static let credible: Duration = .seconds(1)

    /// Takes what has arrived at a path's source.
    func receive(_ path: RelayPath) {
        for _ in 0..<Self.maximumLooks {
            switch path.source.receive(into: slots) {
            case .nothing: return
            case .gone:
                endLinksWithoutInterfaces()
                return
            case .frames(let count):
                moved += count
                for slot in 0..<count {
                    pass(clinux_frames_in_at(slots, CInt(slot)), along: path)
                }
                // What is about to be sent lies in the slots.
                flush()
                if count < CLINUX_FRAME_BATCH { return }
            }
        }
    }

    private func pass(_ frame: UnsafeMutablePointer<clinux_frame>, along path: RelayPath) {
        guard frame.pointee.truncated == 0, frame.pointee.length > 0 else {
            path.source.countMissed()
            return
        }
        restoreTag(of: frame)
        let bytes = UnsafeMutableBufferPointer(
            start: frame.pointee.bytes, count: Int(frame.pointee.length))
        let offload = frame.pointee.offload.pointee
        let arrival =
            offload.gso_type == CLINUX_VIRTIO_GSO_NONE
            ? nil : FrameOffload(offload).arrival(of: bytes.span)
        let passage = path.lane.pass(
            bytes.span, arrival, at: time(of: frame.pointee.realtime_nanoseconds, along: path))
        if let copy = passage.first { pass(copy, of: frame, along: path) }
        if let copy = passage.second { pass(copy, of: frame, along: path) }
    }

    /// When a frame arrived: as the kernel says, but no sooner than the one before it.
    private func time(of stamp: Int64, along path: RelayPath) -> MonotonicInstant {
        var time = MonotonicInstant(nanoseconds: stamp + realtimeOffset)
        if time > now || now - time > Self.credible { time = now }
        path.lastArrival = max(path.lastArrival, time)
        return path.lastArrival
    }

    /// Puts a VLAN tag back that the kernel has taken out, so that it goes on as it came.
    private func restoreTag(of frame: UnsafeMutablePointer<clinux_frame>) {
        guard frame.pointee.has_tag != 0, frame.pointee.length >= 12 else { return }
        let start = frame.pointee.bytes - 4
        memmove(start, frame.pointee.bytes, 12)
        let (tag, control) = (frame.pointee.tag_protocol, frame.pointee.tag_control)
        start[12] = UInt8(tag >> 8)
        start[13] = UInt8(tag & 0xff)
        start[14] = UInt8(control >> 8)
        start[15] = UInt8(control & 0xff)
        frame.pointee.bytes = start
        frame.pointee.length += 4
        let offload = frame.pointee.offload!
        if offload.pointee.flags & CLINUX_VIRTIO_NEEDS_CHECKSUM != 0 {
            offload.pointee.csum_start += 4
        }
        offload.pointee.hdr_len += 4
    }

    private func pass(
        _ copy: WireLane.Copy, of frame: UnsafeMutablePointer<clinux_frame>, along path: RelayPath
    ) {
        let (bytes, length) = (frame.pointee.bytes!, Int(frame.pointee.length))
        if let bit = copy.invertedBit {
            let whole = Array(UnsafeBufferPointer(start: bytes, count: length))
            let packets = FrameOffload(frame.pointee.offload.pointee).damaged(whole, bit: bit)
            for (place, packet) in packets.enumerated() {
                packet.withUnsafeBytes {
                    enqueue(
                        $0, virtio_net_hdr(), along: path, due: copy.due,
                        ticket: place == packets.count - 1 ? copy.ticket : nil)
                }
            }
            return
        }
        // What waits and is due before it goes first.
        guard copy.due <= now, queue.nextDue.map({ $0 > copy.due }) ?? true else {
            enqueue(
                UnsafeRawBufferPointer(start: bytes, count: length), frame.pointee.offload.pointee,
                along: path, due: copy.due, ticket: copy.ticket)
            return
        }
        prepare(path)
        clinux_frames_append(outgoing, frame.pointee.offload, bytes, length)
        if let ticket = copy.ticket { path.lane.depart(ticket) }
    }

    private func enqueue(
        _ bytes: UnsafeRawBufferPointer, _ offload: virtio_net_hdr, along path: RelayPath,
        due: MonotonicInstant, ticket: WireLane.Ticket?
    ) {
        guard queuedBytes + bytes.count <= Self.maximumQueuedBytes,
            let frame = QueuedFrame(bytes, offload: offload, path: path, ticket: ticket)
        else {
            path.unkept += 1
            if let ticket { path.lane.depart(ticket) }
            return
        }
        queuedBytes += bytes.count
        path.queued += 1
        queue.insert(frame, due: due)
    }

    /// Sends a frame whose time has come.
    func send(_ frame: QueuedFrame) {
        queuedBytes -= Int(frame.length)
        guard let path = paths[Int(frame.path)] else {
            frame.free()
            return
        }
        path.queued -= 1
        if let ticket = frame.ticket { path.lane.depart(ticket) }
        prepare(path)
        clinux_frames_append(
            outgoing, frame.memory, frame.memory + QueuedFrame.frameOffset, Int(frame.length))
        outgoingMemory.append(frame)
    }

    /// Makes room for a frame that goes along a path.
    private func prepare(_ path: RelayPath) {
        if outgoing.pointee.count == CLINUX_FRAME_BATCH || outgoingPath !== path { flush() }
        outgoingPath = path
    }

    /// Hands what is about to be sent to the kernel.
    func flush() {
        let count = Int(outgoing.pointee.count)
        guard count > 0, let path = outgoingPath else { return }
        let taken = Int(clinux_frames_send(path.target.descriptor, outgoing))
        moved += count
        path.sent += taken
        path.refused += count - taken
        for frame in outgoingMemory { frame.free() }
        outgoingMemory.removeAll(keepingCapacity: true)
    }
}

extension FrameOffload {
    /// What a received frame's header says.
    init(_ header: virtio_net_hdr) {
        self.init()
        if header.flags & CLINUX_VIRTIO_NEEDS_CHECKSUM != 0 {
            checksumStart = Int(header.csum_start)
            checksumOffset = Int(header.csum_offset)
        }
        segmentBytes = Int(header.gso_size)
        switch header.gso_type & ~CLINUX_VIRTIO_GSO_ECN {
        case CLINUX_VIRTIO_GSO_NONE: segmentation = nil
        case CLINUX_VIRTIO_GSO_TCPV4, CLINUX_VIRTIO_GSO_TCPV6: segmentation = .tcp
        case CLINUX_VIRTIO_GSO_UDP_L4: segmentation = .udp
        default: segmentation = .fragments
        }
    }
}
