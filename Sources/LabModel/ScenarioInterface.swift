/// What the shell tells the scenario machine.
///
/// Whatever has already happened is delivered before `.timer`: a machine that stood still must not
/// take its own lateness for the lab's, so stalls and notifications come first.
public enum ScenarioEvent: Equatable, Sendable {
    /// The lab is ready and its timeline so far has been delivered: the first step may begin.
    case begin
    /// Something happened in the lab. A verb's `.control` event bears the time it was applied
    /// (SIGTERM sent, the node's init killed) and precedes what the verb brings about.
    case timeline(TimelineEvent)
    /// The `.control` or `.execute` of that step is over.
    case actionDone(step: Int, ActionResult)
    /// A request made for an expectation ended.
    case fetched(id: Int, ProbeResult)
    /// The machine's deadline is reached. Early and repeated ones are harmless.
    case timer
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

/// What the scenario machine asks of the shell, to be performed in order. Steps are numbered
/// from 1.
public enum ScenarioAction: Equatable, Sendable {
    /// Apply the verb, put `.control` on the timeline, answer with `.actionDone`.
    case control(step: Int, ControlVerb, Target)
    /// Run the command in the node and answer with `.actionDone`.
    case execute(step: Int, node: String, command: [String])
    /// Begin to send that probe's requests, each result as `.probe` on the timeline.
    case startProbe(Probe)
    /// End the probe of that name.
    case stopProbe(String)
    /// Send one request from that node and answer with `.fetched`.
    case fetch(id: Int, node: String, HTTPURL, timeout: Duration)
    /// Show and record how a step goes.
    case report(StepReport)
    /// The scenario is over; nothing follows.
    case finished(ScenarioVerdict)
}

/// How a scenario ended.
public enum ScenarioVerdict: Codable, Equatable, Sendable {
    case passed
    /// That step, from 1, did not go as it should.
    case failed(step: Int, message: String)
    /// That step did not either, but the machine stood still for longer than its margin.
    case inconclusive(step: Int, message: String)
}
