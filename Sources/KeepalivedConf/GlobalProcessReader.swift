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

    // MARK: What only keepalived does

    /// Checks the value of a keyword that has no effect here, as keepalived does.
    mutating func readIgnored(_ statement: Statement) {
        let value = statement.value
        let process = statement.name.prefix { $0 != "_" }
        switch statement.name {
        case "max_auto_priority" where !statement.arguments.isEmpty:
            _ = integer(
                value, in: -1...99,
                else: "max_auto_priority '\(value.text)' must be in [0, 99] (or -1 to disable) -"
                    + " ignoring")
        case "min_auto_priority_delay":
            if statement.arguments.isEmpty {
                adjusted(statement.position, "min_auto_priority_delay requires delay time")
            } else {
                _ = integer(
                    value, in: 1...10_000_000, isSigned: true,
                    else: "min_auto_priority_delay '\(value.text)' must be in [1, 10000000] -"
                        + " ignoring")
            }
        case "vrrp_priority", "checker_priority", "bfd_priority":
            if statement.arguments.isEmpty {
                adjusted(statement.position, "No \(process) process priority specified")
            } else {
                _ = integer(
                    value, in: -20...19, else: "Invalid \(process) process priority specified")
            }
        case "vrrp_rt_priority", "checker_rt_priority", "bfd_rt_priority":
            if statement.arguments.isEmpty {
                adjusted(statement.position, "No \(process) process real-time priority specified")
            } else {
                checkRealtimePriority(value, of: String(process))
            }
        case "vrrp_rlimit_rttime", "checker_rlimit_rttime", "bfd_rlimit_rttime",
            "vrrp_rlimit_rtime":
            _ = integer(
                value, in: 1...Int(UInt32.max),
                else: "Invalid \(process) real-time limit - \(value.text)")
        case "vrrp_cpu_affinity", "checker_cpu_affinity", "bfd_cpu_affinity":
            checkProcessors(statement, of: String(process))
        case "random_seed":
            _ = integer(
                value, in: 0...Int(UInt32.max), isStrict: true,
                else: "random_seed \(value.text) invalid")
        default: readLVS(statement)
        }
    }

    /// What only the checkers' process reads.
    private mutating func readLVS(_ statement: Statement) {
        let value = statement.value
        switch statement.name {
        case "checker_log_all_failures":
            let message = "Invalid value for checker_log_all_failures specified"
            let isOn = bool(statement, else: message)
            definitions.lvs.logsAllFailures = isOn ?? definitions.lvs.logsAllFailures
        case "rs_init_notifies", "no_checker_emails":
            let setting: WritableKeyPath<LVSDefinitions, Bool> =
                statement.name == "rs_init_notifies"
                ? \.notifiesInitialServers : \.suppressesCheckerMail
            let isOn = bool(
                statement,
                else: "Invalid value '\(value.text)' for global \(statement.name) specified")
            definitions.lvs[keyPath: setting] = isOn ?? definitions.lvs[keyPath: setting]
        case "lvs_flush": definitions.lvs.flushesAtStart = true
        case "lvs_flush_on_stop", "lvs_flush_onstop":
            definitions.lvs.flushAtStop = value.text == "VS" ? .services : .all
        case "lvs_sync_daemon" where statement.arguments.isEmpty:
            adjusted(statement.position, "lvs_sync_daemon requires interface")
        case "lvs_timeouts" where statement.arguments.count < 2:
            adjusted(statement.position, "lvs_timeouts requires at least one option")
        default: readIgnoredPacketSetting(statement)
        }
    }

    private mutating func checkProcessors(_ statement: Statement, of process: String) {
        if statement.arguments.isEmpty {
            adjusted(statement.position, "No \(process) cpu_id set specified")
        }
        for word in statement.arguments {
            let number = Int(word.text).flatMap { Int32(exactly: $0) } ?? 0
            let message = "Invalid cpu_id:\(number) specified for \(process) process"
            guard
                integer(
                    word, in: 0...context.processors - 1, isSigned: true, isStrict: true,
                    else: message) != nil
            else { return }
        }
    }

    /// The same of firewall and receive buffers.
    private mutating func readIgnoredPacketSetting(_ statement: Statement) {
        let value = statement.value
        switch statement.name {
        case "vrrp_iptables":
            // As Debian builds it.
            adjusted(
                statement.position,
                "iptables not supported, using nftables instead. Please replace 'vrrp_iptables and"
                    + " 'vrrp_ipsets' with 'nftables' config option")
        case "vrrp_ipsets": adjusted(statement.position, "Unknown keyword 'vrrp_ipsets'")
        case "vrrp_rx_bufs_policy":
            for word in statement.arguments
            where !["MTU", "ADVERT"].contains(word.text.uppercased()) {
                _ = integer(
                    value, in: 0...Int(UInt32.max), else: "Invalid vrrp_rx_bufs_policy \(word.text)"
                )
            }
        case "vrrp_rx_bufs_multiplier":
            _ = integer(
                value, in: 1...Int(UInt32.max),
                else: "Invalid vrrp_rx_bufs_multiplier \(value.text)")
        default: break
        }
    }

    /// SCHED_RR has priorities from 1 to 99.
    private mutating func checkRealtimePriority(_ value: Word, of process: String) {
        let message = "\(process) process real-time priority"
        let whole = Int(Int32.min)...Int(Int32.max)
        guard
            let number = integer(
                value, in: whole, isStrict: true, else: "\(message) '\(value.text)' invalid")
        else { return }
        if number < 1 {
            adjusted(
                value.position, "\(message) \(number) less than minimum 1 - setting to minimum")
        } else if number > 99 {
            adjusted(
                value.position, "\(message) \(number) greater than maximum 99 - setting to maximum")
        }
    }
}
