import CLinux
import Glibc

extension OwnedDescriptor {
    /// /dev/null, to read from and to write to: for the standard streams of what is started.
    ///
    /// - Throws: ``SystemError`` where it cannot be opened.
    public static func null() throws(SystemError) -> OwnedDescriptor {
        OwnedDescriptor(
            try systemCall("open /dev/null") { clinux_open("/dev/null", O_RDWR | O_CLOEXEC, 0) })
    }
}
