import FoundationEssentials
import Glibc
import LabModel
import LinuxSystem
import NetworkTypes
import Testing

@Suite("Seven ways to fail a master", .enabled(if: geteuid() == 0, "needs root"))
struct WaysToFailTests {
    /// How long the client is without the service, by scenario. The backup's skew is 648 ms, its
    /// Master_Down_Interval 3648 ms, and the fault comes 300 ms after an advertisement; a script
    /// notices at its second check, one of every second.
    private static let outages: [String: ClosedRange<Duration>] = [
        "daemon-stopped": .milliseconds(600)...(.seconds(1)),
        "daemon-killed": .zero...(.milliseconds(600)),
        "node-killed": .milliseconds(3250)...(.seconds(4)),
        "node-frozen": .milliseconds(3250)...(.seconds(4)),
        "carrier-lost": .milliseconds(3250)...(.seconds(4)),
        "cut-in-silence": .milliseconds(3250)...(.seconds(4)),
        "web-server-only": .milliseconds(4200)...(.seconds(7)),
    ]

    /// What `labctl test --format json` prints.
    private struct Summary: Decodable {
        struct Result: Decodable {
            var scenario: String
            var verdict: String
            var steps: [StepReport]
        }
        var results: [Result]
    }

    @Test("end alike with our agent and with keepalived: owners, resignation, and outage")
    func alike() throws {
        // Both at once, a few labs of each: they mostly wait.
        let runs = try ["vrrp-agent", "keepalived"].map { daemon in
            let name = "\(labPrefix)ways-\(daemon.prefix(4))"
            let program = try Labctl.start([
                "test", "Labs/ways-to-fail", "--vrrp", daemon, "--name", name, "--jobs", "3",
                "--format", "json",
            ])
            return (daemon, name, program)
        }
        for (daemon, name, program) in runs {
            let result = try program.finish()
            #expect(result.status == 0, "\(daemon):\n\(result.errors)")
            let summary = try JSONDecoder().decode(
                Summary.self, from: Data(result.output.utf8))
            #expect(summary.results.count == 8)
            for run in summary.results {
                #expect(run.verdict == "passed", "\(daemon), \(run.scenario): \(run.steps)")
                guard let band = Self.outages[run.scenario] else { continue }
                let outages = run.steps.compactMap { step -> Outage? in
                    if case .passed(let result) = step.phase { result.outage } else { nil }
                }
                let longest = outages.map { $0.duration(now: $0.end ?? $0.begin) }.max() ?? .zero
                #expect(band.contains(longest), "\(daemon), \(run.scenario): \(longest)")
            }
            for number in ["", "-2", "-3"] { try expectNothingLeft(of: name + number) }
        }
    }
}
