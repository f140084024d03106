import ArgumentParser
import Glibc
import LabKit
import LabModel
import LinuxSystem

/// The program: `labctl` for people, or, by its first argument, the supervisor of a lab.
@main
enum Main {
    static func main() {
        if CommandLine.arguments.dropFirst().first == SupervisorProgram.argument {
            SupervisorProgram.run()
        }
        if CommandLine.arguments.dropFirst().first == LabKit.Doctor.argument {
            LabKit.Doctor.printKernelFindings()
        }
        // A supervisor that has gone away is an error of write(2), not a death.
        signal(SIGPIPE, SIG_IGN)
        StandardStreams.openMissing()
        exit(run().rawValue)
    }

    private static func run() -> ExitStatus {
        if let verb = CommandLine.arguments.dropFirst().first, let problem = Labctl.unknown(verb) {
            printError(problem)
            return .wrongUsage
        }
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
                printLine(text)  // Help and version were asked for.
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
                subcommands: [
                    Up.self, Down.self, List.self, Status.self, Graph.self, Check.self, Doctor.self,
                    Generate.self, CompletionVerb.self,
                ]),
            CommandGroup(
                name: "Nodes and services",
                subcommands: [
                    Exec.self, Shell.self, Logs.self, Start.self, Stop.self, Restart.self,
                    Kill.self, Freeze.self, Thaw.self, Limit.self, Reload.self, Copy.self,
                    ReadMail.self,
                ]),
            CommandGroup(
                name: "The network between them",
                subcommands: [
                    Link.self, Plug.self, Unplug.self, Impair.self, Partition.self, Cut.self,
                    ImposterVerb.self, Heal.self,
                ]),
            CommandGroup(
                name: "What happened, and whether it should have",
                subcommands: [
                    Watch.self, ProbeVerb.self, Events.self, VIP.self, Explain.self, Capture.self,
                    Test.self, ChaosVerb.self, Demo.self,
                ]),
            CommandGroup(
                name: "Recorded runs",
                subcommands: [
                    Runs.self, Report.self, At.self, Diff.self, Compare.self, Replay.self,
                ]),
        ])
}

extension Labctl {
    /// What is wrong with a word in the place of a verb; nil for a verb or an option.
    static func unknown(_ verb: String) -> String? {
        let commands = configuration.groupedSubcommands.flatMap(\.subcommands)
        let verbs =
            ["help"]
            + commands.flatMap { command in
                let name = command.configuration.commandName ?? "\(command)".lowercased()
                return [name] + command.configuration.aliases
            }
        guard !verb.hasPrefix("-"), !verbs.contains(verb) else { return nil }
        let meant = SpellingSuggestion.closest(to: verb, among: verbs)
        return """
            Error: there is no verb '\(verb)'\(meant.map { "; did you mean '\($0)'?" } ?? "")
            Usage: labctl <verb>
              See 'labctl --help' for more information.
            """
    }
}
