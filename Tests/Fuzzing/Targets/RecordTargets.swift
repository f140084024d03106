import LabModel
import LabReport
import NetworkTypes

extension FuzzTarget {
    static let record = FuzzTarget(
        "record", "a recorded timeline, a line of JSON an event: judged again, told and drawn"
    ) { bytes in
        var events: [TimelineEvent] = []
        for line in bytes.split(separator: UInt8(ascii: "\n")).prefix(200) {
            guard let event = try? JSONLineDecoder().decode(TimelineEvent.self, from: line) else {
                continue
            }
            events.append(event)
        }
        let record = sampleRecord
        if let first = RunReplay(record, events: events),
            let second = RunReplay(record, events: events)
        {
            try requireEqual(first.verdict, second.verdict, "a run is judged the same twice")
            try requireEqual(first.reports.count, second.reports.count, "and so are its steps")
            _ = first.differences(from: record, events: events)
        }
        _ = Failover.last(in: events, of: record)
        for event in events.suffix(3) {
            _ = LabMoment(
                at: event.time, events: events, lab: record.lab, routers: record.virtualRouters)
        }
        var story = Narration(lab: record.lab, routers: record.virtualRouters)
        for scenario in record.lab.scenarios { _ = story.begin(scenario, announces: true) }
        for event in events { _ = story.fold(event) }
        _ = story.picture
        try require(!RunText(record, events: events).text.isEmpty, "a run has a text")
        // What is drawn is still a page when a timeline has markup in it.
        let page = HTMLReport(record, events: events).text
        let scripts = page.split(
            separator: "</script", omittingEmptySubsequences: false)
        try requireEqual(
            scripts.count, emptyPageScripts, "what was recorded ends no script of the page")
    }

    private static let emptyPageScripts =
        HTMLReport(sampleRecord, events: []).text.split(
            separator: "</script", omittingEmptySubsequences: false
        ).count

    /// A run of the lab that the seeds were recorded in.
    private static let sampleRecord: RunRecord = {
        let text = """
            name: two-node
            networks:
              lan: { subnet: 10.10.10.0/24 }
            nodes:
              master:
                interfaces:
                  eth0: { network: lan, address: 10.10.10.1, mac: "02:00:00:00:00:01" }
                files:
                  /etc/keepalived/keepalived.conf: keepalived.conf
                services:
                  keepalived: { kind: vrrp-agent }
              backup:
                interfaces:
                  eth0: { network: lan, address: 10.10.10.2, mac: "02:00:00:00:00:02" }
                files:
                  /etc/keepalived/keepalived.conf: keepalived.conf
                services:
                  keepalived: { kind: vrrp-agent }
              client:
                interfaces:
                  eth0: { network: lan, mac: "02:00:00:00:00:03" }
            scenarios:
              failover:
                probes:
                  web: { from: client, http: "http://10.10.10.10/", every: 10ms, timeout: 500ms }
                steps:
                  - expect: { vip: 10.10.10.10, on: master, within: 10s }
                  - kill: master
                  - expect: { vip: 10.10.10.10, on: backup, within: 5s }
            """
        let decoding = Lab.decode(
            yaml: text, file: "lab.yaml", readFile: { _ in .contents([]) })
        guard let lab = decoding.lab else {
            fatalError("the sample lab: \(decoding.diagnostics)")
        }
        return RunRecord(
            lab: lab, scenario: "failover",
            virtualRouters: [("master", 100), ("backup", 90)].map { node, priority in
                VirtualRouterFacts(
                    node: node, service: "keepalived", instance: "VI_1", interface: "eth0",
                    vrid: 51, priority: priority, advertisementInterval: .seconds(1),
                    preempts: true, addresses: [.v4(IPv4Address(10, 10, 10, 10))])
            }, began: MonotonicInstant(nanoseconds: 1_000_000_000_000),
            date: "2026-01-02T03:04:05Z", duration: .seconds(9), verdict: .passed,
            machine: "Linux 6.1, 2 processors")
    }()
}
