public import NetworkTypes

/// What only the run of a scenario brings about, and its machine has to know: on the timeline with
/// everything else, so that a recorded timeline is all that a replay needs.
///
/// Whatever has already happened stands before `.timer`: a machine that stood still must not take
/// its own lateness for the lab's, so stalls and notifications come first.
public enum ScenarioEvent: Equatable, Sendable {
    /// The lab is ready and its timeline so far has been delivered: the first step of the scenario
    /// of that name may begin.
    case begin(String)
    /// What an action asked for is over.
    case done(ActionID, ActionResult)
    /// A request made for an expectation ended.
    case answered(id: Int, ProbeResult)
    /// A command run for an expectation ended.
    case inspected(id: Int, ActionResult)
    /// A service that is followed has printed a line.
    case line(Target, String)
    /// The machine's deadline is reached. Early and repeated ones are harmless.
    case timer
}

/// Which action of a scenario is meant: the step, and of parallel ones the part, both from 1.
public struct ActionID: Hashable, Sendable, TextCodable {
    public var step: Int
    /// 0 for a step that has no parts.
    public var part: Int

    public init(step: Int, part: Int = 0) {
        self.step = step
        self.part = part
    }

    public static var textName: String { "number of an action" }
    public static func parse(_ text: String) -> Self? {
        let numbers = text.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        guard (1...2).contains(numbers.count), let step = numbers[0] else { return nil }
        if numbers.count == 1 { return Self(step: step) }
        return numbers[1].map { Self(step: step, part: $0) }
    }

    public var description: String { part == 0 ? "\(step)" : "\(step).\(part)" }
}

/// How a verb or a command of a scenario ended.
public enum ActionResult: Equatable, Sendable {
    /// The verb is done: what it started is ready, what it stopped is gone.
    case done
    /// The command ended, having written that (standard output and standard error).
    case exited(TimelineEvent.ExitReason, output: String)
    /// It could not be done; why.
    case failed(String)
}

/// What the scenario machine asks of the shell, to be performed in order. Every answer goes onto
/// the timeline as a ``ScenarioEvent``.
public enum ScenarioAction: Equatable, Sendable {
    /// Apply the verb, put `.control` on the timeline, answer with `.done`.
    case control(ActionID, ControlVerb, Target, ControlOptions = ControlOptions())
    /// Break or mend the network, put `.fault` on the timeline, answer with `.done`; take it back
    /// after that time, if one is given.
    case fault(ActionID, Fault, lasting: Duration? = nil)
    /// Run the command in the node and answer with `.done`.
    case execute(ActionID, node: String, command: [String])
    /// Replace the files and answer with `.done`.
    case edit(ActionID, [Scenario.FileOverride])
    /// Begin to send that probe's requests, each result as `.probe` on the timeline.
    case startProbe(Probe)
    /// End the probe of that name.
    case stopProbe(String)
    /// Put what that service prints from now on onto the timeline, as `.line`.
    case follow(Target)
    /// Send one request from that node and answer with `.answered`.
    case request(id: Int, node: String, ProbeRequest, timeout: Duration)
    /// Run the command in the node and answer with `.inspected`.
    case inspect(id: Int, node: String, command: [String])
    /// Show and record how a step goes.
    case report(StepReport)
    /// Record that a check did not hold; again when it is known until when.
    case violated(TimelineEvent.Violation)
    /// The scenario is over; nothing follows.
    case finished(ScenarioVerdict)
}

/// How a scenario ended.
public enum ScenarioVerdict: Codable, Equatable, Sendable {
    case passed
    /// That step, from 1, did not go as it should, or a check did not hold while it was on.
    case failed(step: Int, message: String)
    /// That step did not either, but the machine stood still for longer than its margin.
    case inconclusive(step: Int, message: String)
    /// It was not run: what it needs and this machine lacks.
    case skipped(String)
}
