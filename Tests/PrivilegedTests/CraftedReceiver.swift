import Glibc
import LinuxSystem
import NetworkTypes
import Testing
import VRRP

/// A daemon that is held as backup, is sent a crafted frame, takes over, and is sent it again.
final class CraftedReceiver {
    /// What the frame did to the timer, as the wire shows it.
    enum Effect: String, Sendable {
        /// The timer went on as if nothing had come.
        case untouched
        /// It began anew: Master_Down_Timer in a backup, Adver_Timer in a master.
        case restarted
        /// A backup waits for its skew only, as after priority 0.
        case skew
        /// A backup or a master that yields waits for an interval of 100 ms, which it has learned.
        case learned
        /// It advertised at once.
        case answered
        /// A master stopped to advertise, and waits as a backup does.
        case yielded
        /// None of these: the machine was elsewhere.
        case unclear
    }

    /// What was seen of it.
    struct Reaction: Sendable {
        var asBackup = Effect.unclear
        var asMaster = Effect.unclear
        /// What it printed since it was first sent the frame, without stamps.
        var lines: [String] = []
        /// The statistics that tell of frames, as `keepalived.stats` prints them.
        var counters: [String] = []
    }

    private enum Step {
        case starting
        /// Held at a time.
        case held(MonotonicInstant)
        /// Held, and sent the frame.
        case struck(MonotonicInstant, MonotonicInstant)
        /// Has taken over at a time.
        case leading(MonotonicInstant)
        /// Sent an advertisement at its own time.
        case beating(MonotonicInstant)
        /// Did that, and was sent the frame again.
        case struckAgain(MonotonicInstant, MonotonicInstant)
        case reporting
        case done
    }

    let frame: CraftedFrame
    private(set) var reaction = Reaction()
    private let stage: GoldenStage
    private let daemon: AgentProcess
    private var step = Step.starting
    private var advertisements: [MonotonicInstant] = []
    private var logLengthBefore = 0

    /// Between the hold and the frame: neither early nor late in the 3.6 s that it waits.
    private static let pause = Duration.milliseconds(1500)
    /// Between a master's advertisement and the frame.
    private static let masterPause = Duration.milliseconds(250)
    private static let latestPause = Duration.milliseconds(2500)
    private static let interval = Duration.seconds(1)
    /// (256 - 100) / 256 s, with the interval of 1 s in both versions.
    private static let skew = interval * 156 / 256
    /// The same for 100 ms.
    private static let learnedDown = Duration.milliseconds(300) + .milliseconds(100) * 156 / 256
    /// How early one can come after another that was late.
    private static let earliness = Duration.milliseconds(100)
    /// How late the last of all effects may be.
    private static let margin = Duration.seconds(1)

    init(_ frame: CraftedFrame, _ program: AgentProcess.Program, test: String) throws {
        self.frame = frame
        stage = try GoldenStage(stationMAC: CraftedFrame.Suite.stationMAC)
        try stage.introduce(["10.10.10.3"], at: CraftedFrame.Suite.stationMAC)
        daemon = try AgentProcess(
            frame.suite.configuration, in: stage.router.namespace, test: test, program: program,
            options: ["-l", "-P"])
    }

    /// Which it is, and how far it is.
    var description: String { "\(daemon.folder), \(frame.description): \(step)\n\(daemon.log)" }

    var isDone: Bool { if case .done = step { true } else { false } }

    /// Does what is due.
    func advance() throws {
        for arrived in try stage.received() {
            guard let seen = ObservedAdvertisement(ethernetFrame: arrived.bytes), seen.priority > 0
            else { continue }
            advertisements.append(arrived.time)
        }
        switch step {
        case .starting:
            guard daemon.log.contains("VRRP sockpool: ") else { return }
            step = .held(try send(frame.suite.frame(priority: 200)))
        case .held(let held):
            guard MonotonicClock.now - held >= Self.pause else { return }
            logLengthBefore = daemon.log.utf8.count
            step = .struck(held, try send(frame.octets))
        case .struck(let held, let struck):
            guard let first = advertisements.first(where: { $0 > held }) else { return }
            // Where the frame was sent late, what follows is about something else.
            reaction.asBackup =
                struck - held > Self.latestPause
                ? .unclear
                : Self.effect(
                    first,
                    of: [
                        (.untouched, held + Self.interval * 3 + Self.skew),
                        (.restarted, struck + Self.interval * 3 + Self.skew),
                        (.skew, struck + Self.skew), (.learned, struck + Self.learnedDown),
                        (.answered, struck),
                    ])
            step = .leading(first)
        case .leading(let first):
            guard let next = advertisements.first(where: { $0 > first }) else { return }
            step = .beating(next)
        case .beating(let beat):
            guard MonotonicClock.now - beat >= Self.masterPause else { return }
            step = .struckAgain(beat, try send(frame.octets))
        case .struckAgain(let beat, let struck):
            guard let next = advertisements.first(where: { $0 > struck }) else { return }
            reaction.asMaster =
                struck - beat > Self.interval / 2
                ? .unclear
                : Self.effect(
                    next,
                    of: [
                        (.untouched, beat + Self.interval), (.answered, struck),
                        (.restarted, struck + Self.interval), (.learned, struck + Self.learnedDown),
                        (.yielded, struck + Self.interval * 3 + Self.skew),
                    ])
            daemon.signal(SIGUSR2, toChild: true)
            step = .reporting
        case .reporting:
            guard try report() else { return }
            step = .done
        case .done:
            break
        }
    }

    /// - Returns: just before it was sent: an answer can be there before this goes on.
    private func send(_ frame: [UInt8]) throws -> MonotonicInstant {
        let time = MonotonicClock.now
        try stage.send(frame)
        return time
    }

    /// The one that would have made it advertise then: the last of those that are not to come yet,
    /// since a busy machine makes everybody late.
    private static func effect(
        _ time: MonotonicInstant, of all: [(Effect, MonotonicInstant)]
    ) -> Effect {
        let past = all.filter { $0.1 - earliness <= time }
        guard let (effect, due) = past.max(by: { $0.1 < $1.1 }), time - due < margin else {
            return .unclear
        }
        return effect
    }

    /// Reads log and statistics once they are whole.
    private func report() throws -> Bool {
        let path = "\(daemon.folder)/keepalived.stats"
        guard let statistics = try? FileSystem.readText(path),
            statistics.split(separator: "\n").count >= 19
        else { return false }
        let told = ["Length", "TTL", "Invalid Type", "Address List", "Type Mismatch", "Failure"]
        let lines = statistics.split(separator: "\n").map { $0.drop { $0 == " " } }
        reaction.counters = lines.filter { line in
            told.contains { line.hasPrefix("\($0): ") } && !line.hasSuffix(": 0")
        }.map(String.init)
        let log = String(decoding: daemon.log.utf8.dropFirst(logLengthBefore), as: UTF8.self)
        reaction.lines = log.split(separator: "\n").map {
            // Which number was last: of that sender here, of all and one's own in keepalived.
            DaemonLog.without("Local(", String($0.dropFirst(AgentProcess.stampLength)))
        }.filter { !$0.hasPrefix("Printing VRRP stats") }
        return true
    }
}
