import NetworkTypes
import NodeProtocol
import Testing

@testable import NodeInit

@Suite("The life of a service that leaves a daemon behind")
struct DaemonServiceTests {
    private let start = MonotonicInstant(nanoseconds: 1_000_000_000)

    private func machine(
        pidFile: String? = nil, restart: ServiceSpecification.RestartPolicy = .always
    ) -> ServiceMachine {
        var machine = ServiceMachine(
            ServiceSpecification(
                name: "nginx", command: ["nginx"], readiness: .daemon(pidFile: pidFile),
                readinessTimeoutNanoseconds: Duration.seconds(3).wholeNanoseconds, restart: restart,
                stopTimeoutNanoseconds: Duration.seconds(2).wholeNanoseconds))
        _ = machine.handle(.start, now: start)
        _ = machine.handle(.spawned(pid: 7), now: start)
        return machine
    }

    @Test("its program exits, and the daemon takes its place")
    func forks() {
        var machine = machine()
        #expect(machine.handle(.ended(.exited(status: 0)), now: start) == [])
        #expect(machine.state == .forked(pid: 7, readyBy: start + .seconds(3)))
        #expect(machine.phase == .activating)
        #expect(
            machine.handle(.settled(pid: 9), now: start)
                == [.report(.running(pid: 9)), .report(.ready)])
        #expect(machine.pid == 9)
        #expect(
            machine.handle(.stop, now: start) == [.report(.stopping), .terminate(pid: 9)])
        #expect(
            machine.handle(.ended(.signalled(signal: 15)), now: start)
                == [.killAll(pid: 9), .report(.signalled(signal: 15))])
        #expect(machine.phase == .inactive)
    }

    @Test("the daemon is known before its program has exited, or is its program itself")
    func early() {
        var forking = machine(pidFile: "/run/nginx.pid")
        #expect(
            forking.handle(.settled(pid: 9), now: start)
                == [.report(.running(pid: 9)), .report(.ready)])
        var staying = machine(pidFile: "/run/nginx.pid")
        #expect(staying.handle(.settled(pid: 7), now: start) == [.report(.ready)])
    }

    @Test("one that has forked once more than was waited for has another main process")
    func forksAgain() {
        var machine = machine()
        _ = machine.handle(.ended(.exited(status: 0)), now: start)
        _ = machine.handle(.settled(pid: 9), now: start)
        #expect(
            machine.handle(.settled(pid: 10), now: start)
                == [.report(.running(pid: 10)), .report(.ready)])
        #expect(machine.pid == 10)
    }

    @Test("a program that fails has left nothing, and the restart policy applies")
    func fails() {
        var machine = machine()
        #expect(
            machine.handle(.ended(.exited(status: 1)), now: start)
                == [.killAll(pid: 7), .report(.exited(status: 1))])
        #expect(machine.phase == .restarting)
    }

    @Test("a daemon that never shows is a failure at the time limit")
    func timesOut() {
        var machine = machine(pidFile: "/run/nginx.pid")
        _ = machine.handle(.ended(.exited(status: 0)), now: start)
        #expect(machine.deadline == start + .seconds(3))
        #expect(machine.handle(.timer, now: start + .seconds(2)) == [])
        #expect(
            machine.handle(.timer, now: start + .seconds(3)) == [
                .killAll(pid: 7),
                .report(
                    .failed(
                        "not ready after 3000 ms: no daemon of its own has its number in "
                            + "/run/nginx.pid")),
            ])
    }

    @Test("one that leaves no process behind is a failure at once, or is started again")
    func vanishes() {
        for policy in [ServiceSpecification.RestartPolicy.onFailure, .always] {
            var machine = machine(pidFile: "/run/nginx.pid", restart: policy)
            #expect(machine.handle(.vanished, now: start) == [], "its program still runs")
            _ = machine.handle(.ended(.exited(status: 0)), now: start)
            let reason =
                "nothing of it runs: no daemon of its own has its number in /run/nginx.pid"
            let ended: [ServiceMachine.Action] = [.killAll(pid: 7), .report(.exited(status: 0))]
            #expect(
                machine.handle(.vanished, now: start)
                    == ended + (policy == .always ? [] : [.report(.failed(reason))]))
            #expect(machine.phase == (policy == .always ? .restarting : .failed))
            #expect(machine.handle(.vanished, now: start) == [])
        }
    }

    @Test("stopped or killed before the daemon is known, all of it ends")
    func stoppedEarly() {
        for (event, first) in [
            (ServiceMachine.Event.stop, [ServiceMachine.Action.report(.stopping)]), (.kill, []),
        ] {
            var machine = machine()
            _ = machine.handle(.ended(.exited(status: 0)), now: start)
            #expect(
                machine.handle(event, now: start)
                    == first + [.killAll(pid: 7), .report(.exited(status: 0))])
            #expect(machine.isDown)
            #expect(machine.handle(.settled(pid: 9), now: start) == [])
        }
    }
}

@Suite("What systemctl calls a service")
struct ServicePhaseTests {
    private func phase(_ events: ServiceMachine.Event...) -> UnitReport.Phase { phase(events) }

    private func phase(_ events: [ServiceMachine.Event]) -> UnitReport.Phase {
        var machine = ServiceMachine(
            ServiceSpecification(
                name: "web", command: ["web"], readiness: .notify, readinessTimeoutNanoseconds: 1,
                restart: .no, stopTimeoutNanoseconds: 1))
        for event in events { _ = machine.handle(event, now: MonotonicInstant(nanoseconds: 0)) }
        return machine.phase
    }

    @Test("inactive, activating, active, deactivating")
    func life() {
        #expect(phase() == .inactive)
        #expect(phase(.start) == .activating)
        #expect(phase(.start, .spawned(pid: 7)) == .activating)
        #expect(phase(.start, .spawned(pid: 7), .ready) == .active)
        #expect(phase(.start, .spawned(pid: 7), .ready, .stop) == .deactivating)
    }

    @Test(
        "an end by one of four signals is no failure, as for systemd",
        arguments: [
            (ServiceMachine.End.exited(status: 0), UnitReport.Phase.inactive),
            (.exited(status: 1), .failed), (.signalled(signal: 15), .inactive),
            (.signalled(signal: 1), .inactive), (.signalled(signal: 9), .failed),
            (.signalled(signal: 11), .failed),
        ])
    func end(_ end: ServiceMachine.End, phase: UnitReport.Phase) {
        #expect(self.phase(.start, .spawned(pid: 7), .ready, .stop, .ended(end)) == phase)
    }

    @Test("one that outlives its stop timeout has failed, however it ends then")
    func outlivedStop() {
        let stuck: [ServiceMachine.Event] = [.start, .spawned(pid: 7), .ready, .stop]
        for end in [ServiceMachine.End.signalled(signal: 9), .exited(status: 0)] {
            var machine = ServiceMachine(
                ServiceSpecification(
                    name: "web", command: ["web"], readiness: .notify,
                    readinessTimeoutNanoseconds: 1, restart: .no,
                    stopTimeoutNanoseconds: Duration.seconds(2).wholeNanoseconds))
            for event in stuck { _ = machine.handle(event, now: .zero) }
            _ = machine.handle(.timer, now: .zero + .seconds(2))
            _ = machine.handle(.ended(end), now: .zero + .seconds(2))
            #expect(machine.phase == .failed)
            #expect(machine.failure == "not stopped after 2000 ms")
            _ = machine.handle(.start, now: .zero + .seconds(3))
            _ = machine.handle(.spawned(pid: 8), now: .zero + .seconds(3))
            #expect(machine.failure == nil)
            _ = machine.handle(.ready, now: .zero + .seconds(3))
            _ = machine.handle(.stop, now: .zero + .seconds(3))
            _ = machine.handle(.ended(.exited(status: 0)), now: .zero + .seconds(3))
            #expect(machine.phase == .inactive)
        }
    }

    @Test("reset-failed makes a failure forgotten until the next start; nothing else changes")
    func resetFailed() {
        let failed: [ServiceMachine.Event] = [.start, .spawned(pid: 7), .ready]
        for end in [ServiceMachine.End.signalled(signal: 9), .exited(status: 1)] {
            #expect(phase(failed + [.ended(end), .resetFailed]) == .inactive)
            #expect(phase(failed + [.ended(end), .resetFailed] + failed) == .active)
            #expect(phase(failed + [.resetFailed, .ended(end)]) == .failed)
        }
        #expect(phase([.start, .spawnFailed(reason: "no"), .resetFailed]) == .inactive)
        #expect(phase(failed + [.resetFailed]) == .active)
    }

    @Test("one that could not be started has failed")
    func neverRan() { #expect(phase(.start, .spawnFailed(reason: "no")) == .failed) }
}
