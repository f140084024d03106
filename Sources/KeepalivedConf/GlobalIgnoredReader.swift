import NetworkTypes

// What `global_defs` says about what only keepalived does, or its checkers.
extension GlobalReader {
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
            switch statement.arguments.first?.text {
            case nil: definitions.lvs.flushAtStop = .all
            case "VS": definitions.lvs.flushAtStop = .services
            case .some(let type):
                adjusted(value.position, "Unknown lvs_flush_on_stop type \(type)")
            }
        case "lvs_sync_daemon": readSyncDaemon(statement)
        case "lvs_timeouts": checkTimeouts(statement)
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
        default: readIgnoredName(statement)
        }
    }

    /// The same of sizes of buffers, and of names that keepalived goes by.
    private mutating func readIgnoredName(_ statement: Statement) {
        let name = statement.name
        let value = statement.value
        let count = statement.arguments.count
        switch name {
        case "snmp_socket":
            if count != 1 {
                adjusted(
                    statement.position,
                    count > 1
                        ? "Too many parameters specified for snmp_socket - ignoring"
                        : "SNMP error : snmp socket name missing")
            } else if let snmpSocket {
                adjusted(value.position, "SNMP socket already set to \(snmpSocket) - ignoring")
            } else {
                snmpSocket = value.text
            }
        case "dbus_service_name" where count == 0:
            adjusted(statement.position, "dbus_service_name missing - ignoring")
        case "reload_time_file" where count != 1:
            adjusted(statement.position, "reload_time_file invalid")
        case _ where name.hasSuffix("_rcv_bufs"):
            guard count > 0 else {
                adjusted(statement.position, "\(name) size missing")
                return
            }
            _ = integer(
                value, in: 0...Int(UInt32.max), else: "\(name) size (\(value.text)) invalid")
        case _ where name.hasSuffix("_rcv_bufs_force"):
            _ = bool(
                statement, else: "Invalid value '\(value.text)' for global \(name) specified")
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
