import LabModel
import NetworkTypes
import Testing

@Suite("Probes: schedule and outages")
struct ScenarioProbeTests {
    @Test("Requests are due on a fixed grid; a late caller gets every one it missed")
    func schedule() {
        var schedule = ProbeSchedule(start: at(100), interval: .milliseconds(10))
        #expect(schedule.popDue(now: at(99)) == nil)
        #expect(schedule.popDue(now: at(100)) == at(100))
        #expect(schedule.popDue(now: at(100)) == nil)
        #expect(schedule.nextDue == at(110))
        var missed: [MonotonicInstant] = []
        while let due = schedule.popDue(now: at(137)) { missed.append(due) }
        #expect(missed == [at(110), at(120), at(130)])
        #expect(schedule.nextDue == at(140))
    }

    /// A meter of a probe every 10 ms, fed with (due, ended, answered) in that order.
    private func meter(_ results: [(Double, Double, Bool)]) -> OutageMeter {
        results.reduce(into: OutageMeter(interval: .milliseconds(10))) { meter, result in
            meter.record(
                ProbeResult(
                    probe: "web", due: at(result.0),
                    outcome: result.2 ? .answered(status: 200, body: "") : .failed("timed out")),
                ended: at(result.1))
        }
    }

    @Test("An outage is from the last answer before to the first after, with the requests lost")
    func outage() {
        let meter = meter([
            (0, 1, true), (10, 12, true), (20, 21, false), (30, 31, false), (40, 43, true),
            (50, 51, true),
        ])
        #expect(meter.outages == [Outage(begin: at(12), end: at(43), lostRequests: 2)])
        #expect(meter.openOutage == nil)
        #expect(meter.requests == 6)
        #expect(meter.lostRequests == 2)
        #expect(meter.accountedThrough == at(50))
        #expect(meter.lastSuccessDue == at(50))
    }

    @Test("Requests that time out after later ones were answered are put back into their order")
    func lateFailures() {
        var meter = meter([(0, 1, true), (30, 31, true), (40, 41, true)])
        #expect(meter.accountedThrough == at(0))
        #expect(meter.outages(since: at(0)).isEmpty)
        meter.record(
            ProbeResult(probe: "web", due: at(10), outcome: .failed("timed out")), ended: at(510))
        #expect(meter.openOutage == Outage(begin: at(1), end: at(31), lostRequests: 1))
        meter.record(
            ProbeResult(probe: "web", due: at(20), outcome: .failed("timed out")), ended: at(520))
        #expect(meter.outages == [Outage(begin: at(1), end: at(31), lostRequests: 2)])
        #expect(meter.accountedThrough == at(40))
    }

    @Test("What a probe of that name came to before the run, on another grid, counts for nothing")
    func earlierRun() {
        var run = Run(
            TwoNodes.control(.kill, "master"), TwoNodes.on("backup"),
            TwoNodes.outage(atMost: .milliseconds(50)), probes: [TwoNodes.web])
        run.probe(due: -3000, ended: -2500, .failed("timed out"))
        run.settle()
        // Sent before, answered now.
        run.probe(due: 3, ended: 3610)
        run.applied(.kill, "master", 3620)
        run.done(1, 3620)
        run.vipRemoved("master", 3621)
        run.vipAdded("backup", 7230)
        for due in stride(from: 12.0, to: 9000, by: 10) {
            run.probe(due: due, ended: max(due + 1, 7231))
        }
        #expect(run.verdict == .passed, "\(run.failure)")
    }

    @Test("The end is the first answer to arrive, though an earlier request is answered later")
    func slowAnswer() {
        // The request due at 20 ms was sent again by the kernel and answered at 1020 ms.
        let meter = meter([
            (0, 1, true), (50, 51, true), (60, 61, true), (10, 510, false), (20, 1020, true),
            (30, 530, false), (40, 540, false),
        ])
        #expect(meter.outages == [Outage(begin: at(1), end: at(51), lostRequests: 3)])
    }

    @Test("While nobody answers, the outage is open and lasts until now")
    func openOutage() {
        let meter = meter([(0, 1, true), (10, 11, false)])
        #expect(meter.openOutage == Outage(begin: at(1), end: nil, lostRequests: 1))
        #expect(meter.openOutage?.duration(now: at(1001)) == .seconds(1))
        #expect(meter.outages(since: at(900)).count == 1)
    }

    @Test("Without an answer before, an outage begins with the first request lost")
    func noAnswerBefore() {
        let meter = meter([(0, 1, false), (10, 11, false), (20, 22, true), (30, 31, true)])
        #expect(meter.outages == [Outage(begin: at(0), end: at(22), lostRequests: 2)])
    }

    @Test("Two outages stay two; one that was over before a moment is not counted after it")
    func twoOutages() {
        let meter = meter([
            (0, 1, true), (10, 11, false), (20, 21, true), (30, 31, true), (40, 41, false),
            (50, 52, true), (60, 61, true),
        ])
        #expect(
            meter.outages == [
                Outage(begin: at(1), end: at(21), lostRequests: 1),
                Outage(begin: at(31), end: at(52), lostRequests: 1),
            ])
        #expect(meter.outages(since: at(21)).map(\.begin) == [at(31)])
    }

    @Test("One that was on before a moment counts after it from that moment on")
    func outageBefore() {
        // Nobody answers until 52 ms: 0, 10, 20 and 30 are due before 35 ms, 40 after.
        var meter = meter([
            (0, 1, false), (10, 11, false), (20, 21, false), (30, 31, false), (40, 41, false),
        ])
        #expect(
            meter.outages(since: at(35)) == [Outage(begin: at(35), end: nil, lostRequests: 1)])
        // Requests that are not accounted for yet may still be lost.
        #expect(
            meter.outages(since: at(45)) == [Outage(begin: at(45), end: nil, lostRequests: 0)])
        for due in [50.0, 60] {
            meter.record(
                ProbeResult(
                    probe: "web", due: at(due), outcome: .answered(status: 200, body: "")),
                ended: at(due + 2))
        }
        #expect(meter.outages == [Outage(begin: at(0), end: at(52), lostRequests: 5)])
        #expect(
            meter.outages(since: at(35)) == [Outage(begin: at(35), end: at(52), lostRequests: 1)])
        #expect(meter.outages(since: at(45)).isEmpty)
    }

    @Test("One whose last answer came within an interval before a moment counts as a whole")
    func outageThatBegins() {
        let meter = meter([(0, 1, true), (10, 11, false), (20, 22, true), (30, 31, true)])
        #expect(
            meter.outages(since: at(10.5)) == [Outage(begin: at(1), end: at(22), lostRequests: 1)])
    }

    @Test("Only status 200 is service")
    func errorStatus() {
        var meter = OutageMeter(interval: .milliseconds(10))
        meter.record(
            ProbeResult(probe: "web", due: at(0), outcome: .answered(status: 503, body: "")),
            ended: at(1))
        #expect(meter.lostRequests == 1)
    }
}
