public import LabModel

/// A schedule as an ordinary scenario: the preamble, then for each round its faults and what is
/// expected of the lab when all of them are taken back.
public struct Course: Sendable {
    public let schedule: Schedule
    /// What is run.
    public let scenario: Scenario
    /// What stands before steps in the scenario's text, by their places from 0.
    public let comments: [Int: String]
    /// The steps of each round of the schedule, by their places from 0.
    public let rounds: [RoundSteps]

    /// Where a round is in the scenario.
    public struct RoundSteps: Equatable, Sendable {
        /// Faults and their ends.
        public var faults: Range<Int>
        /// What is expected afterwards.
        public var expectations: Range<Int>
    }

    /// - Parameter name: the scenario's.
    public init(_ schedule: Schedule, of health: Health, named name: String, summary: String) {
        self.schedule = schedule
        var steps = health.preamble
        var comments = [0: "Before anything is broken."]
        var rounds: [RoundSteps] = []
        for round in schedule.rounds {
            let first = steps.count
            comments[first] = round.text
            steps += round.steps
            let middle = steps.count
            steps += health.expectations
            if round.pause > .zero { steps.append(Step(.wait(round.pause))) }
            rounds.append(
                RoundSteps(faults: first..<middle, expectations: middle..<steps.count))
        }
        let needs = schedule.faults.compactMap(\.kind.need).filter { !health.needs.contains($0) }
        scenario = Scenario(
            name: name, summary: summary,
            needs: health.needs
                + Set(needs).sorted {
                    $0.rawValue < $1.rawValue
                }, files: health.files, probes: health.probes, checks: health.checks, steps: steps,
            cleanup: health.cleanup)
        self.comments = comments
        self.rounds = rounds
    }

    /// The round that a step belongs to, by its place in the schedule; nil for the preamble.
    ///
    /// - Parameter step: from 1, as reports count.
    public func round(ofStep step: Int) -> Int? {
        rounds.firstIndex { $0.faults.lowerBound < step && step <= $0.expectations.upperBound }
    }
}

extension Round {
    /// The round in a line: `round 3: kill node2 for 420ms; at 130ms freeze node1 for 1.2s`.
    public var text: String {
        let faults = faults.map { fault in
            (fault.start == .zero ? "" : "at \(fault.start.words) ") + fault.text
        }
        return "round \(number): " + faults.joined(separator: "; ")
            + (pause > .zero ? "; pause \(pause.words)" : "")
    }

    /// What is done, in the order of time, with waits between.
    var steps: [Step] {
        struct Moment {
            var time: Duration
            /// Of several at a time: first what ends.
            var rank: Int
            var step: Step
        }
        var moments: [Moment] = []
        let networkEnd = faults.filter(\.isOfNetwork).map(\.end).max()
        for fault in faults {
            moments.append(Moment(time: fault.start, rank: 2, step: fault.deed.step))
            // What is last of the network's ends with everything else.
            if fault.isOfNetwork, fault.end == networkEnd { continue }
            for ending in fault.deed.endings {
                moments.append(Moment(time: fault.end, rank: 0, step: Step(ending)))
            }
        }
        if let networkEnd {
            moments.append(Moment(time: networkEnd, rank: 1, step: Step(.fault(.heal(nil)))))
        }
        var steps: [Step] = []
        var now = Duration.zero
        let inOrder = moments.enumerated().sorted {
            ($0.element.time, $0.element.rank, $0.offset)
                < ($1.element.time, $1.element.rank, $1.offset)
        }
        for moment in inOrder.map(\.element) {
            if moment.time > now {
                steps.append(Step(.wait(moment.time - now)))
                now = moment.time
            }
            steps.append(moment.step)
        }
        return steps
    }
}
