import Glibc
import LinuxSystem
import TestSupport
import Testing

@Suite(
    "Nothing leaks: whoever dies, and whenever", .serialized,
    .enabled(if: buildsLabs, "needs root"))
struct LabCrashTests {
    private static let yaml = """
        networks: { lan: { subnet: 10.81.0.0/24 } }
        nodes:
          one:
            interfaces: { eth0: { network: lan } }
            services: { job: { kind: command, command: [ sh, -c, "sleep infinity & sleep infinity" ] } }
          two:
            interfaces: { eth0: { network: lan } }
            services: { job: { kind: command, command: [ sleep, infinity ] } }
        links:
          - endpoints: [ "one:cable", "two:cable" ]
        scenarios:
          long:
            steps:
              - kill: two
              - start: two
              - restart: one/job
              - restart: one
              - wait: 120s

        """
    /// A lab that never gets ready, so that whatever builds it is midway.
    private static let endless = """
        nodes:
          one: { services: { job: { kind: command, command: [ sleep, infinity ], ready: { file: /run/never } } } }

        """

    /// What goes on when the supervisor is killed.
    enum Moment: String, CaseIterable, Sendable {
        case building, ready, stopping, starting, killing, restarting, testing
    }

    /// `LABCTL_TEST_SEED`, or a new one.
    private static let seed: UInt64 =
        getenv("LABCTL_TEST_SEED").flatMap { UInt64(String(cString: $0)) }
        ?? .random(in: 0...UInt64.max)
    private static let isFull = getenv("LABCTL_TEST_FULL") != nil

    @Test("a control group that outlives its lab goes with the last process in it")
    func dyingProcess() throws {
        let folder = try #require(try controlGroupFolder())
        let lab = labPrefix + "lc-dying"
        let group = "\(folder)/labctl.\(lab).one"
        try FileSystem.makeFolders(group)
        // Longer than the sweep takes to come to it, and shorter than it waits.
        let dying = try Program(
            path: "/bin/sleep", arguments: ["sleep", "0.3"], environment: [],
            descriptors: [0, 1, 2]
        ).start()
        try FileSystem.writeParameter("\(dying.pid)", to: "\(group)/cgroup.procs")
        #expect(try Labctl.run("list").status == 0)
        #expect(try controlGroups(of: lab).isEmpty)
        _ = Termination.reap(dying.pid)
    }

    @Test("SIGKILL of the supervisor at any moment leaves nothing, and up works at once")
    func supervisorKilled() throws {
        let rounds = Self.isFull ? 100 : 14
        var random = SeededGenerator(seed: Self.seed)
        for round in 0..<rounds {
            let moment = Moment.allCases[round % Moment.allCases.count]
            let delay = UInt32.random(in: 0..<120_000, using: &random)
            do {
                try crash(during: moment, after: delay)
            } catch {
                Issue.record("round \(round), \(moment) + \(delay) us, seed \(Self.seed): \(error)")
            }
        }
    }

    private func crash(during moment: Moment, after delay: UInt32) throws {
        let lab = try LabUnderTest("lb-crash", Self.yaml)
        let running: RunningProgram?
        switch moment {
        case .building: running = try Labctl.start(["up", lab.folder])
        case .testing: running = try Labctl.start(["test", lab.folder])
        case .ready:
            try lab.up()
            running = nil
        case .stopping, .starting, .killing, .restarting:
            try lab.up()
            if moment == .starting { try lab.apply("kill", "two") }
            let verbs: [Moment: String] = [
                .stopping: "stop", .starting: "start", .killing: "kill", .restarting: "restart",
            ]
            running = try Labctl.start([verbs[moment] ?? "", "-l", lab.name, "two"])
        }
        usleep(delay)
        var held: LabProcesses?
        try eventually("there is a supervisor, or all is over") {
            held = try LabProcesses(of: lab.name)
            return held != nil || running?.hasEnded ?? true
        }
        let processes = try #require(held, "a supervisor during \(moment)")
        processes.end(with: SIGKILL)
        try processes.expectGone()
        if let run = try running?.finish(within: .seconds(20)) {
            // Done before the supervisor died, or told that it was not: never a crash, never mute.
            #expect([0, 1, 5].contains(run.status), "\(moment): \(run.status) \(run.errors)")
            #expect(run.status == 0 || !(run.output + run.errors).isEmpty)
            #expect(moment != .testing || run.status != 0)
        }
        // Nothing is done in between: `up` itself copes with what is left on disk.
        try lab.up()
        try lab.down()
    }

    @Test(
        "whoever is interrupted or killed while building a lab takes it along",
        arguments: [SIGINT, SIGTERM, SIGHUP, SIGKILL])
    func launcherKilled(signal: Int32) throws {
        let lab = try LabUnderTest("lb-midway", Self.endless)
        let up = try Labctl.start(["up", lab.folder])
        try eventually("the service is starting") {
            try processes(of: lab.name).count == 3
        }
        let held = try #require(try LabProcesses(of: lab.name))
        held.end(with: 0)
        up.signal(signal)
        #expect(try up.finish(within: .seconds(20)).status == 128 + signal)
        try held.expectGone()
        // The lab cleans up after itself: no other verb has run.
        try expectNothingLeft(of: lab.name)
    }

    @Test("an interrupt at any moment of up leaves a lab that is up, or nothing")
    func launcherKilledAnyMoment() throws {
        var random = SeededGenerator(seed: Self.seed)
        for round in 0..<(Self.isFull ? 100 : 12) {
            let lab = try LabUnderTest("lb-early", Self.yaml)
            let up = try Labctl.start(["up", lab.folder])
            usleep(UInt32.random(in: 0..<100_000, using: &random))
            let held = try LabProcesses(of: lab.name)
            held?.end(with: 0)
            up.signal(round.isMultiple(of: 2) ? SIGINT : SIGKILL)
            let run = try up.finish(within: .seconds(20))
            // Ready before the signal came, the lab stays up; else it ends by itself, perhaps while
            // `down` is asking for it. Either way it can be taken down, and nothing is left.
            let down = try Labctl.run("down", lab.name)
            #expect([0, 1, 5].contains(down.status), "\(down.status) \(down.errors)")
            #expect(run.status != 0 || down.status == 0, "round \(round), seed \(Self.seed)")
            try held?.expectGone()
            // A supervisor that had just been started is not yet known by its name.
            try eventually("the lab is gone") { !FileSystem.exists("\(runFolder)/\(lab.name)") }
            try expectNothingLeft(of: lab.name)
        }
    }

    @Test(
        "whoever is interrupted or killed in a scenario takes the lab along",
        arguments: [SIGINT, SIGTERM, SIGKILL])
    func testKilled(signal: Int32) throws {
        let lab = try LabUnderTest("lb-test", Self.yaml)
        let test = try Labctl.start(["test", lab.folder])
        _ = try test.awaitOutput("restart one\n")
        let held = try #require(try LabProcesses(of: lab.name))
        #expect(held.count >= 6)
        held.end(with: 0)
        test.signal(signal)
        #expect(try test.finish(within: .seconds(20)).status == 128 + signal)
        try held.expectGone()
        try expectNothingLeft(of: lab.name)
    }

    @Test("a supervisor that is told to end does, and clears up", arguments: [SIGTERM, SIGINT])
    func supervisorTold(signal: Int32) throws {
        let lab = try LabUnderTest("lb-told", Self.yaml)
        try lab.up()
        let held = try #require(try LabProcesses(of: lab.name))
        held.end(with: signal)
        try held.expectGone()
        try expectNothingLeft(of: lab.name)
    }

    @Test(
        "every verb sweeps what a killed lab has left, and leaves alone what is others'",
        arguments: [
            ["list"], ["status"], ["exec", "-l", "\(labPrefix)lb-swept", "one", "true"],
            ["down", "\(labPrefix)lb-swept"],
            ["logs", "-l", "\(labPrefix)lb-swept"], ["events", "-l", "\(labPrefix)lb-swept"],
            ["kill", "-l", "\(labPrefix)lb-swept", "one"],
        ])
    func sweep(verb: [String]) throws {
        let lab = try LabUnderTest("lb-swept", Self.yaml)
        try lab.up()
        // Other people's names that look like ours: a link of theirs, and what `ip netns` makes.
        let link = "/run/netns/\(labPrefix)lb-swept-theirs"
        try FileSystem.link(link, to: "/proc/self/ns/net")
        #expect(
            try Labctl.tool("/bin/ip", "netns", "add", "\(labPrefix)lb-swept-added").status == 0)
        defer {
            try? FileSystem.remove(link)
            _ = try? Labctl.tool("/bin/ip", "netns", "delete", "\(labPrefix)lb-swept-added")
        }
        let held = try #require(try LabProcesses(of: lab.name))
        held.end(with: SIGKILL)
        try held.expectGone()
        // The dead could not remove anything: what is gone after this, the verb has swept.
        _ = try Labctl.start(verb, folder: "/").finish()
        // Another labctl on this machine may be sweeping the same at this moment.
        try eventually("it is swept") { !FileSystem.exists("\(runFolder)/\(labPrefix)lb-swept") }
        #expect(FileSystem.entry("/run/netns/\(labPrefix)lb-swept-one") == nil)
        #expect(FileSystem.entry("/run/netns/\(labPrefix)lb-swept-two") == nil)
        #expect(FileSystem.entry(link) != nil)
        #expect(
            try Labctl.tool("/bin/ip", "netns", "exec", "\(labPrefix)lb-swept-added", "true").status
                == 0)
    }

    @Test("a sweep under way does not keep up from claiming the name")
    func upDuringSweep() throws {
        let lab = try LabUnderTest("lb-race", "nodes: { one: {} }\n")
        for _ in 0..<5 {
            try lab.up()
            let held = try #require(try LabProcesses(of: lab.name))
            held.end(with: SIGKILL)
            try held.expectGone()
            let sweeps = try (0..<6).map { _ in try Labctl.start(["list"]) }
            try lab.up()
            for sweep in sweeps { #expect(try sweep.finish().status == 0) }
            #expect(try lab.exec("one", "true").status == 0)
            try lab.down()
        }
    }
}
