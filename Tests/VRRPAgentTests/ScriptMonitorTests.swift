import KeepalivedConf
import LinuxSystem
import NetworkTypes
import Testing

@testable import VRRPAgent

@Suite("vrrp_script: when it runs and what its results mean (KEEPALIVED.md §1.3, §3.8)")
struct ScriptMonitorTests {
    private typealias Action = ScriptMonitor.Action

    private static func script(_ body: String = "") throws -> VRRPScript {
        let text = """
            vrrp_script chk {
                script "/bin/check -q"
                \(body)
            }
            """
        return try #require(Configuration.parse(text, file: "x").configuration.scripts.first)
    }

    private static func at(_ milliseconds: Int) -> MonotonicInstant {
        MonotonicInstant.zero + .seconds(100) + .milliseconds(milliseconds)
    }

    /// A monitor whose runs end as soon as they start.
    private struct Bench {
        var monitor: ScriptMonitor
        var now = 0

        init(monitor: ScriptMonitor) { self.monitor = monitor }

        init(_ body: String = "") throws { monitor = ScriptMonitor(try script(body)) }

        /// One run with that result, and what came of it.
        mutating func run(_ termination: Termination) -> [Action] {
            let event: ScriptMonitor.Event = monitor.deadline == nil ? .start : .timer
            #expect(monitor.handle(event, now: at(now)) == [.run])
            #expect(monitor.handle(.started(pid: 7), now: at(now)) == [])
            now += 1_000
            return monitor.handle(.ended(termination), now: at(now - 995))
        }

        mutating func run(_ status: Int32) -> [Action] { run(.exited(status: status)) }
    }

    private static func log(_ text: String) -> Action { .log(LogLine(text)) }
    private static let succeeded = [log("VRRP_Script(chk) succeeded"), .report(isUp: true)]

    @Test("the first result decides at once, whatever rise and fall say")
    func firstResult() throws {
        var good = try Bench("rise 3\nfall 3")
        #expect(good.monitor.isUp == nil)
        #expect(good.run(0) == Self.succeeded, "and status 0 is no news")
        #expect(good.monitor.isUp == true)

        var bad = try Bench("rise 3\nfall 3")
        #expect(
            bad.run(1) == [
                Self.log("Script `chk` now returning 1"),
                Self.log("VRRP_Script(chk) failed (exited with status 1)"), .report(isUp: false),
            ])
        #expect(bad.monitor.isUp == false)
    }

    @Test("fall failures in a row make it fail, rise successes in a row succeed; others start over")
    func riseAndFall() throws {
        var bench = try Bench("rise 2\nfall 3")
        #expect(bench.run(0) == Self.succeeded)
        #expect(bench.run(5) == [Self.log("Script `chk` now returning 5")])
        #expect(bench.run(5) == [], "the same status is not reported again")
        #expect(bench.run(0) == [Self.log("Script `chk` now returning 0")], "two of three")
        #expect(bench.run(5).count == 1)
        #expect(bench.run(5) == [])
        #expect(
            bench.run(5) == [
                Self.log("VRRP_Script(chk) failed (exited with status 5)"), .report(isUp: false),
            ])
        #expect(bench.run(0) == [Self.log("Script `chk` now returning 0")])
        #expect(bench.run(6) == [Self.log("Script `chk` now returning 6")], "one of two")
        #expect(bench.run(0).count == 1)
        #expect(bench.run(0) == Self.succeeded)
    }

    @Test("death by a signal is a failure, and no exit status")
    func signalled() throws {
        var bench = try Bench()
        _ = bench.run(0)
        #expect(
            bench.run(.signalled(signal: 9)) == [
                Self.log("VRRP_Script(chk) failed (due to signal 9)"), .report(isUp: false),
            ])
        #expect(bench.run(0) == Self.succeeded, "status 0 has not changed")
    }

    @Test("the dump counts to rise + fall - 1, and is good from rise on")
    func report() throws {
        var bench = try Bench("rise 2\nfall 3")
        #expect(bench.monitor.report == .init(result: 1, isPending: true))
        var results: [Int] = []
        for status: Int32 in [0, 1, 0, 1, 1, 1, 0, 1, 0, 0] {
            _ = bench.run(status)
            results.append(bench.monitor.report.result)
        }
        #expect(results == [4, 3, 4, 3, 2, 0, 1, 0, 1, 4])
        #expect(bench.monitor.report == .init(result: 4, activity: .idle))
        #expect(bench.monitor.handle(.timer, now: Self.at(bench.now)) == [.run])
        #expect(bench.monitor.report.activity == .running)
    }

    @Test("one that a reload changes goes on as far from its next change as it was")
    func changed() throws {
        func monitor(_ body: String, after results: [Int32], of former: String) throws
            -> ScriptMonitor
        {
            var bench = try Bench(former)
            for result in results { _ = bench.run(result) }
            return ScriptMonitor(try Self.script(body), after: bench.monitor)
        }
        // None yet: the first result decides.
        let new = try monitor("fall 3", after: [], of: "")
        #expect(new.isUp == nil && new.reloadLine == nil)
        var good = Bench(monitor: try monitor("fall 3", after: [0], of: ""))
        #expect(good.monitor.standing == .up(failures: 0))
        #expect(
            good.monitor.reloadLine == LogLine("VRRP_Script(chk) considered successful on reload"))
        // What succeeds again is no news, and neither is its status.
        #expect(good.run(0) == [])
        var bad = Bench(monitor: try monitor("rise 3", after: [7], of: ""))
        #expect(bad.monitor.standing == .down(successes: 0))
        #expect(
            bad.monitor.reloadLine
                == LogLine("VRRP_Script(chk) considered unsuccessful on reload"))
        #expect(bad.run(7) == [])
        // Of three failures two are missing; of two successes one, whatever the limit is now.
        #expect(
            try monitor("fall 5", after: [0, 1], of: "fall 3").standing == .up(failures: 3))
        #expect(
            try monitor("fall 2", after: [0, 1], of: "fall 3").standing == .up(failures: 0))
        #expect(
            try monitor("rise 4", after: [1, 0], of: "rise 2").standing == .down(successes: 3))
        #expect(
            try monitor("rise 1", after: [1, 0], of: "rise 4").standing == .down(successes: 0))
    }

    @Test("init_fail: it has failed until rise successes")
    func initialFailure() throws {
        var bench = try Bench("init_fail\nrise 2")
        #expect(bench.monitor.isUp == false)
        #expect(bench.run(0) == [])
        #expect(bench.run(0) == Self.succeeded)
    }

    @Test("what cannot be started has failed, with the shell's status")
    func notStarted() throws {
        var monitor = ScriptMonitor(try Self.script())
        #expect(monitor.handle(.start, now: Self.at(0)) == [.run])
        #expect(
            monitor.handle(.notStarted(status: 127), now: Self.at(0)) == [
                Self.log("Script `chk` now returning 127"),
                Self.log("VRRP_Script(chk) failed (exited with status 127)"),
                .report(isUp: false),
            ])
        #expect(monitor.deadline == Self.at(1_000), "and is tried again")
    }

    @Test("runs start an interval apart, in step with the first; those missed are not made up for")
    func schedule() throws {
        var monitor = ScriptMonitor(try Self.script("interval 2"))
        #expect(monitor.deadline == nil)
        #expect(monitor.handle(.start, now: Self.at(0)) == [.run])
        #expect(monitor.handle(.start, now: Self.at(1)) == [], "once")
        _ = monitor.handle(.started(pid: 7), now: Self.at(1))
        _ = monitor.handle(.ended(.exited(status: 0)), now: Self.at(10))
        #expect(monitor.deadline == Self.at(2_000))
        #expect(monitor.handle(.timer, now: Self.at(1_999)) == [], "too early is nothing")
        #expect(monitor.handle(.timer, now: Self.at(2_003)) == [.run], "a little late")
        _ = monitor.handle(.started(pid: 8), now: Self.at(2_003))
        _ = monitor.handle(.ended(.exited(status: 0)), now: Self.at(2_010))
        #expect(monitor.deadline == Self.at(4_000), "does not move the others")
        #expect(monitor.handle(.timer, now: Self.at(60_000)) == [.run])
        #expect(monitor.deadline == Self.at(62_000), "one run after a long pause")
    }

    @Test("a run that is still going is left alone, and the next one is skipped")
    func stillRunning() throws {
        var monitor = ScriptMonitor(try Self.script("interval 1\ntimeout 10"))
        _ = monitor.handle(.start, now: Self.at(0))
        _ = monitor.handle(.started(pid: 7), now: Self.at(0))
        let skipped = Self.log(
            "Track script chk is already running, expect idle - skipping run")
        #expect(monitor.handle(.timer, now: Self.at(1_000)) == [skipped])
        #expect(monitor.handle(.timer, now: Self.at(2_000)) == [skipped])
        #expect(monitor.handle(.ended(.exited(status: 0)), now: Self.at(2_500)) == Self.succeeded)
        #expect(monitor.handle(.timer, now: Self.at(3_000)) == [.run])
    }

    @Test("a timeout counts when it happens: SIGTERM, and its end is no second result")
    func timeout() throws {
        var monitor = ScriptMonitor(try Self.script("interval 5\ntimeout 2"))
        _ = monitor.handle(.start, now: Self.at(0))
        _ = monitor.handle(.started(pid: 7), now: Self.at(1))
        #expect(monitor.deadline == Self.at(2_000))
        #expect(
            monitor.handle(.timer, now: Self.at(2_000)) == [
                .signalGroup(15), Self.log("VRRP_Script(chk) timed_out"), .report(isUp: false),
            ])
        // Status 0 in answer to SIGTERM does not make it a success.
        #expect(
            monitor.handle(.ended(.exited(status: 0)), now: Self.at(2_010)) == [.signalGroup(9)],
            "what it has left behind goes too")
        #expect(monitor.isUp == false)
        #expect(monitor.handle(.timer, now: Self.at(5_000)) == [.run])
    }

    @Test("without a timeout, an interval is the limit: the next run is due just before it is up")
    func intervalIsTimeout() throws {
        var monitor = ScriptMonitor(try Self.script("interval 1"))
        _ = monitor.handle(.start, now: Self.at(0))
        _ = monitor.handle(.started(pid: 7), now: Self.at(0))
        #expect(
            monitor.handle(.timer, now: Self.at(1_000)) == [
                Self.log("Track script chk is already running, expect idle - skipping run"),
                .signalGroup(15), Self.log("VRRP_Script(chk) timed_out"), .report(isUp: false),
            ])
    }

    @Test("what does not heed SIGTERM is killed after 2 s, and again, for ever")
    func kill() throws {
        var monitor = ScriptMonitor(try Self.script("interval 100\ntimeout 1"))
        _ = monitor.handle(.start, now: Self.at(0))
        _ = monitor.handle(.started(pid: 7), now: Self.at(0))
        _ = monitor.handle(.timer, now: Self.at(1_000))
        #expect(monitor.deadline == Self.at(3_000))
        #expect(monitor.handle(.timer, now: Self.at(3_000)) == [.signalGroup(9)])
        #expect(monitor.deadline == Self.at(5_000))
        let stuck = [
            Self.log("Script chk child (PID 7) failed to terminate after kill"), .signalGroup(9),
        ]
        #expect(monitor.handle(.timer, now: Self.at(5_000)) == stuck)
        #expect(monitor.deadline == Self.at(15_000))
        #expect(monitor.handle(.timer, now: Self.at(15_000)) == stuck)
        #expect(
            monitor.handle(.ended(.signalled(signal: 9)), now: Self.at(16_000)) == [
                .signalGroup(9)
            ])
        #expect(monitor.deadline == Self.at(100_000))
    }
}
