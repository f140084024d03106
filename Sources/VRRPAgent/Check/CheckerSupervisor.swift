import CLinux
import Glibc
import KeepalivedConf
import LinuxSystem
import NetworkTypes

/// The daemon's hold on the checkers' process: started where there are virtual servers, started
/// again when it dies, told of reloads and dumps, ended with the daemon.
final class CheckerSupervisor {
    /// The pause before it is started again, doubled with each death in a row.
    private static let firstPause: Duration = .seconds(1)
    private static let longestPause: Duration = .seconds(60)
    /// From SIGTERM to SIGKILL.
    static let grace: Duration = .seconds(5)

    private let options: Options
    private let environment: [String]
    private let loop: EventLoop
    private let log: Log
    private var child: ChildProcess?
    private var timer: EventLoop.TimerID?
    private var startedAt = MonotonicInstant.zero
    private var pause = firstPause
    private var isEnding = false
    private var onGone: () -> Void = {}
    /// Told when the process has died that is not to be started again (`-R`).
    var onDeath: () -> Void = {}

    init(_ options: Options, environment: [String], loop: EventLoop, log: Log) {
        self.options = options
        self.environment = environment
        self.loop = loop
        self.log = log
    }

    /// Whether a configuration has something to check.
    func isNeeded(_ configuration: Configuration) -> Bool {
        !options.omitsCheckers && !configuration.virtualServers.isEmpty
    }

    /// A configuration is in force: starts the process, tells it, or ends it.
    func apply(_ configuration: Configuration) {
        guard isNeeded(configuration) else {
            cancelTimer()
            child?.end(grace: Self.grace)
            child = nil
            return
        }
        if let child { child.signalGroup(SIGHUP) } else if timer == nil { start() }
    }

    /// Lets it write what it knows.
    func dump() { child?.signalGroup(SIGUSR1) }

    /// Begins to end it. It is not started again.
    func stop() {
        cancelTimer()
        guard let ending = child else { return }
        child = nil
        isEnding = true
        ending.end(grace: Self.grace) { [unowned self] in
            isEnding = false
            onGone()
        }
    }

    /// Calls `then` when what ``stop()`` has ended is gone: at once, when it is.
    func whenGone(_ then: @escaping () -> Void) {
        if isEnding { onGone = then } else { then() }
    }

    private func cancelTimer() {
        if let timer { loop.cancel(timer) }
        timer = nil
    }

    private func start() {
        timer = nil
        do throws(SystemError) {
            let nothing = try OwnedDescriptor.null()
            // What the daemon itself was given, for the same file and the same log.
            var program = Program(
                path: try FileSystem.ownProgram(),
                arguments: CommandLine.arguments + ["--healthcheckers"],
                environment: environment,
                descriptors: [nothing.rawValue, STDOUT_FILENO, STDERR_FILENO])
            program.parentDeathSignal = SIGTERM
            let child = try ChildProcess(program, loop: loop) { [unowned self] in ended($0) }
            self.child = child
            startedAt = MonotonicClock.now
            log.line("Starting Healthcheck child process, pid=\(child.pid)")
        } catch {
            log.line("Healthcheck child process: \(error)")
            retry()
        }
    }

    private func ended(_ termination: Termination) {
        let pid = child?.pid ?? 0
        child = nil
        let how =
            switch termination {
            case .exited(let status): "exited with status \(status)"
            case .signalled(let signal): "was ended by signal \(signal)"
            }
        guard !options.avoidsRespawn else {
            log.line("Healthcheck child process(\(pid)) died (\(how)): Exiting")
            return onDeath()
        }
        log.line("Healthcheck child process(\(pid)) died (\(how)): Respawning")
        retry()
    }

    private func retry() {
        if MonotonicClock.now - startedAt > Self.longestPause { pause = Self.firstPause }
        timer = loop.schedule(after: pause) { [unowned self] in start() }
        pause = min(pause * 2, Self.longestPause)
    }
}
