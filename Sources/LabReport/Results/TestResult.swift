public import LabModel
import NetworkTypes

/// One run of one scenario, as test reports and statistics know it.
public struct TestResult: Equatable, Sendable {
    public var lab: String
    public var scenario: String
    /// Which repetition, from 1; nil where there is only one.
    public var repetition: Int?
    public var outcome: Outcome
    public var duration: Duration
    /// How its steps ended, in order; nothing of those that only began.
    public var steps: [StepReport]
    /// The folder of the recorded run; nil where it is not recorded.
    public var run: String?
    /// What the whole of a recorded run comes to in figures.
    public var figures: [RunFacts.Fact] = []
    /// What the timeline shows around what went wrong, in lines that begin with seconds since the
    /// scenario began; none of a run that passed.
    public var slice: [String] = []

    /// What a run came to.
    public enum Outcome: Equatable, Sendable {
        case verdict(ScenarioVerdict)
        /// To no verdict: why its lab could not be built, or how it broke.
        case error(String)
    }

    /// The result of a run that was judged.
    public init(
        lab: String, scenario: String, repetition: Int? = nil, verdict: ScenarioVerdict,
        duration: Duration, steps: [StepReport], run: String? = nil
    ) {
        self.init(
            lab: lab, scenario: scenario, repetition: repetition, outcome: .verdict(verdict),
            duration: duration, steps: steps, run: run)
    }

    public init(
        lab: String, scenario: String, repetition: Int? = nil, outcome: Outcome,
        duration: Duration, steps: [StepReport], run: String? = nil
    ) {
        self.lab = lab
        self.scenario = scenario
        self.repetition = repetition
        self.outcome = outcome
        self.duration = duration
        self.steps = steps
        self.run = run
    }

    /// `two-node / failover`, with the repetition where there are several.
    public var name: String {
        "\(lab) / \(scenario)" + (repetition.map { " #\($0)" } ?? "")
    }
}

extension TestResult.Outcome {
    /// In a word: `passed`, `failed`, `inconclusive`, `skipped`, `error`.
    public var word: String {
        switch self {
        case .verdict(let verdict): verdict.word
        case .error: "error"
        }
    }

    /// Why it did not pass; nil where it did.
    public var message: String? {
        switch self {
        case .verdict(let verdict): verdict.message
        case .error(let message): message
        }
    }

    /// All words, in the order in which they are counted.
    public static let words = ["passed", "failed", "error", "inconclusive", "skipped"]
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
        try fields.encode(outcome.word, forKey: .verdict)
        try fields.encodeIfPresent(outcome.message, forKey: .message)
        try fields.encode(duration.wholeNanoseconds, forKey: .duration)
        try fields.encodeIfPresent(run, forKey: .run)
        try fields.encode(steps, forKey: .steps)
    }
}
