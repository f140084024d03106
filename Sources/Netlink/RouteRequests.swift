import CLibNL
import CLinux
import Glibc
public import NetworkTypes

/// A route.
public struct Route: Hashable, Sendable, CustomStringConvertible {
    public var kind = RouteKind.unicast
    /// The addresses it leads to; a length of 0 makes it the default route.
    public var destination: IPPrefix
    /// The sources it is for; nil for all. IPv6 only.
    public var from: IPPrefix?
    /// The router that packets are handed to, of either family; nil for a network on the link.
    public var gateway: IPAddress?
    /// The device that packets leave by; nil to have the kernel find it by the gateway.
    public var device: Device?
    /// Whether the gateway counts as on the link, whatever the addresses say.
    public var isOnLink = false
    /// The ways to choose from, instead of `gateway` and `device`.
    public var nextHops: [NextHop] = []
    /// The source address of packets that have none yet.
    public var preferredSource: IPAddress?
    /// Among routes to the same network the lowest is taken; nil for the kernel's default: 0 for
    /// IPv4, 1024 for IPv6.
    public var metric: UInt32?
    /// The type of service it is for; 0 for any.
    public var typeOfService: UInt8 = 0
    /// Which routing table it is in.
    public var table = Route.mainTable
    /// How far the destination is; nil to derive it from kind and gateway, as `ip` does.
    public var scope: Scope?
    /// Who made it (`RTPROT_*`); nil to leave it to the administrator (`static`), or when deleting
    /// whoever made it.
    public var origin: UInt8?
    /// Properties of the path.
    public var metrics: [Metric] = []
    /// The congestion control of connections by it (`tcp_congestion_control`).
    public var congestionControl: CongestionControl?
    /// The realms of packets by it, the source's in the upper half. IPv4 only.
    public var realms: UInt32?
    /// After how many seconds it goes by itself. IPv6 only.
    public var lifetimeSeconds: UInt32?
    /// RFC 4191's preference: 0 medium, 1 high, 3 low. IPv6 only.
    public var routerPreference: UInt8?
    /// Whether the TTL goes from IP into an MPLS label and back; nil for the machine's default.
    public var propagatesTTL: Bool?

    /// `congctl [lock] NAME`.
    public struct CongestionControl: Hashable, Sendable {
        public var name: String
        /// Whether connections may not choose another.
        public var isLocked: Bool

        public init(_ name: String, isLocked: Bool = false) {
            self.name = name
            self.isLocked = isLocked
        }
    }

    /// One of several ways.
    public struct NextHop: Hashable, Sendable {
        public var gateway: IPAddress?
        public var device: Device?
        /// Its share, 1 to 256, of the sum of all.
        public var weight: Int
        public var isOnLink: Bool
        /// As a route's.
        public var realms: UInt32?

        public init(
            via gateway: IPAddress?, dev device: Device? = nil, weight: Int = 1,
            isOnLink: Bool = false, realms: UInt32? = nil
        ) {
            self.gateway = gateway
            self.device = device
            self.weight = weight
            self.isOnLink = isOnLink
            self.realms = realms
        }
    }

    /// A property of the path (`RTAX_*`).
    public struct Metric: Hashable, Sendable {
        public var number: UInt16
        public var value: UInt32
        /// Whether the kernel may not change it by what it learns.
        public var isLocked: Bool

        public init(number: UInt16, value: UInt32, isLocked: Bool = false) {
            self.number = number
            self.value = value
            self.isLocked = isLocked
        }
    }

    /// The table that packets are routed by unless a rule says otherwise (`RT_TABLE_MAIN`).
    public static let mainTable: UInt32 = 254
    /// The origin that keepalived's routes and rules tell (`RTPROT_KEEPALIVED`).
    public static let keepalivedOrigin: UInt8 = 18

    public init(to destination: IPPrefix, via gateway: IPAddress? = nil, dev device: Device? = nil)
    {
        self.destination = destination
        self.gateway = gateway
        self.device = device
    }

    /// The words after `ip route add`.
    public var description: String {
        var words = kind == .unicast ? "" : "\(kind) "
        words += destination.length == 0 ? "default" : "\(destination)"
        if let from { words += " from \(from)" }
        if typeOfService != 0 { words += " tos 0x\(String(typeOfService, radix: 16))" }
        words += Self.way(gateway, device, isOnLink)
        if let preferredSource { words += " src \(preferredSource)" }
        if let metric { words += " metric \(metric)" }
        if table != Self.mainTable { words += " table \(table)" }
        if let scope { words += " scope \(scope)" }
        if let origin { words += " proto \(origin)" }
        for metric in metrics {
            words += " \(metric.name) \(metric.isLocked ? "lock " : "")\(metric.value)"
        }
        if let congestionControl {
            words += " congctl \(congestionControl.isLocked ? "lock " : "")"
            words += congestionControl.name
        }
        if let realms { words += Self.text(realms: realms) }
        if let lifetimeSeconds { words += " expires \(lifetimeSeconds)" }
        if let routerPreference {
            words += " pref \([1: "high", 3: "low"][routerPreference] ?? "medium")"
        }
        if let propagatesTTL { words += " ttl-propagate \(propagatesTTL ? "en" : "dis")abled" }
        for hop in nextHops {
            words += " nexthop" + Self.way(hop.gateway, hop.device, hop.isOnLink)
            words += " weight \(hop.weight)"
            if let realms = hop.realms { words += Self.text(realms: realms) }
        }
        return words
    }

    private static func text(realms: UInt32) -> String {
        realms >> 16 == 0 ? " realm \(realms)" : " realms \(realms >> 16)/\(realms & 0xffff)"
    }

    private static func way(_ gateway: IPAddress?, _ device: Device?, _ isOnLink: Bool) -> String {
        (gateway.map { " via \($0)" } ?? "") + (device.map { " dev \($0)" } ?? "")
            + (isOnLink ? " onlink" : "")
    }
}

extension Route.Metric {
    /// The word `ip route` uses.
    fileprivate var name: String {
        let names = [
            "lock", "mtu", "window", "rtt", "rttvar", "ssthresh", "cwnd", "advmss", "reordering",
            "hoplimit", "initcwnd", "features", "rto_min", "initrwnd", "quickack", "congctl",
            "fastopen_no_cookie",
        ]
        return (1...names.count).contains(Int(number)) ? names[Int(number) - 1] : "rtax-\(number)"
    }
}

extension Request {
    /// Adds a route, unless there is one to that destination with that metric (EEXIST).
    ///
    /// Like `ip route add PREFIX via GATEWAY dev DEV`.
    public static func add(_ route: Route) throws(NetlinkError) -> Request {
        try change(route, "add", RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL)
    }

    /// Adds a route before those to that destination; EEXIST only when there is one exactly like
    /// it.
    ///
    /// Like `ip route prepend PREFIX via GATEWAY dev DEV`; what keepalived does.
    public static func prepend(_ route: Route) throws(NetlinkError) -> Request {
        try change(route, "prepend", RTM_NEWROUTE, NLM_F_CREATE)
    }

    /// Adds a route after those to that destination.
    ///
    /// Like `ip route append PREFIX via GATEWAY dev DEV`.
    public static func append(_ route: Route) throws(NetlinkError) -> Request {
        try change(route, "append", RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND)
    }

    /// Adds a route in place of the one to that destination with that metric, if there is one.
    ///
    /// Like `ip route replace PREFIX via GATEWAY dev DEV`.
    public static func replace(_ route: Route) throws(NetlinkError) -> Request {
        try change(route, "replace", RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE)
    }

    /// Removes the route that agrees in everything given; ESRCH when there is none.
    ///
    /// Like `ip route delete PREFIX via GATEWAY dev DEV`.
    public static func delete(_ route: Route) throws(NetlinkError) -> Request {
        try change(route, "delete", RTM_DELROUTE, 0)
    }

    private static func change(
        _ route: Route, _ verb: String, _ type: Int, _ flags: CInt
    ) throws(NetlinkError) -> Request {
        // `default` alone means IPv4 to `ip`.
        let isDefault6 = route.destination.base.family == .v6 && route.destination.length == 0
        return try Request("ip \(isDefault6 ? "-6 " : "")route \(verb) \(route)") {
            () throws(LibNLError) in
            let message = try LibNLMessage(type: CInt(type), flags: flags)
            try message.append(route.header(isDeletion: type == RTM_DELROUTE))
            try message.put(route)
            return message
        }
    }
}

extension Route {
    fileprivate func header(isDeletion: Bool) -> rtmsg {
        var header = rtmsg()
        header.rtm_family = UInt8(destination.base.family.number)
        header.rtm_dst_len = UInt8(destination.length)
        header.rtm_src_len = UInt8(from?.length ?? 0)
        header.rtm_tos = typeOfService
        header.rtm_table = UInt8(exactly: table) ?? UInt8(RT_TABLE_UNSPEC.rawValue)
        header.rtm_protocol = origin ?? UInt8(isDeletion ? RTPROT_UNSPEC : RTPROT_STATIC)
        header.rtm_scope = (scope ?? (isDeletion ? .nowhere : usualScope)).rawValue
        header.rtm_type = kind.rawValue
        header.rtm_flags = isOnLink ? UInt32(RTNH_F_ONLINK) : 0
        return header
    }

    /// As `ip` derives it.
    private var usualScope: Scope {
        if kind == .local || kind == .nat { return .host }
        let hasGateway = gateway != nil || nextHops.contains { $0.gateway != nil }
        let goesByLink = kind == .unicast && !hasGateway
        return goesByLink || kind == .broadcast || kind == .multicast || kind == .anycast
            ? .link : .universe
    }
}

extension LibNLMessage {
    fileprivate func put(_ route: Route) throws(LibNLError) {
        let family = route.destination.base.family
        func put(_ type: rtattr_type_t, _ bytes: [UInt8]) throws(LibNLError) {
            try self.put(Int(type.rawValue), bytes)
        }
        func put(_ type: rtattr_type_t, _ number: UInt32?) throws(LibNLError) {
            if let number { try self.put(Int(type.rawValue), number) }
        }
        if route.destination.length > 0 { try put(RTA_DST, route.destination.base.octets) }
        if let from = route.from, from.length > 0 { try put(RTA_SRC, from.base.octets) }
        if let source = route.preferredSource { try put(RTA_PREFSRC, source.octets) }
        if let gateway = route.gateway { try self.put(gateway, routeFamily: family) }
        try put(RTA_OIF, route.device.map { UInt32($0.index) })
        try put(RTA_PRIORITY, route.metric)
        if route.table > UInt32(UInt8.max) { try put(RTA_TABLE, route.table) }
        try put(RTA_FLOW, route.realms)
        try put(RTA_EXPIRES, route.lifetimeSeconds)
        if let preference = route.routerPreference { try put(RTA_PREF, [preference]) }
        if let propagates = route.propagatesTTL { try put(RTA_TTL_PROPAGATE, [propagates ? 1 : 0]) }
        try putMetrics(of: route)
        guard !route.nextHops.isEmpty else { return }
        try nest(Int(RTA_MULTIPATH.rawValue)) { () throws(LibNLError) in
            for hop in route.nextHops { try self.put(hop, routeFamily: family) }
        }
    }

    private func putMetrics(of route: Route) throws(LibNLError) {
        guard !route.metrics.isEmpty || route.congestionControl != nil else { return }
        try nest(Int(RTA_METRICS.rawValue)) { () throws(LibNLError) in
            var locked: UInt32 = 0
            for metric in route.metrics {
                try self.put(Int(metric.number), metric.value)
                if metric.isLocked { locked |= 1 << UInt32(metric.number) }
            }
            if let control = route.congestionControl {
                try self.put(Int(RTAX_CC_ALGO), control.name)
                if control.isLocked { locked |= 1 << UInt32(RTAX_CC_ALGO) }
            }
            if locked != 0 { try self.put(Int(RTAX_LOCK), locked) }
        }
    }

    /// A gateway; one of the other family says which it is.
    private func put(_ gateway: IPAddress, routeFamily: IPAddress.Family) throws(LibNLError) {
        guard gateway.family != routeFamily else {
            return try put(Int(RTA_GATEWAY.rawValue), gateway.octets)
        }
        let family = withUnsafeBytes(of: UInt16(gateway.family.number)) { [UInt8]($0) }
        try put(Int(RTA_VIA.rawValue), family + gateway.octets)
    }

    /// One `rtnexthop`: a header of its own, whose length covers the attributes behind it.
    private func put(_ hop: Route.NextHop, routeFamily: IPAddress.Family) throws(LibNLError) {
        let attributes = try LibNLMessage(type: 0)
        if let gateway = hop.gateway { try attributes.put(gateway, routeFamily: routeFamily) }
        if let realms = hop.realms { try attributes.put(Int(RTA_FLOW.rawValue), realms) }
        let body = attributes.bytes.dropFirst(MemoryLayout<nlmsghdr>.size)
        var header = rtnexthop()
        header.rtnh_len = UInt16(MemoryLayout<rtnexthop>.size + body.count)
        header.rtnh_flags = hop.isOnLink ? UInt8(RTNH_F_ONLINK) : 0
        header.rtnh_hops = UInt8(clamping: hop.weight - 1)
        header.rtnh_ifindex = hop.device?.index ?? 0
        try append(withUnsafeBytes(of: header) { [UInt8]($0) } + body)
    }
}
