import CLinux
import Glibc

/// The time on a CPU that a process has used.
public struct ProcessUsage: Equatable, Sendable {
    /// In its own code.
    public var user: Duration
    /// In the kernel's.
    public var system: Duration

    public init(user: Duration, system: Duration) {
        self.user = user
        self.system = system
    }

    /// In either.
    public var total: Duration { user + system }

    /// What the calling process has used.
    public static var own: ProcessUsage { of(RUSAGE_SELF.rawValue) }

    /// What its children have used that have ended and been waited for.
    public static var children: ProcessUsage { of(RUSAGE_CHILDREN.rawValue) }

    private static func of(_ whose: Int32) -> ProcessUsage {
        var usage = rusage()
        getrusage(whose, &usage)
        return ProcessUsage(user: duration(usage.ru_utime), system: duration(usage.ru_stime))
    }

    private static func duration(_ time: timeval) -> Duration {
        .seconds(time.tv_sec) + .microseconds(time.tv_usec)
    }
}
