public import NetworkTypes

/// A route as `ip route add` takes it (`virtual_routes`, `static_routes`).
public struct RouteDefinition: Hashable, Sendable {
    /// The destination; of length 0 for `default`.
    public var destination: IPPrefix
    /// `unicast` unless written.
    public var type = RouteKind.unicast
    /// `via`.
    public var gateway: IPAddress?
    /// `dev`.
    public var interface: InterfaceName?
    /// `src`.
    public var source: IPAddress?
    /// `from`: the sources the route is for; IPv6 only.
    public var from: IPPrefix?
    /// `table`: its number; 254 is main.
    public var table: UInt32 = 254
    /// `metric`, `preference`.
    public var metric: UInt32?
    /// `scope`; nil: what suits the type.
    public var scope: VirtualAddress.Scope?
    /// `protocol`: RTPROT_ of linux/rtnetlink.h. keepalived's own, 18, where it is tracked; nil:
    /// that as well, but not written.
    public var routeProtocol: UInt8?
    /// `tos`, `dsfield`.
    public var typeOfService: UInt8 = 0
    /// `realms`; IPv4 only.
    public var realms: UInt32?
    /// `expires`: how long it lives; IPv6 only.
    public var lifetime: Duration?
    /// `pref`: RFC 4191's preference of a router; IPv6 only.
    public var routerPreference: UInt8?
    /// `congctl`: the name of the congestion control.
    public var congestionControl: String?
    /// `congctl lock`.
    public var isCongestionControlLocked = false
    /// `ttl-propagate`.
    public var propagatesTTL: Bool?
    /// `add`, `append` or, unwritten, `prepend`.
    public var insertion = Insertion.prepend
    /// `onlink`.
    public var isOnLink = false
    /// `mtu`, `advmss`, `window`, `rtt`, `initcwnd`...: RTAX_ numbers and values.
    public var metrics: [Metric] = []
    /// `nexthop via A dev B weight N`: several ways, instead of `gateway` and `interface`.
    public var nextHops: [NextHop] = []
    /// Whether its removal by someone else matters (not so with `no_track`).
    public var isTracked = true
    /// Where it stands.
    public var position: SourcePosition

    /// The protocol that marks what keepalived has set (RTPROT_KEEPALIVED).
    public static let keepalivedProtocol: UInt8 = 18

    /// Where a route goes among those to the same destination.
    public enum Insertion: Hashable, Sendable {
        /// Before them: what the kernel does unless told.
        case prepend
        /// Nowhere: there must be none.
        case add
        /// After them.
        case append
    }

    /// A metric of a route (RTAX_ of linux/rtnetlink.h).
    public struct Metric: Hashable, Sendable {
        /// The kernel's number.
        public var number: UInt16
        /// Its value.
        public var value: UInt32
        /// Whether the kernel may not change it (`mtu lock 1400`).
        public var isLocked = false

        /// The metric of that number.
        public init(number: UInt16, value: UInt32, isLocked: Bool = false) {
            self.number = number
            self.value = value
            self.isLocked = isLocked
        }
    }

    /// One of a route's several ways.
    public struct NextHop: Hashable, Sendable {
        /// `via`.
        public var gateway: IPAddress?
        /// `dev`.
        public var interface: InterfaceName?
        /// `weight`, from 1 to 256; nil: 1.
        public var weight: Int?
        /// `onlink`.
        public var isOnLink = false
        /// `realms`; IPv4 only.
        public var realms: UInt32?

        /// A way with nothing set.
        public init() {}
    }

    /// The route to that destination.
    public init(destination: IPPrefix, position: SourcePosition) {
        self.destination = destination
        self.position = position
    }
}

/// A rule of the routing policy as `ip rule add` takes it (`virtual_rules`, `static_rules`).
public struct RuleDefinition: Hashable, Sendable {
    /// The family it is for.
    public var family: IPAddress.Family
    /// `from`.
    public var from: IPPrefix?
    /// `to`.
    public var to: IPPrefix?
    /// `table`, `lookup`: its number; nil: none is looked up.
    public var table: UInt32?
    /// `priority`, `preference`, `order`. The parser always sets it: unwritten, keepalived counts
    /// from 16384 downwards, each family by itself.
    public var priority: UInt32?
    /// `fwmark MARK[/MASK]`.
    public var firewallMark: FirewallMark?
    /// `iif`, `dev`.
    public var inputInterface: InterfaceName?
    /// `oif`.
    public var outputInterface: InterfaceName?
    /// `tos`, `dsfield`.
    public var typeOfService: UInt8 = 0
    /// What is done with a packet that matches: FR_ACT_ of linux/fib_rules.h.
    public var action = Action.lookup
    /// `not`: whether it holds for what does not match.
    public var isInverted = false
    /// `suppress_prefixlength`.
    public var suppressedPrefixLength: Int?
    /// `suppress_ifgroup`.
    public var suppressedInterfaceGroup: UInt32?
    /// `realms`.
    public var realms: UInt32?
    /// `tunnel-id`.
    public var tunnelID: UInt64?
    /// `uidrange`.
    public var users: ClosedRange<UInt32>?
    /// `l3mdev`: the table of the packet's VRF is looked up.
    public var looksUpVRF = false
    /// `protocol`: who made it (RTPROT_ of linux/rtnetlink.h); nil: the kernel's default.
    public var ruleProtocol: UInt8? = 18
    /// `ipproto`.
    public var ipProtocol: UInt8?
    /// `sport`.
    public var sourcePorts: ClosedRange<UInt16>?
    /// `dport`.
    public var destinationPorts: ClosedRange<UInt16>?
    /// Whether its removal by someone else matters (not so with `no_track`).
    public var isTracked = true
    /// Where it stands.
    public var position: SourcePosition

    /// `fwmark`: the mark packets must have, in the bits of the mask.
    public struct FirewallMark: Hashable, Sendable {
        /// The mark.
        public var value: UInt32
        /// The bits that are compared; nil: all.
        public var mask: UInt32?

        /// That mark.
        public init(value: UInt32, mask: UInt32? = nil) {
            self.value = value
            self.mask = mask
        }
    }

    /// What a rule does, as the kernel numbers it (FR_ACT_).
    public enum Action: Hashable, Sendable {
        /// Looks the table up.
        case lookup
        /// `goto PRIORITY`.
        case goto(UInt32)
        case nop
        case blackhole
        case unreachable
        case prohibit
    }

    /// A rule that matches everything.
    public init(family: IPAddress.Family, position: SourcePosition) {
        self.family = family
        self.position = position
    }
}
