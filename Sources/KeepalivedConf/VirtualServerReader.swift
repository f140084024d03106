import NetworkTypes

/// A virtual server as far as it is written.
struct VirtualServerDraft {
    var server: VirtualServer
    /// The family of what is written so far.
    var family: IPAddress.Family?
    var schedulerIsWritten = false
    var forwarding: VirtualServer.Forwarding?
    var sorryForwarding: VirtualServer.Forwarding?
    var smtpAlert: Bool?
    var isInhibitedOnFailure = false
    var weight = 1
    var options = CheckOptions()
    var realServers: [RealServerDraft] = []
}

/// A real server as far as it is written.
struct RealServerDraft {
    var server: RealServer
    var weight: Int?
    var forwarding: VirtualServer.Forwarding?
    var isInhibitedOnFailure: Bool?
    var startsDown: Bool?
    var smtpAlert: Bool?
    var options = CheckOptions()
    var checkers: [CheckerDraft] = []
}

/// How often and how long is checked, as far as it is written.
struct CheckOptions {
    var connectTimeout: Duration?
    var delayLoop: Duration?
    var delayBeforeRetry: Duration?
    var warmup: Duration?
    var retries: Int?

    /// The longest time keepalived reads.
    static let longest: Duration = .seconds(18_446_744_073_709) + .microseconds(551_614)
}

/// Reads a `virtual_server`; the messages are those of keepalived's check/check_parser.c.
struct VirtualServerReader: Reading {
    var diagnostics: [ConfDiagnostic] = []
    /// The names of the files that a `FILE_CHECK` can name.
    let files: [String]

    init(files: [String]) { self.files = files }

    /// The service; nil, and reported, when keepalived would leave it out.
    mutating func read(_ statement: Statement) -> VirtualServerDraft? {
        guard !statement.arguments.isEmpty, let target = readTarget(statement) else { return nil }
        var draft = VirtualServerDraft(
            server: VirtualServer(target: target, family: .v4, position: statement.position))
        if case .address(let address, _) = target { draft.family = address.family }
        for inner in statement.body
        where !inner.rule.requiresParameter || !inner.arguments.isEmpty {
            if readBalancing(inner, into: &draft) || readSorryServer(inner, into: &draft) {
                continue
            }
            if readState(inner, into: &draft) { continue }
            guard inner.name == "real_server" else {
                readCheckOption(inner, into: &draft.options, owner: "virtual server")
                continue
            }
            var reader = RealServerReader(files: files, serverPosition: statement.position)
            if let server = reader.read(inner, of: &draft) { draft.realServers.append(server) }
            diagnostics += reader.diagnostics
        }
        draft.server.family =
            draft.family ?? draft.realServers.first?.server.address.family ?? .v4
        return draft
    }

    private mutating func readTarget(_ statement: Statement) -> VirtualServer.Target? {
        let value = statement.value
        let second = statement.arguments.dropFirst().first
        switch value.text {
        case "fwmark":
            guard let second else { break }
            let message =
                "virtual server fwmark '\(second.text)' must be in [0, \(UInt32.max)] - ignoring"
            return integer(second, in: 0...Int(UInt32.max), else: message)
                .map { .firewallMark(UInt32($0)) }
        case "group":
            guard let second else { break }
            return .group(second.text)
        default: break
        }
        var port: UInt16?
        let start = "Invalid virtual server IP address"
        if let second, second.text.utf8.contains(where: { $0 != UInt8(ascii: "0") }) {
            let message = "\(start)/port \(value.text)/\(second.text) - skipping"
            guard let number = integer(second, in: 1...65535, else: message) else { return nil }
            port = UInt16(number)
        }
        guard let address = hostAddress(value.text) else {
            adjusted(
                value.position,
                "\(start)\(port == nil ? "" : "/port") \(value.text)"
                    + "\(port.map { "/\($0)" } ?? "") - skipping")
            return nil
        }
        return .address(address, port: port)
    }

    // MARK: How packets are shared out

    private mutating func readBalancing(
        _ inner: Statement, into draft: inout VirtualServerDraft
    ) -> Bool {
        let value = inner.value
        switch inner.name {
        case "lb_algo", "lvs_sched":
            guard let scheduler = VirtualServer.Scheduler(rawValue: value.text) else {
                adjusted(value.position, "Invalid lvs_scheduler '\(value.text)' - ignoring")
                return true
            }
            draft.server.scheduler = scheduler
            draft.schedulerIsWritten = true
        case "lb_kind", "lvs_method":
            draft.forwarding = forwarding(inner, server: "virtual") ?? draft.forwarding
        case "protocol":
            let written = VirtualServer.TransportProtocol(rawValue: value.text.uppercased())
            draft.server.transportProtocol = written ?? draft.server.transportProtocol
            if written == nil {
                adjusted(value.position, "Unknown protocol \(value.text) - ignoring")
            }
        case "ip_family": readFamily(value, into: &draft)
        case "flag-1", "flag-2", "flag-3", "sh-port", "sh-fallback", "mh-port", "mh-fallback",
            "hashed", "ops":
            readFlag(inner, into: &draft)
        case "persistence_timeout", "persistence_engine", "persistence_granularity":
            readPersistence(inner, into: &draft)
        default: return false
        }
        return true
    }

    private mutating func readFamily(_ value: Word, into draft: inout VirtualServerDraft) {
        let families: [String: IPAddress.Family] = ["inet": .v4, "inet6": .v6]
        guard let family = families[value.text] else {
            adjusted(value.position, "unknown address family \(value.text)")
            return
        }
        guard draft.family ?? family == family else {
            adjusted(
                value.position,
                "Virtual server specified family \(value.text) conflicts with server family")
            return
        }
        draft.family = family
    }

    private mutating func readFlag(_ inner: Statement, into draft: inout VirtualServerDraft) {
        switch (inner.name, draft.server.scheduler) {
        case ("ops", _): draft.server.flags.insert(.onePacket)
        case ("flag-1", _), ("sh-fallback", .sourceHashing), ("mh-fallback", .maglevHashing):
            draft.server.flags.insert(.scheduler1)
        case ("flag-2", _), ("sh-port", .sourceHashing), ("mh-port", .maglevHashing):
            draft.server.flags.insert(.scheduler2)
        case ("flag-3", _): draft.server.flags.insert(.scheduler3)
        case (_, .sourceHashing), (_, .maglevHashing): break
        default:
            adjusted(inner.position, "\(inner.name) only applies to sh scheduler - ignoring")
        }
    }

    private mutating func readPersistence(
        _ inner: Statement, into draft: inout VirtualServerDraft
    ) {
        let value = inner.value
        let standard: Duration = .seconds(360)
        switch inner.name {
        case "persistence_timeout":
            guard !inner.arguments.isEmpty else {
                draft.server.persistenceTimeout = standard
                return
            }
            let count = integer(
                value, in: 1...86400 * 31, isStrict: true, else: "persistence_timeout invalid")
            draft.server.persistenceTimeout =
                count.map { .seconds($0) } ?? draft.server.persistenceTimeout
        case "persistence_engine":
            if value.text.utf8.count > 15 {
                adjusted(
                    value.position, "persistence_name too long, truncating - \(value.text)")
            }
            draft.server.persistenceEngine = String(
                decoding: value.text.utf8.prefix(15), as: UTF8.self)
        default:
            let family = draft.family ?? (value.text.contains(".") ? .v4 : .v6)
            if family == .v6 {
                let message = "Invalid IPv6 persistence_granularity specified - \(value.text)"
                guard let length = integer(value, in: 1...128, isStrict: true, else: message)
                else { return }
                draft.server.persistenceGranularity = .length(length)
            } else {
                guard let mask = IPv4Address(value.text) else {
                    adjusted(
                        value.position,
                        "Invalid IPv4 persistence_granularity specified - \(value.text)")
                    return
                }
                draft.server.persistenceGranularity = .mask(mask)
            }
            draft.family = family
            draft.server.persistenceTimeout = draft.server.persistenceTimeout ?? standard
        }
    }

    // MARK: Sorry server

    private mutating func readSorryServer(
        _ inner: Statement, into draft: inout VirtualServerDraft
    ) -> Bool {
        switch inner.name {
        case "sorry_server":
            guard let server = address(inner, kind: "sorry") else { return true }
            draft.server.sorryServer = VirtualServer.SorryServer(
                address: server.address, port: server.port, position: inner.position)
            draft.sorryForwarding = draft.forwarding
        case "sorry_server_inhibit":
            if draft.server.sorryServer == nil {
                adjusted(
                    inner.position,
                    "Ignoring sorry_server inhibit used before or without sorry_server")
            }
            draft.server.sorryServer?.isInhibited = true
        case "sorry_server_lvs_method":
            guard draft.server.sorryServer != nil, !inner.arguments.isEmpty else {
                adjusted(
                    inner.position, "sorry_server forwarding used without sorry_server")
                return true
            }
            draft.sorryForwarding = forwarding(inner, server: "sorry") ?? draft.sorryForwarding
        default: return false
        }
        return true
    }

    // MARK: When it is up

    private mutating func readState(
        _ inner: Statement, into draft: inout VirtualServerDraft
    ) -> Bool {
        let value = inner.value
        let counts = 0...Int(UInt32.max)
        switch inner.name {
        case "quorum":
            let message =
                "Quorum \(value.text) must be in [1, \(UInt32.max)]. Setting to 1."
            draft.server.quorum = integer(value, in: 1...Int(UInt32.max), else: message) ?? 1
        case "hysteresis":
            let message =
                "Hysteresis \(value.text) must be in [0, \(UInt32.max)] - ignoring"
            draft.server.hysteresis =
                integer(value, in: counts, else: message) ?? draft.server.hysteresis
        case "quorum_up", "quorum_down":
            let path: WritableKeyPath<VirtualServer, Command?> =
                inner.name == "quorum_up" ? \.quorumUp : \.quorumDown
            readOnce(inner, path, of: &draft.server)
        case "weight":
            let message = "Virtual server weight \(value.text) is outside range 1-2147483647"
            draft.weight =
                integer(value, in: 1...Int(Int32.max), else: message) ?? draft.weight
        case "alpha": draft.server.startsDown = true
        case "omega": draft.server.notifiesAtEnd = true
        case "ha_suspend": draft.server.suspendsWithoutAddress = true
        case "inhibit_on_failure": draft.isInhibitedOnFailure = true
        case "smtp_alert":
            let message = "Invalid virtual_server smtp_alert parameter \(value.text)"
            draft.smtpAlert = bool(inner, else: message) ?? draft.smtpAlert
        case "virtualhost":
            if inner.arguments.isEmpty {
                adjusted(inner.position, "virtual server virtualhost missing")
            } else {
                draft.server.virtualHost = value.text
            }
        case "snmp_name":
            if inner.arguments.count != 1 {
                adjusted(
                    inner.position, "virtual server snmp_name missing or extra parameters")
            }
        default: return false
        }
        return true
    }
}
