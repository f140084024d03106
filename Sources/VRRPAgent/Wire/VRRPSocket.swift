import LinuxSystem
import NetworkTypes
import SystemPackage
import VRRP

/// The two sockets through which the instances that share a key speak VRRP: one receives, one
/// sends, as in keepalived.
final class VRRPSocket {
    /// What tells one pair from another.
    struct Key: Hashable, Comparable {
        /// The index of the interface that packets enter and leave by: the VMAC's, unless the
        /// instance sends from the base interface (`vmac_xmit_base`). 0 for an instance with
        /// unicast peers and no interface.
        var device: Int32
        /// 112, or 51 under an authentication header.
        var ipProtocol: UInt8 = Advertisement.ipProtocol
        /// What is listened to; its family is the pair's.
        var endpoint: Endpoint

        var family: IPAddress.Family { endpoint.address.family }
        var isUnicast: Bool {
            if case .unicast = endpoint { true } else { false }
        }

        /// By device, multicast before unicast: an order to log them in.
        static func < (left: Self, right: Self) -> Bool {
            (left.device, left.isUnicast ? 1 : 0, left.endpoint.address, left.ipProtocol)
                < (right.device, right.isUnicast ? 1 : 0, right.endpoint.address, right.ipProtocol)
        }
    }

    /// What packets are addressed to.
    enum Endpoint: Hashable {
        /// A group, `mcast_dst_ip` or the global one.
        case multicast(group: IPAddress)
        /// This host's own address, the source of what it sends: `unicast_src_ip`.
        case unicast(source: IPAddress)

        /// The group or the source.
        var address: IPAddress {
            switch self {
            case .multicast(let address), .unicast(let address): address
            }
        }
    }

    /// A packet that has come in: what is known of it besides the octets, which are in front of the
    /// buffer it was read into.
    enum Packet {
        /// A whole one.
        case v4(lengthBytes: Int)
        /// A message without its header.
        case v6(RawIPv6Socket.Arrival)

        /// The VRID, if the packet is what it should be: nothing is checked.
        func vrid(in buffer: [UInt8]) -> UInt8 {
            switch self {
            case .v4: buffer[Int(buffer[0] & 0x0f) * 4 + 1]
            case .v6: buffer[1]
            }
        }
    }

    /// The sockets, which differ in what they take and give: an IPv4 one whole packets, an IPv6
    /// one payloads.
    private enum Pair {
        case v4(receiver: RawIPv4Socket, sender: RawIPv4Socket)
        case v6(receiver: RawIPv6Socket, sender: RawIPv6Socket)
    }

    let key: Key
    private let pair: Pair

    /// The room to read a packet into. One more than the longest there can be: what is longer is
    /// then refused for its length.
    static let bufferBytes = Advertisement.maximumPacketBytes + 1
    /// Where a VRRP message has its checksum.
    private static let checksumOffset = 6

    /// The descriptor to watch for reading.
    var descriptor: CInt {
        switch pair {
        case .v4(let receiver, _): receiver.descriptor.rawValue
        case .v6(let receiver, _): receiver.descriptor.rawValue
        }
    }

    /// The descriptor that it sends by.
    var senderDescriptor: CInt {
        switch pair {
        case .v4(_, let sender): sender.descriptor.rawValue
        case .v6(_, let sender): sender.descriptor.rawValue
        }
    }

    /// Opens both; for multicast, joins the group.
    ///
    /// - Throws: ``SystemError``, for unicast EADDRNOTAVAIL while the source is not this host's:
    ///   keepalived then puts the instance into FAULT.
    init(_ key: Key) throws(SystemError) {
        self.key = key
        var group: IPAddress?
        var source: IPAddress?
        switch key.endpoint {
        case .multicast(let address): group = address
        case .unicast(let address): source = address
        }
        switch key.family {
        case .v4:
            pair = .v4(
                receiver: try .receiving(
                    key.ipProtocol, from: key.device, group: group?.v4, address: source?.v4),
                sender: try .sending(key.ipProtocol, by: key.device))
        case .v6:
            pair = .v6(
                receiver: try .receiving(
                    key.ipProtocol, from: key.device, group: group?.v6, address: source?.v6,
                    checksumOffset: Self.checksumOffset),
                sender: try .sending(
                    key.ipProtocol, by: key.device, checksumOffset: Self.checksumOffset,
                    multicastHops: Advertisement.timeToLive,
                    trafficClass: Advertisement.trafficClass))
        }
    }

    /// keepalived's line about a pair of sockets.
    var description: String {
        let family =
            switch key.family {
            case .v4: "IPv4"
            case .v6: "IPv6"
            }
        // The stray comma and space are keepalived's.
        return "VRRP sockpool: [ifindex(\(padded(key.device))), family(\(family)), "
            + "proto(\(key.ipProtocol)), fd(\(descriptor),\(senderDescriptor)) "
            + (key.isUnicast ? ", un" : "mult") + "icast, address(\(key.endpoint.address))]"
    }

    private func padded(_ number: Int32) -> String {
        let digits = String(number)
        return String(repeating: " ", count: max(0, 3 - digits.count)) + digits
    }

    /// Reads the next packet into a buffer of `bufferBytes`; nil when none is waiting, or the
    /// device went down or away.
    func receive(into buffer: inout [UInt8]) throws(SystemError) -> Packet? {
        do throws(SystemError) {
            switch pair {
            case .v4(let receiver, _):
                return try receiver.receive(into: &buffer).map { .v4(lengthBytes: $0) }
            case .v6(let receiver, _):
                return try receiver.receive(into: &buffer).map { .v6($0) }
            }
        } catch {
            // Said once by every socket of a device that goes down; netlink tells the same.
            guard error.code.saysDeviceIsGone else { throw error }
            return nil
        }
    }

    /// Sends a whole IPv4 packet.
    ///
    /// - Precondition: this is a pair of IPv4.
    func send(_ packet: [UInt8], to destination: IPv4Address) throws(SystemError) {
        guard case .v4(_, let sender) = pair else {
            preconditionFailure("an IPv4 packet goes through an IPv4 socket")
        }
        try sender.send(packet, to: destination)
    }

    /// Sends a VRRP message in an IPv6 packet.
    ///
    /// - Parameter hopLimit: nil for 255 to a group and the kernel's default to a peer.
    /// - Precondition: this is a pair of IPv6.
    func send(
        _ message: [UInt8], from source: IPv6Address, to destination: IPv6Address,
        hopLimit: UInt8?
    ) throws(SystemError) {
        guard case .v6(_, let sender) = pair else {
            preconditionFailure("an IPv6 message goes through an IPv6 socket")
        }
        try sender.send(message, from: source, to: destination, hopLimit: hopLimit)
    }
}

extension ReceivedAdvertisement {
    /// Finds the VRRP header of a packet that was read into that buffer.
    ///
    /// - Throws: `AdvertisementError`, whose text is keepalived's log line, without an instance,
    ///   for a packet that names no virtual router.
    init(_ packet: VRRPSocket.Packet, in buffer: [UInt8]) throws(AdvertisementError) {
        switch packet {
        case .v4(let length): try self.init(parsing: Array(buffer[..<length]))
        case .v6(let arrival):
            try self.init(
                ipv6Message: Array(buffer[..<arrival.payloadBytes]), source: arrival.source,
                destination: arrival.destination, hopLimit: arrival.hopLimit)
        }
    }

    /// Whether a packet that was read into that buffer says the same as this one.
    func isRepeated(by packet: VRRPSocket.Packet, in buffer: [UInt8]) -> Bool {
        switch packet {
        case .v4(let length): isRepeated(byIPv4Packet: buffer, lengthBytes: length)
        case .v6(let arrival):
            isRepeated(
                byIPv6Message: buffer, lengthBytes: arrival.payloadBytes, source: arrival.source,
                destination: arrival.destination, hopLimit: arrival.hopLimit)
        }
    }
}

extension IPAddress {
    fileprivate var v4: IPv4Address? {
        if case .v4(let address) = self { address } else { nil }
    }

    fileprivate var v6: IPv6Address? {
        if case .v6(let address) = self { address } else { nil }
    }
}

extension Errno {
    /// What a call on a socket says whose device is down (ENETDOWN) or does not exist any more
    /// (ENODEV, ENXIO).
    var saysDeviceIsGone: Bool {
        self == .networkDown || self == .noSuchAddressOrDevice
            || self == .operationNotSupportedByDevice
    }
}
