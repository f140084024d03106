/// What happens to packets that a route matches, as the kernel numbers it (`RTN_*` of
/// linux/rtnetlink.h).
public enum RouteKind: UInt8, CaseIterable, Hashable, Sendable, CustomStringConvertible {
    case unicast = 1
    case local = 2
    case broadcast = 3
    case anycast = 4
    case multicast = 5
    case blackhole = 6
    case unreachable = 7
    case prohibit = 8
    /// As if there were no route in this table: the next rule is looked at.
    case `throw` = 9
    /// Kept in the numbering; the kernel does nothing of the kind any more.
    case nat = 10

    /// The word `ip route` uses.
    public var description: String {
        switch self {
        case .unicast: "unicast"
        case .local: "local"
        case .broadcast: "broadcast"
        case .anycast: "anycast"
        case .multicast: "multicast"
        case .blackhole: "blackhole"
        case .unreachable: "unreachable"
        case .prohibit: "prohibit"
        case .throw: "throw"
        case .nat: "nat"
        }
    }
}
