import CLinux
import Glibc
import LinuxSystem
import NetworkTypes
import NodeProtocol
import SystemPackage
import Testing

extension NodeInitTests {
    @Suite("Commands run in a node (labctl exec)")
    struct Execute {
        @Test(
            "the exit status is the command's",
            arguments: [
                (["true"], ExecuteReport.exited(status: 0)),
                (["sh", "-c", "exit 42"], .exited(status: 42)),
                (["sh", "-c", "kill -9 $$"], .signalled(signal: SIGKILL)),
            ])
        func status(command: [String], report: ExecuteReport) throws {
            let node = try NodeUnderTest()
            #expect(try node.run(command).report == report)
        }

        @Test("127 when there is no such command, 126 when it cannot be run")
        func cannotStart() throws {
            let node = try NodeUnderTest()
            #expect(
                try node.run(["no-such-command"]).report
                    == .failed(status: 127, reason: "no-such-command: not found"))
            #expect(
                try node.run(["/no/such/command"]).report
                    == .failed(
                        status: 127, reason: "run /no/such/command: no such file or directory"))
            #expect(
                try node.run(["/etc/passwd"]).report
                    == .failed(status: 126, reason: "run /etc/passwd: permission denied"))
            #expect(
                try node.run(["true"], workingDirectory: "/nowhere").report
                    == .failed(
                        status: 126,
                        reason: "enter folder /nowhere for /usr/bin/true: no such file or directory"
                    ))
            #expect(
                try node.run(["true"], user: "nobody-knows").report
                    == .failed(status: 126, reason: "no user nobody-knows in the node"))
        }

        @Test("a script without #! is run by the shell, as execvp does")
        func bareScript() throws {
            let node = try NodeUnderTest()
            _ = try node.shell("echo 'echo ran with $1' > /root/bare; chmod +x /root/bare")
            #expect(try node.run(["/root/bare", "this"]).output == "ran with this\n")
        }

        @Test("standard input, output and error are the client's own")
        func streams() throws {
            let node = try NodeUnderTest()
            let outcome = try node.run(["sh", "-c", "cat; echo wrong >&2"], input: "through\n")
            #expect(outcome.output == "through\n")
            #expect(outcome.errors == "wrong\n")
        }

        @Test("folder, environment and user are as asked for")
        func context() throws {
            let node = try NodeUnderTest(environment: ["COLOUR=blue"])
            #expect(try node.run(["pwd"]).output == "/root\n")
            #expect(try node.run(["pwd"], workingDirectory: "/var").output == "/var\n")
            let script = ["sh", "-c", "echo $COLOUR $TERM $USER $HOME; id -un; pwd"]
            #expect(
                try node.run(script, environment: ["COLOUR=red", "TERM=vt100"]).output
                    == "red vt100 /root\nroot\n/root\n")
            #expect(
                try node.run(script, user: "daemon").output
                    == "blue daemon /usr/sbin\ndaemon\n/usr/sbin\n")
            #expect(try node.run(["id", "-u"], user: "12345").output == "12345\n")
        }

        @Test("a signal of the client's reaches the command and all it started")
        func signal() throws {
            let node = try NodeUnderTest()
            let execution = try node.execute(
                ExecuteRequest(command: ["sh", "-c", "echo ready; sleep 1000; echo not reached"]))
            #expect(try execution.next() == .started)
            #expect(try readText(execution.output!.rawValue, until: "ready") == "ready\n")
            try execution.send(.signal(SIGTERM))
            #expect(try execution.next() == .signalled(signal: SIGTERM))
            #expect(try readText(execution.output!.rawValue).isEmpty)
        }

        @Test("a terminal is the node's own, of the asked size, and controls its session")
        func terminal() throws {
            let node = try NodeUnderTest()
            let execution = try node.execute(
                ExecuteRequest(
                    command: [
                        "sh", "-c", "tty; stty size; stty -echo; echo go; read x; echo got $x",
                    ],
                    environment: ["TERM=xterm"], terminal: .init(rows: 33, columns: 99)))
            #expect(try execution.next() == .started)
            let terminal = try #require(execution.terminal)
            #expect(
                try readText(terminal.rawValue, until: "go\r\n")
                    == "/dev/pts/0\r\n33 99\r\ngo\r\n")
            try FileSystem.writeAll(Array("typed\n".utf8)[...], to: terminal.rawValue, name: "it")
            #expect(try readText(terminal.rawValue) == "got typed\r\n")
            #expect(try execution.next() == .exited(status: 0))
        }

        @Test("with a terminal, ^C and the client's signals go to what is in the foreground")
        func foreground() throws {
            let node = try NodeUnderTest()
            // An interactive shell puts each command into a process group of its own.
            let execution = try node.execute(
                ExecuteRequest(
                    command: ["bash", "--norc", "-i"], environment: ["PS1=> "],
                    terminal: .init(rows: 24, columns: 80)))
            #expect(try execution.next() == .started)
            let terminal = try #require(execution.terminal)
            func type(_ text: String) throws {
                try FileSystem.writeAll(Array(text.utf8)[...], to: terminal.rawValue, name: "it")
            }
            try type("stty -echo; echo quiet-$((1+1))\n")
            _ = try readText(terminal.rawValue, until: "quiet-2")
            // What cat repeats proves that it runs, in the foreground.
            try type("cat\n")
            try type("first\n")
            _ = try readText(terminal.rawValue, until: "first")
            try type("\u{3}")
            // The interrupt flushes what has been typed ahead, so wait for the prompt.
            _ = try readText(terminal.rawValue, until: "> ")
            try type("echo status-$?\n")
            _ = try readText(terminal.rawValue, until: "status-130")
            try type("cat\n")
            try type("second\n")
            _ = try readText(terminal.rawValue, until: "second")
            try execution.send(.signal(SIGTERM))
            _ = try readText(terminal.rawValue, until: "Terminated")
            try type("echo status-$?\n")
            _ = try readText(terminal.rawValue, until: "status-143")
            try type("exit 5\n")
            #expect(try execution.next() == .exited(status: 5))
        }

        @Test("a client that is gone hangs its command up")
        func hangUp() throws {
            let node = try NodeUnderTest()
            let execution = try node.execute(
                ExecuteRequest(
                    command: [
                        "sh", "-c", "trap 'echo hung up > /run/it; exit' HUP; echo go; read x",
                    ],
                    terminal: .init(rows: 24, columns: 80)))
            #expect(try execution.next() == .started)
            _ = try readText(try #require(execution.terminal).rawValue, until: "go")
            execution.disconnect()
            try eventually("it has heard SIGHUP") {
                try node.shell("cat /run/it 2> /dev/null || true") == "hung up\n"
            }
        }

        @Test("a command that ignores the hang-up is killed after the grace")
        func ignoredHangUp() throws {
            let node = try NodeUnderTest()
            let execution = try node.execute(
                ExecuteRequest(command: ["sh", "-c", "trap '' HUP; echo go; exec sleep 1000"]))
            #expect(try execution.next() == .started)
            _ = try readText(execution.output!.rawValue, until: "go")
            let before = MonotonicClock.now
            execution.disconnect()
            try eventually("it is gone") { try node.shell("pgrep -cx sleep || true") == "0\n" }
            #expect(MonotonicClock.now - before > .seconds(1.9), "the grace is 2 s")
        }

        @Test("what a command leaves in the background lives on when it has ended")
        func background() throws {
            let node = try NodeUnderTest()
            _ = try node.shell("sleep 1000 > /dev/null 2>&1 &")
            #expect(try node.shell("pgrep -cx sleep") == "1\n")
        }
    }
}
