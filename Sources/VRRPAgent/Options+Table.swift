extension Options {
    /// One option.
    struct Option {
        var short: Character?
        var long: String
        var argument: Argument
        var meaning: Meaning
        /// For `--help`; empty for what is accepted only.
        var help: String

        init(
            _ short: Character?, _ long: String, _ argument: Argument = .none, _ meaning: Meaning,
            _ help: String = ""
        ) {
            self.short = short
            self.long = long
            self.argument = argument
            self.meaning = meaning
            self.help = help
        }
    }

    /// Whether an option is followed by something.
    enum Argument { case none, required, optional }

    /// What an option does here.
    enum Meaning {
        case flag(WritableKeyPath<Options, Bool>)
        case text(WritableKeyPath<Options, String?>)
        case configurationFile, configurationTest, logFile, logFormat, facility, umask
        /// What it asks for is how this program always behaves.
        case alwaysSo
        /// Accepted so that a unit file written for keepalived works; mentioned in the log.
        case ignored(String)
        /// To go on without it would do something else than was asked for.
        case unsupported(String)
    }

    /// Every option of keepalived 2.2.7, and ours.
    static var table: [Option] { acted + accepted }

    private static var acted: [Option] {
        [
            Option(
                "f", "use-file", .required, .configurationFile, "use that configuration file"),
            Option(
                "P", "vrrp", .none, .flag(\.omitsCheckers), "run VRRP only, check no health"),
            Option("C", "check", .none, .flag(\.checksOnly), "check health only, run no VRRP"),
            Option(
                "n", "dont-fork", .none, .flag(\.staysInForeground),
                "stay in the foreground, log to standard error"),
            Option(
                "l", "log-console", .none, .flag(\.log.isStamped),
                "begin lines on standard error with the time"),
            Option("D", "log-detail", .none, .flag(\.log.isDetailed), "log in detail"),
            Option(
                "S", "log-facility", .required, .facility,
                "log to syslog as local0 to local7 (or 0 to 7), user or daemon"),
            Option("G", "no-syslog", .none, .flag(\.log.avoidsSyslog), "do not log to syslog"),
            Option("g", "log-file", .optional, .logFile, "log to that file too"),
            Option(
                nil, "log-format", .required, .logFormat,
                "json: log lines of JSON, with times to the nanosecond"),
            // keepalived's -d is its --dump-conf, which logs; to print is of more use.
            Option("d", "log-conf", .none, .flag(\.logsConfiguration), "log the configuration"),
            Option(
                nil, "dump-conf", .none, .flag(\.printsConfiguration),
                "print the configuration as it was understood, and exit"),
            Option(
                "t", "config-test", .optional, .configurationTest,
                "check the configuration, print what is wrong (to that file), and exit"),
            Option(
                "i", "config-id", .required, .text(\.configID),
                "lines marked @VALUE apply (default: the host's name)"),
            Option(
                "e", "all-config", .none, .flag(\.checksIncludes),
                "a file that an include names must exist"),
            Option(
                "s", "namespace", .required, .text(\.networkNamespace),
                "run in that network namespace of /run/netns"),
            Option("p", "pid", .required, .text(\.pidFile), "pid file"),
            Option(
                "r", "vrrp_pid", .required, .text(\.vrrpPIDFile),
                "second pid file, where keepalived has its VRRP process"),
            Option(
                "c", "checkers_pid", .required, .text(\.checkersPIDFile),
                "pid file of the checkers' process"),
            Option("u", "umask", .required, .umask, "of files and scripts (default: 0177)"),
            Option(
                "V", "dont-release-vrrp", .none, .flag(\.keepsAddresses),
                "leave virtual addresses in place at the end"),
            Option(
                "I", "dont-release-ipvs", .none, .flag(\.keepsServices),
                "leave services in the kernel's table at the end"),
            Option(
                "R", "dont-respawn", .none, .flag(\.avoidsRespawn),
                "end when the checkers' process dies"),
            Option(
                nil, "start-as-master", .none, .flag(\.startsAsMaster),
                "state MASTER is MASTER at once, as in keepalived 1.3.5"),
            Option(
                nil, "signum", .required, .text(\.signalFunction),
                "print a signal's number: STOP, RELOAD, DATA, STATS, STATS_CLEAR, JSON"),
            Option("v", "version", .none, .flag(\.printsVersion), "print the version"),
            Option("h", "help", .none, .flag(\.printsHelp), "print this"),
        ]
    }

    private static var accepted: [Option] {
        let oneProcess = Meaning.ignored("there is no such process")
        let noSNMP = Meaning.ignored("there is no SNMP")
        return [
            // Between the process that was started and the one in the background.
            Option(nil, "detached", .required, .text(\.detachedFrom)),
            // Between the daemon and its checkers' process.
            Option(nil, "healthcheckers", .none, .flag(\.isChecker)),
            Option(nil, "flush-log-file", .none, .alwaysSo),
            Option(nil, "all", .none, oneProcess),
            Option("B", "no_bfd", .none, .alwaysSo),
            Option("b", "bfd_pid", .required, oneProcess),
            Option("X", "release-vips", .none, .alwaysSo),
            Option(
                "a", "address-monitoring", .none, .ignored("watch with ip monitor address")),
            Option("x", "snmp", .none, noSNMP),
            Option("A", "snmp-agent-socket", .required, noSNMP),
            Option("m", "core-dump", .none, .ignored("set it with ulimit -c")),
            Option("M", "core-dump-pattern", .optional, .ignored("set it with sysctl")),
            Option("T", "genhash", .none, .unsupported("use curl and md5sum")),
        ]
    }

    /// What `--help` prints.
    static var usage: String {
        var lines = ["Usage: \(Version.name) [OPTION...]"]
        for option in table where !option.help.isEmpty {
            let value =
                switch option.argument {
                case .none: ""
                case .required: "=VALUE"
                case .optional: "[=FILE]"
                }
            let names = (option.short.map { "-\($0), " } ?? "    ") + "--\(option.long)\(value)"
            lines.append(
                "  " + names + String(repeating: " ", count: max(1, 28 - names.count))
                    + option.help)
        }
        lines.append("The other options of keepalived are accepted where that is harmless.")
        lines.append("Without -n the daemon runs in the background and logs to syslog.")
        return lines.joined(separator: "\n")
    }
}
