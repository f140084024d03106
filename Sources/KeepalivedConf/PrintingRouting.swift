import NetworkTypes

// Routes and rules, each on a line.

/// The words of a line, as far as there are any.
private struct LineWords {
    private(set) var words: [String] = []
    var text: String { words.joined(separator: " ") }

    /// An option with its value; nothing where there is none.
    mutating func add(_ option: String, _ value: String?) {
        if let value { words += [option, value] }
    }

    mutating func add(_ option: String, _ value: (some BinaryInteger)?) {
        if let value { words += [option, String(value)] }
    }

    /// A word that stands for itself.
    mutating func add(_ word: String, if isSet: Bool = true) {
        if isSet { words.append(word) }
    }
}

extension ConfigurationPrinter {
    /// A line of `virtual_routes` or `static_routes`.
    func route(_ route: RouteDefinition) -> String {
        var words = LineWords()
        words.add("\(route.type)", if: route.type != .unicast)
        words.add("\(route.destination)")
        words.add("via", route.gateway.map { "\($0)" })
        words.add("dev", route.interface.map { "\($0)" })
        words.add("src", route.source.map { "\($0)" })
        words.add("from", route.from.map { "\($0)" })
        words.add("table", route.table)
        words.add("metric", route.metric)
        words.add("scope", route.scope.map { "\($0)" })
        words.add("protocol", route.routeProtocol)
        words.add("tos", route.typeOfService)
        words.add("realms", route.realms.map(realms))
        words.add("expires", route.lifetime.map(seconds))
        words.add("pref", route.routerPreference)
        if let name = route.congestionControl {
            words.add("congctl")
            words.add("lock", if: route.isCongestionControlLocked)
            words.add(token(name))
        }
        words.add("ttl-propagate", route.propagatesTTL.map { $0 ? "enabled" : "disabled" })
        for metric in route.metrics { add(metric, to: &words) }
        words.add("onlink", if: route.isOnLink)
        words.add("no_track", if: !route.isTracked)
        words.add("add", if: route.insertion == .add && route.type == .unicast)
        words.add("prepend", if: route.insertion == .prepend && route.type != .unicast)
        words.add("append", if: route.insertion == .append)
        for hop in route.nextHops {
            words.add("nexthop")
            words.add("via", hop.gateway.map { "\($0)" })
            words.add("dev", hop.interface.map { "\($0)" })
            words.add("weight", hop.weight)
            words.add("onlink", if: hop.isOnLink)
            words.add("realms", hop.realms.map(realms))
        }
        return words.text
    }

    private func add(_ metric: RouteDefinition.Metric, to words: inout LineWords) {
        guard let name = RouteMetric.name(of: metric.number) else {
            words.add("features", "ecn")
            return
        }
        words.add(name)
        words.add("lock", if: metric.isLocked)
        words.add("\(metric.value)")
    }

    private func realms(_ realms: UInt32) -> String { "\(realms >> 16)/\(realms & 0xffff)" }

    /// A line of `virtual_rules` or `static_rules`.
    func rule(_ rule: RuleDefinition) -> String {
        var words = LineWords()
        words.add("inet6", if: rule.family == .v6 && rule.from == nil && rule.to == nil)
        words.add("not", if: rule.isInverted)
        words.add("from", rule.from.map { "\($0)" })
        words.add("to", rule.to.map { "\($0)" })
        words.add("priority", rule.priority)
        words.add(
            "fwmark",
            rule.firewallMark.map { mark in "\(mark.value)" + (mark.mask.map { "/\($0)" } ?? "") })
        words.add("iif", rule.inputInterface.map { "\($0)" })
        words.add("oif", rule.outputInterface.map { "\($0)" })
        words.add("tos", rule.typeOfService)
        words.add("tunnel-id", rule.tunnelID)
        words.add("uidrange", rule.users.map(range))
        words.add("ipproto", rule.ipProtocol)
        words.add("sport", rule.sourcePorts.map(range))
        words.add("dport", rule.destinationPorts.map(range))
        words.add("suppress_prefixlength", rule.suppressedPrefixLength)
        words.add("suppress_ifgroup", rule.suppressedInterfaceGroup)
        words.add("realms", rule.realms.map(realms))
        words.add("protocol", rule.ruleProtocol)
        words.add("no_track", if: !rule.isTracked)
        switch rule.action {
        case .lookup:
            words.add("table", rule.table)
            words.add("l3mdev", if: rule.looksUpVRF)
        case .goto(let target): words.add("goto", target)
        case .nop: words.add("nop")
        case .blackhole: words.add("blackhole")
        case .unreachable: words.add("unreachable")
        case .prohibit: words.add("prohibit")
        }
        return words.text
    }

    private func range(_ range: ClosedRange<some BinaryInteger>) -> String {
        "\(range.lowerBound)-\(range.upperBound)"
    }
}

extension RouteMetric {
    /// The names of those that take a number.
    private static let names = [
        "mtu", "window", "rtt", "rttvar", "ssthresh", "cwnd", "advmss", "reordering", "hoplimit",
        "initcwnd", "rto_min", "initrwnd", "quickack", "fastopen_no_cookie",
    ]

    /// The name of the metric with that number.
    fileprivate static func name(of number: UInt16) -> String? {
        names.first { named($0)?.number == number }
    }
}
