import LabModel
import NetworkTypes
import Testing

@testable import Chaos

/// A lab of five routers, the first the best, and a client.
enum FiveNodes {
    static let address = IPAddress("10.10.10.100")!
    static let names = (1...5).map { "node\($0)" }

    static let lab: Lab = {
        let nodes = names.map { name in
            """
              \(name):
                interfaces: { eth0: { network: lan }, eth1: { network: other } }
                services: { httpd: { kind: http }, vrrp: { kind: command, command: "true" } }

            """
        }.joined()
        let yaml = """
            name: five
            networks: { lan: { subnet: 10.10.10.0/24 }, other: { subnet: 10.10.11.0/24 } }
            nodes:
            \(nodes)
              client: { interfaces: { eth0: { network: lan } } }
              stranger: { interfaces: { eth0: { network: other } } }
            """
        let decoding = Lab.decode(yaml: yaml, file: "lab.yaml") { _ in .missing }
        precondition(decoding.diagnostics.isEmpty, "\(decoding.diagnostics)")
        return decoding.lab!
    }()

    /// One router a node, by 40 less from one to the next.
    static func routers(_ change: (inout VirtualRouterFacts) -> Void = { _ in })
        -> [VirtualRouterFacts]
    {
        names.enumerated().map { index, name in
            var facts = VirtualRouterFacts(
                node: name, service: "vrrp", instance: "VI_1", interface: "eth0", version: 3,
                vrid: 51, priority: 250 - 40 * index,
                advertisementInterval: .milliseconds(100), preempts: true, addresses: [address],
                announcementRefresh: .seconds(1))
            change(&facts)
            return facts
        }
    }

    static let ground = Ground(lab, routers: routers())
    static let health = Health(ground, scenario: nil)

    static func schedule(
        seed: UInt64, kinds: [FaultKind] = FaultKind.allCases, length: Duration = .seconds(60)
    ) -> Schedule {
        Planner(ground, kinds: kinds, seed: seed).schedule(length: length)
    }

    static func course(_ schedule: Schedule, of health: Health = health) -> Course {
        Course(schedule, of: health, named: "chaos-1", summary: "a test")
    }
}

/// A fault, as short as tests can write it: `"kill node2"`, `"link node1:eth0 down"`.
func fault(_ text: String, at start: Int = 0, for duration: Int = 500) -> Disturbance {
    let words = text.split(separator: " ").map(String.init)
    let deed: Deed
    if let verb = ControlVerb(rawValue: words[0]) {
        deed = .control(verb, Target.parse(words[1])!)
    } else if words[0] == "link" {
        let endpoint = Endpoint.parse(words[1])!
        deed =
            words[2] == "down"
            ? .fault(.linkDown(endpoint))
            : .fault(
                .blackhole(endpoint, words.count > 3 ? Fault.Direction(rawValue: words[3])! : .both)
            )
    } else if words[0] == "impair" {
        deed = .fault(
            .impair(
                Endpoint.parse(words[1])!,
                CableImpairment.parse(words[2...].joined(separator: " "))!))
    } else {
        precondition(words[0] == "partition")
        deed = .fault(
            .partition(
                text.dropFirst("partition ".count).split(separator: "|").map {
                    $0.split(separator: " ").map(String.init)
                }))
    }
    return Disturbance(deed, at: .milliseconds(start), for: .milliseconds(duration))
}

/// A round of those.
func round(_ number: Int, _ faults: Disturbance...) -> Round { Round(number: number, faults) }
