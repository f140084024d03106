import CLinux
import Glibc
import LinuxSystem
import Testing

@Suite(
    "exec: a command in a node behaves as one on this side", .serialized,
    .enabled(if: buildsLabs, "needs root"))
struct LabExecTests {
    private static let yaml = """
        nodes:
          box: { environment: { GREETING: hello, COLOR: red } }
          other: {}

        """
    private let lab: LabUnderTest

    init() throws {
        lab = try LabUnderTest("lb-exec", Self.yaml)
        try lab.up()
    }

    private func start(
        _ options: [String] = [], _ command: [String], input: String = "", node: String = "box"
    ) throws -> RunningProgram {
        try Labctl.start(
            ["exec", "-l", lab.name] + options + [node, "--"] + command, input: input)
    }

    /// How many processes of the node have that command line.
    private func count(_ command: String) throws -> Int {
        Int(try lab.shell("box", "pgrep -fcx '\(command)' || true").dropLast()) ?? -1
    }

    @Test(
        "the exit status is the command's, or says why there is none",
        arguments: [
            (["true"], 0, ""), (["sh", "-c", "exit 7"], 7, ""),
            (["sh", "-c", "exit 255"], 255, ""),
            (["sh", "-c", "kill -TERM $$"], 143, ""), (["sh", "-c", "kill -KILL $$"], 137, ""),
            (["no-such-program"], 127, "no-such-program: not found\n"),
            (["/no/such/program"], 127, "no such file or directory\n"),
            (["/etc/passwd"], 126, "permission denied\n"), (["/tmp"], 126, "permission denied\n"),
        ])
    func status(command: [String], status: Int32, message: String) throws {
        let run = try start([], command).finish()
        #expect(run.status == status)
        #expect(run.errors.hasSuffix(message), "\(run.errors)")
        #expect(run.errors.isEmpty == message.isEmpty)
        #expect(run.output.isEmpty)
    }

    @Test("labctl's own failures are 125")
    func ownFailures() throws {
        let noNode = try start([], ["true"], node: "nobody").finish()
        #expect(noNode.status == 125)
        #expect(noNode.errors.contains("no node nobody: its nodes are box, other"))
        let noLab = try Labctl.run("exec", "-l", "lb-nowhere", "box", "true")
        #expect(noLab.status == 125)
        #expect(noLab.errors.contains("there is no lab lb-nowhere"))
    }

    @Test("standard output and error stay apart, and standard input reaches the command and ends")
    func streams() throws {
        let run = try start([], ["sh", "-c", "cat; echo out; echo err >&2"], input: "in\n").finish()
        #expect(run.output == "in\nout\n")
        #expect(run.errors == "err\n")
        let without = try start(["--no-interactive"], ["cat"], input: "in\n").finish()
        #expect(without.output.isEmpty)
    }

    @Test("10 MB go through unchanged, in and out")
    func large() throws {
        let labctl = "\(Labctl.folder)/labctl exec -l \(lab.name) box --"
        let script = """
            set -eu; cd "$(mktemp -d)"; head -c 10485760 /dev/urandom > sent
            cat sent | \(labctl) cat | cmp - sent
            \(labctl) sha256sum < sent > inside; sha256sum < sent | cmp - inside
            \(labctl) sh -c 'head -c 10485760 /dev/zero; head -c 1048576 /dev/zero >&2' 2> errors | wc -c
            wc -c < errors; rm -r "$PWD"
            """
        let run = try Labctl.tool("/bin/sh", "-c", script)
        #expect(run.status == 0)
        #expect(run.output == "10485760\n1048576\n")
        #expect(run.errors.isEmpty, "\(run.errors)")
    }

    @Test("a reader that goes away ends the command, not labctl's honesty")
    func readerGoesAway() throws {
        let script = """
            \(Labctl.folder)/labctl exec -l \(lab.name) box -- yes | head -n 1; echo ${PIPESTATUS[0]}
            """
        // SIGPIPE is 13: the command's end, passed on.
        #expect(try Labctl.tool("/bin/bash", "-c", script).output == "y\n141\n")
    }

    @Test("-e, -w and -u set environment, folder and user; the rest is the node's")
    func options() throws {
        let options = ["-e", "COLOR=blue", "-e", "EXTRA=a b", "-w", "/usr", "-u", "daemon"]
        let script = "pwd; id -un; id -gn; echo $GREETING $COLOR $EXTRA; hostname"
        #expect(
            try start(options, ["sh", "-c", script]).finish().output
                == "/usr\ndaemon\ndaemon\nhello blue a b\nbox\n")
        #expect(
            try start([], ["sh", "-c", "pwd; id -u; echo $COLOR; echo $HOME"]).finish().output
                == "/root\n0\nred\n/root\n")
        #expect(try start(["-u", "65534"], ["id", "-u"]).finish().output == "65534\n")
        let noUser = try start(["-u", "nosuch"], ["id"]).finish()
        #expect(noUser.status == 126)
        #expect(noUser.errors == "no user nosuch in the node\n")
        #expect(try start(["-w", "/nosuch"], ["id"]).finish().status == 126)
    }

    @Test(
        "signals are passed on to the command",
        arguments: [
            (SIGINT, "INT"), (SIGTERM, "TERM"), (SIGHUP, "HUP"), (SIGQUIT, "QUIT"),
            (SIGUSR1, "USR1"),
        ])
    func signals(number: Int32, name: String) throws {
        let script =
            "trap 'echo got \(name); exit 9' \(name); echo ready; while :; do sleep 0.02; done"
        let running = try start([], ["sh", "-c", script])
        _ = try running.awaitOutput("ready\n")
        running.signal(number)
        let run = try running.finish(within: .seconds(20))
        #expect(run.output == "ready\ngot \(name)\n")
        #expect(run.status == 9)
        let plain = try start([], ["sh", "-c", "echo ready; exec sleep 4711"])
        _ = try plain.awaitOutput("ready\n")
        plain.signal(number)
        #expect(try plain.finish(within: .seconds(20)).status == 128 + number)
        #expect(try count("sleep 4711") == 0)
    }

    @Test("when labctl exec is killed, its command and what that started are killed too")
    func clientKilled() throws {
        let running = try start(
            [], ["sh", "-c", "sleep 4712 & trap '' HUP; echo ready; sleep 4713"])
        _ = try running.awaitOutput("ready\n")
        #expect(try count("sleep 471[23]") == 2)
        running.signal(SIGKILL)
        #expect(try running.finish().status == 137)
        try eventually("its processes are gone") { try count("sleep 471[23]") == 0 }
    }

    @Test("a command whose node is killed, stopped or taken down with the lab ends with it")
    func nodeGone() throws {
        for verb in ["kill", "stop"] {
            let running = try start([], ["sh", "-c", "echo ready; sleep 4714"])
            _ = try running.awaitOutput("ready\n")
            try lab.apply(verb, "box")
            let run = try running.finish(within: .seconds(20))
            #expect(run.status == 137 || (verb == "stop" && run.status == 143), "\(run.status)")
            try lab.apply("start", "box")
        }
        let last = try start([], ["sh", "-c", "echo ready; sleep 4715"])
        _ = try last.awaitOutput("ready\n")
        try lab.down()
        let run = try last.finish(within: .seconds(20))
        #expect(run.status == 137)
        #expect(run.errors == "the node is gone\n")
    }

    @Test("a hundred commands at once, and none is left in the node")
    func many() throws {
        let running = try (0..<100).map {
            try start([], ["sh", "-c", "cat; exit \($0)"], input: "\($0)")
        }
        for (number, program) in running.enumerated() {
            let run = try program.finish()
            #expect(run.status == Int32(number))
            #expect(run.output == "\(number)")
        }
        #expect(
            try lab.shell("box", "ps -eo args --no-headers | grep -vc 'ps \\|grep\\|sh -c'")
                == "1\n")
        #expect(try processes(of: lab.name).count == 3)
    }
}
