import NetworkTypes

/// Reads a `vrrp_script`.
struct ScriptReader: Reading {
    var diagnostics: [ConfDiagnostic] = []
    private let statement: Statement
    private let context: ConfigurationContext
    private let hasDefaultUser: Bool
    /// The script, where it is left out since there is nobody to run it.
    private(set) var removed: VRRPScript?
    private var script: VRRPScript
    /// Whether it has a user that the machine lacks.
    private var lacksUser = false

    /// - Parameter hasDefaultUser: whether there is somebody to run it as when it does not say.
    init(_ statement: Statement, context: ConfigurationContext, hasDefaultUser: Bool) {
        self.statement = statement
        self.context = context
        self.hasDefaultUser = hasDefaultUser
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
        if !lacksUser, script.command.user.isEmpty, !hasDefaultUser {
            lost(
                statement.endPosition ?? statement.position,
                "Unable to set default user for vrrp script \(script.name) - removing")
            removed = script
            return nil
        }
        return lacksUser ? nil : script
    }

    private mutating func readUser(_ inner: Statement) {
        let names = inner.arguments.map(\.text)
        lacksUser = !context.hasUser(names[0], names.dropFirst().first)
        if lacksUser {
            let command = script.command.arguments.map { "'\($0)'" }.joined(separator: " ")
            lost(inner.position, "Unable to set uid/gid for script \(command)")
        } else {
            script.command.user = names
        }
    }

    private mutating func read(_ inner: Statement) {
        let value = inner.value
        let name = "(\(script.name)): vrrp script"
        let counts = 1...Int(Int32.max)
        switch inner.name {
        case "script":
            let user = script.command.user
            guard let command = command(inner) else { return }
            // The words after it are nobody's: only notify commands have their user there.
            script.command = command
            script.command.user = user
        case "interval":
            let message = "\(name) interval '\(value.text)' must be between 1 and 4294 - ignoring"
            guard let count = integer(value, in: 0...4294, else: message) else { return }
            if count == 0 {
                adjusted(value.position, "\(name) interval must be greater than 0, setting to 1")
            }
            script.interval = .seconds(max(count, 1))
        case "timeout":
            let message = "\(name) timeout '\(value.text)' invalid - ignoring"
            guard let count = integer(value, in: 0...4294, else: message) else { return }
            if count == 0 {
                adjusted(value.position, "\(name) timeout must be greater than 0, setting to 1")
            }
            script.timeout = .seconds(max(count, 1))
        case "weight": readWeight(inner)
        case "rise":
            let message = "\(name) rise value '\(value.text)' invalid, defaulting to 1"
            script.rise = integer(value, in: counts, else: message) ?? 1
        case "fall":
            let message = "\(name) fall value '\(value.text)' invalid, defaulting to 1"
            script.fall = integer(value, in: counts, else: message) ?? 1
        case "user": readUser(inner)
        case "init_fail": script.startsFailed = true
        default: break
        }
    }

    private mutating func readWeight(_ inner: Statement) {
        let value = inner.value
        let message = "vrrp_script \(script.name) weight \(value.text) must be in [-253, 253]"
        // keepalived says that it must be, and takes it all the same.
        script.weight =
            integer(value, in: -253...253, else: message)
            ?? (try? readInteger(value.text, in: Int(Int32.min)...Int(Int32.max))) ?? 0
        guard let direction = inner.arguments.dropFirst().first else { return }
        if direction.text == "reverse" {
            script.isReversed = true
        } else {
            adjusted(
                direction.position,
                "vrrp_script \(script.name) unknown weight option \(direction.text)")
        }
    }
}

/// Reads a `track_file`, or `vrrp_track_file` as it was called once.
struct TrackFileReader: Reading {
    var diagnostics: [ConfDiagnostic] = []
    private let statement: Statement
    private var file: TrackFile

    init(_ statement: Statement) {
        self.statement = statement
        file = TrackFile(name: statement.value.text, position: statement.position)
    }

    mutating func read() -> TrackFile? {
        if statement.name == "vrrp_track_file" {
            note(
                statement.position, "\"vrrp_track_file\" is deprecated, please use \"track_file\"")
        }
        for inner in statement.body { read(inner) }
        guard !file.path.isEmpty else {
            adjusted(
                statement.endPosition ?? statement.position,
                "No file set for track_file \(file.name) - ignoring")
            return nil
        }
        return file
    }

    private mutating func read(_ inner: Statement) {
        switch inner.name {
        case "file":
            guard let path = inner.arguments.first else {
                adjusted(inner.position, "track file file name missing")
                return
            }
            guard file.path.isEmpty else {
                adjusted(
                    path.position,
                    "File already set for track file \(file.name) - ignoring \(path.text)")
                return
            }
            file.path = path.text
        case "weight": readWeight(inner)
        case "init_file": readInitialization(inner)
        default: break
        }
    }

    private mutating func readWeight(_ inner: Statement) {
        guard let value = inner.arguments.first else {
            adjusted(
                inner.position, "No weight specified for track file \(file.name) - ignoring")
            return
        }
        guard file.weight == 1 else {
            adjusted(
                value.position,
                "Weight already set for track file \(file.name) - ignoring \(value.text)")
            return
        }
        let message =
            "Weight (\(value.text)) for track_file \(file.name) must be between [-254..254]"
            + " inclusive. Ignoring..."
        file.weight = integer(value, in: -254...254, else: message) ?? 1
        guard let direction = inner.arguments.dropFirst().first else { return }
        if direction.text == "reverse" {
            file.isReversed = true
        } else {
            adjusted(
                direction.position,
                "track_file \(file.name) unknown weight option \(direction.text)")
        }
    }

    private mutating func readInitialization(_ inner: Statement) {
        var initialization = TrackFile.Initialization(value: 0, overwrites: false)
        for word in inner.arguments {
            let first = word.text.utf8.first { !isSpaceByte($0) }
            if word.text == "overwrite" {
                initialization.overwrites = true
            } else if first == UInt8(ascii: "-")
                || first.map({ (0x30...0x39).contains($0) }) == true
            {
                let message = "Track file \(file.name) init value \(word.text) is invalid"
                let value =
                    integer(
                        word, in: Int(Int32.min)...Int(Int32.max), isStrict: true, else: message)
                    ?? 0
                if abs(value) > 254 {
                    adjusted(
                        word.position,
                        "Track file \(file.name) init value \(value) is outside sensible range"
                            + " [-254, 254]")
                }
                initialization.value = value
            } else {
                adjusted(word.position, "Unknown track file init option \(word.text)")
            }
        }
        file.initialization = initialization
    }
}

/// Reads a `vrrp_track_process`.
struct TrackProcessReader: Reading {
    var diagnostics: [ConfDiagnostic] = []
    private let statement: Statement
    private var process: TrackProcess
    private var weightIsWritten = false

    init(_ statement: Statement) {
        self.statement = statement
        process = TrackProcess(name: statement.value.text, position: statement.position)
        // Unwritten, it is 0 in keepalived 2.2.7, whatever its manual says.
        process.weight = 0
    }

    mutating func read() -> TrackProcess? {
        for inner in statement.body
        where !inner.rule.requiresParameter || !inner.arguments.isEmpty {
            read(inner)
        }
        guard !process.arguments.isEmpty else {
            adjusted(
                statement.endPosition ?? statement.position,
                "track process '\(process.name)' process name not specified")
            return nil
        }
        return process
    }

    private mutating func read(_ inner: Statement) {
        switch inner.name {
        case "process":
            guard process.arguments.isEmpty else {
                adjusted(
                    inner.value.position,
                    "Process already set for track process \(process.name) - ignoring"
                        + " \(inner.value.text)")
                return
            }
            process.arguments = inner.arguments.map(\.text)
            if inner.arguments.count > 1 {
                process.parameterMatch = process.parameterMatch ?? .exact
                process.comparesFullCommand = true
            }
        case "param_match": readMatch(inner)
        case "full_command": process.comparesFullCommand = true
        case "weight": readWeight(inner)
        case "quorum", "quorum_max": readQuorum(inner)
        case "delay", "fork_delay", "terminate_delay": readDelay(inner)
        default: break
        }
    }

    private mutating func readMatch(_ inner: Statement) {
        guard let mode = inner.arguments.first else {
            process.parameterMatch = .exact
            process.comparesFullCommand = true
            return
        }
        guard let match = TrackProcess.ParameterMatch(rawValue: mode.text), match != .exact else {
            adjusted(mode.position, "Invalid param_match type \(mode.text) - ignoring")
            return
        }
        process.parameterMatch = match
        process.comparesFullCommand = true
    }

    private mutating func readWeight(_ inner: Statement) {
        guard let value = inner.arguments.first else {
            adjusted(
                inner.position,
                "No weight specified for track process \(process.name) - ignoring")
            return
        }
        guard process.weight == 0 else {
            adjusted(
                value.position,
                "Weight already set for track process \(process.name) - ignoring \(value.text)")
            return
        }
        let message =
            "Weight (\(value.text)) for vrrp_track_process \(process.name) must be between"
            + " [-254..254] inclusive. Ignoring..."
        guard let weight = integer(value, in: -254...254, else: message) else { return }
        process.weight = weight
        guard let direction = inner.arguments.dropFirst().first else { return }
        if direction.text == "reverse" {
            process.isReversed = true
        } else {
            adjusted(
                direction.position,
                "vrrp_track_process \(process.name) unknown weight option \(direction.text)")
        }
    }

    private mutating func readQuorum(_ inner: Statement) {
        let value = inner.value
        let isMaximum = inner.name == "quorum_max"
        let message =
            "\(isMaximum ? "quorum_max" : "Quorum") (\(value.text)) for vrrp_track_process"
            + " \(process.name) must be between [\(isMaximum ? 0 : 1)..65535] inclusive."
            + " Ignoring..."
        guard let number = integer(value, in: (isMaximum ? 0 : 1)...65535, else: message) else {
            return
        }
        guard isMaximum else {
            if number > process.maximumQuorum ?? .max {
                adjusted(value.position, "Quorum is greater than quorum_max - ignoring")
            } else {
                process.quorum = number
            }
            return
        }
        // A most of 0 means that none may run, unless a quorum was asked for.
        if number > 0 || process.quorum > 1, number < process.quorum {
            adjusted(value.position, "quorum_max is less than quorum - ignoring")
            return
        }
        process.maximumQuorum = number
        process.quorum = number == 0 ? 0 : max(process.quorum, 1)
    }

    private mutating func readDelay(_ inner: Statement) {
        let value = inner.value
        let message =
            "\(inner.name) (\(value.text)) for vrrp_track_process \(process.name) must be between"
            + " [0.000001..3600] inclusive. Ignoring..."
        guard
            let delay = seconds(value, in: .microseconds(1) ... .seconds(3600), else: message)
        else { return }
        if inner.name != "fork_delay" { process.terminateDelay = delay }
        if inner.name != "terminate_delay" { process.forkDelay = delay }
    }
}
