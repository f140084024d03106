public import LabModel
import NetworkTypes

/// How the lab got over each kind of fault: figures of rounds that went as they should.
public struct Recovery: Equatable, Sendable {
    /// What became of the rounds with faults of one kind.
    public struct Figures: Equatable, Sendable {
        public var kind: FaultKind
        /// How many of its faults there were.
        public var faults = 0
        /// How long it took in each round, from the last fault's end until every virtual address
        /// was where it stayed; nothing where it was so before. In order, the shortest first.
        public var recoveries: [Duration] = []
        /// The longest outage of a probe in each round, in order, the shortest first; nothing where
        /// no request was lost.
        public var outages: [Duration] = []
    }

    /// By kind, in the order of ``FaultKind``; kinds that did not come up are left out.
    public private(set) var figures: [Figures] = []
    /// How many rounds went as they should.
    public private(set) var rounds = 0

    public init() {}

    /// Takes the rounds of a run into account that were over when it ended.
    ///
    /// A round with faults of several kinds counts for each of them.
    ///
    /// - Parameters:
    ///   - events: the run's timeline, in order.
    ///   - addresses: the virtual addresses.
    public mutating func add(_ course: Course, events: [TimelineEvent], ground: Ground) {
        var reader = RunReader(course, ground)
        for event in events {
            guard let round = reader.fold(event) else { continue }
            rounds += 1
            let faults = course.schedule.rounds[round.place].faults
            for kind in Set(faults.map(\.kind)) {
                let index = index(of: kind)
                figures[index].faults += faults.count { $0.kind == kind }
                figures[index].recoveries.insertInOrder(round.recovery)
                figures[index].outages.insertInOrder(round.outage)
            }
        }
    }

    private mutating func index(of kind: FaultKind) -> Int {
        if let index = figures.firstIndex(where: { $0.kind == kind }) { return index }
        figures.append(Figures(kind: kind))
        let order = FaultKind.allCases
        figures.sort {
            (order.firstIndex(of: $0.kind) ?? 0) < (order.firstIndex(of: $1.kind) ?? 0)
        }
        return figures.firstIndex { $0.kind == kind } ?? 0
    }

    /// A header, and a row for each kind.
    public var rows: [[String]] {
        [["FAULT", "TIMES", "RECOVERY", "WORST", "OUTAGE", "WORST"]]
            + figures.map { figures in
                [
                    figures.kind.rawValue, String(figures.faults), figures.recoveries.median.text,
                    (figures.recoveries.last ?? .zero).text, figures.outages.median.text,
                    (figures.outages.last ?? .zero).text,
                ]
            }
    }
}

/// Measures rounds on a timeline.
private struct RunReader {
    struct Measured {
        var place: Int
        var recovery: Duration
        var outage: Duration
    }

    private let course: Course
    private let addresses: [IPAddress]
    private var ownership = Ownership()
    private var meters: [String: OutageMeter] = [:]
    private var place: Int?
    private var began = MonotonicInstant.zero
    private var lastDeed = MonotonicInstant.zero
    private var isBroken = false

    init(_ course: Course, _ ground: Ground) {
        self.course = course
        addresses = ground.succession.map(\.address)
        for probe in course.scenario.probes {
            meters[probe.name] = OutageMeter(interval: probe.interval)
        }
    }

    /// Takes an event into account; the round that is over with it, if one is.
    mutating func fold(_ event: TimelineEvent) -> Measured? {
        ownership.fold(event)
        switch event.kind {
        case .probe(let result):
            if let probe = result.probe { meters[probe]?.record(result, ended: event.time) }
        case .control, .fault: if isBroken { lastDeed = event.time }
        case .step(let report) where report.scenario == course.scenario.name:
            return fold(report, at: event.time)
        default: break
        }
        return nil
    }

    private mutating func fold(_ report: StepReport, at time: MonotonicInstant) -> Measured? {
        let step = report.index - 1
        switch report.phase {
        case .began:
            if let begun = course.rounds.firstIndex(where: { $0.faults.lowerBound == step }) {
                place = begun
                began = time
                lastDeed = time
                isBroken = true
            }
            if let place, course.rounds[place].expectations.lowerBound == step { isBroken = false }
        case .passed:
            guard let place, course.rounds[place].expectations.upperBound == step + 1 else {
                return nil
            }
            self.place = nil
            return measured(place, at: time)
        case .failed, .inconclusive, .notRun: place = nil
        }
        return nil
    }

    private func measured(_ place: Int, at time: MonotonicInstant) -> Measured {
        let changes = addresses.compactMap { ownership.lastChange(of: $0) }
        let settled = max(changes.max() ?? lastDeed, lastDeed)
        let outages = meters.values.flatMap { $0.outages(since: began) }
        return Measured(
            place: place, recovery: settled - lastDeed,
            outage: outages.map { $0.duration(now: time) }.max() ?? .zero)
    }
}

extension [Duration] {
    fileprivate mutating func insertInOrder(_ duration: Duration) {
        insert(duration, at: firstIndex { $0 > duration } ?? endIndex)
    }

    /// Of those that are in order, the one in the middle; the lower of two.
    fileprivate var median: Duration { isEmpty ? .zero : self[(count - 1) / 2] }
}
