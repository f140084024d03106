import ArgumentParser
import Glibc
import LabKit
import LabModel
import LinuxSystem

struct Logs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Show what services have printed.")

    @OptionGroup var lab: LabOption
    @Flag(name: .shortAndLong, help: "Go on with what they print from now on.")
    var follow = false
    @Option(name: [.customShort("n"), .long], help: "Only the last so many lines.")
    var tail: Int?
    @Option(help: "How to print them.") var format = Format.text
    @Argument(
        help: "A node, or a service as NODE/SERVICE (default: all).", completion: .targets)
    var target: String?

    func run() throws {
        let wanted = target.flatMap(Target.parse)
        let client = try lab.client()
        var failure: (any Error)?
        try client.logs(
            node: wanted?.node, service: wanted?.service, follow: follow, tail: tail
        ) { line in
            switch format {
            case .json:
                do { try printJSON(line, isPretty: false) } catch { failure = failure ?? error }
            case .text where wanted?.service != nil: printLine(line.text)
            case .text: printLine("\(line.node)/\(line.service)  \(line.text)")
            }
        }
        if let failure { throw failure }
        if follow, !StandardStreams.hasReader(STDOUT_FILENO) { endForLackOfReader() }
    }

    func validate() throws {
        if let target, Target.parse(target) == nil {
            throw ValidationError("'\(target)' is no NODE or NODE/SERVICE")
        }
        if let tail, tail < 0 { throw ValidationError("--tail counts lines: 0 or more") }
    }
}
