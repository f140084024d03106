public import LabModel

/// One run of one scenario, as test reports and statistics know it.
public struct TestResult: Equatable, Sendable {
    public var lab: String
    public var scenario: String
    /// Which repetition, from 1; nil where there is only one.
    public var repetition: Int?
    public var verdict: ScenarioVerdict
    public var duration: Duration
    /// How its steps ended, in order; nothing of those that only began.
    public var steps: [StepReport]

    public init(
        lab: String, scenario: String, repetition: Int? = nil, verdict: ScenarioVerdict,
        duration: Duration, steps: [StepReport]
    ) {
        self.lab = lab
        self.scenario = scenario
        self.repetition = repetition
        self.verdict = verdict
        self.duration = duration
        self.steps = steps
    }

    /// `two-node / failover`, with the repetition where there are several.
    public var name: String {
        "\(lab) / \(scenario)" + (repetition.map { " #\($0)" } ?? "")
    }
}
