import Glibc
import LinuxSystem
import Testing

/// What a daemon printed, as far as it can be compared with another's.
struct DaemonLog {
    /// The lines in which our agent is not like keepalived wherever they stand, by how they begin,
    /// and why.
    static let differences = [
        "Starting Keepalived v": "the daemon's name",
        "Starting vrrp-agent v": "the daemon's name",
        "Stopped Keepalived v": "the daemon's name",
        "Stopped vrrp-agent v": "the daemon's name",
        "Running on Linux ": "keepalived adds what it was built for",
        "NOTICE: setting config option max_auto_priority": "we have no such option",
        "Starting VRRP child process, pid=": "we are one process",
        "Stopped - used (self/children)": "we are one process",
        "Stopped": "one process says it once",
        "CPU usage (self/children)": "we are one process",
        "Startup complete": "keepalived's parent prints it at any time among its child's lines",
        "Reload complete": "as `Startup complete`",
        "Printing parent data": "we are one process",
    ]

    /// Without stamps, process ids, descriptors' numbers and the daemon's own folder and name.
    var lines: [String] = []

    init(_ daemon: AgentProcess) {
        for line in daemon.log.split(separator: "\n") {
            let text = String(line.dropFirst(AgentProcess.stampLength))
            guard !Self.differences.keys.contains(where: text.hasPrefix) else { continue }
            if text.hasPrefix(" ") {
                // A command line that keepalived found too long for one line.
                lines[lines.count - 1] += " " + Self.plain(text, of: daemon).drop { $0 == " " }
                continue
            }
            lines.append(Self.plain(text, of: daemon))
        }
    }

    private static func plain(_ text: String, of daemon: AgentProcess) -> String {
        var line = text
        for (part, other) in [
            (daemon.folder, "FOLDER"), ("'\(daemon.program.rawValue)'", "'NAME'"),
        ] {
            line = line.split(separator: part, omittingEmptySubsequences: false)
                .joined(separator: other)
        }
        return without("process(", without("fd(", line))
    }

    /// Without what stands in the parentheses that begin so.
    static func without(_ begin: String, _ line: String) -> String {
        guard let range = line.firstRange(of: begin) else { return line }
        return line[..<range.upperBound] + "n" + line[range.upperBound...].drop { $0 != ")" }
    }

    /// The lines of one instance or group; of none, if nil. Of announcements, which do not name
    /// their instance, none.
    func lines(of name: String?) -> [String] {
        lines.filter { line in
            if let name {
                return line.hasPrefix("(\(name))") || line.hasPrefix("VRRP_Group(\(name))")
            }
            return !line.hasPrefix("(") && !line.hasPrefix("VRRP_Group(")
                && !line.hasPrefix(Self.announcement)
        }
    }

    /// The lines about single announcements, sorted.
    var announcements: [String] { lines.filter { $0.hasPrefix(Self.announcement) }.sorted() }
    private static let announcement = "Sending gratuitous ARP on "

    /// Two texts' differences, line by line in their order: `-` is before what only ours says, `+`
    /// before what only keepalived does.
    static func differences(_ ours: [String], _ theirs: [String]) -> [String] {
        theirs.difference(from: ours).sorted { $0.place < $1.place }.map { change in
            switch change {
            case .remove(let place, let line, _): "\(place) - \(line)"
            case .insert(let place, let line, _): "\(place) + \(line)"
            }
        }
    }
}

extension CollectionDifference.Change {
    fileprivate var place: Int {
        switch self {
        case .remove(let place, _, _), .insert(let place, _, _): place
        }
    }
}

/// Our agent and keepalived, each on a stage of its own, to whom the same is done.
final class Twins {
    struct Twin {
        let stage: AgentStage
        let daemon: AgentProcess
    }

    let both: [Twin]

    /// - Parameter configuration: `FOLDER` in it is the daemon's own folder.
    init(_ configuration: String, test: String) throws {
        both = try AgentProcess.Program.allCases.map { program in
            let stage = try AgentStage()
            let daemon = try AgentProcess(
                configuration, in: stage.router.namespace, test: "\(test)-\(program.rawValue)",
                program: program, options: ["-l", "-P"])
            return Twin(stage: stage, daemon: daemon)
        }
    }

    /// Does something to each.
    func each(_ act: (Twin) throws -> Void) rethrows {
        for twin in both { try act(twin) }
    }

    /// Runs a command in both namespaces; `FOLDER` in it is the daemon's own folder.
    func run(_ command: String) throws {
        try each { twin in
            let parts = command.split(separator: "FOLDER", omittingEmptySubsequences: false)
            try twin.stage.run(parts.joined(separator: twin.daemon.folder))
        }
    }

    /// Waits until each has printed these lines, one after the other, after those of before.
    func await(_ lines: String...) throws {
        try each { twin in
            for line in lines { try twin.daemon.awaitLine(line) }
        }
    }

    /// Gives each a new configuration.
    ///
    /// - Parameter socketCount: how many lines about sockets there are in the end: they are the
    ///   last that keepalived's child says, while its parent says at any time that it is done.
    func reload(_ configuration: String, socketCount: Int = 1) throws {
        try each { twin in
            func counts() -> [Int] {
                ["Reload complete", "VRRP sockpool: "].map { part in
                    twin.daemon.log.split(separator: "\n").count { $0.contains(part) }
                }
            }
            let wanted = zip(counts(), [1, socketCount]).map(+)
            try twin.daemon.configure(configuration)
            twin.daemon.signal(SIGHUP)
            try waitUntil("it has reloaded") { zip(counts(), wanted).allSatisfy(>=) }
        }
    }

    func signal(_ number: Int32) { each { $0.daemon.signal(number) } }

    /// Ends both, and expects that they printed the same.
    ///
    /// - Parameters:
    ///   - names: instances and groups, whose lines are compared each by themselves: in what order
    ///     they come among each other is chance. If empty, all lines are compared in one.
    ///   - exceptions: how lines begin that only one has, and why.
    func expectSameLog(
        _ names: [String] = [], but exceptions: [String: String] = [:],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try each { _ = try $0.daemon.end() }
        var logs = both.map { twin in
            var log = DaemonLog(twin.daemon)
            log.lines.removeAll { line in exceptions.keys.contains { line.hasPrefix($0) } }
            return log
        }
        // The kernel makes them and lets a link carry when it comes to it, be it before or after.
        let isAddress = { (line: String) in line.contains("ssigned address ") }
        let addresses = logs.map { $0.lines.filter(isAddress).sorted() }
        for index in logs.indices where names.isEmpty {
            logs[index].lines.removeAll(where: isAddress)
        }
        let groups: [(String, [[String]])] =
            names.isEmpty
            ? [("", logs.map(\.lines)), ("addresses", addresses)]
            : (names.map(Optional.some) + [nil]).map { name in
                (name ?? "the rest", logs.map { $0.lines(of: name) })
            } + [("announcements", logs.map(\.announcements))]
        for (name, lines) in groups {
            let differences = DaemonLog.differences(lines[0], lines[1])
            #expect(
                differences.isEmpty, "\(name):\n\(differences.joined(separator: "\n"))",
                sourceLocation: sourceLocation)
        }
        for (begin, reason) in exceptions {
            let isNeeded = both.contains { twin in
                DaemonLog(twin.daemon).lines.contains { $0.hasPrefix(begin) }
            }
            #expect(isNeeded, "nobody says \(begin): \(reason)", sourceLocation: sourceLocation)
        }
    }
}
