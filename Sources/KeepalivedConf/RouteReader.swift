import NetworkTypes

/// Reads a line of `virtual_routes` or `static_routes`.
struct RouteReader: RoutingReader {
    var diagnostics: [ConfDiagnostic] = []
    let entry: Statement.Entry
    var index = 0
    var family: IPAddress.Family?
    /// The groups that a static entry may name; nil: it is none.
    private let trackGroups: Set<String>?
    private var route: RouteDefinition
    private var destination: (text: IPPrefixText, word: Word)?
    private var from: IPPrefixText?
    private var protocolWord: Word?

    private static let mixedFamilies = "Cannot mix IPv4 and IPv6 addresses for route"

    init(_ entry: Statement.Entry, trackGroups: Set<String>? = nil) {
        self.entry = entry
        self.trackGroups = trackGroups
        let nowhere = IPPrefix(containing: .v4(IPv4Address(rawValue: 0)), length: 0)
        route = RouteDefinition(destination: nowhere, position: entry.position)
    }

    /// The route; nil, and reported, when keepalived would leave it out.
    mutating func read() -> RouteDefinition? {
        do throws(SkippedLine) {
            while let word = nextWord() {
                if word.text == "nexthop" {
                    try readNextHops()
                    break
                }
                if try readFamily(word) { continue }
                if try readAddress(word) { continue }
                if try readSetting(word) { continue }
                if try readMetric(word) { continue }
                if try readFlag(word) { continue }
                try readDestination(word)
            }
            return try complete()
        } catch {
            report(error)
            return nil
        }
    }

    private mutating func readFamily(_ word: Word) throws(SkippedLine) -> Bool {
        switch word.text {
        case "inet6": try unify(.v6, word, "inet6 specified for IPv4 route")
        case "inet": try unify(.v4, word, "inet specified for IPv6 route")
        default: return false
        }
        reportSkippedWord(after: word)
        return true
    }

    // MARK: Addresses

    private mutating func readAddress(_ word: Word) throws(SkippedLine) -> Bool {
        switch word.text {
        case "src":
            let value = try value(of: word)
            guard let address = IPAddress(value.text) else {
                throw SkippedLine(
                    position: value.position, message: "invalid route src address \(value.text)",
                    detail: invalidAddress(value))
            }
            try unify(address.family, value, Self.mixedFamilies)
            route.source = address
        case "via", "gw":
            if word.text == "gw" {
                adjusted(
                    word.position, "\"gw\" for routes is deprecated. Please use \"via\"")
            }
            route.gateway = try gateway(word, invalid: "invalid route via address")
        case "or":
            adjusted(
                word.position, "\"or\" for routes is deprecated. Please use \"nexthop\"")
            let address = try gateway(word, invalid: "Invalid \"or\" address")
            var first = RouteDefinition.NextHop()
            first.gateway = route.gateway
            var second = RouteDefinition.NextHop()
            second.gateway = address
            route.gateway = nil
            route.nextHops = [first, second]
        case "from":
            let value = try value(of: word)
            guard let source = prefix(value) else {
                throw SkippedLine(
                    position: value.position, message: "invalid route from address \(value.text)",
                    detail: invalidAddress(value))
            }
            guard source.family ?? family != .v4 else {
                throw SkippedLine(
                    position: value.position,
                    message: "route from address only supported with IPv6 (\(value.text))")
            }
            try unify(.v6, value, Self.mixedFamilies)
            from = source
        default: return false
        }
        return true
    }

    /// `[inet|inet6] ADDRESS`.
    private mutating func gateway(
        _ option: Word, invalid: String
    ) throws(SkippedLine) -> IPAddress {
        var value = try value(of: option)
        if value.text == "inet" || value.text == "inet6" {
            try unify(value.text == "inet" ? .v4 : .v6, value, Self.mixedFamilies)
            value = try self.value(of: value)
        }
        guard let address = IPAddress(value.text) else {
            throw SkippedLine(
                position: value.position, message: "\(invalid) \(value.text)",
                detail: invalidAddress(value))
        }
        try unify(address.family, value, Self.mixedFamilies)
        return address
    }

    private mutating func readDestination(_ word: Word) throws(SkippedLine) {
        var word = word.text == "to" ? try value(of: word) : word
        if let kind = RoutingNames.types[word.text] {
            route.type = kind
            // As ip does, and unless another word follows; not so without a type.
            route.insertion = .add
            word = try value(of: word)
        }
        guard let text = prefix(word) else {
            throw SkippedLine(
                position: word.position, message: "unknown route keyword \(word.text)",
                detail: invalidAddress(word))
        }
        if let other = text.family {
            try unify(other, word, "\(Self.mixedFamilies) (\(word.text))")
        }
        destination = (text, word)
    }

    // MARK: Settings

    private mutating func readSetting(_ word: Word) throws(SkippedLine) -> Bool {
        switch word.text {
        case "tos", "dsfield":
            route.typeOfService = UInt8(
                try named(word, RoutingNames.services, 255) { "TOS value \($0) is invalid" })
        case "table":
            route.table = try named(word, RoutingNames.tables, .max) {
                "Routing table \($0) not found for route"
            }
        case "protocol":
            protocolWord = word
            route.routeProtocol = UInt8(
                try named(word, RoutingNames.protocols, 255) {
                    "Protocol \($0) not found or invalid for route"
                })
        case "scope":
            let value = try value(of: word)
            guard let scope = VirtualAddress.Scope(value.text) else {
                throw SkippedLine(
                    position: value.position,
                    message: "Scope \(value.text) not found or invalid for route")
            }
            route.scope = scope
        case "metric", "priority", "preference":
            let value = try value(of: word)
            route.metric = try number(value, "Invalid metric \(value.text) specified for route")
        case "dev", "oif":
            let value = try value(of: word)
            route.interface = try interface(
                value, "WARNING - interface \(value.text) for VROUTE nexthop doesn't exist")
        case "realms":
            route.realms = try realms(word)
            try unify(.v4, word, "realms are only valid for IPv4")
        case "expires":
            let value = try value(of: word)
            try unify(.v6, word, "expires is only valid for IPv6")
            route.lifetime = .seconds(
                try number(value, "Invalid expires time \(value.text) specified for route"))
        case "pref":
            try unify(.v6, word, "pref is only valid for IPv6")
            let value = try value(of: word)
            let names: [String: UInt8] = ["low": 3, "medium": 0, "high": 1]
            let message = "Invalid pref value \(value.text) specified for route"
            route.routerPreference =
                if let named = names[value.text] { named } else {
                    UInt8(try number(value, upTo: 255, message))
                }
        default: return false
        }
        return true
    }

    private mutating func named(
        _ option: Word, _ names: [String: UInt32], _ limit: UInt32, _ message: (String) -> String
    ) throws(SkippedLine) -> UInt32 {
        let value = try value(of: option)
        guard let number = RoutingNames.number(value.text, in: names, limit: limit) else {
            throw SkippedLine(position: value.position, message: message(value.text))
        }
        return number
    }

    private mutating func realms(_ option: Word) throws(SkippedLine) -> UInt32 {
        let value = try value(of: option)
        guard let realms = RoutingNames.realms(value.text) else {
            throw SkippedLine(
                position: value.position, message: "Invalid realms \(value.text) for route")
        }
        return realms
    }

    private mutating func readFlag(_ word: Word) throws(SkippedLine) -> Bool {
        switch word.text {
        case "onlink": route.isOnLink = true
        case "no_track": route.isTracked = false
        case "add": route.insertion = .add
        case "append": route.insertion = .append
        case "prepend": route.insertion = .prepend
        case "track_group":
            guard let trackGroups else { return false }
            try readTrackGroup(word, of: trackGroups)
        case "features":
            let value = try value(of: word)
            if value.text == "ecn" {
                // RTAX_FEATURES, RTAX_FEATURE_ECN
                route.metrics.append(RouteDefinition.Metric(number: 12, value: 1))
            } else {
                adjusted(value.position, "feature \(value.text) not supported")
            }
        case "congctl":
            var value = try value(of: word)
            if value.text == "lock" {
                route.isCongestionControlLocked = true
                value = try self.value(of: value)
            }
            route.congestionControl = value.text
        case "ttl-propagate":
            let value = try value(of: word)
            switch value.text {
            case "enabled": route.propagatesTTL = true
            case "disabled": route.propagatesTTL = false
            default:
                adjusted(
                    value.position, "ttl-propagate value \(value.text) not recognised")
            }
        case "as", "encap":
            throw SkippedLine(
                position: word.position,
                message: "'\(word.text)': known to keepalived, not supported by vrrp-agent")
        default: return false
        }
        return true
    }

    // MARK: Metrics

    private mutating func readMetric(_ word: Word) throws(SkippedLine) -> Bool {
        guard let metric = RouteMetric.named(word.text) else { return false }
        var value = try value(of: word)
        var isLocked = false
        if metric.mayBeLocked, value.text == "lock" {
            isLocked = true
            value = try self.value(of: value)
        }
        let number: UInt32
        if let unit = metric.timeUnit {
            guard let time = RouteMetric.time(value.text, unit: unit) else {
                throw SkippedLine(
                    position: value.position,
                    message: "Invalid \(metric.description) \(value.text) for route")
            }
            number = time
        } else {
            number = try self.number(
                value, upTo: metric.limit,
                "Invalid \(metric.description) \(value.text) specified for route")
        }
        route.metrics.append(
            RouteDefinition.Metric(number: metric.number, value: number, isLocked: isLocked))
        return true
    }

    // MARK: Next hops

    private mutating func readNextHops() throws(SkippedLine) {
        guard route.nextHops.isEmpty else {
            adjusted(
                entry.words[index - 1].position,
                "Cannot specify nexthops with \"or\" route")
            return
        }
        var hop = RouteDefinition.NextHop()
        while let word = nextWord() {
            switch word.text {
            case "nexthop":
                route.nextHops.append(hop)
                hop = RouteDefinition.NextHop()
            case "via": hop.gateway = try gateway(word, invalid: "invalid nexthop address")
            case "dev":
                let value = try value(of: word)
                hop.interface = try interface(
                    value, "WARNING - interface \(value.text) for VROUTE nexthop doesn't exist")
            case "weight":
                let value = try value(of: word)
                let message = "Invalid weight \(value.text) specified for route"
                let weight = Int(try number(value, upTo: 256, message))
                guard weight > 0 else {
                    throw SkippedLine(position: value.position, message: message)
                }
                hop.weight = weight
            case "onlink": hop.isOnLink = true
            case "realms":
                hop.realms = try realms(word)
                try unify(.v4, word, "realms are only supported for IPv4")
            default:
                // keepalived keeps the route, and drops the rest of the line.
                adjusted(
                    word.position,
                    "Route has trailing nonsense after nexthops - \(word.text)")
                index = entry.words.count
            }
        }
        route.nextHops.append(hop)
    }

    // MARK: The whole

    private mutating func complete() throws(SkippedLine) -> RouteDefinition {
        guard let destination else {
            throw SkippedLine(position: entry.position, message: "Route must have a destination")
        }
        let family = family ?? .v4
        route.destination = destination.text.resolved(family)
        route.from = from?.resolved(family)
        guard route.isTracked else { return route }
        if let protocolWord, route.routeProtocol != RouteDefinition.keepalivedProtocol {
            adjusted(
                protocolWord.position,
                "Route cannot be tracked if protocol is not RTPROT_KEEPALIVED(18), resetting"
                    + " protocol")
        }
        route.routeProtocol = RouteDefinition.keepalivedProtocol
        if route.interface == nil {
            adjusted(
                entry.position,
                "Warning - cannot track route \(destination.word.text) with no interface"
                    + " specified, not tracking")
            route.isTracked = false
        }
        return route
    }
}
