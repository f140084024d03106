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
        if let end = unit.end {
            // One whose program cannot be run never had a process.
            let pid = unit.pid.map { "\($0) " } ?? ""
            let program = unit.command.joined(separator: " ")
            lines.append("    Process: \(pid)ExecStart=\(program) (\(end.statusText))")
            if !pid.isEmpty { lines.append("   Main PID: \(pid)(\(end.statusText))") }
        } else if let pid = unit.pid {
            lines.append("   Main PID: \(pid)" + (processName.map { " (\($0))" } ?? ""))
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

    /// What systemd's child exits with when it cannot run the unit's program (systemd.exec(5)).
    static let cannotRun: Int32 = 203

    /// `code=exited, status=1/FAILURE` or `code=killed, signal=TERM`.
    var statusText: String {
        switch self {
        case .exited(let status):
            return "code=exited, status=\(status)/\(Self.name(of: status))"
        case .signalled(let signal):
            return "code=killed, signal=\(SignalName.name(of: signal) ?? "\(signal)")"
        }
    }

    private static func name(of status: Int32) -> String {
        if status == cannotRun { return "EXEC" }
        return names.indices.contains(Int(status)) ? names[Int(status)] : "n/a"
    }
}
