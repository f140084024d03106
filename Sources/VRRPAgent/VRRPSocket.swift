import LinuxSystem
import NetworkTypes
import SystemPackage
import VRRP

/// The two sockets through which the instances on one interface speak VRRP over IPv4: one receives,
/// one sends, as in keepalived.
final class VRRPSocket {
    /// What tells one pair from another.
    struct Key: Hashable, Comparable {
        /// The interface's index.
        var device: Int32
        /// Whether it is for instances with unicast peers.
        var isUnicast: Bool

        static func < (left: Self, right: Self) -> Bool {
            (left.device, left.isUnicast ? 1 : 0) < (right.device, right.isUnicast ? 1 : 0)
        }
    }

    let key: Key
    private let receiver: RawIPv4Socket
    private let sender: RawIPv4Socket

    /// The descriptor to watch for reading.
    var descriptor: CInt { receiver.descriptor.rawValue }

    /// Opens both; for multicast, joins 224.0.0.18.
    init(_ key: Key) throws(SystemError) {
        self.key = key
        receiver = try RawIPv4Socket.receiving(
            Advertisement.ipProtocol, from: key.device,
            group: key.isUnicast ? nil : Advertisement.group)
        sender = try RawIPv4Socket.sending(Advertisement.ipProtocol, by: key.device)
    }

    /// keepalived's line about a pair of sockets.
    var description: String {
        let kind =
            key.isUnicast ? "unicast" : "multicast, address(\(Advertisement.group))"
        return "VRRP sockpool: [ifindex(\(padded(key.device))), family(IPv4), "
            + "proto(\(Advertisement.ipProtocol)), "
            + "fd(\(descriptor),\(sender.descriptor.rawValue)) \(kind)]"
    }

    private func padded(_ number: Int32) -> String {
        let digits = String(number)
        return String(repeating: " ", count: max(0, 3 - digits.count)) + digits
    }

    /// The next packet; nil when none is waiting, or the device went down.
    func receive() throws(SystemError) -> [UInt8]? {
        do {
            return try receiver.receive()
        } catch  where error.code == .networkDown {
            // Said once by every socket of a device that goes down; netlink tells the same.
            return nil
        }
    }

    /// Sends an advertisement's packet.
    func send(_ packet: [UInt8], to destination: IPv4Address) throws(SystemError) {
        try sender.send(packet, to: destination)
    }
}
