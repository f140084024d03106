import LabModel
import NetworkTypes
import Testing

@testable import Chaos

@Suite("Chaos: what did not hold, and how the lab gets over things")
struct ViolationTests {
    private let course = FiveNodes.course(
        Schedule([
            round(1, fault("kill node1", for: 400)), round(2, fault("freeze node2")),
            round(3, fault("stop node1"), fault("link node2:eth0 down")),
        ]))

    private func violation(_ step: Int, _ message: String) -> Violation {
        Violation(step: step, message: message, in: course)
    }

    @Test("a check that did not hold is the same in whichever round and words")
    func check() {
        let text = "expected owners that hear each other agree all the time; seen: "
        let one = violation(course.rounds[0].faults.lowerBound + 1, text + "10.10.10.100 on a")
        let other = violation(course.rounds[2].faults.lowerBound + 2, text + "something else")
        #expect(one.rule == "owners that hear each other agree all the time")
        #expect(one.isSame(as: other))
        #expect(one.round == 0)
        #expect(other.round == 2)
        #expect(!one.isSame(as: violation(1, "expected VIP 10.10.10.100 on node1; seen: ...")))
    }

    @Test("an expectation is the same whatever its times, a verb whatever its object")
    func steps() {
        let first = course.rounds[0].expectations.lowerBound + 1
        #expect(violation(first, "expected VIP; seen").rule == "VIP 10.10.10.100 on node1")
        #expect(
            violation(first + 1, "expected a neighbour").rule
                == "neighbour 10.10.10.100 of client at node1")
        let kill = course.rounds[0].faults.lowerBound + 1
        #expect(violation(kill, "kill node1: it did not").rule == "kill succeeds")
        #expect(violation(1, "expected VIP; seen").round == nil)
        #expect(violation(999, "who knows").rule == "who knows")
    }

    // MARK: Recovery

    private struct Timeline {
        var events: [TimelineEvent] = []
        private var now = 0.0

        mutating func add(_ milliseconds: Double, _ kind: TimelineEvent.Kind) {
            events.append(
                TimelineEvent(
                    time: MonotonicInstant(nanoseconds: Int64(milliseconds * 1e6)),
                    stamp: .origin, kind: kind))
        }

        mutating func step(
            _ milliseconds: Double, _ index: Int, _ phase: StepReport.Phase
        ) {
            add(
                milliseconds,
                .step(
                    StepReport(scenario: "chaos-1", index: index + 1, summary: "", phase: phase)))
        }

        mutating func held(_ milliseconds: Double, by node: String, _ isHeld: Bool) {
            let address = InterfaceAddress("10.10.10.100/24")!
            add(
                milliseconds,
                isHeld
                    ? .addressAdded(node: node, interface: "eth0", address: address)
                    : .addressRemoved(node: node, interface: "eth0", address: address))
        }

        mutating func ping(_ milliseconds: Double, _ isAnswered: Bool) {
            add(
                milliseconds,
                .probe(
                    ProbeResult(
                        probe: "ping-1",
                        due: MonotonicInstant(nanoseconds: Int64(milliseconds * 1e6)),
                        outcome: isAnswered ? .replied : .failed("timed out"))))
        }
    }

    @Test("recovery counts from the last fault's end, an outage from the last answer before it")
    func recovery() {
        var timeline = Timeline()
        timeline.held(0, by: "node1", true)
        let round = course.rounds[0]
        timeline.step(1000, round.faults.lowerBound, .began)
        for time in stride(from: 1000.0, to: 1020, by: 20) { timeline.ping(time, true) }
        timeline.add(1010, .control(.kill, Target(node: "node1")))
        timeline.held(1010, by: "node1", false)
        for time in stride(from: 1020.0, to: 1340, by: 20) { timeline.ping(time, false) }
        timeline.held(1330, by: "node2", true)
        for time in stride(from: 1340.0, to: 2000, by: 20) { timeline.ping(time, true) }
        timeline.add(1410, .control(.start, Target(node: "node1")))
        timeline.step(1500, round.expectations.lowerBound, .began)
        timeline.held(1780, by: "node2", false)
        timeline.held(1790, by: "node1", true)
        timeline.step(2500, round.expectations.upperBound - 1, .passed(StepResult()))
        // The second round does not get to its end.
        timeline.step(2500, course.rounds[1].faults.lowerBound, .began)
        timeline.add(2510, .control(.freeze, Target(node: "node2")))
        timeline.step(2600, course.rounds[1].faults.lowerBound + 1, .failed("no"))
        var recovery = Recovery()
        recovery.add(course, events: timeline.events, ground: FiveNodes.ground)
        #expect(recovery.rounds == 1)
        #expect(recovery.figures.map(\.kind) == [.kill])
        #expect(recovery.figures.first?.recoveries == [.milliseconds(380)])
        #expect(recovery.figures.first?.outages == [.milliseconds(340)])
        #expect(
            recovery.rows == [
                ["FAULT", "TIMES", "RECOVERY", "WORST", "OUTAGE", "WORST"],
                ["kill", "1", "380 ms", "380 ms", "340 ms", "340 ms"],
            ])
    }

    @Test("a round of several kinds counts for each, and where nothing moved it took no time")
    func kinds() {
        var timeline = Timeline()
        timeline.held(0, by: "node1", true)
        let round = course.rounds[2]
        timeline.step(1000, round.faults.lowerBound, .began)
        timeline.add(1400, .fault(.heal(nil)))
        timeline.step(1500, round.expectations.lowerBound, .began)
        timeline.step(2500, round.expectations.upperBound - 1, .passed(StepResult()))
        var recovery = Recovery()
        recovery.add(course, events: timeline.events, ground: FiveNodes.ground)
        #expect(recovery.figures.map(\.kind) == [.stop, .link])
        #expect(recovery.figures.allSatisfy { $0.recoveries == [.zero] && $0.outages == [.zero] })
    }
}
