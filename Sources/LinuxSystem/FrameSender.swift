import CLinux
import Glibc
import SystemPackage

/// A packet socket (packet(7)) that sends Ethernet frames as they are and receives nothing.
public final class FrameSender {
    private let descriptor: SharedDescriptor

    /// Opens a sender in the calling thread's network namespace, for all of its devices.
    ///
    /// - Throws: ``SystemError`` without CAP_NET_RAW.
    public init() throws(SystemError) {
        // Protocol 0: the kernel hands it no frame.
        descriptor = SharedDescriptor(
            OwnedDescriptor(
                try systemCall("open a packet socket") {
                    socket(
                        AF_PACKET,
                        Int32(SOCK_RAW.rawValue) | CLINUX_SOCK_CLOEXEC | CLINUX_SOCK_NONBLOCK, 0)
                }))
    }

    /// Sends a frame that begins with its Ethernet header by the device with that index.
    ///
    /// - Throws: ``SystemError``: ENETDOWN when the device is down, ENXIO when it is gone.
    public func send(_ frame: [UInt8], by device: Int32) throws(SystemError) {
        precondition(frame.count >= 14, "a frame has an Ethernet header")
        var address = sockaddr_ll()
        address.sll_family = UInt16(AF_PACKET)
        address.sll_protocol = (UInt16(frame[12]) << 8 | UInt16(frame[13])).bigEndian
        address.sll_ifindex = device
        let number = descriptor.rawValue
        _ = try withUnsafePointer(to: &address) { pointer throws(SystemError) in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                pointer throws(SystemError) in
                try systemCall("send a frame by device \(device)") {
                    sendto(
                        number, frame, frame.count, CLINUX_MSG_DONTWAIT, pointer,
                        socklen_t(MemoryLayout<sockaddr_ll>.size))
                }
            }
        }
    }
}
