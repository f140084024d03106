import ArgumentParser
import LabKit
import LabModel

/// What `start`, `stop`, `restart`, `kill`, `freeze`, `thaw` and `reload` have in common.
protocol ControlCommand: ParsableCommand {
    static var verb: ControlVerb { get }
    var lab: LabOption { get }
    var targets: [String] { get }
    var options: ControlOptions { get }
}

extension ControlCommand {
    func validate() throws {
        for target in targets where Target.parse(target) == nil {
            throw ValidationError("'\(target)' is no NODE or NODE/SERVICE")
        }
        for target in targets.compactMap(Target.parse) {
            if let problem = Self.verb.problem(with: options, on: target) {
                throw ValidationError(problem)
            }
        }
    }

    var options: ControlOptions { ControlOptions() }

    func run() throws {
        let client = try lab.client()
        for target in targets.compactMap(Target.parse) {
            try client.control(Self.verb, target, options)
        }
    }
}

/// `--clock`: how far the clocks of a service are off.
struct ClockOption: ParsableArguments {
    @Option(
        name: .customLong("clock"), parsing: .unconditional,
        help: ArgumentHelp(
            "Start services with clocks that are ahead, as +1h, or behind, as -30m.",
            discussion: """
                CLOCK_MONOTONIC and CLOCK_BOOTTIME, by a time namespace; the next start without it \
                is with the machine's own.
                """),
        transform: { text in
            guard let offset = ClockOffset.parse(text) else {
                throw ValidationError("'\(text)' is no offset of a clock, as +1h is")
            }
            return offset
        })
    var offset: ClockOffset?
}

struct Start: ControlCommand {
    static let configuration = CommandConfiguration(
        commandName: "start",
        abstract: "Start nodes, or services of them; returns when they are ready.")
    static let verb = ControlVerb.start
    @OptionGroup var lab: LabOption
    @Argument(help: "Nodes, or services as NODE/SERVICE.", completion: .targets)
    var targets: [String]
    @OptionGroup var clock: ClockOption
    var options: ControlOptions { ControlOptions(clock: clock.offset) }
}

struct Stop: ControlCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        abstract: "Stop nodes, or services of them, in good order (SIGTERM).")
    static let verb = ControlVerb.stop
    @OptionGroup var lab: LabOption
    @Argument(help: "Nodes, or services as NODE/SERVICE.", completion: .targets)
    var targets: [String]
    @OptionGroup var lasting: LastingOption
    var options: ControlOptions { ControlOptions(lasting: lasting.duration) }
}

struct Restart: ControlCommand {
    static let configuration = CommandConfiguration(
        commandName: "restart",
        abstract: "Stop nodes, or services of them, and start them again.", aliases: ["reboot"])
    static let verb = ControlVerb.restart
    @OptionGroup var lab: LabOption
    @Argument(help: "Nodes, or services as NODE/SERVICE.", completion: .targets)
    var targets: [String]
    @OptionGroup var clock: ClockOption
    var options: ControlOptions { ControlOptions(clock: clock.offset) }
}

struct Kill: ControlCommand {
    static let configuration = CommandConfiguration(
        commandName: "kill",
        abstract: "Cut the power of nodes, or kill services of them (SIGKILL).")
    static let verb = ControlVerb.kill
    @OptionGroup var lab: LabOption
    @Argument(help: "Nodes, or services as NODE/SERVICE.", completion: .targets)
    var targets: [String]
    @OptionGroup var lasting: LastingOption
    var options: ControlOptions { ControlOptions(lasting: lasting.duration) }
}

struct Freeze: ControlCommand {
    static let configuration = CommandConfiguration(
        commandName: "freeze",
        abstract: "Let nodes, or services of them, stand still; `thaw` lets them go on.")
    static let verb = ControlVerb.freeze
    @OptionGroup var lab: LabOption
    @Argument(help: "Nodes, or services as NODE/SERVICE.", completion: .targets)
    var targets: [String]
    @OptionGroup var lasting: LastingOption
    var options: ControlOptions { ControlOptions(lasting: lasting.duration) }
}

struct Thaw: ControlCommand {
    static let configuration = CommandConfiguration(
        commandName: "thaw",
        abstract: "Let frozen nodes, or services of them, go on.")
    static let verb = ControlVerb.thaw
    @OptionGroup var lab: LabOption
    @Argument(help: "Nodes, or services as NODE/SERVICE.", completion: .targets)
    var targets: [String]
}

struct Reload: ControlCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Tell services to read their configuration anew (SIGHUP).")
    static let verb = ControlVerb.reload
    @OptionGroup var lab: LabOption
    @Argument(help: "Services as NODE/SERVICE.", completion: .targets) var targets: [String]
}
