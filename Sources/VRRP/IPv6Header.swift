import NetworkTypes

/// The fields of an IPv6 header (RFC 8200 §3) that VRRP cares about.
struct IPv6Header: Equatable {
    /// Octets of the header; extension headers are no part of it.
    static let lengthBytes = 40

    /// Octets after the header, as it says.
    var payloadBytes: Int
    var nextHeader: UInt8
    var hopLimit: UInt8
    var source: IPv6Address
    var destination: IPv6Address

    init(
        payloadBytes: Int, nextHeader: UInt8, hopLimit: UInt8, source: IPv6Address,
        destination: IPv6Address
    ) {
        self.payloadBytes = payloadBytes
        self.nextHeader = nextHeader
        self.hopLimit = hopLimit
        self.source = source
        self.destination = destination
    }

    /// The header at the start of `packet`; nil when that is no IPv6 header or is not complete.
    init?(_ packet: ArraySlice<UInt8>) {
        guard packet.count >= Self.lengthBytes, packet[packet.startIndex] >> 4 == 6 else {
            return nil
        }
        self.init(
            payloadBytes: Int(packet.number16(at: 4)),
            nextHeader: packet[packet.startIndex + 6],
            hopLimit: packet[packet.startIndex + 7],
            source: packet.ipv6Address(at: 8), destination: packet.ipv6Address(at: 24))
    }

    /// The header's forty octets.
    func octets(trafficClass: UInt8, flowLabel: UInt32 = 0) -> [UInt8] {
        var octets: [UInt8] = []
        octets.reserveCapacity(Self.lengthBytes)
        octets.append(number32: 6 << 28 | UInt32(trafficClass) << 20 | flowLabel & 0xfffff)
        octets.append(number16: UInt16(payloadBytes))
        octets += [nextHeader, hopLimit]
        octets.append(source)
        octets.append(destination)
        return octets
    }
}
