import NetworkTypes

// The switches of an instance, and what it watches and runs.
extension InstanceReader {
    /// Reads a switch or a number of packets; false when it is something else.
    mutating func readOptions(_ inner: Statement) -> Bool {
        switch inner.name {
        case "skip_check_adv_addr": readSwitch(inner, \.skipsAddressCheck)
        case "strict_mode": readSwitch(inner, \.isStrict)
        case "lower_prio_no_advert": readSwitch(inner, \.ignoresLowerPriority)
        case "higher_prio_send_advert": readSwitch(inner, \.advertisesBeforeYielding)
        case "accept", "no_accept":
            draft.acceptsPackets = inner.name == "accept"
            draft.acceptPosition = inner.position
        case "dont_track_primary": draft.ignoresOwnInterface = true
        case "track_src_ip": draft.tracksSourceAddress = true
        case "promote_secondaries": draft.promotesSecondariesPosition = inner.position
        case "v3_checksum_as_v2": draft.checksumOmitsPseudoHeader = true
        case "smtp_alert":
            let message = "Invalid vrrp_instance smtp_alert parameter \(inner.value.text)"
            draft.smtpAlert = bool(inner, else: message) ?? draft.smtpAlert
        case "notify_priority_changes":
            let message =
                "\(tag) Invalid value '\(inner.value.text)' for notify_priority_changes specified"
            draft.notifiesPriorityChanges =
                bool(inner, else: message) ?? draft.notifiesPriorityChanges
        case "garp_extra_if", "vmac_garp_intvl": readExtraAnnouncements(inner)
        case "linkbeat_use_polling":
            adjusted(
                inner.position,
                "\(tag) 'linkbeat_use_polling' in vrrp instance deprecated - use"
                    + " linkbeat_interfaces block")
        case "debug":
            let message = "\(tag) Debug value '\(inner.value.text)' not valid; must be between 0-4"
            _ = integer(inner.value, in: 0...4, else: message)
        case "kernel_rx_buf_size":
            if inner.arguments.count != 1
                || (try? readInteger(inner.value.text, in: 0...Int(UInt32.max))) == nil
            {
                adjusted(inner.position, "\(tag) invalid kernel_rx_buf_size specified")
            }
        case "lvs_sync_daemon_interface":
            adjusted(
                inner.position,
                "\(tag) Specifying lvs_sync_daemon_interface against a vrrp is deprecated.",
                detail: "global_defs has lvs_sync_daemon")
        default:
            guard let parameter = AnnouncementDraft.Parameter(rawValue: inner.name) else {
                return false
            }
            draft.garp = announcement(
                draft.garp, with: parameter, inner.value, name: inner.name, prefix: "\(tag): ")
        }
        return true
    }

    private mutating func readSwitch(
        _ inner: Statement, _ path: WritableKeyPath<InstanceDraft, Bool?>
    ) {
        let message = "\(tag) invalid \(inner.name) \(inner.value.text) specified"
        if let value = bool(inner, else: message) { draft[keyPath: path] = value }
    }

    private mutating func readExtraAnnouncements(_ inner: Statement) {
        let extra = extraAnnouncements(
            inner, shortest: 0, prefix: "\(tag): ",
            deprecation: inner.name == "garp_extra_if" ? nil : "garp_extra_if")
        draft.announcesOnAllInterfaces = draft.announcesOnAllInterfaces || extra.onAll
        draft.extraAnnouncementInterval = extra.interval ?? draft.extraAnnouncementInterval
    }

    // MARK: What it watches, and what it runs

    /// Reads what is tracked, added and run.
    mutating func readReactions(_ inner: Statement) {
        switch inner.name {
        case "track_interface", "track_script", "track_file", "track_process", "track_bfd":
            var reader = TrackReader(owner: draft.name, known: known, lists: draft.tracked)
            reader.read(inner)
            draft.tracked = reader.lists
            diagnostics += reader.diagnostics
        case "virtual_routes":
            for entry in inner.entries {
                var reader = RouteReader(entry)
                if let route = reader.read() { draft.virtualRoutes.append(route) }
                diagnostics += reader.diagnostics
            }
        case "virtual_rules":
            for entry in inner.entries {
                var reader = RuleReader(entry, priorities: known.rulePriorities)
                if let rule = reader.read() { draft.virtualRules.append(rule) }
                known.rulePriorities = reader.priorities
                diagnostics += reader.diagnostics
            }
        case "notify_deleted":
            if draft.notifiesDeletion {
                adjusted(
                    inner.position,
                    "\(tag) notify_deleted already specified - ignoring \(inner.value.text)")
                return
            }
            draft.notifiesDeletion = true
            draft.notify.deleted = command(inner)
        default:
            guard let path = VRRPInstance.NotifyCommands.path(of: inner.name) else { return }
            let known = draft.notify[keyPath: path]
            draft.notify[keyPath: path] = notifyCommand(inner, known: known, prefix: tag)
        }
    }
}

extension Reading {
    /// Reads a command of `notify` or its kin: the first counts, which is `known` then.
    mutating func notifyCommand(_ inner: Statement, known: Command?, prefix: String) -> Command? {
        guard let known else { return command(inner) }
        adjusted(
            inner.position,
            "\(prefix) \(inner.name) script already specified - ignoring \(inner.value.text)")
        return known
    }

    /// Reads `[all] SECONDS`, in seconds from `shortest` to a day.
    mutating func extraAnnouncements(
        _ inner: Statement, shortest: Int, prefix: String, deprecation: String?
    ) -> (interval: Duration?, onAll: Bool) {
        if let deprecation {
            adjusted(
                inner.position,
                "Keyword \"\(inner.name)\" is deprecated - please use \"\(deprecation)\"")
        }
        var interval: Duration?
        var onAll = false
        for word in inner.arguments {
            if word.text == "all" {
                onAll = true
                continue
            }
            let message = "\(prefix)\(inner.name) '\(word.text)' invalid - ignoring"
            guard let count = integer(word, in: shortest...86400, else: message) else {
                return (nil, onAll)
            }
            interval = .seconds(count)
        }
        if interval == nil {
            adjusted(
                inner.position, "\(prefix)\(inner.name) specified without time - ignoring")
        }
        return (interval, onAll)
    }
}

extension VRRPInstance.NotifyCommands {
    /// The command of that keyword, of those that instances and groups have in common, and
    /// `notify_master_rx_lower_pri`.
    static func path(of keyword: String) -> WritableKeyPath<Self, Command?>? {
        switch keyword {
        case "notify": \.any
        case "notify_master": \.master
        case "notify_backup": \.backup
        case "notify_fault": \.fault
        case "notify_stop": \.stop
        case "notify_master_rx_lower_pri": \.masterReceivedLowerPriority
        default: nil
        }
    }
}
