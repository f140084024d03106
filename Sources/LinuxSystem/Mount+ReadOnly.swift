import CLinux
import Glibc

extension Mount {
    /// Makes a mount and all below it read-only at once: one call for a whole tree.
    ///
    /// - Parameter hasDevices: whether device files in it can be used. A read-only mount keeps
    ///   nobody from writing to those.
    public static func makeReadOnly(
        _ target: String, hasDevices: Bool = true
    ) throws(SystemError) {
        let attributes = CLINUX_MOUNT_ATTR_RDONLY | (hasDevices ? 0 : CLINUX_MOUNT_ATTR_NODEV)
        try systemCall("make \(target) read-only") {
            clinux_mount_set_recursive(target, attributes)
        }
    }

    /// Makes one mount writable, and not those below it; its other attributes stay.
    ///
    /// - Parameter allowsSetUID: whether set-user-ID programs in it work from then on, too.
    public static func makeWritable(
        _ target: String, allowsSetUID: Bool = false
    ) throws(SystemError) {
        let attributes = CLINUX_MOUNT_ATTR_RDONLY | (allowsSetUID ? CLINUX_MOUNT_ATTR_NOSUID : 0)
        try systemCall("make \(target) writable") { clinux_mount_clear(target, attributes) }
    }
}
