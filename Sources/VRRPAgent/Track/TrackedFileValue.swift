/// What a tracked file says.
package enum TrackedFileValue {
    /// keepalived reads no more of the file than this.
    package static let longestText = 127

    /// The number at the beginning of a file, as strtol(3) with base 0 reads it: white space, a
    /// sign, `0x` for hexadecimal and `0` for octal, and whatever follows the digits ignored. What
    /// is no number is 0.
    ///
    /// - Returns: nil when the number is outside of what keepalived accepts (32 bits, and 2³¹).
    package static func parse(_ bytes: some Collection<UInt8>) -> Int? {
        var rest = Array(bytes.prefix(longestText))[...]
        rest = rest.drop { $0 == 0x20 || (0x09...0x0d).contains($0) }
        var isNegative = false
        if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            isNegative = sign == UInt8(ascii: "-")
            rest = rest.dropFirst()
        }
        var base = 10
        if rest.first == UInt8(ascii: "0") {
            base = 8
            let afterPrefix = rest.dropFirst(2)
            if rest.dropFirst().first.map({ $0 | 0x20 }) == UInt8(ascii: "x"),
                afterPrefix.first.flatMap({ digit($0, base: 16) }) != nil
            {
                base = 16
                rest = afterPrefix
            }
        }
        var value = 0
        for byte in rest {
            guard let digit = digit(byte, base: base) else { break }
            value = value * base + digit
            guard value <= Int(Int32.max) + 1 else { return nil }
        }
        return isNegative ? -value : value
    }

    private static func digit(_ byte: UInt8, base: Int) -> Int? {
        let value: Int
        switch byte {
        case 0x30...0x39: value = Int(byte) - 0x30
        case 0x41...0x5a: value = Int(byte) - 0x41 + 10
        case 0x61...0x7a: value = Int(byte) - 0x61 + 10
        default: return nil
        }
        return value < base ? value : nil
    }
}
