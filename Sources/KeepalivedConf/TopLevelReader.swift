import NetworkTypes

/// Reads what stands at the top level beside the blocks that have readers of their own: static
/// entries, paces of interfaces, and settings of the daemon.
struct TopLevelReader: Reading {
    var diagnostics: [ConfDiagnostic] = []
    private(set) var garpGroups: [GARPGroup] = []
    private(set) var interfaceDelays: [InterfaceDelay] = []
    /// Those of groups that are left out.
    private(set) var removedInterfaces: [InterfaceMention] = []
    private(set) var addresses: [VirtualAddressDraft] = []
    private(set) var routes: [RouteDefinition] = []
    private(set) var rules: [RuleDefinition] = []
    private var trackGroups: Set<String> = []
    private var networkNamespace: String?
    private var instanceName: String?
    private var usesPIDDirectory = false
    private var childWaitTime: Duration?
    var rulePriorities = RulePriorities()

    /// Reads a statement; false when it is about something else.
    mutating func read(_ statement: Statement) -> Bool {
        switch statement.name {
        case "static_ipaddress":
            for entry in statement.entries {
                var reader = VirtualAddressReader(entry, trackGroups: trackGroups)
                if let address = reader.read() { addresses.append(address) }
                diagnostics += reader.diagnostics
            }
        case "static_routes":
            for entry in statement.entries {
                var reader = RouteReader(entry, trackGroups: trackGroups)
                if let route = reader.read() { routes.append(route) }
                diagnostics += reader.diagnostics
            }
        case "static_rules":
            for entry in statement.entries {
                var reader = RuleReader(entry, trackGroups: trackGroups, priorities: rulePriorities)
                if let rule = reader.read() { rules.append(rule) }
                rulePriorities = reader.priorities
                diagnostics += reader.diagnostics
            }
        case "garp_group": readGARPGroup(statement)
        case "track_group": readTrackGroup(statement)
        case "interface_up_down_delays":
            for entry in statement.entries { readDelay(entry) }
        default: return readSetting(statement)
        }
        return true
    }

    /// Puts the daemon's settings where the others are.
    func complete(_ definitions: inout GlobalDefinitions) {
        definitions.garpGroups = garpGroups
        definitions.interfaceDelays = interfaceDelays
        definitions.networkNamespace = networkNamespace
        definitions.instanceName = instanceName
        definitions.usesPIDDirectory = usesPIDDirectory
        definitions.childWaitTime = childWaitTime ?? definitions.childWaitTime
    }

    /// Checks a group of instances that static entries follow.
    private mutating func readTrackGroup(_ statement: Statement) {
        let name = statement.value
        guard statement.arguments.count == 1 else {
            adjusted(statement.position, "track_group must have a name - skipping")
            return
        }
        guard trackGroups.insert(name.text).inserted else {
            adjusted(name.position, "track_group \(name.text) already defined")
            return
        }
        guard let list = statement.body.first else { return }
        if list.entries.isEmpty {
            adjusted(
                list.endPosition ?? list.position,
                "Warning - track group \(name.text) has empty group block")
        }
        if let second = statement.body.dropFirst().first {
            adjusted(
                second.position, "Group list already specified for sync group \(name.text)")
        }
    }

    // MARK: Settings

    private mutating func readSetting(_ statement: Statement) -> Bool {
        let value = statement.value
        switch statement.name {
        case "net_namespace":
            guard !statement.arguments.isEmpty else {
                adjusted(statement.position, "net_namespace name missing - ignoring")
                return true
            }
            guard networkNamespace == nil else {
                adjusted(
                    value.position,
                    "Duplicate net_namespace definition \(value.text) - ignoring")
                return true
            }
            networkNamespace = value.text
            usesPIDDirectory = true
        case "instance":
            guard !statement.arguments.isEmpty else {
                adjusted(statement.position, "instance name missing - ignoring")
                return true
            }
            guard instanceName == nil else {
                adjusted(
                    value.position, "Duplicate instance definition \(value.text) - ignoring")
                return true
            }
            instanceName = value.text
            usesPIDDirectory = true
        case "use_pid_dir": usesPIDDirectory = true
        case "child_wait_time":
            guard !statement.arguments.isEmpty else { return true }
            let message = "Invalid child_wait_time \(value.text)"
            childWaitTime =
                integer(value, in: 0...Int(UInt32.max), isStrict: true, else: message)
                .map { .seconds($0) } ?? childWaitTime
        default: return false
        }
        return true
    }

    // MARK: Paces

    private mutating func readGARPGroup(_ statement: Statement) {
        var group = GARPGroup()
        var hasInterval = false
        for inner in statement.body
        where !inner.rule.requiresParameter || !inner.arguments.isEmpty {
            let value = inner.value
            switch inner.name {
            case "garp_interval", "gna_interval":
                let limit = Duration.microseconds(2_147_483_647)
                let message = "garp_group \(inner.name) '\(value.text)' invalid"
                guard let interval = seconds(value, in: .zero...limit, else: message) else {
                    continue
                }
                hasInterval = true
                if inner.name == "garp_interval" {
                    group.garpInterval = interval
                } else {
                    group.gnaInterval = interval
                }
                if interval >= .seconds(1) {
                    note(
                        value.position, "The \(inner.name) is very large - \(value.text) seconds")
                }
            case "interface": addInterface(value, at: value.position, to: &group)
            case "interfaces":
                group.isShared = true
                let words = inner.entries.flatMap(\.words)
                if words.isEmpty {
                    adjusted(
                        inner.endPosition ?? inner.position,
                        "Warning - empty garp_group interfaces block")
                }
                // keepalived reads the block whole, and then names its last line.
                let end = inner.endPosition ?? inner.position
                for word in words { addInterface(word, at: end, to: &group) }
            default: break
            }
        }
        guard hasInterval else {
            removedInterfaces += zip(group.interfaces, group.positions).map {
                InterfaceMention(inGARPGroup: $0, at: $1)
            }
            let number = group.isShared ? garpGroups.count { $0.isShared } + 1 : 0
            adjusted(
                statement.endPosition ?? statement.position,
                "garp group \(number) does not have any delay set - removing")
            return
        }
        garpGroups.append(group)
    }

    private mutating func addInterface(
        _ word: Word, at position: SourcePosition, to group: inout GARPGroup
    ) {
        guard let name = InterfaceName(word.text) else {
            adjusted(
                position,
                "WARNING - interface \(word.text) specified for garp_group doesn't exist")
            return
        }
        let isTaken =
            group.interfaces.contains(name)
            || garpGroups.contains { $0.interfaces.contains(name) }
        if isTaken {
            adjusted(position, "garp_group already specified for \(name) - ignoring")
        } else {
            group.interfaces.append(name)
            group.positions.append(position)
        }
    }

    private mutating func readDelay(_ entry: Statement.Entry) {
        let word = entry.words[0]
        guard let name = InterfaceName(word.text) else {
            refused(
                word.position, "unknown interface \(word.text) specified for up/down delay")
            return
        }
        guard entry.words.count > 1 else {
            note(word.position, "No timeouts specified for \(name) up/down delays")
            return
        }
        if entry.words.count > 3 {
            note(entry.words[3].position, "Too many parameters for \(name) up/down delays")
        }
        var delays: [Duration] = []
        for (number, word) in entry.words[1...].prefix(2).enumerated() {
            let direction = number == 0 ? "down" : "up"
            guard
                let delay = seconds(
                    word, in: .zero ... .seconds(255),
                    else: "Invalid \(direction) delay \(word.text) for \(name)")
            else { return }
            delays.append(delay)
        }
        var delay = InterfaceDelay(
            interface: name, down: delays[0], up: delays.count > 1 ? delays[1] : .zero)
        delay.position = word.position
        interfaceDelays.append(delay)
    }
}
