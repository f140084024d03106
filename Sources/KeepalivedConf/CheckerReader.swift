import NetworkTypes

/// A checker as far as it is written.
struct CheckerDraft {
    var kind: Checker.Kind
    var connection: Checker.Connection?
    var options = CheckOptions()
    var startsDown: Bool?
    var logsAllFailures: Bool?
    /// What the kind of checker does where nobody says how often and how long.
    var standardRetries = 1
    var standardDelayBeforeRetry: Duration? = .seconds(1)
    var position: SourcePosition
}

/// Reads a checker's block.
struct CheckerReader: Reading {
    var diagnostics: [ConfDiagnostic] = []
    let files: [String]
    let server: RealServer

    init(files: [String], server: RealServer) {
        self.files = files
        self.server = server
    }

    /// The checkers that the block makes: one, but for `SMTP_CHECK` with hosts; none, and reported,
    /// when keepalived would leave it out.
    mutating func read(_ statement: Statement) -> [CheckerDraft] {
        let end = statement.endPosition ?? statement.position
        var draft = CheckerDraft(kind: .tcp, position: statement.position)
        let hasConnection = !["MISC_CHECK", "FILE_CHECK", "BFD_CHECK"].contains(statement.name)
        if hasConnection {
            draft.connection = Checker.Connection(address: server.address, port: server.port)
        }
        var own: [Statement] = []
        var saysWhere = false
        for inner in statement.body
        where !inner.rule.requiresParameter || !inner.arguments.isEmpty {
            if hasConnection, readConnection(inner, into: &draft) {
                saysWhere = true
                continue
            }
            if !readCommon(inner, into: &draft) { own.append(inner) }
        }
        guard let kind = readKind(statement, own, end: end, into: &draft) else { return [] }
        draft.kind = kind
        let hosts = readHosts(own, of: draft, end: end)
        guard saysWhere || hosts.isEmpty else { return hosts }
        return hasWay(draft, end: end) ? [draft] + hosts : []
    }

    /// Whether it says how to get there, or need not.
    private mutating func hasWay(_ draft: CheckerDraft, end: SourcePosition) -> Bool {
        guard let connection = draft.connection, case .v6(let address) = connection.address,
            address.isLinkLocal, connection.interface == nil
        else { return true }
        adjusted(end, "Checker link local address \(address) requires a bind_if")
        return false
    }

    /// The checkers of the hosts in a block, each like the block's own but for where it connects;
    /// that one is there besides only if the block itself says something about connecting.
    ///
    /// keepalived 2.2.7 gives a host without `connect_timeout` no time at all, so that it always
    /// fails; here it has the real server's.
    private mutating func readHosts(
        _ own: [Statement], of draft: CheckerDraft, end: SourcePosition
    ) -> [CheckerDraft] {
        var hosts: [CheckerDraft] = []
        for inner in own where inner.name == "host" {
            var host = draft
            host.connection = Checker.Connection(address: server.address, port: server.port)
            host.options.connectTimeout = nil
            for statement in inner.body { _ = readConnection(statement, into: &host) }
            if hasWay(host, end: inner.endPosition ?? inner.position) { hosts.append(host) }
        }
        if !hosts.isEmpty {
            note(
                end, "The SMTP_CHECK host block is deprecated. Please define additional checkers.")
        }
        return hosts
    }

    private mutating func readKind(
        _ statement: Statement, _ own: [Statement], end: SourcePosition,
        into draft: inout CheckerDraft
    ) -> Checker.Kind? {
        switch statement.name {
        case "TCP_CHECK": return .tcp
        case "PING_CHECK": return .ping
        case "HTTP_GET", "SSL_GET":
            draft.standardDelayBeforeRetry = .seconds(3)
            var reader = HTTPCheckReader(usesTLS: statement.name == "SSL_GET")
            let check = reader.read(own, end: end, options: &draft.options)
            diagnostics += reader.diagnostics
            return check.map { .http($0) }
        case "SMTP_CHECK": return readSMTP(own)
        case "DNS_CHECK":
            draft.standardRetries = 3
            draft.standardDelayBeforeRetry = nil
            return readDNS(own)
        case "MISC_CHECK":
            draft.standardRetries = 0
            return readMisc(own, end: end)
        case "UDP_CHECK": return readUDP(own, end: end)
        case "FILE_CHECK": return readFile(own, end: end)
        case "BFD_CHECK": return readBFD(own, end: end)
        default: return nil
        }
    }

    // MARK: What checkers have in common

    private mutating func readConnection(
        _ inner: Statement, into draft: inout CheckerDraft
    ) -> Bool {
        guard var connection = draft.connection else { return false }
        let value = inner.value
        switch inner.name {
        case "connect_ip", "bindto":
            let isSource = inner.name == "bindto"
            guard let address = hostAddress(value.text) else {
                adjusted(
                    value.position, "Invalid \(inner.name) address \(value.text) - ignoring")
                return true
            }
            let other = isSource ? connection.address.family : connection.source?.family
            guard other ?? address.family == address.family else {
                adjusted(
                    value.position,
                    "\(inner.name) address \(value.text) does not match address family of"
                        + " \(isSource ? "connect_ip" : "bindto") - skipping")
                return true
            }
            if isSource { connection.source = address } else { connection.address = address }
        case "connect_port", "bind_port":
            let message = "Invalid checker \(inner.name) '\(value.text)'"
            guard let port = integer(value, in: 1...65535, else: message) else { return true }
            if inner.name == "connect_port" {
                connection.port = UInt16(port)
            } else {
                connection.sourcePort = UInt16(port)
            }
        case "bind_if":
            connection.interface = InterfaceName(value.text)
            if connection.interface == nil {
                adjusted(
                    value.position, "Interface name \(value.text) is too long - ignoring")
            }
        case "fwmark":
            let message = "Invalid fwmark connection value '\(value.text)'"
            connection.firewallMark = integer(value, in: 0...Int(UInt32.max), else: message)
                .map { UInt32($0) }
        case "connect_timeout":
            draft.options.connectTimeout = seconds(
                value, in: .microseconds(1) ... .microseconds(4_294_967_295),
                else: "connect_timeout \(value.text) invalid - ignoring")
        default: return false
        }
        draft.connection = connection
        return true
    }

    private mutating func readCommon(_ inner: Statement, into draft: inout CheckerDraft) -> Bool {
        let value = inner.value
        let times = Duration.zero...CheckOptions.longest
        switch inner.name {
        case "retry":
            let message = "Invalid retry connection value '\(value.text)'"
            draft.options.retries =
                integer(value, in: 0...Int(UInt32.max), else: message) ?? draft.options.retries
        case "delay_before_retry":
            draft.options.delayBeforeRetry = seconds(
                value, in: times,
                else: "Invalid delay_before_retry connection value '\(value.text)'")
        case "warmup":
            draft.options.warmup = seconds(
                value, in: times, else: "Invalid warmup connection value '\(value.text)'")
        case "delay_loop":
            draft.options.delayLoop = seconds(
                value, in: .microseconds(1)...CheckOptions.longest,
                else: "delay_loop '\(value.text)' is invalid - ignoring")
        case "alpha":
            draft.startsDown = bool(inner, else: "Invalid alpha parameter \(value.text)")
        case "log_all_failures":
            draft.logsAllFailures = bool(
                inner, else: "Invalid log_all_failures parameter \(value.text)")
        default: return false
        }
        return true
    }

    // MARK: Each kind

    private mutating func readSMTP(_ own: [Statement]) -> Checker.Kind {
        var name = "smtpchecker.keepalived.org"
        for inner in own where inner.name == "helo_name" {
            if inner.arguments.isEmpty {
                adjusted(inner.position, "SMTP_CHECK helo name missing")
            } else {
                name = inner.value.text
            }
        }
        return .smtp(heloName: name)
    }

    private mutating func readDNS(_ own: [Statement]) -> Checker.Kind {
        var type = Checker.DNSType.soa
        var name: String?
        for inner in own {
            let value = inner.value
            switch inner.name {
            case "type":
                let written = Checker.DNSType(rawValue: value.text.uppercased())
                type = written ?? type
                if written == nil {
                    adjusted(
                        value.position, "Unknown DNS check type \(value.text) - ignoring")
                }
            case "name":
                guard name == nil else {
                    adjusted(
                        value.position, "DNS_CHECK name already specified - ignoring")
                    continue
                }
                guard !value.text.contains(".."), !value.text.hasPrefix(".") || value.text == "."
                else {
                    adjusted(
                        value.position,
                        "DNS_CHECK name '\(value.text)' has empty label - ignoring")
                    continue
                }
                name = value.text
            default: break
            }
        }
        return .dns(type: type, name: name ?? ".")
    }

    private mutating func readMisc(_ own: [Statement], end: SourcePosition) -> Checker.Kind? {
        var check = MiscCheck(command: Command(arguments: [], user: [], position: end))
        for inner in own {
            let value = inner.value
            switch inner.name {
            case "misc_path":
                let user = check.command.user
                check.command = command(inner) ?? check.command
                check.command.user = user
            case "misc_timeout":
                let message = "Invalid misc_timeout value '\(value.text)'"
                check.timeout =
                    integer(value, in: 0...4294, else: message)
                    .map { .seconds($0) } ?? check.timeout
            case "misc_dynamic": check.setsWeight = true
            case "user":
                if inner.arguments.isEmpty {
                    adjusted(
                        inner.position,
                        "No user specified for misc checker script"
                            + " \(check.command.arguments.joined(separator: " "))")
                }
                check.command.user = inner.arguments.map(\.text)
            default: break
            }
        }
        guard !check.command.arguments.isEmpty else {
            adjusted(
                end, "No script path has been specified for MISC_CHECKER - skipping")
            return nil
        }
        return .misc(check)
    }

    private mutating func readFile(_ own: [Statement], end: SourcePosition) -> Checker.Kind? {
        var file: String?
        var weight: Int?
        var isReversed = false
        for inner in own {
            let value = inner.value
            switch inner.name {
            case "track_file":
                if files.contains(value.text) {
                    file = value.text
                } else {
                    adjusted(value.position, "track_file \(value.text) not found")
                }
            case "weight":
                guard !inner.arguments.isEmpty else {
                    adjusted(inner.position, "track file weight missing")
                    continue
                }
                let limit = Int(Int32.max)
                let message =
                    "weight for track file must be in [-\(limit)..\(limit)] inclusive. Ignoring..."
                guard let number = integer(value, in: -limit...limit, else: message) else {
                    continue
                }
                switch inner.arguments.dropFirst().first?.text {
                case nil, "noreverse": isReversed = false
                case "reverse": isReversed = true
                case let other?:
                    adjusted(
                        value.position, "unknown track file weight option \(other) - ignoring")
                    continue
                }
                weight = number
            default: break
            }
        }
        guard let file else {
            adjusted(end, "FILE_CHECK has no track_file specified - ignoring")
            return nil
        }
        return .file(trackFile: file, weight: weight, isReversed: isReversed)
    }

    private mutating func readBFD(_ own: [Statement], end: SourcePosition) -> Checker.Kind? {
        guard let name = own.last(where: { $0.name == "name" }), name.arguments.count == 1 else {
            adjusted(
                end,
                "(\(server.address)) No name has been specified for BFD_CHECKER - skipping")
            return nil
        }
        return .bfd(name: name.value.text)
    }
}
