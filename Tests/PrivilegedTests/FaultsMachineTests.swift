import Glibc
import LinuxSystem
import Testing

@Suite(
    "a machine that lacks something, and output that cannot be written: told, and nothing left",
    .enabled(if: geteuid() == 0, "needs root"))
struct FaultsMachineTests {
    private func run(_ script: String, folder: String) throws -> LabctlRun {
        try RunningProgram(
            "/bin/sh", ["-c", script], folder: folder, input: "",
            environment: ["LABCTL=\(Labctl.folder)/labctl"]
        ).finish(within: .seconds(60))
    }

    /// Runs a script in a mount namespace of its own.
    private func runIsolated(_ script: String, folder: String) throws -> LabctlRun {
        try RunningProgram(
            "/usr/bin/unshare", ["-m", "/bin/sh", "-c", script], folder: folder, input: "",
            environment: ["LABCTL=\(Labctl.folder)/labctl"]
        ).finish(within: .seconds(60))
    }

    @Test("a full disk in the run directory: how much there is, and how much it takes")
    func fullDisk() throws {
        let lab = try LabUnderTest("faults-full", oneWebServer)
        let run = try runIsolated(
            "mount -t tmpfs -o mode=755,size=64k tmpfs /run/labctl && $LABCTL up; s=$?;"
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
        let lab = try LabUnderTest("faults-inodes", oneWebServer)
        let run = try runIsolated(
            """
            mount -t tmpfs -o mode=755,nr_inodes=\(count) tmpfs /run/labctl
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
        let lab = try LabUnderTest("faults-descriptors", oneWebServer)
        let run = try run("ulimit -n \(count); $LABCTL up", folder: lab.folder)
        #expect([1, 3].contains(run.status), "\(run.errors)")
        #expect(run.errors.contains("too many open files"), "\(run.errors)")
        try expectNothingLeft(of: lab.name)
    }

    @Test("a program that is not beside labctl is named", arguments: ["node-init", "vrrp-agent"])
    func missingProgram(name: String) throws {
        let lab = try LabUnderTest("faults-programs", oneWebServer)
        let bin = "\(lab.folder)/bin"
        try Labctl.copyPrograms(to: bin, without: name)
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

    /// How `labctl` ends when its standard output is a pipe that nobody reads.
    private func endWithoutReader(_ arguments: [String]) throws -> Termination {
        let pipe = try Pipe.make()
        pipe.readEnd.close()
        let path = "\(Labctl.folder)/labctl"
        let started = try Program(
            path: path, arguments: [path] + arguments, environment: [],
            descriptors: [pipe.writeEnd.rawValue, pipe.writeEnd.rawValue, STDERR_FILENO]
        ).start()
        guard isReadable(started.pidDescriptor.rawValue, for: .seconds(20)) else {
            kill(started.pid, SIGKILL)
            _ = Termination.reap(started.pid)
            throw NodeUnderTest.TimedOut(description: "labctl \(arguments) goes on")
        }
        return try #require(Termination.reap(started.pid)).termination
    }

    @Test(
        "what cannot be printed is an error; a reader that has gone ends labctl as it does others")
    func streams() throws {
        let lab = try LabUnderTest("faults-streams", oneWebServer)
        try lab.up()
        for verb in [
            "status \(labPrefix)faults-streams", "status \(labPrefix)faults-streams --format json",
            "list", "check",
            "events -l \(labPrefix)faults-streams", "--help", "doctor",
        ] {
            let run = try run("$LABCTL \(verb) > /dev/full", folder: lab.folder)
            #expect(run.status == 1, "labctl \(verb)")
            #expect(
                run.errors.hasSuffix("write standard output: no space left on device\n"),
                "labctl \(verb): \(run.errors)")
        }
        for verb in [
            ["events", "-l", lab.name], ["status", lab.name], ["check", lab.folder], ["--help"],
        ] {
            #expect(try endWithoutReader(verb) == .signalled(signal: SIGPIPE), "labctl \(verb)")
        }
        #expect(try run("$LABCTL up 2>&- >&-", folder: lab.folder).status == 5)
        #expect(try run("$LABCTL check <&-", folder: lab.folder).status == 0)
        #expect(try run("$LABCTL status nowhere 2> /dev/full", folder: lab.folder).status == 5)
        #expect(try lab.exec("a", "true").status == 0)
        try lab.down()
    }

    @Test("following ends when the reader goes, though nothing more is printed")
    func followingEnds() throws {
        let lab = try LabUnderTest("faults-follow", oneWebServer)
        try lab.up()
        let run = try run(
            // Descriptor 3 keeps the status of labctl apart from what head reads.
            "{ { $LABCTL events -f -l \(lab.name); echo $? >&3; } | head -n 1 > head; } 3>&1",
            folder: lab.folder)
        #expect(run.output == "141\n", "128 and SIGPIPE")
        #expect(run.errors == "")
        for verb in ["logs", "events"] {
            let end = try endWithoutReader([verb, "-f", "-l", lab.name])
            #expect(end == .signalled(signal: SIGPIPE), "labctl \(verb) -f")
        }
        try lab.down()
    }
}
