import Glibc
import LinuxSystem
import NetworkTypes
import TestSupport
import Testing

/// A lab with every program that we have in it, some as relays and imposters from the first step of
/// its scenario on.
private let everything = """
    networks: { lan: { subnet: 10.84.0.0/24 } }
    nodes:
      one:
        interfaces: { eth0: { network: lan, address: 10.84.0.1 } }
        files: { /etc/keepalived/keepalived.conf: router.conf }
        services: { router: { kind: vrrp-agent }, web: { kind: http }, post: { kind: smtp } }
      two:
        interfaces: { eth0: { network: lan, address: 10.84.0.2 } }
        services: { job: { kind: command, command: [ sh, -c, "sleep infinity & sleep infinity" ] } }
    scenarios:
      long:
        steps:
          - impair: one:eth0 out delay 5ms
          - imposter: lan arp 10.84.0.99 announce 300ms
          - restart: one/web
          - restart: two
          - wait: 120s

    """
private let router = """
    vrrp_instance VI_1 {
        interface eth0
        virtual_router_id 51
        priority 100
        advert_int 0.2
        virtual_ipaddress {
            10.84.0.100
        }
    }
    """

private let isFull = getenv("LABCTL_TEST_FULL") != nil
/// `LABCTL_TEST_SEED`, or a new one.
private let seed =
    getenv("LABCTL_TEST_SEED").flatMap { UInt64(String(cString: $0)) }
    ?? .random(in: 0...UInt64.max)

/// Statuses of a program that has crashed: SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV.
private let crashes: Set<Int32> = [132, 133, 134, 135, 136, 139]

@Suite(
    "SIGKILL of any process at any moment", .serialized,
    .enabled(if: geteuid() == 0, "needs root"))
struct KillTests {
    /// What goes on when something is killed.
    private enum Phase: String, CaseIterable { case up, test, down, ready }

    /// Who is killed: the verb itself, or a process of the lab by its name.
    private static let victims = [
        "labctl", "supervise", "node-init", "router", "web", "post", "wire-relay", "imposter",
    ]

    private func name(of pid: Int32) -> String {
        let line = (try? FileSystem.readText("/proc/\(pid)/cmdline")) ?? ""
        if line.hasPrefix("labctl\0supervise\0") { return "supervise" }
        return ((try? FileSystem.readText("/proc/\(pid)/comm")) ?? "").filter { $0 != "\n" }
    }

    @Test("leaves nothing, whoever it was, and the next up works")
    func anybody() throws {
        var random = SeededGenerator(seed: seed)
        var killed: [String: Int] = [:]
        let lab = try LabUnderTest("kill-any", everything, files: ["router.conf": router])
        for round in 0..<(isFull ? 200 : 20) {
            let phase = Phase.allCases[round % Phase.allCases.count]
            let victim = Self.victims[round / Phase.allCases.count % Self.victims.count]
            let delay = UInt32.random(in: 0..<(phase == .down ? 60_000 : 500_000), using: &random)
            do {
                let name = try kill(victim, during: phase, after: delay, of: lab)
                killed[name, default: 0] += 1
                try expectNothingLeft(of: lab.name)
            } catch {
                Issue.record(
                    "round \(round), \(victim) in \(phase) + \(delay) us, seed \(seed): \(error)")
            }
        }
        #expect(killed.count >= (isFull ? Self.victims.count : 3), "killed: \(killed)")
        print("killed: \(killed.sorted { $0.key < $1.key })")
        try lab.up()
        #expect(try lab.exec("one", "true").status == 0)
        try lab.down()
    }

    /// Answers who was killed: another than wanted where that one was not there yet, or no more.
    private func kill(
        _ wanted: String, during phase: Phase, after delay: UInt32, of lab: LabUnderTest
    ) throws -> String {
        let running: RunningProgram
        switch phase {
        case .up: running = try Labctl.start(["up", lab.folder])
        case .test: running = try Labctl.start(["test", lab.folder])
        case .down, .ready:
            try lab.up()
            try lab.fault("impair", "one:eth0", "out", "delay", "5ms")
            try lab.fault("imposter", "lan", "arp", "10.84.0.99", "announce", "300ms")
            running = try Labctl.start(
                phase == .down ? ["down", lab.name] : ["events", "-f", "-l", lab.name])
        }
        usleep(delay)
        let held = try LabProcesses(of: lab.name)
        let present = try processes(of: lab.name).map { (pid: $0, name: name(of: $0)) }
        let chosen =
            wanted == "labctl" ? nil : present.first { $0.name == wanted } ?? present.last
        if let chosen { Glibc.kill(chosen.pid, SIGKILL) } else { running.signal(SIGKILL) }
        held?.end(with: 0)
        // What has no end of its own is ended now.
        if chosen != nil, phase == .test || phase == .ready {
            try? eventually("it has ended", within: .milliseconds(300)) { running.hasEnded }
            if !running.hasEnded { running.signal(SIGINT) }
        }
        let run = try running.finish(within: .seconds(30))
        #expect(!crashes.contains(run.status), "\(phase): \(run.status) \(run.errors)")
        #expect(
            run.status == 0 || run.status > 128 || !(run.errors + run.output).isEmpty,
            "\(phase) says nothing of status \(run.status)")
        let down = try Labctl.run("down", lab.name)
        #expect([0, 1, 5].contains(down.status), "\(down.status) \(down.errors)")
        try held?.expectGone()
        try eventually("the lab is gone") { !FileSystem.exists("/run/labctl/\(lab.name)") }
        return chosen?.name ?? "labctl"
    }
}

@Suite(
    "An interrupt at any moment", .serialized, .enabled(if: geteuid() == 0, "needs root"))
struct InterruptTests {
    private enum Verb: String, CaseIterable { case up, test, down, chaos, exec, probe }

    /// How long it may take until the terminal is the user's again and the lab, if it is to go, has
    /// gone. The median keeps to it; what a busy machine adds to a single one is not counted.
    private static let limit = Duration.seconds(1)

    @Test("a probe that nohup has started goes on when its terminal has gone")
    func noHangUp() throws {
        let lab = try LabUnderTest("kill-nohup", everything, files: ["router.conf": router])
        try lab.up()
        let probe = try RunningProgram(
            "/usr/bin/nohup",
            ["\(Labctl.folder)/labctl", "probe", "-l", lab.name, "two", "ping", "10.84.0.1"],
            folder: "/", input: "", environment: [])
        _ = try probe.awaitOutput("answered")
        probe.signal(SIGHUP)
        #expect(try lab.exec("one", "true").status == 0)
        #expect(!probe.hasEnded)
        probe.signal(SIGTERM)
        #expect(try probe.finish(within: .seconds(20)).status == 0)
        try lab.down()
    }

    @Test("by the terminal, or SIGTERM or SIGHUP: all is over in a second, and tidy")
    func anyVerb() throws {
        var random = SeededGenerator(seed: seed)
        let lab = try LabUnderTest("kill-int", everything, files: ["router.conf": router])
        let folder = "/tmp/labctl-int-\(labPrefix)"
        defer { try? FileSystem.removeTree(folder) }
        var times: [Duration] = []
        for round in 0..<(isFull ? 120 : 18) {
            let verb = Verb.allCases[round % Verb.allCases.count]
            let signal = [SIGINT, SIGTERM, SIGHUP][round / Verb.allCases.count % 3]
            let needsLab = verb == .down || verb == .exec || verb == .probe
            if needsLab { try lab.up() }
            let arguments: [String] =
                switch verb {
                case .up: ["up", lab.folder]
                case .test: ["test", lab.folder, "--record", folder]
                case .down: ["down", lab.name]
                case .chaos: ["chaos", lab.folder, "--for", "60s", "--record", folder]
                case .exec: ["exec", "-l", lab.name, "one", "--", "sleep", "60"]
                case .probe: ["probe", "-l", lab.name, "two", "ping", "10.84.0.1"]
                }
            // It has the terminal's foreground: all of its group are told.
            let running = try RunningProgram(
                "/usr/bin/setsid", ["\(Labctl.folder)/labctl"] + arguments, folder: "/",
                input: "", environment: ["XDG_STATE_HOME=\(folder)"])
            usleep(UInt32.random(in: 0..<(verb == .down ? 50_000 : 700_000), using: &random))
            let held = try LabProcesses(of: lab.name)
            held?.end(with: 0)
            let begin = MonotonicClock.now
            kill(-running.pid, signal)
            running.signal(signal)  // It may not have made its group yet.
            let run = try running.finish(within: .seconds(20))
            #expect(!crashes.contains(run.status), "\(verb) \(signal): \(run.errors)")
            let stays = verb == .up && run.status == 0 || verb == .exec || verb == .probe
            // It may have been ended before it had asked for anything, or after all was done.
            if verb == .down || verb == .up, run.status != 0 {
                #expect([0, 1, 5].contains(try Labctl.run("down", lab.name).status))
            }
            if !stays {
                try eventually("it is gone after \(verb), \(signal), seed \(seed)") {
                    !FileSystem.exists("/run/labctl/\(lab.name)")
                }
            }
            times.append(MonotonicClock.now - begin)
            if stays { try lab.down() }
            try held?.expectGone()
            try expectNothingLeft(of: lab.name)
        }
        let sorted = times.sorted()
        #expect(sorted[sorted.count / 2] < Self.limit, "\(sorted)")
        #expect(sorted.last! < Self.limit * 5, "\(sorted)")
        print("after the interrupt: \(sorted[sorted.count / 2]), at most \(sorted.last!)")
    }
}
