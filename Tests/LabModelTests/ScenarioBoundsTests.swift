import LabModel
import NetworkTypes
import Testing

/// Which act an expectation is counted from, and what the protocol grants after it.
@Suite("Scenarios: causes and bounds")
struct ScenarioBoundsTests {
    /// The bound that the last expectation of a run is held against, with its cause.
    private func bound(_ run: Run) -> String {
        for action in run.actions.reversed() {
            if case .report(let report) = action, case .passed(let result) = report.phase,
                let cause = result.cause, let bound = result.bound
            {
                return "\(cause): \(bound)"
            }
        }
        return "none"
    }

    @Test("Of two acting steps the first is the cause; another service's stop does not matter")
    func firstActIsTheCause() {
        var run = Run(
            TwoNodes.on("master"), TwoNodes.control(.stop, "master/keepalived"),
            TwoNodes.control(.stop, "master/httpd"), TwoNodes.on("backup"))
        run.settle()
        run.applied(.stop, "master/keepalived", 4000)
        run.vipRemoved("master", 4001)
        run.done(2, 4100)
        run.applied(.stop, "master/httpd", 4101)
        run.done(3, 4500)
        run.vipAdded("backup", 4614)
        #expect(bound(run) == "stop master/keepalived: 1.613 s = 157/256 s + margin 1 s")
        #expect(run.lines.contains { $0.hasPrefix("4 passed, 614 ms after stop master/keepal") })
    }

    @Test("Expectations in a row share their cause; the next act begins another")
    func causeIsShared() {
        var run = Run(
            TwoNodes.on("master"), TwoNodes.control(.kill, "master"), TwoNodes.on("backup"),
            TwoNodes.on("backup"), TwoNodes.control(.stop, "backup"), TwoNodes.on())
        run.settle()
        run.applied(.kill, "master", 4000)
        run.see(.node("master", .killed), 4001)
        run.done(2, 4002)
        run.vipAdded("backup", 7613)
        #expect(run.lines.contains { $0.hasPrefix("4 passed, 3.613 s after kill master") })
        run.applied(.stop, "backup", 9000)
        run.see(.node("backup", .stopped), 9005)
        run.done(5, 9006)
        #expect(run.lines.contains { $0.hasPrefix("6 passed, 5 ms after stop backup") })
        #expect(run.verdict == .passed)
    }

    @Test("An act later in the group that decides moves the bound by its distance")
    func laterActDecides() {
        var run = Run(
            TwoNodes.on("master"), TwoNodes.control(.stop, "backup"),
            Step(.wait(.seconds(10))), TwoNodes.control(.start, "backup"),
            TwoNodes.control(.kill, "master"), TwoNodes.on("backup"))
        run.settle()
        run.applied(.stop, "backup", 4000)
        run.see(.node("backup", .stopped), 4005)
        run.done(2, 4005)
        run.passTime(to: 14_005)
        run.applied(.start, "backup", 14_005)
        run.see(.node("backup", .running), 14_010)
        run.daemon("backup", .ready, 14_020)
        run.done(4, 14_020)
        run.applied(.kill, "master", 14_100)
        run.see(.node("master", .killed), 14_101)
        run.done(5, 14_101)
        run.vipAdded("backup", 17_700)
        #expect(
            bound(run) == "stop backup: 14.713 s = kill master after 10.1 s + 3 x 1 s + 157/256 s"
                + " + margin 1 s")
    }

    @Test("A stopped backup resigns from nothing: the master's own timer is granted")
    func stoppedBackup() {
        var run = Run(
            TwoNodes.on("master"), TwoNodes.control(.stop, "backup/keepalived"),
            TwoNodes.on("master"))
        run.settle()
        run.applied(.stop, "backup/keepalived", 4000)
        run.done(2, 4001)
        #expect(bound(run) == "stop backup/keepalived: 4.609 s = 3 x 1 s + 156/256 s + margin 1 s")
        #expect(run.lines.contains { $0.hasPrefix("3 passed, already so") })
    }

    @Test("restart: the others take over as after a stop, itself as after a start")
    func restart() {
        var run = Run(
            TwoNodes.on("master"), TwoNodes.control(.restart, "master/keepalived"),
            TwoNodes.on("backup"), TwoNodes.on("master"))
        run.settle()
        run.applied(.restart, "master/keepalived", 4000)
        run.daemon("master", .stopping, 4000.1)
        run.vipRemoved("master", 4001)
        run.daemon("master", .exited(.status(0)), 4010)
        run.daemon("master", .ready, 4040)
        run.done(2, 4041)
        run.vipAdded("backup", 4614)
        #expect(
            bound(run) == "restart master/keepalived: 1.613 s = 157/256 s + margin 1 s")
        run.vipAdded("master", 7650)
        run.vipRemoved("backup", 7651)
        #expect(
            bound(run) == "restart master/keepalived: 4.649 s = ready after 40 ms + 3 x 1 s"
                + " + 156/256 s + margin 1 s")
        #expect(run.verdict == .passed)
    }

    @Test("A node whose services stop before its daemon resigns later; the wait is a term")
    func slowNodeStop() {
        var run = Run(
            TwoNodes.on("master"), TwoNodes.control(.stop, "master"), TwoNodes.on("backup"))
        run.settle()
        run.applied(.stop, "master", 4000)
        run.daemon("master", .stopping, 6000)
        run.see(.node("master", .stopped), 6010)
        run.done(2, 6011)
        run.vipAdded("backup", 6614)
        #expect(
            bound(run) == "stop master: 3.613 s = stopped after 2 s + 157/256 s + margin 1 s")
    }

    @Test("Of three routers the best that is still up inherits")
    func bestRemaining() {
        let third = VirtualRouterFacts(
            node: "third", service: "keepalived", instance: "VI_1", interface: "eth0", vrid: 51,
            priority: 50, advertisementInterval: .seconds(1), preempts: true,
            addresses: [TwoNodes.vip])
        var run = Run(
            TwoNodes.on("master"), TwoNodes.control(.kill, "backup"),
            TwoNodes.control(.kill, "master"), TwoNodes.on("third"), TwoNodes.answers(nil),
            routers: TwoNodes.routers + [third])
        run.settle()
        run.applied(.kill, "backup", 4000)
        run.see(.node("backup", .killed), 4000)
        run.done(2, 4000)
        run.applied(.kill, "master", 4000.5)
        run.see(.node("master", .killed), 4000.6)
        run.done(3, 4001)
        run.vipAdded("third", 7800)
        #expect(bound(run) == "kill backup: 4.805 s = 3 x 1 s + 206/256 s + margin 1 s")
        // An answer names no heir: it is the best router that was not down already.
        run.answer(.answered(status: 200, body: ""), 7801)
        #expect(
            bound(run) == "kill backup: 5.905 s = 3 x 1 s + 206/256 s + margin 1 s"
                + " + request 1.1 s")
    }

    @Test("RFC 9568 §6.1: in VRRPv3 the skew scales with the interval the last master advertised")
    func version3() {
        let routers = TwoNodes.routers.map { router in
            var router = router
            router.version = 3
            router.advertisementInterval = .milliseconds(router.node == "master" ? 100 : 500)
            return router
        }
        var run = Run(
            TwoNodes.on("master"), TwoNodes.control(.kill, "master"), TwoNodes.on("backup"),
            routers: routers)
        run.daemon("master", .ready, 0)
        run.daemon("backup", .ready, 2)
        run.tell(.begin("test"), 5)
        run.vipAdded("master", 361)
        run.applied(.kill, "master", 4000)
        run.see(.node("master", .killed), 4001)
        run.done(2, 4002)
        run.vipAdded("backup", 4361)
        #expect(
            bound(run) == "kill master: 1.361 s = 3 x 100 ms + 157/256 x 100 ms + margin 1 s")
    }

    @Test("A command's effect is not known: the slowest takeover and a default, from its end on")
    func commandAsCause() {
        var run = Run(
            TwoNodes.on("master"),
            Step(
                .execute(
                    node: "master", command: ["ip", "link", "set", "eth0", "down"], status: 0)),
            TwoNodes.on("backup"))
        run.settle()
        run.tell(.done(ActionID(step: 2), .exited(.status(0), output: "")), 5000)
        run.vipAdded("backup", 7000)
        run.vipRemoved("master", 7001)
        #expect(
            bound(run) == "exec master: ip link set eth0 down: 11.004 s = exec master: ip link set"
                + " eth0 down over after 1.391 s + 3 x 1 s + 157/256 s + margin 1 s + default 5 s")
    }

    @Test("What was so before the scenario began is not held against the election's bound")
    func settledBefore() {
        var run = Run(TwoNodes.on("master"), TwoNodes.on("backup"))
        run.daemon("master", .ready, 0)
        run.daemon("backup", .ready, 2)
        run.vipAdded("master", 50_000)
        run.tell(.begin("test"), 90_000)
        #expect(run.newLines().dropLast().last?.hasPrefix("1 passed, already so (bound ") == true)
        run.passTime(to: 200_000)
        #expect(
            run.failure == "expected VIP 10.10.10.10 on backup within 4.613 s of the scenario's"
                + " start (3 x 1 s + 157/256 s + margin 1 s); seen: on master since 40 s before"
                + " the scenario's start")
    }

    @Test("A late election is held against its bound, even if the scenario only looks later")
    func lateElection() {
        var run = Run(Step(.wait(.seconds(20))), TwoNodes.on("master"))
        run.daemon("master", .ready, 0)
        run.daemon("backup", .ready, 2)
        run.tell(.begin("test"), 5)
        run.vipAdded("master", 9000)
        run.passTime(to: 30_000)
        #expect(run.failure.hasSuffix("seen: it was so only 9 s after the daemons' start"))
    }

    /// keepalived is ready with its pid file, and its VRRP process begins later.
    @Test("The first election is counted from the daemon's first word, if it was ready before")
    func lateFirstWord() {
        func lines(firstWord: Int?) -> String {
            var run = Run(TwoNodes.on("master"))
            for node in ["master", "backup"] {
                run.daemon(node, .running(pid: 7), 0)
                run.daemon(node, .ready, 2)
            }
            run.tell(.begin("test"), 5)
            for (number, time) in [firstWord, 1700].compactMap(\.self).enumerated() {
                run.see(
                    .claim(
                        .init(
                            node: "master", service: "keepalived", instance: "VI_1",
                            state: number == 0 ? .backup : .fault, source: .log)), Double(time))
            }
            run.vipAdded("master", 5100)
            return run.lines.joined(separator: "\n")
        }
        #expect(lines(firstWord: 1500).contains("1 passed, 3.6 s after the daemons' start"))
        #expect(lines(firstWord: 1).contains("within 4.609 s of the daemons' start"))
    }

    @Test("The election's bound of an address: the best router's Master_Down_Interval")
    func election() {
        let bounds = TakeoverBounds(routers: TwoNodes.routers)
        #expect(
            bounds.election(of: TwoNodes.vip)?.description
                == "4.609 s = 3 x 1 s + 156/256 s + margin 1 s")
        #expect(bounds.election(of: TwoNodes.vip)?.theoretical == .nanoseconds(3_609_375_000))
        #expect(bounds.election(of: IPAddress("192.0.2.1")!) == nil)
    }
}
