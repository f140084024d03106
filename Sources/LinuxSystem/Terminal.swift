import CLinux
import Glibc

/// What there is to know of a terminal (ioctl_tty(2)).
public enum Terminal {
    /// The size of a terminal; 24 by 80 for what is none, or does not say.
    public static func size(of descriptor: CInt) -> (rows: UInt16, columns: UInt16) {
        var size = winsize()
        guard clinux_ioctl_pointer(descriptor, CLINUX_TIOCGWINSZ, &size) == 0, size.ws_row > 0
        else { return (24, 80) }
        return (size.ws_row, size.ws_col)
    }
}
