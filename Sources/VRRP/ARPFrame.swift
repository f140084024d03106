public import NetworkTypes

/// An ARP packet for IPv4 over Ethernet (RFC 826), with the Ethernet header it travels under.
public struct ARPFrame: Equatable, Sendable {
    /// The Ethernet source, which a bridge learns its port from.
    public var ethernetSource: MACAddress
    /// The Ethernet destination.
    public var ethernetDestination: MACAddress
    /// What is asked or said.
    public var operation: Operation
    /// The sender's hardware address, which receivers put into their tables.
    public var senderMAC: MACAddress
    /// The sender's protocol address.
    public var senderAddress: IPv4Address
    /// The target's hardware address; without meaning in a request.
    public var targetMAC: MACAddress
    /// The target's protocol address.
    public var targetAddress: IPv4Address

    /// The two operations of ARP itself.
    public enum Operation: UInt16, Sendable {
        case request = 1
        case reply = 2
    }

    /// Octets of the frame without Ethernet's padding.
    public static let lengthBytes = 42
    /// The EtherType of ARP.
    public static let etherType: UInt16 = 0x0806

    /// The announcement that `address` is now at `mac` (RFC 5227 §3, RFC 3768 §6.4.2): a broadcast
    /// request whose sender and target are the address.
    ///
    /// The target's hardware address is all ones, as keepalived sends it.
    public static func gratuitous(for address: IPv4Address, at mac: MACAddress) -> ARPFrame {
        ARPFrame(
            ethernetSource: mac, ethernetDestination: .broadcast, operation: .request,
            senderMAC: mac, senderAddress: address, targetMAC: .broadcast, targetAddress: address)
    }

    /// The frame with these contents.
    public init(
        ethernetSource: MACAddress, ethernetDestination: MACAddress, operation: Operation,
        senderMAC: MACAddress, senderAddress: IPv4Address, targetMAC: MACAddress,
        targetAddress: IPv4Address
    ) {
        self.ethernetSource = ethernetSource
        self.ethernetDestination = ethernetDestination
        self.operation = operation
        self.senderMAC = senderMAC
        self.senderAddress = senderAddress
        self.targetMAC = targetMAC
        self.targetAddress = targetAddress
    }

    /// The ARP packet in an Ethernet II frame, trailing padding allowed; nil when there is none, or
    /// one for other than IPv4 over Ethernet, or with another operation (RARP, InARP).
    @inlinable
    public init?(parsing frame: some Sequence<UInt8>) {
        self.init(first: Array(frame.prefix(Self.lengthBytes)))
    }

    /// - Parameter frame: its first 42 octets, if it has as many.
    @usableFromInline
    init?(first frame: [UInt8]) {
        guard frame.count == Self.lengthBytes, frame.number16(at: 12) == Self.etherType,
            Array(frame[14..<20]) == Self.fixedFields,
            let operation = Operation(rawValue: frame.number16(at: 20))
        else { return nil }
        self.init(
            ethernetSource: MACAddress(octets: frame[6..<12]),
            ethernetDestination: MACAddress(octets: frame[0..<6]), operation: operation,
            senderMAC: MACAddress(octets: frame[22..<28]),
            senderAddress: IPv4Address(octets: frame[28..<32]),
            targetMAC: MACAddress(octets: frame[32..<38]),
            targetAddress: IPv4Address(octets: frame[38..<42]))
    }

    /// Whether this announces its sender instead of asking for somebody: sender and target are the
    /// same address. A probe (RFC 5227 §2.1.1), whose sender is 0.0.0.0, is none.
    public var isGratuitous: Bool { senderAddress == targetAddress && senderAddress != .any }

    /// The frame's 42 octets.
    public var octets: [UInt8] {
        var octets: [UInt8] = []
        octets.reserveCapacity(Self.lengthBytes)
        octets.append(ethernetDestination)
        octets.append(ethernetSource)
        octets.append(number16: Self.etherType)
        octets += Self.fixedFields
        octets.append(number16: operation.rawValue)
        octets.append(senderMAC)
        octets.append(senderAddress)
        octets.append(targetMAC)
        octets.append(targetAddress)
        return octets
    }

    /// Hardware type Ethernet, protocol IPv4, address lengths 6 and 4.
    private static let fixedFields: [UInt8] = [0, 1, 0x08, 0x00, 6, 4]
}
