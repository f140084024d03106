import ArgumentParser
import Glibc
import LabKit
import LabModel
import LinuxSystem
import NetworkTypes

struct Test: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the scenarios of labs, each in a fresh lab, and say whether they hold.",
        discussion: """
            Exits with 0 when all pass, 1 when one fails, 4 when nothing can be said because the \
            machine stood still, twice in a row in a clean lab. A scenario that needs what this \
            machine lacks is skipped, with the reason.
            """)

    @Argument(help: "Lab folders or files (default: the working directory).")
    var labs: [String] = []
    @OptionGroup var build: BuildOptions
    @Option(help: "Only scenarios whose name fits this pattern (*, ?, [...]).")
    var scenario: String?
    @Option(name: .customLong("repeat"), help: "Run everything so many times.")
    var repetitions = 1
    @Flag(help: "Leave the lab of the first scenario that fails as it is, up, and stop there.")
    var keepOnFailure = false

    func validate() throws {
        if repetitions < 1 { throw ValidationError("--repeat counts runs: 1 or more") }
    }

    func run() throws {
        let start = MonotonicClock.now
        // Every file is checked before anything is built.
        let loaded = try build.load(labs)
        for lab in loaded { printWarnings(lab.warnings) }
        let chosen = try loaded.map { lab in (lab, try wanted(of: lab)) }
        if chosen.allSatisfy({ $0.1.isEmpty }) {
            throw LabError.state("there is no scenario to run")
        }
        var counts: [ScenarioOutcome.Verdict: Int] = [:]
        rounds: for _ in 0..<repetitions {
            for (lab, scenarios) in chosen {
                for scenario in scenarios {
                    let outcome = try run(scenario, in: lab)
                    counts[outcome.verdict, default: 0] += 1
                    switch outcome.verdict {
                    case .failed where keepOnFailure, .inconclusive where keepOnFailure:
                        break rounds
                    case .passed, .failed, .inconclusive, .skipped: break
                    }
                }
            }
        }
        let failed = counts[.failed] ?? 0
        let inconclusive = counts[.inconclusive] ?? 0
        var summary = "\(counts[.passed] ?? 0) passed, \(failed) failed"
        if inconclusive > 0 { summary += ", \(inconclusive) inconclusive" }
        if let skipped = counts[.skipped] { summary += ", \(skipped) skipped" }
        printLine("\(summary) in \((MonotonicClock.now - start).text)")
        if failed > 0 { throw ExitStatus.failed }
        if inconclusive > 0 { throw ExitStatus.inconclusive }
    }

    /// How often a scenario of which nothing can be said is run, each time in a clean lab.
    private static let maximumAttempts = 2

    private func run(_ scenario: Scenario, in lab: LoadedLab) throws -> ScenarioOutcome {
        var attempt = 1
        while true {
            let outcome = try ScenarioSession(lab, scenario).run(
                keepingOnFailure: keepOnFailure, retries: attempt < Self.maximumAttempts,
                printer: StepPrinter())
            guard outcome.verdict == .inconclusive, attempt < Self.maximumAttempts else {
                return outcome
            }
            attempt += 1
            printLine("  once more, in a clean lab")
        }
    }

    private func wanted(of lab: LoadedLab) throws -> [Scenario] {
        lab.lab.scenarios.filter { candidate in
            guard let scenario else { return true }
            return candidate.isCalled { fnmatch(scenario, $0, 0) == 0 }
        }
    }
}

/// One scenario in a lab of its own, which ends with it.
struct ScenarioSession {
    private let lab: LoadedLab
    private let scenario: Scenario

    init(_ lab: LoadedLab, _ scenario: Scenario) {
        self.lab = lab
        self.scenario = scenario
    }

    /// Builds the lab, runs the scenario, takes the lab down.
    ///
    /// - Parameters:
    ///   - keepingOnFailure: whether a lab whose scenario did not pass stays up.
    ///   - retries: whether an inconclusive run is followed by another, so that its lab goes.
    func run(
        keepingOnFailure: Bool = false, retries: Bool = false, printer: any ScenarioPrinter
    ) throws -> ScenarioOutcome {
        printer.begin(lab.lab, scenario)
        if let outcome = LabKit.Doctor.skip(scenario) {
            printer.end(outcome)
            return outcome
        }
        let applied = lab.applying(scenario)
        let client = try LabLauncher.up(applied, endsWithCaller: !keepingOnFailure)
        printer.built(client)
        let onEvent = printer.wantsEvents ? { printer.event($0) } : nil
        let outcome: ScenarioOutcome
        do {
            outcome = try client.run(
                scenario: scenario.name, onEvent: onEvent, onSlice: { printer.slice($0) },
                onStep: { printer.step($0) })
        } catch {
            try? client.down()
            throw error
        }
        printer.end(outcome)
        let isKept: Bool
        switch outcome.verdict {
        case .failed: isKept = keepingOnFailure
        case .inconclusive: isKept = keepingOnFailure && !retries
        case .passed, .skipped: isKept = false
        }
        if isKept {
            printError("lab \(client.name) is left up: `labctl down \(client.name)` ends it")
        } else {
            try client.down()
        }
        return outcome
    }
}

/// Shows people how a scenario goes.
protocol ScenarioPrinter {
    /// Whether ``event(_:)`` is called.
    var wantsEvents: Bool { get }
    func begin(_ lab: Lab, _ scenario: Scenario)
    func built(_ client: LabClient)
    func event(_ event: TimelineEvent)
    /// What the timeline shows around what went wrong, before the report of it.
    func slice(_ events: [TimelineEvent])
    func step(_ report: StepReport)
    func end(_ outcome: ScenarioOutcome)
}

/// A line for each step that is over.
struct StepPrinter: ScenarioPrinter {
    var wantsEvents: Bool { false }

    func begin(_ lab: Lab, _ scenario: Scenario) {
        printLine(Style.bold("\(lab.name) / \(scenario.name)"))
    }

    func built(_ client: LabClient) {}
    func event(_ event: TimelineEvent) {}

    func slice(_ events: [TimelineEvent]) {
        guard let first = events.first else { return }
        let text = EventText(origin: first.time)
        for event in events { printLine(Style.dim("    " + text.line(for: event))) }
    }

    func step(_ report: StepReport) {
        guard let line = Self.line(report) else { return }
        printLine("  " + line)
    }

    func end(_ outcome: ScenarioOutcome) {
        let took = outcome.duration.text
        switch outcome.verdict {
        case .passed: printLine("  \(Style.green("passed")) in \(took)")
        case .failed: printLine("  \(Style.red("failed")) after \(took)")
        case .inconclusive: printLine("  \(Style.yellow("inconclusive")) after \(took)")
        case .skipped: printLine("  \(Style.yellow("skipped")): \(outcome.message)")
        }
    }

    /// A step that is over, in a line; nil for one that begins.
    static func line(_ report: StepReport) -> String? {
        switch report.phase {
        case .began: return nil
        case .passed(let result):
            var line = "\(Style.green("ok"))    \(report.summary)"
            if let outage = result.outage {
                let length = outage.duration(now: outage.end ?? outage.begin).text
                line += ": \(length), \(outage.lostRequests) requests lost"
            } else if let after = result.after {
                line += ": \(after.text)" + (result.cause.map { " after \($0)" } ?? "")
            }
            if let measured = result.measured { line += ": \(measured)" }
            if let bound = result.bound { line += Style.dim("  (at most \(bound))") }
            return line
        // The message says what the step was, too.
        case .failed(let message): return "\(Style.red("FAIL"))  \(message)"
        case .inconclusive(let message): return "\(Style.yellow("??"))    \(message)"
        case .notRun: return "\(Style.dim("-"))     \(Style.dim(report.summary))"
        }
    }
}
