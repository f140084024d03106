/// An address with the length of its network's prefix, as an interface carries it: `192.0.2.1/24`.
public struct InterfaceAddress: Hashable, Sendable, CustomStringConvertible {
    /// The address.
    public var address: IPAddress
    /// Bits of the address that name its network: 0 to 32 for IPv4, 0 to 128 for IPv6.
    public var prefixLength: Int

    /// The address with that prefix length.
    ///
    /// - Precondition: `prefixLength` fits the family.
    public init(_ address: IPAddress, prefixLength: Int) {
        precondition(
            (0...address.bitWidth).contains(prefixLength),
            "prefix length outside its family's range")
        self.address = address
        self.prefixLength = prefixLength
    }

    /// Parses `ADDRESS/LENGTH`, or a bare address as one with the whole width; nil for anything
    /// else.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(parts[0]) else { return nil }
        guard parts.count == 2 else {
            self.init(address, prefixLength: address.bitWidth)
            return
        }
        guard (1...3).contains(parts[1].utf8.count),
            parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let length = Int(parts[1]), (0...address.bitWidth).contains(length)
        else { return nil }
        self.init(address, prefixLength: length)
    }

    /// The network the address is in.
    public var network: IPPrefix { IPPrefix(containing: address, length: prefixLength) }

    public var description: String { "\(address)/\(prefixLength)" }
}
