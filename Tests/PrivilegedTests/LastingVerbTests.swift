import Glibc
import LinuxSystem
import Testing

/// A node with two services that stay.
private let twoServices = """
    nodes:
      a:
        services:
          one: { kind: command, command: [sleep, infinity] }
          two: { kind: command, command: [sleep, infinity] }
      b: {}
    """

@Suite("What is done to nodes and services for a time", .enabled(if: buildsLabs, "needs root"))
struct LastingVerbTests {
    /// The words of the verbs on the timeline, in order.
    private func verbs(_ lab: LabUnderTest) throws -> [String] {
        try lab.events("control").split(separator: "\n").map { line in
            line.split(separator: " ").suffix(2).joined(separator: " ")
        }
    }

    private func state(_ lab: LabUnderTest, _ service: String) throws -> String? {
        try lab.status().node("a").state(of: service)
    }

    @Test("frozen for a time, then thawed; stopped or killed, then started")
    func takenBack() throws {
        let lab = try LabUnderTest("lv-back", twoServices)
        try lab.up()
        for (verb, target, ending) in [
            ("freeze", "a", "thaw"), ("freeze", "a/one", "thaw"), ("stop", "a/one", "start"),
            ("kill", "a/two", "start"), ("kill", "b", "start"), ("stop", "a", "start"),
        ] {
            try lab.fault(verb, target, "--for", "200ms")
            try eventually("\(verb) \(target) is taken back", within: .seconds(20)) {
                try verbs(lab).last == "\(ending) \(target)"
            }
            try eventually("all is as it was") {
                let nodes = try lab.status().nodes
                let services = try lab.status().node("a").services
                return nodes.allSatisfy { $0.state == "running" }
                    && services.allSatisfy { $0.state == "ready" }
            }
        }
        #expect(try !Labctl.run("status", lab.name).output.contains("frozen"))
        try lab.down()
    }

    @Test("only what is still so is taken back")
    func overtaken() throws {
        let lab = try LabUnderTest("lv-over", twoServices)
        try lab.up()
        try lab.fault("freeze", "a", "--for", "400ms")
        try lab.apply("thaw", "a")
        try lab.apply("freeze", "a")
        try lab.fault("kill", "b", "--for", "400ms")
        try lab.apply("start", "b")
        try lab.apply("kill", "b")
        usleep(1_000_000)
        #expect(try Labctl.run("status", lab.name).output.contains("a     frozen"))
        #expect(try lab.status().node("b").state == "killed")
        try lab.apply("thaw", "a")
        // A node that is down has no service that could be started.
        try lab.fault("stop", "a/one", "--for", "300ms")
        try lab.apply("kill", "a")
        usleep(600_000)
        #expect(try lab.status().node("a").state == "killed")
        #expect(try verbs(lab).last == "kill a")
        try lab.down()
    }

    @Test("a service whose node is frozen when its time is over is started when that is thawed")
    func later() throws {
        let lab = try LabUnderTest("lv-later", twoServices)
        try lab.up()
        try lab.fault("kill", "a/one", "--for", "1500ms")
        try lab.fault("freeze", "a/two", "--for", "1500ms")
        try lab.apply("freeze", "a")
        usleep(1_800_000)
        #expect(try state(lab, "one") == "exited")
        try lab.apply("thaw", "a")
        try eventually("both go on") {
            let status = try Labctl.run("status", lab.name).output
            return try state(lab, "one") == "ready" && !status.contains("frozen")
        }
        try lab.down()
    }

    @Test("in a scenario; and heal thaws what is frozen")
    func scenario() throws {
        let lab = try LabUnderTest(
            "lv-scenario",
            twoServices + """

                scenarios:
                  s:
                    steps:
                      - { freeze: a, for: 200ms }
                      - wait: 500ms
                      - exec: { on: a, command: "true" }
                      - { kill: a/one, for: 100ms }
                      - wait: 500ms
                      - exec: { on: a, command: systemctl is-active one, output: active }
                      - freeze: a
                      - heal: all
                      - exec: { on: a, command: "true" }
                      - freeze: a/two
                      - heal: all
                      - exec: { on: a, command: [sh, -c, "grep -c '(sleep) T' /proc/[0-9]*/stat | grep 1$"], status: 1 }
                      - reboot: b
                """)
        let run = try Labctl.run("test", lab.folder)
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        try expectNothingLeft(of: lab.name)
    }

    @Test("a verb that nothing takes back is given no time")
    func refused() throws {
        let run = try Labctl.run("start", "-l", "none", "a", "--for", "1s")
        #expect(run.status == 2)
        for (arguments, message) in [
            (["restart", "-l", "none", "a", "--clock", "+1h"], "the clock is a service's"),
            (["restart", "-l", "none", "a/web", "--clock", "soon"], "'soon' is no offset"),
        ] {
            let run = try Labctl.start(arguments).finish()
            #expect(run.status == 2 && run.errors.contains(message), "\(run.errors)")
        }
    }
}
