import ArgumentParser
import Glibc
import LabKit
import LabModel
import LabReport
import LinuxSystem
import NetworkTypes

struct Replay: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Judge a recorded run once more, from its timeline alone.",
        discussion: """
            The verdict, every step's report and every violation must come out as they were \
            recorded, to the last bit; exits with 1 where they do not.
            """)

    @Argument(help: ArchiveOption.runHelp)
    var reference: String
    @OptionGroup var archive: ArchiveOption
    @Option(help: "How to print it.") var format = Format.text

    private struct Outcome: Encodable {
        var verdict: String
        var isSame: Bool
        var differences: [String]
        var events: Int
        /// How long it took to read the timeline, and to judge it, in nanoseconds.
        var reading: Int64
        var judging: Int64
        /// The processor's time for that.
        var readingProcessor: Int64
        var judgingProcessor: Int64
    }

    /// clock(3) counts microseconds, whatever the machine (POSIX).
    private static let nanosecondsPerTick: Int64 = 1000

    /// The processor's time that this program has taken so far, in nanoseconds.
    private static var processorTime: Int64 { Int64(clock()) * nanosecondsPerTick }

    func run() throws {
        let run = try archive.archive.run(reference)
        let record = try run.record()
        let (begin, beginProcessor) = (MonotonicClock.now, Self.processorTime)
        let events = try run.events()
        let (read, readProcessor) = (MonotonicClock.now, Self.processorTime)
        guard let replay = RunReplay(record, events: events) else {
            throw LabError.state("the lab of run \(run.name) has no scenario \(record.scenario)")
        }
        let (judged, judgedProcessor) = (MonotonicClock.now, Self.processorTime)
        let differences = replay.differences(from: record, events: events)
        let outcome = Outcome(
            verdict: replay.verdict?.word ?? "none", isSame: differences.isEmpty,
            differences: differences, events: events.count,
            reading: (read - begin).wholeNanoseconds, judging: (judged - read).wholeNanoseconds,
            readingProcessor: readProcessor - beginProcessor,
            judgingProcessor: judgedProcessor - readProcessor)
        switch format {
        case .json: try printJSON(outcome)
        case .text:
            let sameness = outcome.isSame ? "as it was recorded" : "not as it was recorded"
            printLine("\(run.name): \(outcome.verdict), \(sameness)")
            for difference in differences { printLine("  \(difference)") }
            printLine(
                "\(events.count) events read in \((read - begin).text), judged in "
                    + (judged - read).text)
        }
        if !outcome.isSame { throw ExitStatus.failed }
    }
}
