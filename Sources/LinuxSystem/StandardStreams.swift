import CLinux
import Glibc

/// The standard streams of a command.
public enum StandardStreams {
    /// Gives the program the standard streams it was started without (`2>&-`), so that what is
    /// printed does not end up in a socket that has got the free number.
    public static func openMissing() {
        while true {
            let number = clinux_open("/dev/null", O_RDWR, 0)
            if number > STDERR_FILENO { close(number) }
            if number < 0 || number > STDERR_FILENO { return }
        }
    }

    /// Whether somebody is still there to read what is written to a descriptor: not when it is a
    /// pipe whose other end is closed, or a terminal that has hung up.
    public static func hasReader(_ descriptor: CInt) -> Bool {
        // Errors and hang-ups are reported whether or not they are asked for.
        var asked = pollfd(fd: descriptor, events: 0, revents: 0)
        return poll(&asked, 1, 0) <= 0
    }
}
