import NodeProtocol
import Testing

@testable import NodeInit

@Suite("the other programs of a node")
struct ToolTests {
    @Test("what a program is follows from the name it is called by")
    func names() {
        #expect(Tool(calledAs: "/usr/bin/systemctl") == .systemctl)
        #expect(Tool(calledAs: "/sbin/reboot") == .reboot)
        #expect(Tool(calledAs: "journalctl") == .journalctl)
        #expect(Tool(calledAs: "/run/labctl/bin/node-init") == nil)
        #expect(Tool(calledAs: "") == nil)
    }

    @Test("service NAME ACTION is systemctl ACTION NAME")
    func service() {
        let terminal = Terminal([.httpd])
        let tool = ServiceTool(terminal.console)
        #expect(tool.run(["httpd", "restart"]) == 0)
        #expect(tool.run(["httpd", "status"]) == 0)
        #expect(tool.run(["nginx", "start"]) == 5)
        #expect(tool.run(["--status-all"]) == 0)
        #expect(tool.run(["httpd"]) == 1)
        #expect(terminal.asked == [.control(.restart, unit: "httpd")])
        #expect(terminal.output.last == " [ + ]  httpd")
    }

    @Test(
        "whether the machine comes up again",
        arguments: [
            ("reboot", [], true), ("poweroff", [], false), ("halt", ["-p"], false),
            ("shutdown", ["-h", "now"], false), ("shutdown", ["-r", "+0"], true),
            ("shutdown", ["now"], false), ("shutdown", [], false), ("reboot", ["-f"], true),
            ("init", ["0"], false), ("init", ["6"], true), ("telinit", ["6"], true),
        ] as [(String, [String], Bool)])
    func power(name: String, arguments: [String], restarts: Bool) {
        let terminal = Terminal()
        #expect(PowerTool(terminal.console).run(name, arguments) == 0)
        #expect(terminal.asked == [.powerOff(restarts: restarts)])
    }

    @Test("a shutdown at another time is refused, and one by somebody else than root")
    func refusedPower() {
        let terminal = Terminal()
        #expect(PowerTool(terminal.console).run("shutdown", ["-h", "23:00"]) == 1)
        #expect(terminal.asked.isEmpty)
        terminal.reply = .refused
        #expect(PowerTool(terminal.console).run("reboot", []) == 1)
        #expect(
            terminal.errors == [
                "shutdown: only 'now' is understood here, not '23:00'",
                "reboot: must be superuser.",
            ])
    }

    @Test("init's other runlevels change nothing; what is none is refused")
    func runlevels() {
        let terminal = Terminal()
        for level in ["3", "5", "q"] {
            #expect(PowerTool(terminal.console).run("init", [level]) == 0)
        }
        #expect(PowerTool(terminal.console).run("init", []) == 1)
        #expect(PowerTool(terminal.console).run("telinit", ["7"]) == 1)
        #expect(terminal.asked.isEmpty)
        #expect(
            terminal.errors == [
                "init: required argument missing.", "Expected single character argument.",
            ])
    }

    @Test("hostname and hostnamectl say who the node is")
    func hostname() {
        let terminal = Terminal()
        #expect(HostTool(terminal.console).hostname([]) == 0)
        #expect(HostTool(terminal.console).hostnamectl(["hostname"]) == 0)
        #expect(HostTool(terminal.console).hostnamectl(["set-hostname", "-bad-"]) == 1)
        #expect(HostTool(terminal.console).hostnamectl(["--static"]) == 0)
        #expect(HostTool(terminal.console).hostnamectl(["status", "--transient"]) == 0)
        #expect(terminal.output == ["master", "master", "master", "master"])
        #expect(HostTool(terminal.console).hostnamectl([]) == 0)
        #expect(terminal.output[4] == " Static hostname: master")
        #expect(terminal.errors == ["hostnamectl: the specified hostname is invalid: '-bad-'"])
    }

    @Test(
        "names of hosts",
        arguments: [
            ("web-1", true), ("web.example.org", true), ("", false), ("a..b", false),
            ("-a", false), ("a_b", false), (String(repeating: "a", count: 65), false),
        ])
    func hostNames(name: String, isValid: Bool) { #expect(HostTool.isValid(name) == isValid) }

    @Test(
        "journalctl's arguments",
        arguments: [
            ([], [], false, nil), (["-u", "httpd"], ["httpd"], false, nil),
            (["-fu", "httpd"], ["httpd"], true, 10),
            (["-u", "a", "--unit=b", "-n"], ["a", "b"], false, 10),
            (["-xeu", "httpd.service", "-n", "3"], ["httpd.service"], false, 3),
            (["-n25", "--no-pager"], [], false, 25), (["--lines=all", "-f"], [], true, nil),
            (["-f", "-n", "0"], [], true, 0),
        ] as [([String], [String], Bool, Int?)])
    func journalctl(arguments: [String], units: [String], follows: Bool, count: Int?) throws {
        let read = try JournalctlArguments(arguments)
        #expect(read.units == units)
        #expect(read.follows == follows)
        #expect(read.lineCount == count)
    }

    @Test("journalctl -t and -g choose lines by program and by what is in them")
    func chosenLines() throws {
        let read = try JournalctlArguments(["-t", "httpd", "--identifier=nginx", "-g", "err|fail"])
        #expect(read.identifiers == ["httpd", "nginx"])
        #expect(read.pattern == "err|fail")
        let pattern = try LinePattern("state|[0-9]+ ms")
        #expect(pattern.matches("Entering MASTER STATE"))
        #expect(pattern.matches("after 20 ms"))
        #expect(!pattern.matches("after ms"))
        #expect(try !LinePattern("State").matches("Entering MASTER STATE"))
        #expect(throws: UsageError(message: "Bad pattern \"[\": not a regular expression")) {
            try LinePattern("[")
        }
    }

    @Test("what journalctl does not know is refused")
    func wrongJournalctl() {
        #expect(throws: UsageError(message: "journalctl: unrecognized option '--vacuum'")) {
            try JournalctlArguments(["--vacuum"])
        }
        #expect(throws: UsageError(message: "Unknown output format 'json'.")) {
            try JournalctlArguments(["-o", "json"])
        }
    }

    @Test("signals have names and numbers")
    func signals() {
        #expect(SignalName.number(of: "HUP") == 1)
        #expect(SignalName.number(of: "sigusr2") == 12)
        #expect(SignalName.number(of: "64") == 64)
        #expect(SignalName.number(of: "0") == nil)
        #expect(SignalName.number(of: "SIG") == nil)
        #expect(SignalName.name(of: 9) == "KILL")
        #expect(SignalName.name(of: 40) == nil)
    }
}
