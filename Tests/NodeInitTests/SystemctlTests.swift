import NodeProtocol
import Testing

@testable import NodeInit

@Suite("systemctl in a node")
struct SystemctlTests {
    @Test("start, stop, restart and reload ask PID 1, and say nothing when it is done")
    func control() {
        let terminal = Terminal([.httpd, .keepalived])
        #expect(terminal.systemctl("start", "keepalived") == 0)
        #expect(terminal.systemctl("stop", "httpd.service") == 0)
        #expect(terminal.systemctl("restart", "apache2") == 0)
        #expect(terminal.systemctl("reload", "httpd") == 0)
        #expect(
            terminal.asked == [
                .control(.start, unit: "keepalived"), .control(.stop, unit: "httpd"),
                .control(.restart, unit: "httpd"), .control(.reload, unit: "httpd"),
            ])
        #expect(terminal.output.isEmpty && terminal.errors.isEmpty)
    }

    @Test("what does not run is not stopped, tried to be restarted, or reloaded")
    func notRunning() {
        let terminal = Terminal([.keepalived])
        #expect(terminal.systemctl("stop", "keepalived") == 0)
        #expect(terminal.systemctl("try-restart", "keepalived") == 0)
        #expect(terminal.systemctl("reload", "keepalived") == 1)
        #expect(terminal.asked.isEmpty)
        #expect(terminal.errors == ["keepalived.service is not active, cannot reload."])
        #expect(terminal.systemctl("reload-or-restart", "keepalived") == 0)
        #expect(terminal.asked == [.control(.start, unit: "keepalived")])
    }

    @Test("a start that fails tells where to look")
    func failedStart() {
        let terminal = Terminal([.keepalived])
        terminal.reply = .failed("exited with status 1 before it was ready")
        #expect(terminal.systemctl("start", "keepalived") == 1)
        #expect(
            terminal.errors == [
                "Job for keepalived.service failed.",
                "See \"systemctl status keepalived.service\" and "
                    + "\"journalctl -xeu keepalived.service\" for details.",
            ])
    }

    @Test(
        "a unit that is not there: systemd's words and exit statuses",
        arguments: [
            (
                ["start", "nginx"], 5,
                "Failed to start nginx.service: Unit nginx.service not found."
            ),
            (["stop", "nginx"], 5, "Failed to stop nginx.service: Unit nginx.service not loaded."),
            (
                ["restart", "nginx.service"], 5,
                "Failed to restart nginx.service: Unit nginx.service not found."
            ),
            (
                ["kill", "nginx"], 1,
                "Failed to kill unit nginx.service: Unit nginx.service not loaded."
            ),
            (["status", "nginx"], 4, "Unit nginx.service could not be found."),
            (
                ["disable", "--now", "firewalld"], 1,
                "Failed to disable unit: Unit file firewalld.service does not exist."
            ),
            (
                ["is-enabled", "nginx"], 1,
                "Failed to get unit file state for nginx.service: No such file or directory"
            ),
            (
                ["start", "multi-user.target"], 5,
                "Failed to start multi-user.target: Unit multi-user.target not found."
            ),
        ] as [([String], Int32, String)])
    func unknownUnit(arguments: [String], status: Int32, words: String) {
        let terminal = Terminal([.httpd])
        #expect(Systemctl(terminal.console).run(arguments) == status)
        #expect(terminal.errors == [words])
        #expect(terminal.asked.isEmpty)
    }

    @Test("who is not root may look and nothing else: exit status 4")
    func notRoot() {
        let terminal = Terminal([.httpd])
        terminal.reply = .refused
        #expect(terminal.systemctl("stop", "httpd") == 4)
        #expect(terminal.systemctl("enable", "httpd") == 4)
        #expect(terminal.systemctl("kill", "httpd") == 4)
        #expect(
            terminal.errors == [
                "Failed to stop httpd.service: Access denied",
                "Failed to enable unit: Access denied",
                "Failed to kill unit httpd.service: Access denied",
            ])
        #expect(terminal.systemctl("is-active", "httpd") == 0)
    }

    @Test("of several units each has its turn, and the failure's status is the command's")
    func several() {
        let terminal = Terminal([.httpd, .keepalived])
        #expect(terminal.systemctl("restart", "httpd", "nginx", "keepalived") == 5)
        #expect(
            terminal.asked == [
                .control(.restart, unit: "httpd"), .control(.restart, unit: "keepalived"),
            ])
    }

    @Test("kill sends SIGTERM to all of a unit, or what and whom the options say")
    func kill() {
        let terminal = Terminal([.httpd])
        #expect(terminal.systemctl("kill", "httpd") == 0)
        #expect(terminal.systemctl("kill", "-s", "HUP", "--kill-whom=main", "httpd") == 0)
        #expect(terminal.systemctl("kill", "-s9", "httpd") == 0)
        #expect(
            terminal.asked == [
                .signal(15, unit: "httpd", onlyMain: false),
                .signal(1, unit: "httpd", onlyMain: true),
                .signal(9, unit: "httpd", onlyMain: false),
            ])
    }

    @Test("enable and disable name the link they make or remove; --now does the rest")
    func enable() {
        let terminal = Terminal([.httpd, .keepalived])
        #expect(terminal.systemctl("enable", "--now", "keepalived") == 0)
        #expect(terminal.systemctl("disable", "--now", "httpd") == 0)
        #expect(
            terminal.asked == [
                .setEnabled(true, unit: "keepalived"), .control(.start, unit: "keepalived"),
                .setEnabled(false, unit: "httpd"), .control(.stop, unit: "httpd"),
            ])
        let folder = "/etc/systemd/system/multi-user.target.wants"
        #expect(
            terminal.errors == [
                "Created symlink \(folder)/keepalived.service → "
                    + "/lib/systemd/system/keepalived.service.",
                "Removed \"\(folder)/httpd.service\".",
            ])
        terminal.reply = .done(changed: false)
        #expect(terminal.systemctl("enable", "keepalived") == 0)
        #expect(terminal.errors.count == 2)
    }

    @Test("is-active, is-failed and is-enabled answer by a word and by their exit status")
    func tests() {
        let terminal = Terminal([
            .httpd, .keepalived, UnitReport(name: "broken", phase: .failed),
            UnitReport(name: "slow", phase: .activating),
        ])
        #expect(terminal.systemctl("is-active", "httpd") == 0)
        #expect(terminal.systemctl("is-active", "keepalived") == 3)
        #expect(terminal.systemctl("is-active", "slow") == 3)
        #expect(terminal.systemctl("is-active", "broken", "httpd") == 0)
        #expect(terminal.systemctl("is-active", "nginx") == 4)
        #expect(terminal.systemctl("is-active", "-q", "httpd") == 0)
        #expect(terminal.systemctl("is-failed", "broken") == 0)
        #expect(terminal.systemctl("is-failed", "httpd") == 1)
        #expect(terminal.systemctl("is-enabled", "httpd") == 0)
        #expect(terminal.systemctl("is-enabled", "keepalived") == 1)
        #expect(terminal.systemctl("is-system-running") == 1)
        #expect(
            terminal.output == [
                "active", "inactive", "activating", "failed", "active", "inactive", "failed",
                "active", "enabled", "disabled", "degraded",
            ])
    }

    @Test("list-units shows what is loaded, list-unit-files what is enabled")
    func lists() {
        let terminal = Terminal([UnitReport(name: "broken", phase: .failed), .httpd, .keepalived])
        #expect(terminal.systemctl() == 0)
        #expect(
            terminal.output == [
                "  UNIT           LOAD   ACTIVE SUB     DESCRIPTION",
                "● broken.service loaded failed failed  ",
                "  httpd.service  loaded active running the toy web server",
                "\n2 loaded units listed.",
            ])
        #expect(terminal.systemctl("list-unit-files", "--no-legend") == 0)
        #expect(
            terminal.output.suffix(3) == [
                "broken.service     disabled enabled", "httpd.service      enabled  enabled",
                "keepalived.service disabled enabled",
            ])
        #expect(terminal.systemctl("list-units", "--all", "--no-legend") == 0)
        #expect(terminal.output.last == "  keepalived.service loaded inactive dead    keepalived")
    }

    @Test("daemon-reload has nothing to do; reboot and poweroff do it")
    func machine() {
        let terminal = Terminal()
        #expect(terminal.systemctl("daemon-reload") == 0)
        #expect(terminal.systemctl("reboot") == 0)
        #expect(terminal.systemctl("poweroff") == 0)
        #expect(terminal.asked == [.powerOff(restarts: true), .powerOff(restarts: false)])
    }

    @Test(
        "wrong usage: systemd's words, exit status 1",
        arguments: [
            (["begin", "httpd"], "Unknown command verb begin."), (["start"], "Too few arguments."),
            (["--frobnicate"], "systemctl: unrecognized option '--frobnicate'"),
            (["kill", "-s", "SIGFOO", "httpd"], "Failed to parse signal string SIGFOO."),
            (["status", "-n"], "option '-n' requires an argument"),
            (["status", "-n", "many"], "Failed to parse lines 'many'"),
        ])
    func wrongUsage(arguments: [String], words: String) {
        let terminal = Terminal([.httpd])
        #expect(Systemctl(terminal.console).run(arguments) == 1)
        #expect(terminal.errors == [words])
    }

    @Test("options may stand anywhere, and -- ends them")
    func options() throws {
        let arguments = try SystemctlArguments(["-ql", "status", "httpd", "-n0", "--", "-x"])
        #expect(arguments.verb == .status)
        #expect(arguments.units == ["httpd", "-x"])
        #expect(arguments.isQuiet)
        #expect(arguments.lineCount == 0)
        #expect(try SystemctlArguments(["enable", "--now", "a"]).now)
        #expect(try SystemctlArguments(["list-units", "--type", "service"]).units == [])
    }
}

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
                "Nov 22 02:59:55 master httpd: httpd listens",
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
