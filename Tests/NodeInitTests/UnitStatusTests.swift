import NodeProtocol
import Testing

@testable import NodeInit

@Suite("systemctl status")
struct UnitStatusTests {
    private func status(_ unit: UnitReport, _ arguments: String...) -> (Int32, [String]) {
        let terminal = Terminal([unit])
        let status = Systemctl(terminal.console).run(["status", "httpd"] + arguments)
        return (status, terminal.output)
    }

    @Test("a unit that runs: since when, its main process, the last it has printed")
    func active() {
        let (status, lines) = status(.httpd)
        #expect(status == 0)
        #expect(
            lines == [
                "● httpd.service - the toy web server",
                "     Loaded: loaded (/lib/systemd/system/httpd.service; enabled; preset: enabled)",
                "     Active: active (running) since Sun 2026-11-22 02:58:55 UTC; 1min 5s ago",
                "   Main PID: 12 (httpd)", "",
                "Nov 22 02:59:55 master httpd[12]: httpd listens",
            ])
        #expect(self.status(.httpd, "-n", "0").1.count == 4)
    }

    @Test("one that was never started is inactive: exit status 3")
    func inactive() {
        let terminal = Terminal([.keepalived])
        #expect(terminal.systemctl("status", "keepalived", "-n0") == 3)
        #expect(
            terminal.output == [
                "○ keepalived.service - keepalived",
                "     Loaded: loaded (/lib/systemd/system/keepalived.service; disabled; "
                    + "preset: enabled)",
                "     Active: inactive (dead)",
            ])
    }

    @Test(
        "how it ended decides what it is called",
        arguments: [
            (UnitReport.httpd(.inactive, .exited(status: 0)), "inactive (dead) since"),
            (.httpd(.failed, .exited(status: 3)), "failed (Result: exit-code) since"),
            (.httpd(.failed, .signalled(signal: 11)), "failed (Result: signal) since"),
            (
                .httpd(.failed, .signalled(signal: 9), failure: "not ready after 20000 ms: no"),
                "failed (Result: timeout) since"
            ),
            (
                .httpd(.failed, .signalled(signal: 9), failure: "not stopped after 2000 ms"),
                "failed (Result: timeout) since"
            ), (.httpd(.failed, nil, failure: "x: not found"), "failed (Result: resources) since"),
            (.httpd(.failed, .exited(status: 0)), "failed (Result: protocol) since"),
            (
                .httpd(.restarting, .exited(status: 1)),
                "activating (auto-restart) (Result: exit-code) since"
            ), (.httpd(.activating, nil), "activating (start) since"),
            (.httpd(.deactivating, nil), "deactivating (stop-sigterm) since"),
        ])
    func activity(unit: UnitReport, words: String) {
        let (status, lines) = status(unit)
        #expect(status == 3)
        #expect(lines[2].hasPrefix("     Active: \(words)"), "\(lines[2])")
    }

    @Test("of one that has ended, its process and how that ended")
    func ended() {
        #expect(
            status(.httpd(.failed, .exited(status: 1)), "-n0").1.suffix(2) == [
                "    Process: 12 ExecStart=http-backend (code=exited, status=1/FAILURE)",
                "   Main PID: 12 (code=exited, status=1/FAILURE)",
            ])
        #expect(
            UnitReport.ProcessEnd.signalled(signal: 15).statusText == "code=killed, signal=TERM")
        #expect(UnitReport.ProcessEnd.exited(status: 99).statusText == "code=exited, status=99/n/a")
    }

    @Test("a program that cannot be run has had no process, and status 203/EXEC")
    func cannotRun() {
        var unit = UnitReport.httpd(.failed, .exited(status: 203), failure: "run /none: ...")
        unit.pid = nil
        #expect(
            status(unit, "-n0").1.suffix(2) == [
                "     Active: failed (Result: exit-code) since Sun 2026-11-22 02:58:55 UTC; "
                    + "1min 5s ago",
                "    Process: ExecStart=http-backend (code=exited, status=203/EXEC)",
            ])
    }

    @Test("the journal says why a program cannot be run, and nothing of the machine's shortages")
    func journal() throws {
        let service = ServiceSpecification(
            name: "web", command: ["/nonexistent", "-x"], readiness: .started,
            readinessTimeoutNanoseconds: 1, restart: .no, stopTimeoutNanoseconds: 1)
        let launcher = Launcher(environment: NodeEnvironment(), workingDirectory: "/")
        let error = try #require(throws: LaunchError.self) {
            try launcher.start(service.command, descriptors: [0, 1, 2])
        }
        #expect(
            error.journalLine(service)
                == "web.service: Failed at step EXEC spawning /nonexistent: "
                + "No such file or directory\n")
        #expect(LaunchError(status: 126, description: "no room").journalLine(service) == nil)
    }

    @Test(
        "how long ago it was, in at most two units",
        arguments: [
            (0, "0ms ago"), (0.25, "250ms ago"), (5, "5s ago"), (65, "1min 5s ago"),
            (3600, "1h 0min ago"), (7384, "2h 3min ago"), (93_600, "1 day 2h ago"),
            (300_000, "3 days ago"),
        ] as [(Double, String)])
    func age(seconds: Double, text: String) {
        #expect(WallClock.age(nanoseconds: Int64(seconds * 1e9)) == text)
    }

    @Test("without a unit, the node itself")
    func machine() {
        let terminal = Terminal([.httpd, UnitReport(name: "broken", phase: .failed)])
        #expect(terminal.systemctl("status") == 0)
        #expect(
            terminal.output
                == ["● master", "    State: degraded", "    Units: 2 loaded", "   Failed: 1 units"])
    }
}
