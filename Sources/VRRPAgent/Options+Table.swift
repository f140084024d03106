extension Options {
    /// One option of keepalived 2.2.7.
    struct Option {
        var short: Character?
        var long: String
        var argument: Argument
        var meaning: Meaning
        var help: String
    }

    /// Whether an option is followed by something.
    enum Argument { case none, required, optional }

    /// What an option does here.
    enum Meaning {
        case configurationFile, logConsole, logDetail, configurationTest, pidFile, vrrpPIDFile
        case signalNumber, version, help
        /// What it asks for is how this program always behaves.
        case alwaysSo
        /// Accepted so that a unit file written for keepalived works; mentioned in the log.
        case ignored(String)
        /// To go on without it would do something else than was asked for.
        case unsupported(String)
    }

    static let table: [Option] =
        [
            Option(
                short: "f", long: "use-file", argument: .required, meaning: .configurationFile,
                help: "use that configuration file"),
            Option(
                short: "P", long: "vrrp", argument: .none, meaning: .alwaysSo,
                help: "run VRRP only (always so)"),
            Option(
                short: "n", long: "dont-fork", argument: .none, meaning: .alwaysSo,
                help: "stay in the foreground (always so)"),
            Option(
                short: "l", long: "log-console", argument: .none, meaning: .logConsole,
                help: "begin log lines with the time"),
            Option(
                short: "D", long: "log-detail", argument: .none, meaning: .logDetail,
                help: "log in detail"),
            Option(
                short: "t", long: "config-test", argument: .optional, meaning: .configurationTest,
                help: "check the configuration, print what is wrong (to that file), and exit"),
            Option(
                short: "p", long: "pid", argument: .required, meaning: .pidFile, help: "pid file"),
            Option(
                short: "r", long: "vrrp_pid", argument: .required, meaning: .vrrpPIDFile,
                help: "second pid file, where keepalived has its VRRP process"),
            Option(
                short: nil, long: "signum", argument: .required, meaning: .signalNumber,
                help: "print the number of signal STOP or RELOAD"),
            Option(
                short: "v", long: "version", argument: .none, meaning: .version,
                help: "print the version"),
            Option(short: "h", long: "help", argument: .none, meaning: .help, help: "print this"),
        ] + accepted

    private static let accepted: [Option] = {
        let logging = Meaning.ignored("the log goes to standard error")
        let oneProcess = Meaning.ignored("there is one process")
        let checkers = Meaning.ignored("there are no health checkers")
        let rows: [(Character?, String, Argument, Meaning)] = [
            (
                "i", "config-id", .required,
                .ignored("conditional lines (@ID) are not supported yet")
            ),
            ("S", "log-facility", .required, logging),
            ("G", "no-syslog", .none, .alwaysSo),
            ("g", "log-file", .optional, logging),
            (nil, "flush-log-file", .none, logging),
            ("R", "dont-respawn", .none, oneProcess),
            (nil, "all", .none, oneProcess),
            ("B", "no_bfd", .none, .alwaysSo),
            ("b", "bfd_pid", .required, oneProcess),
            ("c", "checkers_pid", .required, oneProcess),
            ("I", "dont-release-ipvs", .none, checkers),
            ("X", "release-vips", .none, .ignored("addresses are always released")),
            ("a", "address-monitoring", .none, .ignored("watch with ip monitor address")),
            ("d", "dump-conf", .none, .ignored("there is no dump yet")),
            ("u", "umask", .required, .ignored("only pid files are made")),
            ("x", "snmp", .none, .ignored("there is no SNMP")),
            ("A", "snmp-agent-socket", .required, .ignored("there is no SNMP")),
            ("m", "core-dump", .none, .ignored("set it with ulimit -c")),
            ("M", "core-dump-pattern", .optional, .ignored("set it with sysctl")),
            ("e", "all-config", .none, .ignored("a missing file is always reported")),
            ("C", "check", .none, .unsupported("there are no health checkers")),
            ("V", "dont-release-vrrp", .none, .unsupported("addresses are always released")),
            ("s", "namespace", .required, .unsupported("start it with ip netns exec")),
        ]
        return rows.map {
            Option(short: $0.0, long: $0.1, argument: $0.2, meaning: $0.3, help: "")
        }
    }()

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
        return lines.joined(separator: "\n")
    }
}
