/// The command line, which is keepalived's: short options may be bundled (`-nlD`), an argument may
/// follow its option at once or as the next word, and long options take theirs after `=` or as the
/// next word.
struct Options: Equatable {
    var configurationFile = "/etc/keepalived/keepalived.conf"
    /// `-l`: log lines begin with the time. The log goes to standard error in any case.
    var stampsLog = false
    /// `-D`: log what is only of interest when something is wrong.
    var logsDetail = false
    /// `-t`: check the configuration and exit.
    var testsConfiguration = false
    /// The file that `--config-test=FILE` writes to instead of standard error.
    var testOutput: String?
    var pidFile = "/run/keepalived.pid"
    var vrrpPIDFile = "/run/vrrp.pid"
    /// `--signum`: print that signal's number and exit.
    var signalFunction: String?
    var printsVersion = false
    var printsHelp = false
    /// Options that were accepted and do nothing here, each with the reason.
    var notes: [String] = []

    /// A command line that is not understood.
    enum UsageError: Error, Equatable, CustomStringConvertible {
        case unknownOption(String)
        case missingArgument(String)
        case unexpectedArgument(String)
        case unsupported(String, reason: String)

        var description: String {
            switch self {
            case .unknownOption(let option): "unrecognized option '\(option)'"
            case .missingArgument(let option): "option '\(option)' requires an argument"
            case .unexpectedArgument(let argument): "unexpected argument '\(argument)'"
            case .unsupported(let option, let reason): "option '\(option)': \(reason)"
            }
        }
    }

    /// Parses the words after the program's name.
    init(_ arguments: [String]) throws(UsageError) {
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
        if option.argument == .required, argument == nil { throw .missingArgument(name) }
        let argument = argument ?? ""
        switch option.meaning {
        case .configurationFile: configurationFile = argument
        case .logConsole: stampsLog = true
        case .logDetail: logsDetail = true
        case .configurationTest:
            testsConfiguration = true
            testOutput = argument.isEmpty ? nil : argument
        case .pidFile: pidFile = argument
        case .vrrpPIDFile: vrrpPIDFile = argument
        case .signalNumber: signalFunction = argument
        case .version: printsVersion = true
        case .help: printsHelp = true
        case .alwaysSo: break
        case .ignored(let reason): notes.append("option '\(name)' has no effect: \(reason)")
        case .unsupported(let reason): throw .unsupported(name, reason: reason)
        }
    }
}
