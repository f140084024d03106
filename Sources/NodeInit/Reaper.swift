import LinuxSystem
import NetworkTypes

/// PID 1's first duty: takes every child's end from the kernel, orphans' included.
final class Reaper {
    typealias Handler = (Termination, MonotonicInstant) -> Void

    private var handlers: [Int32: Handler] = [:]

    /// Calls `handler` once when that child has ended, with the moment it was reaped.
    func watch(_ pid: Int32, handler: @escaping Handler) { handlers[pid] = handler }

    /// Reaps all children that have ended; on SIGCHLD, and before something is believed about a
    /// child that may have ended since.
    func reapAll() {
        while let (pid, termination) = Termination.reap() {
            let now = MonotonicClock.now
            handlers.removeValue(forKey: pid)?(termination, now)
        }
    }
}
