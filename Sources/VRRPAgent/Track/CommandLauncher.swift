import CLinux
import Glibc
import KeepalivedConf
import LinuxSystem
import SystemPackage

/// How the commands of the configuration are started: what keepalived 2.2.7's children have, as a
/// script of its showed.
///
/// - executed directly, without a shell; the words of the command as written;
/// - standard input, output and error are /dev/null, all other descriptors closed (keepalived
///   passes on some of its own);
/// - a process group of its own, no signal blocked, ignored or handled;
/// - the daemon's environment, working directory and nice value, umask 0177;
/// - user and group as configured, and that one group only;
/// - SIGTERM when the daemon dies.
struct CommandLauncher {
    /// A command that could not be started, with the status a shell would give it.
    struct Failure: Error, Equatable, CustomStringConvertible {
        /// 127: there is no such program; 126: it cannot be run.
        var status: Int32
        var description: String
    }

    /// A command, ready to be started.
    struct Invocation: Hashable {
        /// The program's path and its arguments.
        var arguments: [String]
        /// Whom it runs as; nil: as the daemon.
        var user: ScriptUser?
        /// Whether it may go on when the daemon has ended, as the scripts must that are told of it.
        var outlivesDaemon = false

        init(_ arguments: [String], user: ScriptUser? = nil) {
            self.arguments = arguments
            self.user = user
        }
    }

    private static let shell = "/bin/sh"

    private let environment: [String]
    private let null: SharedDescriptor
    private let loop: EventLoop
    /// `umask`: keepalived's own mask, which its children inherit.
    private let fileModeMask: UInt16

    /// - Parameters:
    ///   - environment: the daemon's (`NAME=value`).
    ///   - fileModeMask: `umask`.
    /// - Throws: ``SystemError`` without a /dev/null.
    init(
        loop: EventLoop, environment: [String], fileModeMask: UInt16 = 0o177
    ) throws(SystemError) {
        self.loop = loop
        self.environment = environment
        self.fileModeMask = fileModeMask
        null = SharedDescriptor(try OwnedDescriptor.null())
    }

    /// Starts a command.
    ///
    /// - Parameters:
    ///   - output: what it gets as standard output; nil: /dev/null.
    ///   - onEnd: called once from the loop, when it has ended.
    func start(
        _ invocation: Invocation, output: CInt? = nil,
        onEnd: @escaping (Termination) -> Void
    ) throws(Failure) -> ChildProcess {
        guard let name = invocation.arguments.first, !name.isEmpty else {
            throw Failure(status: 126, description: "no command given")
        }
        let path = Program.lookUp(name, path: searchPath) ?? name
        var program = Program(
            path: path, arguments: invocation.arguments, environment: environment,
            descriptors: [null.rawValue, output ?? null.rawValue, null.rawValue])
        program.fileModeMask = fileModeMask
        program.identity = invocation.user?.identity
        program.parentDeathSignal = invocation.outlivesDaemon ? 0 : SIGTERM
        if let file = Self.testedFile(invocation.arguments) {
            // `</path`: whether it can be opened. keepalived gives that to a shell as well.
            program.path = Self.shell
            program.arguments = [Self.shell, "-c", ": <\"$0\"", file]
        }
        do throws(SystemError) {
            return try startOrInterpret(program, onEnd)
        } catch {
            let isMissing = error.code == .noSuchFileOrDirectory || error.code == .notDirectory
            throw Failure(status: isMissing ? 127 : 126, description: "\(error)")
        }
    }

    /// The file of a command that is nothing but `</path` (``ScriptSecurity`` lets it pass).
    static func testedFile(_ arguments: [String]) -> String? {
        guard let first = arguments.first, first.hasPrefix("<") else { return nil }
        let path = first.dropFirst().drop { $0 == " " || $0 == "\t" }
        if path.hasPrefix("/") { return String(path) }
        guard path.isEmpty, arguments.count > 1, arguments[1].hasPrefix("/") else { return nil }
        return arguments[1]
    }

    /// A file without `#!` is the shell's (POSIX's execvp rule). keepalived without libmagic, as on
    /// Debian, counts it as a success without running it.
    private func startOrInterpret(
        _ program: Program, _ onEnd: @escaping (Termination) -> Void
    ) throws(SystemError) -> ChildProcess {
        do throws(SystemError) {
            return try ChildProcess(program, loop: loop, onEnd: onEnd)
        } catch {
            guard error.code == .execFormatError else { throw error }
        }
        var interpreted = program
        interpreted.path = Self.shell
        interpreted.arguments = [Self.shell, program.path] + program.arguments.dropFirst()
        return try ChildProcess(interpreted, loop: loop, onEnd: onEnd)
    }

    private var searchPath: String {
        let prefix = "PATH="
        return environment.first { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
            ?? "/usr/sbin:/usr/bin:/sbin:/bin"
    }
}
