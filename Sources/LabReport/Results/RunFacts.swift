public import LabModel
import NetworkTypes

/// What one run comes to in figures: as much as is worth comparing.
public struct RunFacts: Equatable, Sendable {
    /// A figure.
    public enum Value: Equatable, Sendable {
        case duration(Duration)
        case count(Int)
        case text(String)
    }

    /// A figure and what it is of.
    public struct Fact: Equatable, Sendable {
        public var name: String
        public var value: Value
        /// What theory has for it; nil where it has nothing to say.
        public var theory: Duration?
    }

    /// The lab and the scenario: `two-node / failover`.
    public let title: String
    public private(set) var facts: [Fact] = []
    /// Of those, what is of no single step: the last failover's parts, and what probes saw.
    public private(set) var figures: [Fact] = []
    /// The last failover; nil where there was none.
    public let failover: Failover?

    /// - Parameters:
    ///   - record: what was run.
    ///   - events: its timeline, in order.
    public init(_ record: RunRecord, events: [TimelineEvent]) {
        title = "\(record.lab.name) / \(record.scenario)"
        failover = Failover.last(in: events, of: record)
        add("verdict", .text(record.verdict.word))
        for step in TestResult(record, events: events).steps {
            guard case .passed(let result) = step.phase, let value = result.measurement else {
                continue
            }
            add("\(step.index). \(step.summary)", .duration(value))
        }
        let view = RunView(record, events: events)
        let stepCount = facts.count
        for probe in view.probes { add(probe) }
        if let failover {
            for part in failover.parts {
                add(
                    "last failover, \(part.name.rawValue)", .duration(part.delay),
                    theory: part.theory.total)
            }
        }
        figures = Array(facts[stepCount...])
        for node in view.nodes { add(node) }
        add("checks that did not hold", .count(view.violations.count))
    }

    private mutating func add(_ name: String, _ value: Value, theory: Duration? = nil) {
        facts.append(Fact(name: name, value: value, theory: theory))
    }

    private mutating func add(_ probe: RunView.ProbeLane) {
        let lengths = probe.outages.map { ($0.to ?? $0.from) - $0.from }
        add("\(probe.name), longest outage", .duration(.microseconds(lengths.max() ?? 0)))
        add("\(probe.name), requests lost", .count(probe.results.count { $0[2] == 0 }))
        for percentile in probe.percentiles where [50, 99].contains(percentile.percent) {
            add("\(probe.name), \(percentile.label)", .duration(.microseconds(percentile.time)))
        }
    }

    private mutating func add(_ node: RunView.NodeLane) {
        guard !node.adverts.isEmpty || !node.announcements.isEmpty else { return }
        let resignations = node.adverts.count { $0[2] == 0 }
        add("\(node.name), advertisements", .count(node.adverts.count - resignations))
        add("\(node.name), of priority 0", .count(resignations))
        add("\(node.name), announcements", .count(node.announcements.count))
    }
}
