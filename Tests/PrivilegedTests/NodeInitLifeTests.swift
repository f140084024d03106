import CLinux
import Glibc
import LinuxSystem
import NetworkTypes
import NodeProtocol
import SystemPackage
import Testing

extension NodeInitTests {
    @Suite("The end of a node")
    struct Life {
        /// The processes of the node as the host numbers them: all in its PID namespace.
        private func hostPIDs(ofNodeWith pid: Int32) throws -> [Int32] {
            let namespace = FileSystem.entry("/proc/\(pid)/ns/pid")
            return try ProcessEntry.all().map(\.pid)
                .filter { FileSystem.entry("/proc/\($0)/ns/pid") == namespace }
        }

        @Test("orphans are reaped, and no zombie stays")
        func orphans() throws {
            let node = try NodeUnderTest()
            // The shell ends at once; its children end later as orphans.
            _ = try node.shell("for i in 1 2 3 4 5; do (sleep 0.0$i &) ; done")
            try eventually("every orphan is reaped") {
                try hostPIDs(ofNodeWith: node.pid) == [node.pid]
            }
        }

        @Test("SIGKILL of PID 1 leaves no process, whatever session it is in")
        func sigkill() throws {
            let node = try NodeUnderTest()
            try node.startReady(
                service("worker", "setsid sleep 1000 & sleep 1000 & exec sleep 1000"))
            _ = try node.shell("(setsid sh -c 'trap \"\" HUP TERM; sleep 1000' > /dev/null 2>&1 &)")
            try eventually("all of them run") {
                try hostPIDs(ofNodeWith: node.pid).count >= 6
            }
            let watched = try hostPIDs(ofNodeWith: node.pid).map { pid in
                (
                    pid,
                    SharedDescriptor(
                        OwnedDescriptor(
                            try systemCall("open pidfd of process \(pid)") {
                                clinux_pidfd_open(pid)
                            }))
                )
            }
            node.end()
            for (pid, descriptor) in watched {
                #expect(isReadable(descriptor.rawValue, for: .zero), "\(pid) lives")
            }
        }

        @Test("a node whose supervisor is gone ends at once")
        func abandoned() throws {
            let node = try NodeUnderTest()
            try node.startReady(service("worker", "exec sleep 1000"))
            node.disconnect()
            #expect(try node.waitUntilEnded() == .exited(status: 1))
        }

        @Test("power-off stops the services, last started first, and says when it is done")
        func powerOff() throws {
            let node = try NodeUnderTest()
            try node.startReady(service("first", "exec sleep 1000"))
            try node.startReady(service("second", "exec sleep 1000"))
            try node.send(.powerOff)
            #expect(try node.nextState(of: "second") == .stopping)
            #expect(try node.nextState(of: "second") == .signalled(signal: SIGTERM))
            #expect(try node.nextState(of: "first") == .stopping)
            #expect(try node.nextState(of: "first") == .signalled(signal: SIGTERM))
            #expect(try node.next() == .poweringOff(restarts: false))
            #expect(try node.waitUntilEnded() == .exited(status: 0))
        }

        @Test("SIGTERM to PID 1 powers the node off as well")
        func sigterm() throws {
            let node = try NodeUnderTest()
            try node.startReady(service("only", "exec sleep 1000"))
            kill(node.pid, SIGTERM)
            #expect(try node.nextState(of: "only") == .stopping)
            #expect(try node.nextState(of: "only") == .signalled(signal: SIGTERM))
            #expect(try node.next() == .poweringOff(restarts: false))
            #expect(try node.waitUntilEnded() == .exited(status: 0))
        }

        @Test("a message that does not decode ends the node with a reason, not a guess")
        func garbage() throws {
            let node = try NodeUnderTest(boots: false)
            try node.start()
            try node.sendRaw([99])
            #expect(
                try node.next()
                    == .failed(
                        "the supervisor's message does not decode: a request to a node expected"))
            #expect(try node.waitUntilEnded() == .exited(status: 1))
        }
    }
}

/// A service of a shell script.
func service(
    _ name: String, _ script: String, readiness: ServiceSpecification.Readiness = .started,
    readinessTimeout: Duration = .seconds(5), restart: ServiceSpecification.RestartPolicy = .no,
    stopTimeout: Duration = .seconds(5)
) -> ServiceSpecification {
    ServiceSpecification(
        name: name, command: ["sh", "-c", script], readiness: readiness,
        readinessTimeoutNanoseconds: readinessTimeout.wholeNanoseconds, restart: restart,
        stopTimeoutNanoseconds: stopTimeout.wholeNanoseconds)
}
