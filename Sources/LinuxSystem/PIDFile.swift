import CLinux
import Glibc
import SystemPackage

/// A daemon's pid file, removed when its owner goes.
///
/// Its owner holds a lock on it, so the file of a daemon that was killed is known to be stale even
/// when its process number is somebody else's by now: in a small PID namespace it soon is.
public final class PIDFile {
    private let path: String
    private let lock: SharedDescriptor

    /// What came of trying to own a pid file.
    public enum Outcome {
        /// It is ours.
        case owned(PIDFile)
        /// It was left behind by a process that is gone, and is ours now.
        case ownedStale(PIDFile)
        /// Its owner lives.
        case running(pid: Int32)
    }

    /// Writes the calling process's number into that file, unless its owner lives.
    ///
    /// - Parameter unlockedOwners: names of programs (/proc/PID/comm) that own pid files without
    ///   locking them.
    /// - Throws: ``SystemError`` when the file cannot be written.
    public static func own(
        _ path: String, unlockedOwners: Set<String> = []
    ) throws(SystemError) -> Outcome {
        let before = FileSystem.exists(path) ? try readNumber(path) : nil
        guard let lock = try FileLock.acquire(path) else { return .running(pid: before ?? 0) }
        if let before, let name = try? FileSystem.readText("/proc/\(before)/comm"),
            unlockedOwners.contains(String(name.prefix { $0 != "\n" })), !isZombie(before)
        {
            return .running(pid: before)
        }
        let number = lock.rawValue
        try systemCall("empty \(path)") { ftruncate(number, 0) }
        try systemCall("set the mode of \(path)") { fchmod(number, 0o644) }
        try FileSystem.writeAll(Array("\(getpid())\n".utf8)[...], to: number, name: path)
        let file = PIDFile(path: path, lock: lock)
        return before == nil ? .owned(file) : .ownedStale(file)
    }

    private init(path: String, lock: SharedDescriptor) {
        self.path = path
        self.lock = lock
    }

    deinit {
        // While the lock is held, so that no successor's file is removed.
        unlink(path)
    }

    private static func readNumber(_ path: String) throws(SystemError) -> Int32? {
        Int32(try FileSystem.readText(path).prefix { $0 != "\n" })
    }

    private static func isZombie(_ pid: Int32) -> Bool {
        guard let status = try? FileSystem.readText("/proc/\(pid)/stat"),
            let state = status[(status.lastIndex(of: ")") ?? status.startIndex)...].dropFirst(2)
                .first
        else { return true }
        return state == "Z"
    }
}
