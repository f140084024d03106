import LabModel
import NetworkTypes
import Testing

@testable import Chaos

@Suite("Chaos: the least that shows a violation")
struct ShrinkerTests {
    /// Runs a shrinker to its end, so many candidates at a time, the last begun the first to end.
    private func shrink(
        _ schedule: Schedule, jobs: Int = 1,
        oracle: (Shrinker.Candidate) -> Shrinker.Outcome
    ) throws -> (result: Shrinker.Result, runs: Int) {
        var shrinker = Shrinker(schedule)
        var running: [Shrinker.Candidate] = []
        while shrinker.result == nil {
            while running.count < jobs, let next = shrinker.next() { running.append(next) }
            let popped = running.popLast()
            let last = try #require(popped, "it waits for nothing")
            let before = shrinker.smallest.size
            if shrinker.take(oracle(last), of: last.number) {
                #expect(shrinker.smallest.size < before)
            }
            #expect(shrinker.runs <= Shrinker.maximumRuns + 50)
        }
        #expect(shrinker.next() == nil)
        return (try #require(shrinker.result), shrinker.runs)
    }

    /// Whether a round has node1 down for a while, and meanwhile node2 frozen until after it is
    /// back.
    private func overlaps(_ schedule: Schedule) -> Bool {
        schedule.rounds.contains { round in
            guard let kill = round.faults.first(where: { $0.deed.text == "kill node1" }),
                let freeze = round.faults.first(where: { $0.deed.text == "freeze node2" })
            else { return false }
            return kill.start < freeze.start && freeze.start < kill.end && kill.end < freeze.end
                && kill.duration > .milliseconds(350)
        }
    }

    private static let long = Schedule(
        (1...12).map { number in
            round(
                number, fault("link node3:eth0 down", for: 700),
                fault("partition node1 node4 | node2 node5 | node3", at: 40, for: 900))
        } + [
            round(
                13, fault("kill node1", for: 1270), fault("impair node4:eth0 loss 50%", at: 210),
                fault("freeze node2", at: 830, for: 1910), fault("stop node5/httpd", at: 1500))
        ])

    @Test(
        "two faults of four in the last of thirteen rounds, as short as they can be",
        arguments: [1, 3])
    func twoOfMany(jobs: Int) throws {
        #expect(overlaps(Self.long))
        let (result, runs) = try shrink(Self.long, jobs: jobs) {
            overlaps($0.schedule) ? .shows : .differs
        }
        #expect(overlaps(result.schedule))
        #expect(result.schedule.faults.map(\.deed.text) == ["kill node1", "freeze node2"])
        #expect(result.isCertain)
        #expect(result.runs == 1 + Shrinker.confirmations)
        #expect(result.schedule.faults.allSatisfy { $0.duration <= .seconds(1) })
        #expect(runs < 60)
    }

    @Test("nothing of the result can be left out, whatever the violation needs")
    func minimal() throws {
        for seed in 1...30 {
            let schedule = FiveNodes.schedule(seed: UInt64(seed), length: .seconds(15))
            let last = try #require(schedule.rounds.last)
            // It needs all kinds of the last round, wherever they are.
            let kinds = Set(last.faults.map(\.kind))
            func shows(_ schedule: Schedule) -> Bool {
                kinds.isSubset(of: schedule.faults.map(\.kind))
            }
            let (result, _) = try shrink(schedule, jobs: 2) {
                shows($0.schedule) ? .shows : .differs
            }
            #expect(shows(result.schedule))
            #expect(result.schedule.faults.count == kinds.count, "seed \(seed)")
            #expect(
                result.schedule.reductions.allSatisfy { !shows($0.schedule) }, "seed \(seed)")
        }
    }

    @Test("rounds that only together show it stay together")
    func severalRounds() throws {
        func shows(_ schedule: Schedule) -> Bool {
            let deeds = schedule.rounds.map { $0.faults.map(\.deed.text) }
            let first = deeds.firstIndex { $0.contains("kill node1") }
            let last = deeds.lastIndex { $0.contains("freeze node2") }
            return first.flatMap { first in last.map { first < $0 } } ?? false
        }
        let schedule = Schedule([
            round(1, fault("kill node1"), fault("link node3:eth0 down")),
            round(2, fault("kill node4")), round(3, fault("stop node5")),
            round(4, fault("freeze node2"), fault("link node3:eth0 down")),
        ])
        let (result, _) = try shrink(schedule) { shows($0.schedule) ? .shows : .differs }
        #expect(result.schedule.rounds.map(\.number) == [1, 4])
        #expect(result.schedule.faults.count == 2)
    }

    @Test("simpler faults take the place of intricate ones where they do the same")
    func simpler() throws {
        let schedule = Schedule([
            round(
                1,
                fault("impair node1:eth0 out delay 30ms 5ms loss 60% only vrrp seed 4", for: 900))
        ])
        let (result, _) = try shrink(schedule) { candidate in
            candidate.schedule.faults.contains { $0.claim == "node1:eth0" } ? .shows : .differs
        }
        #expect(result.schedule.faults.map(\.text) == ["link node1:eth0 down for 100ms"])
        let ring = Schedule([
            round(1, fault("partition node1 node2 | node2 node3 | node3 node4 | node4 node1"))
        ])
        let (cut, _) = try shrink(ring) { candidate in
            var faults = NetworkFaults()
            for case .fault(let fault) in candidate.schedule.faults.map(\.deed) {
                faults.apply(fault)
            }
            return faults.groups.contains { $0.contains("node1") && !$0.contains("node3") }
                && faults.groups.contains { $0.contains("node3") && !$0.contains("node1") }
                ? .shows : .differs
        }
        #expect(
            cut.schedule.faults.map(\.deed) == [.fault(.partition([["node1"], ["node3"]]))]
                || cut.schedule.faults.map(\.deed) == [.fault(.partition([["node3"], ["node1"]]))])
    }

    @Test("a violation that comes and goes is said to do so")
    func flaky() throws {
        var said = 0
        for seed in 1...20 {
            var dice = Dice(seed: UInt64(seed), round: 0)
            let (result, _) = try shrink(Self.long, jobs: 2) { candidate in
                overlaps(candidate.schedule) && dice.chance(percent: 50) ? .shows : .differs
            }
            #expect(overlaps(result.schedule))
            #expect(result.shown >= 1)
            if !result.isCertain { said += 1 }
        }
        #expect(said >= 10)
    }

    @Test("one that is never seen again is the first of which that is said")
    func never() throws {
        let (result, _) = try shrink(Self.long) { _ in .differs }
        #expect(result.schedule == Self.long)
        #expect(result == Shrinker.Result(schedule: Self.long, shown: 1, runs: 3))
    }

    @Test("of two smallest, the one that shows it every time is the result")
    func fluke() throws {
        let schedule = Schedule([round(1, fault("kill node1"), fault("kill node2"))])
        var hasFluke = false
        let (result, _) = try shrink(schedule) { candidate in
            if candidate.schedule.faults.count == 2 { return .shows }
            // A single fault shows it once, and never again.
            defer { hasFluke = true }
            return hasFluke ? .differs : .shows
        }
        #expect(result.schedule.faults.count == 2)
        #expect(result.isCertain)
    }

    @Test("what nothing can be said of is run again, and given up in the end")
    func inconclusive() throws {
        var seen: [Schedule: Int] = [:]
        let (result, _) = try shrink(Self.long, jobs: 2) { candidate in
            seen[candidate.schedule, default: 0] += 1
            if seen[candidate.schedule] == 1 { return .inconclusive }
            return overlaps(candidate.schedule) ? .shows : .differs
        }
        #expect(result.schedule.faults.count == 2)
        let (never, runs) = try shrink(Self.long) { _ in .inconclusive }
        #expect(never.schedule == Self.long)
        #expect(runs < 200)
    }
}
