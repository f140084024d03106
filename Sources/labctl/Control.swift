import ArgumentParser
import LabKit
import LabModel

/// What `start`, `stop`, `restart`, `kill`, `freeze`, `thaw` and `reload` have in common.
protocol ControlCommand: ParsableCommand {
    static var verb: ControlVerb { get }
    var lab: LabOption { get }
    var targets: [String] { get }
}

extension ControlCommand {
    func validate() throws {
        for target in targets where Target.parse(target) == nil {
            throw ValidationError("'\(target)' is no NODE or NODE/SERVICE")
        }
    }

    func run() throws {
        let client = try lab.client()
        for target in targets.compactMap(Target.parse) { try client.control(Self.verb, target) }
    }
}

struct Start: ControlCommand {
    static let configuration = CommandConfiguration(
        abstract: "Start nodes, or services of them; returns when they are ready.")
    static let verb = ControlVerb.start
    @OptionGroup var lab: LabOption
    @Argument(help: "Nodes, or services as NODE/SERVICE.") var targets: [String]
}

struct Stop: ControlCommand {
    static let configuration = CommandConfiguration(
        abstract: "Stop nodes, or services of them, in good order (SIGTERM).")
    static let verb = ControlVerb.stop
    @OptionGroup var lab: LabOption
    @Argument(help: "Nodes, or services as NODE/SERVICE.") var targets: [String]
}

struct Restart: ControlCommand {
    static let configuration = CommandConfiguration(
        abstract: "Stop nodes, or services of them, and start them again.", aliases: ["reboot"])
    static let verb = ControlVerb.restart
    @OptionGroup var lab: LabOption
    @Argument(help: "Nodes, or services as NODE/SERVICE.") var targets: [String]
}

struct Kill: ControlCommand {
    static let configuration = CommandConfiguration(
        abstract: "Cut the power of nodes, or kill services of them (SIGKILL).")
    static let verb = ControlVerb.kill
    @OptionGroup var lab: LabOption
    @Argument(help: "Nodes, or services as NODE/SERVICE.") var targets: [String]
}

struct Freeze: ControlCommand {
    static let configuration = CommandConfiguration(
        abstract: "Let nodes, or services of them, stand still; `thaw` lets them go on.")
    static let verb = ControlVerb.freeze
    @OptionGroup var lab: LabOption
    @Argument(help: "Nodes, or services as NODE/SERVICE.") var targets: [String]
}

struct Thaw: ControlCommand {
    static let configuration = CommandConfiguration(
        abstract: "Let frozen nodes, or services of them, go on.")
    static let verb = ControlVerb.thaw
    @OptionGroup var lab: LabOption
    @Argument(help: "Nodes, or services as NODE/SERVICE.") var targets: [String]
}

struct Reload: ControlCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tell services to read their configuration anew (SIGHUP).")
    static let verb = ControlVerb.reload
    @OptionGroup var lab: LabOption
    @Argument(help: "Services as NODE/SERVICE.") var targets: [String]
}
