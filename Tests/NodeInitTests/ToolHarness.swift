import NodeProtocol

@testable import NodeInit

/// A tool's surroundings with a PID 1 that only answers: what was asked, and what was printed.
final class Terminal {
    var units: [UnitReport]
    /// What PID 1 answers to anything but a look.
    var reply = UnitReply.done(changed: true)
    private(set) var asked: [UnitRequest] = []
    /// What was asked without waiting.
    private(set) var told: [UnitRequest] = []
    private(set) var output: [String] = []
    private(set) var errors: [String] = []

    init(_ units: [UnitReport] = []) { self.units = units }

    /// CLOCK_MONOTONIC's present: three hours after the machine was started, which was at midnight.
    static let now: Int64 = 10_800 * 1_000_000_000

    var console: Console {
        Console(
            print: { self.output.append($0) }, printError: { self.errors.append($0) },
            ask: { request in
                if request == .list { return .units(self.units) }
                self.asked.append(request)
                return self.reply
            },
            tell: { request in
                self.told.append(request)
                return .done(changed: true)
            },
            lines: { unit, count in
                let line = StoredLine(
                    nanoseconds: Self.now - 5_000_000_000, isError: false, pid: 12,
                    text: "\(unit) listens")
                return Array([line].suffix(count))
            },
            processName: { $0 == 12 ? "httpd" : nil },
            clock: WallClock(nowNanoseconds: Self.now) { stamp in
                let seconds = Int(stamp / 1_000_000_000)
                return WallClock.Date(
                    year: 2026, month: 11, day: 22, hour: seconds / 3600,
                    minute: seconds / 60 % 60, second: seconds % 60, weekday: 0, zone: "UTC")
            },
            hostname: "master")
    }

    /// Runs `systemctl`.
    func systemctl(_ arguments: String...) -> Int32 { Systemctl(console).run(arguments) }
}

extension UnitReport {
    /// A web server that runs.
    static let httpd = UnitReport(
        name: "httpd", aliases: ["apache2"], description: "the toy web server",
        command: ["http-backend"], isEnabled: true, phase: .active,
        since: Terminal.now - 65_000_000_000, pid: 12)

    /// It, once its process has ended like that.
    static func httpd(_ phase: Phase, _ end: ProcessEnd?, failure: String? = nil) -> UnitReport {
        var unit = httpd
        (unit.phase, unit.end, unit.failure) = (phase, end, failure)
        return unit
    }

    /// A unit that was never started.
    static let keepalived = UnitReport(name: "keepalived", description: "keepalived")
}
