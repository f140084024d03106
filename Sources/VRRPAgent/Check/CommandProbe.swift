import Glibc
import KeepalivedConf
import LVS
import LinuxSystem

/// The command of a `MISC_CHECK`: one that takes too long gets SIGTERM, and SIGKILL two seconds
/// later.
final class CommandProbe: Probe {
    private let loop: EventLoop
    private let onEnd: (CheckResult) -> Void
    private var child: ChildProcess?
    private var timer: EventLoop.TimerID?

    /// Starts it.
    ///
    /// - Parameters:
    ///   - timeout: `misc_timeout`, or else the service's `delay_loop`.
    ///   - onEnd: called once from the loop, when it has ended or was given up.
    init(
        _ invocation: CommandLauncher.Invocation, timeout: Duration, launcher: CommandLauncher,
        loop: EventLoop, onEnd: @escaping (CheckResult) -> Void
    ) {
        self.loop = loop
        self.onEnd = onEnd
        do throws(CommandLauncher.Failure) {
            child = try launcher.start(invocation) { [unowned self] termination in
                switch termination {
                case .exited(let status): finish(.exited(status))
                case .signalled(let signal): finish(.signalled(signal, isTimeout: false))
                }
            }
            timer = loop.schedule(after: timeout) { [unowned self] in expire() }
        } catch {
            // As the shell would have it.
            let status = error.status
            timer = loop.schedule(after: .zero) { [unowned self] in finish(.exited(status)) }
        }
    }

    deinit { cancel() }

    func cancel() {
        if let timer { loop.cancel(timer) }
        timer = nil
        child?.end(grace: ScriptMonitor.terminationGrace)
        child = nil
    }

    private func expire() {
        timer = nil
        // Its result does not wait for its end, which may never come.
        finish(.signalled(SIGTERM, isTimeout: true))
    }

    private func finish(_ result: CheckResult) {
        let ended = child
        if case .signalled(_, isTimeout: true) = result {
            ended?.end(grace: ScriptMonitor.terminationGrace)
        }
        child = nil
        cancel()
        onEnd(result)
    }
}
