import ArgumentParser
import LabKit
import LabModel
import LabReport
import NetworkTypes

struct Diff: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract:
            "Lay two recorded runs side by side at their first fault; show where they differ.",
        discussion: """
            Exits with 1 when they differ. Times are since the first thing that the scenario did; \
            of what came before only whether it came is compared.
            """)

    @Argument(help: ArchiveOption.runHelp) var left: String
    @Argument(help: "The other one.") var right: String
    @OptionGroup var archive: ArchiveOption
    @Option(help: "How far times may be apart (default: 100ms).")
    var tolerance: OffsetArgument?
    @Flag(help: "Show what came before the fault as well, and what is the same.")
    var all = false
    @Option(help: "How to print it.") var format = Format.text

    func run() throws {
        let runs = [try archive.archive.run(left), try archive.archive.run(right)]
        let sides = try runs.map { (record: try $0.record(), events: try $0.events()) }
        let difference = RunDifference(
            sides[0], sides[1], tolerance: tolerance?.offset ?? RunDifference.defaultTolerance)
        switch format {
        case .json: try printJSON(difference.rows)
        case .text:
            printLine("A  \(runs[0].name)\nB  \(runs[1].name)\n")
            printLine(text(difference))
        }
        if difference.first != nil { throw ExitStatus.failed }
    }

    private func text(_ difference: RunDifference) -> String {
        guard let first = difference.first else {
            return "they do not differ: \(difference.rows.count) moments are the same"
        }
        var table = TextTable(["", "A", "B", "APART", "WHAT"])
        for row in difference.rows where all || row.isDifference {
            table.add([
                row.isDifference ? "*" : "", Self.seconds(row.left), Self.seconds(row.right),
                row.left.flatMap { left in row.right.map { ($0 - left).text } } ?? "",
                row.text,
            ])
        }
        let since = first.time < .zero ? "before the fault" : "\(first.time.text) after the fault"
        return "they first differ \(since): \(first.text)\n\n" + table.text
    }

    private static func seconds(_ time: Duration?) -> String {
        time.map { EventText.seconds($0) } ?? "never"
    }
}

struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Compare runs of the same scenarios: two daemons, or two commits.",
        discussion: """
            Each side is a recorded run, or a folder of them: labctl test --repeat 10 --record a; \
            labctl test --repeat 10 --record b --vrrp keepalived; labctl compare a b. With several \
            runs the figures are medians, with the least and the greatest. A difference matters (*) \
            when the ranges of the two sides are apart by more than a tenth, and 5 ms.
            """)

    @Argument(help: ArchiveOption.runHelp) var left: String
    @Argument(help: "The other one.") var right: String
    @OptionGroup var archive: ArchiveOption
    @Flag(help: "Only the differences that matter.")
    var differences = false
    @Option(help: "How to print it.") var format = Format.text

    func run() throws {
        let sides = try [left, right].map { reference in
            try archive.archive.runs(meant: reference).map { run in
                let record = try run.record()
                return (
                    daemons: record.daemons.map(\.rawValue),
                    facts: RunFacts(record, events: try run.events())
                )
            }
        }
        let comparison = RunComparison(sides[0].map(\.facts), sides[1].map(\.facts))
        if format == .json { return try printJSON(comparison) }
        for (letter, (reference, runs)) in zip(["A", "B"], zip([left, right], sides)) {
            let daemons = Set(runs.flatMap(\.daemons)).sorted().joined(separator: ", ")
            let count = "\(runs.count) run\(runs.count == 1 ? "" : "s")"
            printLine("\(letter)  \(reference): \(count) with \(daemons)")
        }
        for title in comparison.unmatched { printLine("only one of them has run \(title)") }
        let titles = comparison.rows.map(\.title).reduce(into: [String]()) {
            if $0.last != $1 { $0.append($1) }
        }
        for title in titles {
            if let table = table(of: title, comparison) {
                printLine("\n" + table)
            } else {
                printLine("\n\(title): no difference that matters")
            }
        }
    }

    /// The figures of a scenario; nil where none of them is wanted.
    private func table(of title: String, _ comparison: RunComparison) -> String? {
        var isEmpty = true
        var table = TextTable(["", title, "A", "B", "B MORE BY"])
        for row in comparison.rows
        where row.title == title && (row.matters || !differences) {
            isEmpty = false
            table.add([
                row.matters ? "*" : "", row.name, row.left, row.right, row.difference,
            ])
        }
        return isEmpty ? nil : table.text
    }
}
