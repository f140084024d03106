import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// A program that could not be started.
struct LaunchError: Error, CustomStringConvertible {
    /// 127 when there is no such program, 126 otherwise: the shell's and docker's numbers.
    var status: Int32
    var description: String
    /// Why the program cannot be run; nil where that was not the reason.
    var refusal: Errno?

    static let notFound: Int32 = 127
    static let notRunnable: Int32 = 126
}

/// How programs are started in the node.
struct Launcher {
    private static let shell = "/bin/sh"

    /// The environment they get.
    var environment: NodeEnvironment
    /// The folder they start in.
    var workingDirectory = "/root"
    /// The user they run as; nil for root.
    var identity: Program.Identity?
    /// Whether descriptor 0 becomes their controlling terminal.
    var controlsTerminal = false
    /// The unit whose name a program of ours shows as its own; nil for none.
    var unit: String?
    /// The time namespace they run in; nil for the node's own.
    var clocks: SharedDescriptor?

    /// Starts a command as the leader of a session of its own.
    ///
    /// - Parameters:
    ///   - command: a path, or a name looked up in the environment's PATH, and arguments.
    ///   - descriptors: standard input, output and error.
    func start(_ command: [String], descriptors: [CInt]) throws(LaunchError) -> Program.Started {
        guard let name = command.first, !name.isEmpty else {
            throw LaunchError(status: LaunchError.notRunnable, description: "no command given")
        }
        guard let path = Program.lookUp(name, path: environment["PATH"] ?? NodeEnvironment.path)
        else {
            throw LaunchError(
                status: LaunchError.notFound, description: "\(name): not found",
                refusal: .noSuchFileOrDirectory)
        }
        var program = Program(
            path: path, arguments: command, environment: environment.variables,
            descriptors: descriptors)
        program.workingDirectory = workingDirectory
        program.identity = identity
        program.users = NodeUsers.current
        program.leadsSession = true
        program.controlsTerminal = controlsTerminal
        do {
            // Our tools are told apart by the names they are called by.
            if let unit, path.hasPrefix("\(NodeRoot.programsFolder)/"), Tool(calledAs: path) == nil
            {
                // The kernel names a process after the path it was run by.
                program.path = "\(NodeRoot.unitsFolder)/\(unit)"
                program.arguments[0] = unit
                try FileSystem.link(program.path, to: path)
            }
            guard let clocks else { return try startOrInterpret(program) }
            return try TimeNamespace.run(in: clocks.rawValue) { () throws(SystemError) in
                try startOrInterpret(program)
            }
        } catch {
            let hint =
                identity != nil && IDMap.isRootAlone
                    && [.invalidArgument, .notPermitted].contains(error.code)
                ? ": " + IDMap.rootAloneHint : ""
            let isMissing = error.code == .noSuchFileOrDirectory && !FileSystem.exists(path)
            throw LaunchError(
                status: isMissing ? LaunchError.notFound : LaunchError.notRunnable,
                description: "\(error)\(hint)",
                refusal: Self.shortages.contains(error.code) ? nil : error.code)
        }
    }

    /// What says that the machine has no room for another process, whichever it is.
    private static let shortages: [Errno] = [
        .resourceTemporarilyUnavailable, .noMemory, .tooManyOpenFiles, .tooManyOpenFilesInSystem,
    ]

    /// As execvp(3) does, gives a script without `#!` to the shell.
    private func startOrInterpret(_ program: Program) throws(SystemError) -> Program.Started {
        do {
            return try program.start()
        } catch  where error.code == .execFormatError {
            var interpreted = program
            interpreted.path = Self.shell
            interpreted.arguments = [Self.shell, program.path] + program.arguments.dropFirst()
            return try interpreted.start()
        }
    }
}
