import CLinux
import Glibc
public import NetworkTypes
import SystemPackage

/// A raw IPv6 socket (raw(7), RFC 3542), for a protocol that is neither TCP nor UDP.
///
/// It deals in payloads: the kernel writes and reads the IPv6 header, computes and verifies the
/// payload's checksum (IPV6_CHECKSUM), and tells what else there was to know. A device is named by
/// its index, as with ``RawIPv4Socket``.
public final class RawIPv6Socket {
    /// What is known of a received packet besides its payload, which is what follows the IPv6
    /// header.
    public struct Arrival: Equatable, Sendable {
        /// How long the payload is.
        public var payloadBytes: Int
        /// The sender's address.
        public var source: IPv6Address
        /// A group, or one of this host's addresses.
        public var destination: IPv6Address
        /// The hop limit on arrival; nil where the kernel has not told.
        public var hopLimit: UInt8?
        /// The device it came in by.
        public var interfaceIndex: Int32
    }

    /// The descriptor to watch for reading.
    public let descriptor: SharedDescriptor
    private let device: Int32

    // linux/in6.h; the C library hides some of these.
    private static let checksumOption: CInt = 7  // IPV6_CHECKSUM
    private static let multicastInterfaceOption: CInt = 17  // IPV6_MULTICAST_IF
    private static let multicastHopsOption: CInt = 18  // IPV6_MULTICAST_HOPS
    private static let multicastLoopOption: CInt = 19  // IPV6_MULTICAST_LOOP
    private static let multicastAllOption: CInt = 29  // IPV6_MULTICAST_ALL
    private static let receivePacketInformationOption: CInt = 49  // IPV6_RECVPKTINFO
    private static let receiveHopLimitOption: CInt = 51  // IPV6_RECVHOPLIMIT
    private static let trafficClassOption: CInt = 67  // IPV6_TCLASS

    /// Opens a socket that receives the payloads of that protocol's packets which came in by that
    /// device; those whose checksum is wrong the kernel drops.
    ///
    /// - Parameters:
    ///   - ipProtocol: the number in the last header before the payload.
    ///   - device: 0 for any, which a group and a link-local address do not allow.
    ///   - group: joined on the device, and then the only destination of which packets are
    ///     received; nil for packets to this host itself.
    ///   - address: the only address of this host to which packets are received; nil for all.
    ///   - checksumOffset: where the payload's checksum is.
    /// - Throws: ``SystemError`` without CAP_NET_RAW, when the device is gone, or when the address
    ///   is not this host's, or still being looked for elsewhere (EADDRNOTAVAIL).
    public static func receiving(
        _ ipProtocol: UInt8, from device: Int32, group: IPv6Address?,
        address: IPv6Address? = nil, checksumOffset: Int
    ) throws(SystemError) -> RawIPv6Socket {
        precondition(group == nil || address == nil, "a socket is bound to one address")
        let socket = try RawIPv6Socket(
            ipProtocol, device: device, checksumOffset: checksumOffset)
        let descriptor = socket.descriptor
        // Without this the socket would also get what other sockets' memberships let in.
        try descriptor.set(IPPROTO_IPV6, multicastAllOption, CInt(0))
        try descriptor.set(IPPROTO_IPV6, receivePacketInformationOption, CInt(1))
        try descriptor.set(IPPROTO_IPV6, receiveHopLimitOption, CInt(1))
        let number = descriptor.rawValue
        if let group {
            precondition(device != 0, "a group is joined on a device")
            try systemCall("join \(group)") { clinux_join_ipv6(number, group.numbers, device) }
        }
        if let bound = group ?? address {
            try systemCall("bind a raw socket to \(bound)") {
                clinux_bind_ipv6(number, bound.numbers, device)
            }
        }
        return socket
    }

    /// Opens a socket that sends by that device and receives nothing, its own multicast included.
    ///
    /// - Parameters:
    ///   - device: 0 for the one of the route.
    ///   - multicastHops: the hop limit of packets to groups; others get the host's default unless
    ///     `send` is told.
    ///   - trafficClass: of every packet.
    /// - Throws: ``SystemError`` without CAP_NET_RAW, or when the device is gone.
    public static func sending(
        _ ipProtocol: UInt8, by device: Int32, checksumOffset: Int, multicastHops: UInt8,
        trafficClass: UInt8
    ) throws(SystemError) -> RawIPv6Socket {
        let socket = try RawIPv6Socket(
            ipProtocol, device: device, checksumOffset: checksumOffset)
        let descriptor = socket.descriptor
        try descriptor.set(IPPROTO_IPV6, multicastHopsOption, CInt(multicastHops))
        try descriptor.set(IPPROTO_IPV6, multicastLoopOption, CInt(0))
        try descriptor.set(IPPROTO_IPV6, trafficClassOption, CInt(trafficClass))
        if device != 0 { try descriptor.set(IPPROTO_IPV6, multicastInterfaceOption, device) }
        try descriptor.setSendingOnly()
        return socket
    }

    private init(
        _ ipProtocol: UInt8, device: Int32, checksumOffset: Int
    ) throws(SystemError) {
        descriptor = try .raw(AF_INET6, ipProtocol, device: device)
        self.device = device
        try descriptor.set(IPPROTO_IPV6, Self.checksumOption, CInt(checksumOffset))
    }

    /// Reads the next packet's payload into the front of a buffer, of a longer one as much as there
    /// is room for.
    ///
    /// - Returns: the rest about it; nil when there is no packet.
    /// - Throws: ``SystemError``: ENETDOWN once after the device went down.
    public func receive(into buffer: inout [UInt8]) throws(SystemError) -> Arrival? {
        let (number, room) = (descriptor.rawValue, buffer.count)
        var ancillary = clinux_ipv6_ancillary()
        let length = try systemCallUnlessBlocked("read a raw socket") {
            clinux_receive_ipv6(number, &buffer, room, 0, &ancillary)
        }
        return length.map { length in
            Arrival(
                payloadBytes: length, source: IPv6Address(ancillary.source),
                destination: IPv6Address(ancillary.destination),
                hopLimit: UInt8(exactly: ancillary.hop_limit),
                interfaceIndex: ancillary.interface_index)
        }
    }

    /// Sends a packet with that payload, in which the kernel sets the checksum.
    ///
    /// - Parameters:
    ///   - source: one of this host's addresses.
    ///   - hopLimit: nil for the socket's to a group, and the host's default to anybody else.
    /// - Throws: ``SystemError``: ENETDOWN or ENETUNREACH when the device is down, ENODEV or ENXIO
    ///   when it is gone, EINVAL or EADDRNOTAVAIL when the source is not this host's, ENOBUFS when
    ///   the queue is full.
    public func send(
        _ payload: [UInt8], from source: IPv6Address, to destination: IPv6Address,
        hopLimit: UInt8? = nil
    ) throws(SystemError) {
        var ancillary = clinux_ipv6_ancillary(
            source: source.numbers, destination: destination.numbers, interface_index: device,
            hop_limit: hopLimit.map(Int32.init) ?? -1)
        let number = descriptor.rawValue
        try systemCall("send to \(destination)") {
            clinux_send_ipv6(
                number, payload, payload.count, CLINUX_MSG_DONTWAIT, &ancillary)
        }
    }
}

extension IPv6Address {
    fileprivate init(_ numbers: clinux_ipv6_address) {
        self.init(high: numbers.high, low: numbers.low)
    }

    fileprivate var numbers: clinux_ipv6_address { clinux_ipv6_address(high: high, low: low) }
}
