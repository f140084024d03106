import LabModel
import NetworkTypes
import Testing

/// Acting steps: what they ask of the shell, what they wait for, and what is done in the end.
@Suite("Scenarios: acting steps")
struct ScenarioStepsTests {
    private static let kill = Step.Action.control(.kill, Target(node: "master"))
    private static let port = Endpoint(node: "master", interface: InterfaceName("eth0")!)

    private static func advert(_ node: String, priority: Int = 100) -> TimelineEvent.Kind {
        .advertisement(
            TimelineEvent.Advertisement(
                node: node, interface: "eth0", source: IPAddress("10.10.10.1")!, version: 2,
                vrid: 51, priority: priority, interval: .seconds(1), addresses: [TwoNodes.vip]))
    }

    private static func trigger(_ text: String) -> Trigger { Trigger.parse(text)! }

    @Test("a trigger that YAML takes apart at its comma is whole; another key is not swallowed")
    func commaInTrigger() throws {
        func decoded(_ step: String) -> (triggers: [Trigger?]?, diagnostics: [String]) {
            let decoding = decode(
                "name: t\nnodes: { a: }\nscenarios: { s: { steps: [ \(step) ] } }\n")
            return (
                decoding.lab?.scenarios[0].steps.map(\.trigger),
                decoding.diagnostics.map(\.message)
            )
        }
        let vip = IPAddress("10.0.0.100")!
        let frame = EventPattern.frame(.arp, vip, from: nil)
        #expect(
            decoded("{ kill: a, at: frame(arp, 10.0.0.100) + 5ms }").triggers
                == [Trigger(frame, offset: .milliseconds(5))])
        #expect(
            decoded("{ at: frame(arp, 10.0.0.100), kill: a }").triggers == [Trigger(frame)])
        #expect(decoded("{ at: frame(arp, kill: a }").triggers == nil)
        #expect(decoded("{ at: advert(a), kill: a, b }").triggers == nil)
    }

    @Test("at: the step waits for its event, then for its offset, counted from the event's stamp")
    func trigger() {
        var run = Run(
            TwoNodes.on("master"), Step(Self.kill, at: Self.trigger("advert(master) + 300ms")),
            TwoNodes.on("backup"))
        run.settle()
        _ = run.newLines()
        run.see(Self.advert("backup"), 4000, stamp: .kernel)
        #expect(run.newLines() == [])
        // Captured at 4500, read 20 ms later.
        run.see(Self.advert("master"), 4500, stamp: .kernel, read: 4520)
        #expect(run.newLines() == [])
        #expect(run.machine.deadline == at(4800))
        run.passTime(to: 4800)
        #expect(run.newLines() == ["2: kill master"])
        run.applied(.kill, "master", 4800.2)
        run.see(.node("master", .killed), 4800.3)
        run.done(2, 4801)
        run.vipAdded("backup", 8000)
        #expect(
            run.newLines().suffix(2) == [
                "3 passed, 3.2 s after kill master"
                    + " (bound 4.613 s = 3 x 1 s + 157/256 s + margin 1 s)",
                "finished: passed",
            ])
    }

    @Test("an event from before the step's turn is none; one that does not come fails the step")
    func triggerMissed() {
        var run = Run(
            TwoNodes.on("master"), Step(Self.kill, at: Self.trigger("advert(backup)")),
            TwoNodes.on("backup"))
        run.daemon("master", .ready, 0)
        run.daemon("backup", .ready, 0)
        run.tell(.begin("test"), 5)
        run.vipAdded("master", 3609)
        run.see(Self.advert("backup"), 3608, stamp: .kernel, read: 3610)
        run.passTime(to: 70_000)
        #expect(run.failure == "kill master: no advert(backup) within 60 s")
    }

    @Test("at: a state that is so already is not waited for")
    func triggerAlreadySo() {
        var run = Run(
            TwoNodes.on("master"),
            Step(Self.kill, at: Self.trigger("state(master) = MASTER + 100ms")),
            Step(.control(.start, Target(node: "master")), at: Self.trigger("vip on backup")),
            TwoNodes.on("master"))
        run.settle()
        run.passTime(to: 3800)
        #expect(run.newLines().last == "2: kill master")
        run.applied(.kill, "master", 3709.4)
        run.see(.node("master", .killed), 3710)
        run.done(2, 3801)
        #expect(run.newLines().last == "3 start master at vip on backup")
        run.vipAdded("backup", 7100)
        #expect(run.newLines() == ["3: start master"])
    }

    @Test("parallel: all begin at once, the step ends with the last, each act with its own time")
    func parallel() {
        let both = Step(
            .parallel([
                TwoNodes.control(.stop, "master/keepalived"),
                Step(.fault(.blackhole(Self.port, .both))),
                Step(.wait(.seconds(2))),
            ]))
        var run = Run(TwoNodes.on("master"), both, TwoNodes.on("backup"))
        run.settle()
        #expect(
            run.newLines().suffix(3) == [
                "2 stop master/keepalived & link master:eth0 blackhole & wait 2 s",
                "2.1: stop master/keepalived", "2.2: link master:eth0 blackhole",
            ])
        run.applied(.stop, "master/keepalived", 3700)
        run.see(.fault(.blackhole(Self.port, .both)), 3701)
        run.tell(.done(ActionID(step: 2, part: 2), .done), 3702)
        run.tell(.done(ActionID(step: 2, part: 1), .done), 3900)
        #expect(run.newLines() == [])
        run.passTime(to: 5700)
        #expect(run.newLines() == ["2 passed", "3 expect VIP 10.10.10.10 on backup"])
        run.vipRemoved("master", 5700)
        run.vipAdded("backup", 7300)
        // The blackhole decides: nobody can hear the resignation.
        #expect(
            run.newLines().first == "3 passed, 3.6 s after stop master/keepalived (bound 4.614 s"
                + " = link master:eth0 blackhole after 1 ms + 3 x 1 s + 157/256 s + margin 1 s)")
    }

    @Test("a part that fails, fails the step")
    func parallelFails() {
        var run = Run(
            Step(
                .parallel([TwoNodes.control(.start, "master"), TwoNodes.control(.kill, "backup")]))
        )
        run.tell(.begin("test"), 0)
        run.tell(.done(ActionID(step: 1, part: 2), .failed("node backup is not running")), 1)
        #expect(run.verdict == .failed(step: 1, message: "kill backup: node backup is not running"))
    }

    @Test("cleanup: every step is done after a failure, whatever becomes of the others")
    func cleanup() {
        var run = Run(
            TwoNodes.control(.kill, "master"), TwoNodes.on("backup"), TwoNodes.on("backup"),
            cleanup: [Step(.fault(.heal(nil))), TwoNodes.control(.start, "master")])
        run.tell(.begin("test"), 0)
        run.tell(.done(ActionID(step: 1), .failed("no")), 1)
        #expect(
            run.newLines() == [
                "1 kill master", "1: kill master", "1 failed: kill master: no", "2 not run",
                "3 not run", "4 heal", "4: heal",
            ])
        run.tell(.done(ActionID(step: 4), .failed("cannot")), 2)
        #expect(
            run.newLines() == ["4 failed: heal: cannot", "5 start master", "5: start master"])
        run.tell(.done(ActionID(step: 5), .done), 3)
        #expect(run.newLines() == ["5 passed", "finished: failed in 1"])
    }

    @Test("cleanup: a failure in it fails a run that had passed")
    func cleanupFails() {
        var run = Run(
            Step(.wait(.seconds(1))), cleanup: [Step(.fault(.heal(nil))), Step(.wait(.seconds(1)))])
        run.tell(.begin("test"), 0)
        run.passTime(to: 1000)
        run.tell(.done(ActionID(step: 2), .failed("cannot")), 1001)
        #expect(run.verdict == nil)
        run.passTime(to: 3000)
        #expect(run.verdict == .failed(step: 2, message: "heal: cannot"))
    }

    @Test(
        "exec: output is compared exactly less one newline, by a part, or by a pattern",
        arguments: [
            (TextMatch.equals("a b"), "a b\n", true), (.equals("a b"), "a b\n\n", false),
            (.contains("b"), "abc", true), (.contains("d"), "abc", false),
            (.matches("^v[0-9]+$"), "v12\n", true), (.matches("^v[0-9]+$"), "v", false),
            (.matches("^v[0-9]+$"), "u\nv12\nw\n", true),
            (.matches("^v[0-9]+$"), "u v12\n", false),
        ])
    func output(match: TextMatch, printed: String, isRight: Bool) {
        var run = Run(Step(.execute(node: "master", command: ["x"], output: match)))
        run.tell(.begin("test"), 0)
        run.tell(.done(ActionID(step: 1), .exited(.status(0), output: printed)), 1)
        #expect((run.verdict == .passed) == isRight)
        #expect(isRight || run.failure.hasPrefix("exec master: x: expected output \(match); seen"))
    }

    @Test("edit: the files are handed to the shell; a reload's effect is not known")
    func editAndReload() {
        let file = NodeFile(path: "/etc/keepalived/keepalived.conf", contents: [])
        var run = Run(
            TwoNodes.on("master"),
            Step(.edit([Scenario.FileOverride(node: "master", file: file)])),
            TwoNodes.control(.reload, "master/keepalived"), TwoNodes.on("backup"))
        run.settle()
        #expect(run.newLines().last == "2: edit master:/etc/keepalived/keepalived.conf")
        run.tell(.done(ActionID(step: 2), .done), 4000)
        run.applied(.reload, "master/keepalived", 4001)
        run.done(3, 4002)
        run.vipRemoved("master", 5000)
        run.vipAdded("backup", 8000)
        #expect(
            run.lines.dropLast().last?.hasSuffix(
                " + 3 x 1 s + 157/256 s + margin 1 s + default 5 s)") == true)
    }
}

/// What the network's faults and the verbs about standing still let the protocol take.
@Suite("Scenarios: bounds after faults")
struct ScenarioFaultBoundsTests {
    private static let port = Endpoint(node: "master", interface: InterfaceName("eth0")!)

    private func bound(after fault: Fault, expecting nodes: String..., then seen: String...)
        -> String
    {
        var run = Run(
            TwoNodes.on("master"), Step(.fault(fault)),
            Step(.expect(Expectation(.address(TwoNodes.vip, nodes: nodes)))))
        run.settle()
        run.see(.fault(fault), 4000)
        run.done(2, 4001)
        for node in seen { run.vipAdded(node, 7000) }
        let words = run.lines.last { $0.hasPrefix("3 passed") } ?? run.failure
        return words.split(separator: "(bound ").last.map { String($0.dropLast()) } ?? words
    }

    @Test("a cut cable and a silent one cost the backup its Master_Down_Interval (RFC 3768 §6.1)")
    func cut() {
        let expected = "4.613 s = 3 x 1 s + 157/256 s + margin 1 s"
        #expect(
            bound(
                after: .blackhole(Self.port, .both), expecting: "master", "backup", then: "backup")
                == expected)
        #expect(
            bound(
                after: .partition([["master"], ["backup", "client"]]), expecting: "master",
                "backup", then: "backup") == expected)
    }

    @Test("a fault elsewhere says nothing about it: the slowest takeover and a default")
    func elsewhere() {
        let client = Endpoint(node: "client", interface: InterfaceName("eth0")!)
        #expect(
            bound(after: .linkDown(client), expecting: "master")
                == "9.614 s = link client:eth0 down over after 1 ms + 3 x 1 s + 157/256 s"
                + " + margin 1 s + default 5 s")
    }

    @Test("healing: the better of two masters wins within its Master_Down_Interval")
    func heal() {
        #expect(
            bound(after: .heal(nil), expecting: "master")
                == "4.609 s = 3 x 1 s + 156/256 s + margin 1 s")
    }
}
