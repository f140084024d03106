/// A line for the log, as pure code hands it out.
package struct LogLine: Equatable {
    var text: String
    /// Whether keepalived prints it with `--log-detail` only.
    var isDetail = false

    init(_ text: String) { self.text = text }

    /// A line that only `--log-detail` shows.
    static func detail(_ text: String) -> LogLine {
        var line = LogLine(text)
        line.isDetail = true
        return line
    }
}

extension Log {
    /// Logs a line that pure code asks for.
    func write(_ line: LogLine) {
        if line.isDetail { detail(line.text) } else { self.line(line.text) }
    }
}
