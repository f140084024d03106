import NetworkTypes

// Big-endian integers in octet arrays: all that the packet formats of this module need.

extension RandomAccessCollection where Element == UInt8, Index == Int {
    /// The 16-bit number in network order at `offset` from the first octet.
    ///
    /// - Precondition: both octets are there.
    func number16(at offset: Int) -> UInt16 {
        UInt16(self[startIndex + offset]) << 8 | UInt16(self[startIndex + offset + 1])
    }

    /// The 32-bit number in network order at `offset` from the first octet.
    ///
    /// - Precondition: its octets are there.
    func number32(at offset: Int) -> UInt32 {
        UInt32(number16(at: offset)) << 16 | UInt32(number16(at: offset + 2))
    }

    /// The IPv4 address at `offset` from the first octet.
    ///
    /// - Precondition: its octets are there.
    func ipv4Address(at offset: Int) -> IPv4Address { IPv4Address(rawValue: number32(at: offset)) }

    /// The IPv6 address at `offset` from the first octet.
    ///
    /// - Precondition: its octets are there.
    func ipv6Address(at offset: Int) -> IPv6Address {
        func half(_ offset: Int) -> UInt64 {
            UInt64(number32(at: offset)) << 32 | UInt64(number32(at: offset + 4))
        }
        return IPv6Address(high: half(offset), low: half(offset + 8))
    }

    /// The `count` octets at `offset` from the first octet.
    ///
    /// - Precondition: they are there.
    func octets(at offset: Int, count: Int) -> SubSequence {
        self[startIndex + offset..<startIndex + offset + count]
    }
}

extension Array where Element == UInt8 {
    /// Appends a 16-bit number in network order.
    mutating func append(number16 value: UInt16) {
        append(UInt8(truncatingIfNeeded: value >> 8))
        append(UInt8(truncatingIfNeeded: value))
    }

    /// Appends a 32-bit number in network order.
    mutating func append(number32 value: UInt32) {
        append(number16: UInt16(truncatingIfNeeded: value >> 16))
        append(number16: UInt16(truncatingIfNeeded: value))
    }

    /// Appends an address in network order.
    mutating func append(_ address: IPv4Address) { append(number32: address.rawValue) }

    /// Appends an address in network order.
    mutating func append(_ address: IPv6Address) {
        for half in [address.high, address.low] {
            append(number32: UInt32(truncatingIfNeeded: half >> 32))
            append(number32: UInt32(truncatingIfNeeded: half))
        }
    }

    /// Appends an address in transmission order.
    mutating func append(_ address: MACAddress) {
        append(number16: UInt16(truncatingIfNeeded: address.rawValue >> 32))
        append(number32: UInt32(truncatingIfNeeded: address.rawValue))
    }

    /// Overwrites two octets with a 16-bit number in network order.
    mutating func replace(at offset: Int, number16 value: UInt16) {
        self[offset] = UInt8(truncatingIfNeeded: value >> 8)
        self[offset + 1] = UInt8(truncatingIfNeeded: value)
    }
}
