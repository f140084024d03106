import LinuxSystem

/// A command line of `sudo` (sudo(8)), understood.
package struct SudoArguments: Equatable {
    /// What is to be done.
    package enum Action: Equatable {
        case run
        /// Run the user's shell, as a login does or not; the command, if any, is for it.
        case shell(isLogin: Bool)
        /// Say what one may run.
        case list
        /// What only concerns a password, which nobody is asked for here.
        case nothing
        case version, help
    }

    package var action = Action.run
    /// A name, or a number behind `#`; nil for root.
    var user: String?
    var group: String?
    /// The variables that are kept beside the usual ones.
    var keptVariables: Set<String> = []
    var keepsEnvironment = false
    /// The home is the user's even where the environment is kept.
    var setsHome = false
    /// The folder to run it in; nil for the present one.
    var folder: String?
    /// `NAME=value`, before the command.
    var assignments: [String] = []
    /// The program and its arguments.
    package var command: [String] = []

    static let usage =
        "usage: sudo [-EHins] [-D directory] [-g group] [-u user] [VAR=value] [command [arg ...]]"

    private static let valued: Set<String> = [
        "-u", "--user", "-g", "--group", "-D", "--chdir", "-p", "--prompt", "-C", "--close-from",
        "-T", "--command-timeout", "-h", "--host", "-U", "--other-user",
    ]
    /// What is so in a node anyway: nobody is asked for a password, and groups are the user's.
    private static let ignored: Set<String> = [
        "-n", "--non-interactive", "-S", "--stdin", "-A", "--askpass", "-B", "--bell", "-P",
        "--preserve-groups", "-N", "--no-update", "-p", "--prompt", "-U", "--other-user",
    ]

    init() {}

    /// Reads the arguments, without the program's own name.
    ///
    /// - Throws: ``UsageError`` with the usage in it.
    package init(_ arguments: [String]) throws(UsageError) {
        if arguments == ["-h"] {
            action = .help
            return
        }
        var reader = OptionReader(arguments)
        while let word = try reader.next(withValue: Self.valued) {
            switch word {
            case .plain(let text) where !reader.isOver && Self.isAssignment(text):
                assignments.append(text)
            case .plain(let text):
                // From here on everything is the command's.
                command = [text] + reader.rest
                try check()
                return
            case .option(let name, let value): try apply(name, value)
            }
        }
        try check()
    }

    private mutating func apply(_ name: String, _ value: String?) throws(UsageError) {
        switch (name, value) {
        case ("-u", let value?), ("--user", let value?): user = value
        case ("-g", let value?), ("--group", let value?): group = value
        case ("-D", let value?), ("--chdir", let value?): folder = value
        case ("-E", _), ("--preserve-env", nil): keepsEnvironment = true
        case ("--preserve-env", let names?):
            keptVariables.formUnion(names.split(separator: ",").map(String.init))
        case ("-H", _), ("--set-home", _): setsHome = true
        case ("-i", _), ("--login", _): action = .shell(isLogin: true)
        case ("-s", _), ("--shell", _): action = .shell(isLogin: false)
        case ("-l", _), ("--list", _): action = .list
        case ("-v", _), ("--validate", _), ("-K", _), ("--remove-timestamp", _): action = .nothing
        case ("-k", _), ("--reset-timestamp", _): if action == .run { action = .nothing }
        case ("-V", _), ("--version", _): action = .version
        case ("--help", _): action = .help
        default:
            guard Self.ignored.contains(name) else {
                throw UsageError(message: "sudo: unrecognized option '\(name)'\n\(Self.usage)")
            }
        }
    }

    private mutating func check() throws(UsageError) {
        // `sudo -k COMMAND` runs it all the same.
        if action == .nothing, !command.isEmpty { action = .run }
        if action == .run, command.isEmpty { throw UsageError(message: Self.usage) }
    }

    /// Whether a word sets a variable (sudo(8), "Command line options").
    private static func isAssignment(_ word: String) -> Bool {
        guard let equals = word.firstIndex(of: "="), equals != word.startIndex else { return false }
        return !word[..<equals].contains("/")
    }
}

extension SudoArguments {
    /// What is run: the command, or the shell that it is for.
    ///
    /// - Parameter shell: the user's.
    package func words(shell: String) -> [String] {
        guard case .shell(let isLogin) = action else { return command }
        // A shell that is called `-sh` is one that somebody has logged in to.
        let name = shell.split(separator: "/").last.map(String.init) ?? shell
        let script = command.isEmpty ? [] : ["-c", command.map(Self.quoted).joined(separator: " ")]
        return [isLogin ? "-\(name)" : shell] + script
    }

    /// A word as a shell reads it, but that its variables are the shell's to replace.
    private static func quoted(_ word: String) -> String {
        word.map { character in
            let isPlain =
                character.isLetter || character.isNumber || ["_", "-", "$"].contains(character)
            return isPlain ? "\(character)" : "\\\(character)"
        }.joined()
    }

    /// The variables that pass through unless a user says otherwise (sudoers(5), env_keep and
    /// env_check).
    private static let usual: Set<String> = [
        "COLORS", "COLORTERM", "DISPLAY", "HOSTNAME", "LANG", "LANGUAGE", "LINGUAS", "LS_COLORS",
        "PS1", "PS2", "TERM", "TZ", "XAUTHORITY",
    ]

    /// The command's environment.
    ///
    /// - Parameters:
    ///   - inherited: the caller's.
    ///   - caller: who has called.
    ///   - user: whom it runs as, with the user's shell.
    ///   - program: the path and arguments of what is run.
    func environment(
        inherited: [String], caller: UserDatabase.User, user: UserDatabase.User, shell: String,
        program: [String]
    ) -> NodeEnvironment {
        let isLogin = action == .shell(isLogin: true)
        let keepsAll = keepsEnvironment && !isLogin
        let kept = inherited.filter { variable in
            let name = String(variable.prefix { $0 != "=" })
            return keepsAll || Self.usual.contains(name) || name.hasPrefix("LC_")
                || keptVariables.contains(name)
        }
        let keepsHome =
            !isLogin && !setsHome && (keepsAll || keptVariables.contains("HOME"))
            && kept.contains { $0.hasPrefix("HOME=") }
        return NodeEnvironment(kept)
            .with(keepsHome ? [] : ["HOME=\(user.home)"])
            .with([
                "PATH=\(NodeEnvironment.path)", "USER=\(user.name)", "LOGNAME=\(user.name)",
                "SHELL=\(shell)", "MAIL=/var/mail/\(user.name)",
                "SUDO_COMMAND=\(program.joined(separator: " "))", "SUDO_USER=\(caller.name)",
                "SUDO_UID=\(caller.userID)", "SUDO_GID=\(caller.groupID)",
            ])
            .with(assignments)
    }
}
