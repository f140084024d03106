import CLinux
import Glibc
import SystemPackage

extension FileSystem {
    /// Puts a file in another's place: who opens the path gets the old contents or the new ones.
    ///
    /// The new file is made beside the old one under a name nobody had (O_EXCL, and no symbolic
    /// link followed) and renamed over it, so that in /tmp a file or link that somebody else left
    /// under the name is replaced, never written through.
    ///
    /// - Parameter mode: its permission bits, whatever the umask.
    /// - Throws: ``SystemError``; the old file stays then.
    public static func replace(
        _ path: String, with contents: [UInt8], mode: UInt16
    ) throws(SystemError) {
        let (temporary, file) = try makeBeside(path)
        do throws(SystemError) {
            let number = file.rawValue
            try systemCall("set the mode of \(path)") { fchmod(number, mode_t(mode)) }
            try writeAll(contents[...], to: number, name: path)
            try systemCall("rename \(temporary) to \(path)") { rename(temporary, path) }
        } catch {
            unlink(temporary)
            throw error
        }
    }

    private static let maximumNames = 100

    private static func makeBeside(
        _ path: String
    ) throws(SystemError) -> (String, SharedDescriptor) {
        var refusal = Errno.fileExists
        for attempt in 0..<maximumNames {
            let name = "\(path).\(getpid()).\(attempt)"
            let number = clinux_open(
                name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
            if number >= 0 { return (name, SharedDescriptor(OwnedDescriptor(number))) }
            refusal = Errno(rawValue: errno)
            guard refusal == .fileExists else { break }
        }
        throw SystemError("write \(path)", refusal)
    }
}

extension FileSystem {
    /// The calling process's folder, which relative paths count from.
    ///
    /// - Throws: ``SystemError``, where it has been removed.
    public static func workingFolder() throws(SystemError) -> String {
        guard let path = getcwd(nil, 0) else {
            throw SystemError("find the working folder", Errno(rawValue: errno))
        }
        defer { free(path) }
        return String(cString: path)
    }

    /// Whether a file has execute permission for anybody, links followed.
    public static func hasExecutePermission(_ path: String) -> Bool {
        var information = stat()
        return stat(path, &information) == 0 && information.st_mode & 0o111 != 0
    }
}
