import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// One interface of a link: a packet socket (packet(7)) that receives every frame that the
/// interface delivers, whomever it is for, and sends as its owner says.
///
/// Frames come and go with what the kernel has left undone of them (PACKET_VNET_HDR), since two
/// ends of a veth leave checksums and segmenting to whoever needs them, which may be nobody. What
/// is sent takes the usual way out (no PACKET_QDISC_BYPASS), so that captures on the interface see
/// it. A veth has no queue that this would cost anything for.
final class PacketPort {
    /// Room for what arrives while the relay is kept from a CPU: a tenth of a second of small
    /// frames at 100 000 a second, each of which counts for about 800 bytes.
    private static let bufferBytes: CInt = 16 << 20

    let index: Int32
    let descriptor: CInt
    /// Frames that found no room in the socket's buffer, or here.
    private(set) var missed = 0

    /// What came of one look.
    enum Received {
        case frames(Int)
        /// Nothing is there, or the interface is down.
        case nothing
        /// The interface is no more.
        case gone
    }

    /// Opens the interface with that index in the calling thread's network namespace, and makes it
    /// promiscuous. It may be down.
    ///
    /// - Throws: ``SystemError`` without CAP_NET_RAW, or where there is no such interface (ENODEV).
    init(index: Int32) throws(SystemError) {
        self.index = index
        descriptor = try systemCall("open interface \(index)") {
            clinux_frame_socket(index, Self.bufferBytes)
        }
    }

    // Not by its owner's hand: the other links' frames would wait while the kernel closes it.
    deinit { clinux_close_apart(descriptor) }

    /// Receives what is there, as far as there are slots for it.
    func receive(into slots: UnsafeMutablePointer<clinux_frames_in>) -> Received {
        while true {
            let count = clinux_frames_receive(descriptor, slots)
            if count > 0 { return .frames(Int(count)) }
            if count == 0 { return .nothing }
            if errno == EINTR { continue }
            // A super-frame of a kind that struct virtio_net_hdr has no name for (SCTP's).
            if errno == EINVAL { missed += 1 }
            // ENETDOWN once when it goes down, or away; it works again by itself when it is up.
            return hasInterface ? .nothing : .gone
        }
    }

    /// A frame that was received and could not be kept.
    func countMissed() { missed += 1 }

    /// Takes into account what the kernel had no room for (PACKET_STATISTICS).
    func readDrops() { missed += Int(max(clinux_packet_drops(descriptor), 0)) }

    /// Whether its interface is there, be it down.
    var hasInterface: Bool { clinux_frame_socket_has_device(descriptor) == 1 }
}
