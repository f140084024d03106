// Big-endian integers in octet arrays: all that the three packet formats of this module need.

extension RandomAccessCollection where Element == UInt8, Index == Int {
    /// The 16-bit number in network order at `offset` from the first octet.
    ///
    /// - Precondition: both octets are there.
    func number16(at offset: Int) -> UInt16 {
        UInt16(self[startIndex + offset]) << 8 | UInt16(self[startIndex + offset + 1])
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

    /// Overwrites two octets with a 16-bit number in network order.
    mutating func replace(at offset: Int, number16 value: UInt16) {
        self[offset] = UInt8(truncatingIfNeeded: value >> 8)
        self[offset + 1] = UInt8(truncatingIfNeeded: value)
    }
}
