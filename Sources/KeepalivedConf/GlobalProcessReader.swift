import NetworkTypes

// What `global_defs` says about the daemon itself, and about what only keepalived does.
extension GlobalReader {
    // MARK: FIFOs and commands

    /// Reads a statement about FIFOs or commands; false when it is about something else.
    mutating func readNotification(_ statement: Statement) -> Bool {
        switch statement.name {
        case "notify_fifo", "vrrp_notify_fifo", "lvs_notify_fifo": readFIFO(statement)
        case "notify_fifo_script", "vrrp_notify_fifo_script", "lvs_notify_fifo_script":
            readFIFOScript(statement)
        case "fifo_write_vrrp_states_on_reload": definitions.writesStatesOnReload = true
        case "vrrp_notify_priority_changes":
            let message =
                "Invalid value '\(statement.value.text)' for global vrrp_notify_priority_changes"
                + " specified"
            definitions.notifiesPriorityChanges =
                bool(statement, else: message) ?? definitions.notifiesPriorityChanges
        case "startup_script": readCommand(statement, "startup", \.startupScript)
        case "shutdown_script": readCommand(statement, "shutdown", \.shutdownScript)
        case "startup_script_timeout":
            readTimeout(statement, "startup", \.startupScriptTimeout)
        case "shutdown_script_timeout":
            readTimeout(statement, "shutdown", \.shutdownScriptTimeout)
        default: return false
        }
        return true
    }

    private mutating func readFIFO(_ statement: Statement) {
        let name = statement.name
        guard let path = statement.arguments.first else {
            adjusted(statement.position, "No \(name) name specified")
            return
        }
        guard fifos[name]?.path == nil else {
            adjusted(path.position, "\(name) already specified - ignoring \(path.text)")
            return
        }
        fifos[name, default: FIFODraft()].path = path
        fifos[name]?.user = statement.arguments.dropFirst().map(\.text)
    }

    private mutating func readFIFOScript(_ statement: Statement) {
        let fifo = String(statement.name.dropLast("_script".count))
        guard let path = statement.arguments.first else {
            adjusted(statement.position, "No \(statement.name) specified")
            return
        }
        guard fifos[fifo]?.script == nil else {
            adjusted(path.position, "\(statement.name) already specified - ignoring \(path.text)")
            return
        }
        let script = command(statement)
        fifos[fifo, default: FIFODraft()].script = script
    }

    private mutating func readCommand(
        _ statement: Statement, _ type: String,
        _ path: WritableKeyPath<GlobalDefinitions, Command?>
    ) {
        guard definitions[keyPath: path] == nil else {
            adjusted(statement.position, "\(type) script already specified")
            return
        }
        guard !statement.arguments.isEmpty else {
            adjusted(statement.position, "\(type) script missing")
            return
        }
        definitions[keyPath: path] = command(statement)
    }

    private mutating func readTimeout(
        _ statement: Statement, _ type: String, _ path: WritableKeyPath<GlobalDefinitions, Duration>
    ) {
        guard let value = statement.arguments.first else {
            adjusted(statement.position, "\(type)_script_timeout requires value")
            return
        }
        let message =
            "\(type)_script_timeout '\(value.text)' must be in [1, 1000] - ignoring"
        guard let count = integer(value, in: 1...1000, else: message) else { return }
        definitions[keyPath: path] = .seconds(count)
    }

    // MARK: The daemon

    /// Reads a statement about the daemon; false when it is about something else.
    mutating func readProcess(_ statement: Statement) -> Bool {
        let value = statement.value
        switch statement.name {
        case "vrrp_startup_delay":
            definitions.startupDelay =
                seconds(
                    value, in: .milliseconds(1) ... .microseconds(4_294_967_295),
                    else: "vrrp_startup_delay '\(value.text)' is invalid")
                ?? definitions.startupDelay
            if definitions.startupDelay >= .seconds(60) {
                note(
                    value.position,
                    "The vrrp_startup_delay is very large - \(value.text) seconds")
            }
        case "default_interface":
            guard !statement.arguments.isEmpty else {
                adjusted(statement.position, "default_interface requires interface name")
                return true
            }
            definitions.defaultInterface = InterfaceName(value.text)
        case "script_user":
            guard !statement.arguments.isEmpty else {
                adjusted(statement.position, "No script username specified")
                return true
            }
            let names = statement.arguments.map(\.text)
            definitions.scriptUser = names
            if !context.hasUser(names[0], names.dropFirst().first) { hasScriptUser = false }
            // keepalived says so again of a later one that is there.
            if !hasScriptUser {
                lost(statement.position, "Error setting global script uid/gid")
            }
        case "enable_script_security": definitions.scriptSecurity = true
        case "dynamic_interfaces":
            definitions.dynamicInterfaces = true
            guard let option = statement.arguments.first else { return true }
            if option.text == "allow_if_changes" {
                definitions.allowsInterfaceChanges = true
            } else {
                adjusted(option.position, "Unknown dynamic_interfaces option '\(option.text)'")
            }
        case "log_unknown_vrids": definitions.logsUnknownVRIDs = true
        case "data_use_instance":
            let message = "Invalid value '\(value.text)' for global date_use_instance specified"
            definitions.namesInstanceInData =
                bool(statement, else: message) ?? definitions.namesInstanceInData
        case "disable_local_igmp": definitions.disablesLocalIGMP = true
        case "reload_check_config": definitions.checksReload = true
        case "umask": readUmask(statement)
        default: return readFirewall(statement)
        }
        return true
    }

    private mutating func readFirewall(_ statement: Statement) -> Bool {
        let value = statement.value
        switch statement.name {
        case "nftables":
            guard seen.insert("nftables").inserted else {
                adjusted(statement.position, "nftables already specified - ignoring")
                return true
            }
            if !statement.arguments.isEmpty { definitions.nftablesTable = value.text }
        case "nftables_priority":
            let message = "invalid nftables chain priority '\(value.text)'"
            definitions.nftablesPriority =
                integer(
                    value, in: Int(Int32.min)...Int(Int32.max), isStrict: true, else: message)
                ?? definitions.nftablesPriority
        case "nftables_counters": definitions.countsFirewallMatches = true
        default: return false
        }
        return true
    }

    private mutating func readUmask(_ statement: Statement) {
        let text = statement.value.text
        if text.utf8.first.map({ (0x30...0x39).contains($0) }) == true {
            guard statement.arguments.count == 1 else {
                adjusted(statement.position, "Extra parameter(s) to umask option")
                return
            }
            guard let bits = cNumber(text), bits <= 0o777 else {
                adjusted(statement.value.position, "invalid umask value \(text)")
                return
            }
            definitions.umask = UInt16(bits)
            return
        }
        let names: [String: UInt16] = [
            "IRUSR": 0o400, "IWUSR": 0o200, "IXUSR": 0o100, "IRGRP": 0o40, "IWGRP": 0o20,
            "IXGRP": 0o10, "IROTH": 0o4, "IWOTH": 0o2, "IXOTH": 0o1,
        ]
        var bits: UInt16 = 0
        let written = statement.arguments.map(\.text).joined()
        for name in written.split(separator: "|", omittingEmptySubsequences: false) {
            guard let bit = names[String(name)] else {
                adjusted(
                    statement.value.position,
                    name.isEmpty ? "umask missing bit value" : "Unknown umask bit \(name)")
                return
            }
            bits |= bit
        }
        definitions.umask = bits
    }
}
