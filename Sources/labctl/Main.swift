import ArgumentParser
import Glibc
import LabKit
import LinuxSystem

/// The program: `labctl` for people, or, by its first argument, the supervisor of a lab.
@main
enum Main {
    static func main() {
        if CommandLine.arguments.dropFirst().first == SupervisorProgram.argument {
            SupervisorProgram.run()
        }
        // A reader that has gone away (`labctl events | head`) is an error of write(2), not a
        // death.
        signal(SIGPIPE, SIG_IGN)
        exit(run().rawValue)
    }

    private static func run() -> ExitStatus {
        do {
            var command = try Labctl.parseAsRoot()
            try command.run()
            return .done
        } catch let status as ExitStatus {
            return status
        } catch let error as CommandExit {
            exit(error.status)
        } catch let error as LabError {
            printError(error.description)
            return ExitStatus(error)
        } catch {
            let text = Labctl.fullMessage(for: error)
            if Labctl.exitCode(for: error).isSuccess {
                print(text)  // Help and version were asked for.
                return .done
            }
            printError(text)
            return .wrongUsage
        }
    }
}

/// What `labctl` exits with.
enum ExitStatus: Int32, Error {
    case done = 0
    /// An expectation of a scenario failed, or something that was tried went wrong.
    case failed = 1
    /// Wrong usage, or a wrong lab file.
    case wrongUsage = 2
    /// This machine cannot do it.
    case machine = 3
    /// Nothing can be said: the machine stood still.
    case inconclusive = 4
    /// The lab, node or service is in the wrong state for it.
    case state = 5

    init(_ error: LabError) {
        self =
            switch error {
            case .invalid: .wrongUsage
            case .machine: .machine
            case .state: .state
            case .failed: .failed
            }
    }
}

/// Ends the program with somebody else's exit status: that of a command run in a node.
struct CommandExit: Error {
    var status: Int32
}

/// Prints to standard error.
func printError(_ text: String) { StandardError.print(text) }

struct Labctl: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "labctl",
        abstract: "Build, break and measure high-availability labs on one machine.",
        discussion: """
            A lab is named by its folder, its lab file or, once it is up, its name. In a lab's \
            folder, or while only one lab is up, it need not be named.
            """,
        version: "labctl 0.1.0",
        groupedSubcommands: [
            CommandGroup(
                name: "Labs",
                subcommands: [Up.self, Down.self, List.self, Status.self, Check.self, Doctor.self]),
            CommandGroup(
                name: "Nodes and services",
                subcommands: [
                    Exec.self, Shell.self, Logs.self, Start.self, Stop.self, Restart.self,
                    Kill.self,
                ]),
            CommandGroup(
                name: "What happened, and whether it should have",
                subcommands: [Events.self, Test.self, Demo.self]),
        ])
}
