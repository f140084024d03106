import ArgumentParser
import LabKit
import LabModel
import NetworkTypes

struct Explain: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Tell the last failover in its parts, each beside what theory says.")

    @OptionGroup var lab: LabOption
    @Option(help: "How to print it.") var format = Format.text

    func run() throws {
        let client = try lab.client()
        let routers = try client.description().virtualRouters
        var events: [TimelineEvent] = []
        try client.events { event, _ in events.append(event) }
        guard let failover = Failover.last(in: events, routers: routers) else {
            throw LabError.state("lab \(client.name) has had no failover yet")
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
