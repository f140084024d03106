import Foundation
import LabModel
import NetworkTypes
import Testing

@Suite("Ownership")
struct ScenarioOwnershipTests {
    private let vip = TwoNodes.vip
    private let address = InterfaceAddress("10.10.10.10/32")!

    private func folded(_ events: [(Double, TimelineEvent.Kind)]) -> Ownership {
        events.reduce(into: Ownership()) { ownership, event in
            ownership.fold(
                TimelineEvent(time: at(event.0), stamp: .receipt, kind: event.1))
        }
    }

    private func added(_ node: String, _ interface: String = "eth0", _ text: String? = nil)
        -> TimelineEvent.Kind
    {
        .addressAdded(
            node: node, interface: interface,
            address: text.map { InterfaceAddress($0)! } ?? address)
    }

    private func removed(_ node: String, _ interface: String = "eth0", _ text: String? = nil)
        -> TimelineEvent.Kind
    {
        .addressRemoved(
            node: node, interface: interface,
            address: text.map { InterfaceAddress($0)! } ?? address)
    }

    @Test("An address moves: who held it when, and since when the present set is what it is")
    func move() {
        let ownership = folded([
            (10, added("master")), (20, added("backup")), (30, removed("master")),
        ])
        #expect(ownership.holders(of: vip) == ["backup"])
        #expect(ownership.lastChange(of: vip) == at(30))
        #expect(ownership.holders(of: vip, at: at(9)) == [])
        #expect(ownership.holders(of: vip, at: at(10)) == ["master"])
        #expect(ownership.holders(of: vip, at: at(25)) == ["backup", "master"])
        #expect(ownership.holders(of: vip, at: at(30)) == ["backup"])
        #expect(
            ownership.spans(of: vip) == [
                .init(address: vip, node: "master", since: at(10), until: at(30)),
                .init(address: vip, node: "backup", since: at(20)),
            ])
        #expect(ownership.addresses == [vip])
    }

    @Test(
        "A node that is stopped or killed holds nothing",
        arguments: [
            TimelineEvent.NodeState.stopped, .killed, .failed,
        ])
    func deadNode(_ state: TimelineEvent.NodeState) {
        var ownership = folded([(10, added("master")), (20, .node("master", state))])
        #expect(ownership.holders(of: vip) == [])
        #expect(ownership.lastChange(of: vip) == at(20))
        // What is read of it afterwards is old news, until it starts again.
        ownership.fold(TimelineEvent(time: at(21), stamp: .receipt, kind: added("master")))
        #expect(ownership.holders(of: vip) == [])
        ownership.fold(
            TimelineEvent(time: at(30), stamp: .origin, kind: .node("master", .starting)))
        ownership.fold(TimelineEvent(time: at(31), stamp: .receipt, kind: added("master")))
        #expect(ownership.holders(of: vip) == ["master"])
        #expect(ownership.spans(of: vip).count == 2)
    }

    @Test("An address on two interfaces, or with two prefix lengths, is held until both are gone")
    func twoPlaces() {
        let events: [(Double, TimelineEvent.Kind)] = [
            (10, added("master")), (11, added("master", "eth1")),
            (12, added("master", "eth0", "10.10.10.10/24")), (20, removed("master")),
            (21, removed("master", "eth1")),
        ]
        let held = folded(events)
        #expect(held.holders(of: vip) == ["master"])
        #expect(held.lastChange(of: vip) == at(10))
        let gone = folded(events + [(22, removed("master", "eth0", "10.10.10.10/24"))])
        #expect(gone.holders(of: vip) == [])
        #expect(gone.lastChange(of: vip) == at(22))
    }

    @Test("Notifications that repeat, or remove what was never there, change nothing")
    func idempotence() {
        let ownership = folded([
            (5, removed("backup")), (10, added("master")), (11, added("master")),
            (12, removed("backup")),
        ])
        #expect(ownership.spans(of: vip).count == 1)
        #expect(ownership.lastChange(of: vip) == at(10))
        #expect(Ownership().lastChange(of: vip) == nil)
    }

    /// One event of every kind.
    static let everyKind: [TimelineEvent.Kind] = [
        .addressAdded(
            node: "m", interface: "eth0", address: InterfaceAddress("10.10.10.10/32")!),
        .addressRemoved(node: "m", interface: "eth0", address: InterfaceAddress("2001:db8::1/64")!),
        .link(node: "m", interface: "eth0", isUp: true, hasCarrier: false),
        .advertisement(
            .init(
                node: "m", interface: "eth0", source: IPAddress("10.10.10.1")!, version: 2,
                vrid: 51, priority: 0, interval: .seconds(1), addresses: [TwoNodes.vip])),
        .gratuitousARP(
            node: "m", interface: "eth0", address: IPv4Address("10.10.10.10")!,
            mac: MACAddress("02:00:00:00:00:01")!),
        .probe(
            ProbeResult(
                probe: "web", due: at(1), outcome: .answered(status: 200, body: "this is m\n"))),
        .probe(ProbeResult(probe: nil, due: at(1), outcome: .failed("timed out"))),
        .control(.restart, Target(node: "m", service: "httpd")),
        .node("m", .killed),
        .service(node: "m", service: "httpd", .running(pid: 7)),
        .service(node: "m", service: "httpd", .exited(.signal(9))),
        .service(node: "m", service: "httpd", .failed("no\u{1b}[31m\nway")),
        .step(
            StepReport(
                scenario: "s", index: 1, summary: "expect VIP 10.10.10.10 on m",
                phase: .passed(
                    StepResult(
                        cause: "kill m", after: .milliseconds(3613),
                        bound: TimeBound(
                            terms: [.init("3 x 1 s", .seconds(3))],
                            margins: [.init("margin 1 s", .seconds(1))]))))),
        .step(
            StepReport(
                scenario: "s", index: 2, summary: "expect outage of web of at most 1 s",
                phase: .passed(
                    StepResult(
                        cause: "kill m",
                        outage: Outage(begin: at(1), end: at(2), lostRequests: 1))))),
        .step(StepReport(scenario: "s", index: 3, summary: "wait 1 s", phase: .notRun)),
        .step(StepReport(scenario: "s", index: 3, summary: "wait 1 s", phase: .inconclusive("x"))),
        .stall(.milliseconds(480)),
    ]

    @Test("Every event survives JSON as it is", arguments: everyKind)
    func roundTrip(_ kind: TimelineEvent.Kind) throws {
        let event = TimelineEvent(time: at(1.234567), stamp: .kernel, kind: kind)
        let data = try JSONEncoder().encode(event)
        #expect(try JSONDecoder().decode(TimelineEvent.self, from: data) == event)
    }

    @Test("Every event is one readable line")
    func eventLines() {
        let text = EventText(origin: at(0), nodeWidth: 6)
        let lines = Self.everyKind.map { kind in
            text.line(for: TimelineEvent(time: at(3613.28125), stamp: .kernel, kind: kind))
        }
        let start = "    3.613281  m       "
        let lab = "    3.613281  -       "
        #expect(
            lines == [
                start + "10.10.10.10/32 added to eth0",
                start + "2001:db8::1/64 removed from eth0",
                start + "eth0 up, no carrier",
                start + "VRRPv2 advertisement on eth0: vrid 51, priority 0 (resigns), interval 1 s,"
                    + " 10.10.10.10 from 10.10.10.1",
                start + "gratuitous ARP on eth0: 10.10.10.10 is at 02:00:00:00:00:01",
                lab + "probe web: 200, 10 bytes",
                lab + "request: timed out",
                start + "restart m/httpd",
                start + "node killed",
                start + "httpd running, pid 7",
                start + "httpd ended with signal 9",
                start + #"httpd failed: no\u{1B}[31m\nway"#,
                lab + "s step 1: expect VIP 10.10.10.10 on m: passed, 3.613 s after kill m"
                    + " (bound 4 s = 3 x 1 s + margin 1 s)",
                lab + "s step 2: expect outage of web of at most 1 s: passed, outage 1 ms,"
                    + " 1 request lost",
                lab + "s step 3: wait 1 s: not run",
                lab + "s step 3: wait 1 s: inconclusive: x",
                lab + "this machine stood still for 480 ms",
            ])
    }

    @Test("An event before the origin has a negative time, to the microsecond")
    func negativeTime() {
        let event = TimelineEvent(
            time: at(-0.25), stamp: .origin, kind: .node("master", .running))
        #expect(EventText(origin: at(0)).line(for: event) == "   -0.000250  master    node running")
    }

    @Test(
        "Durations are printed in the unit that suits them",
        arguments: [
            (3_613_281_250, "3.613 s"), (1_000_000_000, "1 s"), (10_000_000_000, "10 s"),
            (60_500_000_000, "60.5 s"), (613_281_250, "613 ms"), (999_600_000, "1 s"),
            (999_400_000, "999 ms"), (62_340_000, "62.3 ms"), (7_618_000, "7.62 ms"),
            (1_000_000, "1 ms"), (780_000, "780 us"), (999_999, "1 ms"), (12_345, "12.3 us"),
            (1500, "1.5 us"), (90, "90 ns"), (1, "1 ns"), (0, "0 s"), (-613_281_250, "-613 ms"),
            (3_999_600_000, "4 s"), (9_996_000, "10 ms"),
        ] as [(Int64, String)])
    func durationText(_ nanoseconds: Int64, _ text: String) {
        #expect(Duration.nanoseconds(nanoseconds).text == text)
    }
}
