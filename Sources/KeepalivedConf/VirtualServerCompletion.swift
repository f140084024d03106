import NetworkTypes

/// Fills in what a virtual server leaves to defaults and corrects what does not go together, in the
/// order of keepalived's `validate_check_config`, of which the messages are.
struct VirtualServerCompletion: Reading {
    var diagnostics: [ConfDiagnostic] = []
    private let draft: VirtualServerDraft
    private let global: GlobalDefinitions
    private var server: VirtualServer
    /// The group it is for.
    private let group: VirtualServerGroup?

    init(_ draft: VirtualServerDraft, groups: [VirtualServerGroup], global: GlobalDefinitions) {
        self.draft = draft
        self.global = global
        server = draft.server
        if case .group(let name) = draft.server.target {
            group = groups.first { $0.name == name }
        } else {
            group = nil
        }
    }

    /// The service; nil, and reported, when keepalived would leave it out.
    mutating func complete() -> VirtualServer? {
        if case .group(let name) = server.target, group == nil {
            say("Virtual server group \(name) specified but not configured - ignoring")
            return nil
        }
        guard !draft.realServers.isEmpty else {
            say("Virtual server \(title) has no real servers - ignoring")
            return nil
        }
        checkTarget()
        server.forwarding = draft.forwarding ?? .translation
        if !draft.schedulerIsWritten {
            say("Virtual server \(title): no scheduler set, setting default 'wlc'")
        }
        server.smtpAlert = draft.smtpAlert ?? global.smtpAlertChecker ?? false
        completeRealServers()
        completeSorryServer()
        completeQuorum()
        if let group { checkPorts(group) }
        return server
    }

    private mutating func say(_ message: String) {
        adjusted(server.position, message, namesLine: false)
    }

    private var title: String { server.title }

    private func title(_ address: IPAddress, _ port: UInt16?) -> String {
        server.title(of: address, port)
    }

    // MARK: What clients connect to

    private mutating func checkTarget() {
        let hasMarks =
            group.map { $0.entries.contains(where: \.isMark) } ?? (server.target.isMark)
        let hasAddresses =
            group.map { $0.entries.contains { !$0.isMark } } ?? !server.target.isMark
        if server.suspendsWithoutAddress, hasMarks {
            say("Virtual server \(title): cannot use ha_suspend with fwmarks - clearing ha_suspend")
            server.suspendsWithoutAddress = false
        }
        if hasAddresses {
            if server.transportProtocol == nil {
                say("Virtual server \(title): no protocol set - defaulting to UDP")
                server.transportProtocol = .udp
            }
            if server.flags.contains(.onePacket), server.transportProtocol != .udp {
                say("Virtual server \(title): one packet scheduling requires UDP - resetting")
                server.flags.remove(.onePacket)
            }
            if server.persistenceTimeout == nil, lacksPort {
                say(
                    "Virtual server \(title): zero port only valid for persistent services -"
                        + " setting")
                server.persistenceTimeout = .seconds(360)
            }
        } else if hasMarks, server.transportProtocol != nil {
            say(
                "Warning: Virtual server \(title): protocol specified for fwmark - protocol will"
                    + " be ignored")
            server.transportProtocol = nil
        }
    }

    private var lacksPort: Bool {
        if let group {
            return group.entries.contains {
                if case .addresses(_, _, nil) = $0 { true } else { false }
            }
        }
        if case .address(_, nil) = server.target { return true }
        return false
    }

    // MARK: Real servers

    private mutating func completeRealServers() {
        for real in draft.realServers {
            var completed = real.server
            let isDuplicate = server.realServers.contains {
                $0.address == completed.address && $0.port == completed.port
            }
            if isDuplicate {
                say(
                    "VS \(title): real server \(title(completed.address, completed.port)) is"
                        + " duplicated - removing second rs")
                continue
            }
            if real.forwarding == nil, draft.forwarding == nil, server.realServers.isEmpty {
                say("Virtual server \(title): no forwarding method set, setting default NAT")
            }
            completed.forwarding = real.forwarding ?? server.forwarding
            completed.startsDown = real.startsDown ?? server.startsDown
            completed.isInhibitedOnFailure =
                real.isInhibitedOnFailure ?? draft.isInhibitedOnFailure
            completed.weight = real.weight ?? draft.weight
            completed.smtpAlert = real.smtpAlert ?? global.smtpAlertChecker ?? true
            completed.virtualHost = completed.virtualHost ?? server.virtualHost
            completePort(of: &completed.port, address: completed.address, completed.forwarding)
            completed.checkers = real.checkers.map { complete($0, of: real, completed) }
            server.realServers.append(completed)
        }
        server.delayLoop = draft.options.delayLoop ?? server.delayLoop
    }

    /// Only address translation can change the port.
    private mutating func completePort(
        of port: inout UInt16?, address: IPAddress, _ forwarding: VirtualServer.Forwarding
    ) {
        let name = title(address, port)
        switch (server.target, forwarding) {
        case (.address(_, let own), .translation): port = port ?? own
        case (.address(_, let own), _):
            if port != nil, port != own {
                say(
                    "WARNING - virtual server \(title) and real server \(name) ports don't match -"
                        + " resetting")
            }
            port = own
        case (.firewallMark, .translation), (.group, _): break
        case (.firewallMark, _):
            guard port != nil else { return }
            say(
                "WARNING - fwmark virtual server \(title), real server \(name) has port specified"
                    + " - clearing")
            port = nil
        }
    }

    /// The port of a machine that packets reach as they are counts for nothing in a group.
    private mutating func checkPorts(_ group: VirtualServerGroup) {
        let machines = server.realServers.filter { $0.forwarding != .translation && $0.port != nil }
        let sorry = server.sorryServer.flatMap { $0.forwarding == .translation ? nil : $0.port }
        let ignored = "sorry server has port specified - port will be ignored"
        if group.entries.contains(where: \.isMark) {
            for machine in machines {
                say(
                    "WARNING - fwmark virtual server \(title), real server"
                        + " \(server.title(of: machine)) has port specified - port will be ignored")
            }
            if sorry != nil { say("WARNING - fwmark virtual server \(title), \(ignored)") }
        }
        for entry in group.entries where !entry.isMark {
            for machine in machines where machine.port != entry.port {
                say(
                    "virtual server \(title):[\(entry.text)] and real server"
                        + " \(server.title(of: machine)) ports don't match")
            }
            if let sorry, sorry != entry.port {
                say("WARNING - virtual server \(title), \(ignored)")
            }
        }
    }

    private func complete(
        _ checker: CheckerDraft, of real: RealServerDraft, _ server: RealServer
    ) -> Checker {
        let (own, outer, outermost) = (checker.options, real.options, draft.options)
        let delayLoop =
            own.delayLoop ?? outer.delayLoop ?? outermost.delayLoop ?? self.server.delayLoop
        var connection = checker.connection
        connection?.timeout =
            own.connectTimeout ?? outer.connectTimeout ?? outermost.connectTimeout ?? .seconds(5)
        if connection?.port == nil { connection?.port = server.port }
        return Checker(
            kind: checker.kind, connection: connection,
            retries: own.retries ?? outer.retries ?? outermost.retries ?? checker.standardRetries,
            delayBeforeRetry: own.delayBeforeRetry ?? outer.delayBeforeRetry
                ?? outermost.delayBeforeRetry ?? checker.standardDelayBeforeRetry ?? delayLoop,
            warmup: own.warmup ?? outer.warmup ?? outermost.warmup ?? delayLoop,
            delayLoop: delayLoop, startsDown: checker.startsDown ?? server.startsDown,
            logsAllFailures: checker.logsAllFailures ?? false, position: checker.position)
    }

    // MARK: Sorry server and quorum

    private mutating func completeSorryServer() {
        guard var sorry = server.sorryServer else { return }
        sorry.forwarding = draft.sorryForwarding ?? server.forwarding
        if case .tunnel = sorry.forwarding {
        } else if sorry.address.family != server.family {
            say(
                "Address family of virtual server and sorry server \(sorry.address) don't match -"
                    + " skipping sorry server.")
            server.sorryServer = nil
            return
        }
        if sorry.forwarding != .translation {
            switch server.target {
            case .group: break
            case .firewallMark:
                if sorry.port != nil {
                    say(
                        "WARNING - virtual server \(title), sorry server has port specified -"
                            + " clearing")
                    sorry.port = nil
                }
            case .address(_, let port):
                if sorry.port != nil, sorry.port != port {
                    say(
                        "WARNING - virtual server \(title) and sorry server ports don't match -"
                            + " resetting")
                }
                sorry.port = port
            }
        }
        server.sorryServer = sorry
    }

    private mutating func completeQuorum() {
        let weights = server.realServers.reduce(0) { $0 + $1.weight }
        if server.quorum > weights {
            say(
                "Warning - quorum \(server.quorum) for \(title) exceeds total weight of real"
                    + " servers \(weights), reducing quorum to \(weights)")
            server.quorum = weights
        }
        if server.hysteresis >= server.quorum {
            say(
                "Virtual server \(title): hysteresis \(server.hysteresis) >= quorum"
                    + " \(server.quorum); setting hysteresis to \(server.quorum - 1)")
            server.hysteresis = max(server.quorum - 1, 0)
        }
    }
}

extension VirtualServerGroup.Entry {
    /// Its port; nil: all, or none because it is a mark.
    fileprivate var port: UInt16? {
        if case .addresses(_, _, let port) = self { port } else { nil }
    }

    /// `192.0.2.1-192.0.2.9,80`, as keepalived writes it here.
    fileprivate var text: String {
        switch self {
        case .firewallMark(let mark, _): "FWM \(mark)"
        case .addresses(let first, let last, let port):
            "\(first)" + (first == last ? "" : "-\(last)") + ",\(port ?? 0)"
        }
    }
}

extension VirtualServer.Target {
    fileprivate var isMark: Bool { if case .firewallMark = self { true } else { false } }
}
