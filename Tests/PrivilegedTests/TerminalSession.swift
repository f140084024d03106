import CLinux
import Glibc
import LinuxSystem
import Testing

/// `labctl` on a terminal of the test's, as its user's terminal program would run it.
final class TerminalSession {
    let terminal: PseudoTerminal
    private let started: Program.Started
    private var printed: [UInt8] = []
    private var isReaped = false

    init(_ arguments: [String], rows: UInt16 = 41, columns: UInt16 = 97) throws {
        terminal = try PseudoTerminal(rows: rows, columns: columns)
        let end = terminal.terminal.rawValue
        var program = Program(
            path: "\(Labctl.folder)/labctl", arguments: ["labctl"] + arguments,
            environment: ["PATH=/usr/bin:/bin", "TERM=xterm"], descriptors: [end, end, end])
        program.leadsSession = true
        program.controlsTerminal = true
        program.workingDirectory = "/"
        started = try program.start()
        _ = clinux_fcntl(terminal.controller.rawValue, F_SETFL, O_NONBLOCK)
    }

    deinit {
        guard !isReaped else { return }
        clinux_pidfd_send_signal(started.pidDescriptor.rawValue, SIGKILL)
        _ = try? end()
    }

    func type(_ text: String) throws {
        try FileSystem.writeAll(
            Array(text.utf8)[...], to: terminal.controller.rawValue, name: "a terminal")
    }

    func signal(_ number: Int32) {
        clinux_pidfd_send_signal(started.pidDescriptor.rawValue, number)
    }

    func resize(rows: UInt16, columns: UInt16) throws {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        let number = terminal.controller.rawValue
        try systemCall("resize") {
            clinux_ioctl_pointer(number, CLINUX_TIOCSWINSZ, &size)
        }
    }

    /// What has been printed, once `marker` is in it.
    @discardableResult
    func read(until marker: String) throws -> String {
        try eventually("the terminal shows \(marker.debugDescription), not \(shown)") {
            drain()
            return shown.contains(marker)
        }
        return shown
    }

    /// Whether that has been printed so far.
    func hasShown(_ marker: String) -> Bool {
        drain()
        return shown.contains(marker)
    }

    /// Lets only what is printed from now on count.
    func forget() {
        drain()
        printed = []
    }

    private var shown: String { String(decoding: printed, as: UTF8.self) }

    private func drain() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Glibc.read(terminal.controller.rawValue, &buffer, buffer.count)
            guard count > 0 else { return }
            printed += buffer.prefix(count)
        }
    }

    /// Its exit status, and all that was printed.
    func end() throws -> (status: Int32, text: String) {
        // It must be read from to end, as it writes into a terminal.
        try eventually("labctl ends") {
            drain()
            return isReadable(started.pidDescriptor.rawValue, for: .zero)
        }
        var status: CInt = 0
        while waitpid(started.pid, &status, 0) < 0, errno == EINTR {}
        isReaped = true
        drain()
        switch Termination(waitStatus: status) {
        case .exited(let status): return (status, shown)
        case .signalled(let signal): return (128 + signal, shown)
        }
    }

    /// Whether the terminal edits lines and echoes, as before labctl took it over.
    var isCooked: Bool {
        var settings = termios()
        tcgetattr(terminal.terminal.rawValue, &settings)
        let wanted = tcflag_t(ICANON | ECHO | ISIG)
        return settings.c_lflag & wanted == wanted
    }
}
