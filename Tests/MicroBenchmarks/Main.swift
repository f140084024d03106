import Glibc

/// Prints what the pure modules' work costs, a line of tab-separated fields for each operation:
/// `scripts/bench micro` makes a table of them.
@main
struct MicroBenchmarks {
    static func main() throws {
        let words = CommandLine.arguments
        guard words.count >= 2 else {
            print("usage: MicroBenchmarks REPOSITORY [PART-OF-A-NAME]")
            exit(2)
        }
        let repository = words[1]
        var meter = Meter(wanted: words.count > 2 ? words[2] : "")
        try measureCodec(&meter)
        try measureStateMachine(&meter)
        try measureTexts(&meter, repository)
        try measureTimeline(&meter, repository)
        measureSimulation(&meter)
        measureWire(&meter)
        for cost in meter.costs {
            print(cost.name, cost.median, cost.lowest, cost.allocations, separator: "\t")
        }
    }
}
