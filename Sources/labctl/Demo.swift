import ArgumentParser
import Glibc
import LabKit
import LabModel
import LabReport
import LinuxSystem
import NetworkTypes

struct Demo: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Run one scenario of a lab and narrate what kernel and wire show.",
        discussion: """
            Before something is done it is said what should come of it; afterwards the lab is \
            drawn as it stands.
            """)

    @Argument(
        help: "The lab's folder or file (default: the working directory).", completion: .labFiles)
    var lab: String?
    @OptionGroup var build: BuildOptions
    @OptionGroup var publish: PublishOption
    @Option(help: "Which scenario (default: the first).")
    var scenario: String?
    @Flag(
        help: "Wait for Enter before anything is done. Checks then hold from one to the next.")
    var pause = false

    func run() throws {
        let loaded = try publish.apply(to: build.load(LabReference.source(lab)))
        let scenarios = loaded.lab.scenarios
        guard
            let chosen = scenario.map({ name in scenarios.first { $0.name == name } })
                ?? scenarios.first
        else {
            let names = scenarios.map(\.name).joined(separator: ", ")
            throw LabError.state(
                "there is no such scenario: lab \(loaded.lab.name) has "
                    + (names.isEmpty ? "none" : names))
        }
        printLine(Style.bold("Lab \(loaded.lab.name), scenario \(chosen.name)"))
        if let summary = chosen.summary { printLine(summary) }
        if let outcome = LabKit.Doctor.skip(chosen, of: loaded.lab) {
            printLine(Style.yellow("Skipped: \(outcome.message)"))
            return
        }
        let verdict = try tell(chosen, in: loaded.applying(chosen))
        switch verdict {
        case .passed, .skipped: break
        case .failed: throw ExitStatus.failed
        case .inconclusive: throw ExitStatus.inconclusive
        }
    }

    private func tell(_ scenario: Scenario, in loaded: LoadedLab) throws -> ScenarioOutcome.Verdict
    {
        let start = MonotonicClock.now
        let client = try LabLauncher.up(loaded, endsWithCaller: true)
        defer { try? client.down() }
        let narrator = try Narrator(loaded, client)
        printLine("Built in \((MonotonicClock.now - start).text); every service is ready.")
        let outcome = try narrator.tell(scenario, pauses: pause)
        printLine("")
        switch outcome.verdict {
        case .passed:
            printLine(Style.green("It held: everything above is what kernel and wire showed."))
        case .failed: printLine(Style.red("It did not hold: \(outcome.message)"))
        case .inconclusive: printLine(Style.yellow("Nothing can be said: \(outcome.message)"))
        case .skipped: printLine(Style.yellow("Skipped: \(outcome.message)"))
        }
        return outcome.verdict
    }
}

/// Runs a scenario and prints a ``Narration`` of its timeline.
private final class Narrator {
    /// How long the end of the timeline is waited for, which is a little late.
    private static let patience = Duration.seconds(5)
    /// How often it is asked whether there is news where nothing tells.
    private static let pause = Duration.milliseconds(100)

    private let client: LabClient
    private let timeline: TimelineFollower
    private var story: Narration
    /// What was told before, in the order in which the supervisor learned of it.
    private var known = 0

    init(_ loaded: LoadedLab, _ client: LabClient) throws {
        self.client = client
        timeline = try TimelineFollower(client)
        story = Narration(lab: loaded.lab, routers: loaded.virtualRouters)
        // How the lab came up is not told, but it is in the picture.
        try client.events { event, _ in
            _ = story.fold(event)
            known = max(known, event.order)
        }
    }

    /// Runs it, in one piece or from Enter to Enter, and tells how it goes.
    func tell(_ scenario: Scenario, pauses: Bool) throws -> ScenarioOutcome {
        var outcome: ScenarioOutcome
        if pauses {
            outcome = try pieces(scenario)
        } else {
            show(story.begin(scenario, announces: false))
            outcome = try run(scenario)
        }
        show([.picture(story.picture)])
        return outcome
    }

    private func pieces(_ scenario: Scenario) throws -> ScenarioOutcome {
        var whole: ScenarioOutcome?
        for piece in scenario.acts {
            show(story.begin(piece, announces: true))
            // What the lab does by itself begins without.
            if piece.beginsWithDeed { Self.awaitEnter() }
            let outcome = try run(piece)
            whole = outcome
            if outcome.verdict != .passed { break }
        }
        return try whole ?? run(scenario)
    }

    private func run(_ scenario: Scenario) throws -> ScenarioOutcome {
        let running = try client.begin(scenario)
        let before = story.stepsOver
        var over = 0
        var outcome: ScenarioOutcome?
        while outcome == nil {
            try wait(for: running.descriptor)
            while outcome == nil, let news = try running.present() {
                switch news {
                case .step(let report): if report.phase != .began { over += 1 }
                case .slice: break
                case .verdict(let verdict): outcome = verdict
                }
            }
        }
        // The steps are on the timeline, too; then all that led to the last of them was told.
        let deadline = MonotonicClock.now + Self.patience
        while story.stepsOver < before + over, MonotonicClock.now < deadline { try wait() }
        guard let outcome else { preconditionFailure("the loop ends with an outcome") }
        return outcome
    }

    /// Tells what happens, until something can be read from `descriptor`, or for a moment.
    private func wait(for descriptor: CInt = -1) throws {
        var waiting = [descriptor, timeline.descriptor].map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        poll(&waiting, 2, Int32(Self.pause.milliseconds))
        try timeline.takeEvents { event in
            if event.order > known { show(story.fold(event)) }
        }
    }

    /// Waits for Enter, or the end of standard input.
    ///
    /// Not for any key: that would take a terminal that every end has to put right again.
    private static func awaitEnter() {
        printLine(Style.dim("    press Enter to go on"))
        _ = readLine()
    }

    // MARK: Lines

    private func show(_ lines: [Narration.Line]) {
        for line in lines { show(line) }
    }

    private func show(_ line: Narration.Line) {
        switch line {
        case .picture(let text):
            let lines = text.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n")
            printLine("\n\(lines)\n")
        case .coming(let text): printLine(Style.bold("Next: \(text)"))
        case .theory(let text): printLine(Style.dim("      \(text)"))
        case .deed(let text): printLine("    \(Self.pad(""))  \(Style.bold(text))")
        case .event(let text, let after, let tone):
            let time = Style.dim(Self.pad(after.map { "+" + $0.text } ?? ""))
            switch tone {
            case .neutral: printLine("    \(time)  \(text)")
            case .gain: printLine("    \(time)  \(Style.green(text))")
            case .loss: printLine("    \(time)  \(Style.yellow(text))")
            }
        case .step(let report): if let line = StepPrinter.line(report) { printLine(line) }
        }
    }

    private static func pad(_ text: String) -> String {
        String(repeating: " ", count: max(0, 11 - text.count)) + text
    }
}
