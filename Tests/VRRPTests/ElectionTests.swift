import NetworkTypes
import Testing
import VRRP

/// Two to five routers on a LAN that loses packets and falls apart: whatever happens, once it works
/// again there is one master, within the time the protocol's own timers allow.
///
/// A failure names its seed; `SimulatedLAN(... seed:)` replays it.
@Suite("Election")
struct ElectionTests {
    private func distinctPriorities(_ generator: inout SeededGenerator) -> [UInt8] {
        Array(
            (1...254).map(UInt8.init).shuffled(using: &generator).prefix(
                .random(in: 2...5, using: &generator)))
    }

    private func startAll(_ lan: inout SimulatedLAN) {
        for router in lan.routers.indices { lan.deliver(.startup, to: router) }
    }

    @Test("one master, and it is the one of highest priority", arguments: 1...50)
    func highestPriorityWins(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let priorities = distinctPriorities(&generator)
        var lan = SimulatedLAN(priorities: priorities, seed: UInt64(seed))
        let best = priorities.indices.max { priorities[$0] < priorities[$1] }
        startAll(&lan)
        lan.run(for: lan.convergenceBound)
        #expect(lan.masters.first == best && lan.masters.count == 1, "seed \(seed)")

        // It resigns: the next takes over within its skew, less than a second, and alone.
        let first = lan.masters[0]
        lan.deliver(.shutdown, to: first)
        lan.run(for: .seconds(1) + .milliseconds(5))
        let rest = priorities.indices.filter { $0 != first }
        let second = rest.max { priorities[$0] < priorities[$1] }
        #expect(lan.masters.first == second && lan.masters.count == 1, "seed \(seed)")

        // It comes back and preempts.
        lan.deliver(.startup, to: first)
        lan.run(for: lan.convergenceBound)
        #expect(lan.masters == [first], "seed \(seed)")
        #expect(lan.holders == [first], "seed \(seed)")
    }

    @Test("equal priorities, all started at once: one master, and it stays", arguments: 1...50)
    func equalPriorities(seed: Int) {
        var lan = SimulatedLAN(
            priorities: .init(repeating: 100, count: 2 + seed % 4), seed: UInt64(seed))
        startAll(&lan)
        lan.run(for: lan.convergenceBound)
        #expect(lan.masters.count == 1, "seed \(seed)")
        let master = lan.masters
        lan.run(for: .seconds(30))
        #expect(lan.masters == master && lan.holders == Set(master), "seed \(seed)")
    }

    @Test("loss and partitions: one master again in time, the best one", arguments: 1...50)
    func recoversFromPartition(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed) &* 7919)
        let priorities = distinctPriorities(&generator)
        var lan = SimulatedLAN(priorities: priorities, seed: UInt64(seed))
        startAll(&lan)
        for _ in 0..<3 {
            lan.lossPercent = .random(in: 0...60, using: &generator)
            lan.divide(into: priorities.map { _ in .random(in: 0...1, using: &generator) })
            lan.run(for: .milliseconds(Int.random(in: 100...9000, using: &generator)))
            lan.lossPercent = 0
            // Divided, but without loss: one master in each part.
            lan.run(for: lan.convergenceBound)
            let parts = Set(lan.part)
            #expect(Set(lan.masters.map { lan.part[$0] }) == parts, "seed \(seed)")
            #expect(lan.masters.count == parts.count, "seed \(seed)")
            lan.heal()
            lan.run(for: lan.convergenceBound)
            let best = priorities.indices.max { priorities[$0] < priorities[$1] }
            #expect(lan.masters.count == 1 && lan.masters.first == best, "seed \(seed)")
            #expect(lan.holders == Set(lan.masters), "seed \(seed)")
        }
    }

    @Test(
        "nopreempt: after any of that there is one master, and a returning router waits",
        arguments: 1...20)
    func withoutPreemption(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed) &* 104_729)
        let priorities = distinctPriorities(&generator)
        var lan = SimulatedLAN(priorities: priorities, preempts: false, seed: UInt64(seed))
        startAll(&lan)
        lan.run(for: lan.convergenceBound)
        let first = lan.masters
        #expect(first.count == 1, "seed \(seed)")
        lan.deliver(.shutdown, to: first[0])
        lan.run(for: lan.convergenceBound)
        let second = lan.masters
        #expect(second.count == 1 && second != first, "seed \(seed)")
        lan.deliver(.startup, to: first[0])
        lan.run(for: .seconds(30))
        #expect(lan.masters == second, "seed \(seed)")
    }

    @Test("without loss a master is never joined by a second one", arguments: 1...20)
    func neverTwoMasters(seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed) &* 31)
        // Skews that differ by more than a packet's delay.
        let priorities = (0..<4).map { UInt8(50 * $0 + 50) }.shuffled(using: &generator)
        var lan = SimulatedLAN(priorities: priorities, seed: UInt64(seed))
        startAll(&lan)
        lan.run(for: .seconds(20))
        #expect(lan.masters.count == 1 && lan.mostMasters == 1, "seed \(seed)")
    }
}
