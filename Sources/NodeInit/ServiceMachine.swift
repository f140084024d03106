import NetworkTypes
import NodeProtocol

/// The life of one service: what has happened to it goes in, what is to be done comes out.
///
/// A value without clock, process or file, so that every decision is tested without root. Timer
/// events are idempotent: an early or repeated `.timer` returns `[]`.
struct ServiceMachine {
    /// Restarts within ``restartWindow`` before a service that keeps dying stays down.
    static let maximumRestarts = 5
    static let restartWindow = Duration.seconds(10)
    /// The wait before the first restart in the window; it doubles with each further one, up to
    /// the longest.
    static let firstRestartDelay = Duration.milliseconds(100)
    static let longestRestartDelay = Duration.seconds(5)

    /// Where the service is.
    enum State: Equatable {
        /// Nothing of it runs. `last` is how it ended; nil when it was never started.
        case down(last: NodeReport.ServiceState?)
        /// `.spawn` has been asked for and is not answered yet.
        case launching
        /// Its program runs and is not ready; at `readyBy` that becomes a failure.
        case starting(pid: Int32, readyBy: MonotonicInstant)
        /// Its program has exited with 0, and which daemon it has left behind is not known yet; at
        /// `readyBy` that becomes a failure.
        case forked(pid: Int32, readyBy: MonotonicInstant)
        /// Its program runs and is ready.
        case running(pid: Int32)
        /// It is to end: by SIGTERM until `killAt`, by SIGKILL from then on (nil).
        case stopping(pid: Int32, killAt: MonotonicInstant?, then: Continuation)
        /// It ended by itself and is started again at `restartAt`.
        case waiting(restartAt: MonotonicInstant, last: NodeReport.ServiceState)
        /// It stays down because of that.
        case failed(reason: String)
    }

    /// What follows once a stopping service has ended.
    enum Continuation: Equatable {
        case stayDown
        case startAgain
        case fail(reason: String)
    }

    enum Event: Equatable {
        /// The supervisor wants it started, stopped, or killed.
        case start, stop, kill
        /// The supervisor wants it to read its configuration anew.
        case reload
        /// The answer to `.spawn`.
        case spawned(pid: Int32)
        /// It could not be started: why, and whether that is its program's fault.
        case spawnFailed(reason: String, cannotRun: Bool = false)
        /// Its readiness condition holds.
        case ready
        /// That daemon, left behind by its program, is its main process from now on, and ready.
        case settled(pid: Int32)
        /// Its program has exited, and none of its processes is left.
        case vanished
        /// Its main process has ended.
        case ended(End)
        /// That it has failed is to be forgotten, and how often it was restarted.
        case resetFailed
        /// ``deadline`` has been reached.
        case timer
    }

    /// How a main process ended.
    enum End: Equatable {
        case exited(status: Int32)
        case signalled(signal: Int32)

        var report: NodeReport.ServiceState {
            switch self {
            case .exited(let status): .exited(status: status)
            case .signalled(let signal): .signalled(signal: signal)
            }
        }

        var text: String {
            switch self {
            case .exited(let status): "exited with status \(status)"
            case .signalled(let signal): "ended by signal \(signal)"
            }
        }
    }

    /// What the shell does, in order, before the next event.
    enum Action: Equatable {
        /// Start the program; answered by `.spawned` or `.spawnFailed`.
        case spawn
        /// Send SIGTERM to the main process.
        case terminate(pid: Int32)
        /// Send SIGHUP to the main process.
        case hangUp(pid: Int32)
        /// Send SIGKILL to every process of the service.
        case killAll(pid: Int32)
        /// Tell the supervisor.
        case report(NodeReport.ServiceState)
    }

    let specification: ServiceSpecification
    private(set) var state = State.down(last: nil) { didSet { isForgiven = false } }
    /// Whether the failure it is down after counts no more.
    private(set) var isForgiven = false
    /// Whether its last run was still there when its stop timeout was over.
    private(set) var hasOutlivedStop = false
    private var restarts: [MonotonicInstant] = []

    init(_ specification: ServiceSpecification) { self.specification = specification }

    /// When the shell must deliver `.timer`.
    var deadline: MonotonicInstant? {
        switch state {
        case .starting(_, let readyBy), .forked(_, let readyBy): readyBy
        case .stopping(_, let killAt, _): killAt
        case .waiting(let restartAt, _): restartAt
        case .down, .launching, .running, .failed: nil
        }
    }

    /// Its main process, while it has one; where that has forked, what was it.
    var pid: Int32? {
        switch state {
        case .starting(let pid, _), .forked(let pid, _), .running(let pid),
            .stopping(let pid, _, _):
            pid
        case .down, .launching, .waiting, .failed: nil
        }
    }

    /// Whether nothing of it runs or is about to.
    var isDown: Bool {
        switch state {
        case .down, .failed: true
        case .launching, .starting, .forked, .running, .stopping, .waiting: false
        }
    }

    mutating func handle(_ event: Event, now: MonotonicInstant) -> [Action] {
        switch event {
        case .start: start()
        case .stop: stop(now: now)
        case .kill: kill()
        case .reload: reload()
        case .spawned(let pid): spawned(pid, now: now)
        case .spawnFailed(let reason, _): spawnFailed(reason)
        case .ready: ready()
        case .settled(let pid): settled(pid)
        case .vanished: vanished(now: now)
        case .ended(let end): ended(end, now: now)
        case .resetFailed: resetFailed()
        case .timer: timer(now: now)
        }
    }

    private mutating func resetFailed() -> [Action] {
        // How it ended is still told to whoever wants it stopped.
        isForgiven = true
        restarts = []
        return []
    }

    private mutating func start() -> [Action] {
        switch state {
        case .down, .failed, .waiting:
            // Whoever starts it by hand gives it all its attempts again.
            restarts = []
            state = .launching
            return [.spawn]
        case .stopping(let pid, let killAt, _):
            state = .stopping(pid: pid, killAt: killAt, then: .startAgain)
            return []
        case .running: return [.report(.ready)]
        case .launching, .starting, .forked: return []  // What becomes of it is reported anyway.
        }
    }

    private mutating func stop(now: MonotonicInstant) -> [Action] {
        switch state {
        case .starting(let pid, _), .running(let pid):
            let killAt = now + .nanoseconds(specification.stopTimeoutNanoseconds)
            state = .stopping(pid: pid, killAt: killAt, then: .stayDown)
            return [.report(.stopping), .terminate(pid: pid)]
        case .stopping(let pid, let killAt, _):
            state = .stopping(pid: pid, killAt: killAt, then: .stayDown)
            return []
        case .forked(let pid, _): return [.report(.stopping)] + endForked(pid)
        case .waiting, .down, .failed, .launching: return stayDown()
        }
    }

    /// Ends what has no main process that could be told to: with all of it.
    private mutating func endForked(_ pid: Int32) -> [Action] {
        let last = NodeReport.ServiceState.exited(status: 0)
        state = .down(last: last)
        return [.killAll(pid: pid), .report(last)]
    }

    private mutating func kill() -> [Action] {
        switch state {
        case .starting(let pid, _), .running(let pid), .stopping(let pid, _, _):
            // Its end was asked for, so the restart policy does not apply.
            state = .stopping(pid: pid, killAt: nil, then: .stayDown)
            return [.killAll(pid: pid)]
        case .forked(let pid, _): return endForked(pid)
        case .waiting, .down, .failed, .launching: return stayDown()
        }
    }

    // What is about to read its configuration, or to end, need not be told.
    private func reload() -> [Action] {
        switch state {
        case .starting(let pid, _), .running(let pid): [.hangUp(pid: pid)]
        case .forked, .stopping, .waiting, .down, .failed, .launching: []
        }
    }

    /// Answers a stop of what does not run with how it ended, so that whoever asked is not left
    /// waiting.
    private mutating func stayDown() -> [Action] {
        switch state {
        case .waiting(_, let last):
            state = .down(last: last)
            // It was to be started again, so its end was none that counts.
            isForgiven = true
            return [.report(last)]
        case .down(let last): return last.map { [.report($0)] } ?? []
        case .failed(let reason): return [.report(.failed(reason))]
        case .launching, .starting, .forked, .running, .stopping: return []
        }
    }

    private mutating func spawned(_ pid: Int32, now: MonotonicInstant) -> [Action] {
        guard state == .launching else { return [] }
        hasOutlivedStop = false
        guard specification.readiness != .started else {
            state = .running(pid: pid)
            return [.report(.running(pid: pid)), .report(.ready)]
        }
        let readyBy = now + .nanoseconds(specification.readinessTimeoutNanoseconds)
        state = .starting(pid: pid, readyBy: readyBy)
        return [.report(.running(pid: pid))]
    }

    private mutating func spawnFailed(_ reason: String) -> [Action] {
        guard state == .launching else { return [] }
        hasOutlivedStop = false
        return fail(reason)
    }

    private mutating func ready() -> [Action] {
        guard case .starting(let pid, _) = state else { return [] }
        state = .running(pid: pid)
        return [.report(.ready)]
    }

    private mutating func settled(_ daemon: Int32) -> [Action] {
        switch state {
        case .starting(daemon, _):
            state = .running(pid: daemon)
            return [.report(.ready)]
        case .starting, .forked, .running:
            state = .running(pid: daemon)
            return [.report(.running(pid: daemon)), .report(.ready)]
        case .down, .launching, .stopping, .waiting, .failed: return []
        }
    }

    private mutating func vanished(now: MonotonicInstant) -> [Action] {
        guard case .forked(let pid, _) = state else { return [] }
        let end = End.exited(status: 0)
        let afterwards = restart(after: end, now: now) ?? fail("nothing of it runs: \(missing)")
        return [.killAll(pid: pid), .report(end.report)] + afterwards
    }

    private mutating func ended(_ end: End, now: MonotonicInstant) -> [Action] {
        switch state {
        case .starting(let pid, let readyBy)
        where specification.leavesDaemon && end == .exited(status: 0):
            state = .forked(pid: pid, readyBy: readyBy)
            return []
        case .starting(let pid, _):
            let afterwards =
                restart(after: end, now: now) ?? fail("\(end.text) before it was ready")
            return [.killAll(pid: pid), .report(end.report)] + afterwards
        case .running(let pid):
            state = .down(last: end.report)
            return [.killAll(pid: pid), .report(end.report)] + (restart(after: end, now: now) ?? [])
        case .stopping(let pid, _, let continuation):
            let actions = [Action.killAll(pid: pid), .report(end.report)]
            switch continuation {
            case .stayDown:
                state = .down(last: end.report)
                return actions
            case .startAgain:
                restarts = []
                state = .launching
                return actions + [.spawn]
            case .fail(let reason): return actions + fail(reason)
            }
        case .down, .launching, .forked, .waiting, .failed: return []
        }
    }

    /// Plans a restart where the policy wants one; nil where it does not.
    private mutating func restart(after end: End, now: MonotonicInstant) -> [Action]? {
        switch specification.restart {
        case .no: return nil
        case .onFailure: if end == .exited(status: 0) { return nil }
        case .always: break
        }
        restarts.removeAll { now - $0 > Self.restartWindow }
        guard restarts.count < Self.maximumRestarts else {
            return fail("died \(restarts.count + 1) times in a row, the last time it \(end.text)")
        }
        let delay = min(Self.firstRestartDelay * (1 << restarts.count), Self.longestRestartDelay)
        restarts.append(now)
        state = .waiting(restartAt: now + delay, last: end.report)
        return []
    }

    private mutating func fail(_ reason: String) -> [Action] {
        state = .failed(reason: reason)
        return [.report(.failed(reason))]
    }

    private mutating func timer(now: MonotonicInstant) -> [Action] {
        switch state {
        case .starting(let pid, let readyBy) where now >= readyBy:
            state = .stopping(pid: pid, killAt: nil, then: .fail(reason: notReadyInTime))
            return [.killAll(pid: pid)]
        case .forked(let pid, let readyBy) where now >= readyBy:
            return [.killAll(pid: pid)] + fail(notReadyInTime)
        case .stopping(let pid, let killAt?, let continuation) where now >= killAt:
            hasOutlivedStop = true
            state = .stopping(pid: pid, killAt: nil, then: continuation)
            return [.killAll(pid: pid)]
        case .waiting(let restartAt, _) where now >= restartAt:
            state = .launching
            return [.spawn]
        case .down, .launching, .starting, .forked, .running, .stopping, .waiting, .failed:
            return []
        }
    }

    private var notReadyInTime: String {
        let milliseconds = specification.readinessTimeoutNanoseconds / 1_000_000
        return "\(UnitReport.notReady) after \(milliseconds) ms: \(missing)"
    }

    /// What a service that is not ready lacks.
    private var missing: String {
        switch specification.readiness {
        case .started: "it has not started"
        case .notify: "it has not sent READY=1 to $NOTIFY_SOCKET"
        case .tcpPort(let port): "none of its processes listens on TCP port \(port)"
        case .file(let path): "it has not written \(path)"
        case .command(let command): "`\(command.joined(separator: " "))` does not exit with 0"
        case .daemon(let pidFile?): "no daemon of its own has its number in \(pidFile)"
        case .daemon(nil): "it has left no daemon behind"
        }
    }
}

extension ServiceSpecification {
    /// Whether what it is started by exits, and something else is the service.
    fileprivate var leavesDaemon: Bool {
        if case .daemon = readiness { true } else { false }
    }
}
