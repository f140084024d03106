import Glibc
import LinuxSystem
import NetworkTypes
import Testing

/// What our agent and keepalived, running, did with each crafted frame.
private struct CraftedRun: Sendable {
    var frame: CraftedFrame
    var ours: CraftedReceiver.Reaction
    var theirs: CraftedReceiver.Reaction

    /// What is not as it should be.
    var complaints: [String] {
        [
            theirs.asBackup == ours.asBackup || backupException != nil
                ? nil : "as backup \(ours.asBackup.rawValue), not \(theirs.asBackup.rawValue)",
            theirs.asMaster == ours.asMaster || masterException != nil
                ? nil : "as master \(ours.asMaster.rawValue), not \(theirs.asMaster.rawValue)",
            theirs.lines == ours.lines || exception != nil
                ? nil : "says \(ours.lines), not \(theirs.lines)",
            theirs.counters == ours.counters || exception != nil
                ? nil : "counts \(ours.counters), not \(theirs.counters)",
        ].compactMap(\.self)
    }

    /// Why it may differ altogether.
    private var exception: String? { Self.exceptions[frame.description] }

    private var backupException: String? {
        // What it has to be then.
        ours.asBackup == .untouched ? exception : nil
    }

    private var masterException: String? {
        if ours.asMaster == .untouched, let exception { return exception }
        // keepalived restarts its advertisement timer for whatever arrives, refused or not.
        guard theirs.asMaster == .restarted, ours.asMaster == .untouched else { return nil }
        return "a refused advertisement never touches a timer"
    }

    static let exceptions = [
        "v3: interval 0": "refused (RFC 9568 erratum 8301); keepalived takes over at once",
        "v3-ipv6: interval 0": "as over IPv4",
    ]

    static let all = Result { try record() }

    private static let lastRound = 4

    /// All frames at once, each to daemons of its own; and again what came out otherwise than it
    /// should, which a machine with other things to do does once, and a daemon every time.
    private static func record() throws -> [CraftedRun] {
        var runs: [CraftedRun] = []
        var left = CraftedFrame.all
        for round in 1...lastRound where !left.isEmpty {
            let latest = try record(left, round: round)
            let isLast = round == lastRound
            runs += latest.filter { isLast || $0.isSettled }
            left = isLast ? [] : latest.filter { !$0.isSettled }.map(\.frame)
        }
        return runs
    }

    private var isSettled: Bool {
        complaints.isEmpty && ours.asBackup != .unclear && ours.asMaster != .unclear
    }

    private static func record(_ frames: [CraftedFrame], round: Int) throws -> [CraftedRun] {
        let receivers = try frames.enumerated().map { index, frame in
            try [AgentProcess.Program.ours, .keepalived].map { program in
                try CraftedReceiver(
                    frame, program, test: "crafted-\(round)-\(index)-\(program.rawValue)")
            }
        }
        let deadline = MonotonicClock.now + .seconds(120)
        while !receivers.joined().allSatisfy(\.isDone) {
            for receiver in receivers.joined() { try receiver.advance() }
            guard MonotonicClock.now < deadline else {
                throw NodeUnderTest.TimedOut(
                    description: receivers.joined().filter { !$0.isDone }.map(\.description)
                        .joined(separator: "\n"))
            }
            usleep(1000)
        }
        return receivers.map {
            CraftedRun(frame: $0[0].frame, ours: $0[0].reaction, theirs: $0[1].reaction)
        }
    }
}

@Suite(
    "Crafted advertisements, sent to the running daemons",
    .enabled(if: geteuid() == 0, "needs root"),
    .enabled(if: hasKeepalived, "needs keepalived"))
struct CraftedFrameTests {
    @Test("all of them were sent")
    func count() throws {
        #expect(CraftedFrame.recorded.count == 33)
        #expect(try CraftedRun.all.get().count == CraftedFrame.all.count)
    }

    // RFC-CHECKLIST: 23, 24, 25, 26, 27, 29, 30, 31, 33, 34, 35, 36, 37, 38, 39
    @Test("timers, log and statistics are keepalived's, but a refused one touches no timer (§7.1)")
    func sameAsKeepalived() throws {
        for run in try CraftedRun.all.get() {
            let complaints = run.complaints
            #expect(complaints.isEmpty, "\(run.frame.description): \(complaints)")
        }
    }

    @Test("each exception is one")
    func exceptions() throws {
        let named = try CraftedRun.all.get().filter {
            CraftedRun.exceptions[$0.frame.description] != nil
        }
        #expect(named.count == CraftedRun.exceptions.count)
        for run in named {
            #expect(run.ours.asBackup != run.theirs.asBackup, "\(run.frame.description)")
        }
    }

    // RFC-CHECKLIST: 39
    @Test("what was recorded of each is what it does: accepted, or without effect on any timer")
    func recorded() throws {
        for run in try CraftedRun.all.get() {
            guard let record = run.frame.record else { continue }
            let name = "\(run.frame.description)"
            #expect((run.ours.asBackup != .untouched) == record.isAccepted, "\(name)")
            if !record.isAccepted { #expect(run.ours.asMaster == .untouched, "\(name)") }
            if let line = record.line { #expect(run.ours.lines.contains(line), "\(name)") }
            // Once as backup, once as master. `keepalived.stats` has two of the name Invalid Type.
            let counter = record.counter == "Invalid Auth Type" ? "Invalid Type" : record.counter
            let counters = counter.map { ["\($0): 2"] } ?? []
            #expect(record.isAccepted || run.ours.counters == counters, "\(name)")
        }
    }
}
