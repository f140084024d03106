import LabModel
import NetworkTypes
import Testing

/// Whole scenarios about answers, outages, commands and pauses.
@Suite("Scenarios: services and steps")
struct ScenarioServiceTests {
    @Test("http: asked at a steady pace until the body is right, less one trailing newline")
    func httpUntilRight() {
        var run = Run(
            TwoNodes.on("master"), TwoNodes.control(.stop, "master/keepalived"),
            TwoNodes.control(.stop, "master/httpd"), TwoNodes.answers("this is slave"))
        run.settle()
        run.applied(.stop, "master/keepalived", 4000)
        run.vipRemoved("master", 4001)
        run.done(2, 4002)
        run.applied(.stop, "master/httpd", 4003)
        run.done(3, 4004)
        _ = run.newLines()
        run.answer(.failed("connection refused"), 4005)
        #expect(run.machine.deadline == at(4105))
        run.passTime(to: 4104)
        #expect(run.newLines() == [])
        run.passTime(to: 4105)
        #expect(run.newLines() == ["fetch #2 http://10.10.10.10/ from client"])
        run.answer(.answered(status: 200, body: "this is master\n"), 4110)
        run.passTime(to: 4210)
        run.vipAdded("backup", 4614)
        run.answer(.answered(status: 200, body: "this is slave\n"), 4620)
        #expect(run.verdict == .passed)
        #expect(
            run.lines.contains {
                $0.hasPrefix("4 passed, 620 ms after stop master/keepalived (bound ")
            })
    }

    @Test("http: the bound follows the VIP's, and a failure says what was answered instead")
    func httpFails() {
        var run = Run(
            TwoNodes.on("master"), TwoNodes.control(.stop, "master/keepalived"),
            TwoNodes.answers("this is slave"))
        run.settle()
        run.applied(.stop, "master/keepalived", 4000)
        run.done(2, 4002)
        for second in 0..<40 where run.verdict == nil {
            run.answer(
                .answered(status: 200, body: "this is master\n"), 4003 + Double(second) * 101)
            run.passTime(to: 4003 + Double(second) * 101 + 100)
        }
        #expect(
            run.failure == "expected 'this is slave' from http://10.10.10.10/ to client within"
                + " 2.713 s of stop master/keepalived (157/256 s + margin 1 s + request 1.1 s);"
                + " seen: the answer 'this is master'")
    }

    @Test("http: however late a step looks, its first answer counts")
    func httpLookedLate() {
        var run = Run(
            TwoNodes.on("master"), TwoNodes.control(.kill, "master"), Step(.wait(.seconds(60))),
            TwoNodes.answers(nil), TwoNodes.answers("this is slave"))
        run.settle()
        run.applied(.kill, "master", 4000)
        run.done(2, 4002)
        run.passTime(to: 64_002)
        run.answer(.answered(status: 200, body: "this is slave\n"), 64_004)
        run.answer(.answered(status: 200, body: "this is master\n"), 64_006)
        #expect(run.lines.contains { $0.hasPrefix("4 passed, already so") })
        #expect(run.lines.last == "finished: failed in 5")
    }

    @Test("http: only 200 is an answer")
    func httpStatus() {
        var run = Run(TwoNodes.answers(nil))
        run.tell(.begin("test"), 0)
        run.answer(.answered(status: 404, body: ""), 5)
        run.passTime(to: 60_000)
        #expect(run.failure.hasSuffix("seen: status 404"))
    }

    @Test("http for: asked on and on; one wrong answer is a violation")
    func httpHolding() {
        var run = Run(TwoNodes.answers("a", for: .milliseconds(250)))
        run.tell(.begin("test"), 0)
        run.answer(.answered(status: 200, body: "a"), 5)
        var good = run
        for time in [110.0, 215] {
            good.passTime(to: time - 5)
            good.answer(.answered(status: 200, body: "a"), time)
        }
        #expect(good.verdict == nil)
        good.passTime(to: 255)
        #expect(good.verdict == .passed)
        run.passTime(to: 105)
        run.answer(.failed("timed out"), 120)
        #expect(run.failure.hasSuffix("seen: it held for 115 ms, then timed out"))
    }

    @Test("http for: a request sent within the time is waited for")
    func httpHoldingWaitsForTheLastAnswer() {
        var run = Run(TwoNodes.answers("a", for: .milliseconds(150)))
        run.tell(.begin("test"), 0)
        run.answer(.answered(status: 200, body: "a"), 5)
        run.passTime(to: 1000)
        #expect(run.verdict == nil)
        run.answer(.failed("timed out"), 1105)
        #expect(run.failure.hasSuffix("then timed out"))
    }

    @Test("A body's trailing CRLF is one newline, and only one newline is taken away")
    func trailingNewline() {
        for (body, isRight) in [
            ("a", true), ("a\n", true), ("a\r\n", true), ("a\n\n", false), ("a ", false),
            ("e\u{301}", false),
        ] {
            var run = Run(TwoNodes.answers("a"))
            run.tell(.begin("test"), 0)
            run.answer(.answered(status: 200, body: body), 1)
            #expect((run.verdict == .passed) == isRight, "\(body.debugDescription)")
        }
    }

    /// A failover seen by the probe: its requests due from 4000 ms until before `end` time out, and
    /// the later ones are answered within 2 ms; told in the order in which requests end.
    ///
    /// - Parameter stall: how long the machine stands still until the backup has the address.
    private func failover(
        until end: Int, atLeast least: Duration? = nil, atMost limit: Duration,
        stall: Duration? = nil
    ) -> Run {
        var run = Run(
            TwoNodes.on("master"), TwoNodes.control(.stop, "master/keepalived"),
            TwoNodes.on("backup"), TwoNodes.outage(atLeast: least, atMost: limit),
            probes: [TwoNodes.web])
        run.settle()
        var events: [(Double, TimelineEvent.Kind)] = []
        for due in stride(from: 3700, to: 6700, by: 10) {
            let isLost = (4000..<end).contains(due)
            events.append(
                (
                    Double(due) + (isLost ? 500 : 2),
                    .probe(
                        ProbeResult(
                            probe: "web", due: at(Double(due)),
                            outcome: isLost
                                ? .failed("timed out") : .answered(status: 200, body: "")))
                ))
        }
        events.append((3999, .control(.stop, .init(node: "master", service: "keepalived"))))
        events.sort { $0.0 < $1.0 }
        for (time, kind) in events where run.verdict == nil {
            run.see(kind, time)
            if case .control = kind {
                run.vipRemoved("master", 3999.2)
                run.done(2, 3999.3)
            }
            if time == 4612, case .probe = kind {
                run.vipAdded("backup", 4612.5)
                if let stall { run.see(.stall(stall), 4612.6) }
            }
        }
        return run
    }

    @Test("outage: from the last answer before to the first after, once every request is accounted")
    func outageWithinItsBound() {
        let run = failover(until: 4610, atMost: .seconds(1))
        #expect(
            run.lines.suffix(3) == [
                "4 passed, outage 620 ms, 61 requests lost", "stop probe web", "finished: passed",
            ])
        // The last lost request, due at 4600 ms, was known to be lost at 5100 ms only.
        #expect(run.now >= at(5100) && run.now < at(5200))
    }

    @Test("outage: one that lasts too long fails, with its length")
    func outageOverItsBound() {
        let run = failover(until: 4610, atMost: .milliseconds(600))
        #expect(
            run.failure.hasPrefix(
                "expected outage of web of at most 600 ms after stop master/keepalived;"
                    + " seen: 620 ms"))
    }

    @Test("outage: one that is over too soon fails, with its length")
    func outageUnderItsBound() {
        let run = failover(until: 4610, atLeast: .milliseconds(1500), atMost: .seconds(2))
        #expect(
            run.failure
                == "expected outage of web of 1.5 s to 2 s after stop master/keepalived; seen: "
                + "620 ms, 61 requests lost")
        let passes = failover(until: 4610, atLeast: .milliseconds(620), atMost: .seconds(2))
        #expect(passes.verdict == .passed)
    }

    @Test("outage: one that is too short by less than the machine was late is inconclusive")
    func outageAfterALateFault() {
        // The stop was due when the step began, at 3609.4 ms, and came 389.6 ms later.
        let late = failover(until: 4610, atLeast: .seconds(1), atMost: .seconds(2))
        guard case .inconclusive(_, let message) = late.verdict else {
            Issue.record("\(late.lines)")
            return
        }
        #expect(
            message.hasSuffix(
                "seen: 620 ms, 61 requests lost; inconclusive: this machine stood still for "
                    + "390 ms meanwhile, the margin is 380 ms"), "\(message)")
        let stalled = failover(
            until: 4610, atLeast: .milliseconds(1200), atMost: .seconds(2),
            stall: .milliseconds(600))
        guard case .inconclusive = stalled.verdict else {
            Issue.record("\(stalled.lines)")
            return
        }
    }

    @Test("outage: while nobody answers, it fails as soon as the limit is passed")
    func endlessOutage() {
        var run = Run(
            TwoNodes.on("master"), TwoNodes.control(.stop, "master/httpd"),
            TwoNodes.outage(atMost: .seconds(1)), probes: [TwoNodes.web])
        run.settle()
        run.see(probe(due: 3990, answered: true), 3992)
        run.applied(.stop, "master/httpd", 3999)
        run.done(2, 3999.5)
        run.see(probe(due: 4000, answered: false), 4001)
        #expect(run.machine.deadline == at(4992.000001))
        run.passTime(to: 5000)
        #expect(run.failure.hasSuffix("seen: 1 s, 1 request lost and no answer since"))
    }

    @Test("outage: none is believed only after the fault had the time to show")
    func noOutage() {
        var run = Run(
            TwoNodes.on("master"), TwoNodes.control(.stop, "backup/keepalived"),
            TwoNodes.outage(atMost: .seconds(1)), probes: [TwoNodes.web])
        run.settle()
        run.applied(.stop, "backup/keepalived", 4000)
        run.done(2, 4001)
        var due = 4000.0
        while run.verdict == nil, due < 30_000 {
            run.see(probe(due: due, answered: true), due + 1)
            due += 10
        }
        #expect(run.lines.suffix(3).first == "3 passed, no request lost")
        // No master resigned, so a takeover could have come as late as 3 × 1 s + skew.
        #expect(run.now > at(4000 + 3609))
    }

    @Test("outage: a probe that says nothing fails, with a reason")
    func silentProbe() {
        var run = Run(TwoNodes.outage(atMost: .seconds(1)), probes: [TwoNodes.web])
        run.tell(.begin("test"), 0)
        run.passTime(to: 60_000)
        #expect(run.failure.hasSuffix("seen: no result of web at all"))
    }

    private func probe(due: Double, answered: Bool) -> TimelineEvent.Kind {
        .probe(
            ProbeResult(
                probe: "web", due: at(due),
                outcome: answered ? .answered(status: 200, body: "") : .failed("refused")))
    }

    @Test("exec: the status has to be the expected one; the message has the last line written")
    func execute() {
        let step = Step(.execute(node: "master", command: ["ip", "link"], status: 0))
        var good = Run(step)
        good.tell(.begin("test"), 0)
        #expect(good.lines == ["1 exec master: ip link", "1: exec master ip link"])
        good.tell(.done(ActionID(step: 1), .exited(.status(0), output: "")), 10)
        #expect(good.verdict == .passed)
        var bad = Run(step)
        bad.tell(.begin("test"), 0)
        bad.tell(.done(ActionID(step: 1), .exited(.signal(9), output: "one\ntwo\n")), 10)
        #expect(
            bad.failure
                == "exec master: ip link: expected exit status 0; seen signal 9: two")
    }

    @Test("A verb that fails, or never completes, ends the scenario")
    func verbFails() {
        var run = Run(TwoNodes.control(.start, "master"), Step(.wait(.seconds(1))))
        run.tell(.begin("test"), 0)
        var hanging = run
        run.tell(.done(ActionID(step: 1), .failed("it is running already")), 1)
        #expect(
            run.lines.suffix(3) == [
                "1 failed: start master: it is running already", "2 not run",
                "finished: failed in 1",
            ])
        hanging.passTime(to: 60_000)
        #expect(hanging.failure == "start master did not complete in time")
    }

    @Test("wait lets its time pass; early and repeated timers change nothing")
    func wait() {
        var run = Run(Step(.wait(.milliseconds(500))))
        run.tell(.begin("test"), 0)
        #expect(run.machine.handle(event(.timer, 499)) == [])
        #expect(run.machine.handle(event(.begin("test"), 499)) == [])
        #expect(run.machine.handle(event(.timer, 500)).last == .finished(.passed))
        #expect(run.machine.handle(event(.timer, 501)) == [])
        #expect(run.machine.deadline == nil)
    }

    @Test("Probes run from the first step to the end; a scenario without steps passes")
    func emptyScenario() {
        var run = Run(probes: [TwoNodes.web])
        run.tell(.begin("test"), 0)
        #expect(run.lines == ["start probe web", "stop probe web", "finished: passed"])
    }

    @Test("The same events bring the same actions")
    func determinism() {
        let first = failover(until: 4610, atMost: .seconds(1))
        let second = failover(until: 4610, atMost: .seconds(1))
        #expect(first.actions == second.actions)
        #expect(first.actions.count > 10)
    }
}
