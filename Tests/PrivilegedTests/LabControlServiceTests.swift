import Glibc
import LinuxSystem
import Testing

@Suite(
    "start, stop, restart and kill of services", .serialized,
    .enabled(if: buildsLabs, "needs root"))
struct LabControlServiceTests {
    private static let lab = """
        nodes:
          one:
            files:
              /var/www/html/index.html: { text: "here\\n" }
              /scripts/slow.sh:
                mode: "0755"
                text: |
                  #!/bin/sh
                  trap 'echo leaving; sleep 0.1; exit 0' TERM
                  echo came
                  touch /run/slow
                  while :; do sleep 0.05; done
            services:
              web: { kind: http }
              slow: { kind: command, command: [ /scripts/slow.sh ], ready: { file: /run/slow } }
              stuck:
                kind: command
                command: [ sleep, infinity ]
                ready: { file: /run/never }
                autostart: false
              broken:
                kind: command
                command: [ sh, -c, "echo no luck; exit 3" ]
                ready: { file: /run/never }
                autostart: false
              chatty: { kind: command, command: [ yes ], autostart: false }

        """
    private static let fetch =
        "exec 3<>/dev/tcp/127.0.0.1/80 && printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3"
    private let lab: LabUnderTest

    init() throws {
        lab = try LabUnderTest("lb-service", Self.lab)
        try lab.up()
    }

    private func fetch() throws -> LabctlRun { try lab.exec("one", "bash", "-c", Self.fetch) }

    @Test("kill ends a service at once and leaves the node; start brings it back")
    func killAndStart() throws {
        #expect(try fetch().output.hasSuffix("\r\n\r\nhere\n"))
        let pid = try lab.status().node("one").pid
        try lab.apply("kill", "one/web")
        #expect(try fetch().status != 0)
        #expect(try lab.status().node("one").state(of: "web") == "exited")
        #expect(try Labctl.run("status", lab.name).output.contains("web ended (signal 9)"))
        let again = try Labctl.run("kill", "-l", lab.name, "one/web")
        #expect(again.status == 5)
        #expect(again.errors == "service one/web is not running\n")
        try lab.apply("start", "one/web")
        #expect(try fetch().output.hasSuffix("here\n"))
        try lab.apply("start", "one/web")
        #expect(try lab.status().node("one").pid == pid)
    }

    @Test("stop lets a service leave in its own way; restart gives it a new process")
    func stopAndRestart() throws {
        try lab.apply("stop", "one/slow")
        #expect(try lab.status().node("one").state(of: "slow") == "exited")
        let logs = try Labctl.run("logs", "-l", lab.name, "one/slow")
        #expect(logs.output == "came\nleaving\n")
        try lab.apply("stop", "one/slow")
        try lab.apply("start", "one/slow")
        try lab.apply("restart", "one/slow")
        #expect(try lab.status().node("one").state(of: "slow") == "ready")
        let all = try Labctl.run("logs", "-l", lab.name, "one/slow").output
        #expect(all == "came\nleaving\ncame\nleaving\ncame\n")
    }

    @Test("start of a service that dies says what it printed, and the lab stays")
    func startFails() throws {
        let run = try Labctl.run("start", "-l", lab.name, "one/broken")
        #expect(run.status == 1)
        #expect(
            run.errors.contains("one/broken: exited with status 3 before it was ready"),
            "\(run.errors)")
        #expect(run.errors.contains("no luck"), "\(run.errors)")
        #expect(try fetch().status == 0)
    }

    @Test(
        "whoever waits for a service that never gets ready is told when it, or its node, is killed")
    func killWhileStarting() throws {
        for target in ["one/stuck", "one"] {
            let start = try Labctl.start(["start", "-l", lab.name, "one/stuck"])
            try eventually("it is starting") {
                try lab.status().node("one").state(of: "stuck") == "running"
            }
            try lab.apply("kill", target)
            let run = try start.finish(within: .seconds(20))
            #expect(run.status == 1, "after kill of \(target)")
            #expect(run.errors.contains("one"), "\(run.errors)")
        }
        try lab.apply("start", "one")
        #expect(try fetch().status == 0)
    }

    @Test("a stop given while a service starts ends it")
    func stopWhileStarting() throws {
        let start = try Labctl.start(["start", "-l", lab.name, "one/stuck"])
        try eventually("it is starting") {
            try lab.status().node("one").state(of: "stuck") == "running"
        }
        try lab.apply("stop", "one/stuck")
        #expect(try start.finish(within: .seconds(20)).status == 1)
        #expect(try lab.status().node("one").state(of: "stuck") == "exited")
    }

    @Test("a service that prints without end keeps the supervisor from nothing")
    func endlessOutput() throws {
        try lab.apply("start", "one/chatty")
        let log = "\(runFolder)/\(lab.name)/output/one/chatty.log"
        try eventually("it has printed a megabyte") {
            FileSystem.exists(log + ".1") || ((try? FileSystem.read(log)) ?? []).count > 1 << 20
        }
        #expect(["running", "ready"].contains(try lab.status().node("one").state(of: "chatty")))
        #expect(try fetch().output.hasSuffix("here\n"))
        try lab.apply("stop", "one/chatty")
        #expect(try lab.status().node("one").state(of: "chatty") == "exited")
    }
}
