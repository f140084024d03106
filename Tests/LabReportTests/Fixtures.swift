import LabModel
import LabReport
import NetworkTypes

/// A lab of two routers and a client, as `Lab.decode` would make it.
enum Fixture {
    static let vip = IPAddress.v4(IPv4Address("10.10.10.10")!)

    static let lab = Lab(
        name: "two-node",
        networks: [Network(name: InterfaceName("lan")!, subnets: [IPPrefix("10.10.10.0/24")!])],
        nodes: [
            router("master", number: 1), router("backup", number: 2),
            Node(name: "client", interfaces: [interface("eth0", number: 3)]),
        ],
        scenarios: [
            Scenario(
                name: "failover", summary: "the master's power is cut <at once>",
                probes: [
                    Probe(
                        name: "web", node: "client",
                        request: .http(HTTPURL("http://10.10.10.10/")!),
                        interval: .milliseconds(10), timeout: .milliseconds(500))
                ],
                steps: [Step(.control(.kill, Target(node: "master")))])
        ])

    private static func router(_ name: String, number: UInt8) -> Node {
        Node(
            name: name, interfaces: [interface("eth0", number: number)],
            services: [Service(name: "keepalived", kind: .vrrpAgent)])
    }

    private static func interface(_ name: String, number: UInt8) -> Interface {
        Interface(
            name: InterfaceName(name)!, attachment: .network(InterfaceName("lan")!),
            addresses: [InterfaceAddress("10.10.10.\(number)/24")!],
            mac: MACAddress("02:00:00:00:00:0\(number)")!)
    }

    static func at(_ milliseconds: Int) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: 1_000_000_000_000) + .milliseconds(milliseconds)
    }

    static func event(_ milliseconds: Int, _ kind: TimelineEvent.Kind) -> TimelineEvent {
        TimelineEvent(time: at(milliseconds), stamp: .origin, kind: kind)
    }

    static func record(_ verdict: ScenarioVerdict = .passed) -> RunRecord {
        RunRecord(
            lab: lab, scenario: "failover",
            virtualRouters: ["master", "backup"].map {
                VirtualRouterFacts(
                    node: $0, service: "keepalived", instance: "VI_1", interface: "eth0", vrid: 51,
                    priority: 100, advertisementInterval: .seconds(1), preempts: true,
                    addresses: [vip])
            }, began: at(0), date: "2026-01-02T03:04:05Z", duration: .seconds(9), verdict: verdict,
            machine: "Linux 6.1, 2 processors")
    }

    static func held(_ node: String, _ isAdded: Bool) -> TimelineEvent.Kind {
        let address = InterfaceAddress("10.10.10.10/32")!
        return isAdded
            ? .addressAdded(node: node, interface: "eth0", address: address)
            : .addressRemoved(node: node, interface: "eth0", address: address)
    }

    /// The failover: 3.6 s to elect the master, its death at 5 s, the backup's takeover.
    static let events: [TimelineEvent] = [
        event(0, .node("master", .starting)), event(0, .node("backup", .starting)),
        event(10, .node("master", .running)), event(10, .node("backup", .running)),
        event(50, .service(node: "master", service: "keepalived", .ready)),
        event(50, .service(node: "backup", service: "keepalived", .ready)),
        event(3600, .advertisement(advertisement("master"))), event(3601, held("master", true)),
        event(4_990, probe(due: 4_980, .answered(status: 200, body: "master"))),
        event(5000, .control(.kill, Target(node: "master"))),
        event(5000, step(.began)),
        event(5001, held("master", false)), event(5001, .node("master", .killed)),
        event(5010, step(.passed(StepResult()))),
        event(5_492, probe(due: 4_990, .failed("timed out"))),
        event(8600, .advertisement(advertisement("backup"))), event(8601, held("backup", true)),
        event(8610, probe(due: 5_000, .answered(status: 200, body: "</script>"))),
    ]

    private static func advertisement(_ node: String) -> TimelineEvent.Advertisement {
        TimelineEvent.Advertisement(
            node: node, interface: "eth0", source: .v4(IPv4Address("10.10.10.1")!), version: 2,
            vrid: 51, priority: 100, interval: .seconds(1), addresses: [vip])
    }

    private static func probe(due: Int, _ outcome: ProbeResult.Outcome) -> TimelineEvent.Kind {
        .probe(ProbeResult(probe: "web", due: at(due), outcome: outcome))
    }

    private static func step(_ phase: StepReport.Phase) -> TimelineEvent.Kind {
        .step(StepReport(scenario: "failover", index: 1, summary: "kill master", phase: phase))
    }
}
