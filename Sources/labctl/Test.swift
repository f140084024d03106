import ArgumentParser
import Glibc
import LabKit
import LabModel
import LabReport
import LinuxSystem
import NetworkTypes

struct Test: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Run the scenarios of labs, each in a fresh lab, and say whether they hold.",
        discussion: """
            Exits with 0 when all pass, 1 when one fails, 4 when nothing can be said because the \
            machine stood still, twice in a row in a clean lab. A scenario that needs what this \
            machine lacks is skipped, with the reason. A lab that cannot be built, or breaks, is \
            an error in every report, and the others are run all the same; the status is then 1, \
            3 or 5, as `labctl up` has it. Every run is recorded: `labctl runs` lists \
            them, `labctl report` shows one.
            """)

    @Argument(
        help: "Lab folders or files (default: the working directory).", completion: .labFiles)
    var labs: [String] = []
    @OptionGroup var build: BuildOptions
    @Option(help: "Only scenarios whose name fits this pattern (*, ?, [...]).")
    var scenario: String?
    @Option(
        help: ArgumentHelp(
            "Run the scenario of that file, as `labctl chaos` writes one, in place of the lab's.",
            valueName: "file"))
    var scenarioFile: [String] = []
    @Option(name: .customLong("repeat"), help: "Run everything so many times.")
    var repetitions = 1
    @Option(help: "So many labs at a time. Where milliseconds count, leave it at one.")
    var jobs = 1
    @Flag(help: "Leave the lab of the first scenario that fails as it is, up, and stop there.")
    var keepOnFailure = false
    @Flag(help: "Leave each lab whose scenario fails up until Enter is pressed.")
    var pauseOnFailure = false
    @Option(help: "How to print the results.") var format = Format.text
    @Flag(help: "Print the results in the Test Anything Protocol.")
    var tap = false
    @Option(help: ArgumentHelp("Write the results in JUnit's XML.", valueName: "file"))
    var junit: String?
    @Option(help: ArgumentHelp("Write a page for each run, and one with all.", valueName: "folder"))
    var report: String?
    @Option(
        help: ArgumentHelp(
            "Record the runs there (default: labctl/runs in $XDG_STATE_HOME, the newest 50 a lab).",
            valueName: "folder"))
    var record: String?

    func validate() throws {
        if repetitions < 1 { throw ValidationError("--repeat counts runs: 1 or more") }
        if jobs < 1 { throw ValidationError("--jobs counts labs: 1 or more") }
        if tap, format == .json { throw ValidationError("--tap and --format json: one of them") }
    }

    func run() throws {
        let start = MonotonicClock.now
        // Every file is checked before anything is built.
        let loaded = try withScenarioFiles(try build.load(labs))
        for lab in loaded { printWarnings(lab.warnings) }
        let orders = try orders(of: loaded)
        if orders.isEmpty { throw LabError.state("there is no scenario to run") }
        try checkOutputs()
        let isForPeople = format == .text && !tap
        let display = TestDisplay(isForPeople ? STDOUT_FILENO : STDERR_FILENO)
        let runner = TestRunner(
            orders,
            TestRunner.Options(
                jobs: jobs, keepsOnFailure: keepOnFailure, pausesOnFailure: pauseOnFailure,
                archive: RunArchive(folder: record)), display: display)
        let results = try runner.run()
        let summary = TestSummary(results, took: MonotonicClock.now - start)
        let isSeries = repetitions > 1 || orders.contains { $0.scenario.nameOfSweep != nil }
        if isSeries, let table = summary.statisticsTable { display.print(["", table, ""]) }
        display.print([summary.line])
        if let junit { try write(JUnitReport(results).text, to: junit) }
        if let report { try ReportFolder(report).write(results) }
        if tap { printText(TAPReport(results).text) }
        if format == .json { try printJSON(summary) }
        if let status = summary.status(firstError: runner.firstError) { throw status }
    }

    /// The labs, or the one that there is with the scenarios of files in place of its own.
    private func withScenarioFiles(_ labs: [LoadedLab]) throws -> [LoadedLab] {
        guard !scenarioFile.isEmpty else { return labs }
        guard labs.count == 1, var lab = labs.first else {
            throw LabError.state("a scenario's file belongs to one lab: name that alone")
        }
        var scenarios: [Scenario] = []
        var mistakes: [Diagnostic] = []
        for path in scenarioFile {
            do {
                scenarios += try lab.scenarios(ofFile: path)
            } catch LabError.invalid(let found) {
                mistakes += found
            }
        }
        guard mistakes.isEmpty else { throw LabError.invalid(mistakes) }
        lab.lab.scenarios = scenarios
        return [lab]
    }

    /// What is to be run: everything once, then again.
    private func orders(of labs: [LoadedLab]) throws -> [TestRunner.Order] {
        (1...repetitions).flatMap { repetition in
            labs.flatMap { lab in
                wanted(of: lab).map { scenario in
                    TestRunner.Order(
                        lab: lab, scenario: scenario,
                        repetition: repetitions > 1 ? repetition : nil)
                }
            }
        }
    }

    private func wanted(of lab: LoadedLab) -> [Scenario] {
        lab.lab.scenarios.filter { candidate in
            guard let scenario else { return true }
            return candidate.isCalled { fnmatch(scenario, $0, 0) == 0 }
        }
    }

    /// That nothing can be written there is better known before everything is run than after.
    private func checkOutputs() throws {
        do {
            if let junit { try FileSystem.write([], to: junit) }
            if let report { try FileSystem.makeFolders(report) }
        } catch {
            throw LabError.machine("\(error)")
        }
    }

    private func write(_ text: String, to path: String) throws {
        do {
            try FileSystem.write(Array(text.utf8), to: path)
        } catch {
            throw LabError.failed("\(error)")
        }
    }
}

/// What came of all runs together.
struct TestSummary: Encodable {
    let results: [TestResult]
    let statistics: [RunStatistics.Measure]
    /// In nanoseconds.
    let duration: Int64
    private let measured: RunStatistics

    private enum CodingKeys: String, CodingKey { case results, statistics, duration }

    init(_ results: [TestResult], took duration: Duration) {
        self.results = results
        measured = RunStatistics(results)
        statistics = measured.measures
        self.duration = duration.wholeNanoseconds
    }

    private func count(_ word: String) -> Int { results.count { $0.outcome.word == word } }

    /// How many came to what, and how long it took.
    var line: String {
        var text = "\(count("passed")) passed, \(count("failed")) failed"
        if count("error") > 0 { text += ", \(count("error")) without a verdict" }
        for word in ["inconclusive", "skipped"] where count(word) > 0 {
            text += ", \(count(word)) \(word)"
        }
        return text + " in \(Duration.nanoseconds(duration).text)"
    }

    /// Every outage and reaction of the repetitions; nil where nothing was measured.
    var statisticsTable: String? {
        guard !statistics.isEmpty, let header = measured.rows.first else { return nil }
        var table = TextTable(header)
        for row in measured.rows.dropFirst() { table.add(row) }
        return table.text
    }

    /// What the program is to exit with; nil where everything is well.
    ///
    /// - Parameter firstError: of the runs that came to no verdict.
    func status(firstError: LabError?) -> ExitStatus? {
        if count("failed") > 0 { return .failed }
        if let firstError { return ExitStatus(firstError) }
        return count("inconclusive") > 0 ? .inconclusive : nil
    }
}
