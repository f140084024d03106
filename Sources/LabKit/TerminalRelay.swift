import CLinux
import Glibc
import LinuxSystem

/// Connects this process's terminal, in raw mode, with the other end of a node's.
final class TerminalRelay {
    private let master: SharedDescriptor
    private let terminal: RawTerminal
    private var buffer = [UInt8](repeating: 0, count: 16 << 10)
    private var inputEnded = false
    private var outputEnded = false

    /// Takes the terminal over until ``end()``.
    init(_ master: SharedDescriptor) {
        self.master = master
        terminal = RawTerminal(STDIN_FILENO)
        _ = clinux_fcntl(master.rawValue, F_SETFL, O_NONBLOCK)
        resize()
    }

    /// Gives the terminal back as it was.
    func end() { terminal.restore() }

    /// What to wait for.
    var interests: [pollfd] {
        var waiting: [pollfd] = []
        if !outputEnded {
            waiting.append(pollfd(fd: master.rawValue, events: Int16(POLLIN), revents: 0))
        }
        if !inputEnded {
            waiting.append(pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0))
        }
        return waiting
    }

    /// Gives the node's terminal the size of this one.
    func resize() {
        let (rows, columns) = Terminal.size(of: STDOUT_FILENO)
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = clinux_ioctl_pointer(master.rawValue, CLINUX_TIOCSWINSZ, &size)
    }

    /// Moves what can be moved now, in both directions.
    func transfer() {
        if isReadable(STDIN_FILENO), !inputEnded {
            let count = read(STDIN_FILENO, &buffer, buffer.count)
            if count > 0 {
                write(count, to: master.rawValue)
            } else if count == 0 {
                // What the terminal driver makes of the end of input.
                buffer[0] = 4
                write(1, to: master.rawValue)
                inputEnded = true
            }
        }
        copyOutput()
    }

    /// Writes what the command printed last.
    func drain() { copyOutput() }

    private func copyOutput() {
        while !outputEnded {
            let count = read(master.rawValue, &buffer, buffer.count)
            if count > 0 {
                write(count, to: STDOUT_FILENO)
            } else if count < 0, errno == EAGAIN || errno == EINTR {
                return
            } else {
                // EIO: the last process has let go of the terminal.
                outputEnded = true
            }
        }
    }

    private func isReadable(_ descriptor: CInt) -> Bool {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&waiting, 1, 0) > 0
    }

    private func write(_ count: Int, to descriptor: CInt) {
        var start = 0
        while start < count {
            let written = buffer.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress! + start, count - start)
            }
            if written > 0 {
                start += written
            } else if errno == EAGAIN {
                var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&waiting, 1, -1)
            } else if errno != EINTR {
                return
            }
        }
    }
}
