import NetworkTypes
import VRRP

/// The codec, as the simulation uses it: whole packets out, whole packets in.
enum Wire {
    static func packet(
        _ advertisement: Advertisement, from source: IPAddress, number: UInt16
    ) throws(AdvertisementError) -> [UInt8] {
        switch source {
        case .v4(let source): try advertisement.ipv4Packet(from: source, identification: number)
        case .v6(let source): try advertisement.ipv6Packet(from: source)
        }
    }

    static func received(_ packet: Packet) throws(AdvertisementError) -> ReceivedAdvertisement {
        try ReceivedAdvertisement(parsing: packet.octets)
    }
}
