import ArgumentParser
import LabKit
import LabModel
import LinuxSystem
import NetworkTypes

struct Demo: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run one scenario of a lab and narrate what kernel and wire show.")

    @Argument(help: "The lab's folder or file (default: the working directory).")
    var lab: String?
    @OptionGroup var build: BuildOptions
    @Option(help: "Which scenario (default: the first).")
    var scenario: String?

    func run() throws {
        let loaded = try build.load(LabReference.source(lab))
        let scenarios = loaded.lab.scenarios
        guard
            let chosen = scenario.map({ name in scenarios.first { $0.name == name } })
                ?? scenarios.first
        else {
            let names = scenarios.map(\.name).joined(separator: ", ")
            throw LabError.state(
                "there is no such scenario: lab \(loaded.lab.name) has "
                    + (names.isEmpty ? "none" : names))
        }
        let narrator = Narrator(loaded)
        let outcome = try ScenarioSession(loaded, chosen).run(printer: narrator)
        switch outcome.verdict {
        case .passed, .skipped: break
        case .failed: throw ExitStatus.failed
        case .inconclusive: throw ExitStatus.inconclusive
        }
    }
}

/// Tells a scenario as a story: the lab, then every step with what it brings about, as it happens.
final class Narrator: ScenarioPrinter {
    private let loaded: LoadedLab
    private let virtualAddresses: Set<IPAddress>
    private let start = MonotonicClock.now
    private var origin: MonotonicInstant?
    private var lastAdvertiser: [Int: (node: String, priority: Int)] = [:]
    private var announced: Set<String> = []

    init(_ loaded: LoadedLab) {
        self.loaded = loaded
        virtualAddresses = Set(loaded.virtualRouters.flatMap(\.addresses))
    }

    var wantsEvents: Bool { true }

    func begin(_ lab: Lab, _ scenario: Scenario) {
        printLine(Style.bold("Lab \(lab.name), scenario \(scenario.name)"))
        if let summary = scenario.summary { printLine(summary) }
        printLine("")
        for network in lab.networks {
            let subnets = network.subnets.map(\.description).joined(separator: ", ")
            printLine("  \(network.name)  \(subnets)")
            for node in lab.nodes {
                for interface in node.interfaces
                where interface.attachment == .network(network.name) {
                    printLine("   |-- " + describe(node, interface))
                }
            }
        }
        printLine("")
    }

    private func describe(_ node: Node, _ interface: Interface) -> String {
        let addresses = interface.addresses.map(\.description).joined(separator: " ")
        var text = "\(node.name)  \(interface.name) \(addresses)"
        for router in loaded.virtualRouters where router.node == node.name {
            let wants = router.addresses.map(\.description).joined(separator: " ")
            text += "  VRID \(router.vrid) priority \(router.priority) for \(wants)"
        }
        return text
    }

    func built(_ client: LabClient) {
        printLine("Built in \((MonotonicClock.now - start).text); every service is ready.\n")
    }

    func event(_ event: TimelineEvent) {
        guard let text = tell(event) else { return }
        let time = origin.map { "+" + (event.time - $0).text } ?? ""
        printLine("    \(Style.dim(pad(time)))  \(text)")
    }

    // Of the timeline only what moves the story on: not every advertisement, but the first of each
    // new master.
    private func tell(_ event: TimelineEvent) -> String? {
        switch event.kind {
        case .control(let verb, let target):
            origin = event.time
            announced = []
            return Style.bold("\(verb.rawValue) \(target)")
        case .advertisement(let seen):
            let last = lastAdvertiser[seen.vrid]
            guard last?.node != seen.node || last?.priority != seen.priority else { return nil }
            lastAdvertiser[seen.vrid] = (seen.node, seen.priority)
            let meaning = seen.priority == 0 ? " (it gives up)" : ""
            return
                "wire    first advertisement of \(seen.node), priority \(seen.priority)\(meaning)"
        case .addressAdded(let node, let interface, let address):
            guard virtualAddresses.contains(address.address) else { return nil }
            return Style.green("kernel  \(address.address) is now on \(node) (\(interface))")
        case .addressRemoved(let node, _, let address):
            guard virtualAddresses.contains(address.address) else { return nil }
            return Style.yellow("kernel  \(address.address) is no longer on \(node)")
        case .gratuitousARP(let node, _, let address, let mac):
            guard announced.insert("\(node) \(address)").inserted else { return nil }
            return "wire    gratuitous ARP from \(node): \(address) is at \(mac)"
        case .node(let name, let state): return "        node \(name) is \(state.rawValue)"
        case .service(let node, let service, .ready): return "        \(node)/\(service) is ready"
        case .fault(let fault):
            origin = event.time
            announced = []
            return Style.bold(fault.description)
        case .unsolicitedNA(let node, _, let address, let mac):
            guard announced.insert("\(node) \(address)").inserted else { return nil }
            return
                "wire    unsolicited neighbour advertisement from \(node): \(address) is at \(mac)"
        case .service, .link, .routeAdded, .routeRemoved, .neighbour, .neighbourRemoved, .arp,
            .packet, .probe, .step, .claim, .violation, .stall, .lost, .scenario:
            return nil
        }
    }

    func slice(_ events: [TimelineEvent]) {}

    func step(_ report: StepReport) {
        if case .began = report.phase {
            if !report.summary.hasPrefix("expect") { printLine("") }
            return
        }
        if let line = StepPrinter.line(report) { printLine(line) }
    }

    func end(_ outcome: ScenarioOutcome) {
        printLine("")
        switch outcome.verdict {
        case .passed:
            printLine(Style.green("It held: everything above is what kernel and wire showed."))
        case .failed: printLine(Style.red("It did not hold: \(outcome.message)"))
        case .inconclusive: printLine(Style.yellow("Nothing can be said: \(outcome.message)"))
        case .skipped: printLine(Style.yellow("Skipped: \(outcome.message)"))
        }
    }

    private func pad(_ text: String) -> String {
        String(repeating: " ", count: max(0, 11 - text.count)) + text
    }
}
