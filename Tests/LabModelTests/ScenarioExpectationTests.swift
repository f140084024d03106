import LabModel
import NetworkTypes
import Testing

/// Expectations about anything but addresses, answers and outages, which have suites of their own.
@Suite("Scenarios: expectations")
struct ScenarioExpectationTests {
    private static func expect(
        _ condition: LabModel.Expectation.Condition, within: Duration? = nil,
        for holding: Duration? = nil
    ) -> Step {
        Step(.expect(Expectation(condition, within: within, holding: holding)))
    }

    private static func advert(_ node: String, priority: Int) -> TimelineEvent.Kind {
        .advertisement(
            TimelineEvent.Advertisement(
                node: node, interface: "eth0", source: IPAddress("10.10.10.1")!, version: 2,
                vrid: 51, priority: priority, interval: .seconds(1), addresses: [TwoNodes.vip]))
    }

    private static func garp(_ node: String, _ mac: String) -> TimelineEvent.Kind {
        .gratuitousARP(
            node: node, interface: "eth0", address: IPv4Address("10.10.10.10")!,
            mac: MACAddress(mac)!)
    }

    private static func patterns(_ texts: String...) -> [EventPattern] {
        texts.map { EventPattern.parse($0)! }
    }

    /// A run that stands after the clean stop of the master's daemon, at 4010 ms.
    private func stopped(_ steps: Step...) -> Run {
        var run = Run(
            [TwoNodes.on("master"), TwoNodes.control(.stop, "master/keepalived")] + steps)
        run.settle()
        run.applied(.stop, "master/keepalived", 4000)
        run.daemon("master", .stopping, 4000)
        run.vipRemoved("master", 4001)
        run.daemon("master", .exited(.status(0)), 4009)
        run.done(2, 4010)
        _ = run.newLines()
        return run
    }

    // MARK: State

    @Test("MASTER is who holds the address and whose daemon runs; the time is that of the change")
    func master() {
        var run = stopped(Self.expect(.state(.master, router: "VI_1", nodes: ["backup"])))
        run.vipAdded("backup", 4614)
        #expect(
            run.newLines() == [
                "3 passed, 614 ms after stop master/keepalived"
                    + " (bound 1.613 s = 157/256 s + margin 1 s)", "finished: passed",
            ])
    }

    @Test("a killed daemon that left its address behind is no MASTER, whatever it claims")
    func leftBehind() {
        var run = Run(
            TwoNodes.on("master"), TwoNodes.control(.kill, "master/keepalived"),
            Self.expect(.state(.master, router: nil, nodes: ["master"]), within: .seconds(2)))
        run.settle()
        run.applied(.kill, "master/keepalived", 4000)
        run.daemon("master", .exited(.signal(9)), 4001)
        run.see(
            .claim(
                .init(
                    node: "master", service: "keepalived", instance: "VI_1", state: .master,
                    source: .log)), 4002)
        run.done(2, 4003)
        run.passTime(to: 10_000)
        #expect(
            run.failure == "expected MASTER on master within 2 s of kill master/keepalived;"
                + " seen: master is not since 1 ms after kill master/keepalived")
    }

    @Test("a router that lost its interface is in FAULT; with its address back, in BACKUP")
    func fault() {
        let port = Endpoint(node: "backup", interface: InterfaceName("eth0")!)
        var run = Run(
            TwoNodes.on("master"), Step(.fault(.linkDown(port))),
            Self.expect(.state(.fault, router: nil, nodes: ["backup"])),
            Step(.fault(.linkUp(port))),
            Self.expect(.state(.backup, router: nil, nodes: ["backup"])))
        run.settle()
        run.see(.fault(.linkDown(port)), 4000)
        run.see(.link(node: "backup", interface: "eth0", isUp: true, hasCarrier: false), 4003)
        run.done(2, 4004)
        #expect(run.lines.contains { $0.hasPrefix("3 passed, 3 ms after link backup:eth0 down") })
        run.see(.fault(.linkUp(port)), 5000)
        run.see(.link(node: "backup", interface: "eth0", isUp: true, hasCarrier: true), 5002)
        run.done(4, 5003)
        #expect(run.lines.contains { $0.hasPrefix("5 passed, 2 ms after link backup:eth0 up") })
        #expect(run.verdict == .passed)
    }

    // MARK: Requests

    @Test(
        "a request may have to fail, and in which way",
        arguments: [
            (Answer.refused, ProbeResult.Outcome.failed("connection refused"), true),
            (.refused, .failed("timed out"), false), (.timedOut, .failed("timed out"), true),
            (.unreachable, .failed("no route to host"), true), (.ok, .replied, true),
            (.ok, .failed("connection refused"), false),
            (.status(503), .answered(status: 503, body: ""), true),
            (.status(503), .answered(status: 200, body: ""), false),
            (.timedOut, .replied, false),
        ])
    func outcomes(answer: Answer, outcome: ProbeResult.Outcome, isRight: Bool) {
        let server = TransportAddress(TwoNodes.vip, port: 22)
        var run = Run(
            Self.expect(.answer(.tcp(server), from: "client", answer), within: .seconds(1)))
        run.tell(.begin("test"), 0)
        #expect(run.lines.last == "fetch #1 tcp 10.10.10.10:22 from client")
        run.answer(outcome, 10)
        #expect((run.verdict == .passed) == isRight)
    }

    @Test("ip: asked again until the value is there; the message says what was there instead")
    func inspect() {
        let path = ValuePath.parse("[0].addr_info[-1].local")!
        let step = Self.expect(
            .inspect(
                node: "master", arguments: ["addr", "show"], path: path, equals: "10.10.10.10"),
            within: .seconds(1))
        var run = Run(step)
        run.tell(.begin("test"), 0)
        #expect(run.lines.last == "inspect #1 master: ip -j addr show")
        run.inspected(#"[{"addr_info":[{"local":"10.10.10.1"}]}]"#, 20)
        run.passTime(to: 120)
        #expect(run.lines.last == "inspect #2 master: ip -j addr show")
        run.inspected(
            #"[{"addr_info":[{"local":"10.10.10.1"},{"local":"10.10.10.10"}]}]"#, 140)
        #expect(run.verdict == .passed)

        var other = Run(step)
        other.tell(.begin("test"), 0)
        other.inspected("[{}]", 1200)
        #expect(other.failure.hasSuffix("; seen: nothing at [0].addr_info"))
    }

    // MARK: Lines

    @Test("a line counts from the cause on, even if it was printed before the step began")
    func line() {
        let target = Target(node: "backup", service: "keepalived")
        let step = Self.expect(.log(target, .matches("Entering MASTER")))
        var run = Run(
            TwoNodes.on("master"), TwoNodes.control(.kill, "master"), TwoNodes.on("backup"), step)
        run.daemon("master", .ready, 0)
        run.daemon("backup", .ready, 2)
        run.tell(.begin("test"), 5)
        #expect(run.newLines().first == "follow backup/keepalived")
        run.tell(.line(target, "(VI_1) Entering MASTER STATE"), 100)
        run.vipAdded("master", 3609)
        run.applied(.kill, "master", 4000)
        run.see(.node("master", .killed), 4001)
        run.done(2, 4002)
        run.tell(.line(target, "(VI_1) Entering MASTER STATE"), 7612)
        run.vipAdded("backup", 7613)
        #expect(
            run.newLines().dropLast().last?.hasPrefix("4 passed, 3.612 s after kill master")
                == true)
    }

    @Test("a line that does not come fails at the bound")
    func missingLine() {
        let target = Target(node: "backup", service: "keepalived")
        var run = stopped(Self.expect(.log(target, .contains("MASTER")), within: .seconds(2)))
        run.tell(.line(target, "something else"), 4100)
        run.passTime(to: 7000)
        #expect(
            run.failure == "expected a line '...MASTER...' of backup/keepalived within 2 s of"
                + " stop master/keepalived; seen: no such line")
    }

    @Test("a bound that is given counts from the last act on, and from a command's end")
    func givenAfterSeveral() {
        let target = Target(node: "backup", service: "keepalived")
        let steps = [
            Step(.execute(node: "backup", command: ["look"])), TwoNodes.control(.start, "backup"),
            Self.expect(.log(target, .contains("up")), within: .seconds(2)),
        ]
        var run = Run(steps)
        run.tell(.begin("test"), 0)
        run.tell(.done(ActionID(step: 1), .exited(.status(0), output: "")), 3000)
        run.applied(.start, "backup", 3001)
        run.done(2, 3010)
        run.tell(.line(target, "up"), 4900)
        #expect(run.verdict == .passed)
        var late = Run([steps[0], steps[2]])
        late.tell(.begin("test"), 0)
        late.tell(.done(ActionID(step: 1), .exited(.status(0), output: "")), 3000)
        late.passTime(to: 6000)
        #expect(
            late.failure.hasPrefix(
                "expected a line '...up...' of backup/keepalived within 2 s of exec backup: look"
                    + " (exec backup: look over after 3 s + as the step says); seen"))
    }

    @Test("a mail is what the mail server says it has taken")
    func mail() {
        let target = Target(node: "backup", service: "postfix")
        let step = Self.expect(
            .mail(target, MailPattern(to: "root", subject: .contains("is MASTER"))),
            within: .seconds(2))
        var run = stopped(step)
        for line in [
            "mail for root from <a@b>: VI_1 is BACKUP", "mail for bob from <a@b>: VI_1 is MASTER",
            "no mail for root from <a@b>: VI_1 is MASTER", "mail for root", "VI_1 is MASTER",
        ] {
            run.tell(.line(target, line), 4100)
        }
        run.tell(.line(Target(node: "backup", service: "keepalived"), "VI_1 is MASTER"), 4200)
        #expect(!run.newLines().contains { $0.hasPrefix("3 passed") })
        run.tell(.line(target, "mail for root from <>: VI_1 is MASTER: really"), 4700)
        #expect(run.newLines().last == "finished: passed")
        var other = stopped(step)
        other.passTime(to: 7000)
        #expect(
            other.failure == "expected mail for root about '...is MASTER...' at backup/postfix"
                + " within 2 s of stop master/keepalived; seen: no such mail")
    }

    // MARK: Sequences

    private static let announced = expect(
        .sequence(patterns("vip on backup", "garp from backup")), within: .milliseconds(5))

    @Test("a sequence: each event after the one before, within the time")
    func sequence() {
        var run = stopped(Self.announced)
        run.vipAdded("backup", 4614)
        run.see(Self.garp("backup", "02:00:00:00:00:02"), 4616, stamp: .kernel)
        #expect(
            run.newLines() == [
                "3 passed, 614 ms after stop master/keepalived, 2 ms from first to last"
                    + " (bound 1.613 s = 157/256 s + margin 1 s)", "finished: passed",
            ])
    }

    @Test("a notification is stamped late: a frame stamped before it may still have followed it")
    func uncertainty() {
        var run = stopped(Self.announced)
        run.see(Self.garp("backup", "02:00:00:00:00:02"), 4613, stamp: .kernel)
        run.see(
            .addressAdded(
                node: "backup", interface: "eth0", address: InterfaceAddress("10.10.10.10/32")!),
            4614, uncertainty: .milliseconds(2))
        #expect(run.verdict == .passed)
    }

    @Test("in the wrong order, or too late, it fails and says what there was")
    func brokenSequence() {
        var run = stopped(Self.announced)
        run.see(Self.garp("backup", "02:00:00:00:00:02"), 4500, stamp: .kernel)
        run.vipAdded("backup", 4614)
        run.see(Self.garp("backup", "02:00:00:00:00:02"), 4700, stamp: .kernel)
        run.passTime(to: 7000)
        #expect(
            run.failure == "expected the sequence vip on backup, garp from backup, each within"
                + " 5 ms of the one before within 1.613 s of stop master/keepalived"
                + " (157/256 s + margin 1 s); seen: vip on backup 614 ms after"
                + " stop master/keepalived, then garp from backup 86 ms later")
    }

    // MARK: Counts

    @Test("adverts since the cause: those before it, and of others, do not count")
    func adverts() {
        let resigned = Self.expect(
            .adverts(AdvertPattern(from: "master", priority: 0), CountRange(atLeast: 1, atMost: 1)))
        var run = Run(
            TwoNodes.on("master"), TwoNodes.control(.stop, "master/keepalived"),
            TwoNodes.on("backup"), resigned)
        run.settle()
        run.see(Self.advert("master", priority: 0), 3700, stamp: .kernel)
        run.applied(.stop, "master/keepalived", 4000)
        run.see(Self.advert("master", priority: 100), 4000.5, stamp: .kernel)
        run.see(Self.advert("backup", priority: 0), 4001, stamp: .kernel)
        run.see(Self.advert("master", priority: 0), 4001, stamp: .kernel)
        run.vipRemoved("master", 4002)
        run.done(2, 4010)
        run.vipAdded("backup", 4614)
        #expect(run.verdict == nil)
        run.passTime(to: 4700)
        #expect(
            run.lines.dropLast().last == "4 passed, 1 seen")
    }

    @Test("too many fail at once, too few when nothing can come any more")
    func wrongCount() {
        let none = Self.expect(.adverts(AdvertPattern(from: "master"), CountRange(atMost: 0)))
        var run = stopped(none)
        run.see(Self.advert("master", priority: 0), 4050, stamp: .kernel)
        #expect(
            run.failure == "expected 0 of advertisements of master after"
                + " stop master/keepalived; seen: 1 of them")
        var other = stopped(
            Self.expect(.adverts(AdvertPattern(from: "backup"), CountRange(atLeast: 1))))
        other.passTime(to: 20_000)
        #expect(other.failure.hasSuffix("; seen: 0 of them"))
    }

    // MARK: Latency

    @Test("latency is counted from the due time, and only of what was asked since the cause")
    func latency() {
        let limits = [LatencyLimit(percentile: 50, atMost: .milliseconds(2))]
        let step = Self.expect(.latency(probe: "web", limits))
        var run = Run(
            [
                TwoNodes.on("master"), TwoNodes.control(.kill, "backup"), TwoNodes.on("master"),
                step,
            ],
            probes: [TwoNodes.web])
        run.settle()
        // Slow, but before the cause.
        run.probe(due: 3610, ended: 3990)
        run.applied(.kill, "backup", 3991)
        run.see(.node("backup", .killed), 3992)
        run.done(2, 3995)
        for due in stride(from: 3620.0, to: 4100, by: 10) {
            run.probe(due: due, ended: max(due, 3996) + (due < 4000 ? 380 : 1))
        }
        #expect(run.lines.dropLast(2).last?.hasPrefix("4 passed, p50 1 ms of ") == true)
        #expect(run.verdict == .passed)
    }

    @Test("a percentile beyond its limit fails with what was measured")
    func slow() {
        let limits = [LatencyLimit(percentile: 100, atMost: .milliseconds(5))]
        var run = Run(
            [Self.expect(.latency(probe: "web", limits), for: .milliseconds(50))],
            probes: [TwoNodes.web])
        run.tell(.begin("test"), 0)
        var due = 0.0
        while run.verdict == nil, due < 60_000 {
            run.probe(due: due, ended: due + (due == 500 ? 9 : 1))
            due += 10
        }
        #expect(run.failure.contains("; seen: max 9 ms of "), "\(run.failure)")
    }

    // MARK: Neighbours

    @Test("a client's entry is at the node whose Ethernet address it has")
    func neighbour() {
        func entry(_ mac: String) -> TimelineEvent.Kind {
            .neighbour(
                .init(
                    node: "client", interface: "eth0", address: TwoNodes.vip,
                    mac: MACAddress(mac)!, state: .reachable))
        }
        let step = Self.expect(.neighbour(TwoNodes.vip, of: "client", isAt: "backup"))
        let stations = [
            MACAddress("02:00:00:00:00:01")!: "master", MACAddress("02:00:00:00:00:02")!: "backup",
        ]
        var run = Run(
            [TwoNodes.on("master"), TwoNodes.control(.stop, "master/keepalived"), step],
            stations: stations)
        run.settle()
        run.see(entry("02:00:00:00:00:01"), 3700)
        run.applied(.stop, "master/keepalived", 4000)
        run.vipRemoved("master", 4001)
        run.done(2, 4002)
        run.vipAdded("backup", 4614)
        run.see(entry("02:00:00:00:00:02"), 4616)
        #expect(run.lines.dropLast().last?.hasPrefix("3 passed, 616 ms after stop master") == true)
    }
}
