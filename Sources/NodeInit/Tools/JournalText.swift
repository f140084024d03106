package import NodeProtocol

/// How lines of a journal look.
package enum JournalText {
    /// journalctl's default form: `Nov 22 02:26:13 master httpd[12]: text`.
    package static func line(
        _ line: StoredLine, of unit: String, _ clock: WallClock, hostname: String
    ) -> String {
        let process = line.pid.map { "[\($0)]" } ?? ""
        return "\(clock.short(line.nanoseconds)) \(hostname) \(unit)\(process): \(line.text)"
    }
}
