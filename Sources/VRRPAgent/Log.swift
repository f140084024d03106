import LinuxSystem

/// The log, on standard error, in keepalived's form.
final class Log {
    private let writer = LineWriter.standardError()
    private let isStamped: Bool
    private let isDetailed: Bool

    /// - Parameters:
    ///   - isStamped: whether lines begin with the time (`-l`); without it whoever collects them
    ///     stamps them, as syslog does for keepalived.
    ///   - isDetailed: whether `detail` prints anything (`-D`).
    init(isStamped: Bool, isDetailed: Bool) {
        self.isStamped = isStamped
        self.isDetailed = isDetailed
    }

    /// Logs a line.
    func line(_ text: String) {
        writer.write(isStamped ? "\(HostInformation.localTime): \(text)" : text)
    }

    /// Logs a line that keepalived prints with `--log-detail` only.
    func detail(_ text: @autoclosure () -> String) {
        if isDetailed { line(text()) }
    }
}
