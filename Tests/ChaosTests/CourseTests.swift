import LabModel
import NetworkTypes
import Testing

@testable import Chaos

@Suite("Chaos: a schedule as a scenario")
struct CourseTests {
    private func summaries(_ steps: some Sequence<Step>) -> [String] { steps.map(\.summary) }

    @Test("what is done comes in the order of time, with waits between, and is taken back")
    func steps() {
        let round = round(
            1, fault("kill node2", for: 400), fault("link node1:eth0 down", at: 130, for: 500))
        #expect(
            summaries(round.steps) == [
                "kill node2", "wait 130 ms", "link node1:eth0 down", "wait 270 ms", "start node2",
                "wait 230 ms", "heal",
            ])
        #expect(
            round.text
                == "round 1: kill node2 for 400ms; at 130ms link node1:eth0 down for 500ms")
    }

    @Test("of the network's faults each ends by itself but the last, with which all end")
    func endings() {
        let round = round(
            1, fault("impair node1:eth0 loss 50% seed 3", for: 200),
            fault("link node2:eth0 blackhole in", at: 50, for: 300),
            fault("restart node3", at: 60))
        #expect(
            summaries(round.steps) == [
                "impair node1:eth0 loss 50% seed 3", "wait 50 ms", "link node2:eth0 blackhole in",
                "wait 10 ms", "restart node3", "wait 140 ms", "impair node1:eth0 none",
                "wait 150 ms", "heal",
            ])
    }

    @Test("limits end with the network's faults, clocks with another start")
    func nodes() {
        let target = Target(node: "node1", service: "vrrp")
        let shift = Disturbance(
            .shift(target, ClockOffset(.seconds(3600))), at: .zero, for: .milliseconds(300))
        let limits = NodeLimits([.cpu: .amount(200)])
        let limit = Disturbance(
            .fault(.limit("node1", limits)), at: .milliseconds(100), for: .milliseconds(400))
        #expect(
            summaries(round(1, shift, limit).steps) == [
                "restart node1/vrrp clock +1h", "wait 100 ms", "limit node1 cpu 20%",
                "wait 200 ms", "restart node1/vrrp", "wait 200 ms", "heal",
            ])
    }

    @Test("a partition is the last of the network's faults to end")
    func partitionLast() {
        let round = round(
            1, fault("partition node1 | node2 node3", for: 100),
            fault("link node4:eth0 down", at: 50, for: 700))
        #expect(
            summaries(round.steps) == [
                "partition node1 | node2 node3", "wait 50 ms", "link node4:eth0 down",
                "wait 700 ms", "heal",
            ])
        #expect(round.faults[0].duration == .milliseconds(750))
    }

    @Test("what was drawn never asks for what cannot be done, and leaves nothing broken")
    func sound() {
        for seed in 1...40 {
            for round in FiveNodes.schedule(seed: UInt64(seed)).rounds {
                var world = World()
                for step in round.steps { world.take(step.action) }
                #expect(world.problems == [], "seed \(seed): \(round.text)")
                #expect(world.isSound, "seed \(seed): \(round.text)")
            }
        }
    }

    @Test("the scenario has the preamble, and after each round what is expected")
    func whole() {
        let course = FiveNodes.course(
            Schedule([round(1, fault("kill node1")), round(4, fault("freeze node2"))]))
        let health = FiveNodes.health.expectations.count
        #expect(course.rounds.count == 2)
        #expect(course.rounds[0].faults == health..<(health + 3))
        #expect(course.rounds[0].expectations == (health + 3)..<(2 * health + 3))
        #expect(course.scenario.steps.count == 3 * health + 6)
        #expect(course.comments[health] == "round 1: kill node1 for 500ms")
        #expect(course.round(ofStep: health) == nil)
        #expect(course.round(ofStep: health + 1) == 0)
        #expect(course.round(ofStep: 2 * health + 3) == 0)
        #expect(course.round(ofStep: 2 * health + 4) == 1)
        #expect(course.scenario.needs == [])
        let cut = FiveNodes.course(Schedule([round(1, fault("partition node1 | node2"))]))
        #expect(cut.scenario.needs == [.nftables])
    }

    @Test("written and read again it is the same scenario", arguments: 1...12)
    func roundTrip(seed: Int) throws {
        let course = FiveNodes.course(FiveNodes.schedule(seed: UInt64(seed)))
        let text = try course.scenario.yaml(header: ["a comment"], comments: course.comments)
        let decoding = FiveNodes.lab.decodeScenario(
            yaml: text, name: course.scenario.name, file: "lab.yaml"
        ) { _ in .missing }
        #expect(decoding.diagnostics == [])
        var read = try #require(decoding.scenario)
        for index in read.steps.indices { read.steps[index].line = 0 }
        for index in read.checks.indices { read.checks[index].line = 0 }
        #expect(read == course.scenario)
    }
}

/// What steps make of a lab.
private struct World {
    private var faults = NetworkFaults()
    private var down: Set<Target> = []
    private var frozen: Set<Target> = []
    private(set) var problems: [String] = []

    var isSound: Bool { faults.isSound && down.isEmpty && frozen.isEmpty }

    mutating func take(_ action: Step.Action) {
        switch action {
        case .wait: break
        case .fault(let fault):
            if let problem = fault.problem(in: FiveNodes.lab) { problems.append(problem) }
            faults.apply(fault)
        case .control(let verb, let target): take(verb, target)
        case .execute, .edit, .parallel, .expect: problems.append("\(action)")
        }
    }

    private mutating func take(_ verb: ControlVerb, _ target: Target) {
        let isDown = down.contains { $0.node == target.node }
        let isFrozen = frozen.contains { $0.node == target.node }
        switch verb {
        case .kill, .stop, .freeze, .restart:
            if isDown || isFrozen { problems.append("\(verb) \(target), which is in hand") }
            if verb == .freeze { frozen.insert(target) }
            if verb == .kill || verb == .stop { down.insert(target) }
        case .start:
            if down.remove(target) == nil { problems.append("start \(target), which is up") }
        case .thaw:
            if frozen.remove(target) == nil { problems.append("thaw \(target), which runs") }
        case .reload: problems.append("reload \(target)")
        }
    }
}
