import NetworkTypes

/// Something that was done to the lab, from which an expectation can be counted.
struct Act: Equatable, Sendable {
    /// What was done.
    var deed: Deed
    /// When it was applied, not when it was over.
    var time: MonotonicInstant
    /// What was done, in words: `kill master`.
    var summary: String
    /// The action that did it; nil for beginnings.
    var action: ActionID?
    /// When it was to be applied; nil for beginnings.
    var due: MonotonicInstant?
    /// When the verb or command was over.
    var ended: MonotonicInstant?

    enum Deed: Equatable, Sendable {
        case control(ControlVerb, Target)
        case fault(Fault)
        /// A command in a node, or a file changed in one: what it does is not known.
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
    /// How often anything about it has changed.
    private(set) var version = 0
    /// Whether an expectation followed, so that the next act begins another group.
    private var isClosed = false

    /// Adds what is being done.
    ///
    /// - Returns: whether it is the first of a group.
    mutating func append(_ act: Act) -> Bool {
        let version = version
        if isClosed { self = ActGroup() }
        acts.append(act)
        self.version = version + 1
        return acts.count == 1
    }

    /// Corrects the time of an act to when it was really applied.
    mutating func setTime(of action: ActionID, _ time: MonotonicInstant) {
        change(action) { $0.time = time }
    }

    /// Notes that an act is over.
    mutating func end(_ action: ActionID, at time: MonotonicInstant) {
        change(action) { $0.ended = time }
    }

    private mutating func change(_ action: ActionID, _ body: (inout Act) -> Void) {
        guard let index = acts.lastIndex(where: { $0.action == action }) else { return }
        body(&acts[index])
        version += 1
    }

    /// Notes that an expectation is counted from this group.
    mutating func close() { isClosed = true }

    /// Notes that one was met.
    mutating func noteEffect() { effectHasArrived = true }
}
