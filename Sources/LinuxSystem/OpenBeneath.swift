import CLinux
import Glibc
import SystemPackage

extension OwnedDescriptor {
    /// Opens an existing file or folder at `path` below `folder`, close-on-exec.
    ///
    /// Resolution never leaves the folder: a `..`, or a symbolic link on the way, that would lead
    /// out fails with EXDEV, and so does every absolute link (openat2(2), RESOLVE_BENEATH). The
    /// kernel decides, so nobody can swap a name between the check and the opening.
    ///
    /// - Parameters:
    ///   - path: relative bytes without NUL; `.` for the folder itself.
    ///   - flags: O_ flags of open(2).
    public static func open(
        beneath folder: borrowing OwnedDescriptor, path: [UInt8], flags: CInt
    ) throws(SystemError) -> OwnedDescriptor {
        precondition(!path.contains(0), "a path holds no NUL")
        let number = folder.rawValue
        let terminated = path.map { CChar(bitPattern: $0) } + [0]
        for _ in 0..<maximumRaces {
            do {
                return OwnedDescriptor(
                    try systemCall("open \(String(decoding: path, as: UTF8.self))") {
                        clinux_open_beneath(number, terminated, flags | O_CLOEXEC, 0)
                    })
            } catch  where error.code == .resourceTemporarilyUnavailable {
                // Something was renamed while a `..` was followed, and the kernel could not tell
                // whether it still stays beneath.
                continue
            }
        }
        throw SystemError(
            "open \(String(decoding: path, as: UTF8.self))", .resourceTemporarilyUnavailable)
    }

    /// How often a resolution that raced with a rename is tried.
    private static let maximumRaces = 8
}
