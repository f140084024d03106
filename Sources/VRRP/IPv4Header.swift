import NetworkTypes

/// The fields of an IPv4 header (RFC 791 §3.1) that a receiver of VRRP looks at.
struct IPv4Header: Equatable {
    /// Octets of a header without options.
    static let minimumBytes = 20

    /// Octets of this header, options included.
    var lengthBytes: Int
    /// Octets of the packet, as the header says.
    var totalLengthBytes: Int
    var timeToLive: UInt8
    var ipProtocol: UInt8
    var source: IPv4Address
    var destination: IPv4Address

    /// The header at the start of `packet`; nil when that is no IPv4 header or is not complete.
    init?(_ packet: ArraySlice<UInt8>) {
        guard packet.count >= Self.minimumBytes, packet[packet.startIndex] >> 4 == 4 else {
            return nil
        }
        lengthBytes = Int(packet[packet.startIndex] & 0x0f) * 4
        guard lengthBytes >= Self.minimumBytes, packet.count >= lengthBytes else { return nil }
        totalLengthBytes = Int(packet.number16(at: 2))
        timeToLive = packet[packet.startIndex + 8]
        ipProtocol = packet[packet.startIndex + 9]
        source = packet.ipv4Address(at: 12)
        destination = packet.ipv4Address(at: 16)
    }
}
