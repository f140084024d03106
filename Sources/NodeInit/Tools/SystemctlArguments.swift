import NodeProtocol

/// A command line of `systemctl`, understood.
struct SystemctlArguments: Equatable {
    /// What is to be done.
    enum Verb: String, CaseIterable {
        case start, stop, restart, reload, kill, enable, disable, status
        case tryRestart = "try-restart"
        case reloadOrRestart = "reload-or-restart"
        case isActive = "is-active"
        case isFailed = "is-failed"
        case isEnabled = "is-enabled"
        case isSystemRunning = "is-system-running"
        case listUnits = "list-units"
        case listUnitFiles = "list-unit-files"
        case daemonReload = "daemon-reload"
        case resetFailed = "reset-failed"
        case show, cat, mask, unmask
        case reboot, poweroff, halt
        /// What `--version` and `--help` ask for.
        case version = "--version"
        case help = "--help"

        /// Whether it makes no sense without a unit.
        var needsUnits: Bool {
            switch self {
            case .start, .stop, .restart, .tryRestart, .reload, .reloadOrRestart, .kill, .enable,
                .disable, .isActive, .isFailed, .isEnabled, .show, .cat, .mask, .unmask:
                true
            case .status, .isSystemRunning, .listUnits, .listUnitFiles, .daemonReload,
                .resetFailed, .reboot, .poweroff, .halt, .version, .help:
                false
            }
        }
    }

    var verb = Verb.listUnits
    var units: [String] = []
    /// With `enable` and `disable`: start or stop as well.
    var now = false
    /// Whether it ends only when what it asks for is done.
    var waits = true
    var isQuiet = false
    /// Units that are not loaded, in lists, as well.
    var showsAll = false
    var showsLegend = true
    /// How much of the log `status` shows.
    var lineCount = 10
    var signal: Int32 = 15
    var signalsOnlyMain = false
    /// What `show` is to tell; nil for all it knows.
    var properties: [String]?
    /// Only what the properties are, without their names.
    var showsOnlyValues = false
    /// The kinds of units in lists; nil for all.
    var types: [String]?
    /// Active states, substates or load states of the units in lists; nil for all.
    var states: [String]?

    /// Options that change nothing here: paging, colour and waiting are as in a script anyway.
    private static let ignored: Set<String> = [
        "--no-pager", "--full", "-l", "--system", "--no-ask-password", "--no-wall", "--force", "-f",
        "--plain", "--runtime", "--no-warn",
    ]
    /// Options with a value that change nothing here.
    private static let ignoredWithValue: Set<String> = ["--job-mode", "--output", "-o"]
    /// The kinds of units that systemd has.
    private static let knownTypes: Set<String> = [
        "service", "socket", "target", "timer", "mount", "automount", "path", "slice", "scope",
        "device", "swap",
    ]

    init() {}

    /// Reads the arguments, without the program's own name.
    init(_ arguments: [String]) throws(UsageError) {
        var rest = OptionReader(arguments)
        var words: [String] = []
        while let word = try rest.next(withValue: Self.ignoredWithValue.union(Self.valued)) {
            switch word {
            case .plain(let text): words.append(text)
            case .option(let name, let value): try apply(name, value)
            }
        }
        if verb == .version || verb == .help { return }
        guard let first = words.first else { return }
        guard let verb = Verb(rawValue: first), !first.hasPrefix("-") else {
            throw UsageError(message: "Unknown command verb \(first).")
        }
        self.verb = verb
        units = Array(words.dropFirst())
        if verb.needsUnits, units.isEmpty { throw UsageError(message: "Too few arguments.") }
    }

    private static let valued: Set<String> = [
        "--signal", "-s", "--lines", "-n", "--kill-whom", "--kill-who", "--type", "-t", "--state",
        "-p", "--property", "-P",
    ]

    private static func list(_ value: String) -> [String] {
        value.split(separator: ",").map(String.init)
    }

    private mutating func apply(_ name: String, _ value: String?) throws(UsageError) {
        switch (name, value) {
        case ("--now", _): now = true
        case ("--no-block", _): waits = false
        case ("--quiet", _), ("-q", _): isQuiet = true
        case ("--all", _), ("-a", _): showsAll = true
        case ("--no-legend", _), ("--legend", _): showsLegend = false
        case ("--lines", let value?), ("-n", let value?):
            guard let count = Int(value), count >= 0 else {
                throw UsageError(message: "Failed to parse lines '\(value)'")
            }
            lineCount = count
        case ("--signal", let value?), ("-s", let value?):
            guard let number = SignalName.number(of: value) else {
                throw UsageError(message: "Failed to parse signal string \(value).")
            }
            signal = number
        case ("--kill-whom", let value?), ("--kill-who", let value?):
            signalsOnlyMain = value == "main"
        case ("--type", let value?), ("-t", let value?):
            for type in Self.list(value) {
                guard Self.knownTypes.contains(type) else {
                    throw UsageError(message: "Unknown unit type or load state '\(type)'.")
                }
                types = (types ?? []) + [type]
            }
        case ("--state", let value?): states = (states ?? []) + Self.list(value)
        case ("--failed", _): states = (states ?? []) + ["failed"]
        case ("-p", let value?), ("--property", let value?):
            properties = (properties ?? []) + Self.list(value)
        case ("-P", let value?):
            properties = (properties ?? []) + Self.list(value)
            showsOnlyValues = true
        case ("--value", _): showsOnlyValues = true
        case ("--version", _): verb = .version
        case ("--help", _), ("-h", _): verb = .help
        default:
            guard Self.ignored.contains(name) || Self.ignoredWithValue.contains(name) else {
                throw UsageError(message: "systemctl: unrecognized option '\(name)'")
            }
        }
    }
}

extension SystemctlArguments {
    /// Whether a unit is among those that lists are asked for, by its kind and name.
    func selects(_ unit: UnitReport) -> Bool {
        types?.contains("service") ?? true
            && (units.isEmpty || units.contains { UnitName.matches(unit.wholeName, $0) })
    }

    /// Whether a unit is in one of the states that lists are asked for.
    func hasState(_ unit: UnitReport) -> Bool {
        states?.contains { [unit.activeState, unit.subState, "loaded"].contains($0) } ?? true
    }
}
