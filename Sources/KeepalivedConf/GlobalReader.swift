import NetworkTypes

/// Reads `global_defs`, of which a file may have several: they add up, and the last value counts.
struct GlobalReader: Reading {
    var diagnostics: [ConfDiagnostic] = []
    private(set) var definitions = GlobalDefinitions()

    // Defaults of instances, as far as they are written.
    private(set) var version: VRRPInstance.Version?
    private(set) var garp = AnnouncementDraft()
    private(set) var minimalGARP = false
    private(set) var skipsAddressCheck = false
    private(set) var isStrict = false
    private(set) var masterDownAdvertisements: Int?
    private(set) var ignoresLowerPriority: Bool?
    private(set) var advertisesBeforeYielding = false
    private var smtpAlert = false
    private var smtpAlertVRRP: Bool?

    /// Reads one statement of the block.
    mutating func read(_ statement: Statement) {
        guard !statement.rule.requiresParameter || !statement.arguments.isEmpty else { return }
        if !readMail(statement), !readVRRP(statement) { readProcess(statement) }
        definitions.smtpAlert = smtpAlertVRRP ?? smtpAlert
    }

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
        case "smtp_connect_timeout":
            let message = "smtp_connect_timeout '\(value.text)' must be in [0, 4294] - ignoring"
            guard let count = integer(value, in: 0...4294, else: message) else { return true }
            if count == 0 {
                adjusted(
                    value.position, "smtp_conect_timeout must be greater than 0, setting to 1")
            }
            definitions.smtpConnectTimeout = .seconds(max(count, 1))
        case "smtp_alert":
            smtpAlert = bool(statement, else: "Invalid value for smtp_alert specified") ?? smtpAlert
        case "smtp_alert_vrrp":
            smtpAlertVRRP =
                bool(statement, else: "Invalid value for smtp_alert_vrrp specified")
                ?? smtpAlertVRRP
        default: return false
        }
        return true
    }

    private mutating func readSMTPServer(_ statement: Statement) {
        if statement.arguments.count > 1 {
            let port = statement.arguments[1]
            let message = "Invalid smtp server \(statement.value.text) \(port.text)"
            guard let number = integer(port, in: 1...65535, else: message) else { return }
            definitions.smtpPort = UInt16(number)
        }
        definitions.smtpServer = statement.value.text
    }

    private mutating func readVRRP(_ statement: Statement) -> Bool {
        let value = statement.value
        switch statement.name {
        case "vrrp_version":
            let message = "VRRP Error: Version must be either 2 or 3"
            if let number = integer(value, in: 2...3, else: message) {
                version = number == 2 ? .v2 : .v3
            }
        case "vrrp_min_garp":
            minimalGARP =
                bool(statement, else: "Invalid value for vrrp_min_garp specified") ?? minimalGARP
        case "vrrp_skip_check_adv_addr":
            skipsAddressCheck =
                bool(statement, else: "Invalid value for vrrp_skip_check_adv_addr specified")
                ?? skipsAddressCheck
        case "vrrp_strict": isStrict = true
        case "vrrp_down_timer_adverts":
            let message = "Invalid vrrp_down_timer_adverts [1:100] '\(value.text)'"
            masterDownAdvertisements = integer(value, in: 1...100, else: message)
        case "vrrp_lower_prio_no_advert":
            ignoresLowerPriority = bool(
                statement, else: "Invalid value for vrrp_lower_prio_no_advert specified")
        case "vrrp_higher_prio_send_advert":
            advertisesBeforeYielding =
                bool(statement, else: "Invalid value for vrrp_higher_prio_send_advert specified")
                ?? advertisesBeforeYielding
        default:
            guard let parameter = AnnouncementDraft.Parameter(globalKeyword: statement.name) else {
                return false
            }
            garp = announcement(garp, with: parameter, value, name: statement.name, prefix: "")
        }
        return true
    }

    private mutating func readProcess(_ statement: Statement) {
        let value = statement.value
        let gap: ClosedRange<Duration> = .microseconds(1) ... .microseconds(4_294_967_295)
        switch statement.name {
        case "vrrp_garp_interval":
            definitions.garpInterval =
                seconds(value, in: gap, else: "vrrp_garp_interval '\(value.text)' is invalid")
                ?? definitions.garpInterval
        case "vrrp_gna_interval":
            definitions.gnaInterval =
                seconds(value, in: gap, else: "vrrp_gna_interval '\(value.text)' is invalid")
                ?? definitions.gnaInterval
        case "vrrp_startup_delay":
            definitions.startupDelay =
                seconds(
                    value, in: .zero ... .seconds(4294),
                    else: "vrrp_startup_delay '\(value.text)' is invalid")
                ?? definitions.startupDelay
        case "default_interface":
            definitions.defaultInterface = InterfaceName(value.text)
        case "script_user": definitions.scriptUser = statement.arguments.map(\.text)
        case "enable_script_security": definitions.scriptSecurity = true
        case "dynamic_interfaces": definitions.dynamicInterfaces = true
        default: break
        }
    }
}

/// The announcement settings of a block, as far as they are written there.
struct AnnouncementDraft: Hashable, Sendable {
    var masterDelay: Duration?
    var masterRepeat: Int?
    var refreshInterval: Duration?
    var refreshRepeat: Int?
    var lowerPriorityDelay: Duration?
    var lowerPriorityRepeat: Int?

    /// One of the settings.
    enum Parameter: String {
        case masterDelay = "garp_master_delay"
        case masterRepeat = "garp_master_repeat"
        case refreshInterval = "garp_master_refresh"
        case refreshRepeat = "garp_master_refresh_repeat"
        case lowerPriorityDelay = "garp_lower_prio_delay"
        case lowerPriorityRepeat = "garp_lower_prio_repeat"

        /// The setting whose global keyword that is: the instance's after `vrrp_`.
        init?(globalKeyword: String) {
            guard globalKeyword.hasPrefix("vrrp_") else { return nil }
            self.init(rawValue: String(globalKeyword.dropFirst(5)))
        }
    }
}

extension Reading {
    /// The settings with the one that `value` gives, written as `name`; `prefix` is what keepalived
    /// puts before its messages.
    mutating func announcement(
        _ settings: AnnouncementDraft, with parameter: AnnouncementDraft.Parameter, _ value: Word,
        name: String, prefix: String
    ) -> AnnouncementDraft {
        var settings = settings
        let invalid = "\(prefix)\(name) '\(value.text)' invalid - ignoring"
        let wholeSeconds = 0...4294
        switch parameter {
        case .masterDelay:
            guard let delay = integer(value, in: wholeSeconds, else: invalid) else { break }
            settings.masterDelay = .seconds(delay)
        case .lowerPriorityDelay:
            guard let delay = integer(value, in: wholeSeconds, else: invalid) else { break }
            settings.lowerPriorityDelay = .seconds(delay)
        case .refreshInterval:
            let message = "\(prefix)Invalid \(name) '\(value.text)' - ignoring"
            guard let interval = integer(value, in: wholeSeconds, else: message) else { break }
            settings.refreshInterval = .seconds(interval)
        case .masterRepeat:
            settings.masterRepeat =
                packetCount(value, name: prefix + name, else: invalid) ?? settings.masterRepeat
        case .refreshRepeat:
            settings.refreshRepeat =
                packetCount(value, name: prefix + name, else: invalid) ?? settings.refreshRepeat
        case .lowerPriorityRepeat:
            // Zero is meant: no packets at all.
            let message = "\(prefix)Invalid \(name) '\(value.text)'"
            settings.lowerPriorityRepeat =
                integer(value, in: 0...Int(Int32.max), else: message)
                ?? settings.lowerPriorityRepeat
        }
        return settings
    }
}
