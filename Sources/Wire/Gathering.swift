public import NetworkTypes

/// Decides when the relay lets frames gather before it looks again.
///
/// It is woken by every frame, before whoever sends has sent the next, and a system call for each
/// costs five times what one for many does. So where rounds come close upon each other it sleeps
/// for ``interval`` in between; but not where that brings no more frames in, as between two
/// stations of which each waits for the other, whose waiting it would only lengthen.
public struct Gathering: Sendable {
    /// How many rounds have to come close upon each other before it is tried.
    private static let rounds = 8
    /// After how many it is tried again where it has brought nothing.
    private static let roundsAfterFailure = 256
    /// How many frames a round moves where it has brought something.
    private static let worthwhile = 4

    /// How long it sleeps, counted from the round's begin.
    public let interval: Duration
    private var roundsLeft = Self.rounds
    private var hasSlept = false
    private var lastBegin = MonotonicInstant.zero

    /// None has been tried yet.
    public init(interval: Duration) { self.interval = interval }

    /// Whether to sleep after a round.
    ///
    /// - Parameters:
    ///   - frames: how many it has received, and how many sent.
    ///   - begin: when it began.
    public mutating func isWorthwhile(afterMoving frames: Int, begin: MonotonicInstant) -> Bool {
        defer { lastBegin = begin }
        let isClose = begin - lastBegin < interval * 2
        if hasSlept, isClose, frames >= Self.worthwhile { return true }
        if hasSlept {
            roundsLeft = isClose ? Self.roundsAfterFailure : Self.rounds
            hasSlept = false
        } else if isClose {
            roundsLeft -= 1
            hasSlept = roundsLeft <= 0
        } else {
            roundsLeft = max(roundsLeft, Self.rounds)
        }
        return hasSlept
    }
}
