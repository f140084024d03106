import CLinux
import Glibc
import SystemPackage

/// A lock on a file that the kernel lets go of when the last process that has it open dies
/// (fcntl(2), F_OFD_SETLK).
public enum FileLock {
    /// Takes the lock; the file is made when it is missing.
    ///
    /// - Returns: the open file that holds it, or nil when somebody else does.
    /// - Throws: ``SystemError`` when the file cannot be opened, ELOOP for a link in its place, or
    ///   the file system knows no locks.
    public static func acquire(_ path: String) throws(SystemError) -> SharedDescriptor? {
        while true {
            let file = OwnedDescriptor(
                try systemCall("open \(path)") {
                    clinux_open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
                })
            let number = file.rawValue
            let taken = try systemCallUnlessBlocked("lock \(path)") { clinux_lock(number) }
            if taken == nil { return nil }
            // The file may have been removed between open and lock, by a holder on its way out:
            // then the lock is on a file that nobody else will ever see.
            if isSame(number, path) { return SharedDescriptor(file) }
        }
    }

    /// Locks a folder itself (flock(2)), waiting until it is free; nothing is made in it.
    ///
    /// - Returns: the open folder that holds the lock.
    /// - Throws: ``SystemError`` when the folder cannot be opened or the file system knows no
    ///   locks.
    public static func awaitFolder(_ path: String) throws(SystemError) -> SharedDescriptor {
        let folder = OwnedDescriptor(
            try systemCall("open \(path)") {
                clinux_open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
            })
        let number = folder.rawValue
        try systemCall("lock \(path)") { clinux_lock_folder(number) }
        return SharedDescriptor(folder)
    }

    /// Whether somebody holds the lock. Takes nothing, so that two who ask do not see each other.
    ///
    /// A lock file of another user cannot be asked about; it counts as held, since its owner would
    /// have removed it.
    public static func isHeld(_ path: String) -> Bool {
        let number = clinux_open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0)
        guard number >= 0 else { return errno == EACCES }
        defer { close(number) }
        return clinux_is_locked(number) == 1
    }

    private static func isSame(_ descriptor: CInt, _ path: String) -> Bool {
        var open = stat()
        var named = stat()
        return fstat(descriptor, &open) == 0 && stat(path, &named) == 0
            && open.st_ino == named.st_ino && open.st_dev == named.st_dev
    }
}
