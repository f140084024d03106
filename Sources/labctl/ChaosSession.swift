import Chaos
import LabKit
import LabModel
import LinuxSystem
import NetworkTypes

/// Runs a schedule, and looks for the least that shows what did not hold.
struct ChaosSession {
    /// How often a round is run of which nothing can be said, each time in a clean lab.
    private static let maximumAttempts = 3

    let lab: LoadedLab
    let ground: Ground
    let health: Health
    let seed: UInt64
    let archive: RunArchive
    private let display = TestDisplay(1)

    init(
        lab: LoadedLab, ground: Ground, health: Health, seed: UInt64, archive: RunArchive
    ) {
        self.lab = lab
        self.ground = ground
        self.health = health
        self.seed = seed
        self.archive = archive
    }

    // MARK: Scenarios

    /// A schedule as a scenario of this lab.
    func course(_ schedule: Schedule) -> Course {
        Course(
            schedule, of: health, named: "chaos-\(seed)",
            summary: "\(schedule.faults.count) faults in \(schedule.rounds.count) rounds "
                + "by seed \(seed)")
    }

    /// Writes it where recorded runs are; the path.
    ///
    /// - Parameter suffix: what its name ends with.
    func write(_ course: Course, suffix: String = "") throws -> String {
        do {
            let path = self.path(suffix: suffix, ending: "yaml")
            let header = [
                "Of lab \(lab.lab.name), by `labctl chaos`: run it again with",
                "`labctl test \(lab.path) --scenario-file THIS`.",
            ]
            let text = try course.scenario.yaml(header: header, comments: course.comments)
            try FileSystem.makeFolders(archive.folder)
            try FileSystem.write(Array(text.utf8), to: path)
            return path
        } catch let error as ScenarioTextError {
            throw LabError.failed("\(error)")
        } catch let error as SystemError {
            throw LabError.machine("\(error)")
        }
    }

    private func path(suffix: String, ending: String) -> String {
        "\(archive.folder)/\(lab.lab.name)-chaos-\(seed)\(suffix).\(ending)"
    }

    // MARK: The run

    /// Runs it to its end or the first thing that does not hold, and says what came of it.
    ///
    /// - Throws: ``ExitStatus`` where not everything held; ``LabError`` where the lab cannot be
    ///   built, or breaks.
    func run(_ schedule: Schedule, jobs: Int, shrinks: Bool) throws {
        let start = MonotonicClock.now
        var recovery = Recovery()
        var rest = schedule
        var attempts = 1
        while true {
            let course = course(rest)
            let finished = try runOne(course, of: schedule)
            if let events = try finished.session.recorded?.events() {
                recovery.add(course, events: events, ground: ground)
            }
            guard let outcome = finished.session.outcome else { continue }
            switch outcome.verdict {
            case .passed:
                tell(recovery)
                printLine(
                    Style.green("everything held")
                        + ": \(schedule.faults.count) faults in \(schedule.rounds.count) rounds, "
                        + (MonotonicClock.now - start).text)
                return
            case .skipped: throw LabError.machine(outcome.message)
            case .inconclusive:
                let round = course.round(ofStep: outcome.step ?? 0) ?? 0
                attempts = round == 0 ? attempts + 1 : 1
                guard attempts <= Self.maximumAttempts else {
                    tell(recovery)
                    printLine(Style.yellow("nothing can be said: ") + outcome.message)
                    throw ExitStatus.inconclusive
                }
                rest = Schedule(Array(rest.rounds[round...]))
                printLine(
                    Style.yellow("  round \(rest.rounds[0].number) once more, in a clean lab: ")
                        + outcome.message)
            case .failed:
                tell(recovery)
                let violation = Violation(
                    step: outcome.step ?? 0, message: outcome.message, in: course)
                tell(violation, in: course, finished.session)
                if shrinks, let round = violation.round {
                    let shown = Schedule(Array(rest.rounds[...round]))
                    try shrink(
                        shown, violation, finished.session.recorded, jobs: jobs)
                }
                throw ExitStatus.failed
            }
        }
    }

    private func runOne(_ course: Course, of schedule: Schedule) throws -> CoursePool.Finished {
        let pool = CoursePool(lab, archive: archive, display: display)
        pool.start(course, number: 0, isRecorded: true)
        let finished = try pool.wait {
            let round = pool.step.flatMap { course.round(ofStep: $0) }
            let words = round.map { place in
                "\(course.schedule.rounds[place].text)  (of \(schedule.rounds.count))"
            }
            return [words ?? pool.activity ?? ""]
        }
        guard let first = finished.first else { preconditionFailure("one run was begun") }
        return first
    }

    private func tell(_ recovery: Recovery) {
        guard recovery.rounds > 0, let header = recovery.rows.first else { return }
        var table = TextTable(header)
        for row in recovery.rows.dropFirst() { table.add(row) }
        printLine("")
        printLine(table.text)
        printLine("")
    }

    private func tell(_ violation: Violation, in course: Course, _ session: ScenarioSession) {
        let place = violation.round.map { course.schedule.rounds[$0].text }
        printLine(Style.red("does not hold: ") + violation.rule)
        printLine("  in " + (place ?? "the preamble, before anything was broken"))
        printLine("  " + violation.message)
        if let recorded = session.recorded { printLine("  recorded as \(recorded.name)") }
        guard !session.slice.isEmpty else { return }
        printLine(Style.dim("  around it, in seconds since the lab was ready:"))
        for line in session.slice { printLine("    " + Style.dim(line)) }
    }

    // MARK: The least

    private func shrink(
        _ schedule: Schedule, _ violation: Violation, _ recorded: RecordedRun?, jobs: Int
    ) throws {
        printLine("looking for the least that shows it")
        let start = MonotonicClock.now
        var shrinker = Shrinker(schedule)
        let pool = CoursePool(lab, archive: archive, display: display)
        var confirmed = recorded
        defer { pool.cancel() }
        while shrinker.result == nil {
            while pool.count < jobs, let next = shrinker.next() {
                pool.start(
                    course(next.schedule), number: next.number, isRecorded: next.isConfirmation)
            }
            let finished = try pool.wait {
                [
                    "\(shrinker.runs) runs, \(pool.count) under way; the least has "
                        + "\(shrinker.smallest.faults.count) faults"
                ]
            }
            for run in finished {
                let outcome = Self.outcome(of: run, violation)
                if outcome == .shows, let recorded = run.session.recorded { confirmed = recorded }
                if shrinker.take(outcome, of: run.number) {
                    let rounds = shrinker.smallest.rounds.map(\.text).joined(separator: " | ")
                    printLine("  still with \(rounds)")
                }
            }
        }
        guard let result = shrinker.result else { return }
        try tell(
            result, confirmed, runs: shrinker.runs, took: MonotonicClock.now - start)
    }

    private static func outcome(
        of run: CoursePool.Finished, _ violation: Violation
    ) -> Shrinker.Outcome {
        guard let outcome = run.session.outcome else { return .inconclusive }
        switch outcome.verdict {
        case .passed, .skipped: return .differs
        case .inconclusive: return .inconclusive
        case .failed:
            let seen = Violation(
                step: outcome.step ?? 0, message: outcome.message, in: run.course)
            return seen.isSame(as: violation) ? .shows : .differs
        }
    }

    private func tell(
        _ result: Shrinker.Result, _ recorded: RecordedRun?, runs: Int, took: Duration
    ) throws {
        let schedule = result.schedule
        let faults = schedule.faults.count
        printLine(
            Style.bold("the least: \(faults) fault\(faults == 1 ? "" : "s")")
                + ", shown in \(result.shown) of \(result.runs) runs of it, found in \(runs) runs "
                + "and \(took.text)")
        if !result.isCertain {
            printLine(Style.yellow("it is flaky: ") + "the same faults do not show it every time")
        }
        for round in schedule.rounds { printLine("  " + round.text) }
        printLine("written to " + (try write(course(schedule), suffix: "-least")))
        guard let recorded else { return }
        let path = self.path(suffix: "-least", ending: "html")
        do {
            try FileSystem.write(Array(try recorded.page().utf8), to: path)
        } catch let error as SystemError {
            throw LabError.machine("\(error)")
        }
        printLine("its report is \(path), its run \(recorded.name)")
    }
}
