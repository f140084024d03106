import Glibc
import LinuxSystem
import Testing

@Suite("The library of incidents", .enabled(if: buildsLabs, "needs root"))
struct IncidentLabsTests {
    private static let folder = "Labs/incidents"

    /// Every folder in Labs/incidents that holds a lab, so that none is forgotten here.
    private static let incidents = ((try? FileSystem.list("\(Labctl.repository)/\(folder)")) ?? [])
        .filter { FileSystem.exists("\(Labctl.repository)/\(folder)/\($0)/lab.yaml") }
        .sorted()

    @Test(
        "all happen, and what fixes them does, with our agent and with keepalived",
        arguments: ["vrrp-agent", "keepalived"])
    func happen(_ daemon: String) throws {
        #expect(Self.incidents.count >= 25)
        let name = "\(labPrefix)inc-\(daemon.prefix(4))"
        let program = try Labctl.start(
            ["test"] + Self.incidents.map { "\(Self.folder)/\($0)" }
                + ["--name", name, "--vrrp", daemon, "--jobs", "8", "--format", "json"])
        let result = try program.finish(within: .seconds(900))
        let summary = try TestSummary(result.output)
        #expect(summary.results.count(where: { $0.verdict == "passed" }) > 2 * Self.incidents.count)
        for failure in summary.failures { Issue.record("\(daemon): \(failure)") }
        for number in [""] + (2...8).map({ "-\($0)" }) {
            try expectNothingLeft(of: name + number)
        }
    }

    @Test("each is told in its README, and stands in the table of all")
    func told() throws {
        let table = try FileSystem.readText("\(Labctl.repository)/\(Self.folder)/README.md")
        for incident in Self.incidents {
            let readme = "\(Labctl.repository)/\(Self.folder)/\(incident)/README.md"
            #expect(try FileSystem.readText(readme).hasPrefix("# \(incident): "))
            #expect(table.contains("[\(incident)](\(incident)/README.md)"), "\(incident)")
        }
    }
}
