import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// The interface of the station: a packet socket (packet(7)) that hears every frame that the
/// interface delivers, and sends many at a time.
///
/// What is sent takes the usual way out, so that captures see it.
final class FramePort {
    /// Room for what comes while the program is kept from a CPU, and for what it sends at once.
    private static let bufferBytes: CInt = 4 << 20

    let descriptor: CInt
    /// Frames that the kernel did not take: the interface was down or gone.
    private(set) var refused: UInt64 = 0
    private let slots: UnsafeMutablePointer<clinux_frames_in>
    private let outgoing: UnsafeMutablePointer<clinux_frames_out>
    /// What is noted to be sent, one after the other.
    private let room: UnsafeMutableRawBufferPointer
    private var used = 0
    /// No frame of ours has anything left for the kernel to do.
    private let offload: UnsafeMutablePointer<virtio_net_hdr>

    /// Longer than any frame that a station sends, a replayed one included.
    static let maximumFrameBytes = 9216 + 14
    private static let roomBytes = Int(CLINUX_FRAME_BATCH) * maximumFrameBytes

    /// Opens the interface with that index in the program's network namespace.
    ///
    /// - Throws: ``SystemError`` without CAP_NET_RAW, or where there is no such interface (ENODEV).
    init(index: Int32) throws(SystemError) {
        guard let slots = clinux_frames_in_create() else {
            throw SystemError("make room for frames", .noMemory)
        }
        self.slots = slots
        outgoing = .allocate(capacity: 1)
        outgoing.initialize(to: clinux_frames_out())
        offload = .allocate(capacity: 1)
        offload.initialize(to: virtio_net_hdr())
        room = .allocate(byteCount: Self.roomBytes, alignment: 16)
        descriptor = try systemCall("open interface \(index)") {
            clinux_frame_socket(index, Self.bufferBytes)
        }
    }

    // The program ends with its port; nothing is left to be freed then.

    /// Calls `take` with the frames that are there, as many as one system call gives.
    ///
    /// - Returns: whether there may be more.
    func receive(_ take: ([UInt8]) -> Void) -> Bool {
        let count = clinux_frames_receive(descriptor, slots)
        guard count > 0 else { return count < 0 && errno == EINTR }
        for slot in 0..<count {
            guard let frame = clinux_frames_in_at(slots, slot), frame.pointee.truncated == 0,
                frame.pointee.has_tag == 0
            else { continue }
            take(
                Array(
                    UnsafeBufferPointer(
                        start: frame.pointee.bytes, count: Int(frame.pointee.length))))
        }
        return count == CLINUX_FRAME_BATCH
    }

    /// Notes a frame to be sent; ``flush()`` sends it, or the next one for which there is no room.
    func send(_ frame: [UInt8]) {
        guard frame.count <= Self.maximumFrameBytes else {
            refused += 1
            return
        }
        if outgoing.pointee.count == CLINUX_FRAME_BATCH { flush() }
        let place = UnsafeMutableRawBufferPointer(rebasing: room[used..<used + frame.count])
        place.copyBytes(from: frame)
        used += frame.count
        clinux_frames_append(outgoing, offload, place.baseAddress, frame.count)
    }

    /// Sends what is noted.
    func flush() {
        let count = outgoing.pointee.count
        guard count > 0 else { return }
        refused += UInt64(count - clinux_frames_send(descriptor, outgoing))
        used = 0
    }
}
