import NetworkTypes
import VRRP

/// The codec, as the simulation uses it: whole packets out, whole packets in.
enum Wire {
    /// - Parameter destination: nil for the group.
    static func packet(
        _ advertisement: Advertisement, from source: IPAddress, to destination: IPAddress? = nil,
        number: UInt16, checksum: ChecksumRule = .pseudoHeader, sequenceNumber: UInt32 = 0
    ) throws(AdvertisementError) -> [UInt8] {
        switch (source, destination) {
        case (.v4(let source), .v4(let destination)?):
            try advertisement.ipv4Packet(
                from: source, to: destination, identification: number, checksum: checksum,
                sequenceNumber: sequenceNumber)
        case (.v4(let source), _):
            try advertisement.ipv4Packet(
                from: source, identification: number, checksum: checksum,
                sequenceNumber: sequenceNumber)
        case (.v6(let source), .v6(let destination)?):
            try advertisement.ipv6Packet(from: source, to: destination)
        case (.v6(let source), _):
            try advertisement.ipv6Packet(from: source)
        }
    }
}
