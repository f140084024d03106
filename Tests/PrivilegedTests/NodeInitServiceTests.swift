import CLinux
import Glibc
import LinuxSystem
import NetworkTypes
import NodeProtocol
import SystemPackage
import Testing

extension NodeInitTests {
    @Suite("Services of a node")
    struct Services {
        private func isOver(_ state: NodeReport.ServiceState) -> Bool {
            switch state {
            case .exited, .signalled, .failed: true
            case .running, .ready, .stopping: false
            }
        }

        /// Listens on a TCP port, writes a line and stays.
        private func listener(on port: Int, after seconds: Double = 0) -> String {
            """
            exec python3 -c 'import socket, time
            time.sleep(\(seconds))
            s = socket.socket(socket.AF_INET6); s.bind(("::1", \(port))); s.listen()
            print("listening", flush=True); time.sleep(1000)'
            """
        }

        /// `lo` is brought up by the supervisor, which is this test.
        private func nodeWithLoopback() throws -> NodeUnderTest {
            let node = try NodeUnderTest()
            _ = try node.shell("ip link set lo up")
            return node
        }

        @Test("its output and errors arrive by two pipes, which end with it")
        func output() throws {
            let node = try NodeUnderTest()
            try node.startReady(service("talker", "echo to output; echo to errors >&2"))
            #expect(try node.nextState(of: "talker") == .exited(status: 0))
            let (output, errors) = try node.output(of: "talker")
            #expect(output == "to output\n")
            #expect(errors == "to errors\n")
        }

        @Test("its environment is the node's, with the lab's variables")
        func environment() throws {
            let node = try NodeUnderTest(environment: ["COLOUR=blue", "LANG=C"])
            let usual = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
            let path = "/run/labctl/bin:\(usual)"
            try node.startReady(service("printer", "env | sort; pwd"))
            #expect(try node.nextState(of: "printer") == .exited(status: 0))
            #expect(
                try node.output(of: "printer").output == """
                    COLOUR=blue
                    HOME=/root
                    LABCTL_UNIT=printer
                    LANG=C
                    PATH=\(path)
                    PWD=/root
                    /root

                    """)
        }

        @Test("a program of ours shows in ps under its unit's name; another keeps its own")
        func names() throws {
            let node = try NodeUnderTest(programs: [.init(name: "ours", hostPath: "/bin/sleep")])
            var ours = service("web-1", "")
            ours.command = ["ours", "1000"]
            var theirs = service("other", "")
            theirs.command = ["sleep", "2000"]
            let first = try node.startReady(ours)
            let second = try node.startReady(theirs)
            #expect(
                try node.shell("ps -o comm=,args= -p \(first),\(second) | tr -s ' '")
                    == "web-1 web-1 1000\nsleep sleep 2000\n")
        }

        @Test("a program that is not there is a failure that names it")
        func missingProgram() throws {
            let node = try NodeUnderTest()
            var absent = service("absent", "")
            absent.command = ["no-such-daemon"]
            try node.send(.start(absent))
            let report = try node.nextReport(of: "absent")
            #expect(report.state == .failed("no-such-daemon: not found"))
            #expect(report.outputs.count == 2)
            let status = try node.shell("systemctl status absent || true")
            #expect(status.contains("failed (Result: exit-code)"), "\(status)")
            #expect(status.contains("(code=exited, status=203/EXEC)"), "\(status)")
        }

        @Test("one that dies at once is reported with its status, and what it said")
        func diesAtOnce() throws {
            let node = try NodeUnderTest()
            try node.send(
                .start(
                    service(
                        "dying", "echo port 80 is in use >&2; exit 3", readiness: .tcpPort(80))))
            guard case .running = try node.nextState(of: "dying") else {
                Issue.record("it never ran")
                return
            }
            #expect(try node.nextState(of: "dying") == .exited(status: 3))
            #expect(
                try node.nextState(of: "dying")
                    == .failed("exited with status 3 before it was ready"))
            #expect(try node.output(of: "dying").errors == "port 80 is in use\n")
        }

        @Test("readiness: a TCP port counts once the service itself listens, IPv6 too")
        func tcpReadiness() throws {
            let node = try nodeWithLoopback()
            try node.startReady(
                service("web", listener(on: 80, after: 0.1), readiness: .tcpPort(80)))
            #expect(try node.output(of: "web", until: "listening").output == "listening\n")
        }

        @Test("readiness: another service's listener on the port does not count")
        func strangersPort() throws {
            let node = try nodeWithLoopback()
            try node.startReady(service("web", listener(on: 80), readiness: .tcpPort(80)))
            try node.send(
                .start(
                    service(
                        "second", "exec sleep 1000", readiness: .tcpPort(80),
                        readinessTimeout: .milliseconds(200))))
            #expect(
                try node.states(of: "second", until: isOver).suffix(1)
                    == [.signalled(signal: SIGKILL)])
            #expect(
                try node.nextState(of: "second")
                    == .failed(
                        "not ready after 200 ms: none of its processes listens on TCP port 80"))
        }

        @Test("readiness: a port that a child of the service listens on counts")
        func childsPort() throws {
            let node = try nodeWithLoopback()
            let script = listener(on: 80).replacingFirst("exec ", with: "") + " & wait"
            try node.startReady(service("web", script, readiness: .tcpPort(80)))
        }

        @Test("readiness: a file counts once this start has written it")
        func fileReadiness() throws {
            let node = try NodeUnderTest()
            _ = try node.shell("echo stale > /run/it.pid")
            let specification = service(
                "filer", "sleep 0.1; echo $$ > /run/it.pid; exec sleep 1000",
                readiness: .file("/run/it.pid"))
            let pid = try node.startReady(specification)
            #expect(try node.shell("cat /run/it.pid") == "\(pid)\n")
        }

        @Test("readiness: sd_notify's READY=1 counts, also from a process that is gone at once")
        func notifyReadiness() throws {
            let node = try NodeUnderTest()
            let send = """
                python3 -c 'import os, socket
                s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                s.sendto(b"STATUS=almost", os.environ["NOTIFY_SOCKET"])
                s.sendto(b"STATUS=there\\nREADY=1\\n", os.environ["NOTIFY_SOCKET"])'
                """
            try node.startReady(
                service("notifier", "\(send); exec sleep 1000", readiness: .notify))
        }

        @Test("readiness: a command counts once it exits with 0")
        func commandReadiness() throws {
            let node = try NodeUnderTest()
            try node.startReady(
                service(
                    "slow", "sleep 0.2; touch /run/up; exec sleep 1000",
                    readiness: .command(["test", "-e", "/run/up"])))
            #expect(try node.shell("ls /run/up") == "/run/up\n")
        }

        @Test("restart on-failure: started again after a failure, not after success")
        func restart() throws {
            let node = try NodeUnderTest()
            let script = "if [ -e /run/once ]; then exit 0; fi; touch /run/once; exit 1"
            try node.send(.start(service("phoenix", script, restart: .onFailure)))
            let states = try node.states(of: "phoenix") { $0 == .exited(status: 0) }
            #expect(states.filter { $0 == .ready }.count == 2)
            #expect(states.contains(.exited(status: 1)))
        }

        @Test("a service that keeps dying stays down after five restarts, and says so")
        func restartLimit() throws {
            let node = try NodeUnderTest()
            try node.send(.start(service("hopeless", "exit 7", restart: .always)))
            let states = try node.states(of: "hopeless") { state in
                if case .failed = state { true } else { false }
            }
            #expect(states.filter { $0 == .exited(status: 7) }.count == 6)
            #expect(
                states.last
                    == .failed("died 6 times in a row, the last time it exited with status 7"))
        }

        @Test("stop: SIGTERM, and SIGKILL when the stop timeout is over")
        func stopTimeout() throws {
            let node = try NodeUnderTest()
            let stubborn = service(
                "stubborn", "trap '' TERM; echo armed; while true; do sleep 0.01; done",
                stopTimeout: .milliseconds(200))
            try node.startReady(stubborn)
            _ = try node.output(of: "stubborn", until: "armed")
            try node.send(.stop(service: "stubborn"))
            let stopping = try node.nextReport(of: "stubborn")
            let ended = try node.nextReport(of: "stubborn")
            #expect(stopping.state == .stopping)
            #expect(ended.state == .signalled(signal: SIGKILL))
            #expect(ended.time - stopping.time >= .milliseconds(200))
        }

        @Test("start, stop and start again: it runs, with new pipes")
        func startAgain() throws {
            let node = try NodeUnderTest()
            let specification = service("again", "echo here; exec sleep 1000")
            let first = try node.startReady(specification)
            try node.send(.stop(service: "again"))
            #expect(try node.states(of: "again", until: isOver).last == .signalled(signal: SIGTERM))
            let second = try node.startReady(specification)
            #expect(second != first)
            #expect(try node.output(of: "again", until: "here").output == "here\n")
        }

        @Test("kill takes every process of the service, its own sessions and orphans included")
        func kill() throws {
            let node = try NodeUnderTest()
            try node.startReady(
                service(
                    "family",
                    """
                    trap '' TERM
                    sleep 1001 & setsid sleep 1002 &
                    (setsid sleep 1003 &)
                    wait
                    """))
            try eventually("all of them run") {
                try node.shell("pgrep -cx sleep || true") == "3\n"
            }
            try node.send(.kill(service: "family"))
            #expect(try node.nextState(of: "family") == .signalled(signal: SIGKILL))
            try eventually("none of them runs") {
                try node.shell("pgrep -cx sleep || true") == "0\n"
            }
        }

        @Test("when its main process ends, what it left behind is ended as well")
        func leftBehind() throws {
            let node = try NodeUnderTest()
            try node.startReady(service("parent", "sleep 1000 & exit 0"))
            #expect(try node.nextState(of: "parent") == .exited(status: 0))
            try eventually("the child is gone") {
                try node.shell("pgrep -cx sleep || true") == "0\n"
            }
        }

        @Test("starting what runs is answered by its state, stopping what does not by its end")
        func answers() throws {
            let node = try NodeUnderTest()
            let specification = service("one", "exec sleep 1000")
            try node.startReady(specification)
            try node.send(.start(specification))
            #expect(try node.nextState(of: "one") == .ready)
            try node.send(.kill(service: "one"))
            #expect(try node.nextState(of: "one") == .signalled(signal: SIGKILL))
            try node.send(.stop(service: "one"))
            #expect(try node.nextState(of: "one") == .signalled(signal: SIGKILL))
            try node.send(.stop(service: "never"))
            #expect(try node.nextState(of: "never") == .failed("it was never started"))
        }

        @Test(
            "the real keepalived runs and stops cleanly, none of its processes left",
            .enabled(if: FileSystem.exists("/usr/sbin/keepalived"), "needs keepalived"))
        func keepalived() throws {
            let configuration = """
                vrrp_instance VI_1 {
                    state BACKUP
                    interface eth0
                    virtual_router_id 51
                    priority 255
                    virtual_ipaddress {
                        10.10.10.10
                    }
                }
                """
            let node = try NodeUnderTest(files: [
                .init(
                    path: "/etc/keepalived/keepalived.conf", contents: Array(configuration.utf8),
                    mode: 0o644)
            ])
            // A loopback interface would not do: keepalived refuses it, and is gone again a moment
            // after it has written its pid file.
            _ = try node.shell(
                """
                ip link add eth0 type veth peer name eth1
                ip link set eth1 up
                ip link set eth0 up
                ip address add 10.10.10.1/24 dev eth0
                """)
            var daemon = service("keepalived", "", readiness: .file("/run/keepalived.pid"))
            daemon.command = ["keepalived", "-n", "-l", "-P"]
            try node.startReady(daemon)
            // Its pid file is there before it handles signals: a stop would kill it as it is.
            try eventually("it has its address") {
                try node.shell("ip -br address show dev eth0").contains("10.10.10.10")
            }
            try node.send(.stop(service: "keepalived"))
            #expect(
                try node.states(of: "keepalived", until: isOver) == [.stopping, .exited(status: 0)])
            try node.startReady(daemon)
            try node.send(.kill(service: "keepalived"))
            #expect(try node.nextState(of: "keepalived") == .signalled(signal: SIGKILL))
            try eventually("no keepalived is left") {
                try node.shell("pgrep -c keepalived || true") == "0\n"
            }
        }
    }
}

extension String {
    fileprivate func replacingFirst(_ text: String, with other: String) -> String {
        hasPrefix(text) ? other + dropFirst(text.count) : self
    }
}
