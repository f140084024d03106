import NetworkTypes
import VRRP

/// What a station says of addresses that are not its own.
enum Answers {
    /// The answer to an ARP request for one of the addresses; nil for any other frame, and to an
    /// announcement.
    static func arp(
        to frame: some Sequence<UInt8>, for addresses: Set<IPAddress>, at mac: MACAddress
    ) -> [UInt8]? {
        guard let asked = ARPFrame(parsing: frame), asked.operation == .request,
            !asked.isGratuitous, addresses.contains(.v4(asked.targetAddress))
        else { return nil }
        return ARPFrame(
            ethernetSource: mac, ethernetDestination: asked.ethernetSource, operation: .reply,
            senderMAC: mac, senderAddress: asked.targetAddress, targetMAC: asked.senderMAC,
            targetAddress: asked.senderAddress
        ).octets
    }

    /// The neighbour advertisement that answers a solicitation for one of the addresses (RFC 4861
    /// §7.2.4); nil for any other frame. A node that looks for duplicates (RFC 4862 §5.4) has no
    /// address yet, and all nodes are told.
    static func neighbour(
        to frame: [UInt8], for addresses: Set<IPAddress>, at mac: MACAddress
    ) -> [UInt8]? {
        guard frame.count >= messageOffset + 24, frame[12] == 0x86, frame[13] == 0xdd,
            frame[14] >> 4 == 6, frame[20] == icmpProtocol, frame[21] == 255,
            frame[messageOffset] == solicitation, frame[messageOffset + 1] == 0
        else { return nil }
        let source = IPv6Address(octets: frame[22..<38])
        let target = IPv6Address(octets: frame[messageOffset + 8..<messageOffset + 24])
        guard addresses.contains(.v6(target)) else { return nil }
        let isForAll = source == IPv6Address(high: 0, low: 0)
        guard !isForAll else {
            return NeighbourAdvertisementFrame.unsolicited(for: target, at: mac).octets
        }
        return solicited(
            for: target, at: mac, to: source, MACAddress(octets: frame[6..<12]))
    }

    private static let messageOffset = 54
    private static let icmpProtocol: UInt8 = 58
    private static let solicitation: UInt8 = 135
    private static let advertisement: UInt8 = 136

    private static func solicited(
        for target: IPv6Address, at mac: MACAddress, to asker: IPv6Address, _ askerMAC: MACAddress
    ) -> [UInt8] {
        // Solicited and overriding (§4.4), and the target's link-layer address (§4.6.1).
        var message: [UInt8] = [advertisement, 0, 0, 0, 0x60, 0, 0, 0] + target.octets
        message += [2, 1] + mac.octets
        var sum = InternetChecksum(target.octets + asker.octets)
        sum.add([0, UInt8(message.count), 0, icmpProtocol])
        sum.add(message)
        message[2] = UInt8(sum.value >> 8)
        message[3] = UInt8(sum.value & 0xff)
        let header: [UInt8] =
            [0x60, 0, 0, 0, 0, UInt8(message.count), icmpProtocol, 255]
            + target.octets + asker.octets
        return askerMAC.octets + mac.octets + [0x86, 0xdd] + header + message
    }

    /// The announcement that an address is at that Ethernet address.
    static func announcement(of address: IPAddress, at mac: MACAddress) -> [UInt8] {
        switch address {
        case .v4(let address): ARPFrame.gratuitous(for: address, at: mac).octets
        case .v6(let address):
            NeighbourAdvertisementFrame.unsolicited(for: address, at: mac).octets
        }
    }
}
