import LinuxSystem
import NetworkTypes

/// PID 1's first duty: takes every child's end from the kernel, orphans' included.
final class Reaper {
    typealias Handler = (Termination, MonotonicInstant) -> Void

    private var handlers: [Int32: Handler] = [:]
    private var observers: [ObjectIdentifier: () -> Void] = [:]

    /// Calls `handler` once when that child has ended, with the moment it was reaped.
    func watch(_ pid: Int32, handler: @escaping Handler) { handlers[pid] = handler }

    /// Calls `body` whenever children have been reaped, whosever they were, until ``forget(_:)``.
    func observe(_ observer: AnyObject, _ body: @escaping () -> Void) {
        observers[ObjectIdentifier(observer)] = body
    }

    func forget(_ observer: AnyObject) { observers[ObjectIdentifier(observer)] = nil }

    /// Reaps all children that have ended; on SIGCHLD, and before something is believed about a
    /// child that may have ended since.
    func reapAll() {
        while let (pid, termination) = Termination.reap() {
            let now = MonotonicClock.now
            handlers.removeValue(forKey: pid)?(termination, now)
        }
        for observer in Array(observers.values) { observer() }
    }
}
