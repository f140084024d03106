import LabModel
import NetworkTypes
import Testing

@Suite("Two runs side by side")
struct RunDifferenceTests {
    private typealias Side = (record: RunRecord, events: [TimelineEvent])

    private func difference(
        _ left: [TimelineEvent], _ right: [TimelineEvent],
        tolerance: Duration = RunDifference.defaultTolerance
    ) -> RunDifference {
        RunDifference(
            (TwoNodeRun.record, left), (TwoNodeRun.record, right), tolerance: tolerance)
    }

    private func moved(_ events: [TimelineEvent], by milliseconds: Int) -> [TimelineEvent] {
        events.map { event in
            var event = event
            event.time += .milliseconds(milliseconds)
            return event
        }
    }

    @Test("the same run at another time of day does not differ: it is aligned on the fault")
    func same() {
        let difference = difference(
            TwoNodeRun.events(), moved(TwoNodeRun.events(), by: 86_400_000))
        #expect(difference.first == nil)
        #expect(difference.rows.contains { $0.text == "kill master" && $0.left == .zero })
        #expect(difference.rows.contains { $0.text == "client finds 10.10.10.10 at backup" })
    }

    @Test("what the lab does until somebody records the run is no difference")
    func afterwards() {
        // The run lasted 9 s from its beginning, at 100 ms.
        let ends =
            TwoNodeRun.events() + [
                TwoNodeRun.seen(9101, .control(.stop, Target(node: "backup")))
            ]
        #expect(difference(TwoNodeRun.events(), ends).first == nil)
    }

    @Test("they first differ where something comes later than the tolerance allows")
    func later() {
        let late = TwoNodeRun.events(takeover: 3900)
        let first = difference(TwoNodeRun.events(), late).first
        #expect(first?.text == "backup, VRID 51 advertises priority 99")
        #expect(first?.left == .milliseconds(3600))
        #expect(first?.right == .milliseconds(3900))
        #expect(difference(TwoNodeRun.events(), late, tolerance: .milliseconds(300)).first == nil)
    }

    @Test("what came before the fault is compared without its times")
    func start() {
        let slow = TwoNodeRun.events().map { event in
            var event = event
            if event.time == at(50) { event.time += .milliseconds(500) }
            return event
        }
        #expect(difference(TwoNodeRun.events(), slow).first == nil)
    }

    @Test("what only one of them has is a difference, a priority 0 among it")
    func missing() {
        let resigns = TwoNodeRun.seen(5000.5, TwoNodeRun.advert("master", priority: 0))
        let clean = (TwoNodeRun.events() + [resigns]).sorted { $0.time < $1.time }
        let first = difference(TwoNodeRun.events(), clean).first
        #expect(first?.text == "master, VRID 51 resigns")
        #expect(first?.left == nil)
        #expect(first?.right == .microseconds(500))
    }

    @Test("the same thing a second time is a moment of its own")
    func repeated() {
        let again = TwoNodeRun.seen(9050, .control(.kill, Target(node: "master")))
        let first = difference(TwoNodeRun.events(), TwoNodeRun.events() + [again]).first
        #expect(first?.text == "kill master (2)")
    }
}
