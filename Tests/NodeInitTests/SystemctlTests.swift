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

    @Test(
        "lists by state, kind and pattern",
        arguments: [
            (["--failed"], ["broken"]),
            (["list-units", "--state=running,failed"], ["broken", "httpd"]),
            (["list-units", "--state", "inactive"], ["keepalived"]),
            (["list-units", "--state=loaded"], ["broken", "httpd", "keepalived"]),
            (["list-units", "--type=service"], ["broken", "httpd"]),
            (["list-units", "-t", "socket"], []), (["list-units", "http*"], ["httpd"]),
            (["list-units", "keep*"], []), (["list-units", "-a", "keep*"], ["keepalived"]),
            (["list-units", "httpd", "broken.service"], ["broken", "httpd"]),
            (["list-unit-files", "--state=enabled"], ["httpd"]),
            (["list-unit-files", "[bk]*"], ["broken", "keepalived"]),
        ] as [([String], [String])])
    func filters(arguments: [String], names: [String]) {
        let terminal = Terminal([UnitReport(name: "broken", phase: .failed), .httpd, .keepalived])
        #expect(Systemctl(terminal.console).run(arguments + ["--no-legend"]) == 0)
        let shown = terminal.output.map { line in
            String(line.drop { "● ".contains($0) }.prefix { $0 != "." })
        }
        #expect(shown == names)
    }

    @Test("a pattern means the units that it matches, and none is no error")
    func patterns() {
        let terminal = Terminal([.httpd, .keepalived])
        #expect(terminal.systemctl("status", "-n0", "keep*") == 3)
        #expect(terminal.output.first == "○ keepalived.service - keepalived")
        #expect(terminal.systemctl("restart", "*") == 0)
        #expect(terminal.systemctl("stop", "nginx*") == 0)
        #expect(
            terminal.asked == [
                .control(.restart, unit: "httpd"), .control(.restart, unit: "keepalived"),
            ])
        #expect(terminal.errors.isEmpty)
    }

    @Test("reset-failed asks PID 1 for the unit, or for all of them")
    func resetFailed() {
        let terminal = Terminal([.httpd, .keepalived])
        #expect(terminal.systemctl("reset-failed", "httpd") == 0)
        #expect(terminal.systemctl("reset-failed") == 0)
        #expect(
            terminal.asked == [
                .resetFailed(unit: "httpd"), .resetFailed(unit: "httpd"),
                .resetFailed(unit: "keepalived"),
            ])
        #expect(terminal.systemctl("reset-failed", "nginx") == 1)
        #expect(
            terminal.errors == [
                "Failed to reset failed state of unit nginx.service: "
                    + "Unit nginx.service not loaded."
            ])
    }

    @Test("show tells properties as programs read them; what is none tells nothing")
    func show() {
        let terminal = Terminal([.httpd])
        #expect(
            terminal.systemctl("show", "-p", "SubState,MainPID", "-pNoSuch", "apache2") == 0)
        #expect(terminal.output == ["MainPID=12", "SubState=running"])
        #expect(terminal.systemctl("show", "--property=ActiveState", "--value", "httpd") == 0)
        #expect(terminal.output.last == "active")
        #expect(terminal.systemctl("show", "-P", "UnitFileState", "nginx") == 0)
        #expect(terminal.output.last == "")
        #expect(terminal.systemctl("show", "-pLoadState", "nginx") == 0)
        #expect(terminal.output.last == "LoadState=not-found")
        #expect(terminal.systemctl("show") == 1)
        #expect(
            UnitProperties(word: "httpd", unit: .httpd(.failed, .signalled(signal: 9)))
                .lines(only: nil, valuesOnly: false) == [
                    "MainPID=0", "Result=signal", "ExecMainStatus=9", "Id=httpd.service",
                    "Names=httpd.service apache2.service", "Description=the toy web server",
                    "LoadState=loaded", "ActiveState=failed", "SubState=failed",
                    "UnitFileState=enabled",
                ])
    }

    @Test("cat prints the file that describes a unit")
    func cat() {
        var unit = UnitReport.httpd
        unit.command = ["sh", "-c", "exec web $PORT;", "100%", "a\"b"]
        let terminal = Terminal([unit])
        #expect(terminal.systemctl("cat", "apache2") == 0)
        #expect(
            terminal.output == [
                "# /lib/systemd/system/httpd.service", "[Unit]", "Description=the toy web server",
                "", "[Service]", "ExecStart=sh -c \"exec web $$PORT;\" 100%% \"a\\\"b\"", "",
                "[Install]", "WantedBy=multi-user.target", "Alias=apache2.service",
            ])
        #expect(terminal.systemctl("cat", "nginx") == 1)
        #expect(terminal.errors == ["No files found for nginx.service."])
    }

    @Test("--no-block asks and does not wait")
    func noBlock() {
        let terminal = Terminal([.httpd])
        #expect(terminal.systemctl("restart", "httpd", "--no-block") == 0)
        #expect(terminal.asked.isEmpty)
        #expect(terminal.told == [.control(.restart, unit: "httpd")])
    }

    @Test("no unit can be masked, and none is")
    func mask() {
        let terminal = Terminal([.httpd])
        #expect(terminal.systemctl("mask", "httpd") == 1)
        #expect(terminal.systemctl("unmask", "httpd") == 0)
        #expect(terminal.errors == ["Failed to mask unit: Operation not supported"])
    }

    @Test("--version and --help tell, whatever else is said", arguments: ["--version", "-h"])
    func help(option: String) {
        let terminal = Terminal([.httpd])
        #expect(terminal.systemctl(option, "frobnicate") == 0)
        #expect(terminal.output.count == 1)
        #expect(terminal.output[0].hasPrefix(option == "-h" ? "systemctl " : "systemd 252"))
        #expect(terminal.systemctl("--", option) == 1)
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
            (["-t", "shoe"], "Unknown unit type or load state 'shoe'."),
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
        #expect(try SystemctlArguments(["-tservice", "--failed"]).states == ["failed"])
    }
}
