import Glibc
import LabKit
import LabModel
import LinuxSystem
import NetworkTypes

/// One scenario in a lab of its own, which ends with it.
///
/// The lab's supervisor does everything by itself; whoever has several of these calls
/// ``advance(_:)`` when ``descriptor`` has become readable.
final class ScenarioSession {
    /// What becomes of it all.
    struct Options {
        /// The lab's name while it is up; nil for its own.
        var name: String?
        /// Whether a lab whose scenario did not pass stays up.
        var keepsOnFailure = false
        /// Whether such a lab stays until ``release()``.
        var pausesOnFailure = false
        /// Whether an inconclusive run is followed by another, so that its lab goes.
        var isRetried = false
        /// Where the run is recorded; nil for nowhere.
        var archive: RunArchive?
    }

    private enum State {
        case launching(LabLaunch)
        case running(LabClient, RunningScenario)
        /// It did not pass, and its lab is there to be looked at.
        case paused(LabClient)
        case over
    }

    let lab: LoadedLab
    let scenario: Scenario
    let options: Options
    let started = MonotonicClock.now
    private(set) var outcome: ScenarioOutcome?
    /// Why there is no verdict: the lab could not be built, or broke.
    private(set) var error: LabError?
    /// How its steps ended.
    private(set) var steps: [StepReport] = []
    /// What the timeline shows around what went wrong first.
    private(set) var slice: [String] = []
    /// The step that is on.
    private(set) var step: StepReport?
    /// Where the run is recorded.
    private(set) var recorded: RecordedRun?
    private let built: LoadedLab
    private var began = MonotonicClock.now
    private var state = State.over
    /// The lab, once it is up.
    private var client: LabClient?

    init(_ lab: LoadedLab, _ scenario: Scenario, _ options: Options = Options()) {
        self.lab = lab
        self.scenario = scenario
        self.options = options
        var built = lab.applying(scenario)
        if let name = options.name { built.lab.name = name }
        // Of the same lab several may be tested at a time.
        built.lab = built.lab.withoutPublishedPorts
        self.built = built
    }

    /// Becomes readable when there is something to be done; nil while there never will be.
    var descriptor: CInt? {
        switch state {
        case .launching(let launch): launch.descriptor
        case .running(_, let running): running.descriptor
        case .paused, .over: nil
        }
    }

    /// Whether its lab is gone, or is left to the user.
    var isOver: Bool {
        if case .over = state { return true }
        return false
    }

    /// The lab that waits to be looked at.
    var paused: LabClient? {
        if case .paused(let client) = state { return client }
        return nil
    }

    /// What is going on, in words.
    var activity: String {
        switch state {
        case .launching: "is being built"
        case .running:
            step.map { "\($0.index)/\(scenario.steps.count)  \($0.summary)" } ?? "begins"
        case .paused: "is paused"
        case .over: "is over"
        }
    }

    /// Begins; a scenario that this machine cannot run is over at once.
    func begin(_ printer: StepPrinter) {
        printer.begin(lab.lab, scenario)
        if let outcome = LabKit.Doctor.skip(scenario, of: lab.lab) {
            self.outcome = outcome
            printer.end(scenario, outcome)
            return
        }
        do {
            state = .launching(
                try LabLauncher.begin(built, endsWithCaller: !options.keepsOnFailure))
        } catch {
            end(error, printer)
        }
    }

    /// Does what can be done now.
    func advance(_ printer: StepPrinter) {
        do {
            try proceed(printer)
        } catch {
            end(error, printer)
        }
    }

    private func proceed(_ printer: StepPrinter) throws(LabError) {
        switch state {
        case .launching(let launch):
            guard let client = try launch.advance() else { return }
            self.client = client
            began = MonotonicClock.now
            state = .running(client, try client.begin(scenario: scenario.name))
        case .running(let client, let running):
            while let news = try running.present() {
                if take(news, printer) { return try conclude(client) }
            }
        case .paused, .over: break
        }
    }

    /// Ends without a verdict, and with nothing left of the lab. One that could not be built has
    /// left nothing; one that broke may be gone already.
    private func end(_ error: LabError, _ printer: StepPrinter) {
        self.error = error
        printer.end(error)
        try? client?.down()
        state = .over
    }

    /// Takes note of what a run tells; whether it is over.
    private func take(_ news: RunningScenario.News, _ printer: StepPrinter) -> Bool {
        switch news {
        case .step(let report):
            if report.phase == .began {
                step = report
            } else {
                steps.append(report)
            }
            printer.step(report)
        case .slice(let events):
            let lines = events.map(EventText(origin: began).line)
            // Of several failures the first is the run's.
            if slice.isEmpty { slice = lines }
            printer.slice(lines)
        case .verdict(let outcome):
            self.outcome = outcome
            printer.end(scenario, outcome)
            return true
        }
        return false
    }

    private func conclude(_ client: LabClient) throws(LabError) {
        guard let outcome else { return }
        if let archive = options.archive {
            do {
                recorded = try archive.save(
                    RunRecord(
                        of: scenario, in: built, name: lab.lab.name, began: began,
                        outcome: outcome), of: client)
            } catch {
                printError("this run is not recorded: \(error)")
            }
        }
        let isTelling =
            switch outcome.verdict {
            case .failed: true
            case .inconclusive: !options.isRetried
            case .passed, .skipped: false
            }
        if isTelling, options.pausesOnFailure {
            state = .paused(client)
        } else if isTelling, options.keepsOnFailure {
            state = .over
            printError("lab \(client.name) is left up: `labctl down \(client.name)` ends it")
        } else {
            state = .over
            try client.down()
        }
    }

    /// Lets go of a paused lab.
    func release() throws {
        guard let client = paused else { return }
        state = .over
        if options.keepsOnFailure {
            printError("lab \(client.name) is left up: `labctl down \(client.name)` ends it")
        } else {
            try client.down()
        }
    }

    /// Ends it where it is, without a verdict.
    func cancel() throws {
        let before = state
        state = .over
        switch before {
        case .launching(let launch): try launch.finish().down()
        case .running(let client, _), .paused(let client): try client.down()
        case .over: break
        }
    }
}
