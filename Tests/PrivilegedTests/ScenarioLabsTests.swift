import FoundationEssentials
import Glibc
import LinuxSystem
import NetworkTypes
import Testing

/// One scenario of one of the project's labs, run by `labctl test` with some daemons.
private struct ScenarioRun: CustomStringConvertible {
    var lab: String
    var scenario: String
    var daemons: Daemons

    /// Which daemon runs on which node.
    enum Daemons: String, CaseIterable {
        case ours = "vrrp-agent"
        case keepalived
        /// keepalived on the master, ours on the other node.
        case keepalivedAsMaster = "master=keepalived"
        /// Ours on the master, keepalived on the other node.
        case keepalivedAsBackup = "other=keepalived"
        /// FRR's vrrpd, for the labs that have an frr.conf.
        case frr

        /// What `--vrrp` takes; `other` is the node that is not the master.
        func option(other: String) -> String {
            self == .keepalivedAsBackup ? "\(other)=keepalived" : rawValue
        }
    }

    /// Every scenario of the labs.
    static let all = [
        ("two-node", "failover"), ("two-node", "takes-back"), ("two-node", "nopreempt"),
        ("two-node", "clean-stop"), ("httpd-ha", "primary-downtime"),
    ]
    /// The ones in which the two daemons have most to do with each other: a node that dies, one
    /// that comes back, one that resigns and comes back.
    static let telling = all.filter {
        ["failover", "takes-back", "primary-downtime"].contains($0.1)
    }

    init(_ lab: String, _ scenario: String, _ daemons: Daemons) {
        (self.lab, self.scenario, self.daemons) = (lab, scenario, daemons)
    }

    var description: String { "\(lab) \(scenario) with \(daemons.rawValue)" }

    /// Starts `labctl test`.
    ///
    /// - Parameter name: the lab's while it is up: as several run at once, each needs its own.
    func start(as name: String) throws -> RunningProgram {
        let other = lab == "httpd-ha" ? "slave" : "backup"
        return try Labctl.start([
            "test", "Labs/\(lab)", "--name", name, "--scenario", scenario, "--vrrp",
            daemons.option(other: other),
        ])
    }

    /// Runs them side by side, since they wait most of the time; each must pass and leave nothing.
    ///
    /// - Parameter atOnce: how many at a time: those with short intervals suffer from each other.
    static func expectPasses(_ runs: [ScenarioRun], atOnce: Int = .max) throws {
        for first in stride(from: 0, to: runs.count, by: min(atOnce, runs.count)) {
            try expectPasses(runs[first..<min(first + min(atOnce, runs.count), runs.count)])
        }
    }

    private static func expectPasses(_ runs: ArraySlice<ScenarioRun>) throws {
        let programs = try zip(runs.indices, runs).map { index, run in
            let name = "\(labPrefix)sc-\(index)"
            return (run, name, try run.start(as: name))
        }
        for (run, name, program) in programs {
            let result = try program.finish()
            #expect(result.status == 0, "\(run):\n\(result.output)\(result.errors)")
            #expect(result.output.contains("\n1 passed, 0 failed in "), "\(run)")
            try expectNothingLeft(of: name)
        }
    }
}

private let isFull = getenv("LABCTL_TEST_FULL") != nil

/// Every folder in Labs that holds a lab, so that none is forgotten here.
private let labs = ((try? FileSystem.list("\(Labctl.repository)/Labs")) ?? []).filter {
    FileSystem.exists("\(Labctl.repository)/Labs/\($0)/lab.yaml")
}

/// What `labctl test --format json` prints, as far as it matters here.
struct TestSummary: Decodable {
    struct Result: Decodable {
        var lab: String
        var scenario: String
        var verdict: String
        var message: String?
    }

    var results: [Result]

    init(_ output: String) throws {
        self = try JSONDecoder().decode(Self.self, from: Data(output.utf8))
    }

    /// What has not passed, but for runs in which the machine stood still.
    var failures: [String] {
        results.compactMap { result in
            let message = result.message ?? ""
            let isExcused = result.verdict == "inconclusive" && message.contains("stood still")
            return ["passed", "skipped"].contains(result.verdict) || isExcused
                ? nil : "\(result.lab) \(result.scenario): \(result.verdict): \(message)"
        }
    }
}

@Suite("The scenarios of the project's labs", .enabled(if: buildsLabs, "needs root"))
struct ScenarioLabsTests {
    @Test("all pass with our agent, the telling ones with keepalived and with mixed pairs")
    func passOnce() throws {
        let runs = ScenarioRun.Daemons.allCases.filter { $0 != .frr }.flatMap { daemons in
            (daemons == .ours ? ScenarioRun.all : ScenarioRun.telling).map {
                ScenarioRun($0.0, $0.1, daemons)
            }
        }
        try ScenarioRun.expectPasses(runs)
    }

    @Test("takeovers within a second pass with every daemon and with mixed pairs")
    func passFast() throws {
        let daemons = ScenarioRun.Daemons.allCases.filter { $0 != .frr || hasFRR }
        try ScenarioRun.expectPasses(
            daemons.flatMap { daemons in
                ["every-100ms", "clean-stop"].map { ScenarioRun("fast-failover", $0, daemons) }
            }, atOnce: 4)
        // At 10 ms there is no time for other labs. On a busy machine the real daemons may both
        // become master at the start, and the client's first request goes where nobody answers.
        for daemons in isFull ? daemons : [.ours] {
            try ScenarioRun.expectPasses([ScenarioRun("fast-failover", "every-10ms", daemons)])
        }
    }

    /// The labs of which some scenarios are run above, or by tests of their own.
    private static let known: Set = [
        "two-node", "fast-failover", "ways-to-fail", "lvs-dr",
    ]

    @Test(
        "every other lab passes whole, with our agent and with keepalived",
        arguments: ["vrrp-agent", "keepalived"])
    func passWhole(_ daemon: String) throws {
        let others = labs.filter { !Self.known.contains($0) }
        #expect(others.count >= 6)
        let name = "\(labPrefix)whole"
        let program = try Labctl.start(
            ["test"] + others.map { "Labs/\($0)" }
                + ["--name", name, "--vrrp", daemon, "--jobs", "4"])
        let result = try program.finish(within: .seconds(300))
        #expect(result.status == 0, "\(result.output)\(result.errors)")
        for number in ["", "-2", "-3", "-4"] { try expectNothingLeft(of: name + number) }
    }

    @Test(
        "all pass with every daemon and with mixed pairs",
        .enabled(if: isFull, "long: scripts/test --full runs it"),
        arguments: ScenarioRun.Daemons.allCases.map(\.rawValue).filter { $0 != "frr" })
    func passWithEveryDaemon(_ daemons: String) throws {
        let daemons = try #require(ScenarioRun.Daemons(rawValue: daemons))
        try ScenarioRun.expectPasses(
            ScenarioRun.all.map { ScenarioRun($0.0, $0.1, daemons) })
    }

    /// Whatever a machine does to itself is no failure of a protocol: a run in which it stood still
    /// for too long says so, and everything else passes.
    @Test(
        "pass 50 times in a row while stress-ng keeps every processor busy",
        .enabled(if: isFull, "long: scripts/test --full runs it"),
        arguments: labs.filter { $0 != "tutorial" })
    func passUnderLoad(_ lab: String) throws {
        let load = try RunningProgram(
            "/usr/bin/stress-ng", ["--cpu", "0"], folder: "/", input: "", environment: [])
        try withExtendedLifetime(load) {
            let name = "\(labPrefix)load"
            let result = try Labctl.run(
                "test", "Labs/\(lab)", "--name", name, "--repeat", "50", "--jobs", "5",
                "--format", "json", within: .seconds(3600))
            let summary = try TestSummary(result.output)
            #expect(!load.hasEnded)
            #expect(summary.results.count.isMultiple(of: 50) && !summary.results.isEmpty)
            for failure in summary.failures { Issue.record("\(failure)") }
            // The first lab has the name as it is, the others have numbers behind it.
            try expectNothingLeft(of: name)
        }
    }
}

@Suite("A scenario that must fail", .enabled(if: buildsLabs, "needs root"))
struct ScenarioFailureTests {
    /// Two nodes as in Labs/two-node, both with a web server; every scenario is wrong.
    private static let yaml = """
        networks:
          lan: { subnet: 10.10.10.0/24 }
        nodes:
          master:
            interfaces: { eth0: { network: lan, address: 10.10.10.1 } }
            files:
              /etc/keepalived/keepalived.conf: master.conf
              /var/www/html/index.html: { text: "this is master" }
            services: { keepalived: { kind: vrrp-agent }, httpd: { kind: http } }
          backup:
            interfaces: { eth0: { network: lan, address: 10.10.10.2 } }
            files:
              /etc/keepalived/keepalived.conf: backup.conf
              /var/www/html/index.html: { text: "this is backup" }
            services: { keepalived: { kind: vrrp-agent }, httpd: { kind: http } }
        scenarios:
          wrong-node:
            steps:
              - expect: { vip: 10.10.10.10, on: backup }
              - kill: master
          stays-away:
            steps:
              - expect: { vip: 10.10.10.10, absent: true, for: 5s }
          returns:
            steps:
              - expect: { vip: 10.10.10.10, on: master }
              - kill: master
              - expect: { vip: 10.10.10.10, on: backup, for: 1s }
              - start: master
              - expect: { vip: 10.10.10.10, on: backup, for: 10s }
          short-outage:
            probes: { web: { from: backup, http: "http://10.10.10.10/", every: 10ms } }
            steps:
              - expect: { vip: 10.10.10.10, on: master }
              - expect: { http: "http://10.10.10.10/", from: backup, body: this is master }
              - kill: master
              - expect: { vip: 10.10.10.10, on: backup }
              - expect: { http: "http://10.10.10.10/", from: backup, body: this is backup }
              - expect: { outage: web, at-most: 2s }
          wrong-body:
            steps:
              - expect: { vip: 10.10.10.10, on: master }
              - expect: { http: "http://10.10.10.10/", from: backup, body: hello, within: 1s }
          wrong-status:
            steps:
              - exec: { on: master, command: [sh, -c, "echo no such thing >&2; exit 3"] }
              - wait: 1s
        """

    /// What the line of the step that fails has to say, by scenario.
    private static let messages = [
        "wrong-node": [
            "FAIL  expected VIP 10.10.10.10 on backup within 4.805 s of the daemons' start "
                + "(3 x 1 s + 206/256 s + margin 1 s); seen: on master since ",
            "  -     kill master\n",
        ],
        "stays-away": [
            "FAIL  expected VIP 10.10.10.10 on no node for 5 s within ",
            "; seen: it held for ", ", then on master since ",
        ],
        "returns": [
            "FAIL  expected VIP 10.10.10.10 on backup for 10 s within ",
            " of start master (ready after ", " + 3 x 1 s + 156/256 s + margin 1 s)",
            "; seen: it held for ", " since ",
        ],
        "short-outage": [
            "FAIL  expected outage of web of at most 2 s after kill master; seen: ",
            " requests lost",
        ],
        "wrong-body": [
            "FAIL  expected 'hello' from http://10.10.10.10/ to backup within 1 s of ",
            "; seen: the answer 'this is master'\n",
        ],
        "wrong-status": [
            "FAIL  exec master: sh -c echo no such thing >&2; exit 3: expected exit status 0; "
                + "seen exit status 3: no such thing\n",
            "  -     wait 1 s\n",
        ],
    ]

    @Test(
        "a failure while a node's processes wait for a CPU is inconclusive, and tried once more",
        .enabled(if: FileSystem.exists("/proc/pressure/cpu"), "this kernel counts no waiting (PSI)")
    )
    func busyNode() throws {
        let lab = try LabUnderTest(
            "sc-busy",
            """
            nodes:
              a:
                services:
                  # More than there are processors, each always ready to run.
                  hog:
                    kind: command
                    command: [sh, -c, "for i in $(seq $(($(nproc) + 2))); do while :; do :; done & done; wait"]
            scenarios:
              busy: { steps: [ expect: { log: a/hog, contains: idle, within: 3s } ] }
            """)
        let result = try Labctl.start(["test", lab.folder]).finish(within: .seconds(60))
        #expect(result.status == 4, "\(result.output)\(result.errors)")
        #expect(result.output.contains("; inconclusive: this machine stood still for "))
        #expect(result.output.contains("  once more, in a clean lab\n"))
        #expect(result.output.contains("\n0 passed, 0 failed, 1 inconclusive in "))
        try expectNothingLeft(of: lab.name)
    }

    @Test("exits with 1, says what was expected and what was seen, and leaves nothing")
    func fails() throws {
        let folder = "\(Labctl.repository)/Labs/two-node"
        let backup = try FileSystem.readText("\(folder)/backup/keepalived.conf")
        let lab = try LabUnderTest(
            "sc-wrong", Self.yaml,
            files: [
                "master.conf": try FileSystem.readText("\(folder)/master/keepalived.conf"),
                // With its own 99 the backup may be elected first, by chance.
                "backup.conf": backup.replacing("priority 99", with: "priority 50"),
            ])
        let runs = try Self.messages.keys.sorted().map { scenario in
            let name = "\(labPrefix)sc-wrong-\(scenario)"
            let program = try Labctl.start([
                "test", lab.folder, "--name", name, "--scenario", scenario,
            ])
            return (scenario, name, program)
        }
        for (scenario, name, program) in runs {
            let result = try program.finish()
            #expect(result.status == 1, "\(scenario): \(result.errors)")
            for message in Self.messages[scenario] ?? [] {
                #expect(result.output.contains(message), "\(scenario):\n\(result.output)")
            }
            #expect(result.output.contains("\n0 passed, 1 failed in "), "\(result.output)")
            try expectNothingLeft(of: name)
        }
    }
}
