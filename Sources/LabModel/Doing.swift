import NetworkTypes

/// A step that acts or waits, while it does: of several at once for a parallel step, of one else.
struct Doing: Sendable {
    private struct Branch: Sendable {
        var step: Step
        var id: ActionID
        var phase: Phase
    }

    private enum Phase: Sendable {
        /// Waits for its event, until then.
        case armed(until: MonotonicInstant)
        /// To be done then.
        case due(MonotonicInstant)
        /// The shell is doing it; it has until then.
        case acting(until: MonotonicInstant)
        /// Time passes.
        case waiting(until: MonotonicInstant)
        case over
    }

    private var branches: [Branch]
    private let began: MonotonicInstant
    /// Whether any of it waits for an event.
    private(set) var isArmed = false

    /// Begins a step.
    ///
    /// - Parameter holds: whether a pattern is so already; what is need not be waited for.
    init(
        _ step: Step, number: Int, now: MonotonicInstant, allowances: Allowances,
        holds: (EventPattern) -> Bool?
    ) {
        began = now
        let parts: [(Step, ActionID)]
        if case .parallel(let steps) = step.action {
            parts = steps.enumerated().map {
                ($0.element, ActionID(step: number, part: $0.offset + 1))
            }
        } else {
            parts = [(step, ActionID(step: number))]
        }
        branches = parts.map { step, id in
            var phase = Phase.due(now)
            if case .wait(let duration) = step.action {
                phase = .waiting(until: now + duration)
            } else if let trigger = step.trigger {
                phase =
                    holds(trigger.pattern) == true
                    ? .due(now + trigger.offset) : .armed(until: now + allowances.trigger)
            }
            return Branch(step: step, id: id, phase: phase)
        }
        updateArmed()
    }

    private mutating func updateArmed() {
        isArmed = branches.contains { if case .armed = $0.phase { true } else { false } }
    }

    /// Whether nothing of it is left to be done.
    var isOver: Bool {
        branches.allSatisfy { if case .over = $0.phase { true } else { false } }
    }

    /// When `startDue` has something to do that no event brings.
    var deadline: MonotonicInstant? {
        branches.compactMap { branch in
            switch branch.phase {
            case .armed(let time), .due(let time), .acting(let time), .waiting(let time): time
            case .over: nil
            }
        }.min()
    }

    /// The action under way that does that, if there is one.
    func acting(_ isMeant: (Step.Action) -> Bool) -> ActionID? {
        branches.first {
            guard case .acting = $0.phase else { return false }
            return isMeant($0.step.action)
        }?.id
    }

    /// Looks whether an event is one that is waited for.
    mutating func note(
        _ event: TimelineEvent, news: Observation.News, seen: Observation,
        routers: [VirtualRouterFacts]
    ) -> Bool {
        guard !news.isEmpty, event.time >= began else { return false }
        var isAny = false
        for index in branches.indices {
            guard case .armed = branches[index].phase, let trigger = branches[index].step.trigger
            else { continue }
            let hasHappened =
                trigger.pattern.holds(in: seen, routers)
                ?? trigger.pattern.matches(event, news: news)
            guard hasHappened else { continue }
            branches[index].phase = .due(event.time + trigger.offset)
            isAny = true
        }
        if isAny { updateArmed() }
        return isAny
    }

    /// Notes that an action is over.
    ///
    /// - Returns: its step; nil if it is not under way.
    mutating func end(_ action: ActionID) -> Step? {
        guard let index = branches.firstIndex(where: { $0.id == action }),
            case .acting = branches[index].phase
        else { return nil }
        branches[index].phase = .over
        return branches[index].step
    }

    /// Lets time pass.
    ///
    /// - Returns: the actions that are to be done now, each with when it was due. `problem` is what
    ///   took too long.
    mutating func startDue(
        now: MonotonicInstant, allowances: Allowances, problem: inout String?
    ) -> [(ActionID, Step, due: MonotonicInstant)] {
        var due: [(ActionID, Step, due: MonotonicInstant)] = []
        for index in branches.indices {
            let step = branches[index].step
            switch branches[index].phase {
            case .due(let time) where now >= time:
                branches[index].phase = .acting(until: now + step.limit(allowances))
                due.append((branches[index].id, step, time))
            case .waiting(let time) where now >= time: branches[index].phase = .over
            case .armed(let time) where now >= time:
                let event = step.trigger?.pattern.description ?? ""
                problem = "\(step.deed): no \(event) within \(allowances.trigger.text)"
            case .acting(let time) where now >= time:
                problem = "\(step.deed) did not complete in time"
            case .due, .waiting, .armed, .acting, .over: break
            }
        }
        return due
    }
}

extension Step {
    /// How long the shell may take to do it.
    fileprivate func limit(_ allowances: Allowances) -> Duration {
        if case .execute = action { allowances.execute } else { allowances.control }
    }
}
