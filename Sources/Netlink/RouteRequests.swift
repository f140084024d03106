import CLibNL
import CLinux
import Glibc
public import NetworkTypes

/// What happens to packets that a route matches (`RTN_*`).
public enum RouteKind: UInt8, Hashable, Sendable, CustomStringConvertible {
    case unicast = 1
    case local = 2
    case broadcast = 3
    case anycast = 4
    case multicast = 5
    case blackhole = 6
    case unreachable = 7
    case prohibit = 8

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
        }
    }
}

/// A route with at most one next hop.
public struct Route: Hashable, Sendable, CustomStringConvertible {
    public var kind = RouteKind.unicast
    /// The addresses it leads to; a length of 0 makes it the default route.
    public var destination: IPPrefix
    /// The router that packets are handed to; nil for a network on the link.
    public var gateway: IPAddress?
    /// The device that packets leave by; nil to have the kernel find it by the gateway.
    public var device: Device?
    /// The source address of packets that have none yet.
    public var preferredSource: IPAddress?
    /// Among routes to the same network the lowest is taken; nil for the kernel's default: 0 for
    /// IPv4, 1024 for IPv6.
    public var metric: UInt32?
    /// Which routing table it is in.
    public var table = Route.mainTable
    /// How far the destination is; nil to derive it from kind and gateway, as `ip` does.
    public var scope: Scope?

    /// The table that packets are routed by unless a rule says otherwise (`RT_TABLE_MAIN`).
    public static let mainTable: UInt32 = 254

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
        if let gateway { words += " via \(gateway)" }
        if let device { words += " dev \(device)" }
        if let preferredSource { words += " src \(preferredSource)" }
        if let metric { words += " metric \(metric)" }
        if table != Self.mainTable { words += " table \(table)" }
        if let scope { words += " scope \(scope)" }
        return words
    }

    /// The whole command. `default` alone means IPv4 to `ip`.
    fileprivate func command(_ verb: String) -> String {
        let isDefault6 = destination.base.family == .v6 && destination.length == 0
        return "ip \(isDefault6 ? "-6 " : "")route \(verb) \(self)"
    }
}

extension Request {
    /// Adds a route, unless there is one to that destination with that metric (EEXIST).
    ///
    /// Like `ip route add PREFIX via GATEWAY dev DEV`.
    public static func add(_ route: Route) throws(NetlinkError) -> Request {
        try Request(route.command("add")) { () throws(LibNLError) in
            let built = try LibNLRoute()
            try built.describe(route)
            return try LibNLMessage { result in
                rtnl_route_build_add_request(built.pointer, NLM_F_CREATE | NLM_F_EXCL, result)
            }
        }
    }

    /// Adds a route in place of the one to that destination with that metric, if there is one.
    ///
    /// Like `ip route replace PREFIX via GATEWAY dev DEV`.
    public static func replace(_ route: Route) throws(NetlinkError) -> Request {
        try Request(route.command("replace")) { () throws(LibNLError) in
            let built = try LibNLRoute()
            try built.describe(route)
            return try LibNLMessage { result in
                rtnl_route_build_add_request(built.pointer, NLM_F_CREATE | NLM_F_REPLACE, result)
            }
        }
    }

    /// Removes the route that agrees in everything given; ESRCH when there is none.
    ///
    /// Like `ip route delete PREFIX via GATEWAY dev DEV`.
    public static func delete(_ route: Route) throws(NetlinkError) -> Request {
        try Request(route.command("delete")) { () throws(LibNLError) in
            let built = try LibNLRoute()
            try built.describe(route)
            if route.scope == nil {
                rtnl_route_set_scope(built.pointer, Scope.nowhere.rawValue)
            }
            return try LibNLMessage { rtnl_route_build_del_request(built.pointer, 0, $0) }
        }
    }
}

extension LibNLRoute {
    /// libnl counts references to the addresses, and takes the next hop over.
    fileprivate func describe(_ route: Route) throws(LibNLError) {
        let base = route.destination.base
        try checked(rtnl_route_set_family(pointer, UInt8(base.family.number)))
        try checked(rtnl_route_set_type(pointer, route.kind.rawValue))
        let destination = try LibNLAddress(base, prefixLength: route.destination.length)
        try checked(rtnl_route_set_dst(pointer, destination.pointer))
        rtnl_route_set_table(pointer, route.table)
        if let scope = route.scope { rtnl_route_set_scope(pointer, scope.rawValue) }
        if let metric = route.metric { rtnl_route_set_priority(pointer, metric) }
        if let source = route.preferredSource {
            let source = try LibNLAddress(source)
            try checked(rtnl_route_set_pref_src(pointer, source.pointer))
        }
        guard route.gateway != nil || route.device != nil else { return }
        let hop = try LibNLNextHop()
        if let device = route.device { rtnl_route_nh_set_ifindex(hop.pointer, device.index) }
        if let gateway = route.gateway {
            let gateway = try LibNLAddress(gateway)
            rtnl_route_nh_set_gateway(hop.pointer, gateway.pointer)
        }
        hop.add(to: self)
    }
}
