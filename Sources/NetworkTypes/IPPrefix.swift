/// A network: the addresses that share their first `length` bits.
public struct IPPrefix: Hashable, Sendable, CustomStringConvertible {
    /// The lowest address: every bit after the prefix is zero.
    public let base: IPAddress
    /// Bits that all addresses of the network share.
    public let length: Int

    /// The network of that prefix length which `address` is in.
    ///
    /// - Precondition: `length` fits the family.
    public init(containing address: IPAddress, length: Int) {
        precondition(
            (0...address.bitWidth).contains(length), "prefix length outside its family's range")
        self.length = length
        switch address {
        case .v4(let address):
            base = .v4(IPv4Address(rawValue: address.rawValue & Self.mask32(length)))
        case .v6(let address):
            base = .v6(
                IPv6Address(
                    high: address.high & Self.mask64(min(length, 64)),
                    low: address.low & Self.mask64(max(length - 64, 0))))
        }
    }

    /// Parses `BASE/LENGTH`; nil when it is not that, or when bits after the prefix are set.
    public init?(_ text: some StringProtocol) {
        guard text.contains("/"), let written = InterfaceAddress(text),
            written.network.base == written.address
        else { return nil }
        self = written.network
    }

    /// Whether `address` is in this network; never for one of the other family.
    public func contains(_ address: IPAddress) -> Bool {
        address.family == base.family && IPPrefix(containing: address, length: length).base == base
    }

    /// Whether the two networks share an address.
    public func overlaps(_ other: IPPrefix) -> Bool { contains(other.base) || other.contains(base) }

    /// The `index`th address counted from the base (which is number 0); nil past the network's end.
    public func address(at index: UInt64) -> IPAddress? {
        let result: IPAddress
        switch base {
        case .v4(let base):
            let (sum, overflow) = UInt64(base.rawValue).addingReportingOverflow(index)
            guard !overflow, sum <= UInt64(UInt32.max) else { return nil }
            result = .v4(IPv4Address(rawValue: UInt32(sum)))
        case .v6(let base):
            let (low, carry) = base.low.addingReportingOverflow(index)
            let (high, overflow) = base.high.addingReportingOverflow(carry ? 1 : 0)
            guard !overflow else { return nil }
            result = .v6(IPv6Address(high: high, low: low))
        }
        return contains(result) ? result : nil
    }

    /// The IPv4 directed broadcast address (all host bits set); nil for IPv6 and for /31 and /32,
    /// which have none (RFC 3021).
    public var broadcast: IPv4Address? {
        guard case .v4(let base) = base, length < 31 else { return nil }
        return IPv4Address(rawValue: base.rawValue | ~Self.mask32(length))
    }

    public var description: String { "\(base)/\(length)" }

    private static func mask32(_ length: Int) -> UInt32 {
        length == 0 ? 0 : ~UInt32(0) << UInt32(32 - length)
    }
    private static func mask64(_ length: Int) -> UInt64 {
        length == 0 ? 0 : ~UInt64(0) << UInt64(64 - length)
    }
}
