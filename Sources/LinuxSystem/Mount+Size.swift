import CLinux
import Glibc

extension Mount {
    /// How much a file system holds now, in bytes.
    ///
    /// - Throws: ``SystemError``.
    public static func usedBytes(_ target: String) throws(SystemError) -> Int64 {
        var information = statvfs()
        try systemCall("look at the file system of \(target)") { statvfs(target, &information) }
        return Int64(information.f_blocks - information.f_bfree) * Int64(information.f_frsize)
    }

    /// Like `mount -o remount,size=SIZE TARGET`: how much a tmpfs holds at most, wherever it is
    /// mounted (tmpfs(5)).
    ///
    /// - Parameters:
    ///   - size: as tmpfs(5) writes it, `64k` or `50%`.
    ///   - flags: those that the mount has; what is left out is taken away.
    /// - Throws: ``SystemError``: EINVAL where it holds more already.
    public static func resize(
        _ target: String, to size: String, flags: Flags
    ) throws(SystemError) {
        try systemCall("resize \(target) to \(size)") {
            Glibc.mount(nil, target, nil, UInt(MS_REMOUNT) | flags.rawValue, "size=\(size)")
        }
    }
}
