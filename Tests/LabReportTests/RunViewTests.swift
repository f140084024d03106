import LabModel
import NetworkTypes
import Testing

@testable import LabReport

@Suite("A run as lanes")
struct RunViewTests {
    private let view = RunView(Fixture.record(), events: Fixture.events)

    @Test("a node's lane says what it was: its roles come from kernel and services")
    func states() {
        let spans = view.nodes[0].states.map { "\($0.state) \($0.from)-\($0.to ?? -1)" }
        #expect(
            spans == [
                "down 0-10000", "up 10000-50000", "backup 50000-3601000",
                "master 3601000-5001000", "backup 5001000-5001000", "down 5001000--1",
            ])
        let last = view.nodes[1].states.last
        #expect(last == RunView.StateSpan(state: .master, from: 8_601_000))
        #expect(view.nodes[2].states == [RunView.StateSpan(state: .down, from: 0)])
    }

    @Test("a frozen node is so until it thaws or dies, and keeps its address meanwhile")
    func frozen() {
        let events =
            Array(Fixture.events.prefix(8)) + [
                Fixture.event(4000, .control(.freeze, Target(node: "master"))),
                Fixture.event(4500, .control(.thaw, Target(node: "master"))),
                Fixture.event(4600, .control(.freeze, Target(node: "master"))),
                Fixture.event(4700, .control(.kill, Target(node: "master"))),
                Fixture.event(4701, .node("master", .killed)),
            ]
        let lane = RunView(Fixture.record(), events: events).nodes[0]
        #expect(
            lane.states.map { "\($0.state) \($0.from / 1000)" }.suffix(5) == [
                "master 3601", "frozen 4000", "master 4500", "frozen 4600", "down 4701",
            ])
        #expect(lane.held.count == 1)
    }

    @Test("what the lab does until somebody records the run is not the run's")
    func end() {
        let later =
            Fixture.events + [
                Fixture.event(9_001, Fixture.held("backup", false)),
                Fixture.event(20_000, .control(.stop, Target(node: "backup"))),
            ]
        let view = RunView(Fixture.record(), events: later)
        #expect(view.length == 9_000_000)
        #expect(view.nodes == self.view.nodes)
        // Counted from where the scenario began.
        let begin = Fixture.event(2_000, .scenario(.begin("failover")))
        let all = RunView(
            Fixture.record(), events: (later + [begin]).sorted { $0.time < $1.time })
        #expect(all.length == 11_000_000)
    }

    @Test("an address is a bar for as long as a node holds it")
    func held() {
        let first = RunView.HeldSpan(address: "10.10.10.10", from: 3_601_000, to: 5_001_000)
        #expect(view.nodes[0].held == [first])
        let second = RunView.HeldSpan(address: "10.10.10.10", from: 8_601_000)
        #expect(view.nodes[1].held == [second])
    }

    @Test("an address that no virtual router has is no bar and makes no master")
    func otherAddresses() {
        let own = TimelineEvent.Kind.addressAdded(
            node: "client", interface: "eth0", address: InterfaceAddress("10.10.10.3/24")!)
        let view = RunView(Fixture.record(), events: [Fixture.event(0, own)])
        #expect(view.nodes[2].held.isEmpty)
        #expect(view.nodes[2].states.map(\.state) == [.down])
    }

    @Test("advertisements and what was done are marks; what comes in masses is not in the log")
    func marks() {
        #expect(view.nodes[0].adverts == [[3_600_000, 51, 100]])
        let kill = RunView.Mark(time: 5_000_000, isFault: true, text: "kill master")
        #expect(view.nodes[0].marks == [kill])
        #expect(view.log.contains { $0.text == "kill master" && $0.time == 5_000_000 })
        #expect(!view.log.contains { $0.text.contains("advertisement") })
    }

    @Test("a probe's lane has every request, the outage, and percentiles of the answered")
    func probe() {
        let lane = view.probes[0]
        let results = [
            [4_980_000, 10_000, 1], [4_990_000, 502_000, 0], [5_000_000, 3_610_000, 1],
        ]
        #expect(lane.results == results)
        #expect(lane.outages == [RunView.OutageView(from: 4_990_000, to: 8_610_000, lost: 1)])
        let times = lane.percentiles.map(\.time)
        // The histogram's buckets are a thousandth of their values wide.
        #expect(times == [10_007, 3_610_000, 3_610_000, 3_610_000, 3_610_000])
    }

    @Test("a step reaches from its beginning to its end; one the record ends in is running")
    func steps() {
        let step = RunView.StepView(
            number: 1, summary: "kill master", from: 5_000_000, to: 5_010_000, verdict: "passed",
            text: "")
        #expect(view.steps == [step])
        let cut = RunView(Fixture.record(), events: Array(Fixture.events.prefix(11)))
        #expect(cut.steps.map(\.verdict) == ["running"])
    }

    @Test("a fault of the network is a mark on each node it concerns")
    func faults() {
        let kinds: [TimelineEvent.Kind] = [
            .fault(.linkDown(Endpoint(node: "master", interface: InterfaceName("eth0")!))),
            .fault(.partition([["master"], ["client"]])),
        ]
        let view = RunView(Fixture.record(), events: kinds.map { Fixture.event(0, $0) })
        #expect(
            view.nodes[0].marks.map(\.text) == [
                "link master:eth0 down", "partition master | client",
            ])
        #expect(view.nodes[1].marks.isEmpty)
        #expect(view.nodes[2].marks.count == 1)
    }

    @Test("a check that did not hold spans its interval and names its cause")
    func violations() {
        let violation = TimelineEvent.Violation(
            check: "at most one owner of 10.10.10.10", since: Fixture.at(100),
            until: Fixture.at(150), text: "master and backup", cause: "thaw master")
        let events = [Fixture.event(0, .stall(.zero)), Fixture.event(150, .violation(violation))]
        let seen = RunView.ViolationView(
            check: violation.check, text: "master and backup (after thaw master)", from: 100_000,
            to: 150_000)
        #expect(RunView(Fixture.record(), events: events).violations == [seen])
        #expect(HTMLReport(Fixture.record(), events: events).text.contains("did not hold"))
    }

    @Test("a check that held is told as well")
    func checksThatHeld() throws {
        var record = Fixture.record()
        let check = Check(.oneOwner(Fixture.vip, overlap: .zero))
        let index = try #require(
            record.lab.scenarios.firstIndex { $0.name == record.scenario })
        record.lab.scenarios[index].checks = [check]
        let begin = Fixture.event(0, .stall(.zero))
        #expect(RunView(record, events: [begin]).held == [check.summary])
        #expect(RunText(record, events: [begin]).text.contains("\n\(check.summary) held\n"))
        #expect(HTMLReport(record, events: [begin]).text.contains(">held</span>"))
        let violation = TimelineEvent.Violation(
            check: check.summary, since: Fixture.at(1), until: nil, text: "", cause: nil)
        let broken = [begin, Fixture.event(1, .violation(violation))]
        #expect(RunView(record, events: broken).held.isEmpty)
    }
}
