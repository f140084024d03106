import CLinux
import Glibc
import LinuxSystem
import NetworkTypes

/// Waits until processes that SIGKILL has hit are gone, so that a service counts as ended when
/// nothing of it is left: not its locks, not its sockets, not a number that kill(2) would find.
///
/// The kernel kills a process where it stands, and may take some milliseconds until it has closed
/// what it held. A daemon that is started in that time finds itself running already. systemd
/// waits for the last process of a unit's control group for the same reason.
final class Burial {
    /// How long they are waited for: one that hangs in the kernel, or whose end a parent of another
    /// service does not look at, must not keep its service for ever.
    static let limit = Duration.seconds(1)
    /// How often they are looked for where no end of a child tells of theirs.
    private static let interval = Duration.milliseconds(10)

    private let loop: EventLoop
    private let reaper: Reaper
    private let deadline: MonotonicInstant
    private var pids: Set<Int32>
    private var timer: EventLoop.TimerID?
    private var onEnd: () -> Void = {}

    /// Nil when they are gone already.
    init?(of pids: Set<Int32>, loop: EventLoop, reaper: Reaper) {
        self.loop = loop
        self.reaper = reaper
        self.pids = pids.filter(Self.isThere)
        deadline = MonotonicClock.now + Self.limit
        if self.pids.isEmpty { return nil }
    }

    /// Calls `onEnd` once, when none of them is left or the time is over.
    func begin(onEnd: @escaping () -> Void) {
        self.onEnd = onEnd
        // The last of it may be reaped by whoever is reaping now.
        reaper.observe(self) { [weak self] in self?.look() }
        schedule()
    }

    /// One that has ended and is not reaped is still there, for a daemon that looks for it by its
    /// number as well.
    private static func isThere(_ pid: Int32) -> Bool { kill(pid, 0) == 0 || errno != ESRCH }

    private func schedule() {
        timer = loop.schedule(after: Self.interval) { [weak self] in
            self?.timer = nil
            self?.look()
        }
    }

    private func look() {
        pids = pids.filter(Self.isThere)
        guard pids.isEmpty || MonotonicClock.now >= deadline else {
            if timer == nil { schedule() }
            return
        }
        if let timer { loop.cancel(timer) }
        timer = nil
        reaper.forget(self)
        onEnd()
    }
}
