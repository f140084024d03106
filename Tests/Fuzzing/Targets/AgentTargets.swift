import Glibc
import KeepalivedConf
import LinuxSystem
import NetworkTypes
import VRRPAgent

extension FuzzTarget {
    static let alerts = FuzzTarget(
        "alerts",
        "what a mail server says to the agent: an octet for the size of pieces, then octets"
    ) { bytes in
        guard let first = bytes.first else { return }
        let said = bytes.dropFirst()
        let whole = mail([said])
        let size = Int(first) + 1
        let pieces = stride(from: said.startIndex, to: said.endIndex, by: size).map {
            said[$0..<min($0 + size, said.endIndex)]
        }
        try requireEqual(mail(pieces), whole, "it hears the same in pieces as in one")
        // HELO, MAIL, a RCPT for each, DATA, the message and QUIT; every other answer a complaint.
        let sent = whole.count { if case .send = $0 { true } else { false } }
        try require(sent <= 5 + mailSettings.recipients.count, "nothing is said twice")
        try require(whole.count <= 4 * (sent + 1), "an answer is complained about once")
        let closes = whole.count { $0 == .close }
        try requireEqual(closes, 1, "the connection is closed once")
    }

    /// A session in which the server says that and is gone.
    private static func mail(_ pieces: [ArraySlice<UInt8>]) -> [SMTPDialogue.Output] {
        var dialogue = SMTPDialogue(
            mailSettings, message: Array("hello\r\n.\r\n".utf8), server: "[10.10.10.9]:25")
        var outputs: [SMTPDialogue.Output] = []
        for piece in pieces where !dialogue.hasEnded { outputs += dialogue.receive(piece) }
        return outputs + dialogue.peerClosed()
    }

    private static let mailSettings: MailSettings = {
        let text = """
            global_defs {
                smtp_server 10.10.10.9
                notification_email { a@n1 b@n2 c@n3 }
            }
            """
        let global = Configuration.parse(text, file: "keepalived.conf").configuration.global
        guard
            let settings = MailSettings(
                global, localName: "n1", hostName: "n1", userName: "root")
        else { fatalError("the sample has a mail server") }
        return settings
    }()

    static let trackedFile = FuzzTarget(
        "tracked-file", "a file whose number the agent tracks, hosts(5), and the agent's own words"
    ) { bytes in
        try checkTracked(bytes)
        let text = String(decoding: bytes, as: UTF8.self)
        let hosts = HostTable(text)
        for name in text.split(whereSeparator: \.isWhitespace).prefix(4) {
            let known = hosts.canonicalName(of: String(name)) != nil
            try requireEqual(
                hosts.address(of: String(name)) != nil, known, "a name is of an address")
        }
        let words = text.split(separator: "\0", omittingEmptySubsequences: false).map(String.init)
        if let options = try? Options(words) {
            try require(options.umask ?? 0 <= 0o777, "a mask has nine bits")
            if let folder = options.detachedFrom, folder.hasPrefix("/") {
                try require(options.configurationFile.hasPrefix("/"), "paths are whole")
            }
        }
    }

    /// strtol(3) says what keepalived makes of it.
    private static func checkTracked(_ bytes: [UInt8]) throws {
        let text = bytes.prefix(TrackedFileValue.longestText).map { CChar(bitPattern: $0) } + [0]
        let expected = strtol(text, nil, 0)
        let isInRange = (-(1 << 31)...(1 << 31)).contains(expected)
        try requireEqual(
            TrackedFileValue.parse(bytes), isInRange ? expected : nil, "the value is strtol's")
    }

    private static let sampleScript: VRRPScript = {
        let text = "vrrp_script check { script /bin/true }"
        let parsed = Configuration.parse(text, file: "keepalived.conf").configuration
        guard let script = parsed.scripts.first else { fatalError("the sample has a script") }
        return script
    }()

    static let scriptResults = FuzzTarget(
        "script-results",
        "what becomes of a tracked script: two octets for its definition, then an octet for what"
            + " happens and one for how long that takes"
    ) { bytes in
        guard bytes.count > 2 else { return }
        var script = sampleScript
        script.rise = Int(bytes[0] & 3) + 1
        script.fall = Int(bytes[0] >> 2 & 3) + 1
        script.startsFailed = bytes[0] & 0x10 != 0
        script.interval = .milliseconds(Int(bytes[1] & 0x3f) * 100 + 100)
        script.timeout = bytes[1] & 0x40 != 0 ? .milliseconds(700) : nil
        var course = ScriptCourse(script)
        for number in stride(from: 2, to: bytes.count - 1, by: 2) {
            try course.happen(bytes[number], after: .milliseconds(Int(bytes[number + 1]) * 20))
        }
    }
}

/// A script's life, with what must hold of it.
private struct ScriptCourse {
    private var monitor: ScriptMonitor
    private var now = MonotonicInstant(nanoseconds: 1_000_000_000)
    private let script: VRRPScript
    /// Whether a run was asked for that has not ended.
    private var isRunning = false
    private var hasStarted = false
    /// What was last said of it.
    private var reported: Bool?

    init(_ script: VRRPScript) {
        self.script = script
        monitor = ScriptMonitor(script)
    }

    mutating func happen(_ what: UInt8, after time: Duration) throws {
        now += time
        switch what % 8 {
        case 0:
            hasStarted = true
            try take(monitor.handle(.start, now: now))
        case 1, 2: try take(monitor.handle(.timer, now: now))
        case 3: try take(monitor.handle(.started(pid: 77), now: now))
        case 4, 5: try end(.ended(.exited(status: Int32(what >> 4))))
        case 6: try end(.ended(.signalled(signal: Int32(what >> 3))))
        default: try end(.notStarted(status: 127))
        }
        // Reached in time, or late, the deadline is met once and lies ahead again.
        if let deadline = monitor.deadline, deadline <= now {
            try take(monitor.handle(.timer, now: now))
        }
        if let deadline = monitor.deadline {
            try require(deadline > now, "after its time the next one lies ahead")
        } else {
            try require(!hasStarted, "a script that is tracked has a next time")
        }
    }

    private mutating func end(_ event: ScriptMonitor.Event) throws {
        // Nothing ends that was not begun.
        guard isRunning else { return }
        isRunning = false
        try take(monitor.handle(event, now: now))
    }

    private mutating func take(_ actions: [ScriptMonitor.Action]) throws {
        for action in actions {
            switch action {
            case .run:
                try require(!isRunning, "a script does not run twice at once")
                isRunning = true
            case .report(let isUp):
                try require(reported != isUp, "only a change is told")
                reported = isUp
            case .signalGroup(let signal):
                try require(signal == SIGTERM || signal == SIGKILL, "signal \(signal) ends it")
            case .log: break
            }
        }
        try requireEqual(
            monitor.isUp ?? reported, reported ?? (script.startsFailed ? false : nil),
            "what is told is so")
    }
}
