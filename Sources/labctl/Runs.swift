import ArgumentParser
import Glibc
import LabKit
import LabModel
import LabReport
import LinuxSystem
import NetworkTypes

struct Runs: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs",
        abstract: "List the recorded runs of scenarios, oldest first.")

    @Argument(help: "Only those of the lab of that name.")
    var lab: String?
    @OptionGroup var archive: ArchiveOption
    @Option(help: "How to print them.") var format = Format.text

    private struct Row: Encodable {
        var run: String
        var path: String
        var scenario: String
        var date: String
        var verdict: String
        /// In nanoseconds.
        var duration: Int64
        var daemons: [String]
    }

    func run() throws {
        var rows: [Row] = []
        var table = TextTable(["RUN", "VERDICT", "TOOK", "WITH"])
        for run in archive.archive.runs(of: lab) {
            let record: RunRecord
            do {
                record = try run.record()
            } catch {
                printError("\(error)")
                continue
            }
            let row = Row(
                run: run.name, path: run.path, scenario: record.scenario, date: record.date,
                verdict: record.verdict.word, duration: record.duration.wholeNanoseconds,
                daemons: record.daemons.map(\.rawValue))
            rows.append(row)
            table.add([
                row.run, row.verdict, record.duration.text, row.daemons.joined(separator: ", "),
            ])
        }
        switch format {
        case .json: try printJSON(rows)
        case .text: printLine(table.text)
        }
    }
}

struct Report: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Report on a recorded run, from its record alone.")

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case html, junit, tap, text
    }

    @Argument(help: ArchiveOption.runHelp)
    var reference: String
    @OptionGroup var archive: ArchiveOption
    @Option(help: "How: html is one page that needs nothing else.") var format = Format.html
    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "Where to, - for standard output (default: report.html in the run's folder for html).",
            valueName: "file"))
    var output: String?

    func run() throws {
        let run = try archive.archive.run(reference)
        let path = output ?? (format == .html ? run.path + "/report.html" : "-")
        let text = try text(of: run)
        guard path != "-" else { return printText(text) }
        do {
            try FileSystem.write(Array(text.utf8), to: path)
        } catch {
            throw LabError.failed("\(error)")
        }
        printLine(path)
    }

    private func text(of run: RecordedRun) throws -> String {
        if format == .html { return try run.page() }
        let record = try run.record()
        let events = try run.events()
        let result = TestResult(record, events: events, run: run.path)
        return switch format {
        case .html: try run.page()
        case .junit: JUnitReport([result]).text
        case .tap: TAPReport([result]).text
        case .text:
            RunText(
                record, events: events, columns: Int(Terminal.size(of: STDOUT_FILENO).columns)
            ).text
        }
    }
}
