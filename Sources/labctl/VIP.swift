import ArgumentParser
import LabKit
import LabModel
import NetworkTypes

struct VIP: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vip",
        abstract: "Show which nodes held which virtual address when, as their kernels said.")

    @OptionGroup var timeline: TimelineOption
    @Option(help: "How to print it.") var format = Format.text
    @Argument(help: "Addresses (default: those that virtual routers advertised).")
    var addresses: [String] = []

    func validate() throws {
        for address in addresses where IPAddress(address) == nil {
            throw ValidationError("'\(address)' is no IP address")
        }
    }

    func run() throws {
        var history = AddressHistory()
        var origin: MonotonicInstant?
        try timeline.source().events { event, _ in
            origin = origin ?? event.time
            history.fold(event)
        }
        let wanted =
            addresses.isEmpty ? history.virtualAddresses : addresses.compactMap { IPAddress($0) }
        let periods = wanted.flatMap { history.periods(of: $0) }
        switch format {
        case .json: try printJSON(periods)
        case .text: printLine(Self.table(periods, origin: origin ?? .zero))
        }
    }

    private static func table(_ periods: [AddressHistory.Period], origin: MonotonicInstant)
        -> String
    {
        var table = TextTable(["VIP", "NODE", "SINCE", "UNTIL", "FOR"])
        var last: IPAddress?
        for period in periods {
            table.add([
                period.address == last ? "" : period.address.description,
                period.nodes.isEmpty ? "nobody" : period.nodes.joined(separator: " and "),
                EventText.seconds(period.since - origin),
                period.until.map { EventText.seconds($0 - origin) } ?? "now",
                period.until.map { ($0 - period.since).text } ?? "",
            ])
            last = period.address
        }
        return table.text
    }
}
