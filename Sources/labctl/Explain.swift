import ArgumentParser
import LabKit
import LabModel
import NetworkTypes

struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Tell the last failover in its parts, each beside what theory says.")

    @OptionGroup var timeline: TimelineOption
    @Option(help: "How to print it.") var format = Format.text

    func run() throws {
        let source = try timeline.source()
        let description = try source.description()
        let events = try source.allEvents()
        let found = Failover.last(
            in: events, of: description.lab, routers: description.virtualRouters)
        guard let failover = found else {
            throw LabError.state("\(source.name) has had no failover yet")
        }
        switch format {
        case .json: try printJSON(failover)
        case .text:
            printLine(failover.paragraph(origin: events.first?.time ?? .zero))
            printLine("")
            printLine(Self.table(failover))
        }
    }

    private static func table(_ failover: Failover) -> String {
        var table = TextTable(["PART", "TOOK", "THEORY"])
        for part in failover.parts {
            let arithmetic = part.theory.terms.isEmpty ? "" : " = \(part.theory.arithmetic)"
            table.add([
                part.name.rawValue, part.delay.text, part.theory.total.text + arithmetic,
            ])
        }
        return table.text
    }
}
