import NetworkTypes

/// An instance as far as it is written.
struct InstanceDraft {
    var name: String
    var position: SourcePosition
    var interface: InterfaceName?
    var interfacePosition: SourcePosition?
    var virtualRouterID: UInt8?
    var virtualRouterIDPosition: SourcePosition?
    var version: VRRPInstance.Version?
    /// The family of the first address that is written.
    var family: IPAddress.Family?
    var state: VRRPInstance.InitialState?
    var statePosition: SourcePosition?
    var priority: UInt8?
    var priorityPosition: SourcePosition?
    var advertisementInterval: Duration = .seconds(1)
    var intervalPosition: SourcePosition?
    var nopreemptPosition: SourcePosition?
    var preemptDelay: Duration = .zero
    var preemptDelayPosition: SourcePosition?
    var authenticationPosition: SourcePosition?
    var authenticationType: AuthenticationType?
    var password: [UInt8] = []
    var virtualAddresses: [VirtualAddressDraft] = []
    var excludedAddresses: [VirtualAddressDraft] = []
    var garp = AnnouncementDraft()
    var sourceAddress: IPAddress?
    var unicastPosition: SourcePosition?
    var unicastPeers: [IPAddress] = []
    var skipsAddressCheck: Bool?
    var acceptsPackets: Bool?
    var isStrict: Bool?
    var masterDownAdvertisements: Int?
    var ignoresLowerPriority: Bool?
    var advertisesBeforeYielding: Bool?
    var ignoresOwnInterface = false
    var trackedInterfaces: [VRRPInstance.TrackedInterface] = []
    var trackedScripts: [VRRPInstance.TrackedScript] = []
    var notify = VRRPInstance.NotifyCommands()
    var smtpAlert: Bool?

    enum AuthenticationType { case password, header }
}

/// Reads the statements of a `vrrp_instance`, in order: of a keyword that is repeated, the last
/// value counts.
struct InstanceReader: Reading {
    var diagnostics: [ConfDiagnostic] = []
    var draft: InstanceDraft
    private let statement: Statement
    /// The names of the scripts defined so far: those defined later are not found.
    let scripts: [String]

    init(_ statement: Statement, scripts: [String]) {
        self.statement = statement
        self.scripts = scripts
        draft = InstanceDraft(name: statement.value.text, position: statement.value.position)
    }

    /// How keepalived marks what it says about the instance.
    var tag: String { "(\(draft.name))" }

    /// Reads the block.
    mutating func read() {
        for inner in statement.body {
            if inner.rule.requiresParameter, inner.arguments.isEmpty {
                noteMissingValue(of: inner)
                continue
            }
            if readIdentity(inner) || readElection(inner) || readAddresses(inner) { continue }
            if !readOptions(inner) { readReactions(inner) }
        }
    }

    /// Remembers that a keyword is there, so that its missing value is not an error twice.
    private mutating func noteMissingValue(of inner: Statement) {
        switch inner.name {
        case "interface": draft.interfacePosition = inner.position
        case "virtual_router_id": draft.virtualRouterIDPosition = inner.position
        default: break
        }
    }

    // MARK: Who it is

    private mutating func readIdentity(_ inner: Statement) -> Bool {
        let value = inner.value
        switch inner.name {
        case "interface":
            draft.interfacePosition = value.position
            draft.interface = InterfaceName(value.text)
            if draft.interface == nil {
                refused(
                    value.position,
                    "WARNING - interface \(value.text) for vrrp_instance \(draft.name) doesn't"
                        + " exist")
            }
        case "virtual_router_id":
            draft.virtualRouterIDPosition = value.position
            do {
                draft.virtualRouterID = UInt8(try readInteger(value.text, in: 1...255))
            } catch {
                readInvalidVirtualRouterID(value, error)
            }
        case "version":
            readVersion(value)
        case "authentication": readAuthentication(inner)
        default: return false
        }
        return true
    }

    /// The first version counts, and version 2 only before an IPv6 address.
    private mutating func readVersion(_ value: Word) {
        let message = "\(tag): Version must be either 2 or 3"
        guard let number = integer(value, in: 2...3, else: message) else { return }
        let version: VRRPInstance.Version = number == 2 ? .v2 : .v3
        guard draft.version ?? version == version, version == .v3 || draft.family != .v6 else {
            adjusted(
                value.position,
                "\(tag) vrrp_version \(number) conflicts with configured or deduced version"
                    + " \(draft.version?.rawValue ?? 0); ignoring.")
            return
        }
        draft.version = version
    }

    /// An invalid number is ignored; keepalived refuses to run when it had no valid one before.
    private mutating func readInvalidVirtualRouterID(_ value: Word, _ error: NumberError) {
        let message = "\(tag): VRID '\(value.text)' not valid - must be between 1 & 255"
        guard draft.virtualRouterID == nil else {
            adjusted(value.position, message, detail: error.message)
            return
        }
        diagnostics.append(
            ConfDiagnostic(value.position, .error, .refused, message, detail: error.message))
    }

    private mutating func readAuthentication(_ block: Statement) {
        draft.authenticationPosition = block.position
        for inner in block.body {
            let value = inner.value
            switch inner.name {
            case "auth_type":
                switch value.text {
                case "PASS": draft.authenticationType = .password
                case "AH": draft.authenticationType = .header
                default:
                    adjusted(
                        value.position, "\(tag) unknown authentication type '\(value.text)'",
                        detail: "PASS and AH are known; without one, there is no authentication")
                }
            case "auth_pass":
                guard !inner.arguments.isEmpty else { continue }
                let limit = VRRPInstance.Authentication.maximumBytes
                draft.password = Array(value.text.utf8.prefix(limit))
                if value.text.utf8.count > limit {
                    adjusted(value.position, "Truncating auth_pass to \(limit) characters")
                }
            default: break
            }
        }
    }

    // MARK: How it is elected

    private mutating func readElection(_ inner: Statement) -> Bool {
        let value = inner.value
        switch inner.name {
        case "state": readState(value)
        case "priority":
            let message =
                "\(tag) Priority not valid! must be between 1 & 255. Using default 100"
            draft.priority = UInt8(integer(value, in: 1...255, else: message) ?? 100)
            draft.priorityPosition = value.position
        case "advert_int":
            let message =
                "\(tag) Advert interval (\(value.text)) not valid! Must be > 0 - ignoring"
            draft.intervalPosition = value.position
            draft.advertisementInterval =
                seconds(value, in: .milliseconds(10) ... .seconds(255), else: message)
                ?? draft.advertisementInterval
        case "nopreempt": draft.nopreemptPosition = inner.position
        case "preempt": draft.nopreemptPosition = nil
        case "preempt_delay":
            let message = "\(tag) Preempt_delay not valid! must be between 0-1000"
            draft.preemptDelayPosition = value.position
            draft.preemptDelay =
                seconds(value, in: .zero ... .seconds(1000), else: message) ?? .zero
        case "down_timer_adverts":
            let message = "\(tag): Invalid down_timer_adverts [1:100] '\(value.text)'"
            draft.masterDownAdvertisements =
                integer(value, in: 1...100, else: message) ?? draft.masterDownAdvertisements
        default: return false
        }
        return true
    }

    private mutating func readState(_ value: Word) {
        switch value.text {
        case "MASTER": draft.state = .master
        case "BACKUP":
            if draft.state == .master {
                adjusted(
                    value.position, "\(tag) state previously set as MASTER - ignoring BACKUP")
                return
            }
            draft.state = .backup
        default:
            draft.state = .backup
            adjusted(
                value.position, "\(tag) unknown state '\(value.text)', defaulting to BACKUP")
        }
        draft.statePosition = value.position
    }

    // MARK: Switches

    private mutating func readOptions(_ inner: Statement) -> Bool {
        func invalid(_ name: String) -> String {
            "\(tag) invalid \(name) \(inner.value.text) specified"
        }
        switch inner.name {
        case "skip_check_adv_addr":
            draft.skipsAddressCheck =
                bool(inner, else: invalid("skip_check_adv_addr")) ?? draft.skipsAddressCheck
        case "strict_mode":
            draft.isStrict = bool(inner, else: invalid("strict_mode")) ?? draft.isStrict
        case "lower_prio_no_advert":
            draft.ignoresLowerPriority =
                bool(inner, else: invalid("lower_prio_no_advert")) ?? draft.ignoresLowerPriority
        case "higher_prio_send_advert":
            draft.advertisesBeforeYielding =
                bool(inner, else: invalid("higher_prio_send_advert"))
                ?? draft.advertisesBeforeYielding
        case "accept": draft.acceptsPackets = true
        case "no_accept": draft.acceptsPackets = false
        case "dont_track_primary": draft.ignoresOwnInterface = true
        case "smtp_alert":
            let message = "Invalid vrrp_instance smtp_alert parameter \(inner.value.text)"
            draft.smtpAlert = bool(inner, else: message) ?? draft.smtpAlert
        default:
            guard let parameter = AnnouncementDraft.Parameter(rawValue: inner.name) else {
                return false
            }
            draft.garp = announcement(
                draft.garp, with: parameter, inner.value, name: inner.name, prefix: "\(tag): ")
        }
        return true
    }

    // MARK: What it watches, and what it runs

    private mutating func readReactions(_ inner: Statement) {
        switch inner.name {
        case "track_interface": for entry in inner.entries { readTrackedInterface(entry) }
        case "track_script": for entry in inner.entries { readTrackedScript(entry) }
        case "notify": readNotify(inner, \.any)
        case "notify_master": readNotify(inner, \.master)
        case "notify_backup": readNotify(inner, \.backup)
        case "notify_fault": readNotify(inner, \.fault)
        case "notify_stop": readNotify(inner, \.stop)
        default: break
        }
    }

    private mutating func readNotify(
        _ inner: Statement, _ path: WritableKeyPath<VRRPInstance.NotifyCommands, Command?>
    ) {
        guard draft.notify[keyPath: path] == nil else {
            adjusted(
                inner.position,
                "\(tag) \(inner.name) script already specified - ignoring \(inner.value.text)")
            return
        }
        draft.notify[keyPath: path] = command(inner)
    }

    private mutating func readTrackedInterface(_ entry: Statement.Entry) {
        let word = entry.words[0]
        guard let interface = InterfaceName(word.text) else {
            refused(word.position, "\(tag) tracked interface \(word.text) doesn't exist")
            return
        }
        guard !draft.trackedInterfaces.contains(where: { $0.interface == interface }) else {
            adjusted(
                word.position, "\(tag) duplicate track_interface \(interface) - ignoring")
            return
        }
        let message =
            "\(tag) weight \(entry.weight?.text ?? "") for \(interface) must be between"
            + " [-253..253] inclusive. Ignoring..."
        let weight = entry.weight.flatMap { integer($0, in: -254...254, else: message) }
        draft.trackedInterfaces.append(
            VRRPInstance.TrackedInterface(
                interface: interface, weight: weight ?? 0, position: word.position))
    }

    private mutating func readTrackedScript(_ entry: Statement.Entry) {
        let word = entry.words[0]
        guard scripts.contains(word.text) else {
            adjusted(
                word.position, "\(tag) track script \(word.text) not found, ignoring...",
                detail: "a vrrp_script must be defined before the instance that tracks it")
            return
        }
        guard !draft.trackedScripts.contains(where: { $0.name == word.text }) else {
            adjusted(word.position, "\(tag) duplicate track_script \(word.text) - ignoring")
            return
        }
        let message =
            "\(tag) track script \(word.text): weight must be between [-253..253] inclusive,"
            + " ignoring..."
        let weight = entry.weight.flatMap { integer($0, in: -254...254, else: message) }
        draft.trackedScripts.append(
            VRRPInstance.TrackedScript(name: word.text, weight: weight, position: word.position))
    }
}

extension Statement.Entry {
    /// What follows `NAME weight`.
    fileprivate var weight: Word? {
        words.count > 2 && words[1].text == "weight" ? words[2] : nil
    }
}
