import ArgumentParser
import LabKit
import LabModel
import LabReport

struct Graph: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "graph",
        abstract: "Draw a lab's topology, with roles and addresses while it is up.")

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, svg, dot, mermaid
    }

    @Argument(help: "The lab's folder or file, or the name of one that is up.")
    var lab: String?
    @Option(help: "How to draw it.") var format = Format.text

    func run() throws {
        let (lab, status) = try LabReference.described(lab)
        let activities = (status?.nodes ?? []).map { ($0.name, Topology.Activity($0)) }
        let topology = Topology(
            lab, activities: Dictionary(activities, uniquingKeysWith: { $1 }),
            faults: status?.faults ?? [])
        switch format {
        case .text: printLine(topology.text)
        case .svg: printLine(topology.svg)
        case .dot: printLine(topology.dot)
        case .mermaid: printLine(topology.mermaid)
        }
    }
}

extension Topology.Activity {
    init(_ node: NodeStatus) {
        self.init(
            state: node.state,
            routers: node.virtualRouters.map {
                Topology.Router(instance: $0.instance, role: $0.role?.rawValue, held: $0.held)
            }, isFrozen: node.isFrozen)
    }
}
