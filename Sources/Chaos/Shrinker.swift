import LabModel

/// Finds the smallest schedule that still shows a violation: proposes smaller ones and takes what
/// became of them, as many at a time as whoever runs them likes.
///
/// It begins with all rounds up to that of the violation, keeps whatever shows the violation and is
/// smaller than what it has, and ends when nothing smaller does: stage by stage, and all of them
/// once more while that finds something. Then the smallest is run again, to
/// know whether it always shows it; where it does so in none of these runs, the one before it takes
/// its place.
public struct Shrinker: Sendable {
    /// A schedule that is to be run.
    public struct Candidate: Equatable, Sendable {
        public let number: Int
        public let schedule: Schedule
        /// Whether it is run to see whether it always shows the violation.
        public let isConfirmation: Bool
        /// The stage of the search that it belongs to.
        fileprivate let stage: Int
    }

    /// What became of one.
    public enum Outcome: Equatable, Sendable {
        /// The same violation.
        case shows
        /// None, or another one.
        case differs
        /// Nothing can be said: the machine stood still.
        case inconclusive
    }

    /// The smallest, and how often it showed the violation.
    public struct Result: Equatable, Sendable {
        public var schedule: Schedule
        public var shown: Int
        public var runs: Int
        /// Whether it showed it every time.
        public var isCertain: Bool { shown == runs }
    }

    /// How often the smallest is run again.
    public static let confirmations = 2
    /// The most runs in search of something smaller.
    public static let maximumRuns = 150
    /// How often one is run of which nothing can be said.
    private static let maximumAttempts = 3

    /// What has shown the violation, each smaller than the one before, and how often.
    private var shown: [Result]
    private var waiting: [Schedule.Reduction]
    /// Whether anything was found since all stages were gone through.
    private var hasNews = false
    private var running: [Int: Candidate] = [:]
    private var tried: Set<Schedule> = []
    private var attempts: [Schedule: Int] = [:]
    private var confirmationsLeft: Int?
    /// How many runs there were.
    public private(set) var runs = 0
    /// The smallest, once there is nothing left to be done.
    public private(set) var result: Result?

    /// - Parameter schedule: the rounds up to the one in which the violation was seen, which has
    ///   shown it once.
    public init(_ schedule: Schedule) {
        shown = [Result(schedule: schedule, shown: 1, runs: 1)]
        waiting = schedule.reductions
    }

    /// The smallest known so far.
    public var smallest: Schedule { shown[shown.count - 1].schedule }

    /// The next to be run; nil while what is running has to end first, or at the end.
    public mutating func next() -> Candidate? {
        guard result == nil else { return nil }
        if confirmationsLeft == nil {
            if let reduction = takeWaiting() { return start(reduction) }
            guard running.isEmpty else { return nil }
            // What was no good before something else became smaller may be good now.
            if hasNews {
                hasNews = false
                waiting = smallest.reductions
                if let reduction = takeWaiting() { return start(reduction) }
            }
            confirmationsLeft = Self.confirmations
        }
        guard let left = confirmationsLeft, left > 0 else { return nil }
        confirmationsLeft = left - 1
        return start(.init(stage: 0, schedule: smallest), isConfirmation: true)
    }

    private mutating func takeWaiting() -> Schedule.Reduction? {
        while runs < Self.maximumRuns, !waiting.isEmpty {
            let reduction = waiting.removeFirst()
            if tried.insert(reduction.schedule).inserted { return reduction }
        }
        return nil
    }

    private mutating func start(
        _ reduction: Schedule.Reduction, isConfirmation: Bool = false
    ) -> Candidate {
        runs += 1
        let candidate = Candidate(
            number: runs, schedule: reduction.schedule, isConfirmation: isConfirmation,
            stage: reduction.stage)
        running[runs] = candidate
        return candidate
    }

    /// Takes what became of a candidate.
    ///
    /// - Returns: whether ``smallest`` is another one now.
    @discardableResult
    public mutating func take(_ outcome: Outcome, of number: Int) -> Bool {
        guard let candidate = running.removeValue(forKey: number) else { return false }
        if candidate.isConfirmation {
            confirm(outcome, candidate)
            return false
        }
        switch outcome {
        case .differs: return false
        case .inconclusive:
            attempts[candidate.schedule, default: 1] += 1
            if attempts[candidate.schedule, default: 1] <= Self.maximumAttempts {
                tried.remove(candidate.schedule)
                waiting.insert(
                    .init(stage: candidate.stage, schedule: candidate.schedule), at: 0)
            }
            return false
        case .shows:
            guard candidate.schedule.size < smallest.size else { return false }
            shown.append(Result(schedule: candidate.schedule, shown: 1, runs: 1))
            hasNews = true
            // The stages before are gone through again when the others are.
            waiting = candidate.schedule.reductions.filter { $0.stage >= candidate.stage }
            return true
        }
    }

    private mutating func confirm(_ outcome: Outcome, _ candidate: Candidate) {
        let last = shown.count - 1
        switch outcome {
        case .shows:
            shown[last].shown += 1
            shown[last].runs += 1
        case .differs: shown[last].runs += 1
        case .inconclusive:
            attempts[candidate.schedule, default: 1] += 1
            if attempts[candidate.schedule, default: 1] <= Self.maximumAttempts {
                confirmationsLeft = (confirmationsLeft ?? 0) + 1
                return
            }
        }
        guard running.isEmpty, confirmationsLeft == 0 else { return }
        // One that showed it by chance says less than a larger one that always does.
        if shown[last].shown == 1, shown[last].runs > 1, shown.count > 1 {
            flukes.append(shown.removeLast())
            confirmationsLeft = Self.confirmations
            return
        }
        let isFluke = shown[last].shown == 1 && shown[last].runs > 1
        result = isFluke ? flukes.first ?? shown[last] : shown[last]
    }

    /// What has shown it once and then not again, the smallest first.
    private var flukes: [Result] = []
}
