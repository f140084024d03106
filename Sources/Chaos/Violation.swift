import LabModel

/// What did not hold in a run, so that it is known again in another one.
public struct Violation: Equatable, Sendable {
    /// What should have been so, without times and numbers: the same for the same violation.
    public let rule: String
    /// What was expected and seen.
    public let message: String
    /// The round in which it was, by its place in the schedule; nil for the preamble.
    public let round: Int?

    /// What has failed a run.
    ///
    /// - Parameters:
    ///   - step: the step that was on, from 1.
    ///   - message: what its report says.
    public init(step: Int, message: String, in course: Course) {
        self.message = message
        round = course.round(ofStep: step)
        let script = course.scenario.steps + course.scenario.cleanup
        if let check = course.scenario.checks.first(where: {
            message.hasPrefix("expected \($0.summary) all the time; ")
        }) {
            rule = "\(check.summary) all the time"
        } else if script.indices.contains(step - 1) {
            rule = Self.rule(of: script[step - 1])
        } else {
            rule = message
        }
    }

    private static func rule(of step: Step) -> String {
        switch step.action {
        case .expect(let expectation): Expectation(expectation.condition).summary
        case .control(let verb, _): "\(verb.rawValue) succeeds"
        case .fault, .execute, .edit, .parallel, .wait: "\(step.summary) succeeds"
        }
    }

    /// Whether another run's is the same.
    public func isSame(as other: Violation) -> Bool { rule == other.rule }
}
