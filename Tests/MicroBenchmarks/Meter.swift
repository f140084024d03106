import CAllocations
import Glibc

/// Measures what one operation costs.
struct Meter {
    /// What an operation has cost.
    struct Cost {
        var name: String
        /// Processor time, nanoseconds: half of the batches took more.
        var median: Double
        /// The same of the best batch.
        var lowest: Double
        /// How often memory was asked for.
        var allocations: Double
    }

    private(set) var costs: [Cost] = []
    /// Only operations whose name contains it are measured.
    let wanted: String
    private static let batches = 21
    private static let batchNanoseconds = 20_000_000.0

    init(wanted: String) { self.wanted = wanted }

    /// Measures an operation.
    ///
    /// - Parameters:
    ///   - operations: how many one call counts for.
    ///   - body: what is done; what it returns is used, so that nothing is left out.
    mutating func measure<Result>(
        _ name: String, operations: Int = 1, _ body: () throws -> Result
    ) rethrows {
        guard wanted.isEmpty || name.contains(wanted) else { return }
        var calls = 1
        while true {
            let taken = try Self.time(calls, body)
            if taken >= Self.batchNanoseconds / 4 {
                calls = max(1, Int(Double(calls) * Self.batchNanoseconds / taken))
                break
            }
            calls *= 4
        }
        let before = allocation_count()
        _ = try Self.time(calls, body)
        let asked = Double(allocation_count() - before) / Double(calls * operations)
        let times = try (0..<Self.batches).map { _ in
            try Self.time(calls, body) / Double(calls * operations)
        }.sorted()
        costs.append(
            Cost(
                name: name, median: times[Self.batches / 2], lowest: times[0], allocations: asked))
    }

    /// Processor time, which means the same on a busy machine.
    private static func time<Result>(_ calls: Int, _ body: () throws -> Result) rethrows -> Double {
        let begin = processorTime
        for _ in 0..<calls { blackHole(try body()) }
        return processorTime - begin
    }

    private static var processorTime: Double {
        var spent = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent)
        return Double(spent.tv_sec) * 1e9 + Double(spent.tv_nsec)
    }
}

/// Takes a value that the optimizer would else not compute.
@inline(never) func blackHole<Value>(_: Value) {}
