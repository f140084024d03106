import NetworkTypes

/// Reads a `real_server`.
struct RealServerReader: Reading {
    var diagnostics: [ConfDiagnostic] = []
    let files: [String]
    /// Where the virtual server stands.
    let serverPosition: SourcePosition

    init(files: [String], serverPosition: SourcePosition) {
        self.files = files
        self.serverPosition = serverPosition
    }

    /// The server; nil, and reported, when keepalived would leave it out.
    mutating func read(
        _ statement: Statement, of virtual: inout VirtualServerDraft
    ) -> RealServerDraft? {
        guard let server = address(statement, kind: "real") else { return nil }
        var draft = RealServerDraft(
            server: RealServer(
                address: server.address, port: server.port, position: statement.position))
        // What is written above it counts, not what follows.
        draft.forwarding = virtual.forwarding
        for inner in statement.body
        where !inner.rule.requiresParameter || !inner.arguments.isEmpty {
            if case .block = inner.rule.form {
                var reader = CheckerReader(files: files, server: draft.server)
                draft.checkers += reader.read(inner)
                diagnostics += reader.diagnostics
            } else if !readSetting(inner, into: &draft) {
                readCheckOption(inner, into: &draft.options, owner: "real server")
            }
        }
        if case .tunnel = draft.forwarding { return draft }
        let family = server.address.family
        guard virtual.family ?? family == family else {
            adjusted(
                statement.endPosition ?? statement.position,
                "Address family of virtual server and real server \(server.address) don't match -"
                    + " skipping real server.")
            return nil
        }
        virtual.family = family
        return draft
    }

    private mutating func readSetting(
        _ inner: Statement, into draft: inout RealServerDraft
    ) -> Bool {
        let value = inner.value
        switch inner.name {
        case "weight":
            let message = "Real server weight \(value.text) is outside range 0-2147483647"
            draft.weight =
                integer(value, in: 0...Int(Int32.max), else: message) ?? draft.weight
        case "lvs_method":
            draft.forwarding = forwarding(inner, server: "real") ?? draft.forwarding
        case "uthreshold", "lthreshold":
            let path: WritableKeyPath<RealServer, Int> =
                inner.name == "uthreshold" ? \.upperThreshold : \.lowerThreshold
            let message = "Invalid real_server \(inner.name) '\(value.text)' - ignoring"
            draft.server[keyPath: path] =
                integer(value, in: 0...Int(UInt32.max), else: message)
                ?? draft.server[keyPath: path]
        case "inhibit_on_failure":
            let message = "Invalid inhibit_on_failure parameter \(value.text)"
            draft.isInhibitedOnFailure =
                bool(inner, else: message) ?? draft.isInhibitedOnFailure
        case "alpha":
            draft.startsDown =
                bool(inner, else: "Invalid alpha parameter \(value.text)") ?? draft.startsDown
        case "smtp_alert":
            let message = "Invalid real_server smtp_alert parameter \(value.text)"
            draft.smtpAlert = bool(inner, else: message) ?? draft.smtpAlert
        case "notify_up": readOnce(inner, \.notifyUp, of: &draft.server)
        case "notify_down": readOnce(inner, \.notifyDown, of: &draft.server)
        case "virtualhost":
            if inner.arguments.isEmpty {
                adjusted(inner.position, "real server virtualhost missing")
            } else {
                draft.server.virtualHost = value.text
            }
        case "snmp_name":
            if inner.arguments.count != 1 {
                adjusted(inner.position, "real server snmp_name missing or extra parameters")
            }
        default: return false
        }
        return true
    }
}

extension Reading {
    /// Reads `ADDRESS [PORT]` of a real or a sorry server.
    mutating func address(
        _ statement: Statement, kind: String
    ) -> (address: IPAddress, port: UInt16?)? {
        let value = statement.value
        let second = statement.arguments.dropFirst().first
        let message =
            kind == "real"
            ? "Invalid real server ip address/port \(value.text)/\(second?.text ?? "(null)") -"
                + " skipping"
            : "Invalid sorry server IP address \(value.text) - skipping"
        var port: UInt16?
        if let second, second.text.utf8.contains(where: { $0 != UInt8(ascii: "0") }) {
            guard let number = integer(second, in: 1...65535, else: message) else { return nil }
            port = UInt16(number)
        }
        guard let address = hostAddress(value.text) else {
            adjusted(value.position, message)
            return nil
        }
        return (address, port)
    }

    /// Reads a command of which the first counts.
    mutating func readOnce<Root>(
        _ inner: Statement, _ path: WritableKeyPath<Root, Command?>, of root: inout Root
    ) {
        guard root[keyPath: path] == nil else {
            adjusted(
                inner.position,
                "((null)) \(inner.name) script already specified - ignoring"
                    + " \(inner.value.text)")
            return
        }
        root[keyPath: path] = command(inner)
    }

    /// Reads `connect_timeout` and its kin, of a virtual or a real server.
    mutating func readCheckOption(
        _ inner: Statement, into options: inout CheckOptions, owner: String
    ) {
        let value = inner.value
        let positive = Duration.microseconds(1)...CheckOptions.longest
        switch inner.name {
        case "connect_timeout":
            options.connectTimeout =
                seconds(
                    value, in: .microseconds(1) ... .microseconds(4_294_967_295),
                    else: "\(owner) connect_timeout \(value.text) invalid - ignoring")
                ?? options.connectTimeout
        case "delay_loop":
            let name = owner == "virtual server" ? "delay loop" : "delay_loop"
            options.delayLoop =
                seconds(
                    value, in: positive,
                    else: "\(owner) \(name) '\(value.text)' invalid - ignoring")
                ?? options.delayLoop
        case "delay_before_retry":
            let name = owner == "virtual server" ? "delay before retry" : "delay_before_retry"
            options.delayBeforeRetry =
                seconds(
                    value, in: .zero...CheckOptions.longest,
                    else: "\(owner) \(name) '\(value.text)' invalid - ignoring")
                ?? options.delayBeforeRetry
        case "warmup":
            options.warmup =
                seconds(
                    value, in: .zero...CheckOptions.longest,
                    else: "\(owner) warmup '\(value.text)' invalid - ignoring")
                ?? options.warmup
        case "retry":
            options.retries =
                integer(
                    value, in: 1...Int(UInt32.max), isStrict: true,
                    else: "retry value invalid - \(value.text)") ?? options.retries
        default: break
        }
    }

    /// Reads `NAT`, `DR` or `TUN [type ...] [port ...] [csum...]`; nil, and reported, when
    /// keepalived ignores the line.
    mutating func forwarding(_ inner: Statement, server: String) -> VirtualServer.Forwarding? {
        let value = inner.value
        let isTunnel = value.text == "TUN"
        guard isTunnel || value.text == "NAT" || value.text == "DR" else {
            adjusted(
                value.position,
                "PARSER : unknown [\(value.text)] routing method for \(server) server.")
            return nil
        }
        var tunnel = VirtualServer.Tunnel()
        var rest = inner.arguments.dropFirst()
        while let option = rest.popFirst() {
            switch option.text {
            case "type":
                guard let word = rest.popFirst() else {
                    adjusted(option.position, "Missing tunnel type for \(server) server.")
                    return nil
                }
                guard let kind = VirtualServer.Tunnel.Kind(rawValue: word.text) else {
                    adjusted(
                        word.position, "Unknown tunnel type \(word.text) for \(server) server.")
                    return nil
                }
                tunnel.kind = kind
            case "port":
                guard let word = rest.popFirst() else {
                    adjusted(option.position, "Missing port for \(server) server gue tunnel.")
                    return nil
                }
                let message = "Invalid gue tunnel port \(word.text) for \(server) server."
                guard let port = integer(word, in: 1...65535, isStrict: true, else: message)
                else { return nil }
                tunnel.port = UInt16(port)
            default:
                guard let checksum = VirtualServer.Tunnel.Checksum(rawValue: option.text) else {
                    adjusted(
                        option.position,
                        "Invalid tunnel option \(option.text) for \(server) server.")
                    return nil
                }
                tunnel.checksum = checksum
            }
        }
        guard isConsistent(tunnel, inner.position) else { return nil }
        return isTunnel ? .tunnel(tunnel) : value.text == "NAT" ? .translation : .directRouting
    }

    private mutating func isConsistent(
        _ tunnel: VirtualServer.Tunnel, _ position: SourcePosition
    ) -> Bool {
        if (tunnel.kind == .gue) != (tunnel.port != nil) {
            adjusted(position, "gue tunnels require port, otherwise cannot have port.")
            return false
        }
        if tunnel.kind == .ipip, tunnel.checksum != .none {
            adjusted(position, "ipip tunnels do not support checksum option.")
            return false
        }
        if tunnel.kind == .gre, tunnel.checksum == .remote {
            adjusted(position, "gre tunnels do not support remote checksum option.")
            return false
        }
        return true
    }
}
