import NodeProtocol

/// What `systemctl status` prints of a unit.
struct UnitStatusText {
    var unit: UnitReport
    var clock: WallClock
    var hostname: String
    /// The name of its main process, while it has one.
    var processName: String?
    /// The last it has printed.
    var log: [StoredLine]

    var lines: [String] {
        var lines = [
            "\(mark) \(unit.wholeName) - \(unit.description)",
            "     Loaded: loaded (\(EnabledUnits.target(of: unit.name)); \(unit.enablement); "
                + "preset: enabled)",
            "     Active: \(activity)",
        ]
        if let pid = unit.pid {
            if let end = unit.end {
                let program = unit.command.joined(separator: " ")
                lines.append("    Process: \(pid) ExecStart=\(program) (\(end.statusText))")
                lines.append("   Main PID: \(pid) (\(end.statusText))")
            } else {
                lines.append("   Main PID: \(pid)" + (processName.map { " (\($0))" } ?? ""))
            }
        }
        if !log.isEmpty { lines.append("") }
        return lines + log.map { JournalText.line($0, of: unit.name, clock, hostname: hostname) }
    }

    private var mark: String {
        switch unit.phase {
        case .inactive: "○"
        case .failed: "×"
        case .activating, .active, .deactivating, .restarting: "●"
        }
    }

    private var activity: String {
        var text = "\(unit.activeState) (\(unit.subState))"
        switch unit.phase {
        case .failed: text = "failed (Result: \(unit.result))"
        case .restarting: text += " (Result: \(unit.result))"
        case .inactive, .activating, .active, .deactivating: break
        }
        return text + (unit.since.map { " since \(clock.since($0))" } ?? "")
    }
}

extension UnitReport.ProcessEnd {
    /// The exit statuses that have names: the C library's and those of the LSB's init scripts.
    private static let names = [
        "SUCCESS", "FAILURE", "INVALIDARGUMENT", "NOTIMPLEMENTED", "NOPERMISSION", "NOTINSTALLED",
        "NOTCONFIGURED", "NOTRUNNING",
    ]

    /// `code=exited, status=1/FAILURE` or `code=killed, signal=TERM`.
    var statusText: String {
        switch self {
        case .exited(let status):
            let name = Self.names.indices.contains(Int(status)) ? Self.names[Int(status)] : "n/a"
            return "code=exited, status=\(status)/\(name)"
        case .signalled(let signal):
            return "code=killed, signal=\(SignalName.name(of: signal) ?? "\(signal)")"
        }
    }
}
