public import LabModel

extension TestResult {
    /// The result of a recorded run.
    ///
    /// - Parameters:
    ///   - record: what was run.
    ///   - events: its timeline, in order.
    ///   - run: its folder.
    public init(_ record: RunRecord, events: [TimelineEvent], run: String? = nil) {
        let steps = events.compactMap { event -> StepReport? in
            guard case .step(let report) = event.kind, report.scenario == record.scenario,
                report.phase != .began
            else { return nil }
            return report
        }
        self.init(
            lab: record.lab.name, scenario: record.scenario, verdict: record.verdict,
            duration: record.duration, steps: steps, run: run)
        let end = events.first { event in
            guard case .step(let report) = event.kind, case .failed = report.phase else {
                return false
            }
            return report.scenario == record.scenario
        }
        if let end {
            let text = EventText(origin: record.began)
            slice = TimelineSlice.around(end.time, of: events, since: record.began).map(text.line)
        }
    }
}
