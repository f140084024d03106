import CLinux
import Glibc
import LinuxSystem
import NetworkTypes
import NodeProtocol
import SystemPackage
import Testing

extension NodeInitTests {
    @Suite("systemctl and its kin in a node")
    struct Units {
        /// A web server that says when it is ready, and a unit that does not start by itself.
        private static var units: [ServiceSpecification] {
            var web = service("httpd", "echo listening; exec sleep 1000")
            web.aliases = ["apache2"]
            web.description = "a web server"
            var spare = service("spare", "exec sleep 1000")
            spare.startsWithNode = false
            return [web, spare]
        }

        /// How a command of the node ended, and all it printed.
        private func run(_ node: NodeUnderTest, _ line: String) throws -> (Int32, String) {
            let outcome = try node.run(["sh", "-c", "exec 2>&1; \(line)"])
            guard case .exited(let status) = outcome.report else { return (-1, "\(outcome)") }
            return (status, outcome.output)
        }

        @Test("start, status, restart, kill and stop, by name and alias, from any path")
        func life() throws {
            let node = try NodeUnderTest(services: Self.units)
            #expect(node.enabled == ["httpd"])
            #expect(try run(node, "systemctl is-active httpd") == (3, "inactive\n"))
            #expect(try run(node, "systemctl start httpd.service") == (0, ""))
            guard case .running(let first) = try node.nextState(of: "httpd") else {
                Issue.record("it was not told to run")
                return
            }
            #expect(try node.nextState(of: "httpd") == .ready)
            #expect(try run(node, "/bin/systemctl is-active apache2") == (0, "active\n"))
            let (status, text) = try run(node, "/usr/bin/systemctl status apache2")
            #expect(status == 0)
            #expect(text.hasPrefix("● httpd.service - a web server\n     Loaded: loaded ("))
            #expect(text.contains("\n     Active: active (running) since "))
            #expect(text.contains("\n   Main PID: \(first) (s"))  // sh, or sleep by now

            #expect(try run(node, "service apache2 restart") == (0, ""))
            #expect(try node.nextState(of: "httpd") == .stopping)
            #expect(try node.nextState(of: "httpd") == .signalled(signal: SIGTERM))
            guard case .running(let second) = try node.nextState(of: "httpd") else {
                Issue.record("it does not run again")
                return
            }
            #expect(second != first)
            #expect(try node.nextState(of: "httpd") == .ready)
            #expect(try run(node, "systemctl kill -s KILL httpd") == (0, ""))
            #expect(try node.nextState(of: "httpd") == .signalled(signal: SIGKILL))
            #expect(try run(node, "systemctl is-active httpd") == (3, "failed\n"))
            #expect(
                try run(node, "systemctl status httpd").1.contains(
                    "   Main PID: \(second) (code=killed, signal=KILL)\n"))
            #expect(try run(node, "systemctl stop spare") == (0, ""))
            #expect(try run(node, "systemctl start nginx").0 == 5)
        }

        @Test("a start waits until the service is ready, and fails with it")
        func waits() throws {
            var slow = service(
                "slow", "sleep 0.2; : > /run/ready; exec sleep 1000",
                readiness: .file("/run/ready"))
            slow.startsWithNode = false
            let broken = service("broken", "exit 3", readiness: .file("/run/never"))
            let node = try NodeUnderTest(services: [slow, broken])
            #expect(try run(node, "systemctl start slow && test -e /run/ready") == (0, ""))
            let (status, text) = try run(node, "systemctl start broken")
            #expect(status == 1)
            #expect(text.hasPrefix("Job for broken.service failed.\n"))
            #expect(
                try run(node, "systemctl status broken").1.contains(
                    "Active: failed (Result: exit-code) since "))
        }

        @Test("enable and disable decide what starts with the node, and last on its disk")
        func enable() throws {
            let node = try NodeUnderTest(services: Self.units)
            let folder = "/etc/systemd/system/multi-user.target.wants"
            #expect(
                try run(node, "systemctl enable spare") == (
                    0,
                    "Created symlink \(folder)/spare.service → "
                        + "/lib/systemd/system/spare.service.\n"
                ))
            #expect(
                try run(node, "systemctl disable httpd")
                    == (0, "Removed \"\(folder)/httpd.service\".\n"))
            #expect(try run(node, "systemctl is-enabled httpd spare") == (0, "disabled\nenabled\n"))
            node.end()
            try node.boot()
            #expect(node.enabled == ["spare"])
        }

        @Test("who is not root may look, and nothing else")
        func access() throws {
            let node = try NodeUnderTest(services: Self.units)
            let looked = try node.run(["systemctl", "is-enabled", "httpd"], user: "nobody")
            #expect(looked.report == .exited(status: 0))
            let refused = try node.run(["systemctl", "start", "httpd"], user: "nobody")
            #expect(refused.report == .exited(status: 4))
            #expect(refused.errors == "Failed to start httpd.service: Access denied\n")
        }

        @Test("journalctl shows what a service has printed, and what it prints from then on")
        func journal() throws {
            let node = try NodeUnderTest(services: Self.units)
            let path = "\(node.folder)/output/httpd.log"
            func printed(_ text: String) throws {
                let file = try FileSystem.openForAppending(path)
                let line = StoredLine(
                    nanoseconds: MonotonicClock.now.nanoseconds, isError: false, pid: 7, text: text)
                try FileSystem.writeAll(line.bytes[...], to: file.rawValue, name: path)
            }
            try printed("one")
            try printed("two")
            #expect(
                try run(node, "journalctl -u apache2 -n 1").1.hasSuffix(" alpha httpd[7]: two\n"))
            #expect(try run(node, "journalctl -o cat") == (0, "one\ntwo\n"))
            #expect(try run(node, "journalctl -u spare") == (0, "-- No entries --\n"))
            let follower = try node.execute(
                ExecuteRequest(command: ["journalctl", "-fu", "httpd", "-o", "cat"]))
            _ = try readText(follower.output!.rawValue, until: "two\n")
            try printed("three")
            #expect(try readText(follower.output!.rawValue, until: "\n") == "three\n")
            try follower.send(.signal(SIGINT))
        }

        @Test("poweroff and reboot end the node, services first, and say which it was")
        func power() throws {
            let node = try NodeUnderTest(services: Self.units)
            for (command, restarts) in [
                ("/sbin/reboot", true), ("shutdown -h now", false), ("systemctl reboot", true),
            ] {
                _ = try run(node, "systemctl start httpd")
                _ = try node.states(of: "httpd") { $0 == .ready }
                let execution = try node.execute(
                    ExecuteRequest(command: ["sh", "-c", command]))
                #expect(try node.nextState(of: "httpd") == .stopping)
                #expect(try node.nextState(of: "httpd") == .signalled(signal: SIGTERM))
                #expect(try node.next() == .poweringOff(restarts: restarts))
                #expect(try node.waitUntilEnded() == .exited(status: 0))
                execution.disconnect()
                try node.boot()
            }
        }

        @Test("hostname and hostnamectl: a new name holds, and is kept for the next boot")
        func hostname() throws {
            let node = try NodeUnderTest()
            #expect(try run(node, "hostname; hostnamectl hostname") == (0, "alpha\nalpha\n"))
            #expect(
                try run(node, "hostnamectl set-hostname beta && hostname && cat /etc/hostname")
                    == (0, "beta\nbeta\n"))
        }

        @Test("kill -HUP 1 is heard by nobody, and harms nobody")
        func hangUp() throws {
            let node = try NodeUnderTest()
            #expect(try run(node, "kill -HUP 1; kill -KILL 1; echo alive") == (0, "alive\n"))
        }

        @Test("ps shows the node's processes and no others")
        func processes() throws {
            let node = try NodeUnderTest(services: Self.units)
            let lines = try run(node, "ps -eo pid,comm --no-headers | tr -s ' '").1
                .split(separator: "\n").map { $0.trimmingPrefix(while: \.isWhitespace) }
            #expect(lines.first == "1 node-init")
            #expect(lines.count <= 4, "\(lines)")
        }

        /// A service whose program forks, and exits when its child has forked, and exited, too.
        private func daemon(_ name: String, _ script: String, pidFile: String?)
            -> ServiceSpecification
        {
            let fork = """
                import os, time
                child = os.fork()
                if child:
                    os.waitpid(child, 0)
                    os._exit(0)
                os.setsid()
                if os.fork(): os._exit(0)

                """
            var daemon = service(name, "", readiness: .daemon(pidFile: pidFile))
            daemon.command = ["python3", "-c", "\(fork)\(script)\ntime.sleep(1000)"]
            return daemon
        }

        /// The next report of a service, which has to be that it runs.
        private func nextProcess(of unit: String, _ node: NodeUnderTest) throws -> Int32 {
            let state = try node.nextState(of: unit)
            guard case .running(let pid) = state else {
                throw NodeUnderTest.TimedOut(description: "\(unit) is \(state)")
            }
            return pid
        }

        @Test("a service that forks twice is its daemon, by its pid file or without one")
        func daemons() throws {
            let filed = daemon(
                "filed", "open('/run/filed.pid', 'w').write(f'{os.getpid()}\\n')",
                pidFile: "/run/filed.pid")
            let node = try NodeUnderTest(
                services: [filed, daemon("guessed", "", pidFile: nil)])
            for unit in ["filed", "guessed"] {
                #expect(try run(node, "systemctl start \(unit)") == (0, ""))
                let starter = try nextProcess(of: unit, node)
                let daemon = try nextProcess(of: unit, node)
                #expect(starter != daemon)
                #expect(try node.nextState(of: unit) == .ready)
                let status = try run(node, "systemctl status \(unit)").1
                #expect(status.contains("Main PID: \(daemon) (python3)"), "\(status)")
                #expect(try run(node, "systemctl stop \(unit); kill -0 \(daemon)").0 == 1)
                #expect(try node.nextState(of: unit) == .stopping)
                #expect(try node.nextState(of: unit) == .signalled(signal: SIGTERM))
            }
        }

        @Test("a start that leaves no process behind fails at once, with systemd's result")
        func vanished() throws {
            let empty = service(
                "empty", "exit 0", readiness: .daemon(pidFile: "/run/empty.pid"),
                readinessTimeout: .seconds(60))
            let node = try NodeUnderTest(services: [empty])
            #expect(try run(node, "systemctl start empty").0 == 1)
            #expect(try run(node, "systemctl show -P Result empty") == (0, "protocol\n"))
        }

        @Test("sudo runs commands as root or somebody else, and is found by a short PATH")
        func sudo() throws {
            let node = try NodeUnderTest(services: Self.units)
            let short = "PATH=/usr/bin:/bin; sudo systemctl is-enabled httpd"
            #expect(try run(node, short) == (0, "enabled\n"))
            let nobody = "sudo -u nobody A=1 sh -c 'id -un; echo $A $SUDO_USER; exit 7'"
            #expect(try run(node, nobody) == (7, "nobody\n1 root\n"))
            #expect(try run(node, "sudo nosuch") == (1, "sudo: nosuch: command not found\n"))
        }

        @Test("a daemon that forks once more is followed, and none of it stays behind")
        func restless() throws {
            let again = "time.sleep(0.3)\nif os.fork(): os._exit(0)"
            let node = try NodeUnderTest(services: [daemon("restless", again, pidFile: nil)])
            #expect(try run(node, "systemctl start restless") == (0, ""))
            var processes: Set<Int32> = []
            for _ in 0..<3 {
                processes.insert(try nextProcess(of: "restless", node))
                if processes.count > 1 {
                    #expect(try node.nextState(of: "restless") == .ready)
                }
            }
            #expect(processes.count == 3)
            #expect(try run(node, "systemctl stop restless; pgrep python3").0 == 1)
        }
    }
}
