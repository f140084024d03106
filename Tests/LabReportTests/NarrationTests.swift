import LabModel
import NetworkTypes
import Testing

@testable import LabReport

@Suite("labctl demo: a scenario told as a story")
struct NarrationTests {
    private let kill = Step(.control(.kill, Target(node: "master")))
    private let expectation = Step(
        .expect(Expectation(.address(Fixture.vip, nodes: ["backup"]))))

    private var routers: [VirtualRouterFacts] {
        var routers = Fixture.record().virtualRouters
        routers[1].priority = 99
        return routers
    }

    /// A story that has got so far.
    private func story(
        _ routers: [VirtualRouterFacts]? = nil, through milliseconds: Int = 4000
    ) -> Narration {
        var story = Narration(lab: Fixture.lab, routers: routers ?? self.routers)
        for event in Fixture.events where event.time <= Fixture.at(milliseconds) {
            _ = story.fold(event)
        }
        return story
    }

    private func announcement(
        of action: Step.Action, _ story: Narration? = nil
    ) -> [Narration.Line] {
        var story = story ?? self.story()
        return Array(story.begin(Scenario(name: "s", steps: [Step(action)]), announces: true)[1...])
    }

    @Test("the whole story of a failover")
    func failover() {
        var story = Narration(lab: Fixture.lab, routers: routers)
        let told = Fixture.events.flatMap { story.fold($0) }
        let texts = told.map { line in
            switch line {
            case .coming(let text), .theory(let text), .deed(let text), .picture(let text): text
            case .event(let text, let after, _): (after.map { "+\($0.text) " } ?? "") + text
            case .step(let report): "step \(report.index)"
            }
        }
        #expect(
            texts == [
                "        node master is starting", "        node backup is starting",
                "        node master is running", "        node backup is running",
                "        master/keepalived is ready", "        backup/keepalived is ready",
                "wire    first advertisement of master, priority 100",
                "kernel  10.10.10.10 is now on master (eth0)", "kill master",
                "+1 ms kernel  10.10.10.10 is no longer on master",
                "+1 ms         node master is killed", "step 1",
                "+3.6 s wire    first advertisement of backup, priority 100",
                "+3.601 s kernel  10.10.10.10 is now on backup (eth0)",
            ])
        #expect(story.stepsOver == 1)
    }

    @Test("the picture has the address where it is")
    func picture() {
        #expect(
            story().picture == """
                lan  10.10.10.0/24
                 |-- master  eth0 10.10.10.1/24  VI_1 MASTER  10.10.10.10
                 |-- backup  eth0 10.10.10.2/24  VI_1 BACKUP
                 `-- client  eth0 10.10.10.3/24  stopped
                """)
        #expect(
            story(through: 9000).picture == """
                lan  10.10.10.0/24
                 |-- master  eth0 10.10.10.1/24  killed
                 |-- backup  eth0 10.10.10.2/24  VI_1 MASTER  10.10.10.10
                 `-- client  eth0 10.10.10.3/24  stopped
                """)
    }

    @Test("before the master falls silent it is said who takes over, and after how long")
    func silence() {
        let told: [Narration.Line] = [
            .coming("kill master"),
            .theory(
                "master has 10.10.10.10 and falls silent: backup takes over when it has missed 3 "
                    + "advertisements, after 3.613 s = 3 x 1 s + 157/256 s"),
        ]
        #expect(announcement(of: .control(.kill, Target(node: "master"))) == told)
        let cable = announcement(of: .fault(.linkDown(Endpoint.parse("master:eth0")!)))
        #expect(cable.last == told.last)
        // Of what does not concern the master nothing is foretold.
        #expect(
            announcement(of: .control(.kill, Target(node: "backup"))) == [.coming("kill backup")])
        #expect(
            announcement(of: .fault(.blackhole(Endpoint.parse("master:eth0")!, .in))).count == 1)
    }

    @Test("a master that is stopped says farewell, so that the skew time is enough")
    func farewell() {
        let told = announcement(of: .control(.stop, Target(node: "master", service: "keepalived")))
        #expect(
            told.last
                == .theory(
                    "master has 10.10.10.10 and says farewell, by priority 0: backup takes over "
                        + "after its skew time, 613 ms (157/256 s)"))
    }

    @Test("who comes back with the higher priority takes the address back, unless nopreempt")
    func returns() {
        let start = Step.Action.control(.start, Target(node: "master"))
        let after = story(through: 9000)
        #expect(
            announcement(of: start, after).last
                == .theory(
                    "master has the higher priority (100 against 99) and takes 10.10.10.10 back"))
        var routers = routers
        routers[0].preempts = false
        #expect(
            announcement(of: start, story(routers, through: 9000)).last
                == .theory(
                    "master has the higher priority, but does not preempt: 10.10.10.10 stays on "
                        + "backup"))
    }

    @Test("without a backup it is said that nobody is there")
    func nobody() {
        let alone = story([routers[0]])
        #expect(
            announcement(of: .control(.kill, Target(node: "master")), alone).last
                == .theory("master has 10.10.10.10, and no backup is there to take over"))
    }

    @Test("what is run from key to key is told before it begins, and only once")
    func announcedOnce() {
        let piece = Scenario(name: "s", steps: [kill, expectation])
        func began(_ index: Int) -> TimelineEvent {
            Fixture.event(
                5000, .step(StepReport(scenario: "s", index: index, summary: "", phase: .began)))
        }
        var paused = story()
        #expect(paused.begin(piece, announces: true).count == 3)
        #expect(paused.fold(began(1)).isEmpty)
        #expect(paused.fold(began(2)).isEmpty)
        var whole = story()
        #expect(whole.begin(piece, announces: false) == [.picture(whole.picture)])
        #expect(whole.fold(began(1)).first == .coming("kill master"))
        #expect(whole.fold(began(2)).isEmpty)
        // The next deed after an expectation is preceded by the picture of what has come of it.
        #expect(whole.fold(began(1)).first == .picture(whole.picture))
    }

    @Test("a scenario's pieces begin with deeds and end with what is expected of them")
    func pieces() {
        var scenario = Scenario(
            name: "s", steps: [expectation, kill, kill, expectation, expectation, kill],
            cleanup: [kill])
        #expect(scenario.acts.map(\.steps.count) == [1, 4, 1])
        #expect(scenario.acts.map(\.cleanup.count) == [0, 0, 1])
        #expect(scenario.acts.map(\.beginsWithDeed) == [false, true, true])
        scenario.steps = []
        #expect(scenario.acts.isEmpty)
    }
}
