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
        case reboot, poweroff, halt

        /// Whether it makes no sense without a unit.
        var needsUnits: Bool {
            switch self {
            case .start, .stop, .restart, .tryRestart, .reload, .reloadOrRestart, .kill, .enable,
                .disable, .isActive, .isFailed, .isEnabled:
                true
            case .status, .isSystemRunning, .listUnits, .listUnitFiles, .daemonReload,
                .resetFailed, .reboot, .poweroff, .halt:
                false
            }
        }
    }

    var verb = Verb.listUnits
    var units: [String] = []
    /// With `enable` and `disable`: start or stop as well.
    var now = false
    var isQuiet = false
    /// Units that are not loaded, in lists, as well.
    var showsAll = false
    var showsLegend = true
    /// How much of the log `status` shows.
    var lineCount = 10
    var signal: Int32 = 15
    var signalsOnlyMain = false

    /// Options that change nothing here: paging, colour and waiting are as in a script anyway.
    private static let ignored: Set<String> = [
        "--no-pager", "--full", "-l", "--system", "--no-ask-password", "--no-wall", "--force", "-f",
        "--plain", "--runtime", "--no-warn",
    ]
    /// Options with a value that change nothing here.
    private static let ignoredWithValue: Set<String> = [
        "--type", "-t", "--state", "--job-mode", "--output", "-o",
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
        guard let first = words.first else { return }
        guard let verb = Verb(rawValue: first) else {
            throw UsageError(message: "Unknown command verb \(first).")
        }
        self.verb = verb
        units = Array(words.dropFirst())
        if verb.needsUnits, units.isEmpty { throw UsageError(message: "Too few arguments.") }
    }

    private static let valued: Set<String> = [
        "--signal", "-s", "--lines", "-n", "--kill-whom", "--kill-who",
    ]

    private mutating func apply(_ name: String, _ value: String?) throws(UsageError) {
        switch (name, value) {
        case ("--now", _): now = true
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
        default:
            guard Self.ignored.contains(name) || Self.ignoredWithValue.contains(name) else {
                throw UsageError(message: "systemctl: unrecognized option '\(name)'")
            }
        }
    }
}

/// Takes options and other words off a command line as getopt_long(3) does, options anywhere.
struct OptionReader {
    /// One of them.
    enum Word: Equatable {
        case plain(String)
        case option(String, value: String?)
    }

    private var rest: ArraySlice<String>
    /// The letters of a group (`-xe`) that are still to be read.
    private var letters: Substring = ""
    private var isOver = false

    init(_ arguments: [String]) { rest = arguments[...] }

    /// The next one; nil at the end.
    ///
    /// - Parameters:
    ///   - withValue: the options that have one: `-n 5`, `-n5`, `--lines 5`, `--lines=5`.
    ///   - mayHaveValue: those that have one in the same word (`-n5`, `--lines=5`) or none.
    mutating func next(
        withValue: Set<String>, mayHaveValue: Set<String> = []
    ) throws(UsageError) -> Word? {
        if let letter = letters.popFirst() {
            let name = "-\(letter)"
            if mayHaveValue.contains(name), !letters.isEmpty {
                defer { letters = "" }
                return .option(name, value: String(letters))
            }
            return try short(name, withValue)
        }
        guard let word = rest.popFirst() else { return nil }
        if isOver || !word.hasPrefix("-") || word == "-" { return .plain(word) }
        if word == "--" {
            isOver = true
            return try next(withValue: withValue, mayHaveValue: mayHaveValue)
        }
        guard word.hasPrefix("--") else {
            letters = word.dropFirst()
            return try next(withValue: withValue, mayHaveValue: mayHaveValue)
        }
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        if parts.count == 2 { return .option(name, value: String(parts[1])) }
        return .option(name, value: withValue.contains(name) ? try value(of: name) : nil)
    }

    /// Takes the next word, where it is one of those: a value that may be missing.
    mutating func takeWord(where isValue: (String) -> Bool) -> String? {
        guard letters.isEmpty, let word = rest.first, isValue(word) else { return nil }
        return rest.removeFirst()
    }

    private mutating func short(_ name: String, _ withValue: Set<String>) throws(UsageError) -> Word
    {
        guard withValue.contains(name) else { return .option(name, value: nil) }
        if letters.isEmpty { return .option(name, value: try value(of: name)) }
        defer { letters = "" }
        return .option(name, value: String(letters))
    }

    private mutating func value(of name: String) throws(UsageError) -> String {
        guard let value = rest.popFirst() else {
            throw UsageError(message: "option '\(name)' requires an argument")
        }
        return value
    }
}
