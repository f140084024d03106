import NetworkTypes

/// Makes a configuration of statements, in two steps as keepalived does: it reads everything, then
/// completes the instances with the defaults, which may stand after them.
struct ConfigurationBuilder: Reading {
    private(set) var configuration = Configuration()
    var diagnostics: [ConfDiagnostic] = []
    private var globals = GlobalReader()
    private var drafts: [InstanceDraft] = []
    private var namesByKey: [RouterKey: String] = [:]

    /// Reads the statements of the top level.
    mutating func read(_ statements: [Statement]) {
        for statement in statements {
            reportSupport(of: statement)
            switch statement.name {
            case "global_defs":
                for inner in statement.body { globals.read(inner) }
                diagnostics += globals.diagnostics
                globals.diagnostics = []
            case "vrrp_script":
                readScript(statement)
            case "vrrp_instance":
                var reader = InstanceReader(statement, scripts: configuration.scripts.map(\.name))
                reader.read()
                diagnostics += reader.diagnostics
                drafts.append(reader.draft)
            case "virtual_server":
                var reader = VirtualServerReader()
                if let server = reader.read(statement) {
                    configuration.virtualServers.append(server)
                }
                diagnostics += reader.diagnostics
            default: break
            }
        }
    }

    /// Completes the instances.
    mutating func complete() {
        configuration.global = globals.definitions
        for draft in drafts {
            var completion = InstanceCompletion(draft, globals: globals)
            let instance = completion.complete()
            diagnostics += completion.diagnostics
            guard let instance else { continue }
            reportClash(of: instance, at: draft.virtualRouterIDPosition ?? draft.position)
            configuration.instances.append(instance)
        }
    }

    /// What only one instance may have.
    private struct RouterKey: Hashable {
        var virtualRouterID: UInt8
        var interface: InterfaceName
        var family: IPAddress.Family
    }

    /// A virtual router's number is its own on an interface, per family.
    private mutating func reportClash(of instance: VRRPInstance, at position: SourcePosition) {
        let key = RouterKey(
            virtualRouterID: instance.virtualRouterID, interface: instance.interface,
            family: instance.family)
        guard let other = namesByKey[key] else {
            namesByKey[key] = instance.name
            return
        }
        let family = instance.family == .v4 ? "IPv4" : "IPv6"
        refused(
            position,
            "\(other) and \(instance.name) both use VRID \(instance.virtualRouterID) with"
                + " \(family) on interface \(instance.interface)", namesLine: false)
    }

    /// Says what vrrp-agent does not do, once for each keyword, or for the block it stands in.
    private mutating func reportSupport(of statement: Statement) {
        switch statement.rule.support {
        case .full:
            for inner in statement.body { reportSupport(of: inner) }
        case .notYet:
            diagnostics.append(
                ConfDiagnostic(
                    statement.position, .warning, .notSupportedYet,
                    "'\(statement.name)': known to keepalived, not supported yet by vrrp-agent"))
        case .noEffect:
            diagnostics.append(
                ConfDiagnostic(
                    statement.position, .note, .noEffect,
                    "'\(statement.name)' has no effect in vrrp-agent"))
        }
    }

    private mutating func readScript(_ statement: Statement) {
        guard !statement.arguments.isEmpty else { return }
        var reader = ScriptReader(statement)
        let script = reader.read()
        diagnostics += reader.diagnostics
        // Of two with one name, keepalived tracks the first.
        if let script { configuration.scripts.append(script) }
    }
}

/// Reads a `vrrp_script`.
private struct ScriptReader: Reading {
    var diagnostics: [ConfDiagnostic] = []
    private let statement: Statement
    private var script: VRRPScript

    init(_ statement: Statement) {
        self.statement = statement
        script = VRRPScript(
            name: statement.value.text,
            command: Command(arguments: [], user: [], position: statement.position),
            position: statement.position)
    }

    mutating func read() -> VRRPScript? {
        for inner in statement.body where !inner.arguments.isEmpty || inner.name == "init_fail" {
            read(inner)
        }
        guard !script.command.arguments.isEmpty else {
            adjusted(
                statement.endPosition ?? statement.position,
                "No script set for vrrp_script \(script.name) - removing")
            return nil
        }
        return script
    }

    private mutating func read(_ inner: Statement) {
        let value = inner.value
        let name = "(\(script.name)): vrrp script"
        let counts = 1...Int(Int32.max)
        switch inner.name {
        case "script":
            let user = script.command.user
            if let command = command(inner) {
                script.command = command
                if command.user.isEmpty { script.command.user = user }
            }
        case "interval":
            let message = "\(name) interval '\(value.text)' must be between 1 and 4294 - ignoring"
            guard let count = integer(value, in: 0...4294, else: message) else { return }
            if count == 0 {
                adjusted(value.position, "\(name) interval must be greater than 0, setting to 1")
            }
            script.interval = .seconds(max(count, 1))
        case "timeout":
            let message = "\(name) timeout '\(value.text)' invalid - ignoring"
            script.timeout = integer(value, in: 1...4294, else: message).map { .seconds($0) }
        case "weight":
            let message =
                "vrrp_script \(script.name) weight \(value.text) must be in [-253, 253]"
            script.weight = integer(value, in: -253...253, else: message) ?? script.weight
            script.isReversed = inner.arguments.dropFirst().first?.text == "reverse"
        case "rise":
            let message = "\(name) rise value '\(value.text)' invalid, defaulting to 1"
            script.rise = integer(value, in: counts, else: message) ?? 1
        case "fall":
            let message = "\(name) fall value '\(value.text)' invalid, defaulting to 1"
            script.fall = integer(value, in: counts, else: message) ?? 1
        case "user": script.command.user = inner.arguments.map(\.text)
        case "init_fail": script.startsFailed = true
        default: break
        }
    }
}
