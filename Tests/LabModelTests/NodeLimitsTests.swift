import NetworkTypes
import Testing

@testable import LabModel

@Suite("What a node has at most, in words and in force")
struct NodeLimitsTests {
    private func read(_ text: String) throws(NodeLimitsError) -> NodeLimits {
        try NodeLimits(words: text.split(separator: " ").map(String.init))
    }

    @Test(
        "words are read, in any order, and written again in one",
        arguments: [
            ("cpu 20%", "cpu 20%"), ("cpus 0.2", "cpu 20%"), ("cpu 12.5%", "cpu 12.5%"),
            ("cpus 1.5", "cpu 150%"), ("cpu 1%", "cpu 1%"),
            ("memory 64MiB", "memory 64MiB"), ("memory 64m", "memory 64MiB"),
            ("memory 1.5g", "memory 1536MiB"), ("memory 7000001B", "memory 7000001B"),
            ("disk full", "disk full"), ("disk 10MiB left", "disk 10MiB left"),
            ("disk 4k", "disk 4KiB left"), ("pids 50", "pids 50"),
            (
                "pids 50 disk full cpu 5% memory 8MiB",
                "cpu 5% memory 8MiB disk full pids 50"
            ),
            ("memory none cpu 5%", "cpu 5% memory none"), ("none", "none"),
            ("cpu none memory none disk none pids none", "none"),
        ])
    func words(text: String, canonical: String) throws {
        let limits = try read(text)
        #expect(limits.description == canonical)
        #expect(NodeLimits.parse(canonical) == limits)
    }

    @Test(
        "what is wrong is said with what would be right",
        arguments: [
            ("", "nothing would be limited: give cpu, memory, disk, pids or none"),
            ("cpuu 20%", "unknown word 'cpuu'; did you mean 'cpu'?"),
            ("cpu", "'cpu' lacks its value"), ("cpu 20", "'20' after 'cpu' is no share, as 20% is"),
            ("cpu 0.5%", "'0.5%' after 'cpu' is less than 1% of a processor"),
            ("cpu 9999999999999%", "'9999999999999%' after 'cpu' is more than 1000 processors"),
            ("cpu -1%", "'-1%' after 'cpu' is no share, as 20% is"),
            ("cpus 20%", "'20%' after 'cpus' is no number of processors, as 0.2 is"),
            ("cpu 20% cpus 0.2", "'cpu' is there twice"),
            ("memory 64", "'64' after 'memory' is no size, as 64MiB is"),
            ("memory 1MiB", "'1MiB' after 'memory' is less than 6MiB"),
            ("disk empty", "'empty' after 'disk' is no size, as 64MiB is, nor 'full'"),
            ("disk 0B", "'0B' after 'disk' is no size, as 64MiB is, nor 'full'"),
            ("pids 0", "'0' after 'pids' is no whole number from 1"),
            ("none cpu 20%", "'none' stands beside something"),
            ("cpu 20% none", "'none' stands beside something"),
            ("memory 9999999g", "'9999999g' after 'memory' is no size, as 64MiB is"),
        ])
    func mistakes(text: String, message: String) {
        #expect(throws: NodeLimitsError(description: message)) { try read(text) }
    }

    @Test("limits of different resources add up, one of the same takes the other's place")
    func composition() throws {
        var faults = NetworkFaults()
        func limit(_ text: String) throws { faults.apply(.limit("a", try read(text))) }
        try limit("cpu 20% disk full")
        try limit("memory 64MiB")
        #expect(faults.faults.map(\.description) == ["limit a cpu 20% memory 64MiB disk full"])
        try limit("cpu 50%")
        #expect(faults.limits["a"]?[.cpu] == 500)
        #expect(faults.fault(of: "a") == "cpu 50% memory 64MiB disk full")
        #expect(faults.fault(of: "b") == nil)
        try limit("disk none pids none")
        #expect(faults.limits["a"]?.limited == [.cpu, .memory])
        #expect(!faults.isSound)
        try limit("none")
        #expect(faults.isSound && faults.faults.isEmpty)
    }

    @Test("what takes limits back names the same resources, and nothing else")
    func ending() throws {
        let first = Fault.limit("a", try read("cpu 20%"))
        var faults = NetworkFaults([first, .limit("a", try read("disk full"))])
        #expect(faults.holds(first))
        let ending = try #require(first.ending)
        #expect(ending.description == "limit a cpu none")
        #expect(ending.ending == nil)
        faults.apply(ending)
        #expect(!faults.holds(first))
        #expect(faults.faults.map(\.description) == ["limit a disk full"])
        faults.apply(.limit("a", try read("cpu 30%")))
        #expect(!faults.holds(first), "another has taken its place")
        faults.apply(.heal(nil))
        #expect(faults.isSound)
    }

    @Test("a clock that is off stays so until another start, whatever is healed")
    func clocks() {
        let service = Target(node: "a", service: "web")
        var faults = NetworkFaults([.clock(service, ClockOffset(.seconds(3600)))])
        faults.apply(.heal(nil))
        #expect(faults.faults.map(\.description) == ["clock a/web +1h"])
        #expect(faults.fault(of: "a") == "web clock +1h")
        faults.apply(.clock(service, .none))
        #expect(faults.isSound)
    }

    @Test(
        "offsets of clocks",
        arguments: [
            ("+1h", "+1h"), ("1h", "+1h"), ("-30m", "-30m"), ("+90m", "+90m"), ("-1.5s", "-1500ms"),
            ("+120s", "+2m"), ("none", "none"),
        ])
    func offsets(text: String, canonical: String) throws {
        let offset = try #require(ClockOffset.parse(text))
        #expect(offset.description == canonical)
        #expect(ClockOffset.parse(canonical) == offset)
    }

    @Test("what is no offset", arguments: ["", "+", "-", "0s", "+0h", "--1s", "+1", "1 h", "soon"])
    func noOffset(text: String) { #expect(ClockOffset.parse(text) == nil) }

    @Test("what verbs cannot be given is said")
    func options() {
        let (node, service) = (Target(node: "a"), Target(node: "a", service: "web"))
        let time = ControlOptions(lasting: .seconds(1))
        let clock = ControlOptions(clock: ClockOffset(.seconds(1)))
        for verb in ControlVerb.allCases {
            #expect(verb.problem(with: ControlOptions(), on: node) == nil)
            let canEnd = [.stop, .kill, .freeze].contains(verb)
            #expect((verb.problem(with: time, on: node) == nil) == canEnd)
            #expect((verb.problem(with: time, on: service) == nil) == canEnd)
            let canStart = [.start, .restart].contains(verb)
            #expect((verb.problem(with: clock, on: service) == nil) == canStart)
            #expect(verb.problem(with: clock, on: node) != nil)
        }
        #expect(
            ControlVerb.restart.problem(with: clock, on: node)
                == "the clock is a service's: name one, as a/SERVICE")
    }
}
