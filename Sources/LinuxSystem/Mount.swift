import CLinux
import Glibc

/// Mounts, in the calling process's mount namespace.
public enum Mount {
    /// Options that all kinds of mount share.
    public struct Flags: OptionSet, Sendable {
        public let rawValue: UInt
        public init(rawValue: UInt) { self.rawValue = rawValue }
        public static let readOnly = Flags(rawValue: 1)
        public static let noSetUID = Flags(rawValue: 2)
        public static let noDevices = Flags(rawValue: 4)
        public static let noExecution = Flags(rawValue: 8)
    }

    /// Like `mount -t TYPE -o DATA SOURCE TARGET`.
    ///
    /// - Throws: ``SystemError``: `mount overlay on /x/etc: invalid argument`.
    public static func mount(
        _ type: String, source: String? = nil, on target: String, flags: Flags = [],
        data: String = ""
    ) throws(SystemError) {
        try systemCall("mount \(type) on \(target)") {
            Glibc.mount(source ?? type, target, type, flags.rawValue, data)
        }
    }

    /// Like `mount --rbind SOURCE TARGET`, read-only with all that is mounted below when asked for.
    public static func bind(
        _ source: String, on target: String, isReadOnly: Bool = false, isRecursive: Bool = true
    ) throws(SystemError) {
        let flags = UInt(MS_BIND) | (isRecursive ? UInt(MS_REC) : 0)
        try systemCall("bind \(source) on \(target)") {
            Glibc.mount(source, target, nil, flags, nil)
        }
        guard isReadOnly else { return }
        try systemCall("make \(target) read-only") {
            clinux_mount_set_recursive(target, CLINUX_MOUNT_ATTR_RDONLY)
        }
    }

    /// Like `mount --make-rprivate /`: nothing mounted from here on shows elsewhere, or comes from
    /// elsewhere.
    public static func makeAllPrivate() throws(SystemError) {
        try systemCall("make all mounts private") {
            Glibc.mount(nil, "/", nil, UInt(MS_REC) | UInt(MS_PRIVATE), nil)
        }
    }

    /// Makes a mount point the root, and lets go of the old root with everything mounted below it.
    public static func pivot(to root: String) throws(SystemError) {
        try systemCall("enter \(root)") { chdir(root) }
        // The old root lands on top of the new one and is detached from there: no folder for it is
        // needed.
        try systemCall("make \(root) the root") { clinux_pivot_root(".", ".") }
        try systemCall("detach the old root") { umount2(".", CInt(MNT_DETACH)) }
        try systemCall("enter /") { chdir("/") }
    }

    /// Like `umount -l TARGET`.
    public static func detach(_ target: String) throws(SystemError) {
        try systemCall("unmount \(target)") { umount2(target, CInt(MNT_DETACH)) }
    }
}
