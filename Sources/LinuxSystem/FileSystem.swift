import CLinux
import Glibc
import SystemPackage

/// Files and folders, with errors that name them.
public enum FileSystem {
    /// A whole file.
    ///
    /// - Throws: ``SystemError``: `read /etc/x: no such file or directory`.
    public static func read(_ path: String, limitBytes: Int = .max) throws(SystemError) -> [UInt8] {
        let file = OwnedDescriptor(
            try systemCall("read \(path)") { clinux_open(path, O_RDONLY | O_CLOEXEC, 0) })
        return try readAll(file.rawValue, name: path, limitBytes: limitBytes)
    }

    /// What is left to read of an open file.
    public static func readAll(
        _ descriptor: CInt, name: String, limitBytes: Int = .max
    ) throws(SystemError) -> [UInt8] {
        var contents: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while contents.count < limitBytes {
            let wanted = min(buffer.count, limitBytes - contents.count)
            let count = try systemCall("read \(name)") { Glibc.read(descriptor, &buffer, wanted) }
            if count == 0 { break }
            contents.append(contentsOf: buffer.prefix(count))
        }
        return contents
    }

    /// A whole file as text, what is not UTF-8 in it repaired.
    public static func readText(_ path: String) throws(SystemError) -> String {
        String(decoding: try read(path), as: UTF8.self)
    }

    /// Makes or replaces a file; not atomically.
    ///
    /// - Parameter mode: its permission bits, whatever the umask.
    /// - Throws: ``SystemError``, for a full disk as well; what was written so far stays.
    public static func write(
        _ contents: [UInt8], to path: String, mode: UInt16 = 0o644
    ) throws(SystemError) {
        let file = OwnedDescriptor(
            try systemCall("write \(path)") {
                clinux_open(path, O_WRONLY | O_CLOEXEC | O_CREAT | O_TRUNC, mode_t(mode))
            })
        let number = file.rawValue
        try systemCall("set the mode of \(path)") { fchmod(number, mode_t(mode)) }
        try writeAll(contents[...], to: number, name: path)
    }

    /// Writes a kernel parameter's file (below /proc/sys, or a cgroup's), in one write(2) as the
    /// kernel wants it.
    public static func writeParameter(_ value: String, to path: String) throws(SystemError) {
        let file = OwnedDescriptor(
            try systemCall("write \(path)") { clinux_open(path, O_WRONLY | O_CLOEXEC, 0) })
        try writeAll(Array(value.utf8)[...], to: file.rawValue, name: path)
    }

    /// Opens a file to be read.
    public static func openForReading(_ path: String) throws(SystemError) -> OwnedDescriptor {
        OwnedDescriptor(
            try systemCall("open \(path)") { clinux_open(path, O_RDONLY | O_CLOEXEC, 0) })
    }

    /// Makes or opens a file whose writes all go to its end.
    ///
    /// - Parameter followsLinks: whether the file may be what a link of that name leads to; else it
    ///   is refused (ELOOP).
    public static func openForAppending(
        _ path: String, followsLinks: Bool = true
    ) throws(SystemError) -> SharedDescriptor {
        let flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (followsLinks ? 0 : O_NOFOLLOW)
        return SharedDescriptor(
            OwnedDescriptor(try systemCall("open \(path)") { clinux_open(path, flags, 0o644) }))
    }

    /// Opens a file for writing, made if it is not there, and emptied if it is.
    public static func openAnew(_ path: String) throws(SystemError) -> SharedDescriptor {
        SharedDescriptor(
            OwnedDescriptor(
                try systemCall("open \(path)") {
                    clinux_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
                }))
    }

    /// Writes every byte to an open, blocking descriptor.
    public static func writeAll(
        _ bytes: ArraySlice<UInt8>, to descriptor: CInt, name: String
    ) throws(SystemError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = try systemCall("write \(name)") {
                rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            }
            rest = rest.dropFirst(count)
        }
    }

    /// Makes a folder and those above it; nothing for one that is there.
    public static func makeFolders(_ path: String, mode: UInt16 = 0o755) throws(SystemError) {
        guard let refusal = makeFolder(path, mode) else { return }
        guard refusal == .noSuchFileOrDirectory, let slash = path.lastIndex(of: "/"),
            slash != path.startIndex
        else { throw SystemError("make folder \(path)", refusal) }
        try makeFolders(String(path[..<slash]), mode: mode)
        if let refusal = makeFolder(path, mode) {
            throw SystemError("make folder \(path)", refusal)
        }
    }

    /// Makes one folder; nil when it is there, whoever made it.
    private static func makeFolder(_ path: String, _ mode: UInt16) -> Errno? {
        if mkdir(path, mode_t(mode)) == 0 { return nil }
        let refusal = Errno(rawValue: errno)
        return isFolder(path) ? nil : refusal
    }

    /// The names in a folder, sorted, without `.` and `..`.
    public static func list(_ path: String) throws(SystemError) -> [String] {
        guard let folder = opendir(path) else {
            throw SystemError("list \(path)", Errno(rawValue: errno))
        }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// What is at a path; a symbolic link is itself.
    public enum Entry: Equatable, Sendable {
        case file, folder, other
        case link(target: String)
    }

    /// What is at a path, a symbolic link not followed; nil when nothing is.
    public static func entry(_ path: String) -> Entry? {
        var information = stat()
        guard lstat(path, &information) == 0 else { return nil }
        if clinux_is_folder(information.st_mode) != 0 { return .folder }
        if clinux_is_file(information.st_mode) != 0 { return .file }
        guard clinux_is_link(information.st_mode) != 0 else { return .other }
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let length = buffer.withUnsafeMutableBytes {
            readlink(path, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
        }
        return .link(target: String(decoding: buffer.prefix(max(length, 0)), as: UTF8.self))
    }

    /// Whether a folder is there, links followed.
    public static func isFolder(_ path: String) -> Bool {
        var information = stat()
        return stat(path, &information) == 0 && clinux_is_folder(information.st_mode) != 0
    }

    /// Whether an open descriptor is a folder's.
    public static func isFolder(_ descriptor: CInt) -> Bool {
        var information = stat()
        return fstat(descriptor, &information) == 0 && clinux_is_folder(information.st_mode) != 0
    }

    /// Whether a folder itself is there, not a link to one, in which nobody but the user and root
    /// can make or remove anything.
    public static func isOwnFolder(_ path: String) -> Bool {
        var information = stat()
        return lstat(path, &information) == 0 && clinux_is_folder(information.st_mode) != 0
            && [geteuid(), 0].contains(information.st_uid) && information.st_mode & 0o022 == 0
    }

    /// Whether a regular file is there, links followed.
    public static func isRegularFile(_ path: String) -> Bool {
        var information = stat()
        return stat(path, &information) == 0 && clinux_is_file(information.st_mode) != 0
    }

    /// Whether anything is there, a dangling link included.
    public static func exists(_ path: String) -> Bool { entry(path) != nil }

    /// Whether the calling process may write to what is there (access(2)).
    public static func isWritable(_ path: String) -> Bool { access(path, W_OK) == 0 }

    /// Makes a symbolic link in place of whatever link or file is there.
    public static func link(_ path: String, to target: String) throws(SystemError) {
        try remove(path)
        try systemCall("link \(path) to \(target)") { symlink(target, path) }
    }

    /// Removes a file or link; nothing when there is none.
    public static func remove(_ path: String) throws(SystemError) {
        do {
            try systemCall("remove \(path)") { unlink(path) }
        } catch  where error.code == .noSuchFileOrDirectory {
            return
        }
    }

    /// Removes a folder with all that is in it, links not followed; nothing when there is none.
    public static func removeTree(_ path: String) throws(SystemError) {
        switch entry(path) {
        case nil: return
        case .folder:
            for name in try list(path) { try removeTree("\(path)/\(name)") }
            try systemCall("remove folder \(path)") { rmdir(path) }
        case .file, .link, .other: try remove(path)
        }
    }

    /// The own program's file, with links resolved.
    public static func ownProgram() throws(SystemError) -> String {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let length = try systemCall("read link /proc/self/exe") {
            buffer.withUnsafeMutableBytes {
                readlink(
                    "/proc/self/exe", $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
            }
        }
        return String(decoding: buffer.prefix(length), as: UTF8.self)
    }

    /// How much can still be written to the file system that a path is on, by anybody; the largest
    /// number for one without a limit.
    public static func freeBytes(_ path: String) throws(SystemError) -> UInt64 {
        var information = statvfs()
        try systemCall("look at the file system of \(path)") { statvfs(path, &information) }
        // A tmpfs without a limit says that it has no blocks at all.
        guard information.f_blocks > 0 else { return .max }
        return UInt64(information.f_bavail) * UInt64(information.f_frsize)
    }
}
