import FoundationEssentials
import Glibc
import LabModel
import LinuxSystem
import NetworkTypes
import Testing

@Suite("Seven ways to fail a master", .enabled(if: buildsLabs, "needs root"))
struct WaysToFailTests {
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
            #expect(summary.results.count == 9)
            for run in summary.results {
                #expect(run.verdict == "passed", "\(daemon), \(run.scenario): \(run.steps)")
            }
            for number in ["", "-2", "-3"] { try expectNothingLeft(of: name + number) }
        }
    }
}
