import CLinux
import Glibc
import KeepalivedConf
import LinuxSystem
import NetworkTypes

/// Runs a `vrrp_script` for the instances that track it: the shell around ``ScriptMonitor``.
final class ScriptTracker {
    /// What was configured.
    let script: VRRPScript

    private let launcher: CommandLauncher
    private let loop: EventLoop
    private let user: ScriptUser?
    private let log: (LogLine) -> Void
    private let onResult: (Bool) -> Void
    private var monitor: ScriptMonitor
    private var child: ChildProcess?
    private var timer: EventLoop.TimerID?
    /// Why the last run could not be started, which is not logged every second.
    private var lastFailure: CommandLauncher.Failure?

    /// - Parameters:
    ///   - user: whom it runs as; nil: as the daemon.
    ///   - former: what it goes on after; nil: nothing is known of it.
    ///   - onResult: told when the script begins to succeed (true) or to fail (false), the first
    ///     result included; called from the loop, never from ``start()``.
    init(
        _ script: VRRPScript, after former: ScriptTracker? = nil, user: ScriptUser?,
        launcher: CommandLauncher, loop: EventLoop, log: @escaping (LogLine) -> Void,
        onResult: @escaping (Bool) -> Void
    ) {
        self.script = script
        self.user = user
        self.launcher = launcher
        self.loop = loop
        self.log = log
        self.onResult = onResult
        monitor =
            former.map { ScriptMonitor(script, after: $0.monitor) } ?? ScriptMonitor(script)
    }

    /// Whether the script succeeds; nil until its first result.
    var isUp: Bool? { monitor.isUp }

    /// How it is doing, for the dumps.
    var report: AgentReport.ScriptReport { monitor.report }

    /// What is said of it at a reload; nil while nothing is known.
    var reloadLine: LogLine? { monitor.reloadLine }

    /// Whether that definition asks for the same runs, so that a reload can keep this one with what
    /// it knows. A weight belongs to whoever tracks it.
    func runs(_ other: VRRPScript, as user: ScriptUser?) -> Bool {
        var other = other
        other.position = script.position
        other.command.position = script.command.position
        other.weight = script.weight
        other.isReversed = script.isReversed
        return other == script && user == self.user
    }

    /// Runs it for the first time as soon as the loop runs, and then in every interval.
    func start() {
        guard timer == nil, child == nil else { return }
        timer = loop.schedule(after: .zero) { [unowned self] in deliver(.start) }
    }

    /// Runs it no more, and ends a run with everything it has started: SIGTERM, and SIGKILL a
    /// second later, as keepalived at its end.
    ///
    /// - Parameter then: called when nothing of it runs any more, at once if nothing does.
    func stop(then: @escaping () -> Void = {}) {
        if let timer { loop.cancel(timer) }
        timer = nil
        guard let child else { return then() }
        self.child = nil
        child.end(grace: .seconds(1), then: then)
    }

    deinit { stop() }

    private func deliver(_ event: ScriptMonitor.Event) {
        for action in monitor.handle(event, now: MonotonicClock.now) {
            switch action {
            case .run: run()
            case .signalGroup(let signal): child?.signalGroup(signal)
            case .report(let isUp): onResult(isUp)
            case .log(let line): log(line)
            }
        }
        arm()
    }

    private func run() {
        do throws(CommandLauncher.Failure) {
            let child = try launcher.start(.init(script.command.arguments, user: user)) {
                [unowned self] termination in
                deliver(.ended(termination))
                self.child = nil
            }
            self.child = child
            lastFailure = nil
            deliver(.started(pid: child.pid))
        } catch {
            // keepalived's child logs this to a closed descriptor and counts as a success.
            if error != lastFailure { log(.init("Script `\(script.name)`: \(error)")) }
            lastFailure = error
            deliver(.notStarted(status: error.status))
        }
    }

    private func arm() {
        if let timer { loop.cancel(timer) }
        timer = monitor.deadline.map { deadline in
            loop.schedule(at: deadline) { [unowned self] in deliver(.timer) }
        }
    }
}
