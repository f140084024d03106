public import LabModel
import NetworkTypes

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
    /// The folder of the recorded run; nil where it is not recorded.
    public var run: String?

    public init(
        lab: String, scenario: String, repetition: Int? = nil, verdict: ScenarioVerdict,
        duration: Duration, steps: [StepReport], run: String? = nil
    ) {
        self.lab = lab
        self.scenario = scenario
        self.repetition = repetition
        self.verdict = verdict
        self.duration = duration
        self.steps = steps
        self.run = run
    }

    /// `two-node / failover`, with the repetition where there are several.
    public var name: String {
        "\(lab) / \(scenario)" + (repetition.map { " #\($0)" } ?? "")
    }
}

extension TestResult: Encodable {
    private enum Key: String, CodingKey {
        case lab, scenario, repetition, verdict, message, duration, run, steps
    }

    /// The duration is in whole nanoseconds, as in the timeline.
    public func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        try fields.encode(lab, forKey: .lab)
        try fields.encode(scenario, forKey: .scenario)
        try fields.encodeIfPresent(repetition, forKey: .repetition)
        try fields.encode(verdict.word, forKey: .verdict)
        try fields.encodeIfPresent(verdict.message, forKey: .message)
        try fields.encode(duration.wholeNanoseconds, forKey: .duration)
        try fields.encodeIfPresent(run, forKey: .run)
        try fields.encode(steps, forKey: .steps)
    }
}
