import LabModel

// What a schedule is made smaller by.

extension Schedule {
    /// How much there is in it: fewer faults count before simpler ones, these before shorter ones.
    struct Size: Comparable {
        var faults: Int
        var rounds: Int
        var intricacy: Int
        var time: Duration

        static func < (left: Self, right: Self) -> Bool {
            (left.faults, left.rounds, left.intricacy, left.time)
                < (right.faults, right.rounds, right.intricacy, right.time)
        }
    }

    var size: Size {
        let faults = faults
        return Size(
            faults: faults.count, rounds: rounds.count,
            intricacy: faults.reduce(0) { $0 + $1.deed.intricacy },
            time: faults.reduce(.zero) { $0 + $1.start + $1.duration }
                + rounds.reduce(.zero) { $0 + $1.pause })
    }

    /// A smaller schedule, and the stage of the search that it belongs to.
    struct Reduction: Equatable {
        var stage: Int
        var schedule: Schedule
    }

    /// Smaller schedules, stage by stage, the most promising first: fewer rounds, the last one
    /// above all; fewer faults (as in ddmin: halves, then all but one; Zeller and Hildebrandt,
    /// 2002); simpler ones; shorter ones.
    var reductions: [Reduction] {
        let size = size
        let stages = [withFewerRounds, withFewerFaults, withSimplerFaults, withLessTime]
        return stages.enumerated().flatMap { stage, schedules in
            schedules.filter { !$0.faults.isEmpty && $0.size < size }.map {
                Reduction(stage: stage, schedule: $0)
            }
        }
    }

    private var withFewerRounds: [Schedule] {
        guard rounds.count > 1 else { return [] }
        var found: [Schedule] = []
        // The last ones: what came long before has mostly no part in it.
        var count = 1
        while count < rounds.count {
            found.append(Schedule(rounds.suffix(count)))
            count *= 2
        }
        guard rounds.count <= 8 else { return found }
        for index in rounds.indices {
            var fewer = rounds
            fewer.remove(at: index)
            found.append(Schedule(fewer))
        }
        return found
    }

    private var withFewerFaults: [Schedule] {
        let places = rounds.indices.flatMap { round in
            rounds[round].faults.indices.map { (round: round, fault: $0) }
        }
        guard places.count > 1 else { return [] }
        func keeping(_ isKept: (Int) -> Bool) -> Schedule {
            var kept: [Int: [Disturbance]] = [:]
            for (number, place) in places.enumerated() where isKept(number) {
                kept[place.round, default: []].append(rounds[place.round].faults[place.fault])
            }
            return Schedule(
                rounds.indices.compactMap { index in
                    kept[index].map {
                        Round(
                            number: rounds[index].number, $0.beginningAtZero,
                            pause: rounds[index].pause)
                    }
                })
        }
        let half = places.count / 2
        var found: [Schedule] = []
        if places.count > 2 { found = [keeping { $0 >= half }, keeping { $0 < half }] }
        return found + places.indices.map { left in keeping { $0 != left } }
    }

    private var withSimplerFaults: [Schedule] {
        changes { fault in
            fault.deed.simpler.map { Disturbance($0, at: fault.start, for: fault.duration) }
        }
    }

    private var withLessTime: [Schedule] {
        let least = Planner.leastDuration
        var found: [Schedule] = []
        if rounds.contains(where: { $0.pause > .zero }) {
            found.append(Schedule(rounds.map { Round(number: $0.number, $0.faults) }))
        }
        // All at once, then one after the other: at once as short as can be, then little by little.
        found.append(
            Schedule(
                rounds.map { round in
                    Round(
                        number: round.number,
                        round.faults.map {
                            Disturbance($0.deed, at: .zero, for: min($0.duration, least))
                        }, pause: round.pause)
                }))
        found += changes { fault in
            fault.deed.endings.isEmpty || fault.duration <= least
                ? [] : [Disturbance(fault.deed, at: fault.start, for: least)]
        }
        found += changes { fault in
            fault.start == .zero
                ? [] : [Disturbance(fault.deed, at: .zero, for: fault.duration)]
        }
        return found
            + changes { fault in
                var found: [Disturbance] = []
                if !fault.deed.endings.isEmpty, let shorter = fault.duration.tidierBelow,
                    shorter > least
                {
                    found.append(Disturbance(fault.deed, at: fault.start, for: shorter))
                }
                if let earlier = fault.start.tidierBelow {
                    found.append(Disturbance(fault.deed, at: earlier, for: fault.duration))
                }
                return found
            }
    }

    /// Schedules that differ in one fault.
    private func changes(_ change: (Disturbance) -> [Disturbance]) -> [Schedule] {
        var found: [Schedule] = []
        for (index, round) in rounds.enumerated() {
            for (place, fault) in round.faults.enumerated() {
                for changed in change(fault) {
                    var faults = round.faults
                    faults[place] = changed
                    var rounds = rounds
                    rounds[index] = Round(
                        number: round.number, faults.beginningAtZero, pause: round.pause)
                    found.append(Schedule(rounds))
                }
            }
        }
        return found
    }
}

extension [Disturbance] {
    /// The same with the first of them at the round's beginning.
    fileprivate var beginningAtZero: [Disturbance] {
        let first = map(\.start).min() ?? .zero
        return map { Disturbance($0.deed, at: $0.start - first, for: $0.duration) }
    }
}

extension Deed {
    /// How much there is to understand about it.
    fileprivate var intricacy: Int {
        switch self {
        case .control(let verb, let target):
            (verb == .restart ? 1 : 0) + (target.service == nil ? 0 : 1)
        case .fault(.linkDown): 0
        case .fault(.blackhole(_, let direction)): direction == .both ? 1 : 2
        case .fault(.partition(let groups)): groups.reduce(groups.count) { $0 + $1.count }
        case .fault(.impair(_, let impairment)):
            3 + impairment.description.split(separator: " ").count
        case .shift: 2
        case .fault(.limit): 2
        case .fault(.imposter): 3
        case .fault(.flap): 2
        case .fault(.plug), .fault(.unplug): 1
        case .fault(.cut(let senders, let receivers)): 1 + senders.count + receivers.count
        case .fault(.linkUp), .fault(.clock), .fault(.heal): 0
        }
    }

    /// What does about the same and is easier to understand.
    fileprivate var simpler: [Deed] {
        switch self {
        case .control(.restart, let target), .control(.stop, let target):
            [.control(.kill, target)]
        case .control(let verb, let target):
            target.service == nil ? [] : [.control(verb, Target(node: target.node))]
        case .fault(.blackhole(let endpoint, let direction)):
            [.fault(.linkDown(endpoint))]
                + (direction == .both ? [] : [.fault(.blackhole(endpoint, .both))])
        case .fault(.partition(let groups)): Self.simpler(groups).map { .fault(.partition($0)) }
        case .fault(.impair(let endpoint, let impairment)):
            [.fault(.linkDown(endpoint)), .fault(.blackhole(endpoint, impairment.direction))]
        case .shift(let target, _): [.control(.kill, target)]
        case .fault(.limit(let node, _)): [.control(.freeze, Target(node: node))]
        case .fault(.flap(let endpoint, _)), .fault(.unplug(let endpoint)):
            [.fault(.linkDown(endpoint))]
        case .fault(.linkDown), .fault(.linkUp), .fault(.plug), .fault(.cut), .fault(.clock),
            .fault(.imposter), .fault(.heal):
            []
        }
    }

    /// Partitions of fewer groups, or with fewer nodes in them.
    private static func simpler(_ groups: [[String]]) -> [[[String]]] {
        var found: [[[String]]] = []
        if groups.count > 2 {
            for index in groups.indices {
                let rest = groups.indices.filter { $0 != index }.flatMap { groups[$0] }
                found.append([groups[index], Set(rest).subtracting(groups[index]).sorted()])
            }
        }
        for (index, group) in groups.enumerated() where group.count > 1 {
            for node in group {
                var fewer = groups
                fewer[index] = group.filter { $0 != node }
                found.append(fewer)
            }
        }
        return found.filter { !$0.contains([]) }
    }
}

extension Duration {
    /// The next shorter time that people would write: 1, 2 or 5 of a power of ten milliseconds; nil
    /// below one hundredth of a second.
    fileprivate var tidierBelow: Duration? {
        var power = Duration.seconds(10)
        while power >= .milliseconds(10) {
            for factor in [5, 2, 1] where power * factor < self { return power * factor }
            power /= 10
        }
        return nil
    }
}
