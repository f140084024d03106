import LabModel
import NetworkTypes
import Testing

/// What virtual routers owe each other, whatever is broken.
@Suite("Scenarios: routers that hear each other agree, and one that is able takes over")
struct RouterWatchTests {
    private static let pause = Step(.wait(.seconds(60)))
    private static let port = Endpoint.parse("backup:eth0")!
    private static let disagreement =
        "violated: owners that hear each other agree: 10.10.10.10 on backup and master, which hear "
        + "each other"
    private static let vacancy =
        "violated: an able router takes over: 10.10.10.10 on no node, and backup is able"

    /// A run in which the master has the address; 1 s of interval and 1 s of margin.
    private func run(
        _ rule: Check.Rule, _ change: (inout VirtualRouterFacts) -> Void = { _ in }
    ) -> Run {
        var routers = TwoNodes.routers
        for index in routers.indices { change(&routers[index]) }
        var run = Run([Self.pause], checks: [Check(rule)], routers: routers)
        run.daemon("master", .ready, 0)
        run.daemon("backup", .ready, 0)
        run.vipAdded("master", 1)
        run.tell(.begin("test"), 5)
        _ = run.newLines()
        return run
    }

    private func violations(_ run: Run) -> [String] {
        run.lines.filter { $0.hasPrefix("violated") }
    }

    @Test("§6.4.3: two owners may be for one interval and the margin, and not a nanosecond longer")
    func bound() {
        var run = run(.ownersAgree)
        run.vipAdded("backup", 1000)
        #expect(run.machine.deadline == at(3000) + .nanoseconds(1))
        run.passTime(to: 3000)
        #expect(violations(run) == [])
        run.passTime(to: 3001)
        #expect(violations(run) == [Self.disagreement])
        #expect(
            run.failure
                == "expected owners that hear each other agree all the time; seen: 10.10.10.10 on "
                + "backup and master, which hear each other, from 995 ms after the scenario's "
                + "start on")
    }

    @Test("one that yields in time is none, and the next time is counted anew")
    func yields() {
        var run = run(.ownersAgree)
        for start in [1000.0, 4000, 7000] {
            run.vipAdded("backup", start)
            run.vipRemoved("backup", start + 2000)
        }
        run.passTime(to: 70_000)
        #expect(run.verdict == .passed)
    }

    @Test(
        "a split brain counts from when they hear each other again",
        arguments: [
            Fault.linkDown(port), .blackhole(port, .in), .blackhole(port, .out),
            .partition([["master"], ["backup"]]), .impair(port, .parse("loss 90%")!),
            .impair(port, .parse("in delay 1s only vrrp")!),
            .limit("backup", NodeLimits([.cpu: .amount(100)])),
        ])
    func splitBrain(_ fault: Fault) {
        var run = run(.ownersAgree)
        run.see(.fault(fault), 1000)
        run.vipAdded("backup", 4000)
        run.passTime(to: 20_000)
        #expect(violations(run) == [])
        run.see(.fault(.heal(nil)), 20_000)
        run.passTime(to: 22_000)
        #expect(violations(run) == [])
        run.passTime(to: 22_001)
        #expect(violations(run) == [Self.disagreement])
    }

    @Test("one that stands still hears nothing until it goes on", arguments: ["", "/keepalived"])
    func frozen(_ service: String) {
        var run = run(.ownersAgree)
        run.see(.control(.freeze, Target.parse("master" + service)!), 1000)
        run.vipAdded("backup", 4000)
        run.passTime(to: 20_000)
        run.see(.control(.thaw, Target.parse("master" + service)!), 20_000)
        run.passTime(to: 22_000)
        #expect(violations(run) == [])
        run.passTime(to: 22_001)
        #expect(violations(run) == [Self.disagreement])
    }

    @Test("what a dead daemon has left behind is not its to give up, until it is back")
    func leftBehind() {
        var run = run(.ownersAgree)
        run.daemon("master", .exited(.signal(9)), 1000)
        run.vipAdded("backup", 4000)
        run.passTime(to: 20_000)
        #expect(violations(run) == [])
        run.daemon("master", .ready, 20_000)
        run.passTime(to: 22_001)
        #expect(violations(run) == [Self.disagreement])
    }

    @Test("one that was killed while it stood still is another one when it is back")
    func killedFrozen() {
        var run = run(.ownersAgree)
        run.see(.control(.freeze, Target(node: "master")), 1000)
        run.see(.node("master", .killed), 2000)
        run.see(.node("master", .running), 3000)
        run.daemon("master", .ready, 3100)
        run.vipAdded("backup", 3200)
        run.vipAdded("master", 6000)
        run.passTime(to: 8001)
        #expect(violations(run) == [Self.disagreement])
    }

    @Test("two virtual routers with one address owe each other nothing")
    func otherRouter() {
        var run = run(.ownersAgree) { if $0.node == "backup" { $0.vrid = 52 } }
        run.vipAdded("backup", 1000)
        run.passTime(to: 70_000)
        #expect(run.verdict == .passed)
    }

    // MARK: Taking over

    @Test("§6.4.2: nobody may be master for Master_Down_Interval and the margin, and no longer")
    func vacancy() {
        var run = run(.ableTakeOver)
        run.see(.node("master", .killed), 1000)
        // 3 x 1 s + 157/256 s + 1 s.
        #expect(run.machine.deadline == at(5613.28125) + .nanoseconds(1))
        run.passTime(to: 5613.28125)
        #expect(violations(run) == [])
        run.passTime(to: 5614)
        #expect(violations(run) == [Self.vacancy])
    }

    @Test("before the first election, too; one that comes in time is none")
    func firstElection() {
        var run = Run([Self.pause], checks: [Check(.ableTakeOver)])
        run.tell(.begin("test"), 0)
        run.daemon("backup", .ready, 1000)
        run.vipAdded("backup", 5613)
        run.passTime(to: 70_000)
        #expect(run.verdict == .passed)
    }

    @Test("nobody is missed while nobody is able, and then from when one is")
    func nobodyAble() {
        let down = TimelineEvent.Kind.link(
            node: "backup", interface: "eth0", isUp: true, hasCarrier: false)
        let up = TimelineEvent.Kind.link(
            node: "backup", interface: "eth0", isUp: true, hasCarrier: true)
        var run = run(.ableTakeOver)
        run.see(down, 500)
        run.see(.node("master", .killed), 1000)
        run.passTime(to: 10_000)
        run.see(up, 10_000)
        run.see(.control(.freeze, Target(node: "backup")), 11_000)
        run.passTime(to: 20_000)
        run.see(.control(.thaw, Target(node: "backup")), 20_000)
        run.see(.fault(.impair(Self.port, .parse("delay 1s")!)), 21_000)
        run.passTime(to: 30_000)
        #expect(violations(run) == [])
        run.see(.fault(.heal(nil)), 30_000)
        run.passTime(to: 34_613)
        #expect(violations(run) == [])
        run.passTime(to: 34_614)
        #expect(violations(run) == [Self.vacancy])
    }

    @Test("what a script or a group may forbid is not asked for")
    func conditions() {
        var run = run(.ableTakeOver) { $0.hasConditions = true }
        run.see(.node("master", .killed), 1000)
        run.passTime(to: 70_000)
        #expect(run.verdict == .passed)
    }

    @Test("a machine that stood still longer than the margin proves nothing")
    func standstill() {
        var run = run(.ownersAgree)
        run.vipAdded("backup", 1000)
        run.see(.stall(.milliseconds(1500)), 2900)
        run.passTime(to: 3001)
        guard case .inconclusive = run.verdict else {
            Issue.record("\(String(describing: run.verdict))")
            return
        }
    }
}

@Suite("Scenarios: an address on exactly one of several nodes")
struct OneOfSeveralTests {
    private let step = Step(
        .expect(
            Expectation(
                .addressOnOne(TwoNodes.vip, of: ["backup", "master"]),
                holding: .milliseconds(500))))

    @Test("either will do, both will not, and a third neither")
    func either() {
        for node in ["master", "backup"] {
            var run = Run(step)
            run.daemon("master", .ready, 0)
            run.daemon("backup", .ready, 0)
            run.tell(.begin("test"), 5)
            run.vipAdded(node, 3600)
            run.passTime(to: 4100)
            #expect(run.verdict == .passed)
        }
        var both = Run(step)
        both.daemon("master", .ready, 0)
        both.daemon("backup", .ready, 0)
        both.tell(.begin("test"), 5)
        both.vipAdded("master", 3600)
        both.vipAdded("backup", 3700)
        #expect(both.failure.contains("it held for 100 ms, then on backup and master"))
        var third = Run(step)
        third.daemon("master", .ready, 0)
        third.daemon("backup", .ready, 0)
        third.tell(.begin("test"), 5)
        third.vipAdded("client", 100)
        third.passTime(to: 20_000)
        #expect(third.failure.hasPrefix("expected VIP 10.10.10.10 on one of backup and master"))
    }

    @Test("the bound is that of the best of them, as for an answer from anywhere")
    func bound() {
        var run = Run(TwoNodes.on("master"), TwoNodes.control(.kill, "master"), step)
        run.settle()
        run.applied(.kill, "master", 4000)
        run.done(2, 4001)
        run.see(.node("master", .killed), 4001)
        run.passTime(to: 20_000)
        #expect(run.failure.contains("within 4.613 s of kill master"))
    }

    @Test("settled: it may come and go until the bound, from the last thing that was done on")
    func settled() {
        let cut = Endpoint.parse("master:eth0")!
        let steps = [
            Step(.fault(.blackhole(cut, .out))), Step(.wait(.seconds(1))),
            Step(.fault(.heal(nil))),
            Step(
                .expect(
                    Expectation(
                        .address(TwoNodes.vip, nodes: ["master"]), settling: .seconds(4)))),
        ]
        func begun() -> Run {
            var run = Run(steps)
            run.settleAtOnce()
            run.see(.fault(.blackhole(cut, .out)), 10)
            run.tell(.done(ActionID(step: 1), .done), 11)
            run.passTime(to: 1011)
            run.see(.fault(.heal(nil)), 1012)
            run.tell(.done(ActionID(step: 3), .done), 1013)
            return run
        }
        // The other one has waited long enough all the same, and yields.
        var run = begun()
        run.vipAdded("backup", 3700)
        run.vipRemoved("backup", 3800)
        run.passTime(to: 7799)
        #expect(run.verdict == nil)
        run.passTime(to: 7800)
        #expect(run.verdict == .passed)
        // Without that it is so from the end of the last deed on, not from the first.
        var calm = begun()
        calm.passTime(to: 5012)
        #expect(calm.verdict == nil)
        calm.passTime(to: 5013)
        #expect(calm.verdict == .passed)
        // What was done last, if it has nothing to do with it, moves no bound.
        var other = Run(
            steps.dropLast() + [Step(.wait(.seconds(20)))]
                + [TwoNodes.control(.start, "client")] + steps.suffix(1))
        other.settleAtOnce()
        other.see(.fault(.blackhole(cut, .out)), 10)
        other.tell(.done(ActionID(step: 1), .done), 11)
        other.passTime(to: 1011)
        other.see(.fault(.heal(nil)), 1012)
        other.tell(.done(ActionID(step: 3), .done), 1013)
        other.passTime(to: 21_014)
        other.applied(.start, "client", 21_014)
        other.done(5, 21_015)
        other.passTime(to: 25_014)
        #expect(other.verdict == nil)
        other.passTime(to: 25_015)
        #expect(other.verdict == .passed)
        // After the bound it has to stay so.
        var late = begun()
        late.vipAdded("backup", 3700)
        late.vipRemoved("backup", 5000)
        late.vipAdded("backup", 6500)
        #expect(late.failure.contains("seen: it held for 1.5 s, then on backup and master"))
    }
}

extension Run {
    /// Daemons ready, the master with the address, and the run begun at 5 ms.
    fileprivate mutating func settleAtOnce() {
        daemon("master", .ready, 0)
        daemon("backup", .ready, 0)
        vipAdded("master", 1)
        tell(.begin("test"), 5)
    }
}
