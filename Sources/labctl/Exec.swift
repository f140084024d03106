import ArgumentParser
import Glibc
import LabKit
import LabModel
import LinuxSystem

struct Exec: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exec",
        abstract: "Run a command in a node.",
        discussion: """
            Standard input, signals and a terminal are passed through, and the command's exit \
            status is labctl's. 125 is a failure of labctl itself, 126 a command that cannot be \
            run, 127 one that is not there.
            """)

    @OptionGroup var lab: LabOption
    @Flag(
        name: [.customShort("t"), .customLong("tty")], inversion: .prefixedNo,
        help: "Give it a terminal (default: when standard input and output are one).")
    var terminal: Bool?
    @Flag(
        name: [.customShort("i"), .long], inversion: .prefixedNo,
        help: "Pass standard input on.")
    var interactive = true
    @Option(name: [.short, .long], help: "A variable of its environment (NAME=value).")
    var env: [String] = []
    @Option(name: [.short, .long], help: "The folder it starts in.")
    var workdir: String?
    @Option(name: [.short, .long], help: "The user it runs as.")
    var user: String?
    @Argument(help: "The node.", completion: .nodes)
    var node: String
    @Argument(parsing: .captureForPassthrough, help: "The command and its arguments.")
    var command: [String]

    func validate() throws {
        if words.isEmpty { throw ValidationError("there is no command to run in \(node)") }
    }

    // What follows `--` is the command; without one, everything after the node is.
    private var words: [String] { command.first == "--" ? Array(command.dropFirst()) : command }

    func run() throws {
        let isTerminal = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1
        try Self.run(
            ExecuteSession.Options(
                command: words, environment: env + Self.terminalType, workingDirectory: workdir,
                user: user, wantsTerminal: terminal ?? isTerminal, readsInput: interactive),
            on: node, lab: lab)
    }

    /// What a terminal's programs need to know of it.
    static var terminalType: [String] {
        getenv("TERM").map { ["TERM=" + String(cString: $0)] } ?? []
    }

    /// Runs a command and ends the program with its exit status.
    static func run(
        _ options: ExecuteSession.Options, on node: String, lab: LabOption
    ) throws -> Never {
        do {
            let client = try lab.client()
            let (status, reason) = try ExecuteSession.run(options, on: node, of: client.directory)
            if let reason { printError(reason) }
            Glibc.exit(status)
        } catch let error as LabError {
            printError(error.description)
            throw CommandExit(status: ExecuteSession.ownFailure)
        }
    }
}

struct Shell: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shell", abstract: "Open a shell in a node.")

    @OptionGroup var lab: LabOption
    @Argument(help: "The node.", completion: .nodes)
    var node: String

    /// By these a shell looks for new mail before each prompt, as a login does. The first mail of
    /// all would be "mail" instead of "new mail" to bash: its mailbox is as old as the mail is.
    private static let mailbox = [
        "MAIL=\(MailSpool.path(of: "root"))", "MAILCHECK=0",
        "MAILPATH=\(MailSpool.path(of: "root"))?You have new mail in $_",
    ]

    /// What a login does before its first prompt, once: Red Hat's machines know `ll`, and who has
    /// mail already is told. In a variable, so that no file of the host or the node plays a part.
    private static let beginning =
        "PROMPT_COMMAND=alias ll='ls -l --color=auto'; "
        + "[ -s \"$MAIL\" ] && echo 'You have mail.'; unset PROMPT_COMMAND"

    func run() throws {
        // The hostname is the node's, so the shell's own prompt would say which node it is; not
        // which lab.
        let name = try lab.client().name
        let prompt = "PS1=\\[\\e[1m\\][\\u@\\h (\(name)) \\W]\\$ \\[\\e[0m\\]"
        try Exec.run(
            ExecuteSession.Options(
                command: ["bash", "--noprofile", "--norc", "-i"],
                environment: Exec.terminalType + [prompt, Self.beginning] + Self.mailbox,
                wantsTerminal: isatty(STDIN_FILENO) == 1),
            on: node, lab: lab)
    }
}
