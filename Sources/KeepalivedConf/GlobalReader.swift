import NetworkTypes

/// Reads `global_defs`, of which a file may have several: they add up, and the last value counts.
struct GlobalReader: Reading {
    var diagnostics: [ConfDiagnostic] = []
    var definitions = GlobalDefinitions()
    let context: ConfigurationContext
    /// Whether `script_user` is nobody that the machine does not have: otherwise no script runs
    /// that has no user of its own, whatever a later `script_user` says.
    var hasScriptUser = true

    // Defaults of instances, as far as they are written.
    private(set) var version: VRRPInstance.Version?
    private(set) var garp = AnnouncementDraft()
    private(set) var minimalGARP = false
    private(set) var skipsAddressCheck = false
    private(set) var isStrict = false
    private(set) var checksUnicastSource = false
    private(set) var checksumOmitsPseudoHeader = false
    private(set) var masterDownAdvertisements: Int?
    private(set) var ignoresLowerPriority: Bool?
    private(set) var advertisesBeforeYielding = false
    private(set) var extraAnnouncementInterval: Duration = .zero
    private(set) var announcesOnAllInterfaces = false
    private(set) var smtpAlert: Bool?
    private(set) var smtpAlertVRRP: Bool?
    private(set) var smtpAlertChecker: Bool?
    /// Keywords of which only the first counts.
    var seen: Set<String> = []
    /// What is written for `lvs_sync_daemon`; only the first counts.
    var syncDaemon: SyncDaemonDraft?
    /// What is written for `snmp_socket`; only the first counts.
    var snmpSocket: String?
    /// What is written for `notify_fifo` and `vrrp_notify_fifo`.
    var fifos: [String: FIFODraft] = [:]

    /// A FIFO as far as it is written.
    struct FIFODraft {
        var path: Word?
        var user: [String] = []
        var script: Command?
    }

    init(context: ConfigurationContext) { self.context = context }

    /// Reads one statement of the block.
    mutating func read(_ statement: Statement) {
        guard !statement.rule.requiresParameter || !statement.arguments.isEmpty else { return }
        if readMail(statement) || readVRRP(statement) || readAnnouncements(statement) { return }
        if readNotification(statement) || readProcess(statement) { return }
        readIgnored(statement)
    }

    /// Whom keepalived looks for, in vain, to run a script that names no user: with
    /// `enable_script_security` it runs none as root then.
    var missingDefaultUser: String? {
        let name = "keepalived_script"
        let isWanted = definitions.scriptSecurity && definitions.scriptUser.isEmpty
        return isWanted && !context.hasUser(name, nil) ? name : nil
    }

    /// Whether instances that do not say send mail.
    var smtpAlertOfInstances: Bool { smtpAlertVRRP ?? smtpAlert ?? false }

    /// The definitions, what follows from several keywords filled in.
    var completed: GlobalDefinitions {
        var definitions = definitions
        definitions.smtpAlert = smtpAlertOfInstances
        definitions.smtpAlertChecker = smtpAlertChecker ?? smtpAlert
        definitions.notifyFIFOs = ["notify_fifo", "vrrp_notify_fifo"].compactMap(completedFIFO)
        definitions.lvs.notifyFIFOs = ["notify_fifo", "lvs_notify_fifo"].compactMap { name in
            var fifo = completedFIFO(name)
            // Who reads what both processes write is started once.
            if name == "notify_fifo" { fifo?.script = nil }
            return fifo
        }
        return definitions
    }

    private func completedFIFO(_ name: String) -> NotifyFIFO? {
        guard let fifo = fifos[name], let path = fifo.path else { return nil }
        var notify = NotifyFIFO(path: path.text, script: fifo.script, position: path.position)
        notify.user = fifo.user
        return notify
    }

    // MARK: Mail

    private mutating func readMail(_ statement: Statement) -> Bool {
        let value = statement.value
        switch statement.name {
        case "router_id":
            if statement.arguments.isEmpty {
                adjusted(statement.position, "routerid name missing - ignoring")
            } else {
                definitions.routerID = value.text
            }
        case "notification_email":
            if statement.entries.isEmpty {
                adjusted(
                    statement.endPosition ?? statement.position,
                    "Warning - empty notification_email block")
            }
            definitions.notificationAddresses += statement.entries.flatMap { entry in
                entry.words.map(\.text)
            }
        case "notification_email_from":
            if statement.arguments.isEmpty {
                adjusted(statement.position, "emailfrom missing - ignoring")
            } else {
                definitions.notificationSender = value.text
            }
        case "smtp_server": readSMTPServer(statement)
        case "smtp_helo_name":
            if !statement.arguments.isEmpty { definitions.smtpHeloName = value.text }
        case "smtp_connect_timeout":
            let message = "smtp_connect_timeout '\(value.text)' must be in [0, 4294] - ignoring"
            guard let count = integer(value, in: 0...4294, else: message) else { return true }
            if count == 0 {
                adjusted(
                    value.position, "smtp_conect_timeout must be greater than 0, setting to 1")
            }
            definitions.smtpConnectTimeout = .seconds(max(count, 1))
        case "smtp_alert": readSwitch(statement, \.smtpAlert)
        case "smtp_alert_vrrp": readSwitch(statement, \.smtpAlertVRRP)
        case "smtp_alert_checker": readSwitch(statement, \.smtpAlertChecker)
        case "no_email_faults": definitions.suppressesFaultMail = true
        default: return false
        }
        return true
    }

    private mutating func readSwitch(
        _ statement: Statement, _ path: WritableKeyPath<Self, Bool?>
    ) {
        let message =
            "Invalid value '\(statement.value.text)' for global \(statement.name) specified"
        if let value = bool(statement, else: message) { self[keyPath: path] = value }
    }

    private mutating func readSMTPServer(_ statement: Statement) {
        let name = statement.value.text
        let port = statement.arguments.count > 1 ? statement.arguments[1].text : "25"
        let message = "Invalid smtp server \(name) \(port)"
        if statement.arguments.count > 1 {
            guard let number = integer(statement.arguments[1], in: 1...65535, else: message)
            else { return }
            definitions.smtpPort = UInt16(number)
        }
        // No resolver finds a name made of numbers; for others keepalived asks one.
        let isNumeric = name.utf8.allSatisfy { $0 == 0x2e || (0x30...0x39).contains($0) }
        let isKnown =
            isNumeric ? IPv4Address(name) != nil : IPv6Address(name) != nil || context.hasHost(name)
        guard isKnown else {
            adjusted(statement.value.position, message)
            return
        }
        definitions.smtpServer = statement.value.text
    }

    // MARK: Defaults of instances

    private mutating func readVRRP(_ statement: Statement) -> Bool {
        let value = statement.value
        switch statement.name {
        case "vrrp_version":
            let message = "VRRP Error: Version must be either 2 or 3"
            if let number = integer(value, in: 2...3, isSigned: true, else: message) {
                version = number == 2 ? .v2 : .v3
            }
        case "vrrp_skip_check_adv_addr": skipsAddressCheck = true
        case "vrrp_check_unicast_src": checksUnicastSource = true
        case "vrrp_strict": isStrict = true
        case "v3_checksum_as_v2": checksumOmitsPseudoHeader = true
        case "vrrp_down_timer_adverts":
            let message = "Invalid vrrp_down_timer_adverts [1:100] '\(value.text)'"
            masterDownAdvertisements =
                integer(value, in: 1...100, else: message) ?? masterDownAdvertisements
        case "vrrp_lower_prio_no_advert":
            ignoresLowerPriority =
                bool(statement, else: "Invalid value for vrrp_lower_prio_no_advert specified")
                ?? ignoresLowerPriority
        case "vrrp_higher_prio_send_advert":
            advertisesBeforeYielding =
                bool(statement, else: "Invalid value for vrrp_higher_prio_send_advert specified")
                ?? advertisesBeforeYielding
        case "vrrp_mcast_group4": readMulticastGroup4(value)
        case "vrrp_mcast_group6": readMulticastGroup6(value)
        case "vmac_prefix", "vmac_addr_prefix":
            guard seen.insert(statement.name).inserted else {
                let name = statement.name == "vmac_prefix" ? "vmac" : "vmac_addr"
                adjusted(
                    value.position,
                    "\(name) prefix has already been specified - ignoring \(value.text)")
                return true
            }
            if statement.name == "vmac_prefix" {
                definitions.vmacPrefix = value.text
            } else {
                definitions.vmacAddressPrefix = value.text
            }
        default: return false
        }
        return true
    }

    private mutating func readMulticastGroup4(_ value: Word) {
        let start = "vrrp_mcast_group4 [\(value.text)] is not"
        switch hostAddress(value.text) {
        case nil:
            adjusted(value.position, "Can't parse vrrp_mcast_group4 [\(value.text)]. Skipping")
        case .v6: adjusted(value.position, "\(start) IPv4. Skipping")
        case .v4(let address):
            if address.isMulticast {
                definitions.multicastGroup4 = address
            } else {
                adjusted(value.position, "\(start) multicast. Skipping")
            }
        }
    }

    private mutating func readMulticastGroup6(_ value: Word) {
        let start = "vrrp_mcast_group6 [\(value.text)]"
        switch hostAddress(value.text) {
        case nil:
            adjusted(value.position, "Can't parse vrrp_mcast_group6 [\(value.text)]. Skipping")
        case .v4: adjusted(value.position, "\(start) is not IPv6. Skipping")
        case .v6(let address):
            guard address.isMulticast else {
                adjusted(value.position, "\(start) is not multicast. Skipping")
                return
            }
            if address.high >> 48 & 0xff0f != 0xff02 {
                adjusted(value.position, "\(start) should be link-local multicast.")
            }
            definitions.multicastGroup6 = address
        }
    }

    // MARK: Announcements

    private mutating func readAnnouncements(_ statement: Statement) -> Bool {
        let value = statement.value
        let gap: ClosedRange<Duration> = .microseconds(1) ... .microseconds(4_294_967_295)
        switch statement.name {
        case "vrrp_garp_interval":
            definitions.garpInterval =
                seconds(value, in: gap, else: "vrrp_garp_interval '\(value.text)' is invalid")
                ?? definitions.garpInterval
            warnOfLargeGap(value, definitions.garpInterval, name: statement.name)
        case "vrrp_gna_interval":
            definitions.gnaInterval =
                seconds(value, in: gap, else: "vrrp_gna_interval '\(value.text)' is invalid")
                ?? definitions.gnaInterval
            warnOfLargeGap(value, definitions.gnaInterval, name: statement.name)
        case "vrrp_min_garp":
            minimalGARP =
                bool(statement, else: "Invalid value for vrrp_min_garp specified") ?? minimalGARP
        case "vrrp_garp_extra_if", "vrrp_vmac_garp_intvl":
            let extra = extraAnnouncements(
                statement, shortest: 1, prefix: "",
                deprecation: statement.name == "vrrp_garp_extra_if" ? nil : "vrrp_garp_extra_if")
            announcesOnAllInterfaces = announcesOnAllInterfaces || extra.onAll
            extraAnnouncementInterval = extra.interval ?? extraAnnouncementInterval
        default:
            guard let parameter = AnnouncementDraft.Parameter(globalKeyword: statement.name) else {
                return false
            }
            garp = announcement(garp, with: parameter, value, name: statement.name, prefix: "")
        }
        return true
    }

    private mutating func warnOfLargeGap(_ value: Word, _ gap: Duration, name: String) {
        if gap >= .seconds(1) {
            note(value.position, "The \(name) is very large - \(value.text) seconds")
        }
    }
}
