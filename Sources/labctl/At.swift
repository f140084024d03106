import ArgumentParser
import LabKit
import LabModel
import NetworkTypes

struct At: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "at",
        abstract: "Show a recorded run at one instant: owners, states, timers, neighbours.",
        discussion: """
            Times are those of `labctl events --run RUN`: seconds since the run's first event. \
            What the timers show is the protocol's arithmetic from what was on the wire.
            """)

    @Argument(help: ArchiveOption.runHelp)
    var reference: String
    @Argument(help: "When: 3.2s, or 3.2 for seconds.")
    var time: OffsetArgument
    @OptionGroup var archive: ArchiveOption
    @Option(help: "How to print it.") var format = Format.text

    func run() throws {
        let run = try archive.archive.run(reference)
        let record = try run.record()
        let events = try run.events()
        guard let first = events.first, let last = events.last else {
            throw LabError.state("run \(run.name) has no event")
        }
        let instant = first.time + time.offset
        guard (first.time...last.time).contains(instant) else {
            throw LabError.state(
                "run \(run.name) is from 0 to \(EventText.seconds(last.time - first.time)) s")
        }
        let moment = LabMoment(
            at: instant, events: events, lab: record.lab, routers: record.virtualRouters)
        switch format {
        case .json: try printJSON(moment)
        case .text: printLine(Self.text(moment, origin: first.time))
        }
    }

    private static func text(_ moment: LabMoment, origin: MonotonicInstant) -> String {
        var parts = ["at \(EventText.seconds(moment.time - origin)) s"]
        if let step = moment.step { parts[0] += ", during: \(step)" }
        if !moment.faults.isEmpty {
            parts[0] += "\nbroken: " + moment.faults.joined(separator: "; ")
        }
        var nodes = TextTable(["NODE", "STATE", "READY"])
        for node in moment.nodes {
            let state = node.isFrozen ? "frozen" : node.state.rawValue
            nodes.add([node.name, state, node.ready.joined(separator: " ")])
        }
        var owners = TextTable(["VIP", "NODE", "SINCE"])
        for owner in moment.owners {
            owners.add([
                owner.address.description,
                owner.nodes.isEmpty ? "nobody" : owner.nodes.joined(separator: " and "),
                owner.since.map { EventText.seconds($0 - origin) } ?? "",
            ])
        }
        var routers = TextTable(["ROUTER", "VRID", "STATE", "TIMER"])
        for router in moment.routers {
            routers.add([
                "\(router.node) \(router.instance)", "\(router.vrid)",
                router.state?.rawValue ?? "-",
                router.timer.map { words($0, at: moment.time) } ?? "",
            ])
        }
        var neighbours = TextTable(["NODE", "NEIGHBOUR", "MAC", "WHICH IS", "SINCE"])
        for entry in moment.neighbours {
            neighbours.add([
                entry.node, entry.address.description, entry.mac?.description ?? "-",
                entry.station ?? "", EventText.seconds(entry.since - origin),
            ])
        }
        parts += [nodes.text]
        if !moment.owners.isEmpty { parts.append(owners.text) }
        if !moment.routers.isEmpty { parts.append(routers.text) }
        if !moment.neighbours.isEmpty { parts.append(neighbours.text) }
        return parts.joined(separator: "\n\n")
    }

    private static func words(_ timer: LabMoment.Timer, at time: MonotonicInstant) -> String {
        let rest = timer.expires - time
        let when = rest < .zero ? "ran out \((.zero - rest).text) ago" : "runs out in \(rest.text)"
        return "\(timer.name.rawValue) \(when) (set \((time - timer.set).text) ago)"
    }
}

/// A time on the command line, with a unit or in seconds.
struct OffsetArgument: ExpressibleByArgument {
    let offset: Duration

    init?(argument: String) {
        let hasUnit = !(argument.last?.isNumber ?? false)
        guard let offset = Duration(durationText: hasUnit ? argument : argument + "s") else {
            return nil
        }
        self.offset = offset
    }
}
