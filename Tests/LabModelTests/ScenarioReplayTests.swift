import LabModel
import NetworkTypes
import Testing

/// A recorded timeline gives the same verdict again, and quickly.
@Suite("Scenarios: replay")
struct ScenarioReplayTests {
    /// Everything the machine asked for, as text: the measure of "the same, bit for bit".
    private func account(_ actions: [ScenarioAction]) -> [String] {
        actions.map { "\($0)" }
    }

    /// A run with frames that were read late, requests, a probe, a trigger, and a failing end.
    private func eventful() -> (Run, Scenario) {
        let advert = TimelineEvent.Kind.advertisement(
            TimelineEvent.Advertisement(
                node: "master", interface: "eth0", source: IPAddress("10.10.10.1")!, version: 2,
                vrid: 51, priority: 100, interval: .seconds(1), addresses: [TwoNodes.vip]))
        let steps = [
            TwoNodes.on("master"),
            Step(
                .control(.kill, Target(node: "master")),
                at: Trigger.parse("advert(master) + 300ms")!),
            TwoNodes.on("backup"), TwoNodes.answers("this is backup"),
            TwoNodes.outage(atMost: .seconds(1)),
        ]
        let checks = [Check(.oneOwner(TwoNodes.vip, overlap: .milliseconds(50)))]
        let scenario = Scenario(name: "test", probes: [TwoNodes.web], checks: checks, steps: steps)
        var run = Run(steps, probes: [TwoNodes.web], checks: checks)
        run.settle()
        run.see(advert, 3999.9, stamp: .kernel, read: 4017)
        for due in stride(from: 3700.0, to: 4300, by: 10) { run.probe(due: due, ended: due + 1) }
        run.passTime(to: 4310)
        run.applied(.kill, "master", 4300.1)
        run.see(.node("master", .killed), 4300.4)
        run.done(2, 4311)
        run.see(.stall(.milliseconds(30)), 5000)
        run.vipAdded("backup", 7914)
        run.answer(.failed("timed out"), 7990)
        run.passTime(to: 8095)
        run.answer(.answered(status: 200, body: "this is backup\n"), 8096)
        for due in stride(from: 4300.0, to: 9000, by: 10) {
            let isLost = due < 7920
            run.probe(
                due: due, ended: due + (isLost ? 500 : 1), isLost ? .failed("timed out") : nil)
            if run.verdict != nil { break }
        }
        return (run, scenario)
    }

    @Test("the recorded events alone bring the same actions, in the order of the recording")
    func same() throws {
        let (run, scenario) = eventful()
        #expect(run.failure.hasPrefix("expected outage of web of at most 1 s after kill master"))
        var machine = ScenarioMachine(scenario: scenario, routers: TwoNodes.routers)
        let actions = machine.replay(run.recorded)
        #expect(account(actions) == account(run.actions))
        #expect(machine.verdict == run.verdict)
    }

    @Test("a file is ordered by time; the order of learning is kept beside it")
    func orderedByTime() {
        let (run, scenario) = eventful()
        let file = run.recorded.sorted { $0.time < $1.time }
        #expect(file.map(\.order) != run.recorded.map(\.order))
        var machine = ScenarioMachine(scenario: scenario, routers: TwoNodes.routers)
        #expect(account(machine.replay(file)) == account(run.actions))
    }

    @Test("every event of a run survives its JSON")
    func codable() throws {
        let events: [ScenarioEvent] = [
            .begin("failover"), .done(ActionID(step: 3), .done),
            .done(ActionID(step: 3, part: 2), .exited(.status(1), output: "no\n")),
            .done(ActionID(step: 4), .failed("node a is not running")),
            .done(ActionID(step: 4), .exited(.signal(9), output: "")),
            .answered(
                id: 7,
                ProbeResult(
                    probe: nil, due: at(1), outcome: .answered(status: 200, body: "this is a"))),
            .answered(id: 8, ProbeResult(probe: nil, due: at(1), outcome: .replied)),
            .answered(id: 9, ProbeResult(probe: nil, due: at(1), outcome: .failed("timed out"))),
            .inspected(id: 9, .exited(.status(0), output: "[]")),
            .line(Target(node: "a", service: "keepalived"), "(VI_1) Entering MASTER STATE"),
            .timer,
        ]
        for (place, kind) in events.enumerated() {
            var event = event(kind, Double(place))
            event.order = place + 1
            #expect(try roundTrip(event) == event)
        }
    }

    @Test("every event counts: ten thousand of all kinds are replayed without ever stopping")
    func manyEvents() {
        var machine = ManyEvents.machine
        let events = ManyEvents.make(10_000)
        for event in events { _ = machine.handle(event) }
        #expect(machine.verdict == nil)
        #expect(machine.deadline != nil)
    }
}

/// A long run with everything in it that a machine may have to look at.
enum ManyEvents {
    /// A machine that looks at all of it: a sequence, a count, every check, an outage at last.
    static var machine: ScenarioMachine {
        let steps = [
            TwoNodes.control(.kill, "client"),
            Step(
                .expect(
                    Expectation(
                        .sequence([
                            EventPattern.parse("vip on backup")!,
                            EventPattern.parse("advert(backup, priority 7)")!,
                        ]), within: .milliseconds(5)))),
            Step(.expect(Expectation(.adverts(AdvertPattern(), CountRange(atMost: 1))))),
        ]
        let checks: [Check.Rule] = [
            .oneOwner(TwoNodes.vip, overlap: .seconds(100)),
            .owned(TwoNodes.vip, gap: .seconds(100_000)),
            .advertised(router: nil, gap: .seconds(100_000)), .deadAreSilent,
            .priority(node: nil, 1...255), .noDuplicateAddress,
        ]
        let outage = TwoNodes.outage(atMost: .seconds(100_000))
        let scenario = Scenario(
            name: "test", probes: [TwoNodes.web], checks: checks.map { Check($0) },
            steps: [outage] + steps)
        var machine = ScenarioMachine(scenario: scenario, routers: TwoNodes.routers)
        _ = machine.handle(event(.begin("test"), 0))
        return machine
    }

    /// So many events, 1 ms apart: half of them of the probe, a third advertisements of 50 virtual
    /// routers, the rest ARP, addresses that come and go, and services.
    static func make(_ count: Int) -> [TimelineEvent] {
        var events: [TimelineEvent] = []
        events.reserveCapacity(count)
        for number in 0..<count {
            var event = TimelineEvent(
                time: at(Double(number)), stamp: .kernel, kind: kind(number))
            event.order = number + 1
            events.append(event)
        }
        return events
    }

    private static func kind(_ number: Int) -> TimelineEvent.Kind {
        let node = number % 4 < 2 ? "master" : "backup"
        switch number % 12 {
        case 0, 2, 4, 6, 8, 10:
            // The answers before the election's bound settle nothing: the first step goes on.
            let isLost = number % 100 == 0
            return .probe(
                ProbeResult(
                    probe: "web", due: at(Double(number / 2) * 10),
                    outcome: isLost ? .failed("timed out") : .answered(status: 200, body: "x")))
        case 1, 3, 5, 7:
            return .advertisement(
                TimelineEvent.Advertisement(
                    node: node, interface: "eth0", source: TwoNodes.vip, version: 2,
                    vrid: 1 + number % 50, priority: 100, interval: .seconds(1),
                    addresses: [TwoNodes.vip]))
        case 9:
            return .gratuitousARP(
                node: "master", interface: "eth0", address: IPv4Address("10.10.10.10")!,
                mac: MACAddress("02:00:00:00:00:01")!)
        default:
            let address = InterfaceAddress("10.10.10.10/32")!
            switch number / 12 % 3 {
            case 0: return .addressAdded(node: node, interface: "eth0", address: address)
            case 1: return .addressRemoved(node: node, interface: "eth0", address: address)
            default: return .service(node: "client", service: "other", .ready)
            }
        }
    }
}
