import Glibc
import LinuxSystem
import Testing

/// A node with two services that count up as long as they run.
private let counting = """
    nodes:
      a:
        services:
          one: { kind: command, command: [sh, -c, "while sleep 0.01; do echo >> /tmp/one; done"] }
          two: { kind: command, command: [sh, -c, "while sleep 0.01; do echo >> /tmp/two; done"] }
    """

/// Whether the machine has cgroup v2.
private let hasGroups =
    ((try? FileSystem.readText("/proc/self/mountinfo")) ?? "").contains(" - cgroup2 ")

@Suite("Freezing and thawing", .enabled(if: buildsLabs, "needs root"))
struct FreezeTests {
    /// How far a service of the node has counted, read from outside: the node may be frozen.
    private func count(_ lab: LabUnderTest, _ service: String) throws -> Int {
        let pid = try #require(try lab.status().node("a").pid)
        return try FileSystem.read("/proc/\(pid)/root/tmp/\(service)").count
    }

    /// Expects that it counts on, or that it has stopped to.
    private func expect(
        _ lab: LabUnderTest, _ service: String, counts: Bool,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let before = try count(lab, service)
        if counts {
            try eventually("\(service) counts on") { try count(lab, service) > before + 2 }
        } else {
            // As long as it takes to count to twenty.
            usleep(200_000)
            #expect(try count(lab, service) == before, sourceLocation: sourceLocation)
        }
    }

    @Test("a frozen node stands still with all that is in it, and goes on when it is thawed")
    func node() throws {
        let lab = try LabUnderTest("fz-node", counting)
        try lab.up()
        try expect(lab, "one", counts: true)
        try lab.apply("freeze", "a")
        try expect(lab, "one", counts: false)
        try expect(lab, "two", counts: false)
        #expect(try Labctl.run("status", lab.name).output.contains("a     frozen"))
        // What a node that stands still cannot do is refused at once.
        for arguments in [["stop", "a"], ["restart", "a/one"], ["start", "a"]] {
            let run = try Labctl.start([arguments[0], "-l", lab.name, arguments[1]]).finish()
            #expect(run.status == 5, "\(arguments)")
            #expect(run.errors.hasPrefix("node a is frozen: thaw it first"), "\(run.errors)")
        }
        #expect(try lab.exec("a", "true").errors.contains("node a is frozen: thaw it first"))
        try lab.apply("freeze", "a")  // Twice is once.
        try lab.apply("thaw", "a")
        try expect(lab, "one", counts: true)
        try expect(lab, "two", counts: true)
        #expect(try lab.exec("a", "true").status == 0)
        let events = try lab.events("control")
        #expect(events.contains("freeze a") && events.contains("thaw a"), "\(events)")
        try lab.down()
    }

    @Test("a frozen service stands still with its children; the node and its others go on")
    func service() throws {
        let lab = try LabUnderTest("fz-service", counting)
        try lab.up()
        try lab.apply("freeze", "a/one")
        try expect(lab, "one", counts: false)
        try expect(lab, "two", counts: true)
        #expect(try Labctl.run("status", lab.name).output.contains("one frozen"))
        try lab.apply("thaw", "a/one")
        try expect(lab, "one", counts: true)
        try lab.apply("freeze", "a/one")
        try lab.apply("kill", "a/one")
        try lab.apply("start", "a/one")
        try expect(lab, "one", counts: true)
        #expect(try !Labctl.run("status", lab.name).output.contains("frozen"))
        try lab.apply("kill", "a/one")
        for verb in ["freeze", "thaw"] {
            let run = try Labctl.run(verb, "-l", lab.name, "a/one")
            #expect(run.status == 5)
            #expect(run.errors == "service a/one is not running\n")
        }
        try lab.down()
    }

    @Test("killed while it was frozen a node is gone, and comes back in motion")
    func killFrozen() throws {
        let lab = try LabUnderTest("fz-kill", counting)
        try lab.up()
        try lab.apply("freeze", "a")
        try lab.apply("kill", "a")
        #expect(try lab.status().node("a").state == "killed")
        for verb in ["freeze", "thaw"] {
            let run = try Labctl.run(verb, "-l", lab.name, "a")
            #expect(run.status == 5)
            #expect(run.errors == "node a is not running\n")
        }
        try lab.apply("start", "a")
        try expect(lab, "one", counts: true)
        try lab.apply("freeze", "a")
        try lab.down()
    }

    @Test(
        "a supervisor that was killed leaves empty groups, which the next labctl sweeps",
        .enabled(if: hasGroups, "no cgroup v2 here"))
    func swept() throws {
        let lab = try LabUnderTest("fz-swept", counting)
        try lab.up()
        try lab.apply("freeze", "a")
        #expect(try controlGroups(of: lab.name) == ["labctl.\(lab.name).a"])
        let supervisor = try #require(try processes(of: lab.name).first)
        kill(supervisor, SIGKILL)
        try eventually("the lab is gone") { try processes(of: lab.name).isEmpty }
        try eventually("its groups are swept") {
            _ = try Labctl.run("list")
            return try controlGroups(of: lab.name).isEmpty
        }
        try expectNothingLeft(of: lab.name)
    }

    @Test("inside, a node sees itself at the root of its control groups")
    func namespace() throws {
        let lab = try LabUnderTest("fz-root", counting)
        try lab.up()
        let groups = try lab.shell("a", "grep ^0:: /proc/self/cgroup || true")
        #expect(groups == (hasGroups ? "0::/\n" : ""))
        try lab.down()
    }

    @Test(
        "without cgroup v2 every process of a node is stopped, and goes on; it can be killed",
        .enabled(if: hasGroups, "no cgroup v2 here: the other tests have shown it"))
    func withoutGroups() throws {
        let lab = try LabUnderTest("fz-stop", counting)
        let folder = try FileSystem.readText("/proc/self/mountinfo").split(separator: "\n")
            .first { $0.contains(" - cgroup2 ") }.map { String($0.split(separator: " ")[4]) }
        // The supervisor keeps the mounts that it was started with.
        let up = try RunningProgram(
            "/usr/bin/unshare",
            [
                "-m", "/bin/sh", "-c",
                "umount -l \(folder ?? "") && exec \(Labctl.folder)/labctl up",
            ], folder: lab.folder, input: "", environment: []
        ).finish()
        try #require(up.status == 0, "\(up.errors)")
        #expect(try controlGroups(of: lab.name).isEmpty)
        try lab.apply("freeze", "a")
        try expect(lab, "one", counts: false)
        try expect(lab, "two", counts: false)
        #expect(try lab.exec("a", "true").errors.contains("node a is frozen: thaw it first"))
        try lab.apply("thaw", "a")
        try expect(lab, "one", counts: true)
        try lab.apply("freeze", "a")
        try lab.apply("kill", "a")
        #expect(try lab.status().node("a").state == "killed")
        try lab.down()
    }
}
