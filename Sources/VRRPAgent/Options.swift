import LinuxSystem

/// The command line, which is keepalived's: short options may be bundled (`-nlD`), an argument may
/// follow its option at once or as the next word, and long options take theirs after `=` or as the
/// next word.
package struct Options: Equatable {
    package var configurationFile = "/etc/keepalived/keepalived.conf"
    /// `-n`: this process is the daemon; without it, one is started in the background.
    var staysInForeground = false
    /// Where the log goes, and how it looks.
    var log = LogOptions()
    /// `-t`: check the configuration and exit.
    var testsConfiguration = false
    /// The file that `--config-test=FILE` writes to instead of standard error.
    var testOutput: String?
    /// `-d`: log the configuration.
    var logsConfiguration = false
    /// `--dump-conf`: print the configuration and exit.
    var printsConfiguration = false
    /// `-i`: what `@ID` lines are compared with; nil: the host's name.
    var configID: String?
    /// `-e`: a file that an `include` names must exist.
    var checksIncludes = false
    /// `-s`: the network namespace to run in, which overrides `net_namespace`.
    var networkNamespace: String?
    /// `-p`; nil: where keepalived has it.
    var pidFile: String?
    /// `-r`; nil: where keepalived has it.
    var vrrpPIDFile: String?
    /// `-c`; nil: where keepalived has it.
    var checkersPIDFile: String?
    /// `-P`: no health is checked.
    var omitsCheckers = false
    /// `-C`: health is checked, and nothing else is done.
    var checksOnly = false
    /// `-I`: services stay in the kernel's table when the daemon ends.
    var keepsServices = false
    /// `-R`: a checkers' process that dies ends the daemon.
    var avoidsRespawn = false
    /// `--healthcheckers`: this process is the checkers', started by the daemon.
    var isChecker = false
    /// `-u`: of files and scripts; nil: what the configuration says.
    package var umask: UInt16?
    /// `-V`: addresses stay when the daemon ends.
    var keepsAddresses = false
    /// `--start-as-master`: `state MASTER` is MASTER at once, as in keepalived 1.3.5.
    var startsAsMaster = false
    /// `--signum`: print that signal's number and exit.
    var signalFunction: String?
    var printsVersion = false
    var printsHelp = false
    /// `--detached`: this process was started in the background, by a process in that folder, to
    /// which relative paths refer.
    package var detachedFrom: String?
    /// Options that were accepted and do nothing here, each with the reason.
    var notes: [String] = []

    /// Where the log goes, and how it looks.
    struct LogOptions: Equatable {
        /// `-l`: lines on standard error begin with the time.
        var isStamped = false
        /// `-D`: log what is only of interest when something is wrong.
        var isDetailed = false
        /// `--log-format json`.
        var isJSON = false
        /// `-S`: syslog's facility; nil: daemon, and in the foreground no syslog at all.
        var facility: Syslog.Facility?
        /// `-G`.
        var avoidsSyslog = false
        /// `-g`: a file it goes to as well.
        var file: String?
    }

    /// A command line that is not understood.
    package enum UsageError: Error, Equatable, CustomStringConvertible {
        case unknownOption(String)
        case missingArgument(String)
        case unexpectedArgument(String)
        case wrongArgument(String, of: String, expected: String)
        case unsupported(String, reason: String)

        package var description: String {
            switch self {
            case .unknownOption(let option): "unrecognized option '\(option)'"
            case .missingArgument(let option): "option '\(option)' requires an argument"
            case .unexpectedArgument(let argument): "unexpected argument '\(argument)'"
            case .wrongArgument(let argument, let option, let expected):
                "option '\(option)': '\(argument)' is not \(expected)"
            case .unsupported(let option, let reason): "option '\(option)': \(reason)"
            }
        }
    }

    /// Parses the words after the program's name.
    package init(_ arguments: [String]) throws(UsageError) {
        var rest = arguments[...]
        while let word = rest.popFirst() {
            if word.hasPrefix("--") {
                try parseLong(word, &rest)
            } else if word.hasPrefix("-"), word.count > 1 {
                try parseShort(word, &rest)
            } else {
                throw .unexpectedArgument(word)
            }
        }
        if let folder = detachedFrom { resolvePaths(in: folder) }
    }

    private mutating func parseLong(
        _ word: String, _ rest: inout ArraySlice<String>
    ) throws(UsageError) {
        let parts = word.dropFirst(2).split(
            separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = parts.first,
            let option = Self.table.first(where: { $0.long == name })
        else { throw .unknownOption(word) }
        var argument = parts.count == 2 ? String(parts[1]) : nil
        switch option.argument {
        case .none where argument != nil: throw .unexpectedArgument(word)
        case .required where argument == nil: argument = rest.popFirst()
        case .none, .required, .optional: break
        }
        try apply(option, argument, as: "--\(name)")
    }

    private mutating func parseShort(
        _ word: String, _ rest: inout ArraySlice<String>
    ) throws(UsageError) {
        var letters = word.dropFirst()
        while let letter = letters.popFirst() {
            guard let option = Self.table.first(where: { $0.short == letter }) else {
                throw .unknownOption("-\(letter)")
            }
            var argument: String?
            if option.argument != .none, !letters.isEmpty {
                argument = String(letters)
                letters = ""
            } else if option.argument == .required {
                argument = rest.popFirst()
            }
            try apply(option, argument, as: "-\(letter)")
        }
    }

    private mutating func apply(
        _ option: Option, _ argument: String?, as name: String
    ) throws(UsageError) {
        if option.argument == .required, argument == nil || argument == "" {
            throw .missingArgument(name)
        }
        switch option.meaning {
        case .flag(let property): self[keyPath: property] = true
        case .text(let property): self[keyPath: property] = argument
        case .configurationFile: configurationFile = argument ?? ""
        case .configurationTest:
            testsConfiguration = true
            testOutput = argument.flatMap { $0.isEmpty ? nil : $0 }
        case .logFile: log.file = argument.flatMap { $0.isEmpty ? nil : $0 } ?? "keepalived.log"
        case .logFormat:
            guard let argument, ["json", "text"].contains(argument) else {
                throw .wrongArgument(argument ?? "", of: name, expected: "json or text")
            }
            log.isJSON = argument == "json"
        case .facility:
            guard let facility = argument.flatMap({ Syslog.Facility($0) }) else {
                throw .wrongArgument(
                    argument ?? "", of: name, expected: "0 to 7, local0 to local7, user or daemon")
            }
            log.facility = facility
        case .umask:
            guard let mask = argument.flatMap(Self.mask) else {
                throw .wrongArgument(argument ?? "", of: name, expected: "a mask from 0 to 0777")
            }
            umask = mask
        case .alwaysSo: break
        case .ignored(let reason): notes.append("option '\(name)' has no effect: \(reason)")
        case .unsupported(let reason): throw .unsupported(name, reason: reason)
        }
    }

    /// A number as strtol(3) reads it: octal after `0`, hexadecimal after `0x`.
    private static func mask(_ text: String) -> UInt16? {
        let number =
            text.hasPrefix("0x")
            ? UInt16(text.dropFirst(2), radix: 16)
            : text.hasPrefix("0") ? UInt16(text, radix: 8) : UInt16(text)
        return number.flatMap { $0 <= 0o777 ? $0 : nil }
    }

    /// A daemon's folder is the root; what was named before means what it meant.
    private mutating func resolvePaths(in folder: String) {
        func resolved(_ path: String) -> String {
            path.hasPrefix("/") ? path : folder.hasSuffix("/") ? folder + path : "\(folder)/\(path)"
        }
        configurationFile = resolved(configurationFile)
        pidFile = pidFile.map(resolved)
        vrrpPIDFile = vrrpPIDFile.map(resolved)
        checkersPIDFile = checkersPIDFile.map(resolved)
    }
}
