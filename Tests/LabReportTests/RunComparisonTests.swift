import LabModel
import NetworkTypes
import Testing

@testable import LabReport

@Suite("Runs compared")
struct RunComparisonTests {
    private func facts(_ events: [TimelineEvent] = Fixture.events) -> RunFacts {
        RunFacts(Fixture.record(), events: events)
    }

    @Test("a run's figures: outages, losses, percentiles, the failover's parts, what was sent")
    func figures() {
        let facts = facts().facts
        func value(_ name: String) -> RunFacts.Value? { facts.first { $0.name == name }?.value }
        #expect(value("verdict") == .text("passed"))
        #expect(value("web, longest outage") == .duration(.milliseconds(3620)))
        #expect(value("web, requests lost") == .count(1))
        #expect(value("master, advertisements") == .count(1))
        #expect(value("master, of priority 0") == .count(0))
        #expect(value("checks that did not hold") == .count(0))
    }

    @Test("the same on both sides matters nowhere")
    func same() {
        let rows = RunComparison([facts()], [facts()]).rows
        #expect(!rows.isEmpty)
        #expect(rows.allSatisfy { !$0.matters && $0.difference.isEmpty && $0.left == $0.right })
    }

    @Test("a side that resigns differs from one that does not, by count and by how long it took")
    func resignation() throws {
        var events = Fixture.events
        let place = try #require(events.firstIndex { $0.time == Fixture.at(5000) })
        guard case .advertisement(var advert) = events[6].kind else { return }
        advert.priority = 0
        events.insert(Fixture.event(5000, .advertisement(advert)), at: place + 1)
        let rows = RunComparison([facts()], [facts(events)]).rows
        let row = try #require(rows.first { $0.name == "master, of priority 0" })
        #expect((row.left, row.right, row.difference) == ("0", "1", "+1"))
        #expect(row.matters)
        #expect(!(rows.first { $0.name == "master, advertisements" }?.matters ?? true))
    }

    @Test("with several runs a difference matters when the ranges are apart")
    func ranges() {
        func side(_ milliseconds: [Int]) -> [RunFacts] {
            milliseconds.map { length in
                facts(
                    Fixture.events.map { event in
                        var event = event
                        if event.time >= Fixture.at(8_600) {
                            event.time += .milliseconds(length)
                        }
                        return event
                    })
            }
        }
        func row(_ left: [Int], _ right: [Int]) -> RunComparison.Row? {
            RunComparison(side(left), side(right)).rows
                .first { $0.name == "web, longest outage" }
        }
        #expect(row([0, 900], [800, 1000])?.matters == false)
        #expect(row([0, 100], [1000, 1100])?.matters == true)
        #expect(row([0, 100, 50], [0])?.left == "3.67 s (3.62 s to 3.72 s)")
        // Apart, but by less than a tenth.
        #expect(row([0], [100])?.matters == false)
    }

    @Test("what only one side has run is told, and not compared")
    func unmatched() {
        var record = Fixture.record()
        record.scenario = "other"
        let comparison = RunComparison([facts()], [RunFacts(record, events: [])])
        #expect(comparison.rows.isEmpty)
        #expect(comparison.unmatched == ["two-node / failover", "two-node / other"])
    }
}
