import CLinux
import Glibc
import NetworkTypes
import Wire

/// One direction of a link at work: frames of one port, decided about by a lane, sent by the other.
final class RelayPath {
    var lane: WireLane
    let source: PacketPort
    let target: PacketPort
    /// Where it is in the relay's table.
    let number: Int32
    /// When the last frame arrived.
    var lastArrival = MonotonicInstant.zero
    /// Copies that wait for their time.
    var queued = 0
    /// Copies that the kernel has taken.
    var sent = 0
    /// Copies that the kernel did not take.
    var refused = 0
    /// Copies for which the relay had no memory.
    var unkept = 0

    init(lane: WireLane, from source: PacketPort, to target: PacketPort, number: Int32) {
        self.lane = lane
        self.source = source
        self.target = target
        self.number = number
    }

    var counters: WireDirectionCounters {
        source.readDrops()
        return WireDirectionCounters(
            all: lane.counters, rules: lane.ruleCounters, queued: queued, sent: sent,
            refused: refused, missed: source.missed + unkept)
    }
}

/// A frame that waits for its time, with its offload header before it, in memory of its own.
struct QueuedFrame {
    /// Where the frame begins in its memory: behind a header of 10 or 12 bytes.
    static let frameOffset = 16

    var memory: UnsafeMutableRawPointer
    var length: Int32
    /// Its path's number.
    var path: Int32
    /// What its lane is to be told when it has been sent; nil: nothing.
    var ticket: WireLane.Ticket?

    /// Nil where there is no memory.
    init?(
        _ bytes: UnsafeRawBufferPointer, offload: virtio_net_hdr, path: RelayPath,
        ticket: WireLane.Ticket?
    ) {
        guard let memory = malloc(Self.frameOffset + bytes.count), let start = bytes.baseAddress
        else { return nil }
        memory.storeBytes(of: offload, as: virtio_net_hdr.self)
        (memory + Self.frameOffset).copyMemory(from: start, byteCount: bytes.count)
        self.memory = memory
        length = Int32(bytes.count)
        self.path = path.number
        self.ticket = ticket
    }

    func free() { Glibc.free(memory) }
}
