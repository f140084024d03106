public import NetworkTypes

/// One run of a scenario as it was recorded: all that reports, comparisons and replays need, beside
/// the timeline.
///
/// It is `run.json` in a recorded run's folder; the timeline is `events.jsonl` beside it.
public struct RunRecord: Codable, Equatable, Sendable {
    /// The lab as it was built, with the scenario's files and the chosen daemons applied.
    public var lab: Lab
    /// The scenario's name.
    public var scenario: String
    /// The lab's virtual routers, from which the bounds were computed.
    public var virtualRouters: [VirtualRouterFacts]
    /// When the scenario began, on CLOCK_MONOTONIC.
    public var began: MonotonicInstant
    /// The same moment as people write it: RFC 3339, UTC.
    public var date: String
    /// How long the scenario ran.
    @Nanoseconds public var duration: Duration
    /// How it ended.
    public var verdict: ScenarioVerdict
    /// What it ran on: kernel and number of processors.
    public var machine: String

    public init(
        lab: Lab, scenario: String, virtualRouters: [VirtualRouterFacts], began: MonotonicInstant,
        date: String, duration: Duration, verdict: ScenarioVerdict, machine: String
    ) {
        self.lab = lab
        self.scenario = scenario
        self.virtualRouters = virtualRouters
        self.began = began
        self.date = date
        self.duration = duration
        self.verdict = verdict
        self.machine = machine
    }

    /// Which VRRP daemons ran, each once, in the order of the nodes.
    public var daemons: [Service.Kind] {
        lab.nodes.flatMap(\.services).map(\.kind).filter(\.speaksVRRP).reduce(into: []) {
            if !$0.contains($1) { $0.append($1) }
        }
    }
}

extension RunRecord {
    /// When the run ended. What its timeline has later is what the lab did until somebody came to
    /// record the run, however busy that one was.
    public func end(in events: [TimelineEvent]) -> MonotonicInstant {
        let begin = events.first { $0.kind == .scenario(.begin(scenario)) }
        return (begin?.time ?? began) + duration
    }
}
