import FoundationEssentials
import Glibc
import LabKit
import LabModel
import LinuxSystem
import NetworkTypes
import Testing

/// A server with the toy backends and a client, on IPv4 and IPv6.
private let serverAndClient = """
    networks: { lan: { subnets: [10.40.0.0/24, "2001:db8:40::/64"] } }
    nodes:
      server:
        interfaces: { eth0: { network: lan, addresses: [10.40.0.1, "2001:db8:40::1"] } }
        files: { /var/www/html/index.html: { text: "hello\\n" } }
        services: { web: { kind: http }, echo: { kind: echo } }
      client:
        interfaces: { eth0: { network: lan, addresses: [10.40.0.2, "2001:db8:40::2"] } }
    """

/// Every kind of probe, under names: those of IPv6 end with 6.
private let everyProbe: [(name: String, question: String)] = [
    ("web", #"http: "http://10.40.0.1/""#), ("web6", #"http: "http://[2001:db8:40::1]/""#),
    ("tcp", #"tcp: "10.40.0.1:7""#), ("tcp6", #"tcp: "[2001:db8:40::1]:7""#),
    ("udp", #"udp: "10.40.0.1:7""#), ("udp6", #"udp: "[2001:db8:40::1]:7""#),
    ("ping", "ping: 10.40.0.1"), ("ping6", #"ping: "2001:db8:40::1""#),
    ("arp", "arp: 10.40.0.1"), ("arp6", #"arp: "2001:db8:40::1""#),
    ("open-web", #"http: "http://10.40.0.1/", keep: open"#),
    ("open-tcp6", #"tcp: "[2001:db8:40::1]:7", keep: open"#),
]

/// A scenario with those probes.
private func scenario(
    _ name: String, probes: [(name: String, question: String)] = [], every: String = "10ms",
    timeout: String = "500ms", steps: [String]
) -> String {
    let lines = probes.map {
        "      \($0.name): { from: client, \($0.question), every: \(every), timeout: \(timeout) }\n"
    }
    return "  \(name):\n"
        + (lines.isEmpty ? "" : "    probes:\n" + lines.joined())
        + "    steps:\n" + steps.map { "      - \($0)\n" }.joined()
}

extension LabUnderTest {
    /// Runs a scenario of its file while it is up.
    fileprivate func run(_ scenario: String) throws -> ScenarioOutcome {
        var reports: [StepReport] = []
        let outcome = try LabClient(LabDirectory(name)).run(scenario: scenario) {
            reports.append($0)
        }
        #expect(outcome.verdict == .passed, "\(scenario): \(outcome.message)")
        return outcome
    }

    /// The results of its probes so far, by name, in the order in which they were due.
    fileprivate func results() throws -> [String: [(due: MonotonicInstant, result: TimelineEvent)]]
    {
        let run = try Labctl.run("events", "-l", name, "--kind", "probe", "--format", "json")
        try #require(run.status == 0, "\(run.errors)")
        var results: [String: [(due: MonotonicInstant, result: TimelineEvent)]] = [:]
        for line in run.output.split(separator: "\n") {
            let event = try JSONDecoder().decode(TimelineEvent.self, from: Data(line.utf8))
            guard case .probe(let result) = event.kind, let probe = result.probe else { continue }
            results[probe, default: []].append((result.due, event))
        }
        return results.mapValues { $0.sorted { $0.due < $1.due } }
    }
}

extension TimelineEvent {
    /// What became of a probe's request.
    fileprivate var outcome: ProbeResult.Outcome? {
        if case .probe(let result) = kind { result.outcome } else { nil }
    }
}

@Suite("Probes", .enabled(if: buildsLabs, "needs root"))
struct ProbeTests {
    @Test("of every kind, in both families, many at once: each is answered every time")
    func everyKind() throws {
        let lab = try LabUnderTest(
            "probe-kinds",
            serverAndClient + "\nscenarios:\n"
                + scenario("all", probes: everyProbe, timeout: "5s", steps: ["wait: 1s"]))
        try lab.up()
        _ = try lab.run("all")
        // Those that were under way at the end still end.
        var results: [String: [(due: MonotonicInstant, result: TimelineEvent)]] = [:]
        try eventually("all are answered") {
            results = try lab.results()
            return everyProbe.allSatisfy { (results[$0.name] ?? []).count >= 95 }
        }
        for probe in everyProbe {
            let seen = results[probe.name] ?? []
            let failures = seen.filter { $0.result.outcome?.isSuccess != true }
            #expect(failures.isEmpty, "\(probe.name): \(failures)")
        }
        #expect(results["web"]?.first?.result.outcome == .answered(status: 200, body: "hello\n"))
        try lab.down()
    }

    @Test("every millisecond, by the clock: a server that stands still owes every request of it")
    func everyMillisecond() throws {
        let probes = everyProbe.filter { ["udp", "ping6", "open-tcp6"].contains($0.name) }
        let lab = try LabUnderTest(
            "probe-fast",
            serverAndClient + "\nscenarios:\n"
                + scenario(
                    "frozen", probes: probes, every: "1ms", timeout: "100ms",
                    steps: [
                        "wait: 300ms", "freeze: server", "wait: 500ms", "thaw: server",
                        "wait: 300ms",
                    ]))
        try lab.up()
        _ = try lab.run("frozen")
        let results = try lab.results()
        for probe in probes {
            let seen = results[probe.name] ?? []
            #expect(seen.count >= 1000, "\(probe.name): \(seen.count)")
            let steps = zip(seen.dropFirst(), seen).map { $0.due - $1.due }
            #expect(steps.allSatisfy { $0 == .milliseconds(1) }, "\(probe.name)")
            let lost = seen.filter { $0.result.outcome?.isSuccess != true }.count
            if probe.name == "ping6" {
                #expect(lost == 0, "its kernel answers all the same")
            } else {
                #expect(lost >= 300, "\(probe.name): \(lost)")
            }
        }
        try lab.down()
    }

    @Test("refused, timed out and unreachable are told apart, in both families")
    func outcomes() throws {
        func expectation(_ question: String, _ outcome: String) -> String {
            "expect: { \(question), from: client, outcome: \(outcome) }"
        }
        let lab = try LabUnderTest(
            "probe-outcomes",
            serverAndClient + "\nscenarios:\n"
                + scenario(
                    "outcomes",
                    steps: everyProbe.filter { !$0.name.hasPrefix("open") }.map {
                        expectation($0.question, "ok")
                    } + [
                        expectation(#"http: "http://10.40.0.1:9/""#, "refused"),
                        expectation(#"tcp: "10.40.0.1:9""#, "refused"),
                        expectation(#"tcp: "[2001:db8:40::1]:9""#, "refused"),
                        expectation(#"udp: "10.40.0.1:9""#, "refused"),
                        expectation(#"udp: "[2001:db8:40::1]:9""#, "refused"),
                        expectation("ping: 10.40.0.9", "timed-out"),
                        expectation("arp: 10.40.0.9", "timed-out"),
                        expectation(#"arp: "2001:db8:40::9""#, "timed-out"),
                        expectation("ping: 192.0.2.1", "unreachable"),
                        expectation(#"udp: "192.0.2.1:7""#, "unreachable"),
                        expectation(#"tcp: "[2001:db8::1]:7""#, "unreachable"),
                        expectation("arp: 192.0.2.1", "unreachable"),
                    ]))
        try lab.up()
        _ = try lab.run("outcomes")
        try lab.down()
    }

    @Test(
        "a connection that is kept open outlives a cut, and is made again when its server is killed"
    )
    func keptOpen() throws {
        let probes = everyProbe.filter { $0.name.hasPrefix("open") }
        let count = """
            exec: { on: server, output: "2", \
            command: [sh, -c, "ss -Htn state established | wc -l"] }
            """
        let lab = try LabUnderTest(
            "probe-open",
            serverAndClient + "\nscenarios:\n"
                + scenario(
                    "cut", probes: probes,
                    steps: [
                        "wait: 300ms", "link: { port: \"client:eth0\", state: blackhole }",
                        count,
                        "wait: 300ms", "heal: all", "wait: 1500ms",
                        count,
                    ])
                + scenario(
                    "killed", probes: probes,
                    steps: [
                        "wait: 300ms", "parallel: [ kill: server/web, kill: server/echo ]",
                        "wait: 300ms", "parallel: [ start: server/web, start: server/echo ]",
                        "wait: 300ms",
                    ]))
        try lab.up()
        _ = try lab.run("cut")
        for (name, seen) in try lab.results() {
            #expect(seen.first?.result.outcome?.isSuccess == true, "\(name)")
            #expect(seen.last?.result.outcome?.isSuccess == true, "\(name)")
        }
        _ = try lab.run("killed")
        for (name, seen) in try lab.results() {
            let outcomes = seen.suffix(90).map(\.result.outcome)
            #expect(outcomes.last??.isSuccess == true, "\(name)")
            #expect(
                outcomes.contains(.failed("connection refused")),
                "\(name): while its server is down, every request tries anew")
        }
        try lab.down()
    }

    @Test("a node that is killed takes its probes along; back, it goes on asking")
    func killedClient() throws {
        let lab = try LabUnderTest(
            "probe-killed",
            serverAndClient + "\nscenarios:\n"
                + scenario(
                    "power", probes: everyProbe,
                    steps: [
                        "wait: 200ms", "kill: client", "wait: 200ms", "start: client",
                        "wait: 500ms",
                    ]))
        try lab.up()
        _ = try lab.run("power")
        for (name, seen) in try lab.results() {
            let reasons = Set(
                seen.compactMap { seen -> String? in
                    guard case .failed(let reason)? = seen.result.outcome else { return nil }
                    return reason
                })
            #expect(reasons.contains("node client is not running"), "\(name): \(reasons)")
            #expect(seen.last?.result.outcome?.isSuccess == true, "\(name)")
        }
        try lab.down()
    }

    @Test(
        "requests that are given up with their node, and their probe, leave nothing that comes due")
    func givenUp() throws {
        let lab = try LabUnderTest(
            "probe-given-up",
            serverAndClient + "\nscenarios:\n"
                + scenario(
                    "cut-off", probes: everyProbe,
                    steps: [
                        "wait: 100ms", "link: { port: \"server:eth0\", state: blackhole }",
                        "wait: 200ms", "kill: client",
                    ])
                + scenario("afterwards", steps: ["wait: 1s", "start: client", "heal: all"]))
        try lab.up()
        _ = try lab.run("cut-off")
        for (name, seen) in try lab.results() {
            #expect(
                seen.contains { $0.result.outcome == .failed("node client was killed") }, "\(name)")
        }
        _ = try lab.run("afterwards")
        try lab.down()
    }
}
