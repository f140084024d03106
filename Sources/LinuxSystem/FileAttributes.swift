import CLinux
import Glibc
import SystemPackage

/// Who owns a file and who may do what with it (stat(2)).
public struct FileAttributes: Equatable, Sendable {
    /// What kind of file it is.
    public enum Kind: Equatable, Sendable { case file, folder, link, fifo, other }

    public var kind: Kind
    /// The permission bits, with set-user-ID, set-group-ID and sticky (octal 7777).
    public var mode: UInt16
    public var userID: UInt32
    public var groupID: UInt32

    public init(kind: Kind, mode: UInt16, userID: UInt32, groupID: UInt32) {
        self.kind = kind
        self.mode = mode
        self.userID = userID
        self.groupID = groupID
    }

    fileprivate init(_ information: stat) {
        let mode = information.st_mode
        kind =
            clinux_is_folder(mode) != 0
            ? .folder
            : clinux_is_file(mode) != 0
                ? .file
                : clinux_is_link(mode) != 0 ? .link : clinux_is_fifo(mode) != 0 ? .fifo : .other
        self.mode = UInt16(mode & 0o7777)
        userID = information.st_uid
        groupID = information.st_gid
    }
}

extension FileAttributes {
    /// The kernel's number for everybody who is not there (kernel.overflowuid, kernel.overflowgid).
    private static let stranger: UInt32 = 65534

    /// The same, in a user namespace as if whoever is not there were root: nobody inside can become
    /// that user, so nobody inside can change what belongs to it.
    public var asSeenInside: FileAttributes {
        guard !IDMap.isOfMachine else { return self }
        var seen = self
        if seen.userID == Self.stranger { seen.userID = 0 }
        if seen.groupID == Self.stranger { seen.groupID = 0 }
        return seen
    }
}

extension FileSystem {
    /// Who owns what is at a path. Like stat(2), or lstat(2) where links are not followed.
    ///
    /// - Throws: ``SystemError``: `look at /x: no such file or directory`.
    public static func attributes(
        _ path: String, followsLinks: Bool = true
    ) throws(SystemError) -> FileAttributes {
        var information = stat()
        try systemCall("look at \(path)") {
            followsLinks ? stat(path, &information) : lstat(path, &information)
        }
        return FileAttributes(information)
    }

    /// The path without links, `.`, `..` and doubled slashes. Like realpath(3).
    ///
    /// - Throws: ``SystemError`` when something on the way does not exist.
    public static func resolve(_ path: String) throws(SystemError) -> String {
        guard let resolved = realpath(path, nil) else {
            throw SystemError("resolve \(path)", Errno(rawValue: errno))
        }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Makes a FIFO with exactly these permission bits. Like mkfifo(1).
    ///
    /// - Returns: whether it was made; not when something is there already.
    public static func makeFIFO(_ path: String, mode: UInt16) throws(SystemError) -> Bool {
        do {
            try systemCall("make fifo \(path)") { mkfifo(path, mode_t(mode)) }
        } catch  where error.code == .fileExists {
            return false
        }
        // Whatever the umask.
        try systemCall("set the mode of \(path)") { chmod(path, mode_t(mode)) }
        return true
    }

    /// Gives a file to a user and a group. Like chown(1).
    public static func setOwner(
        _ path: String, userID: UInt32, groupID: UInt32
    ) throws(SystemError) {
        try systemCall("change the owner of \(path)") { chown(path, userID, groupID) }
    }
}
