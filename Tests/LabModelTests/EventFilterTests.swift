import LabModel
import NetworkTypes
import Testing

@Suite("Which events are wanted")
struct EventFilterTests {
    @Test("A filter keeps what is asked for, by time, kind and node")
    func filter() {
        let events = [
            TimelineEvent(time: at(1), stamp: .origin, kind: .node("a", .running)),
            TimelineEvent(time: at(2), stamp: .origin, kind: .node("b", .running)),
            TimelineEvent(time: at(3), stamp: .origin, kind: .stall(.milliseconds(30))),
            TimelineEvent(time: at(4), stamp: .origin, kind: .control(.kill, Target(node: "a"))),
        ]
        func kept(_ filter: EventFilter) -> [Int] {
            events.indices.filter { filter.matches(events[$0]) }
        }
        #expect(kept(EventFilter()) == [0, 1, 2, 3])
        #expect(kept(EventFilter(since: at(2), until: at(3))) == [1, 2])
        #expect(kept(EventFilter(kinds: [.node, .stall])) == [0, 1, 2])
        #expect(kept(EventFilter(nodes: ["a"])) == [0, 3])
        #expect(kept(EventFilter(since: at(2), kinds: [.control], nodes: ["a", "b"])) == [3])
    }
}
