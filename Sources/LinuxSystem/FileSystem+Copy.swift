import CLinux
import Glibc
import SystemPackage

extension FileSystem {
    private static let copyBufferBytes = 1 << 20

    /// Copies a regular file's contents, however large, into a new file or over an old one.
    ///
    /// - Parameter limit: only so many bytes, from the beginning.
    /// - Throws: ``SystemError``, for a full disk as well; what was written so far stays.
    public static func copy(
        _ path: String, to target: String, limitBytes limit: Int = .max
    ) throws(SystemError) {
        let source = try openForReading(path)
        let copy = try openAnew(target)
        let (from, to) = (source.rawValue, copy.rawValue)
        var buffer = [UInt8](repeating: 0, count: copyBufferBytes)
        var rest = limit
        while rest > 0 {
            let count = try systemCall("read \(path)") {
                Glibc.read(from, &buffer, min(rest, copyBufferBytes))
            }
            if count == 0 { return }
            try writeAll(buffer[..<count], to: to, name: target)
            rest -= count
        }
    }

    /// Copies a folder with the folders and regular files in it; nothing else, and no links.
    ///
    /// - Throws: ``SystemError``; what was copied so far stays.
    public static func copyTree(_ path: String, to target: String) throws(SystemError) {
        try makeFolders(target)
        for name in try list(path) {
            if isFolder("\(path)/\(name)") {
                try copyTree("\(path)/\(name)", to: "\(target)/\(name)")
            } else if isRegularFile("\(path)/\(name)") {
                try copy("\(path)/\(name)", to: "\(target)/\(name)")
            }
        }
    }

    /// Gives a file or folder another name on the same file system. Like `mv PATH TARGET`.
    ///
    /// - Throws: ``SystemError``, `fileExists` or `directoryNotEmpty` where a folder of that name
    ///   has something in it.
    public static func move(_ path: String, to target: String) throws(SystemError) {
        try systemCall("rename \(path) to \(target)") { rename(path, target) }
    }
}
