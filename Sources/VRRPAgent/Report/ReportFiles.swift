import LinuxSystem

/// The files that dumps go to, where keepalived has them.
struct ReportFiles {
    /// `$TMPDIR` where that is absolute, or else /tmp.
    let folder: String
    /// What `data_use_instance` puts into the name of keepalived.data, with its dot.
    let dataSuffix: String

    /// - Parameters:
    ///   - temporaryFolder: `$TMPDIR`.
    ///   - suffix: see ``DaemonPlace/dataSuffix``.
    init(temporaryFolder: String?, dataSuffix suffix: String? = nil) {
        folder = temporaryFolder.flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "/tmp"
        dataSuffix = suffix.map { ".\($0)" } ?? ""
    }

    /// `keepalived.data`.
    var state: String { "\(folder)/keepalived\(dataSuffix).data" }
    /// `keepalived.stats`.
    var statistics: String { "\(folder)/keepalived.stats" }
    /// `keepalived.json`.
    var json: String { "\(folder)/keepalived.json" }

    /// Writes what a signal asks for; what is not a dump writes nothing.
    ///
    /// Readers see the old file or the new one, never half of one. It is for root alone, since
    /// there are passwords in it, and nothing that somebody left in /tmp under its name is opened.
    ///
    /// - Parameter calendar: as ``StateReport/text(_:calendar:)`` takes it.
    /// - Throws: ``SystemError`` naming the file.
    func write(
        _ function: SignalFunction, _ report: AgentReport, calendar: @escaping (Int64) -> String
    ) throws(SystemError) {
        switch function {
        case .dumpState:
            try write(StateReport.text(report, calendar: calendar), to: state)
        case .dumpStatistics, .clearStatistics:
            try write(StatisticsReport.text(report), to: statistics)
        case .dumpJSON:
            if let text = InstanceJSON.text(report) { try write(text, to: json) }
        case .stop, .reload: break
        }
    }

    private func write(_ text: String, to path: String) throws(SystemError) {
        try FileSystem.replace(path, with: Array(text.utf8), mode: 0o600)
    }
}

extension SignalFunction {
    /// keepalived's line about a dump; nil for what is none.
    func logLine(pid: Int32) -> String? {
        switch self {
        case .dumpState: "Printing VRRP data for process(\(pid)) on signal"
        case .dumpStatistics: "Printing VRRP stats for process(\(pid)) on signal"
        case .clearStatistics: "Printing and clearing VRRP stats for process(\(pid)) on signal"
        case .dumpJSON: "Printing VRRP as json for process(\(pid)) on signal"
        case .stop, .reload: nil
        }
    }
}
