/// An IPv6 address.
public struct IPv6Address: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The first eight octets as a number, the first highest.
    public var high: UInt64
    /// The last eight octets as a number.
    public var low: UInt64

    /// The address with these two halves.
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The address with these sixteen octets in network order.
    ///
    /// - Precondition: there are sixteen.
    @inlinable
    public init(octets: some Collection<UInt8>) {
        precondition(octets.count == 16, "an IPv6 address has sixteen octets")
        high = octets.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        low = octets.suffix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// Parses the text forms of RFC 4291 §2.2, a dotted IPv4 tail included; no zone; nil for
    /// anything else.
    public init?(_ text: some StringProtocol) {
        let text = String(text)
        var groups: [UInt16] = []
        var gap: Int?
        var rest = Substring(text)
        guard !rest.isEmpty else { return nil }
        if rest.hasPrefix("::") {
            gap = 0
            rest = rest.dropFirst(2)
        } else if rest.hasPrefix(":") {
            return nil
        }
        while !rest.isEmpty {
            guard groups.count < 8 else { return nil }
            let field = rest.prefix { $0 != ":" }
            if field.contains(".") {
                guard field.endIndex == text.endIndex, groups.count <= 6,
                    let tail = IPv4Address(field)
                else {
                    return nil
                }
                groups.append(UInt16(tail.rawValue >> 16))
                groups.append(UInt16(truncatingIfNeeded: tail.rawValue))
                rest = ""
                break
            }
            guard (1...4).contains(field.utf8.count), field.utf8.allSatisfy(isHexadecimalDigit),
                let group = UInt16(field, radix: 16)
            else { return nil }
            groups.append(group)
            rest = rest[field.endIndex...]
            guard !rest.isEmpty else { break }
            rest = rest.dropFirst()
            if rest.hasPrefix(":") {
                guard gap == nil else { return nil }
                gap = groups.count
                rest = rest.dropFirst()
            } else if rest.isEmpty {
                return nil
            }
        }
        if let gap {
            guard groups.count < 8 else { return nil }
            groups.insert(contentsOf: repeatElement(0, count: 8 - groups.count), at: gap)
        }
        guard groups.count == 8 else { return nil }
        high = groups[..<4].reduce(0) { $0 << 16 | UInt64($1) }
        low = groups[4...].reduce(0) { $0 << 16 | UInt64($1) }
    }

    /// `::`.
    public static let any = IPv6Address(high: 0, low: 0)

    /// The sixteen octets in network order.
    public var octets: [UInt8] {
        [high, low].flatMap { half in
            (0..<8).map { UInt8(truncatingIfNeeded: half >> (56 - 8 * $0)) }
        }
    }

    /// Whether this is in ff00::/8.
    public var isMulticast: Bool { high >> 56 == 0xff }

    /// Whether this is in fe80::/10.
    public var isLinkLocal: Bool { high >> 54 == 0xfe80 >> 6 }

    /// Whether this is ::1.
    public var isLoopback: Bool { high == 0 && low == 1 }

    public static func < (left: Self, right: Self) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }

    /// The canonical text of RFC 5952: lower case, the longest run of two or more zero groups
    /// shortened.
    public var description: String {
        let groups = [high, low].flatMap { half in
            (0..<4).map { UInt16(truncatingIfNeeded: half >> (48 - 16 * $0)) }
        }
        var best = 0..<0
        var start = 0
        while start < 8 {
            guard groups[start] == 0 else {
                start += 1
                continue
            }
            let end = groups[start...].firstIndex { $0 != 0 } ?? 8
            if end - start > max(best.count, 1) { best = start..<end }
            start = end
        }
        func text(_ part: ArraySlice<UInt16>) -> String {
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard !best.isEmpty else { return text(groups[...]) }
        return text(groups[..<best.lowerBound]) + "::" + text(groups[best.upperBound...])
    }
}
