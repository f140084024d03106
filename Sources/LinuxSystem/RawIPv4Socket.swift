import CLinux
import Glibc
public import NetworkTypes
import SystemPackage

/// A raw IPv4 socket (raw(7)), for a protocol that is neither TCP nor UDP.
///
/// A device is named by its index: the socket stays with it when it is renamed, and is of no use
/// any more when it is gone.
public final class RawIPv4Socket {
    /// The descriptor to watch for reading.
    public let descriptor: SharedDescriptor

    /// Opens a socket that receives whole packets of that protocol, IP header included, which came
    /// in by that device.
    ///
    /// - Parameters:
    ///   - ipProtocol: the number in the IP header.
    ///   - device: 0 for any, which a group does not allow.
    ///   - group: joined on the device, and then the only destination of which packets are
    ///     received; nil for packets to this host itself.
    ///   - address: the only address of this host to which packets are received; nil for all.
    /// - Throws: ``SystemError`` without CAP_NET_RAW, when the device is gone, or when the address
    ///   is not this host's (EADDRNOTAVAIL).
    public static func receiving(
        _ ipProtocol: UInt8, from device: Int32, group: IPv4Address?,
        address: IPv4Address? = nil
    ) throws(SystemError) -> RawIPv4Socket {
        precondition(group == nil || address == nil, "a socket is bound to one address")
        let socket = try RawIPv4Socket(ipProtocol, device: device)
        let descriptor = socket.descriptor
        // Without this the socket would also get what other sockets' memberships let in.
        try descriptor.set(IPPROTO_IP, IP_MULTICAST_ALL, CInt(0))
        if let group {
            precondition(device != 0, "a group is joined on a device")
            try descriptor.set(IPPROTO_IP, IP_ADD_MEMBERSHIP, membership(of: group, on: device))
        }
        if let bound = group ?? address {
            let number = descriptor.rawValue
            try withAddress(bound) { address, length throws(SystemError) in
                try systemCall("bind a raw socket to \(bound)") { bind(number, address, length) }
            }
        }
        return socket
    }

    /// Opens a socket that sends packets with the IP header they come with (IP_HDRINCL), by that
    /// device, and receives none, its own multicast included.
    ///
    /// - Parameter device: 0 for the one of the route.
    /// - Throws: ``SystemError`` without CAP_NET_RAW, or when the device is gone.
    public static func sending(
        _ ipProtocol: UInt8, by device: Int32
    ) throws(SystemError) -> RawIPv4Socket {
        let socket = try RawIPv4Socket(ipProtocol, device: device)
        try socket.descriptor.set(IPPROTO_IP, IP_HDRINCL, CInt(1))
        try socket.descriptor.set(IPPROTO_IP, IP_MULTICAST_LOOP, CInt(0))
        if device != 0 {
            try socket.descriptor.set(
                IPPROTO_IP, IP_MULTICAST_IF, membership(of: .any, on: device))
        }
        try socket.descriptor.setSendingOnly()
        return socket
    }

    private init(_ ipProtocol: UInt8, device: Int32) throws(SystemError) {
        descriptor = try .raw(AF_INET, ipProtocol, device: device)
    }

    /// Reads the next packet, IP header included, into the front of a buffer.
    ///
    /// - Returns: how many octets it has there, of a longer one as many as there is room for; nil
    ///   when there is no packet.
    /// - Throws: ``SystemError``: ENETDOWN once after the device went down.
    public func receive(into buffer: inout [UInt8]) throws(SystemError) -> Int? {
        let (number, room) = (descriptor.rawValue, buffer.count)
        return try systemCallUnlessBlocked("read a raw socket") { recv(number, &buffer, room, 0) }
    }

    /// Sends a packet that begins with its IP header; the kernel fills in that header's checksum.
    ///
    /// - Throws: ``SystemError``: ENETDOWN when the device is down, ENXIO or ENODEV when it is
    ///   gone, ENOBUFS when its queue is full.
    public func send(_ packet: [UInt8], to destination: IPv4Address) throws(SystemError) {
        let number = descriptor.rawValue
        try Self.withAddress(destination) { address, length throws(SystemError) in
            try systemCall("send to \(destination)") {
                sendto(number, packet, packet.count, CLINUX_MSG_DONTWAIT, address, length)
            }
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
