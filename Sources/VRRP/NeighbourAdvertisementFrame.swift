public import NetworkTypes

/// An unsolicited neighbour advertisement (RFC 4861 §4.4, §7.2.6) to all nodes, with the Ethernet
/// and IPv6 headers it travels under: what gratuitous ARP is to IPv4 (RFC 9568 §8.2.2).
public struct NeighbourAdvertisementFrame: Equatable, Sendable {
    /// The Ethernet source, which a bridge learns its port from.
    public var ethernetSource: MACAddress
    /// The IPv6 source; keepalived and FRR send from the announced address.
    public var source: IPv6Address
    /// The announced address.
    public var target: IPv6Address
    /// Where it is now.
    public var targetMAC: MACAddress
    /// Whether the sender says it is a router (R): hosts drop their default route by one that says
    /// it is not any more.
    public var isRouter: Bool
    /// Whether neighbours replace what they have (O), which an announcement is for.
    public var isOverriding: Bool

    /// Octets of the frame.
    public static let lengthBytes = 86
    /// ff02::1, all nodes on the link, and the Ethernet address it maps to (RFC 2464 §7).
    private static let allNodes = IPv6Address(high: 0xff02 << 48, low: 1)
    private static let allNodesMAC = MACAddress(rawValue: 0x3333_0000_0001)
    private static let etherType: UInt16 = 0x86dd
    private static let icmpProtocol: UInt8 = 58
    private static let icmpType: UInt8 = 136
    private static let hopLimit: UInt8 = 255
    /// Target link-layer address, of one unit of eight octets.
    private static let targetOption: [UInt8] = [2, 1]
    private static let routerFlag: UInt8 = 0x80
    private static let overrideFlag: UInt8 = 0x20
    private static let icmpOffset = 14 + IPv6Header.lengthBytes

    /// The announcement that `address` is now at `mac`.
    ///
    /// - Parameter isRouter: whether the interface forwards IPv6, which keepalived looks up.
    public static func unsolicited(
        for address: IPv6Address, at mac: MACAddress, isRouter: Bool = false
    ) -> NeighbourAdvertisementFrame {
        NeighbourAdvertisementFrame(
            ethernetSource: mac, source: address, target: address, targetMAC: mac,
            isRouter: isRouter, isOverriding: true)
    }

    /// The frame with these contents.
    public init(
        ethernetSource: MACAddress, source: IPv6Address, target: IPv6Address,
        targetMAC: MACAddress, isRouter: Bool, isOverriding: Bool
    ) {
        self.ethernetSource = ethernetSource
        self.source = source
        self.target = target
        self.targetMAC = targetMAC
        self.isRouter = isRouter
        self.isOverriding = isOverriding
    }

    /// The unsolicited neighbour advertisement in an Ethernet II frame; nil when there is none, or
    /// one that says no link-layer address, or a solicited one. The checksum is not verified.
    public init?(parsing frame: some Sequence<UInt8>) {
        let frame = Array(frame)
        guard frame.count >= Self.lengthBytes, frame.number16(at: 12) == Self.etherType,
            let header = IPv6Header(frame[14...]), header.nextHeader == Self.icmpProtocol,
            header.destination == Self.allNodes, header.hopLimit == Self.hopLimit
        else { return nil }
        let message = frame[Self.icmpOffset...]
        guard message.number16(at: 0) == UInt16(Self.icmpType) << 8,
            message.octets(at: 24, count: 2).elementsEqual(Self.targetOption)
        else { return nil }
        let flags = frame[Self.icmpOffset + 4]
        self.init(
            ethernetSource: MACAddress(octets: frame[6..<12]), source: header.source,
            target: message.ipv6Address(at: 8),
            targetMAC: MACAddress(octets: message.octets(at: 26, count: 6)),
            isRouter: flags & Self.routerFlag != 0, isOverriding: flags & Self.overrideFlag != 0)
    }

    /// The frame's 86 octets.
    public var octets: [UInt8] {
        var message: [UInt8] = [Self.icmpType, 0, 0, 0]
        let flags = (isRouter ? Self.routerFlag : 0) | (isOverriding ? Self.overrideFlag : 0)
        message += [flags, 0, 0, 0]
        message.append(target)
        message += Self.targetOption
        message += targetMAC.octets
        var sum = InternetChecksum(
            pseudoHeaderFrom: source, to: Self.allNodes, lengthBytes: message.count,
            nextHeader: Self.icmpProtocol)
        sum.add(message)
        message.replace(at: 2, number16: sum.value)

        var octets = Self.allNodesMAC.octets + ethernetSource.octets
        octets.append(number16: Self.etherType)
        octets += IPv6Header(
            payloadBytes: message.count, nextHeader: Self.icmpProtocol, hopLimit: Self.hopLimit,
            source: source, destination: Self.allNodes
        ).octets(trafficClass: 0)
        return octets + message
    }
}
