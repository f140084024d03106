import NetworkTypes
import NodeProtocol
import Testing

@testable import NodeInit

/// A machine with its clock: each line of a test is an event and what comes of it.
private struct Subject {
    var machine: ServiceMachine
    var now = MonotonicInstant(nanoseconds: 1_000_000_000)

    init(
        readiness: ServiceSpecification.Readiness = .notify,
        restart: ServiceSpecification.RestartPolicy = .no
    ) {
        machine = ServiceMachine(
            ServiceSpecification(
                name: "web", command: ["web"], readiness: readiness,
                readinessTimeoutNanoseconds: Duration.seconds(3).wholeNanoseconds,
                restart: restart,
                stopTimeoutNanoseconds: Duration.seconds(2).wholeNanoseconds))
    }

    mutating func after(_ duration: Duration) { now += duration }

    mutating func callAsFunction(_ event: ServiceMachine.Event) -> [ServiceMachine.Action] {
        machine.handle(event, now: now)
    }

    /// How long until the next timer; nil without one.
    var wait: Duration? { machine.deadline.map { $0 - now } }

    /// Brings it to run and be ready.
    mutating func run(pid: Int32 = 7) {
        _ = self(.start)
        _ = self(.spawned(pid: pid))
        _ = self(.ready)
    }
}

@Suite("The life of a service")
struct ServiceMachineTests {
    @Test("started, running, ready, stopped")
    func life() {
        var service = Subject()
        #expect(service(.start) == [.spawn])
        #expect(service(.spawned(pid: 7)) == [.report(.running(pid: 7))])
        #expect(service.wait == .seconds(3))
        #expect(service(.ready) == [.report(.ready)])
        #expect(service.wait == nil)
        #expect(service(.stop) == [.report(.stopping), .terminate(pid: 7)])
        #expect(service.wait == .seconds(2))
        #expect(
            service(.ended(.exited(status: 0)))
                == [.killAll(pid: 7), .report(.exited(status: 0))])
        #expect(service.machine.isDown)
        #expect(service.wait == nil)
    }

    @Test("without a condition it is ready as soon as it runs")
    func readyAtOnce() {
        var service = Subject(readiness: .started)
        _ = service(.start)
        #expect(
            service(.spawned(pid: 7)) == [.report(.running(pid: 7)), .report(.ready)])
    }

    @Test("a program that cannot be started is a failure, and is not tried again")
    func cannotStart() {
        var service = Subject(restart: .always)
        _ = service(.start)
        #expect(
            service(.spawnFailed(reason: "web: not found")) == [.report(.failed("web: not found"))])
        #expect(service.machine.isDown)
        #expect(service.wait == nil)
        #expect(service(.start) == [.spawn], "by hand it is")
    }

    @Test("not ready in time: killed, reported with what was missing, and it stays down")
    func readinessTimeout() {
        var service = Subject(readiness: .tcpPort(80), restart: .always)
        _ = service(.start)
        _ = service(.spawned(pid: 7))
        service.after(.seconds(2.999))
        #expect(service(.timer) == [], "an early timer does nothing")
        service.after(.milliseconds(1))
        #expect(service(.timer) == [.killAll(pid: 7)])
        #expect(service(.timer) == [], "nor does a repeated one")
        #expect(service(.ready) == [], "too late")
        let reason = "not ready after 3000 ms: none of its processes listens on TCP port 80"
        #expect(
            service(.ended(.signalled(signal: 9)))
                == [
                    .killAll(pid: 7), .report(.signalled(signal: 9)), .report(.failed(reason)),
                ])
        #expect(service.machine.state == .failed(reason: reason))
    }

    @Test(
        "dead before it was ready, without restarts: a failure with its status",
        arguments: [
            (ServiceMachine.End.exited(status: 0), "exited with status 0 before it was ready"),
            (.exited(status: 3), "exited with status 3 before it was ready"),
            (.signalled(signal: 11), "ended by signal 11 before it was ready"),
        ])
    func deadOnArrival(end: ServiceMachine.End, reason: String) {
        var service = Subject()
        _ = service(.start)
        _ = service(.spawned(pid: 7))
        #expect(
            service(.ended(end))
                == [.killAll(pid: 7), .report(end.report), .report(.failed(reason))])
        #expect(service.machine.isDown)
    }

    @Test("stop: SIGKILL to all when the stop timeout is over, once")
    func stopTimeout() {
        var service = Subject()
        service.run()
        _ = service(.stop)
        #expect(service(.stop) == [], "asking twice changes nothing")
        service.after(.seconds(2))
        #expect(service(.timer) == [.killAll(pid: 7)])
        #expect(service.wait == nil)
        #expect(service(.timer) == [])
        #expect(
            service(.ended(.signalled(signal: 9)))
                == [.killAll(pid: 7), .report(.signalled(signal: 9))])
    }

    @Test("kill: SIGKILL at once, also while it stops; no policy restarts it")
    func kill() {
        var service = Subject(restart: .always)
        service.run()
        #expect(service(.kill) == [.killAll(pid: 7)])
        #expect(
            service(.ended(.signalled(signal: 9)))
                == [.killAll(pid: 7), .report(.signalled(signal: 9))])
        #expect(service.machine.isDown)

        service.run(pid: 8)
        _ = service(.stop)
        #expect(service(.kill) == [.killAll(pid: 8)])
        #expect(service.wait == nil)
    }

    @Test("start while it stops: it runs again once it has ended; stop takes that back")
    func startWhileStopping() {
        var service = Subject()
        service.run()
        _ = service(.stop)
        #expect(service(.start) == [])
        #expect(service.wait == .seconds(2), "the stop's own timeout still counts")
        #expect(
            service(.ended(.exited(status: 0)))
                == [.killAll(pid: 7), .report(.exited(status: 0)), .spawn])
        _ = service(.spawned(pid: 8))
        _ = service(.ready)
        _ = service(.stop)
        _ = service(.start)
        _ = service(.stop)
        #expect(
            service(.ended(.exited(status: 0)))
                == [.killAll(pid: 8), .report(.exited(status: 0))])
        #expect(service.machine.isDown)
    }

    @Test(
        "which ends a policy restarts",
        arguments: [
            (ServiceSpecification.RestartPolicy.no, ServiceMachine.End.exited(status: 1), false),
            (.no, .signalled(signal: 9), false),
            (.onFailure, .exited(status: 0), false),
            (.onFailure, .exited(status: 1), true),
            (.onFailure, .signalled(signal: 9), true),
            (.always, .exited(status: 0), true),
            (.always, .exited(status: 1), true),
        ])
    func policies(
        policy: ServiceSpecification.RestartPolicy, end: ServiceMachine.End, restarts: Bool
    ) {
        var service = Subject(restart: policy)
        service.run()
        #expect(service(.ended(end)) == [.killAll(pid: 7), .report(end.report)])
        #expect(service.machine.isDown == !restarts)
        #expect(service.wait == (restarts ? .milliseconds(100) : nil))
        guard restarts else { return }
        service.after(.milliseconds(99))
        #expect(service(.timer) == [])
        service.after(.milliseconds(1))
        #expect(service(.timer) == [.spawn])
    }

    @Test("each restart waits twice as long; after five within ten seconds it stays down")
    func backoff() {
        var service = Subject(restart: .onFailure)
        service.run()
        for milliseconds in [100, 200, 400, 800, 1600] {
            _ = service(.ended(.exited(status: 1)))
            #expect(service.wait == .milliseconds(milliseconds))
            service.after(.milliseconds(milliseconds))
            #expect(service(.timer) == [.spawn])
            _ = service(.spawned(pid: 7))
            _ = service(.ready)
        }
        let reason = "died 6 times in a row, the last time it exited with status 1"
        #expect(
            service(.ended(.exited(status: 1)))
                == [.killAll(pid: 7), .report(.exited(status: 1)), .report(.failed(reason))])
        #expect(service.wait == nil)
        #expect(service.machine.isDown)
        service.run()
        _ = service(.ended(.exited(status: 1)))
        #expect(service.wait == .milliseconds(100), "started by hand, it has all attempts again")
    }

    @Test("a service that ran for longer than the window has all its attempts again")
    func window() {
        var service = Subject(restart: .always)
        service.run()
        _ = service(.ended(.exited(status: 1)))
        service.after(.milliseconds(100))
        _ = service(.timer)
        _ = service(.spawned(pid: 8))
        _ = service(.ready)
        service.after(.seconds(11))
        _ = service(.ended(.exited(status: 1)))
        #expect(service.wait == .milliseconds(100))
    }

    @Test("stop or kill between two attempts: it stays down, answered by how it ended")
    func stopWhileWaiting() {
        for event in [ServiceMachine.Event.stop, .kill] {
            var service = Subject(restart: .always)
            service.run()
            _ = service(.ended(.exited(status: 1)))
            #expect(service.machine.phase == .restarting)
            #expect(service(event) == [.report(.exited(status: 1))])
            #expect(service.wait == nil)
            #expect(service(.timer) == [])
            #expect(service.machine.isDown)
            #expect(service.machine.phase == .inactive, "not failed, as for systemd")
            #expect(service(.stop) == [.report(.exited(status: 1))])
            #expect(service.machine.phase == .inactive)
        }
    }

    @Test("asked for what is so already, it answers with its state")
    func answers() {
        var service = Subject()
        #expect(service(.stop) == [], "never started: there is nothing to tell")
        service.run()
        #expect(service(.start) == [.report(.ready)])
        _ = service(.ended(.exited(status: 4)))
        #expect(service(.stop) == [.report(.exited(status: 4))])
        #expect(service(.kill) == [.report(.exited(status: 4))])
        _ = service(.start)
        _ = service(.spawnFailed(reason: "gone"))
        #expect(service(.stop) == [.report(.failed("gone"))])
    }

    @Test("events that do not belong to a state change nothing in it")
    func strayEvents() {
        let strays: [ServiceMachine.Event] = [
            .spawned(pid: 9), .spawnFailed(reason: "x"), .ready, .timer,
        ]
        var states: [(String, Subject)] = []
        var service = Subject()
        states.append(("down", service))
        service.run()
        states.append(("running", service))
        _ = service(.stop)
        states.append(("stopping", service))
        var waiting = Subject(restart: .always)
        waiting.run()
        _ = waiting(.ended(.exited(status: 1)))
        states.append(("waiting", waiting))
        for (name, subject) in states {
            for stray in strays {
                var subject = subject
                let before = subject.machine.state
                #expect(subject(stray) == [], "\(stray) while \(name)")
                #expect(subject.machine.state == before, "\(stray) while \(name)")
            }
        }
        for (name, subject) in states where name != "running" && name != "stopping" {
            var subject = subject
            let before = subject.machine.state
            #expect(subject(.ended(.exited(status: 0))) == [], "an end while \(name)")
            #expect(subject.machine.state == before)
        }
    }
}
