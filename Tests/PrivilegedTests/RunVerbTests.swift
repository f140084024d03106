import Foundation
import Glibc
import LabKit
import LabModel
import LinuxSystem
import NetworkTypes
import Testing

/// Every scenario of the project's labs, run side by side and recorded once for all tests.
private enum RecordedLabs {
    static let folder: String = {
        atexit { try? FileSystem.removeTree("/tmp/labctl-recorded-\(getpid())") }
        return "/tmp/labctl-recorded-\(getpid())"
    }()

    /// What `labctl test` said, whether they passed or not.
    static let run = Result {
        try Labctl.run(
            "test", "Labs/two-node", "Labs/httpd-ha", "Labs/fast-failover", "--name",
            "\(labPrefix)rec", "--jobs", "16", "--record", folder, "--format", "json")
    }

    /// The recorded runs.
    static func runs() throws -> [LabKit.RecordedRun] {
        _ = try run.get()
        return RunArchive(folder: folder).runs()
    }

    /// The run of a scenario, as an argument of verbs.
    static func reference(_ scenario: String) throws -> String {
        let found = try runs().first { $0.path.hasSuffix("-\(scenario)") }
        return try #require(found, "\(scenario) was not recorded").path
    }
}

@Suite("Recorded runs", .enabled(if: buildsLabs, "needs root"), .serialized)
struct RunVerbTests {
    @Test("every run of the project's labs comes to the same again, bit for bit")
    func replay() throws {
        let runs = try RecordedLabs.runs()
        #expect(runs.count >= 8, "\(runs.map(\.name))")
        for run in runs {
            let record = try run.record()
            let events = try run.events()
            let replay = try #require(RunReplay(record, events: events))
            #expect(replay.verdict != nil)
            let differences = replay.differences(from: record, events: events)
            #expect(differences.isEmpty, "\(run.name): \(differences)")
        }
        let said = try Labctl.run("replay", try RecordedLabs.reference("takes-back"))
        #expect(said.status == 0)
        #expect(said.output.contains(", as it was recorded\n"))
    }

    @Test("a run whose timeline lacks an event comes to something else, and is told so")
    func altered() throws {
        let whole = try RecordedLabs.reference("failover")
        let folder = "/tmp/labctl-altered-\(getpid())"
        defer { try? FileSystem.removeTree(folder) }
        try FileSystem.copyTree(whole, to: folder)
        let events = try FileSystem.readText("\(folder)/events.jsonl")
        let kept = events.split(separator: "\n").filter { line in
            !(line.contains(#""event":"address-added""#) && line.contains("10.10.10.10"))
        }
        try FileSystem.write(
            Array((kept.joined(separator: "\n") + "\n").utf8), to: "\(folder)/events.jsonl")
        let said = try Labctl.run("replay", folder)
        #expect(said.status == 1)
        #expect(said.output.contains(", not as it was recorded\n"))
    }

    @Test("the results of labs side by side stand in the order of the files")
    func results() throws {
        struct Output: Decodable {
            struct Result: Decodable {
                var scenario: String
                var verdict: String
                /// Nil for what was skipped.
                var run: String?
            }
            var results: [Result]
        }
        let run = try RecordedLabs.run.get()
        let output = try JSONDecoder().decode(Output.self, from: Data(run.output.utf8))
        #expect(
            output.results.map(\.scenario).prefix(5)
                == ["failover", "takes-back", "nopreempt", "clean-stop", "pages"])
        for result in output.results {
            #expect((result.run == nil) == (result.verdict == "skipped"), "\(result)")
            let record = result.run.map { FileSystem.isRegularFile($0 + "/events.jsonl") }
            #expect(record ?? true, "\(result)")
        }
        try expectNothingLeft(of: "\(labPrefix)rec")
        try expectNothingLeft(of: "\(labPrefix)rec-2")
    }

    @Test("at, vip, events, explain and capture read a recorded run, with no lab up")
    func views() throws {
        let run = try RecordedLabs.reference("failover")
        let vip = try Labctl.run("vip", "--run", run, "--format", "json")
        let periods = try JSONDecoder().decode(
            [AddressHistory.Period].self, from: Data(vip.output.utf8))
        let last = try #require(periods.last)
        #expect(last.nodes == ["backup"] && last.until == nil)
        let first = try #require(try LabKit.RecordedRun(path: run).events().first).time
        let then = EventText.seconds(last.since - first + .milliseconds(100))
        let at = try Labctl.run("at", run, then + "s").output
        #expect(at.contains("10.10.10.10  backup  "), "\(at)")
        #expect(at.contains("MASTER  advertisement "), "\(at)")
        #expect(try Labctl.run("at", run, "1h").status == 5)
        let kills = try Labctl.run("events", "--run", run, "--kind", "control")
        #expect(kills.output.hasSuffix("kill master\n"))
        #expect(try Labctl.run("explain", "--run", run).output.contains("from master to backup"))
        let packets = try Labctl.run("capture", "--run", run, "-w", "-", "--runs", "/nowhere")
        #expect(packets.status == 0)
        #expect(try Labctl.run("events", "-f", "--run", run).status == 2)
    }

    @Test("a report is made of the record alone: a page, JUnit, TAP, text")
    func reports() throws {
        let run = try RecordedLabs.reference("httpd-dies")
        let page = try Labctl.run("report", run, "-o", "-").output
        #expect(page.hasPrefix("<!doctype html>") && page.contains("The last failover: "))
        // What services printed is in it, too.
        #expect(page.contains(#"<tr class="printed""#))
        #expect(
            try Labctl.run("report", run, "--format", "junit").output
                .contains(#"name="httpd-dies""#))
        #expect(
            try Labctl.run("report", run, "--format", "tap").output.hasPrefix("TAP version 13\n"))
        let text = try Labctl.run("report", run, "--format", "text").output
        #expect(text.contains("probe web: "))
        #expect(text.contains("^ kill master/httpd, "))
        let list = try Labctl.run("runs", "--runs", RecordedLabs.folder).output
        #expect(list.split(separator: "\n").count == (try RecordedLabs.runs().count) + 1)
    }

    @Test("a kill and a clean stop differ from the resignation on; compare says by how much")
    func differences() throws {
        let same = try RecordedLabs.reference("failover")
        let nothing = try Labctl.run("diff", same, same)
        #expect(nothing.status == 0, "\(nothing.output)")
        let other = try RecordedLabs.reference("takes-back")
        let diff = try Labctl.run("diff", same, other, "--tolerance", "2s")
        #expect(diff.status == 1)
        #expect(diff.output.contains("start master"), "\(diff.output)")
        let compared = try Labctl.run("compare", RecordedLabs.folder, RecordedLabs.folder)
        #expect(compared.status == 0)
        #expect(compared.output.contains("verdict"))
        #expect(!compared.output.contains("\n*"), "nothing differs from itself")
    }
}

@Suite("Many scenarios at a time", .enabled(if: buildsLabs, "needs root"), .serialized)
struct TestVerbTests {
    private static let yaml = """
        nodes: { a: { interfaces: {} } }
        scenarios:
          good: { steps: [ exec: { on: a, command: "true" } ] }
          bad: { steps: [ exec: { on: a, command: "false" }, exec: { on: a, command: "true" } ] }
        """

    @Test("one that fails is told whole, everything is reported, and the status is 1")
    func reports() throws {
        let lab = try LabUnderTest("tv-report", Self.yaml)
        let run = try Labctl.run(
            "test", lab.folder, "--jobs", "2", "--repeat", "3", "--junit", "\(lab.folder)/j.xml",
            "--report", "\(lab.folder)/pages")
        #expect(run.status == 1, "\(run.errors)")
        #expect(run.output.contains("3 passed, 3 failed in "), "\(run.output)")
        // Lines of one run stand together.
        let failure = "  FAIL  exec a: false: expected exit status 0; seen exit status 1\n"
        #expect(
            run.output.contains("\(lab.name) / bad\n") && run.output.contains(failure),
            "\(run.output)")
        let junit = try FileSystem.readText("\(lab.folder)/j.xml")
        #expect(junit.contains(#"tests="6" failures="3""#))
        let pages = try FileSystem.list("\(lab.folder)/pages")
        #expect(pages.count == 7 && pages.contains("index.html"), "\(pages)")
        try expectNothingLeft(of: lab.name)
        try expectNothingLeft(of: lab.name + "-2")
    }

    @Test("where no report can be written, nothing is run")
    func unwritableReport() throws {
        let lab = try LabUnderTest("tv-unwritable", Self.yaml)
        for option in ["--junit", "--report"] {
            let run = try Labctl.run("test", lab.folder, option, "/proc/no/such")
            #expect(run.status == 3)
            #expect(run.output.isEmpty && run.errors.contains("/proc/no"), "\(run.errors)")
        }
    }

    @Test("a lab that cannot be built is an error in every report, and the others are run")
    func cannotBeBuilt() throws {
        let broken = try LabUnderTest(
            "tv-broken",
            """
            nodes:
              a:
                interfaces: {}
                services: { s: { kind: command, command: /bin/false } }
            scenarios: { first: { steps: [ wait: 1ms ] }, second: { steps: [ wait: 1ms ] } }
            """)
        let sound = try LabUnderTest("tv-sound", Self.yaml)
        let run = try Labctl.run(
            "test", broken.folder, sound.folder, "--scenario", "[!b]*", "--junit",
            "\(sound.folder)/j.xml", "--report", "\(sound.folder)/pages", "--tap")
        #expect(run.status == 1, "\(run.errors)")
        #expect(run.errors.contains("1 passed, 0 failed, 2 without a verdict in "))
        #expect(run.output.contains("\nnot ok 2 - \(broken.name) / second\n  ---\n  message: "))
        #expect(run.output.hasSuffix("\nok 3 - \(sound.name) / good\n"), "\(run.output)")
        let junit = try FileSystem.readText("\(sound.folder)/j.xml")
        #expect(junit.contains(#"tests="3" failures="0" errors="2""#))
        #expect(junit.contains("<error message=\"service a/s "), "\(junit)")
        let pages = try FileSystem.list("\(sound.folder)/pages")
        #expect(pages.count == 2 && pages.contains("index.html"), "\(pages)")
        try expectNothingLeft(of: broken.name)
        try expectNothingLeft(of: sound.name)
    }

    @Test("in TAP nothing but TAP is on standard output")
    func tap() throws {
        let lab = try LabUnderTest("tv-tap", Self.yaml)
        let run = try Labctl.run("test", lab.folder, "--scenario", "good", "--tap")
        #expect(run.status == 0)
        #expect(
            run.output == """
                TAP version 13
                1..1
                    # Subtest: \(lab.name) / good
                    1..1
                    ok 1 - exec a: true
                ok 1 - \(lab.name) / good

                """)
        #expect(run.errors.contains("1 passed, 0 failed in "))
    }

    @Test("--pause-on-failure keeps the lab until a line is typed, then goes on")
    func pauses() throws {
        let lab = try LabUnderTest("tv-pause", Self.yaml)
        let pipe = "\(lab.folder)/typed"
        try #require(mkfifo(pipe, 0o600) == 0)
        // Opened for both, so that neither side waits for the other.
        let typing = open(pipe, O_RDWR)
        try #require(typing >= 0)
        defer { close(typing) }
        let program = try RunningProgram(
            "/bin/sh",
            [
                "-c",
                "exec \(Labctl.folder)/labctl test \(lab.folder) --pause-on-failure "
                    + "--record \(lab.folder)/runs < \(pipe)",
            ], folder: "/", input: "", environment: [])
        _ = try program.awaitOutput("lab \(lab.name) waits")
        #expect(try lab.exec("a", "hostname").output == "a\n")
        #expect(write(typing, "\n", 1) == 1)
        let run = try program.finish()
        #expect(run.status == 1)
        #expect(run.output.contains("1 passed, 1 failed in "), "\(run.output)")
        try expectNothingLeft(of: lab.name)
    }

    @Test("--keep-on-failure leaves that lab up and ends the others")
    func keeps() throws {
        let lab = try LabUnderTest(
            "tv-keep",
            Self.yaml + "\n  long: { steps: [ wait: 100s ] }")
        let run = try Labctl.run("test", lab.folder, "--keep-on-failure", "--jobs", "3")
        #expect(run.status == 1)
        #expect(run.errors.contains("is left up: "), "\(run.errors)")
        let up = try Labctl.run("list").output
        #expect(up.split(separator: "\n").count { $0.hasPrefix(lab.name) } == 1, "\(up)")
        for name in [lab.name, lab.name + "-2", lab.name + "-3"] {
            _ = try? Labctl.run("down", name)
        }
        try expectNothingLeft(of: lab.name)
    }
}
