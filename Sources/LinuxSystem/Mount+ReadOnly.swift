import CLinux
import Glibc

extension Mount {
    /// Makes a mount and all below it read-only at once: one call for a whole tree.
    public static func makeReadOnly(_ target: String) throws(SystemError) {
        try systemCall("make \(target) read-only") {
            clinux_mount_set_recursive(target, CLINUX_MOUNT_ATTR_RDONLY)
        }
    }

    /// Like `mount -o remount,bind,rw TARGET`: only that mount, not those below it.
    public static func makeWritable(_ target: String) throws(SystemError) {
        try systemCall("make \(target) writable") {
            Glibc.mount(nil, target, nil, UInt(CLINUX_MS_BIND_REMOUNT), nil)
        }
    }
}
