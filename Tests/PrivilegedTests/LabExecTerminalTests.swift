import CLinux
import Glibc
import LinuxSystem
import Testing

@Suite(
    "exec -t and shell: a terminal in a node", .serialized,
    .enabled(if: buildsLabs, "needs root"))
struct LabExecTerminalTests {
    private let lab: LabUnderTest

    init() throws {
        lab = try LabUnderTest("lb-terminal", "nodes: { box: {} }\n")
        try lab.up()
    }

    private func session(_ arguments: [String], _ command: [String]) throws -> TerminalSession {
        try TerminalSession(["exec", "-l", lab.name] + arguments + ["box", "--"] + command)
    }

    @Test("the command has a terminal of the node's own, as large as the user's")
    func terminal() throws {
        let session = try session([], ["sh", "-c", "tty; stty size; echo $TERM; exit 5"])
        let (status, text) = try session.end()
        #expect(status == 5)
        #expect(text.contains("/dev/pts/0\r\n41 97\r\nxterm\r\n"), "\(text.debugDescription)")
        #expect(session.isCooked)
    }

    @Test("without -t there is none; with it there is one though standard output is a pipe")
    func choice() throws {
        let without = try session(["--no-tty"], ["sh", "-c", "tty <&1; [ -t 1 ]"]).end()
        #expect(!without.text.contains("/dev/pts/0\r\n"), "\(without.text)")
        let forced = try Labctl.run("exec", "-t", "-l", lab.name, "box", "tty")
        #expect(forced.output == "/dev/pts/0\r\n")
        let piped = try Labctl.run("exec", "-l", lab.name, "box", "tty")
        #expect(piped.output == "not a tty\n")
        #expect(piped.status == 1)
    }

    @Test("what is typed arrives, control characters act in the node, and a resize is told")
    func typing() throws {
        let script = """
            trap 'echo size $(stty size)' WINCH; trap 'echo interrupted; stop=1' INT; echo up
            while [ -z "$stop" ]; do sleep 0.02; done; read line; echo got $line; cat; exit 3
            """
        let session = try session([], ["sh", "-c", script])
        try session.read(until: "up\r\n")
        #expect(!session.isCooked)
        try session.resize(rows: 50, columns: 132)
        try session.read(until: "size 50 132")
        try session.type("\u{3}")
        try session.read(until: "interrupted")
        try session.type("words\r")
        try session.read(until: "got words")
        try session.type("\u{4}")
        #expect(try session.end().status == 3)
        #expect(session.isCooked)
    }

    @Test("the terminal is as before also when the node dies, or labctl is told to end")
    func restored() throws {
        let command = ["sh", "-c", "echo up; exec sleep 4720"]
        let ended = try session([], command)
        try ended.read(until: "up")
        ended.signal(SIGTERM)
        #expect(try ended.end().status == 143)
        #expect(ended.isCooked)
        let orphan = try session([], command)
        try orphan.read(until: "up")
        try lab.apply("kill", "box")
        let (status, text) = try orphan.end()
        #expect(status == 137)
        #expect(text.contains("the node is gone"))
        #expect(orphan.isCooked)
    }

    @Test("a command on a terminal that is closed is hung up")
    func hungUp() throws {
        let session = try session([], ["sh", "-c", "echo up; exec sleep 4721"])
        try session.read(until: "up")
        session.signal(SIGKILL)
        #expect(try session.end().status == 137)
        try eventually("sleep is gone") {
            try lab.shell("box", "pgrep -fcx 'sleep 4721' || true") == "0\n"
        }
    }

    @Test("10 MB through a terminal arrive whole")
    func large() throws {
        let script = """
            \(Labctl.folder)/labctl exec -t -l \(lab.name) box -- \
              sh -c 'stty -opost; yes | head -c 10485760' < /dev/null | cmp - <(yes | head -c 10485760)
            """
        let run = try Labctl.tool("/bin/bash", "-c", script)
        #expect(run.status == 0, "\(run.output)\(run.errors)")
    }

    @Test("shell says which node of which lab it is, and passes its exit status on")
    func shell() throws {
        let session = try TerminalSession(["shell", "-l", lab.name, "box"])
        try session.read(until: "[root@box (\(labPrefix)lb-terminal) ~]# ")
        try session.type("cd /tmp\r")
        try session.read(until: "[root@box (\(labPrefix)lb-terminal) tmp]# ")
        try session.type("alias\r")
        try session.read(until: "alias ll='ls -l --color=auto'")
        try session.type("sleep 100 & jobs; exit 6\r")
        let (status, text) = try session.end()
        #expect(status == 6)
        #expect(text.contains("Running"), "job control: \(text)")
        #expect(session.isCooked)
    }
}
