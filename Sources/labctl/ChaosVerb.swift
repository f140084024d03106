import ArgumentParser
import Chaos
import Glibc
import LabKit
import LabModel
import LinuxSystem
import NetworkTypes

struct ChaosVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chaos",
        abstract: "Break a lab by a seed until something does not hold, and find the least of it.",
        discussion: """
            Draws rounds of faults that overlap, and runs them; after each round everything is \
            taken back, and the lab must be well again within the bounds that follow. The seed, \
            the lab and the options are the whole schedule. It is printed, and written as a \
            scenario that `labctl test --scenario-file` runs. Where something does not hold, the \
            schedule is made smaller as long as the same does not hold, and the least is written \
            with its report.

            All the time, two owners of a virtual address that hear each other have to agree, and \
            one that is able has to take over. Besides there hold the checks of the lab's scenario \
            `chaos`, if it has one, or of --scenario; its probes ask, and its steps come before \
            the first round.

            Exits with 0 when everything held, 1 when something did not, 4 when nothing can be \
            said because the machine stood still.
            """)

    @Argument(
        help: "The lab's folder or file (default: the working directory).", completion: .labFiles)
    var lab: String?
    @OptionGroup var build: BuildOptions
    @Option(help: "What everything is drawn from (default: any, which is printed).")
    var seed: UInt64?
    @Option(
        name: .customLong("for"), help: "About how long, as 90s or 10m.",
        transform: { text in
            guard let duration = Duration(durationText: text), duration > .zero else {
                throw ValidationError("'\(text)' is no duration, as 10m is")
            }
            return duration
        })
    var length: Duration = .seconds(60)
    @Option(
        help: ArgumentHelp(
            "Which kinds of fault: all, or some of "
                + FaultKind.allCases.map(\.rawValue).joined(separator: ",")
                + " (default: all but limit, clock and imposter).",
            valueName: "kind,..."),
        transform: kinds(_:))
    var faults: [FaultKind]?
    @Option(help: "At most so many faults a minute (default: as many as the routers' timers let).")
    var rate: Double?
    @Option(help: "The scenario whose checks and probes hold (default: chaos, if there is one).")
    var scenario: String?
    @Option(help: "So many labs at a time while the least is looked for.")
    var jobs = 4
    @Flag(help: "Only print the schedule and write the scenario.")
    var plan = false
    @Flag(help: "Do not look for the least that shows what did not hold.")
    var noShrink = false
    @Option(
        help: ArgumentHelp(
            "Write and record there (default: labctl/runs in $XDG_STATE_HOME).",
            valueName: "folder"))
    var record: String?

    func validate() throws {
        if jobs < 1 { throw ValidationError("--jobs counts labs: 1 or more") }
        if let rate, !(rate > 0 && rate.isFinite) {
            throw ValidationError("--rate is a number of faults a minute, more than 0")
        }
    }

    func run() throws {
        let loaded = try build.load(LabReference.source(lab))
        printWarnings(loaded.warnings)
        let own = try ownScenario(of: loaded.lab)
        let applied = own.map(loaded.applying) ?? loaded
        let ground = Ground(applied.lab, routers: applied.virtualRouters)
        try check(ground, of: loaded.lab)
        let seed = seed ?? UInt64.random(in: 1...999_999)
        let schedule = Planner(
            ground, kinds: faults ?? FaultKind.usual, seed: seed, rate: rate
        ).schedule(length: length)
        let session = ChaosSession(
            lab: loaded, ground: ground, health: Health(ground, scenario: own), seed: seed,
            archive: RunArchive(folder: record))
        printLine(
            Style.bold(
                "\(loaded.lab.name): \(schedule.faults.count) faults in "
                    + "\(schedule.rounds.count) rounds by seed \(seed), about "
                    + Self.rough(schedule.length(on: ground))))
        for round in schedule.rounds { printLine("  " + round.text) }
        printLine("written to " + (try session.write(session.course(schedule))))
        if plan { return }
        if let skip = LabKit.Doctor.skip(session.course(schedule).scenario, of: loaded.lab) {
            throw LabError.machine("\(skip.message): name kinds that do without by --faults")
        }
        try session.run(schedule, jobs: jobs, shrinks: !noShrink)
    }

    /// A time to the second.
    private static func rough(_ duration: Duration) -> String {
        Duration.seconds(duration.components.seconds).text
    }

    private func ownScenario(of lab: Lab) throws -> Scenario? {
        guard let scenario else { return lab.scenarios.first { $0.name == "chaos" } }
        guard let own = lab.scenarios.first(where: { $0.name == scenario }) else {
            throw LabError.state(
                "lab \(lab.name) has no scenario \(scenario)"
                    + SpellingSuggestion.hint(
                        for: scenario, among: lab.scenarios.map(\.name), known: "it has"))
        }
        return own
    }

    private func check(_ ground: Ground, of lab: Lab) throws {
        guard !ground.nodes.isEmpty else {
            throw LabError.state("lab \(lab.name) has no virtual router that could be struck")
        }
        for kind in faults ?? [] where !kind.applies(to: ground) {
            throw LabError.state(
                "lab \(lab.name) has nothing that '\(kind.rawValue)' could strike")
        }
    }

    private static func kinds(_ text: String) throws -> [FaultKind] {
        let known = FaultKind.allCases.map(\.rawValue)
        if text == "all" { return FaultKind.allCases }
        let words = text.split(separator: ",").map { $0.filter { $0 != " " } }
        guard !words.isEmpty else { throw ValidationError("--faults names no kind") }
        let unknown = words.filter { !known.contains($0) }
        guard unknown.isEmpty else {
            let hints = unknown.map { word in
                "'\(word)' is no kind of fault"
                    + SpellingSuggestion.hint(for: word, among: known, known: "there are")
            }
            throw ValidationError(hints.joined(separator: "\n"))
        }
        return FaultKind.allCases.filter { words.contains($0.rawValue) }
    }
}
