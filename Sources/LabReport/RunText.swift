public import LabModel

/// A run as plain text: what it was, how it ended, its steps, its picture, and what probes saw.
public struct RunText {
    private let record: RunRecord
    private let events: [TimelineEvent]
    private let columns: Int

    /// - Parameters:
    ///   - record: what was run.
    ///   - events: its timeline, in order.
    ///   - columns: how wide the picture may be.
    public init(_ record: RunRecord, events: [TimelineEvent], columns: Int = 80) {
        self.record = record
        self.events = events
        self.columns = columns
    }

    /// The text.
    public var text: String {
        let view = RunView(record, events: events)
        let daemons = record.daemons.map(\.rawValue).joined(separator: ", ")
        let facts = [record.date, daemons, record.machine].filter { !$0.isEmpty }
        var lines = [
            "\(record.lab.name) / \(record.scenario): \(record.verdict.word) in "
                + record.duration.text, facts.joined(separator: ", "), "",
        ]
        if let message = record.verdict.message { lines += [message, ""] }
        lines += TestResult(record, events: events).steps.map { "  " + $0.line } + [""]
        lines += RunPicture(record, events: events, columns: columns).lines + [""]
        lines += view.violations.map { violation in
            let length = violation.to.map { " for \(HTMLReport.time($0 - violation.from))" } ?? ""
            return "\(violation.check) did not hold\(length): \(violation.text)"
        }
        lines += view.held.map { "\($0) held" }
        for probe in view.probes { lines += Self.lines(of: probe) }
        if let failover = Failover.last(in: events, of: record) {
            lines += ["", failover.paragraph(origin: events.first?.time ?? record.began)]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func lines(of probe: RunView.ProbeLane) -> [String] {
        let lost = probe.results.count { $0[2] == 0 }
        var lines = ["probe \(probe.name): \(probe.results.count) requests, \(lost) lost"]
        lines += probe.outages.map { outage in
            let length = outage.to.map { HTMLReport.time($0 - outage.from) } ?? "until the end"
            return "  outage at \(HTMLReport.time(outage.from)): \(length), \(outage.lost) lost"
        }
        let percentiles = probe.percentiles.map { "\($0.label) \(HTMLReport.time($0.time))" }
        if !percentiles.isEmpty {
            lines.append("  answers: \(percentiles.joined(separator: ", "))")
        }
        return lines
    }
}
