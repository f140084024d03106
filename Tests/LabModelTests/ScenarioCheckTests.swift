import LabModel
import NetworkTypes
import Testing

/// What must hold over the whole run.
@Suite("Scenarios: continuous checks")
struct ScenarioCheckTests {
    private static let pause = Step(.wait(.seconds(60)))

    private func run(_ rule: Check.Rule, probes: [Probe] = []) -> Run {
        var run = Run([Self.pause], probes: probes, checks: [Check(rule)])
        run.daemon("master", .ready, 0)
        run.daemon("backup", .ready, 0)
        run.vipAdded("master", 1)
        run.tell(.begin("test"), 5)
        _ = run.newLines()
        return run
    }

    private static func advert(_ node: String, priority: Int = 100, vrid: Int = 51)
        -> TimelineEvent.Kind
    {
        .advertisement(
            TimelineEvent.Advertisement(
                node: node, interface: "eth0", source: IPAddress("10.10.10.1")!, version: 2,
                vrid: vrid, priority: priority, interval: .seconds(1), addresses: [TwoNodes.vip]))
    }

    private static func arp(_ node: String, _ sender: String, _ mac: String) -> TimelineEvent.Kind {
        .arp(
            .init(
                node: node, interface: "eth0", operation: .reply,
                sender: IPv4Address(sender)!, senderMAC: MACAddress(mac)!,
                target: IPv4Address("10.10.10.3")!, targetMAC: MACAddress("02:00:00:00:00:03")!))
    }

    @Test("one-owner: two owners are one too many, beyond the overlap, at its very end")
    func twoOwners() {
        var run = run(.oneOwner(TwoNodes.vip, overlap: .milliseconds(50)))
        run.vipAdded("backup", 1000)
        #expect(run.machine.deadline == at(1050) + .nanoseconds(1))
        run.passTime(to: 1050)
        #expect(run.newLines() == [])
        run.passTime(to: 1051)
        #expect(
            run.newLines() == [
                "violated: at most one owner of 10.10.10.10: on backup and master",
                "1 failed: expected at most one owner of 10.10.10.10 all the time; seen:"
                    + " on backup and master, from 995 ms after the scenario's start on",
                "finished: failed in 1",
            ])
    }

    @Test("one-owner: an overlap within its bound is none, and the next is counted anew")
    func shortOverlap() {
        var run = run(.oneOwner(TwoNodes.vip, overlap: .milliseconds(50)))
        for start in [1000.0, 2000, 3000] {
            run.vipAdded("backup", start)
            run.vipRemoved("backup", start + 50)
        }
        run.passTime(to: 70_000)
        #expect(run.verdict == .passed)
    }

    @Test("a violation bears its cause, and its end once it is known; cleaning up goes on")
    func interval() {
        var run = Run(
            [TwoNodes.control(.start, "backup"), Self.pause],
            checks: [Check(.oneOwner(TwoNodes.vip, overlap: .zero))],
            cleanup: [Step(.wait(.seconds(1)))])
        run.vipAdded("master", 1)
        run.tell(.begin("test"), 5)
        run.applied(.start, "backup", 10)
        run.done(1, 20)
        run.vipAdded("backup", 1000)
        run.passTime(to: 1001)
        run.vipRemoved("master", 1200)
        run.passTime(to: 5000)
        #expect(
            run.lines.filter { $0.hasPrefix("violated") } == [
                "violated: at most one owner of 10.10.10.10: on backup and master (start backup)",
                "violated: at most one owner of 10.10.10.10: on backup and master for 200 ms"
                    + " (start backup)",
            ])
        #expect(
            run.verdict
                == .failed(
                    step: 2,
                    message: "expected at most one owner of 10.10.10.10 all the time; seen:"
                        + " on backup and master, from 990 ms after start backup on"))
    }

    @Test("owned: once it had an owner, an address is not long without one")
    func unowned() {
        var run = run(.owned(TwoNodes.vip, gap: .seconds(4)))
        run.vipRemoved("master", 1000)
        run.vipAdded("backup", 5000)
        run.vipRemoved("backup", 6000)
        #expect(run.newLines() == [])
        run.passTime(to: 20_000)
        #expect(
            run.newLines().first
                == "violated: an owner of 10.10.10.10, but for 4 s: on no node")
    }

    @Test("owned: before the first owner nothing is missed")
    func firstOwner() {
        var run = Run([Self.pause], checks: [Check(.owned(TwoNodes.vip, gap: .seconds(1)))])
        run.tell(.begin("test"), 0)
        run.vipAdded("master", 3609)
        run.passTime(to: 70_000)
        #expect(run.verdict == .passed)
    }

    @Test("adverts: each VRID by itself, whoever sends; late by its own stamp, not by its reading")
    func advertGap() {
        var run = run(.advertised(router: nil, gap: .milliseconds(1100)))
        for second in 1...5 {
            run.see(Self.advert("master"), Double(second) * 1000, stamp: .kernel)
            run.see(
                Self.advert("backup", vrid: 52), Double(second) * 1000 + 500, stamp: .kernel)
        }
        #expect(run.newLines() == [])
        run.see(Self.advert("backup"), 6000, stamp: .kernel)
        run.passTime(to: 6600)
        #expect(run.newLines() == [])
        run.passTime(to: 6601)
        #expect(
            run.newLines().first == "violated: an advertisement every 1.1 s: none with VRID 52"
                + " after that of backup")
    }

    @Test("adverts: of the named router alone")
    func advertsOfRouter() {
        var run = run(.advertised(router: "VI_1", gap: .milliseconds(1100)))
        run.see(Self.advert("backup", vrid: 52), 1000, stamp: .kernel)
        run.passTime(to: 10_000)
        #expect(run.newLines() == [])
        run.see(Self.advert("master"), 11_000, stamp: .kernel)
        run.see(Self.advert("master"), 12_101, stamp: .kernel)
        #expect(
            run.newLines().first == "violated: an advertisement of VI_1 every 1.1 s: none with"
                + " VRID 51 after that of master")
    }

    @Test("dead-are-silent: no frame from a node after its end; its return is its own")
    func dead() {
        var run = run(.deadAreSilent)
        run.see(.node("master", .killed), 1000)
        run.see(Self.advert("master"), 999, stamp: .kernel, read: 1001)
        run.see(.node("master", .starting), 2000)
        run.see(Self.advert("master"), 2500, stamp: .kernel)
        #expect(run.newLines() == [])
        run.see(.node("master", .stopped), 3000)
        run.see(Self.arp("master", "10.10.10.1", "02:00:00:00:00:01"), 3007, stamp: .kernel)
        #expect(
            run.newLines().first == "violated: no frame of a dead node: ARP on eth0: 10.10.10.1"
                + " is at 02:00:00:00:00:01, to 10.10.10.3, 7 ms after the end of master for 0 s")
    }

    @Test("priority: the 0 of one that resigns is allowed, another node's is its own")
    func priority() {
        var run = run(.priority(node: "master", 80...100))
        run.see(Self.advert("master", priority: 80), 1000)
        run.see(Self.advert("master", priority: 0), 1001)
        run.see(Self.advert("backup", priority: 120), 1002)
        #expect(run.newLines() == [])
        run.see(Self.advert("master", priority: 101), 1003)
        #expect(
            run.newLines().first == "violated: priority of master from 80 to 100: master"
                + " advertises 101")
    }

    @Test("no-duplicate-address: a takeover is none; two that answer in turn are")
    func duplicate() {
        var run = run(.noDuplicateAddress)
        let first = Self.arp("master", "10.10.10.10", "02:00:00:00:00:01")
        let second = Self.arp("backup", "10.10.10.10", "02:00:00:00:00:02")
        run.see(first, 1000)
        run.see(second, 2000)
        run.see(first, 9000)
        run.see(first, 9010)
        #expect(run.newLines() == [])
        run.see(second, 9020)
        run.see(first, 9030)
        #expect(
            run.newLines().first == "violated: no duplicate address: 10.10.10.10 at"
                + " 02:00:00:00:00:01 (master) and at 02:00:00:00:00:02 (backup) for 10 ms")
    }

    @Test("survives: once it was answered, no request of the probe is lost")
    func survives() {
        var run = run(.survives(probe: "web"), probes: [TwoNodes.web])
        run.probe(due: 10, ended: 11, .failed("connection refused"))
        run.probe(due: 30, ended: 31)
        // It was asked before anything was answered, and given up after that.
        run.probe(due: 20, ended: 520, .failed("timed out"))
        #expect(run.newLines() == [])
        run.probe(due: 40, ended: 540, .failed("timed out"))
        #expect(run.newLines().first == "violated: web survives: timed out")
    }

    @Test("a violation while the machine stood still for longer than it may last is inconclusive")
    func stall() {
        var run = run(.oneOwner(TwoNodes.vip, overlap: .milliseconds(50)))
        run.vipAdded("backup", 1000)
        // A machine that stood still is told so before its timers.
        run.see(.stall(.milliseconds(300)), 1310, read: 1000)
        run.passTime(to: 1400)
        guard case .inconclusive(1, let message) = run.verdict else {
            Issue.record("\(String(describing: run.verdict))")
            return
        }
        #expect(
            message.hasSuffix(
                "inconclusive: this machine stood still for 300 ms meanwhile, the margin is 50 ms"))
    }

    @Test("a failed step does not wait for checks, and checks do not speak after it")
    func afterFailure() {
        var run = Run(
            [TwoNodes.control(.kill, "master")],
            checks: [Check(.oneOwner(TwoNodes.vip, overlap: .zero))],
            cleanup: [Step(.wait(.seconds(5)))])
        run.tell(.begin("test"), 0)
        run.tell(.done(ActionID(step: 1), .failed("no")), 1)
        run.vipAdded("master", 2)
        run.vipAdded("backup", 3)
        run.passTime(to: 6000)
        #expect(!run.lines.contains { $0.hasPrefix("violated") })
        #expect(run.verdict == .failed(step: 1, message: "kill master: no"))
    }
}
