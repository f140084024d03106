import KeepalivedConf
import LinuxSystem

/// A `startup_script` or `shutdown_script`: run once, before the instances start or after they have
/// stopped, while the loop runs on.
///
/// Its failure is logged and changes nothing. One that takes too long gets SIGTERM, and SIGKILL two
/// seconds later; what comes after it waits for neither longer than that. The log lines are
/// keepalived 2.2.7's, its doubled "script" included.
final class LifecycleScript {
    /// Which of the two.
    enum Kind: String {
        case startup = "startup script"
        case shutdown = "shutdown script"
    }

    private let kind: Kind
    private let loop: EventLoop
    private let log: (LogLine) -> Void
    private let then: () -> Void
    private var child: ChildProcess?
    private var timer: EventLoop.TimerID?

    /// Starts it.
    ///
    /// - Parameters:
    ///   - timeout: `startup_script_timeout`, `shutdown_script_timeout`.
    ///   - then: called once from the loop, when it has ended or was given up.
    init(
        _ kind: Kind, _ invocation: CommandLauncher.Invocation, timeout: Duration,
        launcher: CommandLauncher, loop: EventLoop, log: @escaping (LogLine) -> Void,
        then: @escaping () -> Void
    ) {
        self.kind = kind
        self.loop = loop
        self.log = log
        self.then = then
        let path = invocation.arguments.first ?? ""
        log(.detail("Running \(kind.rawValue) \(path)"))
        do throws(CommandLauncher.Failure) {
            child = try launcher.start(invocation) { [unowned self] in ended($0) }
            timer = loop.schedule(after: timeout) { [unowned self] in timeOut() }
        } catch {
            log(.init("Call of \(kind.rawValue) \(path) failed: \(error)"))
            timer = loop.schedule(after: .zero) { [unowned self] in finish() }
        }
    }

    deinit {
        if let timer { loop.cancel(timer) }
        child?.end(grace: ScriptMonitor.terminationGrace)
    }

    private func ended(_ termination: Termination) {
        switch termination {
        case .exited(0): log(.detail("\(kind.rawValue) script succeeded"))
        case .exited(let status):
            log(.init("\(kind.rawValue) script failed, status \(status)"))
        case .signalled(let signal):
            // keepalived says nothing about these.
            log(.init("\(kind.rawValue) script failed, signal \(signal)"))
        }
        child = nil
        finish()
    }

    private func timeOut() {
        log(.init("\(kind.rawValue) timed out"))
        // Whichever comes first: its end, or the time after which it is given up.
        timer = loop.schedule(after: ScriptMonitor.terminationGrace * 2) { [unowned self] in
            finish()
        }
        child?.end(grace: ScriptMonitor.terminationGrace) { [weak self] in self?.finish() }
        child = nil
    }

    private func finish() {
        guard let timer else { return }
        loop.cancel(timer)
        self.timer = nil
        then()
    }
}
