import Glibc
import LinuxSystem
import NetworkTypes
import Testing

/// A station that plays with raw frames on an interface of a node: it sends them as they are, sees
/// all that arrive, and knows nothing of the node's own network stack.
///
/// Its sockets keep the node's network namespace alive, so it belongs to a node that is not killed.
final class LabStation {
    /// An ethertype for experiments (IEEE 802, local experimental 1).
    static let experimental: [UInt8] = [0x88, 0xb5]

    let address: [UInt8]
    private let index: Int32
    private let capture: PacketCapture
    private let sender: FrameSender

    /// - Parameter index: the interface's, in the node.
    init(on node: LabStatusJSON.Node, _ interface: String, index: Int32) throws {
        let mac = try node.interface(interface).mac
        address = Self.bytes(ofMAC: mac)
        self.index = index
        let pid = try #require(node.pid)
        let namespace = try NetworkNamespace.of(pid: pid)
        capture = try namespace.run {
            try PacketCapture(filter: [FilterInstruction(0x06, 0, 0, .max)])
        }
        sender = try namespace.run { try FrameSender() }
    }

    static func bytes(ofMAC text: String) -> [UInt8] {
        text.split(separator: ":").compactMap { UInt8($0, radix: 16) }
    }

    func send(_ frame: [UInt8]) throws { try sender.send(frame, by: index) }

    /// The frames that have arrived since the last call.
    func received() throws -> [PacketCapture.Frame] {
        try capture.drain().filter { $0.interfaceIndex == index }
    }

    /// Waits for a frame.
    func await(_ what: String, _ isWanted: ([UInt8]) -> Bool) throws -> [UInt8] {
        var found: [UInt8]?
        try eventually(what) {
            found = try received().map(\.bytes).first(where: isWanted)
            return found != nil
        }
        return found ?? []
    }

    // MARK: Frames

    /// An ICMP echo request (RFC 792).
    func echoRequest(
        to target: [UInt8], mac: [UInt8], from source: [UInt8], sequence: UInt16
    ) -> [UInt8] {
        var message: [UInt8] = [
            8, 0, 0, 0, 0x1a, 0xb0, UInt8(sequence >> 8), UInt8(sequence & 255),
        ]
        let sum = Self.checksum(message)
        message[2] = UInt8(sum >> 8)
        message[3] = UInt8(sum & 255)
        var header: [UInt8] = [0x45, 0, 0, 28, 0, 0, 0, 0, 64, 1, 0, 0] + source + target
        let headerSum = Self.checksum(header)
        header[10] = UInt8(headerSum >> 8)
        header[11] = UInt8(headerSum & 255)
        return mac + address + [0x08, 0x00] + header + message
    }

    /// The sequence number of an ICMP echo reply; nil for any other frame.
    static func echoReplySequence(_ frame: [UInt8]) -> UInt16? {
        guard frame.count >= 42, frame[12] == 0x08, frame[13] == 0, frame[23] == 1,
            frame[34] == 0, frame[38] == 0x1a, frame[39] == 0xb0
        else { return nil }
        return UInt16(frame[40]) << 8 | UInt16(frame[41])
    }

    /// An ARP request (RFC 826).
    func arpRequest(for target: [UInt8], from source: [UInt8]) -> [UInt8] {
        [UInt8](repeating: 0xff, count: 6) + address + [0x08, 0x06]
            + [0, 1, 8, 0, 6, 4, 0, 1] + address + source + [0, 0, 0, 0, 0, 0] + target
    }

    /// Whether a frame is an ARP reply from that protocol address.
    static func isARPReply(_ frame: [UInt8], from source: [UInt8]) -> Bool {
        frame.count >= 42 && frame[12] == 0x08 && frame[13] == 0x06 && frame[21] == 2
            && Array(frame[28..<32]) == source
    }

    // RFC 1071.
    private static func checksum(_ bytes: [UInt8]) -> UInt16 {
        var sum: UInt32 = 0
        for place in stride(from: 0, to: bytes.count, by: 2) {
            sum += UInt32(bytes[place]) << 8 | UInt32(bytes[place + 1])
        }
        while sum >> 16 != 0 { sum = sum & 0xffff + sum >> 16 }
        return ~UInt16(sum)
    }
}
