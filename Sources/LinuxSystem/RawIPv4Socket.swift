import CLinux
import Glibc
public import NetworkTypes
import SystemPackage

/// A raw IPv4 socket (raw(7)) on one device, for a protocol that is neither TCP nor UDP.
///
/// The device is named by its index: the socket stays with it when it is renamed, and is of no use
/// any more when it is gone.
public final class RawIPv4Socket {
    /// The descriptor to watch for reading.
    public let descriptor: SharedDescriptor
    private var buffer = [UInt8](repeating: 0, count: RawIPv4Socket.maximumPacketBytes)

    /// No IPv4 packet is longer.
    public static let maximumPacketBytes = 65535
    /// TC_PRIO_CONTROL: before all other traffic in the device's queue.
    private static let controlPriority: CInt = 7
    /// BPF_RET with BPF_K: the packet is over, take as many bytes of it as the operand says.
    private static let returnConstant: UInt16 = 0x06

    /// Opens a socket that receives whole packets of that protocol, IP header included, which came
    /// in by that device.
    ///
    /// - Parameters:
    ///   - ipProtocol: the number in the IP header.
    ///   - group: joined on the device, and then the only destination of which packets are
    ///     received; nil for packets to this host itself, and to groups that others have joined.
    /// - Throws: ``SystemError`` without CAP_NET_RAW, or when the device is gone.
    public static func receiving(
        _ ipProtocol: UInt8, from device: Int32, group: IPv4Address?
    ) throws(SystemError) -> RawIPv4Socket {
        let socket = try RawIPv4Socket(ipProtocol, device: device)
        if let group {
            try socket.set(IPPROTO_IP, IP_ADD_MEMBERSHIP, membership(of: group, on: device))
            // Without this the socket would also get what other sockets' memberships let in.
            try socket.set(IPPROTO_IP, IP_MULTICAST_ALL, CInt(0))
            let number = socket.descriptor.rawValue
            try withAddress(group) { address, length throws(SystemError) in
                try systemCall("bind a raw socket to \(group)") { bind(number, address, length) }
            }
        }
        return socket
    }

    /// Opens a socket that sends packets with the IP header they come with (IP_HDRINCL), by that
    /// device, and receives none, its own multicast included.
    ///
    /// - Throws: ``SystemError`` without CAP_NET_RAW, or when the device is gone.
    public static func sending(
        _ ipProtocol: UInt8, by device: Int32
    ) throws(SystemError) -> RawIPv4Socket {
        let socket = try RawIPv4Socket(ipProtocol, device: device)
        try socket.set(IPPROTO_IP, IP_HDRINCL, CInt(1))
        try socket.set(IPPROTO_IP, IP_MULTICAST_LOOP, CInt(0))
        try socket.set(IPPROTO_IP, IP_MULTICAST_IF, membership(of: .any, on: device))
        try socket.set(SOL_SOCKET, SO_PRIORITY, controlPriority)
        // A raw socket is handed every packet of its protocol; a filter that takes none keeps them
        // from filling its queue.
        var refuse = sock_filter(code: Self.returnConstant, jt: 0, jf: 0, k: 0)
        let number = socket.descriptor.rawValue
        try withUnsafeMutablePointer(to: &refuse) { instruction throws(SystemError) in
            var program = sock_fprog(len: 1, filter: instruction)
            try systemCall("attach a packet filter") {
                setsockopt(
                    number, SOL_SOCKET, CLINUX_SO_ATTACH_FILTER, &program,
                    socklen_t(MemoryLayout<sock_fprog>.size))
            }
        }
        return socket
    }

    private init(_ ipProtocol: UInt8, device: Int32) throws(SystemError) {
        descriptor = SharedDescriptor(
            OwnedDescriptor(
                try systemCall("open a raw socket for protocol \(ipProtocol)") {
                    socket(
                        AF_INET,
                        Int32(SOCK_RAW.rawValue) | CLINUX_SOCK_CLOEXEC | CLINUX_SOCK_NONBLOCK,
                        Int32(ipProtocol))
                }))
        try set(SOL_SOCKET, CLINUX_SO_BINDTOIFINDEX, device)
    }

    /// The next packet, IP header included; nil when there is none.
    ///
    /// - Throws: ``SystemError``: ENETDOWN once after the device went down.
    public func receive() throws(SystemError) -> [UInt8]? {
        let number = descriptor.rawValue
        let length = try systemCallUnlessBlocked("read a raw socket") {
            recv(number, &buffer, buffer.count, 0)
        }
        return length.map { Array(buffer.prefix($0)) }
    }

    /// Sends a packet that begins with its IP header; the kernel fills in that header's checksum.
    ///
    /// - Throws: ``SystemError``: ENETDOWN when the device is down, ENOBUFS when its queue is full.
    public func send(_ packet: [UInt8], to destination: IPv4Address) throws(SystemError) {
        let number = descriptor.rawValue
        try Self.withAddress(destination) { address, length throws(SystemError) in
            try systemCall("send to \(destination)") {
                sendto(number, packet, packet.count, CLINUX_MSG_DONTWAIT, address, length)
            }
        }
    }

    private func set<Value: BitwiseCopyable>(
        _ level: some BinaryInteger, _ option: CInt, _ value: Value
    ) throws(SystemError) {
        var value = value
        let number = descriptor.rawValue
        try systemCall("set option \(option) of a raw socket") {
            setsockopt(
                number, CInt(level), option, &value, socklen_t(MemoryLayout<Value>.size))
        }
    }

    private static func membership(of group: IPv4Address, on device: Int32) -> ip_mreqn {
        ip_mreqn(
            imr_multiaddr: in_addr(s_addr: group.rawValue.bigEndian),
            imr_address: in_addr(s_addr: 0), imr_ifindex: device)
    }

    private static func withAddress(
        _ address: IPv4Address,
        _ body: (UnsafePointer<sockaddr>, socklen_t) throws(SystemError) -> Void
    ) throws(SystemError) {
        var internet = sockaddr_in()
        internet.sin_family = sa_family_t(AF_INET)
        internet.sin_addr.s_addr = address.rawValue.bigEndian
        try withUnsafePointer(to: &internet) { pointer throws(SystemError) in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                pointer throws(SystemError) in
                try body(pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
