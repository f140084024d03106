import KeepalivedConf
import NetworkTypes

// Addresses, routes, rules and commands in the words of keepalived's dumps, which are nearly those
// of ip(8).

extension InterfaceAddress {
    /// Without the length of the prefix where that is the whole width.
    fileprivate var shortText: String {
        prefixLength == address.bitWidth ? "\(address)" : "\(self)"
    }
}

extension IPPrefix {
    fileprivate var shortText: String { length == base.bitWidth ? "\(base)" : "\(self)" }
}

extension AddressReport: CustomStringConvertible {
    /// `10.10.10.10/24 brd 10.10.10.255 dev eth0 scope global label eth0:1 set`.
    var description: String {
        var words = [address.address.shortText]
        if let broadcast = address.broadcast { words.append("brd \(broadcast)") }
        words.append("dev \(interface)" + (base.map { "@\($0)" } ?? ""))
        if address.usesVMAC { words.append("use_vmac") }
        words.append("scope \(address.scope)")
        if let label = address.label { words.append("label \(label)") }
        if let peer = address.peer { words.append("peer \(peer)") }
        words += flagWords
        if !address.isTracked { words.append("no_track") }
        if let lifetime { words.append(lifetime) }
        if isSet { words.append("set") }
        if isFiltered { words.append("nftable_set") }
        return words.joined(separator: " ")
    }

    private var flagWords: [String] {
        let words: [(VirtualAddress.Flags, String)] = [
            (.home, "home"), (.manageTemporaryAddresses, "mngtmpaddr"),
            (.noPrefixRoute, "noprefixroute"), (.autojoin, "autojoin"),
        ]
        var present = words.filter { address.flags.contains($0.0) }.map(\.1)
        if address.detectsDuplicates {
            present.insert("-nodad", at: address.flags.contains(.home) ? 1 : 0)
        }
        return present
    }

    private var lifetime: String? {
        guard address.address.address.family == .v6 else { return nil }
        switch address.preferredLifetime {
        case nil: return "preferred_lft forever"
        case .zero?: return "deprecated"
        case let lifetime?: return "preferred_lft \(lifetime.wholeSeconds)"
        }
    }
}

extension RouteReport: CustomStringConvertible {
    /// `prepend 10.50.0.0/16 via inet 10.10.10.254 dev eth0 proto 18 metric 30`.
    var description: String {
        var words = ["\(route.insertion)"]
        if route.type != .unicast { words.append("\(route.type)") }
        words.append(route.destination.shortText)
        if let from = route.from { words.append("from \(from.shortText)") }
        if let source = route.source { words.append("src \(source)") }
        if route.typeOfService != 0 { words.append("tos \(route.typeOfService)") }
        if let gateway = route.gateway { words.append(Self.via(gateway)) }
        if let interface = route.interface { words.append("dev \(interface)") }
        if route.table != 254 { words.append("table \(route.table)") }
        if let number = route.routeProtocol { words.append("proto \(number)") }
        if let scope = route.scope { words.append("scope \(scope.rawValue)") }
        if let metric = route.metric { words.append("metric \(metric)") }
        if route.isOnLink, isIPv4 { words.append("onlink") }
        if let realms = route.realms { words.append(Self.text(realms: realms)) }
        if let lifetime = route.lifetime { words.append("expires \(lifetime.wholeSeconds)sec") }
        if let name = route.congestionControl { words.append("congctl \(name)") }
        words += route.metrics.sorted { Self.rank($0) < Self.rank($1) }.map(Self.text)
        if let preference = route.routerPreference {
            words.append("pref \([1: "high", 3: "low"][preference] ?? "medium")")
        }
        if let isOn = route.propagatesTTL {
            words.append("ttl-propagate \(isOn ? "en" : "dis")abled")
        }
        for hop in route.nextHops { words += Self.words(hop) }
        if !route.isTracked { words.append("no_track") }
        if isSet, route.isTracked, !isRecognized { words.append("[installed ifindex 0]") }
        return words.joined(separator: " ")
    }

    private var isIPv4: Bool { route.destination.base.family == .v4 }

    /// Whether keepalived knows what the kernel tells of it: it looks for the metric that is
    /// written, of which the kernel makes another in IPv6 when there is none.
    private var isRecognized: Bool { isIPv4 || route.metric ?? 0 != 0 }

    private static func text(realms: UInt32) -> String {
        realms >> 16 == 0 ? "realm \(realms)" : "realms \(realms >> 16)/\(realms & 0xffff)"
    }

    private static func via(_ gateway: IPAddress) -> String {
        "via \(gateway.family == .v6 ? "inet6" : "inet") \(gateway)"
    }

    private static func words(_ hop: RouteDefinition.NextHop) -> [String] {
        var words = ["nexthop"]
        if let gateway = hop.gateway { words.append(via(gateway)) }
        if let interface = hop.interface { words.append("dev \(interface)") }
        if let weight = hop.weight { words.append("weight \(weight)") }
        if hop.isOnLink { words.append("onlink") }
        if let realms = hop.realms { words.append(text(realms: realms)) }
        return words
    }

    /// RTAX_ numbers with their names, in the order in which keepalived prints them.
    private static let metricNames: [(number: UInt16, name: String)] = [
        (4, "rtt"), (5, "rttvar"), (13, "rto_min"), (12, "features"), (2, "mtu"), (3, "window"),
        (6, "ssthresh"), (7, "cwnd"), (8, "advmss"), (9, "reordering"), (10, "hoplimit"),
        (11, "initcwnd"), (14, "initrwnd"), (15, "quickack"), (17, "fastopen_no_cookie"),
    ]

    private static func rank(_ metric: RouteDefinition.Metric) -> Int {
        metricNames.firstIndex { $0.number == metric.number } ?? metricNames.count
    }

    private static func text(_ metric: RouteDefinition.Metric) -> String {
        let name = metricNames.first { $0.number == metric.number }?.name ?? "\(metric.number)"
        let lock = metric.isLocked ? "lock " : ""
        // The kernel keeps round-trip times in eighths and their variation in quarters of 1 ms.
        switch metric.number {
        case 4: return "rtt \(lock)\(milliseconds(metric.value, per: 8))"
        case 5: return "rttvar \(lock)\(milliseconds(metric.value, per: 4))"
        case 13: return "rto_min \(lock)\(milliseconds(metric.value, per: 1))"
        case 12: return "features ecn"
        default: return "\(name) \(lock)\(metric.value)"
        }
    }

    private static func milliseconds(_ value: UInt32, per unit: UInt32) -> String {
        let microseconds = Int64(value) * 1000 / Int64(unit)
        return value >= 1000 * unit
            ? Duration.microseconds(microseconds).shortSeconds + "s"
            : Duration.microseconds(microseconds * 1000).shortSeconds + "ms"
    }
}

extension RuleDefinition {
    /// `from 10.60.0.0/16 priority 16383 tos 0x0 protocol 18 lookup 100`.
    var reportText: String {
        var words: [String] = []
        if from == nil, to == nil, family == .v6 { words.append("inet6") }
        if isInverted { words.append("not") }
        words.append("from \(from?.shortText ?? "all")")
        if let to { words.append("to \(to.shortText)") }
        if let priority { words.append("priority \(priority)") }
        words.append("tos \(Text.hexadecimal(typeOfService))")
        if let mark = firewallMark {
            let mask = mark.mask.flatMap { $0 == .max ? nil : "/" + Text.hexadecimal($0) } ?? ""
            words.append("fwmark \(Text.hexadecimal(mark.value))\(mask)")
        }
        if let inputInterface { words.append("iif \(inputInterface)") }
        if let outputInterface { words.append("oif \(outputInterface)") }
        if let length = suppressedPrefixLength { words.append("suppress_prefixlen \(length)") }
        if let group = suppressedInterfaceGroup { words.append("suppress_ifgroup \(group)") }
        if let tunnelID { words.append("tunnel-id \(tunnelID)") }
        if let users { words.append("uidrange \(Self.text(users))") }
        if looksUpVRF { words.append("l3mdev") }
        if let ruleProtocol { words.append("protocol \(ruleProtocol)") }
        if let ipProtocol { words.append("ipproto \(ipProtocol)") }
        if let sourcePorts { words.append("sport \(Self.text(sourcePorts))") }
        if let destinationPorts { words.append("dport \(Self.text(destinationPorts))") }
        if let realms { words.append("realms \(realms >> 16)/\(realms & 0xffff)") }
        switch action {
        case .lookup: words.append("lookup \(looksUpVRF ? 0 : table ?? 254)")
        case .goto(let target): words.append("goto \(target)")
        case .nop: words.append("nop")
        case .blackhole, .unreachable, .prohibit: words.append("type \(action)")
        }
        if !isTracked { words.append("no_track") }
        return words.joined(separator: " ")
    }

    private static func text(_ range: ClosedRange<some FixedWidthInteger>) -> String {
        "\(range.lowerBound)-\(range.upperBound)"
    }
}

extension AgentReport {
    /// A command as keepalived prints it: every word in single quotes, the program by its path.
    func text(_ command: Command) -> String {
        command.arguments.enumerated().map { index, argument in
            if index > 0 { return "'\(argument)'" }
            let path = programs[command]?.path ?? argument
            // A script that is nothing but a redirection tests whether a file exists.
            return path.hasPrefix("<") || path.hasPrefix(">") ? path : "'\(path)'"
        }.joined(separator: " ")
    }
}
