import CLinux
import Glibc

/// A pseudo-terminal (pty(7)) of the calling process's own /dev/pts.
public struct PseudoTerminal {
    /// The end a terminal program reads what is printed from, and writes what is typed to.
    public let controller: SharedDescriptor
    /// The end programs use as their terminal.
    public let terminal: SharedDescriptor

    /// Makes one of that size.
    ///
    /// - Throws: ``SystemError``, when there is no /dev/ptmx or no terminal is left.
    public init(rows: UInt16, columns: UInt16) throws(SystemError) {
        let controller = OwnedDescriptor(
            try systemCall("open /dev/ptmx") {
                clinux_open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC, 0)
            })
        let number = controller.rawValue
        var locked: CInt = 0
        try systemCall("unlock a terminal") {
            clinux_ioctl_pointer(number, CLINUX_TIOCSPTLCK, &locked)
        }
        // By the controller, not by name: it cannot be another one's (TIOCGPTPEER).
        let terminal = OwnedDescriptor(
            try systemCall("open a terminal") {
                clinux_ioctl_int(number, CLINUX_TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC)
            })
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        try systemCall("set a terminal's size") {
            clinux_ioctl_pointer(number, CLINUX_TIOCSWINSZ, &size)
        }
        self.controller = SharedDescriptor(controller)
        self.terminal = SharedDescriptor(terminal)
    }

    /// Gives the terminal to a user, as login(1) does.
    public func give(toUser user: UInt32, group: UInt32) throws(SystemError) {
        let number = terminal.rawValue
        try systemCall("change a terminal's owner") { fchown(number, user, group) }
    }

    /// The process group that reads from the terminal; nil when its session has ended.
    public static func foregroundGroup(of controller: CInt) -> Int32? {
        var group: pid_t = 0
        // It fails, or answers zero, when the terminal is nobody's controlling terminal any more.
        guard clinux_ioctl_pointer(controller, CLINUX_TIOCGPGRP, &group) == 0, group > 0 else {
            return nil
        }
        return group
    }
}
