import FoundationEssentials
import Glibc
import LabModel
import LinuxSystem
import NetworkTypes
import Testing

// One life of Labs/two-node, recorded once for every pair of daemons; InteropTimingTests and
// InteropLogTests say what it has to look like.

/// Which daemons the two nodes run.
enum DaemonPair: String, CaseIterable, CustomTestStringConvertible {
    case ours = "vrrp-agent"
    case keepalived
    case keepalivedAsMaster = "master=keepalived"
    case keepalivedAsBackup = "backup=keepalived"

    var testDescription: String {
        switch self {
        case .ours: "ours on both nodes"
        case .keepalived: "keepalived on both nodes"
        case .keepalivedAsMaster: "keepalived as master, ours as backup"
        case .keepalivedAsBackup: "ours as master, keepalived as backup"
        }
    }

    /// Whether a node runs our agent.
    func isOurs(_ node: String) -> Bool {
        self == .ours || self.rawValue == "\(other(node))=keepalived"
    }

    private func other(_ node: String) -> String { node == "master" ? "backup" : "master" }
}

/// What was seen of a lab's life: the backup steps aside until the other is master, since at the
/// start the two wait 3.609 s and 3.613 s, too close to call; the master's power is cut; it comes
/// back and takes the address back; its daemon is stopped.
struct TwoNodeLife: Sendable {
    let pair: DaemonPair
    /// The timeline, in order.
    var events: [TimelineEvent] = []
    /// What the daemons printed, by node.
    var logs: [String: [String]] = [:]
    /// What a tcpdump for port 25 printed on each node in that life.
    var mail: [String: String] = [:]
    /// What it printed when a connection to that port was made in the end.
    var mailAfterConnection: [String: String] = [:]

    struct Advertisement: Sendable {
        var node: String
        var priority: Int
        var time: MonotonicInstant
    }

    var advertisements: [Advertisement] {
        events.compactMap { event in
            guard case .advertisement(let seen) = event.kind else { return nil }
            return Advertisement(node: seen.node, priority: seen.priority, time: event.time)
        }
    }

    /// When the node's gratuitous ARPs entered the fabric.
    func gratuitousARPs(of node: String) -> [MonotonicInstant] {
        events.compactMap { event in
            if case .gratuitousARP(node, _, _, _) = event.kind { event.time } else { nil }
        }
    }

    /// The takeovers of this life, in order.
    enum Takeover: CaseIterable {
        case election, powerCut, comeback, resignation

        var node: String { self == .election || self == .comeback ? "master" : "backup" }
    }

    /// The first advertisement of the node that takes over; nil if it has not yet.
    func takeover(_ takeover: Takeover) -> Advertisement? {
        let start: MonotonicInstant? =
            switch takeover {
            case .election: .zero
            case .powerCut: time(of: .kill, "master")
            case .comeback: time(of: .start, "master")
            case .resignation: time(of: .stop, "master/keepalived")
            }
        guard let start else { return nil }
        return advertisements.first { seen in
            seen.time > start && seen.node == takeover.node && seen.priority > 0
        }
    }

    /// The gratuitous ARPs of the node that takes over, until the next takeover.
    func announcements(after takeover: Takeover) -> [MonotonicInstant] {
        guard let start = self.takeover(takeover)?.time else { return [] }
        let later = Takeover.allCases.compactMap { self.takeover($0)?.time }.filter { $0 > start }
        return gratuitousARPs(of: takeover.node).filter { time in
            time > start && later.allSatisfy { time < $0 }
        }
    }

    /// When the address appeared on the node that takes over; nil if it has not yet.
    func addition(after takeover: Takeover) -> MonotonicInstant? {
        guard let start = self.takeover(takeover)?.time else { return nil }
        return events.first { event in
            guard case .addressAdded(takeover.node, "eth0", let added) = event.kind else {
                return false
            }
            return added.description == "10.10.10.10/32" && event.time > start
        }?.time
    }

    private func time(of verb: ControlVerb, _ target: String) -> MonotonicInstant? {
        events.first { event in
            if case .control(verb, let seen) = event.kind {
                seen.description == target
            } else {
                false
            }
        }?.time
    }

    /// The lives of all pairs, recorded when they are first asked for.
    static let all = Result { try record(DaemonPair.allCases) }

    static func of(_ pair: DaemonPair) throws -> TwoNodeLife {
        try #require(try all.get().first { $0.pair == pair })
    }

    /// Lives the life of one lab for each pair, side by side.
    private static func record(_ pairs: [DaemonPair]) throws -> [TwoNodeLife] {
        let labs = try pairs.enumerated().map { try WatchedLab($1, name: "interop-\($0)") }
        let starts = try labs.map { try $0.start() }
        for start in starts { try start.expectSuccess() }
        let pauses = try labs.map { try $0.labctl("stop", "backup/keepalived") }
        for pause in pauses { try pause.expectSuccess() }
        for lab in labs {
            try lab.follow()
            try lab.awaitEvents("the master is elected") { $0.takeover(.election) != nil }
            try lab.labctl("start", "backup/keepalived").expectSuccess()
        }
        for lab in labs {
            // The second burst comes 5 s after the first.
            try lab.awaitEvents("the master announces itself twice") {
                $0.announcements(after: .election).count >= 10
                    && $0.addition(after: .election) != nil
            }
        }
        let kills = try labs.map { try $0.labctl("kill", "master") }
        for kill in kills { try kill.expectSuccess() }
        for lab in labs {
            try lab.awaitEvents("the backup takes over") {
                $0.announcements(after: .powerCut).count >= 5
                    && $0.addition(after: .powerCut) != nil
            }
        }
        let returns = try labs.map { try $0.labctl("start", "master") }
        for start in returns { try start.expectSuccess() }
        for lab in labs {
            try lab.awaitEvents("the master takes the address back") {
                $0.announcements(after: .comeback).count >= 5
                    && $0.addition(after: .comeback) != nil
            }
        }
        let stops = try labs.map { try $0.labctl("stop", "master/keepalived") }
        for stop in stops { try stop.expectSuccess() }
        for lab in labs {
            try lab.awaitEvents("the backup takes over again") {
                $0.announcements(after: .resignation).count >= 5
                    && $0.addition(after: .resignation) != nil
            }
        }
        return try labs.map { try $0.finish() }
    }
}

/// Labs/two-node with a watch for mail on each node, up and followed.
private final class WatchedLab {
    private let lab: LabUnderTest
    private let pair: DaemonPair
    private var follower: RunningProgram?
    private var life: TwoNodeLife

    init(_ pair: DaemonPair, name: String) throws {
        self.pair = pair
        life = TwoNodeLife(pair: pair)
        let folder = "\(Labctl.repository)/Labs/two-node"
        let text = try FileSystem.readText("\(folder)/lab.yaml")
        let service = "keepalived: { kind: vrrp-agent }\n"
        let watch =
            "mail-watch: { kind: command, command: [tcpdump, -i, any, -ln, tcp port 25] }\n"
        let yaml = text.split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !$0.hasPrefix("name:") }.map { line in
                line.hasSuffix(service.dropLast())
                    ? line + "\n" + line.prefix { $0 == " " } + watch.dropLast() : line
            }.joined(separator: "\n")
        var files: [String: String] = [:]
        for path in [
            "master/keepalived.conf", "master/keepalived-nopreempt.conf", "backup/keepalived.conf",
        ] {
            files[path] = try FileSystem.readText("\(folder)/\(path)")
        }
        lab = try LabUnderTest(name, yaml, files: files)
    }

    func start() throws -> RunningProgram {
        try Labctl.start(["up", lab.folder, "--vrrp", pair.rawValue])
    }

    func labctl(_ verb: String, _ arguments: String...) throws -> RunningProgram {
        try Labctl.start([verb, "-l", lab.name] + arguments)
    }

    func follow() throws { follower = try labctl("events", "--follow", "--format", "json") }

    /// Waits until the timeline is as wanted.
    func awaitEvents(
        _ what: String, _ holds: (TwoNodeLife) -> Bool
    ) throws {
        let follower = try #require(follower)
        let deadline = MonotonicClock.now + .seconds(30)
        while !holds(life) {
            let patience = max(deadline - MonotonicClock.now, .zero)
            guard let line = try? follower.nextLine(within: patience) else {
                throw NodeUnderTest.TimedOut(
                    description: "it never came true that \(what), with \(pair.testDescription)")
            }
            life.events.append(
                try JSONDecoder().decode(TimelineEvent.self, from: Data(line.utf8)))
            // As they arrive they are almost in order: frames carry the kernel's stamp.
            life.events.sort { $0.time < $1.time }
        }
    }

    /// Reads the logs, shows that the watch for mail would have seen some, and takes the lab down.
    func finish() throws -> TwoNodeLife {
        for node in ["master", "backup"] {
            life.logs[node] = try log(of: "\(node)/keepalived").split(separator: "\n").map(
                String.init)
            life.mail[node] = try log(of: "\(node)/mail-watch")
            // Nobody listens, so the connection is refused; the attempt is what counts.
            try lab.exec(node, "bash", "-c", ": < /dev/tcp/127.0.0.1/25")
            try eventually("a connection to port 25 is seen on \(node)") {
                let seen = try log(of: "\(node)/mail-watch")
                life.mailAfterConnection[node] = seen
                return seen.contains("127.0.0.1.25: Flags [S]")
            }
        }
        follower = nil
        try lab.down()
        return life
    }

    private func log(of service: String) throws -> String {
        let result = try labctl("logs", service).finish()
        #expect(result.status == 0, "\(result.errors)")
        return result.output
    }
}

extension RunningProgram {
    /// Waits for its end, which must be a success.
    fileprivate func expectSuccess() throws {
        let result = try finish()
        try #require(result.status == 0, "\(result.errors)")
    }
}
