import CLinux
import Glibc
import NetworkTypes

/// Namespaces of their own for the clocks that count from the machine's start: CLOCK_MONOTONIC and
/// CLOCK_BOOTTIME (time_namespaces(7)).
///
/// One is made where the capability for it is (CAP_SYS_TIME) and used where the program is started,
/// by way of its descriptor: whoever enters one needs CAP_SYS_ADMIN, and no right to any clock.
public enum TimeNamespace {
    /// CLONE_NEWTIME of sched.h; clone(2) cannot have it, its bit is the end signal's.
    private static let kind: CInt = 0x80

    /// A new one, whose clocks are ahead of the caller's by that much, or behind; the caller stays
    /// where it is.
    ///
    /// - Throws: ``SystemError``: without CAP_SYS_ADMIN and CAP_SYS_TIME (EPERM), before Linux 5.6
    ///   or without CONFIG_TIME_NS (EINVAL or ENOENT), for clocks that would be before zero or too
    ///   far off (ERANGE), in a process of several threads (EUSERS).
    public static func make(ahead offset: Duration) throws(SystemError) -> SharedDescriptor {
        let home = try own()
        // Whether there is a way back is tried before there is need of it.
        try enter(home.rawValue)
        let (seconds, rest) = try ownOffset(plus: offset)
        // From here on what this process starts would have the new clocks.
        try systemCall("unshare --time") { unshare(kind) }
        defer { goHome(home.rawValue) }
        // As long as nobody is in it: from then on it is fixed.
        let text = "monotonic \(seconds) \(rest)\nboottime \(seconds) \(rest)\n"
        try FileSystem.writeParameter(text, to: "/proc/self/timens_offsets")
        return SharedDescriptor(try FileSystem.openForReading("/proc/self/ns/time_for_children"))
    }

    /// Does something with the calling process inside that one, and brings it back. What `body`
    /// starts is in it from its beginning; what it reads on clocks is theirs.
    ///
    /// - Throws: ``SystemError`` when it cannot be entered, and what `body` throws.
    public static func run<Result>(
        in namespace: CInt, _ body: () throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        let home = try own()
        try enter(namespace)
        defer { goHome(home.rawValue) }
        return try body()
    }

    private static func own() throws(SystemError) -> OwnedDescriptor {
        try FileSystem.openForReading("/proc/self/ns/time")
    }

    // Takes the calling process and what it will start.
    private static func enter(_ namespace: CInt) throws(SystemError) {
        try systemCall("enter a time namespace") { setns(namespace, kind) }
    }

    // Staying in the wrong namespace would make every later look at a clock lie.
    private static func goHome(_ home: CInt) {
        guard setns(home, kind) == 0 else {
            fatalError("cannot return to the own time namespace: errno \(errno)")
        }
    }

    /// The sum as the kernel takes it, whose offsets count from the machine's own clocks: whole
    /// seconds, downwards, and nanoseconds from 0.
    private static func ownOffset(
        plus offset: Duration
    ) throws(SystemError) -> (seconds: Int64, nanoseconds: Int64) {
        let lines = try FileSystem.readText("/proc/self/timens_offsets").split(separator: "\n")
        let words = lines.first { $0.hasPrefix("monotonic") }?.split(separator: " ") ?? []
        let own = words.dropFirst().compactMap { Int64($0) }
        let sum = offset.wholeNanoseconds + (own.count == 2 ? own[1] : 0)
        let (seconds, rest) = sum.quotientAndRemainder(dividingBy: 1_000_000_000)
        let whole = rest < 0 ? seconds - 1 : seconds
        return (whole + (own.first ?? 0), rest < 0 ? rest + 1_000_000_000 : rest)
    }
}
