import NetworkTypes

/// Reads a `virtual_server` as data; what keepalived's checker process says about its values is
/// said here, but nothing of it concerns the virtual routers.
struct VirtualServerReader: Reading {
    var diagnostics: [ConfDiagnostic] = []

    private static let schedulers: Set<String> = [
        "rr", "wrr", "lc", "wlc", "lblc", "sh", "mh", "dh", "fo", "ovf", "lblcr", "sed", "nq",
        "twos",
    ]
    private static let methods: Set<String> = ["NAT", "DR", "TUN"]
    private static let protocols: Set<String> = ["TCP", "UDP", "SCTP"]

    /// The service; nil, and reported, when keepalived would leave it out.
    mutating func read(_ statement: Statement) -> VirtualServer? {
        guard let target = readTarget(statement) else { return nil }
        let realServers = statement.body.filter { $0.name == "real_server" }
        let options = statement.body.filter { $0.name != "real_server" }
        for option in options { check(option) }
        let server = VirtualServer(
            target: target, options: options.map(readOption),
            realServers: realServers.compactMap { readRealServer($0) },
            position: statement.position)
        guard !realServers.isEmpty || options.contains(where: { $0.name == "sorry_server" }) else {
            adjusted(
                statement.position,
                "Virtual server [\(statement.value.text)] has no real servers - ignoring",
                namesLine: false)
            return nil
        }
        return server
    }

    private mutating func readTarget(_ statement: Statement) -> VirtualServer.Target? {
        let value = statement.value
        let second = statement.arguments.dropFirst().first
        switch value.text {
        case "fwmark":
            guard let second else { break }
            let message = "Invalid fwmark '\(second.text)' - skipping"
            return integer(second, in: 0...Int(UInt32.max), else: message)
                .map { .firewallMark(UInt32($0)) }
        case "group":
            guard let second else { break }
            return .group(second.text)
        default: break
        }
        guard let address = IPAddress(value.text) else {
            adjusted(
                value.position, "Invalid virtual server IP address \(value.text) - skipping")
            return nil
        }
        return .address(address, port: second.flatMap { readPort($0) })
    }

    private mutating func readRealServer(_ statement: Statement) -> VirtualServer.RealServer? {
        let value = statement.value
        guard let address = IPAddress(value.text) else {
            adjusted(
                value.position, "Invalid real server IP address \(value.text) - skipping")
            return nil
        }
        var options: [VirtualServer.Option] = []
        var checkers: [VirtualServer.Option] = []
        for inner in statement.body {
            let option = readOption(inner)
            if case .block = inner.rule.form {
                checkers.append(option)
                checkRetry(inner)
            } else {
                options.append(option)
            }
        }
        return VirtualServer.RealServer(
            address: address, port: statement.arguments.dropFirst().first.flatMap { readPort($0) },
            options: options, checkers: checkers, position: statement.position)
    }

    private mutating func readPort(_ word: Word) -> UInt16? {
        integer(word, in: 1...65535, else: "Invalid port '\(word.text)'").map { UInt16($0) }
    }

    private func readOption(_ statement: Statement) -> VirtualServer.Option {
        VirtualServer.Option(
            keyword: statement.name, values: statement.arguments.map(\.text),
            options: statement.body.map(readOption), position: statement.position)
    }

    private mutating func check(_ option: Statement) {
        let value = option.value
        switch option.name {
        case "lb_algo", "lvs_sched":
            if !Self.schedulers.contains(value.text) {
                adjusted(value.position, "Invalid lvs_scheduler '\(value.text)' - ignoring")
            }
        case "lb_kind", "lvs_method":
            if !Self.methods.contains(value.text) {
                adjusted(
                    value.position,
                    "PARSER : unknown [\(value.text)] routing method for virtual server.")
            }
        case "protocol":
            if !Self.protocols.contains(value.text) {
                adjusted(value.position, "Unknown protocol \(value.text) - ignoring")
            }
        default: break
        }
    }

    private mutating func checkRetry(_ checker: Statement) {
        for inner in checker.body where inner.name == "nb_get_retry" {
            adjusted(inner.position, "nb_get_retry is deprecated - please use 'retry'")
        }
    }
}
