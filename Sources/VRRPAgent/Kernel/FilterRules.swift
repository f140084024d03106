import Netlink
import NetworkTypes

/// The rules of the agent's tables, as keepalived writes them.
enum FilterRules {
    // Registers have 16 bytes; a set of pairs is looked up from the first, into the second.
    private static let first: UInt32 = 1
    private static let second: UInt32 = 2

    /// `ip saddr`, `ip6 daddr`...
    private static func address(_ family: IPAddress.Family, isSource: Bool) -> FilterExpression {
        family == .v4
            ? .load(.network, offset: isSource ? 12 : 16, bytes: 4, into: first)
            : .load(.network, offset: isSource ? 8 : 24, bytes: 16, into: first)
    }

    /// The rules of the chains `in` and `out` about virtual addresses.
    static func acceptance(
        _ family: IPAddress.Family, isIncoming: Bool
    ) -> [[FilterExpression]] {
        let address = address(family, isSource: !isIncoming)
        let drop: [FilterExpression] = [
            address, .lookup(first, set: "vips"), .verdict(.drop),
        ]
        guard family == .v6 else { return [drop] }
        let zeros = [UInt8](repeating: 0, count: 14)
        return [
            // Neighbour solicitations and advertisements must not be dropped (RFC 9568 §6.1).
            [
                .load(.network, offset: 6, bytes: 1, into: first), .equals(first, [58]),
                .load(.transport, offset: 0, bytes: 1, into: first),
                .lookup(first, set: "neighbor-discovery"), .verdict(.accept),
            ],
            // fe80::/10: the same address may be on several links.
            [
                address, .mask(first, [0xff, 0xc0] + zeros), .equals(first, [0xfe, 0x80] + zeros),
                .verdict(.goto(isIncoming ? "in_link_local" : "out_link_local")),
            ],
            drop,
        ]
    }

    /// The rule of the chains `in_link_local` and `out_link_local`.
    static func linkLocal(isIncoming: Bool) -> [FilterExpression] {
        [
            address(.v6, isSource: !isIncoming),
            .property(isIncoming ? .inputDevice : .outputDevice, into: second),
            .lookup(first, set: "vips_link_local"), .verdict(.drop),
        ]
    }

    /// The rule of the chain `waiting`: a backup discards frames to its virtual MAC (RFC 9568
    /// §6.4.2), but not those to a group, which its advertisements come in.
    static let waiting: [FilterExpression] = [
        .property(.inputDevice, into: first), .lookup(first, set: "vmac_waiting"),
        .property(.packetType, into: first), .equals(first, [0]), .verdict(.drop),
    ]

    /// The rules that come first in the chain `out`: IGMP and MLD reports of a macvlan leave by its
    /// base, and it asks for no routers.
    static func moving(_ family: IPAddress.Family) -> [[FilterExpression]] {
        let kind = Array("macvlan".utf8) + [UInt8](repeating: 0, count: 9)
        let isMacvlan: [FilterExpression] = [
            .property(.outputDeviceKind, into: second), .equals(second, kind),
            .property(.outputDevice, into: second),
        ]
        let move: [FilterExpression] =
            [address(family, isSource: false)] + isMacvlan + [
                .lookup(second, set: "vmac_map", into: second),
                .duplicate(address: first, device: second), .verdict(.drop),
            ]
        func icmpv6(_ type: UInt8) -> [FilterExpression] {
            [
                .property(.transportProtocol, into: first), .equals(first, [58]),
                .load(.transport, offset: 0, bytes: 1, into: first), .equals(first, [type]),
            ]
        }
        guard family == .v6 else {
            return [
                [.load(.network, offset: 9, bytes: 1, into: first), .equals(first, [2])] + move
            ]
        }
        return [
            icmpv6(143) + move,
            icmpv6(133) + isMacvlan + [.lookup(second, set: "vmac_set"), .verdict(.drop)],
        ]
    }
}
