import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// A program that the daemon has started, in a process group (and session) of its own.
///
/// Its end is an event of the loop (a pidfd), at which it is reaped: nobody waits, and no zombie is
/// left as long as the loop runs. Keep it until `onEnd` is called, or call ``end(grace:then:)``.
final class ChildProcess {
    let pid: Int32
    private let loop: EventLoop
    private let descriptor: SharedDescriptor
    private var onEnd: ((Termination) -> Void)?

    /// Starts a program.
    ///
    /// - Parameter onEnd: called once from the loop, when it has ended and been reaped.
    /// - Throws: ``SystemError`` naming the step that failed.
    init(
        _ program: Program, loop: EventLoop, onEnd: @escaping (Termination) -> Void
    ) throws(SystemError) {
        var program = program
        program.leadsSession = true
        let started = try program.start()
        pid = started.pid
        descriptor = started.pidDescriptor
        self.loop = loop
        self.onEnd = onEnd
        do {
            try loop.add(descriptor.rawValue, .readable) { [unowned self] _ in take() }
        } catch {
            // Nobody would ever know of its end.
            Glibc.kill(-pid, SIGKILL)
            var status: CInt = 0
            waitpid(pid, &status, 0)
            throw error
        }
    }

    /// Signals it and everything it has started that is still in its process group.
    ///
    /// Safe until `onEnd` returns: until the leader is reaped, nobody else gets its number.
    func signalGroup(_ signal: Int32) {
        guard onEnd != nil else { return }
        Glibc.kill(-pid, signal)
    }

    /// Asks it and all it has started to end, and sees to it that they do: SIGTERM now, SIGKILL
    /// after `grace`. Whoever held it may forget it.
    ///
    /// - Parameter then: called once it is gone, instead of `onEnd`.
    func end(grace: Duration, then: @escaping () -> Void = {}) {
        guard onEnd != nil else { return then() }
        signalGroup(SIGTERM)
        let timer = loop.schedule(after: grace) { [weak self] in self?.signalGroup(SIGKILL) }
        // It holds on to itself until it is reaped.
        onEnd = { [self] _ in
            signalGroup(SIGKILL)
            loop.cancel(timer)
            then()
        }
    }

    private func take() {
        guard let onEnd else { return }
        stopWatching()
        // An end that somebody else has reaped cannot be known; it is no success.
        onEnd(Termination.peek(pid) ?? .signalled(signal: SIGKILL))
        self.onEnd = nil
        _ = Termination.reap(pid)
    }

    private func stopWatching() {
        loop.remove(descriptor.rawValue)
        descriptor.close()
    }

    deinit { if descriptor.isOpen { stopWatching() } }
}
