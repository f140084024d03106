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

    /// A packet that has come in.
    enum Reception: Equatable {
        /// One that names a virtual router.
        case advertisement(ReceivedAdvertisement)
        /// One that does not; the text of the error is keepalived's log line, without an instance.
        case unreadable(AdvertisementError)
    }

    /// The sockets, which differ in what they take and give: an IPv4 one whole packets, an IPv6
    /// one payloads.
    private enum Pair {
        case v4(receiver: RawIPv4Socket, sender: RawIPv4Socket)
        case v6(receiver: RawIPv6Socket, sender: RawIPv6Socket)
    }

    let key: Key
    private let pair: Pair

    /// One more than the longest packet there can be: what is longer is then refused for its
    /// length.
    private static let packetLimit = Advertisement.maximumPacketBytes + 1
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
                    key.ipProtocol, from: key.device, group: group?.v4, address: source?.v4,
                    packetLimit: Self.packetLimit),
                sender: try .sending(key.ipProtocol, by: key.device))
        case .v6:
            pair = .v6(
                receiver: try .receiving(
                    key.ipProtocol, from: key.device, group: group?.v6, address: source?.v6,
                    checksumOffset: Self.checksumOffset, packetLimit: Self.packetLimit),
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

    /// The next packet; nil when none is waiting, or the device went down or away.
    func receive() throws(SystemError) -> Reception? {
        do throws(SystemError) {
            switch pair {
            case .v4(let receiver, _): return try receiver.receive().map(Self.reception)
            case .v6(let receiver, _): return try receiver.receive().map(Self.reception)
            }
        } catch {
            // Said once by every socket of a device that goes down; netlink tells the same.
            guard error.code.saysDeviceIsGone else { throw error }
            return nil
        }
    }

    private static func reception(_ packet: [UInt8]) -> Reception {
        do throws(AdvertisementError) {
            return .advertisement(try ReceivedAdvertisement(parsing: packet))
        } catch {
            return .unreadable(error)
        }
    }

    private static func reception(_ packet: RawIPv6Socket.Packet) -> Reception {
        do throws(AdvertisementError) {
            return .advertisement(
                try ReceivedAdvertisement(
                    ipv6Message: packet.payload, source: packet.source,
                    destination: packet.destination, hopLimit: packet.hopLimit))
        } catch {
            return .unreadable(error)
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
