import NetworkTypes

/// Something that was done to the lab, from which an expectation can be counted.
struct Act: Equatable, Sendable {
    /// What was done.
    var deed: Deed
    /// When it was applied, not when it was over.
    var time: MonotonicInstant
    /// What was done, in words: `kill master`.
    var summary: String
    /// When the verb or command was over.
    var ended: MonotonicInstant?

    enum Deed: Equatable, Sendable {
        case control(ControlVerb, Target)
        /// A command in a node: what it does is not known.
        case execute
        /// The daemons' start, the cause of the first election.
        case labStart
        /// The scenario's own beginning, where the lab had settled before it.
        case scenarioStart
    }
}

/// Everything done to the lab since the last expectation before it: the first act is the cause, and
/// the expectations that follow share it.
struct ActGroup: Equatable, Sendable {
    private(set) var acts: [Act] = []
    /// Whether an expectation of this group was met, so that its effect has arrived.
    private(set) var effectHasArrived = false
    /// Whether an expectation followed, so that the next act begins another group.
    private var isClosed = false

    /// Adds what is being done.
    mutating func append(_ act: Act) {
        if isClosed { self = ActGroup() }
        acts.append(act)
    }

    /// Corrects the time of the last act to when the verb was really applied.
    mutating func setLastTime(_ time: MonotonicInstant) {
        if !acts.isEmpty { acts[acts.count - 1].time = time }
    }

    /// Notes that the last act is over.
    mutating func endLast(at time: MonotonicInstant) {
        if !acts.isEmpty { acts[acts.count - 1].ended = time }
    }

    /// Notes that an expectation is counted from this group.
    mutating func close() { isClosed = true }

    /// Notes that one was met.
    mutating func noteEffect() { effectHasArrived = true }
}
