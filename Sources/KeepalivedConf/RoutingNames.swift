import NetworkTypes

/// The names iproute2 knows for numbers of the kernel's routing, as its own files have them
/// (/etc/iproute2, Debian 12): those files are not read, so a name added there is unknown here.
enum RoutingNames {
    /// Tables (rt_tables).
    static let tables: [String: UInt32] = ["default": 253, "main": 254, "local": 255, "unspec": 0]

    /// Who made a route (rt_protos).
    static let protocols: [String: UInt32] = [
        "none": 0, "unspec": 0, "redirect": 1, "kernel": 2, "boot": 3, "static": 4, "gated": 8,
        "ra": 9, "mrt": 10, "zebra": 11, "bird": 12, "dnrouted": 13, "xorp": 14, "ntk": 15,
        "dhcp": 16, "keepalived": 18, "babel": 42, "openr": 99, "bgp": 186, "isis": 187,
        "ospf": 188, "rip": 189, "eigrp": 192,
    ]

    /// Differentiated services (rt_dsfield).
    static let services: [String: UInt32] = [
        "default": 0x00, "AF11": 0x28, "AF12": 0x30, "AF13": 0x38, "AF21": 0x48, "AF22": 0x50,
        "AF23": 0x58, "AF31": 0x68, "AF32": 0x70, "AF33": 0x78, "AF41": 0x88, "AF42": 0x90,
        "AF43": 0x98, "CS1": 0x20, "CS2": 0x40, "CS3": 0x60, "CS4": 0x80, "CS5": 0xa0,
        "CS6": 0xc0, "CS7": 0xe0, "EF": 0xb8,
    ]

    /// Realms (rt_realms).
    static let realms: [String: UInt32] = ["cosmos": 0]

    /// Groups of interfaces (group).
    static let groups: [String: UInt32] = ["default": 0]

    /// Types of routes.
    static let types = Dictionary(
        uniqueKeysWithValues: RouteKind.allCases.map { ("\($0)", $0) })

    /// Protocols over IP that people name in rules.
    static let ipProtocols: [String: UInt32] = [
        "icmp": 1, "tcp": 6, "udp": 17, "ipv6-icmp": 58, "icmpv6": 58, "sctp": 132, "vrrp": 112,
        "gre": 47, "esp": 50, "ah": 51, "igmp": 2, "ospf": 89,
    ]

    /// The number of that name, or as written in C's way (decimal, `0x` or `0`), up to `limit`.
    static func number(_ text: String, in names: [String: UInt32], limit: UInt32) -> UInt32? {
        if let number = cNumber(text) { return number <= limit ? UInt32(number) : nil }
        return names[text]
    }

    /// `FROM/TO` or `TO` as one number, FROM in its upper half (RTA_FLOW).
    static func realms(_ text: String) -> UInt32? {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        var result: UInt32 = 0
        for part in parts {
            guard let number = number(String(part), in: realms, limit: 255) else { return nil }
            result = result << 16 | number
        }
        return result
    }
}

/// A number as C's `strtoul` reads it with base 0: decimal, hexadecimal after `0x`, octal after
/// `0`; nil for anything else.
func cNumber(_ text: String) -> UInt64? {
    guard text.utf8.first.map({ (0x30...0x39).contains($0) }) == true else { return nil }
    if text.hasPrefix("0x") || text.hasPrefix("0X") { return UInt64(text.dropFirst(2), radix: 16) }
    if text.hasPrefix("0"), text.utf8.count > 1 { return UInt64(text.dropFirst(), radix: 8) }
    return UInt64(text)
}
