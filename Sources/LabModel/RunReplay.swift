/// A recorded run judged once more, from its timeline alone: the scenario's machine is given the
/// events in the order in which the supervisor learned of them, and must come to the same.
public struct RunReplay: Sendable {
    /// How it ends; nil where the timeline ends before.
    public let verdict: ScenarioVerdict?
    /// How the steps go, in order.
    public let reports: [StepReport]
    /// What did not hold, in order.
    public let violations: [TimelineEvent.Violation]

    /// - Parameters:
    ///   - record: what was run.
    ///   - events: its timeline.
    /// - Returns: nil when the lab has no such scenario.
    public init?(_ record: RunRecord, events: [TimelineEvent]) {
        guard let scenario = record.lab.scenarios.first(where: { $0.name == record.scenario })
        else { return nil }
        var machine = ScenarioMachine(
            scenario: scenario, routers: record.virtualRouters, stations: record.lab.stations)
        var reports: [StepReport] = []
        var violations: [TimelineEvent.Violation] = []
        for action in machine.replay(events) {
            switch action {
            case .report(let report): reports.append(report)
            case .violated(let violation): violations.append(violation)
            default: break
            }
        }
        verdict = machine.verdict
        self.reports = reports
        self.violations = violations
    }

    /// Where it differs from what was recorded, in words; empty where it does not, to the last bit.
    public func differences(
        from record: RunRecord, events: [TimelineEvent]
    ) -> [String] {
        var differences: [String] = []
        if verdict != record.verdict {
            let now = verdict.map { "\($0)" } ?? "none"
            differences.append("the verdict was \(record.verdict), and is \(now)")
        }
        let inOrder = events.sorted { $0.order < $1.order }
        differences += Self.differences(
            inOrder.compactMap { event -> StepReport? in
                if case .step(let report) = event.kind { report } else { nil }
            }, reports)
        differences += Self.differences(
            inOrder.compactMap { event -> TimelineEvent.Violation? in
                if case .violation(let violation) = event.kind { violation } else { nil }
            }, violations)
        return differences
    }

    // Compared as they are recorded: a bound of half a nanosecond more is a whole one in the file.
    private static func differences<Value: JSONWritable>(
        _ before: [Value], _ now: [Value]
    ) -> [String] {
        var differences: [String] = []
        for (before, now) in zip(before, now) {
            let texts = [before, now].map { value in
                var line = JSONLine()
                line.append(value)
                return String(decoding: line.bytes.dropLast(), as: UTF8.self)
            }
            if texts[0] != texts[1] {
                differences.append("it was \(texts[0]), and is \(texts[1])")
            }
        }
        if before.count != now.count {
            differences.append("there were \(before.count) reports, and are \(now.count)")
        }
        return differences
    }
}
