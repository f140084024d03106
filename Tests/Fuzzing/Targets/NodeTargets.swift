import NodeInit
import NodeProtocol

extension FuzzTarget {
    static let sysctl = FuzzTarget(
        "sysctl", "a file of sysctl.d of a node's own, which its first process obeys"
    ) { bytes in
        let settings = SysctlSetting.settings(in: String(decoding: bytes, as: UTF8.self))
        // Whatever there is, a pattern matches it.
        let files = [
            "/proc/sys/net/ipv4/ip_forward", "/proc/sys/kernel/core_pattern",
            "/proc/sys/net/../kernel/core_pattern",
        ]
        let resolutions = SysctlSetting.resolve(settings) { _ in files }
        try require(
            resolutions.count <= settings.count * files.count, "a setting is of a few files")
        for resolution in resolutions {
            guard case .write(_, let path, _) = resolution else { continue }
            let parts = path.split(separator: "/", omittingEmptySubsequences: false)
            try require(
                parts.starts(with: ["", "proc", "sys", "net"]) && !parts.contains(".."),
                "\(path) is the node's own")
        }
    }

    static let nodeCommands = FuzzTarget(
        "node-commands",
        "a node's own commands: an octet for which, words behind NULs, and what PID 1 answers"
    ) { bytes in
        guard let first = bytes.first else { return }
        // Two NULs end the words.
        var words: [String] = []
        var rest = bytes.dropFirst()
        while !rest.isEmpty {
            let word = rest.prefix { $0 != 0 }
            rest = rest[word.endIndex...].dropFirst()
            if word.isEmpty { break }
            words.append(String(decoding: word, as: UTF8.self))
        }
        let answer = (try? UnitReply(message: Array(rest))) ?? .units(sampleUnits)
        let rehearsal = Rehearsal(answer)
        switch first % 6 {
        case 0: rehearsal.check(Systemctl(rehearsal.console).run(words))
        case 1: rehearsal.check(ServiceTool(rehearsal.console).run(words))
        case 2: rehearsal.check(PowerTool(rehearsal.console).run("shutdown", words))
        case 3: try checkJournal(words, answer)
        case 4: try checkMail(words)
        default: try checkSudo(words)
        }
    }

    private static func checkJournal(_ words: [String], _ answer: UnitReply) throws {
        guard let arguments = try? JournalctlArguments(words) else { return }
        var units: [UnitReport] = []
        if case .units(let reported) = answer { units = reported }
        let chosen = UnitName.expand(arguments.units, among: units)
        try require(
            chosen.count <= max(units.count, 1) * max(arguments.units.count, 1),
            "a word means no more units than there are")
        let clock = Rehearsal.clock
        for stamp in [0, clock.nowNanoseconds, .max] {
            _ = arguments.covers(stamp, clock)
            let line = StoredLine(
                nanoseconds: stamp, isError: false, text: words.joined(separator: " "))
            _ = JournalText.line(line, of: "httpd", clock, hostname: "n1")
        }
    }

    private static func checkMail(_ words: [String]) throws {
        if let mail = try? MailArguments(words) {
            try require(mail.recipients.allSatisfy { !$0.isEmpty }, "recipients have names")
        }
        if let mail = try? SendmailArguments(words) {
            try require(mail.recipients.allSatisfy { !$0.isEmpty }, "recipients have names")
        }
    }

    private static func checkSudo(_ words: [String]) throws {
        guard let arguments = try? SudoArguments(words) else { return }
        let shell = arguments.words(shell: "/bin/sh")
        try require(
            arguments.action != .run || shell == arguments.command, "a command is run as it is")
        try require(
            words.count >= arguments.command.count
                && Array(words.suffix(arguments.command.count)) == arguments.command,
            "the command is what the line ends with")
    }

    private static let sampleUnits = [
        UnitReport(
            name: "httpd", aliases: ["apache2"], description: "web server",
            command: ["/usr/sbin/httpd", "-D", "a b"], isEnabled: true, phase: .active)
    ]
}

/// A node in which nothing happens: PID 1 says the same to everything.
private struct Rehearsal {
    let answer: UnitReply

    init(_ answer: UnitReply) { self.answer = answer }

    static var clock: WallClock {
        WallClock(nowNanoseconds: 3_600_000_000_000) { stamp in
            WallClock.Date(
                year: 2026, month: 11, day: 22, hour: 2, minute: 26,
                second: Int(abs(stamp % 60)), weekday: 0, zone: "UTC")
        }
    }

    var console: Console {
        let answer = answer
        return Console(
            print: { _ in }, printError: { _ in }, ask: { _ in answer }, tell: { _ in answer },
            lines: { _, count in
                Array(
                    repeating: StoredLine(nanoseconds: 1, isError: false, text: "said"),
                    count: min(count, 3))
            },
            processName: { $0 > 0 ? "httpd" : nil }, clock: Self.clock, hostname: "n1")
    }

    func check(_ status: Int32) {
        precondition((0...255).contains(status), "exit status \(status) is none")
    }
}
