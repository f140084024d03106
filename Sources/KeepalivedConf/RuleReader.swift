import NetworkTypes

/// The priorities that rules get which name none: downwards, each family by itself.
struct RulePriorities {
    private var next: [IPAddress.Family: UInt32] = [:]

    /// The next one for that family.
    mutating func take(_ family: IPAddress.Family) -> UInt32 {
        let priority = next[family] ?? 16384
        next[family] = priority &- 1
        return priority
    }
}

/// Reads a line of `virtual_rules` or `static_rules`.
struct RuleReader: RoutingReader {
    var diagnostics: [ConfDiagnostic] = []
    let entry: Statement.Entry
    var index = 0
    var family: IPAddress.Family?
    private(set) var priorities: RulePriorities
    /// The groups that a static entry may name; nil: it is none.
    private let trackGroups: Set<String>?
    private var rule: RuleDefinition
    private var from: IPPrefixText?
    private var to: IPPrefixText?
    /// The action that is written, nil before it.
    private var action: RuleDefinition.Action?
    private var needsTable = false
    private var protocolWord: Word?

    private static let mixedFamilies = "rule specification has mixed IPv4 and IPv6"
    private static let oneAction =
        "Cannot specify more than one of table/nop/goto/blackhole/prohibit/unreachable"

    init(
        _ entry: Statement.Entry, trackGroups: Set<String>? = nil, priorities: RulePriorities
    ) {
        self.entry = entry
        self.trackGroups = trackGroups
        self.priorities = priorities
        rule = RuleDefinition(family: .v4, position: entry.position)
    }

    /// The rule; nil, and reported, when keepalived would leave it out.
    mutating func read() -> RuleDefinition? {
        do throws(SkippedLine) {
            while let word = nextWord() {
                if try readSelector(word) { continue }
                if try readMark(word) { continue }
                if try readPacket(word) { continue }
                if try readLookup(word) { continue }
                try readAction(word)
            }
            return try complete()
        } catch {
            report(error)
            return nil
        }
    }

    // MARK: What it matches

    private mutating func readSelector(_ word: Word) throws(SkippedLine) -> Bool {
        switch word.text {
        case "inet6":
            try unify(.v6, word, "inet6 specified for IPv4 rule")
            reportSkippedWord(after: word)
        case "inet":
            try unify(.v4, word, "inet specified for IPv6 rule")
            reportSkippedWord(after: word)
        case "from", "to":
            let value = try value(of: word)
            guard let text = prefix(value) else {
                throw SkippedLine(
                    position: value.position,
                    message: "Invalid rule \(word.text) address \(value.text)",
                    detail: invalidAddress(value))
            }
            if let other = text.family { try unify(other, value, Self.mixedFamilies) }
            if word.text == "from" { from = text } else { to = text }
        case "not": rule.isInverted = true
        case "preference", "order", "priority":
            let value = try value(of: word)
            guard let number = cNumber(value.text), number <= UInt64(UInt32.max) else {
                throw SkippedLine(
                    position: value.position,
                    message: "Invalid rule preference \(word.text) specified",
                    detail: "invalid number '\(value.text)'")
            }
            rule.priority = UInt32(number)
        case "tos", "dsfield":
            let value = try value(of: word)
            guard
                let number = RoutingNames.number(
                    value.text, in: RoutingNames.services, limit: 255)
            else {
                throw SkippedLine(
                    position: value.position, message: "TOS value \(value.text) is invalid")
            }
            rule.typeOfService = UInt8(number)
        case "dev", "iif", "oif":
            let value = try value(of: word)
            let name = try interface(
                value, "WARNING - interface \(value.text) for rule doesn't exist")
            if word.text == "oif" {
                rule.outputInterface = name
            } else {
                rule.inputInterface = name
            }
        case "no_track": rule.isTracked = false
        case "track_group":
            guard let trackGroups else { return false }
            try readTrackGroup(word, of: trackGroups)
        default: return false
        }
        return true
    }

    private mutating func readMark(_ word: Word) throws(SkippedLine) -> Bool {
        guard word.text == "fwmark" else { return false }
        let value = try value(of: word)
        let numbers = value.text.split(separator: "/", omittingEmptySubsequences: false).map {
            cNumber(String($0)).flatMap { UInt32(exactly: $0) }
        }
        guard (1...2).contains(numbers.count), let mark = numbers[0],
            numbers.count == 1 || numbers[1] != nil
        else {
            throw SkippedLine(
                position: value.position, message: "Invalid rule fwmark \(value.text) specified")
        }
        rule.firewallMark = RuleDefinition.FirewallMark(
            value: mark, mask: numbers.count == 2 ? numbers[1] : nil)
        return true
    }

    /// What of a packet's own fields it matches.
    private mutating func readPacket(_ word: Word) throws(SkippedLine) -> Bool {
        switch word.text {
        case "tunnel-id":
            let value = try value(of: word)
            guard let number = UInt64(value.text) else {
                throw SkippedLine(
                    position: value.position, message: "Invalid tunnel-id \(word.text) specified")
            }
            rule.tunnelID = number
        case "uidrange":
            let value = try value(of: word)
            let parts = value.text.split(separator: "-").map { UInt32($0) }
            guard parts.count == 2, let first = parts[0], let last = parts[1], first <= last else {
                throw SkippedLine(
                    position: value.position, message: "Invalid uidrange \(word.text) specified")
            }
            rule.users = first...last
        case "ipproto":
            let value = try value(of: word)
            let number = RoutingNames.number(
                value.text, in: RoutingNames.ipProtocols, limit: 255)
            rule.ipProtocol = number.map { UInt8($0) }
            if number == nil { adjusted(value.position, "Invalid ipproto \(value.text)") }
        case "sport", "dport":
            let value = try value(of: word)
            let parts = value.text.split(separator: "-").map { UInt16($0) }
            // keepalived 2.2.7 knows a single port, but takes it for an error.
            guard parts.count == 2, let first = parts[0], let last = parts[1], first <= last else {
                adjusted(
                    value.position, "invalid \(word.text) range \(value.text)",
                    detail: "a single port is written as a range, too: 80-80")
                return true
            }
            if word.text == "sport" {
                rule.sourcePorts = first...last
            } else {
                rule.destinationPorts = first...last
            }
        default: return false
        }
        return true
    }

    // MARK: What it does

    private mutating func readLookup(_ word: Word) throws(SkippedLine) -> Bool {
        switch word.text {
        case "table", "lookup":
            let value = try value(of: word)
            guard
                let table = RoutingNames.number(value.text, in: RoutingNames.tables, limit: .max)
            else {
                throw SkippedLine(
                    position: value.position,
                    message: "Routing table \(value.text) not found for rule")
            }
            guard table != 0 else {
                throw SkippedLine(position: value.position, message: "Table 0 is not valid")
            }
            rule.table = table
            try setAction(.lookup, word, "\(Self.oneAction) for rule")
        case "l3mdev":
            rule.looksUpVRF = true
            try setAction(.lookup, word, "Cannot specify l3mdev with other action")
        case "realms":
            let value = try value(of: word)
            guard let realms = RoutingNames.realms(value.text) else {
                throw SkippedLine(
                    position: value.position, message: "invalid realms \(value.text) for rule")
            }
            try unify(.v4, word, "realms is only valid for IPv4")
            rule.realms = realms
            needsTable = true
        case "suppress_prefixlength", "sup_pl":
            let value = try value(of: word)
            rule.suppressedPrefixLength = Int(
                try number(
                    value, upTo: UInt32(Int32.max),
                    "Invalid suppress_prefixlength \(word.text) specified"))
            needsTable = true
        case "suppress_ifgroup", "sup_group":
            let value = try value(of: word)
            guard
                let group = RoutingNames.number(
                    value.text, in: RoutingNames.groups, limit: UInt32(Int32.max))
            else {
                throw SkippedLine(
                    position: value.position, message: "suppress_group \(value.text) is invalid")
            }
            rule.suppressedInterfaceGroup = group
            needsTable = true
        case "protocol":
            let value = try value(of: word)
            protocolWord = value
            rule.ruleProtocol =
                integer(
                    value, in: 0...255, isStrict: true, else: "Invalid protocol \(value.text)"
                ).map { UInt8($0) } ?? rule.ruleProtocol
        default: return false
        }
        return true
    }

    private mutating func readAction(_ word: Word) throws(SkippedLine) {
        let word = word.text == "type" ? try value(of: word) : word
        let action: RuleDefinition.Action
        switch (word.text, RoutingNames.types[word.text]) {
        case ("goto", _):
            let value = try value(of: word)
            action = .goto(try number(value, "Invalid target \(word.text) specified"))
        case ("nop", _): action = .nop
        case (_, .blackhole): action = .blackhole
        case (_, .unreachable): action = .unreachable
        case (_, .prohibit): action = .prohibit
        case (_, .some):
            throw SkippedLine(
                position: word.position, message: "Invalid rule action \(word.text)")
        case (_, nil):
            throw SkippedLine(
                position: word.position, message: "Unknown rule option \(word.text)")
        }
        try setAction(action, word, "\(Self.oneAction)/l3mdev for rule")
    }

    private mutating func setAction(
        _ action: RuleDefinition.Action, _ word: Word, _ message: String
    ) throws(SkippedLine) {
        guard self.action == nil else {
            throw SkippedLine(position: word.position, message: message)
        }
        self.action = action
        rule.action = action
    }

    // MARK: The whole

    private mutating func complete() throws(SkippedLine) -> RuleDefinition {
        let position = entry.position
        if case .goto(let target) = action {
            guard let priority = rule.priority else {
                throw SkippedLine(
                    position: position,
                    message: "Invalid rule - goto target \(target) specified without preference")
            }
            guard priority < target else {
                throw SkippedLine(
                    position: position,
                    message: "Invalid rule - preference \(priority) >= goto target \(target)")
            }
        }
        guard let action else {
            throw SkippedLine(
                position: position, message: "No action specified for rule - ignoring")
        }
        guard action == .lookup || !needsTable else {
            throw SkippedLine(
                position: position,
                message: "suppressor/realm specified for non table action - skipping")
        }
        if rule.isTracked {
            if let protocolWord, rule.ruleProtocol != 18 {
                adjusted(
                    protocolWord.position,
                    "Rule cannot be tracked if protocol is not RTPROT_KEEPALIVED(18), resetting"
                        + " protocol")
            }
            rule.ruleProtocol = 18
        } else if protocolWord == nil {
            rule.ruleProtocol = nil
        }
        rule.family = family ?? .v4
        rule.from = from?.resolved(rule.family)
        rule.to = to?.resolved(rule.family)
        if rule.priority == nil {
            let priority = priorities.take(rule.family)
            rule.priority = priority
            adjusted(
                position,
                "Rule has no preference specified - setting to \(priority). This is probably not"
                    + " what you want.")
        }
        return rule
    }
}
