import ArgumentParser
import Glibc
import VRRPSimulation

/// Runs simulations, one for each seed, and says what was wrong with the first that failed.
@main
struct Simulator: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Run virtual routers on a network that breaks, and watch the invariants.",
        discussion: """
            Everything follows from the seed and the options: the same ones give the same run, to \
            the nanosecond. Ends with status 1 when an invariant does not hold, and prints how it \
            came to that.
            """)

    @Option(help: "Run this seed alone.")
    var seed: UInt64?
    @Option(help: "How many seeds to run.")
    var seeds = 100
    @Option(help: "The first of them.")
    var firstSeed: UInt64 = 1
    @Option(help: "Machines on the network: a number or a range, such as 2-50.")
    var routers = Range(2...50)
    @Option(help: "Virtual routers they share: a number or a range.")
    var virtualRouters = Range(1...4)
    @Option(help: "How long each run is, in simulated minutes.")
    var minutes = 10
    @Option(help: "The same in seconds, instead.")
    var duration: Int?
    @Flag(help: "Pass advertisements as values, not as octets.")
    var withoutCodec = false
    @Option(
        help: "Give every router a bug that must be found: \(Self.bugs).", transform: Self.bug)
    var plant: PlantedBug?

    @Option(
        help: "Watch this invariant and those named likewise, instead of all: \(Self.invariants).",
        transform: Self.invariant)
    var watch: [Invariant] = []

    private static let bugs = PlantedBug.allCases.map(\.rawValue).joined(separator: ", ")

    private static func bug(_ name: String) throws -> PlantedBug {
        guard let bug = PlantedBug(rawValue: name) else {
            throw ValidationError("\(name) is none of \(bugs)")
        }
        return bug
    }

    private static let invariants = Invariant.allCases.map { "\($0)" }.joined(separator: ", ")

    private static func invariant(_ name: String) throws -> Invariant {
        guard let invariant = Invariant.allCases.first(where: { "\($0)" == name }) else {
            throw ValidationError("\(name) is none of \(invariants)")
        }
        return invariant
    }

    func validate() throws {
        guard 2 <= routers.bounds.lowerBound, routers.bounds.upperBound <= 50 else {
            throw ValidationError("--routers is 2 to 50")
        }
        guard 1 <= virtualRouters.bounds.lowerBound, virtualRouters.bounds.upperBound <= 16 else {
            throw ValidationError("--virtual-routers is 1 to 16")
        }
        guard (duration ?? minutes * 60) > 0, seeds > 0 else {
            throw ValidationError("nothing to run")
        }
    }

    func run() throws {
        let options = SimulationOptions(
            routers: routers.bounds, virtualRouters: virtualRouters.bounds,
            duration: .seconds(duration ?? minutes * 60), usesCodec: !withoutCodec,
            plantedBug: plant, invariants: Set(watch.isEmpty ? Invariant.allCases : watch))
        let first = seed ?? firstSeed
        let count = seed == nil ? seeds : 1
        var statistics = SimulationStatistics()
        for offset in 0..<UInt64(count) {
            let run = SimulationRun(seed: first &+ offset, options: options)
            statistics += run.statistics
            if let trace = run.trace {
                print(trace)
                throw ExitCode.failure
            }
        }
        report(statistics, seeds: count)
    }

    private func report(_ statistics: SimulationStatistics, seeds: Int) {
        // Processor time, so that the figure means the same on a busy machine.
        var spent = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent)
        let seconds = Double(spent.tv_sec) + Double(spent.tv_nsec) / 1e9
        print(
            """
            \(seeds) seeds, nothing violated: \(statistics.protocolEvents) protocol events, \
            \(statistics.disturbances) disturbances, \(statistics.takeovers) takeovers, \
            \(statistics.refusals) forged packets refused, \(statistics.convergences) times \
            converged in time
            \(Int(Double(statistics.protocolEvents) / seconds)) protocol events a second of processor \
            time
            """)
    }
}

/// A number or a range of numbers on the command line: 5 or 2-50.
struct Range: ExpressibleByArgument {
    var bounds: ClosedRange<Int>

    init(_ bounds: ClosedRange<Int>) { self.bounds = bounds }

    init?(argument: String) {
        let numbers = argument.split(separator: "-", omittingEmptySubsequences: false).map {
            Int($0)
        }
        guard (1...2).contains(numbers.count), let first = numbers[0],
            let last = numbers[numbers.count - 1], first <= last
        else { return nil }
        bounds = first...last
    }

    var defaultValueDescription: String { "\(bounds.lowerBound)-\(bounds.upperBound)" }
}
