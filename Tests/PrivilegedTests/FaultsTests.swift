import Glibc
import LinuxSystem
import Testing

/// A lab with one node and one web server.
let oneWebServer = """
    nodes:
      a:
        files: { /var/www/html/index.html: { text: "this is a" } }
        services: { web: { kind: http } }
    """

@Suite(
    "what goes wrong when a lab is built: a clear message, and nothing left behind",
    .enabled(if: buildsLabs, "needs root"))
struct FaultsTests {
    // MARK: Names and states

    @Test("up twice: exit status 5, and the lab that runs is unharmed; down twice: there is no lab")
    func twice() throws {
        let lab = try LabUnderTest("faults-twice", oneWebServer)
        try lab.up()
        let before = try processes(of: lab.name)
        #expect(before.count >= 3)
        for arguments in [["up", lab.folder], ["test", lab.folder]] {
            let second = try Labctl.start(arguments).finish()
            #expect(second.status == 5, "\(second.errors)")
        }
        let second = try Labctl.run("up", lab.folder)
        #expect(
            second.errors == """
                lab \(labPrefix)faults-twice is already up: take it down with `labctl down \(labPrefix)faults-twice`, or \
                build this one under another name with `--name`

                """)
        #expect(try processes(of: lab.name) == before)
        let answer = try lab.exec("a", "cat", "/var/www/html/index.html")
        #expect(answer.output == "this is a")
        try lab.down()
        let again = try Labctl.run("down", lab.name)
        #expect(again.status == 5)
        #expect(
            again.errors
                == "there is no lab \(labPrefix)faults-twice: `labctl list` shows those there are\n"
        )
    }

    @Test("the same lab under another name runs beside the first")
    func otherName() throws {
        let lab = try LabUnderTest("faults-first", oneWebServer)
        try lab.up()
        try lab.up("--name", "\(labPrefix)faults-second")
        #expect(try Labctl.run("down", "\(labPrefix)faults-second").status == 0)
        try expectNothingLeft(of: "\(labPrefix)faults-second")
        #expect(try lab.exec("a", "true").status == 0)
        try lab.down()
    }

    @Test("labs whose nodes would have one name in /run/netns: the second is refused")
    func collidingNodeNames() throws {
        let first = try LabUnderTest("faults-x", "nodes: { y-z: {} }")
        let second = try LabUnderTest("faults-x-y", "nodes: { z: {} }")
        try first.up()
        let run = try Labctl.run("up", second.folder)
        #expect(run.status == 5)
        #expect(
            run.errors == """
                the network namespace name \(labPrefix)faults-x-y-z is taken (see `ip netns`): build this lab \
                under another name with `--name`

                """)
        #expect(!FileSystem.exists("\(runFolder)/\(labPrefix)faults-x-y"))
        #expect(try processes(of: "\(labPrefix)faults-x-y").isEmpty)
        #expect(
            FileSystem.exists("/run/netns/\(labPrefix)faults-x-y-z"), "it is the first lab's still")
        try first.down()
        try second.up()
        try second.down()
    }

    @Test("a namespace that somebody else has named stays his")
    func foreignNamespaceName() throws {
        let lab = try LabUnderTest("faults-foreign", oneWebServer)
        try FileSystem.makeFolders("/run/netns")
        try FileSystem.write([], to: "/run/netns/\(labPrefix)faults-foreign-a")
        defer { try? FileSystem.remove("/run/netns/\(labPrefix)faults-foreign-a") }
        #expect(try Labctl.run("up", lab.folder).status == 5)
        #expect(FileSystem.entry("/run/netns/\(labPrefix)faults-foreign-a") == .file)
        #expect(!FileSystem.exists("\(runFolder)/\(labPrefix)faults-foreign"))
    }

    // MARK: Services

    /// Expects that `up` fails with this message.
    private func expectFailure(_ lab: LabUnderTest, _ message: String) throws {
        let run = try Labctl.run("up", lab.folder)
        #expect(run.status == 1)
        #expect(run.errors == message + "\n")
        try expectNothingLeft(of: lab.name)
    }

    @Test("a service that dies at once: how it ended, and the last it printed")
    func dyingService() throws {
        let lab = try LabUnderTest(
            "faults-dies",
            """
            nodes:
              a:
                services:
                  doomed:
                    kind: command
                    command: [sh, -c, "seq 11; echo two >&2; exit 3"]
                    ready: notify
            """)
        let run = try Labctl.run("up", lab.folder)
        #expect(run.status == 1)
        let lines = run.errors.split(separator: "\n").map(String.init)
        #expect(
            lines.first == """
                service a/doomed: exited with status 3 before it was ready; the last it printed:
                """)
        // Of two pipes, which is read first is chance; the last ten lines are in it.
        #expect(lines.count == 11)
        #expect(lines.contains("    two") || lines.contains("    11"))
        try expectNothingLeft(of: lab.name)
    }

    @Test("one that has nothing to get ready for, and one killed by a signal before it was ready")
    func deadOnArrival() throws {
        let ended = try LabUnderTest(
            "faults-false",
            "nodes: { a: { services: { s: { kind: command, command: /bin/false } } } }")
        try expectFailure(ended, "service a/s ended with exit status 1")
        let killed = try LabUnderTest(
            "faults-killed",
            """
            nodes:
              a:
                services:
                  s: { kind: command, command: [sh, -c, "kill -SEGV $$"], ready: notify }
            """)
        try expectFailure(killed, "service a/s: ended by signal 11 before it was ready")
    }

    @Test("one whose program is not there")
    func missingServiceProgram() throws {
        let missing = try LabUnderTest(
            "faults-missing",
            "nodes: { a: { services: { s: { kind: command, command: /no/such } } } }")
        try expectFailure(
            missing,
            """
            service a/s: run /no/such: no such file or directory; the last it printed:
                s.service: Failed at step EXEC spawning /no/such: No such file or directory
            """)
    }

    @Test("a web server without its folder, and two on one port")
    func webServers() throws {
        let bare = try LabUnderTest(
            "faults-bare",
            "nodes: { a: { services: { w: { kind: http, arguments: [--root, /srv/none] } } } }")
        try expectFailure(
            bare,
            """
            service a/w: exited with status 1 before it was ready; the last it printed:
                cannot serve /srv/none: no such file or directory
            """)
        let two = try LabUnderTest(
            "faults-port",
            """
            nodes:
              a:
                files: { /var/www/html/index.html: { text: x } }
                services: { one: { kind: http }, two: { kind: http } }
            """)
        let run = try Labctl.run("up", two.folder)
        #expect(run.status == 1)
        // Whichever comes second.
        let names = ["one", "two"]
        #expect(
            names.contains { name in
                run.errors == """
                    service a/\(name): exited with status 1 before it was ready; the last it printed:
                        cannot listen on [::]:80: address already in use

                    """
            }, "\(run.errors)")
        try expectNothingLeft(of: two.name)
    }

    @Test("a command that ends with 0 is done, and the lab is up")
    func oneShot() throws {
        let lab = try LabUnderTest(
            "faults-oneshot",
            """
            nodes:
              a: { services: { once: { kind: command, command: [sh, -c, "echo made it"] } } }
            """)
        try lab.up()
        let logs = try Labctl.run("logs", "-l", lab.name, "a/once")
        #expect(logs.output == "made it\n")
        let status = try Labctl.run("status", lab.name)
        #expect(status.output.contains("once stopped"))
        try lab.down()
    }

    @Test("a service that fails at first and is restarted is waited for")
    func restarted() throws {
        let lab = try LabUnderTest(
            "faults-restarted",
            """
            nodes:
              a:
                services:
                  second-try:
                    kind: command
                    restart: on-failure
                    command: [sh, -c, "test -e /tmp/tried || { touch /tmp/tried; exit 1; }; sleep 999"]
            """)
        try lab.up()
        #expect(try lab.exec("a", "test", "-e", "/tmp/tried").status == 0)
        try lab.down()
    }

    @Test(
        "a service that never gets ready is given up after 20 s, and says what was missing",
        .enabled(if: getenv("LABCTL_TEST_FULL") != nil, "long: scripts/test --full runs it"))
    func neverReady() throws {
        let lab = try LabUnderTest(
            "faults-never",
            """
            nodes:
              a:
                services:
                  s: { kind: command, command: [sleep, "999"], ready: { port: 99 } }
            """)
        try expectFailure(
            lab,
            """
            service a/s: not ready after 20000 ms: none of its processes listens on TCP port 99
            """)
    }

    @Test("start of a service that dies says so as up does; the lab stays")
    func startOfDyingService() throws {
        let lab = try LabUnderTest(
            "faults-start",
            """
            nodes:
              a:
                services:
                  s:
                    kind: command
                    command: [sh, -c, "echo no; exit 4"]
                    ready: notify
                    autostart: false
            """)
        try lab.up()
        let start = try Labctl.run("start", "-l", lab.name, "a/s")
        #expect(start.status == 1)
        #expect(
            start.errors
                == """
                service a/s: exited with status 4 before it was ready; the last it printed:
                    no

                """)
        #expect(try lab.exec("a", "true").status == 0)
        try lab.down()
    }
}
