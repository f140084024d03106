import Glibc
import LinuxSystem
import Testing

/// A lab with one node and one web server.
private let web = """
    nodes:
      a:
        files: { /var/www/html/index.html: { text: "this is a" } }
        services: { web: { kind: http } }
    """

@Suite(
    "what goes wrong when a lab is built: a clear message, and nothing left behind",
    .enabled(if: geteuid() == 0, "needs root"))
struct FaultsTests {
    private func run(_ script: String, folder: String) throws -> LabctlRun {
        try RunningProgram(
            "/bin/sh", ["-c", script], folder: folder, input: "",
            environment: ["LABCTL=\(Labctl.folder)/labctl"]
        ).finish(within: .seconds(60))
    }

    // MARK: Names and states

    @Test("up twice: exit status 5, and the lab that runs is unharmed; down twice: there is no lab")
    func twice() throws {
        let lab = try LabUnderTest("faults-twice", web)
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
                lab faults-twice is already up: take it down with `labctl down faults-twice`, or \
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
                == "there is no lab faults-twice: `labctl list` shows those there are\n")
    }

    @Test("the same lab under another name runs beside the first")
    func otherName() throws {
        let lab = try LabUnderTest("faults-first", web)
        try lab.up()
        try lab.up("--name", "faults-second")
        #expect(try Labctl.run("down", "faults-second").status == 0)
        try expectNothingLeft(of: "faults-second")
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
                the network namespace name faults-x-y-z is taken (see `ip netns`): build this lab \
                under another name with `--name`

                """)
        #expect(!FileSystem.exists("/run/labctl/faults-x-y"))
        #expect(try processes(of: "faults-x-y").isEmpty)
        #expect(FileSystem.exists("/run/netns/faults-x-y-z"), "it is the first lab's still")
        try first.down()
        try second.up()
        try second.down()
    }

    @Test("a namespace that somebody else has named stays his")
    func foreignNamespaceName() throws {
        let lab = try LabUnderTest("faults-foreign", web)
        try FileSystem.makeFolders("/run/netns")
        try FileSystem.write([], to: "/run/netns/faults-foreign-a")
        defer { try? FileSystem.remove("/run/netns/faults-foreign-a") }
        #expect(try Labctl.run("up", lab.folder).status == 5)
        #expect(FileSystem.entry("/run/netns/faults-foreign-a") == .file)
        #expect(!FileSystem.exists("/run/labctl/faults-foreign"))
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
                  doomed: { kind: command, command: [sh, -c, "seq 11; echo two >&2; exit 3"] }
            """)
        let run = try Labctl.run("up", lab.folder)
        #expect(run.status == 1)
        let lines = run.errors.split(separator: "\n").map(String.init)
        #expect(lines.first == "service a/doomed ended with exit status 3; the last it printed:")
        // Of two pipes, which is read first is chance; the last ten lines are in it.
        #expect(lines.count == 11)
        #expect(lines.contains("    two") || lines.contains("    11"))
        try expectNothingLeft(of: lab.name)
    }

    @Test("a service killed by a signal, and one whose program is not there")
    func killedOrMissing() throws {
        let killed = try LabUnderTest(
            "faults-killed",
            """
            nodes:
              a: { services: { s: { kind: command, command: [sh, -c, "kill -SEGV $$"] } } }
            """)
        try expectFailure(killed, "service a/s ended with signal 11")
        let missing = try LabUnderTest(
            "faults-missing",
            "nodes: { a: { services: { s: { kind: command, command: /no/such } } } }")
        try expectFailure(missing, "service a/s: run /no/such: no such file or directory")
    }

    @Test("a web server without its folder, and two on one port")
    func webServers() throws {
        let bare = try LabUnderTest(
            "faults-bare", "nodes: { a: { services: { w: { kind: http } } } }")
        try expectFailure(
            bare,
            """
            service a/w: exited with status 1 before it was ready; the last it printed:
                cannot serve /var/www/html: no such file or directory
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
                  s: { kind: command, command: [sh, -c, "echo no; exit 4"], autostart: false }
            """)
        try lab.up()
        let start = try Labctl.run("start", "-l", lab.name, "a/s")
        #expect(start.status == 1)
        #expect(
            start.errors
                == "service a/s ended with exit status 4; the last it printed:\n    no\n")
        #expect(try lab.exec("a", "true").status == 0)
        try lab.down()
    }

    // MARK: The machine

    /// Runs a script in a mount namespace of its own.
    private func runIsolated(_ script: String, folder: String) throws -> LabctlRun {
        try RunningProgram(
            "/usr/bin/unshare", ["-m", "/bin/sh", "-c", script], folder: folder, input: "",
            environment: ["LABCTL=\(Labctl.folder)/labctl"]
        ).finish(within: .seconds(60))
    }

    @Test("a full disk in the run directory: how much there is, and how much it takes")
    func fullDisk() throws {
        let lab = try LabUnderTest("faults-full", web)
        let run = try runIsolated(
            "mount -t tmpfs -o size=64k tmpfs /run/labctl && $LABCTL up; s=$?;"
                + " ls /run/labctl; exit $s",
            folder: lab.folder)
        #expect(run.status == 3)
        #expect(
            run.errors == """
                /run/labctl has 64 KiB free, and a lab needs 1024 KiB there for its timeline and logs

                """)
        #expect(run.output == "", "nothing is left in it")
        try expectNothingLeft(of: lab.name)
    }

    @Test("no inode left, wherever in the building that happens", arguments: 1...7)
    func noInodes(count: Int) throws {
        let lab = try LabUnderTest("faults-inodes", web)
        let run = try runIsolated(
            """
            mount -t tmpfs -o nr_inodes=\(count) tmpfs /run/labctl
            $LABCTL up; s=$?; ls /run/labctl; exit $s
            """, folder: lab.folder)
        #expect(run.status == 3, "\(run.errors)")
        #expect(run.errors.contains(": no space left on device"), "\(run.errors)")
        #expect(run.errors.split(separator: "\n").count == 1)
        #expect(run.output == "", "nothing is left in it")
        try expectNothingLeft(of: lab.name)
    }

    @Test("too few descriptors, wherever that shows", arguments: [6, 8, 10, 12, 14, 16])
    func tooFewDescriptors(count: Int) throws {
        let lab = try LabUnderTest("faults-descriptors", web)
        let run = try run("ulimit -n \(count); $LABCTL up", folder: lab.folder)
        #expect([1, 3].contains(run.status), "\(run.errors)")
        #expect(run.errors.contains("too many open files"), "\(run.errors)")
        try expectNothingLeft(of: lab.name)
    }

    @Test("a program that is not beside labctl is named", arguments: ["node-init", "vrrp-agent"])
    func missingProgram(name: String) throws {
        let lab = try LabUnderTest("faults-programs", web)
        let bin = "\(lab.folder)/bin"
        try FileSystem.makeFolders(bin)
        for program in ["labctl", "node-init", "vrrp-agent", "http-backend"] where program != name {
            #expect(try Labctl.tool("/bin/cp", "\(Labctl.folder)/\(program)", bin).status == 0)
        }
        let run = try RunningProgram(
            "\(bin)/labctl", ["up"], folder: lab.folder, input: "", environment: []
        ).finish()
        #expect(run.status == 3)
        #expect(
            run.errors
                == "\(name) is not in \(bin), where labctl is: build it with `swift build`\n")
        try expectNothingLeft(of: lab.name)
    }

    @Test("keepalived that is not installed: how to get it, and what does without")
    func missingKeepalived() throws {
        let lab = try LabUnderTest(
            "faults-keepalived",
            """
            networks: { lan: { subnet: 10.10.10.0/24 } }
            nodes:
              a:
                interfaces: { eth0: { network: lan } }
                files: { /etc/keepalived/keepalived.conf: a.conf }
                services: { keepalived: { kind: keepalived } }
            """,
            files: ["a.conf": "global_defs {\n    router_id a\n}\n"])
        let run = try runIsolated(
            """
            for f in /usr/local/sbin /usr/sbin /sbin /usr/bin; do
                test -e $f/keepalived && mount --bind /dev/null $f/keepalived
            done
            $LABCTL up
            """, folder: lab.folder)
        #expect(run.status == 3)
        #expect(
            run.errors == """
                keepalived is not installed: apt-get install keepalived, or use `--vrrp vrrp-agent`

                """)
        try expectNothingLeft(of: lab.name)
    }

    // MARK: Streams

    @Test(
        "what cannot be printed is an error; a reader that has gone ends labctl as it does others")
    func streams() throws {
        let lab = try LabUnderTest("faults-streams", web)
        try lab.up()
        for verb in [
            "status faults-streams", "status faults-streams --format json", "list", "check",
            "events -l faults-streams", "--help", "doctor",
        ] {
            let run = try run("$LABCTL \(verb) > /dev/full", folder: lab.folder)
            #expect(run.status == 1, "labctl \(verb)")
            #expect(
                run.errors.hasSuffix("write standard output: no space left on device\n"),
                "labctl \(verb): \(run.errors)")
        }
        // `exec 3>&1` keeps the status of labctl apart from that of head.
        for verb in ["events -l faults-streams", "events -f -l faults-streams"] {
            let run = try run(
                "{ { $LABCTL \(verb); echo $? >&3; } | head -n 1 > head; } 3>&1",
                folder: lab.folder)
            #expect(run.output == "141\n", "128 and SIGPIPE")
            #expect(run.errors == "")
        }
        #expect(try run("$LABCTL up 2>&- >&-", folder: lab.folder).status == 5)
        #expect(try run("$LABCTL check <&-", folder: lab.folder).status == 0)
        #expect(try run("$LABCTL status nowhere 2> /dev/full", folder: lab.folder).status == 5)
        #expect(try lab.exec("a", "true").status == 0)
        try lab.down()
    }

    @Test("following ends when the reader goes, though nothing more is printed")
    func followingEnds() throws {
        let lab = try LabUnderTest("faults-follow", web)
        try lab.up()
        let run = try run(
            "{ { $LABCTL logs -f -l faults-follow; echo $? >&3; } | true; } 3>&1",
            folder: lab.folder)
        #expect(run.output == "141\n")
        try lab.down()
    }
}
