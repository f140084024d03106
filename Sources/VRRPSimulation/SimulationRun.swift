import NetworkTypes
import VRRP

/// One simulated run: virtual routers on a network that breaks, as a function of a seed.
public struct SimulationRun: Sendable {
    /// What chose everything.
    public let seed: UInt64
    /// What did the seed leave open.
    public let options: SimulationOptions
    /// What went on in it.
    public let statistics: SimulationStatistics
    /// What was wrong, nil when nothing was.
    public let trace: Trace?

    /// Runs it; when something is wrong, a second time to write down how that came about.
    public init(seed: UInt64, options: SimulationOptions = SimulationOptions()) {
        self.seed = seed
        self.options = options
        var simulation = Simulation(seed: seed, options: options)
        simulation.run()
        statistics = simulation.statistics
        trace = simulation.violation.map { violation in
            var replay = Simulation(seed: seed, options: options)
            replay.recorder = Recorder(
                start: Self.traceStart(violation, simulation.plan),
                virtualRouters: replay.plan.units[
                    replay.plan.virtualRouters[violation.virtualRouter].unit
                ].virtualRouters, suspects: violation.suspects)
            replay.run()
            return Trace(replay, violation, replay: Self.command(seed: seed, options))
        }
    }

    /// As far back as what is wrong can have its reason: twice the time convergence takes.
    private static func traceStart(_ violation: Violation, _ plan: Plan) -> MonotonicInstant {
        let unit = plan.virtualRouters[violation.virtualRouter].unit
        let bound = plan.convergenceBound(unit: unit, dialect: 0)
        return violation.instant.advanced(byNanoseconds: -2 * bound)
    }

    /// The command that runs this again.
    static func command(seed: UInt64, _ options: SimulationOptions) -> String {
        var command = "scripts/simulate --seed \(seed)"
        command += " --routers \(options.routers.lowerBound)-\(options.routers.upperBound)"
        command += " --virtual-routers \(options.virtualRouters.lowerBound)"
        command += "-\(options.virtualRouters.upperBound)"
        command += " --duration \(options.duration.components.seconds)"
        if !options.usesCodec { command += " --without-codec" }
        if let bug = options.plantedBug { command += " --plant \(bug.rawValue)" }
        let watched = Invariant.allCases.filter(options.invariants.contains)
        if watched.count < Invariant.allCases.count {
            for invariant in watched { command += " --watch \(invariant)" }
        }
        return command
    }
}
