import LabModel
import NetworkTypes

/// A recorded run of the two-node lab: an election, the master's death, the backup's takeover.
enum TwoNodeRun {
    static let masterMAC = MACAddress("02:00:00:00:00:01")!
    static let backupMAC = MACAddress("02:00:00:00:00:02")!

    static let lab = Lab(
        name: "two-node", networks: [Network(name: InterfaceName("lan")!)],
        nodes: [
            node("master", masterMAC), node("backup", backupMAC),
            node("client", MACAddress("02:00:00:00:00:03")!),
        ],
        scenarios: [Scenario(name: "test", probes: [TwoNodes.web], steps: [])])

    private static func node(_ name: String, _ mac: MACAddress) -> Node {
        Node(
            name: name,
            interfaces: [
                Interface(
                    name: InterfaceName("eth0")!, attachment: .network(InterfaceName("lan")!),
                    mac: mac)
            ], services: name == "client" ? [] : [Service(name: "keepalived", kind: .vrrpAgent)])
    }

    static let record = RunRecord(
        lab: lab, scenario: "test", virtualRouters: TwoNodes.routers, began: at(100),
        date: "2026-01-02T03:04:05.000Z", duration: .seconds(9), verdict: .passed,
        machine: "Linux")

    static func seen(_ milliseconds: Double, _ kind: TimelineEvent.Kind) -> TimelineEvent {
        TimelineEvent(time: at(milliseconds), stamp: .receipt, kind: kind)
    }

    static func advert(_ node: String, priority: Int = 100) -> TimelineEvent.Kind {
        .advertisement(
            TimelineEvent.Advertisement(
                node: node, interface: "eth0", source: IPAddress("10.10.10.1")!, version: 2,
                vrid: 51, priority: priority, interval: .seconds(1), addresses: [TwoNodes.vip]))
    }

    static func held(_ node: String, _ isAdded: Bool) -> TimelineEvent.Kind {
        let address = InterfaceAddress("10.10.10.10/32")!
        return isAdded
            ? .addressAdded(node: node, interface: "eth0", address: address)
            : .addressRemoved(node: node, interface: "eth0", address: address)
    }

    static func finds(_ mac: MACAddress) -> TimelineEvent.Kind {
        .neighbour(
            TimelineEvent.Neighbour(
                node: "client", interface: "eth0", address: TwoNodes.vip, mac: mac,
                state: .reachable))
    }

    /// The run.
    ///
    /// - Parameter takeover: how long after the kill the backup has the address.
    static func events(takeover: Double = 3600) -> [TimelineEvent] {
        let start = ["master", "backup", "client"].flatMap {
            [seen(0, .node($0, .starting)), seen(10, .node($0, .running))]
        }
        let ready = ["master", "backup"].map {
            seen(50, .service(node: $0, service: "keepalived", .ready))
        }
        let step = StepReport(scenario: "test", index: 1, summary: "kill master", phase: .began)
        return start.sorted { $0.time < $1.time } + ready + [
            seen(100, .scenario(.begin("test"))), seen(3600, advert("master")),
            seen(3601, held("master", true)), seen(3650, finds(masterMAC)),
            seen(4600, advert("master")),
            seen(5000, .step(step)), seen(5000, .control(.kill, Target(node: "master"))),
            seen(5001, .node("master", .killed)),
            seen(
                5010,
                .step(
                    StepReport(
                        scenario: "test", index: 1, summary: "kill master",
                        phase: .passed(StepResult())))),
            seen(5000 + takeover, advert("backup", priority: 99)),
            seen(5001 + takeover, held("backup", true)),
            seen(
                5002 + takeover,
                .gratuitousARP(
                    node: "backup", interface: "eth0", address: IPv4Address("10.10.10.10")!,
                    mac: backupMAC)),
            seen(5003 + takeover, finds(backupMAC)),
        ]
    }
}
