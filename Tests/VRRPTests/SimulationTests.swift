import Testing
import VRRPSimulation

/// Many routers on a network that breaks, seed by seed; `scripts/simulate` runs many more, for
/// longer. A failure prints what led to it and the command that runs it again.
@Suite("Simulation")
struct SimulationTests {
    private func expectNoViolation(_ run: SimulationRun) {
        if let trace = run.trace { Issue.record("\(trace)") }
    }

    // RFC-CHECKLIST: 11, 39, 40, 41, 42, 43, 53, 54, 62, 66
    @Test("two to five routers, two virtual routers: 200 seeds", arguments: 0..<8)
    func smallNetworks(block: Int) {
        var statistics = SimulationStatistics()
        for seed in 1...25 {
            let run = SimulationRun(
                seed: UInt64(25 * block + seed),
                options: SimulationOptions(duration: .seconds(20)))
            expectNoViolation(run)
            statistics += run.statistics
        }
        // Something did happen.
        #expect(statistics.takeovers > 100 && statistics.convergences > 100)
    }

    @Test("fifty routers", arguments: 1...2)
    func largeNetworks(seed: UInt64) {
        let run = SimulationRun(
            seed: seed,
            options: SimulationOptions(
                routers: 50...50, virtualRouters: 3...3, duration: .seconds(15)))
        expectNoViolation(run)
        #expect(run.statistics.protocolEvents > 500)
    }

    @Test("the same seed is the same run, and another one is another")
    func replays() {
        let options = SimulationOptions(duration: .seconds(20))
        let run = SimulationRun(seed: 7, options: options)
        #expect(SimulationRun(seed: 7, options: options).statistics == run.statistics)
        #expect(SimulationRun(seed: 8, options: options).statistics != run.statistics)
    }

    @Test("advertisements as values instead of octets elect the same")
    func withoutCodec() {
        for seed in 1...10 {
            expectNoViolation(
                SimulationRun(
                    seed: UInt64(seed),
                    options: SimulationOptions(duration: .seconds(30), usesCodec: false)))
        }
    }
}

/// The proof that the invariants have teeth: every bug that is put into the routers is noticed, and
/// by an invariant that says what it is.
@Suite("Simulation, planted bugs")
struct PlantedBugTests {
    /// Every bug shows within so many seeds.
    static let mostSeeds: UInt64 = 100

    private func options(_ bug: PlantedBug) -> SimulationOptions {
        SimulationOptions(duration: .seconds(30), plantedBug: bug)
    }

    private func firstTrace(_ bug: PlantedBug) -> (seed: UInt64, trace: Trace)? {
        for seed in 1...Self.mostSeeds {
            let run = SimulationRun(seed: seed, options: options(bug))
            if let trace = run.trace { return (seed, trace) }
        }
        return nil
    }

    @Test("each is found, by the invariant it violates", arguments: PlantedBug.allCases)
    func isFound(bug: PlantedBug) throws {
        let (seed, trace) = try #require(
            firstTrace(bug), "not found within \(Self.mostSeeds) seeds")
        #expect(bug.caughtBy.contains(trace.violation.invariant), "\(trace)")
        let text = trace.description
        #expect(text.contains("violated: \(trace.violation.invariant.rawValue)"))
        #expect(text.contains("scripts/simulate --seed \(seed) "))
        #expect(text.contains("--plant \(bug.rawValue)"))
        // What led to it: what machines said and became, up to the moment itself.
        #expect(text.contains("──► "))
        #expect(text.split(separator: "\n").last?.contains("!!!") == true)
        // And the seed runs again to the same end, to the letter.
        let again = SimulationRun(seed: seed, options: options(bug))
        #expect(again.trace?.description == text)
    }

    /// For each invariant a bug that it notices when nothing else is watched.
    static let provenBy: [Invariant: PlantedBug] = [
        .oneMaster: .ignoresTies, .bestMaster: .restartsTimerOnLower,
        .ownedAddresses: .neverResigns, .stability: .losesHeart, .causedTransitions: .hurries,
        .refusedWithoutEffect: .restartsTimerOnRefused, .futureDeadlines: .missesTimers,
        .rightTimers: .preemptsAtOnce, .rightPriority: .ignoresWeights,
        .groupsAgree: .ignoresGroup, .reportedOwners: .concealsOwners,
        .servedDeadlines: .oversleeps, .addressesFollowState: .keepsAddresses,
        .onlyMastersSpeak: .speaksAsBackup,
    ]

    @Test("each invariant can fail by itself", arguments: Invariant.allCases)
    func hasTeeth(invariant: Invariant) throws {
        let bug = try #require(Self.provenBy[invariant], "no bug shows that this can fail")
        let found = (1...Self.mostSeeds).contains { seed in
            var options = options(bug)
            options.invariants = [invariant]
            return SimulationRun(seed: seed, options: options).trace != nil
        }
        #expect(found, "\(bug) is not noticed within \(Self.mostSeeds) seeds")
    }
}
