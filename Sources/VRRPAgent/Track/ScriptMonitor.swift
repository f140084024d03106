package import KeepalivedConf
package import LinuxSystem
package import NetworkTypes

/// When a `vrrp_script` runs, and what its results mean: a value without processes or clocks.
///
/// The rules and the log lines are those of keepalived 2.2.7, observed, but for four things it gets
/// wrong: a run that is still going is really left alone (keepalived says "skipping run" and starts
/// another beside it, without end); a script that answers SIGTERM with status 0 after its timeout
/// has failed all the same; a timeout counts when it happens and not when the process is finally
/// gone, which may be never; and `init_fail` has its documented effect (keepalived forgets it as
/// soon as an instance tracks the script).
package struct ScriptMonitor {
    /// What happens to it.
    package enum Event: Equatable {
        /// The daemon begins to track it.
        case start
        /// The deadline has come.
        case timer
        /// The run that was asked for has this process, which leads a group of its own.
        case started(pid: Int32)
        /// The process of the run has ended.
        case ended(Termination)
        /// The run that was asked for could not be started: counts as this exit status.
        case notStarted(status: Int32)
    }

    /// What to do about it, in order.
    package enum Action: Equatable {
        /// Start the command.
        case run
        /// Send a signal to the run's process group.
        case signalGroup(Int32)
        /// The script's standing has changed.
        case report(isUp: Bool)
        case log(LogLine)
    }

    /// What is known of the script.
    enum Standing: Equatable {
        /// It has not ended yet: the first result decides at once, whatever `rise` and `fall` say.
        case unknown
        /// It succeeds; so many failures have come in a row.
        case up(failures: Int)
        /// It fails; so many successes have come in a row.
        case down(successes: Int)
    }

    /// What its process is doing.
    private enum Run: Equatable {
        case idle
        /// Asked for, not known to have started.
        case starting(since: MonotonicInstant)
        case running(pid: Int32, timeout: MonotonicInstant)
        /// Sent SIGTERM for its timeout.
        case terminating(pid: Int32, kill: MonotonicInstant)
        /// Sent SIGKILL, which a process in an uninterruptible sleep does not answer.
        case killing(pid: Int32, retry: MonotonicInstant)
    }

    /// From SIGTERM to SIGKILL; keepalived's.
    static let terminationGrace: Duration = .seconds(2)
    /// From one SIGKILL to the next; keepalived's.
    static let killRetry: Duration = .seconds(10)

    private static let terminate: Int32 = 15
    private static let kill: Int32 = 9

    private let script: VRRPScript
    private(set) var standing: Standing
    private var run = Run.idle
    private var nextRun: MonotonicInstant?
    private var lastStatus: Int32 = 0

    package init(_ script: VRRPScript) {
        self.script = script
        standing = script.startsFailed ? .down(successes: 0) : .unknown
    }

    /// One that goes on with what another definition of the script has come to, as far from the
    /// next change as that was.
    init(_ script: VRRPScript, after former: ScriptMonitor) {
        self.init(script)
        lastStatus = former.lastStatus
        switch former.standing {
        case .unknown: break
        case .up(let failures):
            let left = former.script.fall - failures
            standing = .up(failures: failures == 0 ? 0 : max(0, script.fall - left))
        case .down(let successes):
            let left = former.script.rise - successes
            standing = .down(successes: successes == 0 ? 0 : max(0, script.rise - left))
        }
    }

    /// What is said of it at a reload; nil while nothing is known.
    var reloadLine: LogLine? {
        isUp.map { isUp in
            LogLine(
                "VRRP_Script(\(script.name)) considered \(isUp ? "" : "un")successful on reload")
        }
    }

    /// Whether the script succeeds; nil until that is known.
    package var isUp: Bool? {
        switch standing {
        case .unknown: nil
        case .up: true
        case .down: false
        }
    }

    /// As keepalived's dumps tell it: its counter goes up to `rise` + `fall` - 1.
    var report: AgentReport.ScriptReport {
        var report = AgentReport.ScriptReport()
        switch standing {
        case .unknown:
            report.isPending = true
            // One success is enough.
            report.result = script.rise - 1
        case .up(let failures): report.result = script.rise + script.fall - 1 - failures
        case .down(let successes): report.result = successes
        }
        switch run {
        case .idle: report.activity = .idle
        case .starting, .running: report.activity = .running
        case .terminating: report.activity = .requestedTermination
        case .killing: report.activity = .forcingTermination
        }
        return report
    }

    /// When `.timer` is due; nil before `.start`.
    package var deadline: MonotonicInstant? {
        let limit: MonotonicInstant? =
            switch run {
            case .idle, .starting: nil
            case .running(_, let timeout): timeout
            case .terminating(_, let kill): kill
            case .killing(_, let retry): retry
            }
        return [nextRun, limit].compactMap(\.self).min()
    }

    package mutating func handle(_ event: Event, now: MonotonicInstant) -> [Action] {
        switch event {
        case .start:
            guard nextRun == nil else { return [] }
            nextRun = now
            return begin(now)
        case .timer:
            // A run that may take as long as the interval is due to end just after the next is due
            // to begin.
            return begin(now) + expire(now)
        case .started(let pid):
            guard case .starting(let since) = run else { return [] }
            run = .running(pid: pid, timeout: since + (script.timeout ?? script.interval))
            return []
        case .notStarted(let status):
            guard case .starting = run else { return [] }
            run = .idle
            return exited(status)
        case .ended(let termination):
            return end(termination)
        }
    }

    // MARK: Runs

    /// Starts the next run when it is due.
    private mutating func begin(_ now: MonotonicInstant) -> [Action] {
        guard let due = nextRun, due <= now else { return [] }
        // In step with the first run, unless the whole process was held up: runs that were missed
        // are not made up for.
        let next = due + script.interval
        nextRun = next > now ? next : now + script.interval
        switch run {
        case .idle:
            run = .starting(since: now)
            return [.run]
        case .starting, .running: return skip("already running")
        case .terminating, .killing: return skip("being timed out")
        }
    }

    private func skip(_ reason: String) -> [Action] {
        [.log(.init("Track script \(script.name) is \(reason), expect idle - skipping run"))]
    }

    /// Ends a run that has taken too long.
    private mutating func expire(_ now: MonotonicInstant) -> [Action] {
        switch run {
        case .running(let pid, let timeout) where timeout <= now:
            run = .terminating(pid: pid, kill: now + Self.terminationGrace)
            return [.signalGroup(Self.terminate)] + failed("timed_out")
        case .terminating(let pid, let deadline) where deadline <= now:
            run = .killing(pid: pid, retry: now + Self.terminationGrace)
            return [.signalGroup(Self.kill)]
        case .killing(let pid, let retry) where retry <= now:
            run = .killing(pid: pid, retry: now + Self.killRetry)
            return [
                .log(
                    .init(
                        "Script \(script.name) child (PID \(pid)) failed to terminate after kill")),
                .signalGroup(Self.kill),
            ]
        case .idle, .starting, .running, .terminating, .killing: return []
        }
    }

    private mutating func end(_ termination: Termination) -> [Action] {
        let before = run
        run = .idle
        switch before {
        case .idle, .starting: return []
        case .running:
            switch termination {
            case .exited(let status): return exited(status)
            case .signalled(let signal): return failed("failed (due to signal \(signal))")
            }
        // Its timeout has counted already. What it started and left behind goes with it.
        case .terminating, .killing: return [.signalGroup(Self.kill)]
        }
    }

    // MARK: Results

    private mutating func exited(_ status: Int32) -> [Action] {
        var actions: [Action] = []
        if status != lastStatus {
            actions.append(.log(.init("Script `\(script.name)` now returning \(status)")))
        }
        lastStatus = status
        return actions
            + (status == 0 ? succeeded() : failed("failed (exited with status \(status))"))
    }

    private mutating func succeeded() -> [Action] {
        switch standing {
        case .up:
            standing = .up(failures: 0)
            return []
        case .down(let successes) where successes + 1 < script.rise:
            standing = .down(successes: successes + 1)
            return []
        case .unknown, .down:
            standing = .up(failures: 0)
            return [
                .log(.init("VRRP_Script(\(script.name)) succeeded")), .report(isUp: true),
            ]
        }
    }

    private mutating func failed(_ how: String) -> [Action] {
        switch standing {
        case .down:
            standing = .down(successes: 0)
            return []
        case .up(let failures) where failures + 1 < script.fall:
            standing = .up(failures: failures + 1)
            return []
        case .unknown, .up:
            standing = .down(successes: 0)
            return [
                .log(.init("VRRP_Script(\(script.name)) \(how)")), .report(isUp: false),
            ]
        }
    }
}
