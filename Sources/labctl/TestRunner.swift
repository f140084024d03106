import Glibc
import LabKit
import LabModel
import LabReport
import LinuxSystem
import NetworkTypes

/// Runs scenarios, several labs at a time.
///
/// Each lab's supervisor is a process of its own and runs its scenario by itself; this only starts
/// them, listens to all of them, and takes them down.
final class TestRunner {
    /// How often a scenario of which nothing can be said is run, each time in a clean lab.
    private static let maximumAttempts = 2

    /// One run that is wanted.
    struct Order {
        var lab: LoadedLab
        var scenario: Scenario
        /// Which repetition, from 1; nil where there is only one.
        var repetition: Int?
    }

    struct Options {
        /// How many labs there may be at a time.
        var jobs = 1
        /// Whether the first lab whose scenario does not pass stays up, and everything ends there.
        var keepsOnFailure = false
        /// Whether every such lab waits for a line of standard input.
        var pausesOnFailure = false
        var archive: RunArchive
    }

    /// A run that is under way.
    private struct Run {
        var place: Int
        var attempt: Int
        var session: ScenarioSession
        var transcript: Transcript
        var printer: StepPrinter
    }

    /// The lines about a run: shown at once, or, where several runs are told of at a time, all
    /// together when it is over.
    private final class Transcript {
        private var lines: [String] = []
        private let display: TestDisplay
        private let isImmediate: Bool

        init(_ display: TestDisplay, isImmediate: Bool) {
            self.display = display
            self.isImmediate = isImmediate
        }

        func add(_ line: String) {
            if isImmediate { display.print([line]) } else { lines.append(line) }
        }

        func show() {
            if !lines.isEmpty { display.print(lines) }
            lines = []
        }
    }

    private let options: Options
    private let display: TestDisplay
    private let orders: [Order]
    private var next = 0
    private var runs: [Run] = []
    private var results: [Int: TestResult] = [:]
    /// What recorded runs came to in figures, by their folders, until their results are made.
    private var figures: [String: [RunFacts.Fact]] = [:]
    /// Why the first run came to no verdict that came to none.
    private(set) var firstError: LabError?
    private var isInputEnded = false

    init(_ orders: [Order], _ options: Options, display: TestDisplay) {
        self.orders = orders
        self.options = options
        self.display = display
    }

    /// Runs everything. A lab that cannot be built, or breaks, is no reason not to run the others.
    ///
    /// - Returns: what came of it, in the order in which it was wanted.
    /// - Throws: when a lab that is to go cannot be taken down.
    func run() throws -> [TestResult] {
        defer { display.draw([]) }
        do {
            try runAll()
        } catch {
            for run in runs { try? run.session.cancel() }
            throw error
        }
        return results.sorted { $0.key < $1.key }.map(\.value)
    }

    private func runAll() throws {
        while next < orders.count || !runs.isEmpty {
            while next < orders.count, runs.count < options.jobs {
                start(next, attempt: 1)
                next += 1
            }
            // One that is begun anew may be over at once, too.
            while let index = runs.firstIndex(where: \.session.isOver) {
                if try settle(runs.remove(at: index)) { return }
            }
            display.draw(runs.map(activity))
            if !runs.isEmpty { try wait() }
        }
    }

    private func activity(_ run: Run) -> String {
        let session = run.session
        let tenths = (MonotonicClock.now - session.started).wholeNanoseconds / 100_000_000
        return "\(session.lab.lab.name) / \(session.scenario.name)  \(session.activity)"
            + "  \(tenths / 10).\(tenths % 10) s"
    }

    // MARK: Runs

    private func start(_ place: Int, attempt: Int) {
        let order = orders[place]
        let transcript = Transcript(display, isImmediate: options.jobs == 1)
        let session = ScenarioSession(
            order.lab, order.scenario,
            ScenarioSession.Options(
                name: freeName(order.lab.lab.name), keepsOnFailure: options.keepsOnFailure,
                pausesOnFailure: options.pausesOnFailure,
                isRetried: attempt < Self.maximumAttempts, archive: options.archive))
        let run = Run(
            place: place, attempt: attempt, session: session, transcript: transcript,
            printer: StepPrinter { transcript.add($0) })
        session.begin(run.printer)
        runs.append(run)
    }

    /// The lab's own name, or the first with a number behind it that none of these labs has.
    private func freeName(_ name: String) -> String {
        let taken = Set(runs.filter { !$0.session.isOver }.compactMap(\.session.options.name))
        var candidate = name
        var number = 1
        while taken.contains(candidate) {
            number += 1
            let suffix = "-\(number)"
            candidate = name.prefix(Lab.maximumNameLength - suffix.count) + suffix
        }
        return candidate
    }

    /// Takes the result of a run that is over, or begins it anew; whether everything ends here.
    private func settle(_ run: Run) throws -> Bool {
        let session = run.session
        if let error = session.error {
            run.transcript.show()
            firstError = firstError ?? error
            results[run.place] = result(
                .error(error.description), took: MonotonicClock.now - session.started, of: run)
            return false
        }
        guard let outcome = session.outcome else { return false }
        let isRetried = outcome.verdict == .inconclusive && session.options.isRetried
        if isRetried { run.transcript.add("  once more, in a clean lab") }
        if !isRetried, let recorded = session.recorded { picture(recorded, run.transcript) }
        run.transcript.show()
        if isRetried {
            start(run.place, attempt: run.attempt + 1)
            return false
        }
        results[run.place] = result(
            .verdict(outcome.result), took: outcome.duration, of: run)
        guard options.keepsOnFailure, outcome.verdict == .failed || outcome.verdict == .inconclusive
        else { return false }
        for other in runs where !other.session.isOver { try other.session.cancel() }
        return true
    }

    private func result(
        _ outcome: TestResult.Outcome, took duration: Duration, of run: Run
    ) -> TestResult {
        let order = orders[run.place]
        var result = TestResult(
            lab: order.lab.lab.name, scenario: order.scenario.name, repetition: order.repetition,
            outcome: outcome, duration: duration, steps: run.session.steps,
            run: run.session.recorded?.path)
        result.slice = run.session.slice
        result.figures = figures.removeValue(forKey: result.run ?? "") ?? []
        return result
    }

    /// Shows a run in small.
    private func picture(_ run: RecordedRun, _ transcript: Transcript) {
        guard let record = try? run.record(), let events = try? run.events() else { return }
        let columns = display.isLive ? display.columns - 3 : 80
        let picture = RunPicture(record, events: events, columns: columns, paint: Self.paint)
        for line in picture.lines { transcript.add("  " + line) }
        let facts = RunFacts(record, events: events)
        if let failover = facts.failover { transcript.add("  last failover: " + failover.line) }
        figures[run.path] = facts.figures
    }

    private static func paint(_ tone: RunPicture.Tone, _ text: String) -> String {
        switch tone {
        case .plain: text
        case .faint: Style.dim(text)
        case .master: Style.green(text)
        case .backup: text
        case .bad: Style.red(text)
        }
    }

    // MARK: Waiting

    private func wait() throws {
        let sessions = runs.map(\.session)
        var waiting = sessions.map {
            pollfd(fd: $0.descriptor ?? -1, events: Int16(POLLIN), revents: 0)
        }
        let paused = sessions.first { $0.paused != nil }
        if let client = paused?.paused {
            if isInputEnded { return try resume(paused) }
            prompt(client)
            waiting.append(pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0))
        }
        let patience = display.isLive ? TestDisplay.refreshInterval : nil
        poll(
            &waiting, nfds_t(waiting.count),
            patience.map { CInt($0.wholeNanoseconds / 1_000_000) } ?? -1)
        for (run, found) in zip(runs, waiting) where found.revents != 0 {
            run.session.advance(run.printer)
        }
        if paused != nil, let input = waiting.last, input.revents != 0 { try resume(paused) }
    }

    private var prompted: String?

    private func prompt(_ client: LabClient) {
        guard prompted != client.name else { return }
        prompted = client.name
        for run in runs where run.session.paused != nil { run.transcript.show() }
        display.print([
            Style.yellow("lab \(client.name) waits")
                + ": look at it with `labctl -l \(client.name)` verbs; Enter goes on"
        ])
    }

    private func resume(_ session: ScenarioSession?) throws {
        var byte: UInt8 = 0
        // A byte at a time: what comes after the line is for the next one that waits.
        while !isInputEnded, byte != UInt8(ascii: "\n") {
            if read(STDIN_FILENO, &byte, 1) <= 0 { isInputEnded = true }
        }
        prompted = nil
        try session?.release()
    }
}
