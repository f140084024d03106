public import NetworkTypes

/// Runs the steps of a scenario and judges its expectations and checks: a value that takes the
/// events of the timeline and returns what is to be done.
///
/// An expectation is counted from its cause, the first acting step since the last expectation
/// before it, and from the moment that step was applied; it is judged by the moment it became so,
/// as the timeline has it. When the machine happens to look changes neither. Consecutive
/// expectations share their cause.
///
/// The timeline is all that it is told, in the order in which its events became known; its clock is
/// the latest time that it has read there. So a recorded timeline gives the same verdict again,
/// bit for bit: see `replay`.
public struct ScenarioMachine: Sendable {
    /// What is run.
    public let scenario: Scenario
    /// How it ended; nil until then.
    public internal(set) var verdict: ScenarioVerdict?

    enum State: Sendable {
        case notBegun
        case doing(Doing)
        case expecting(ExpectationWatch, until: MonotonicInstant)
        case finished
    }

    let bounds: TakeoverBounds
    /// The steps, and after them those that clean up.
    let script: [Step]
    var state = State.notBegun
    /// The present step's place in the script, from 0.
    var index = 0
    var begun = MonotonicInstant.zero
    var seen: Observation
    var occurrences: Occurrences
    var checks: CheckMonitor
    var group = ActGroup()
    /// What it has come to, once a step or a check has failed; cleaning up does not change it.
    var failure: ScenarioVerdict?
    /// The check that has failed the run, and how it was reported.
    var violation: (check: Check, report: TimelineEvent.Violation)?
    /// The latest time that was read on the timeline.
    private(set) var clock = MonotonicInstant.zero
    private var nextRequest = 1

    /// A machine for one run of a scenario.
    ///
    /// - Parameters:
    ///   - scenario: what to run; its names refer to nodes, services and probes that exist.
    ///   - routers: the virtual routers of the lab, for the protocol's own bounds.
    ///   - stations: the nodes by their own Ethernet addresses.
    ///   - allowances: what is granted where no protocol says anything.
    public init(
        scenario: Scenario, routers: [VirtualRouterFacts], stations: [MACAddress: String] = [:],
        allowances: Allowances = Allowances()
    ) {
        self.scenario = scenario
        script = scenario.steps + scenario.cleanup
        bounds = TakeoverBounds(routers: routers, allowances: allowances)
        seen = Observation(probes: scenario.probes, stations: stations)
        occurrences = Occurrences(script)
        checks = CheckMonitor(scenario.checks, routers: routers, allowances: allowances)
    }

    /// When what is expected now was caused, or the run began.
    public var causeTime: MonotonicInstant { group.acts.first?.time ?? begun }

    /// When `.timer` is to be delivered; nil while only events can change anything.
    public var deadline: MonotonicInstant? {
        let ofState: MonotonicInstant?
        switch state {
        case .notBegun, .finished: return nil
        case .doing(let doing): ofState = doing.deadline
        case .expecting(_, let until): ofState = until
        }
        guard failure == nil, let ofChecks = checks.deadline else { return ofState }
        return ofState.map { min($0, ofChecks) } ?? ofChecks
    }

    /// Takes an event into account and returns what is to be done because of it, in order.
    public mutating func handle(_ event: TimelineEvent) -> [ScenarioAction] {
        guard verdict == nil else { return [] }
        // A frame may be told of after what came later; the clock never goes back.
        clock = max(clock, event.time)
        let news = seen.fold(event)
        var isDue = occurrences.note(event, news: news, seen: seen, routers: bounds.routers)
        var actions: [ScenarioAction] = []
        if case .notBegun = state {
            if event.kind == .scenario(.begin(scenario.name)) { begin(&actions) }
            return actions
        }
        checks.fold(event, news: news, seen: seen)
        switch event.kind {
        case .scenario(let input): isDue = take(input, &actions) || isDue
        case .control, .fault: noteTime(of: event)
        default: break
        }
        switch state {
        case .doing(var doing) where doing.isArmed:
            if doing.note(event, news: news, seen: seen, routers: bounds.routers) {
                state = .doing(doing)
                isDue = true
            }
        case .expecting(let watch, _):
            isDue = isDue || !watch.interests.isDisjoint(with: news)
        case .notBegun, .doing, .finished: break
        }
        if checks.hasFindings { report(checks.takeFindings(), &actions) }
        if isDue { advance(&actions) }
        return actions
    }

    /// Runs over a recorded timeline, in the order in which its events became known.
    ///
    /// - Returns: every action that the machine asked for, the verdict last if there is one.
    public mutating func replay(_ events: [TimelineEvent]) -> [ScenarioAction] {
        var actions: [ScenarioAction] = []
        for place in Self.places(events) { actions += handle(events[place]) }
        return actions
    }

    /// The places of events in the order in which they became known.
    private static func places(_ events: [TimelineEvent]) -> [Int] {
        // A whole recording counts from 1 without a gap, and needs no sorting.
        var places = [Int](repeating: -1, count: events.count)
        for (place, event) in events.enumerated() {
            guard (1...events.count).contains(event.order), places[event.order - 1] < 0 else {
                // Without changing the place of those that have the same: a timeline that was
                // never recorded has no order but its own.
                return events.indices.sorted {
                    (events[$0].order, $0) < (events[$1].order, $1)
                }
            }
            places[event.order - 1] = place
        }
        return places
    }

    // MARK: Input

    private mutating func begin(_ actions: inout [ScenarioAction]) {
        begun = clock
        seen.restartProbes(at: clock)
        checks.begin(at: clock, seen: seen)
        actions += occurrences.services.map(ScenarioAction.follow)
        actions += scenario.probes.map(ScenarioAction.startProbe)
        beginStep(&actions)
        advance(&actions)
    }

    /// Takes what the shell has to say; whether it can change anything.
    private mutating func take(
        _ input: ScenarioEvent, _ actions: inout [ScenarioAction]
    ) -> Bool {
        let pace = bounds.allowances.requestInterval
        switch (input, state) {
        case (.timer, _):
            checks.lapse(at: clock)
            return true
        case (.done(let action, let result), .doing(var doing)):
            guard let step = doing.end(action) else { return false }
            group.end(action, at: clock)
            state = .doing(doing)
            if let problem = problem(with: result, of: step) { fail(problem, &actions) }
            return true
        case (.answered(let id, let result), .expecting(var watch, let until)):
            guard watch.take(result, of: id, now: clock, interval: pace) else { return false }
            state = .expecting(watch, until: until)
            return true
        case (.inspected(let id, let result), .expecting(var watch, let until)):
            guard watch.take(result, of: id, now: clock, interval: pace) else { return false }
            state = .expecting(watch, until: until)
            return true
        case (.begin, _), (.line, _), (.done, _), (.answered, _), (.inspected, _): return false
        }
    }

    /// Takes over the time at which a verb of the present step was really applied.
    private mutating func noteTime(of event: TimelineEvent) {
        guard case .doing(let doing) = state else { return }
        let action: ActionID?
        switch event.kind {
        case .control(let verb, let target):
            action = doing.acting { $0 == .control(verb, target) }
        case .fault(let fault): action = doing.acting { $0 == .fault(fault) }
        default: action = nil
        }
        guard let action else { return }
        group.setTime(of: action, event.time)
        if group.acts.first?.action == action { seen.restartLatencies(at: event.time) }
    }

    /// What is wrong with how an action ended; nil for nothing.
    private func problem(with result: ActionResult, of step: Step) -> String? {
        switch (step.action, result) {
        case (.control, .done), (.fault, .done), (.edit, .done): return nil
        case (.execute(_, _, let status, let expected), .exited(let reason, let output)):
            guard reason == .status(status) else {
                return "\(step.deed): expected exit status \(status); seen \(reason)"
                    + Words.lastLine(of: output)
            }
            guard let expected, !expected.isMet(by: output) else { return nil }
            return "\(step.deed): expected output \(expected); seen "
                + "'\(ExpectedBody.text(of: output))'"
        case (_, .failed(let reason)): return "\(step.deed): \(reason)"
        case (.control, .exited), (.fault, .exited), (.edit, .exited), (.execute, .done),
            (.parallel, _), (.wait, _), (.expect, _):
            preconditionFailure("\(step.deed) cannot end with \(result)")
        }
    }

    // MARK: Steps

    /// Begins the present step, or ends the run after the last.
    mutating func beginStep(_ actions: inout [ScenarioAction]) {
        guard index < script.count else { return end(&actions) }
        let step = script[index]
        actions.append(.report(report(.began)))
        switch step.action {
        case .expect(let expectation):
            group.close()
            state = .expecting(ExpectationWatch(expectation, began: clock), until: clock)
        case .control, .fault, .execute, .edit, .parallel, .wait:
            state = .doing(
                Doing(step, number: index + 1, now: clock, allowances: bounds.allowances) {
                    $0.holds(in: seen, bounds.routers)
                })
        }
    }

    /// Goes on as far as what is known now allows.
    private mutating func advance(_ actions: inout [ScenarioAction]) {
        while true {
            switch state {
            case .notBegun, .finished: return
            case .doing(var doing):
                var problem: String?
                for (action, step, due) in doing.startDue(
                    now: clock, allowances: bounds.allowances, problem: &problem)
                {
                    perform(action, step, due: due, &actions)
                }
                state = .doing(doing)
                if let problem {
                    fail(problem, &actions)
                } else if doing.isOver {
                    pass(StepResult(), &actions)
                } else {
                    return
                }
            case .expecting(let watch, _):
                guard judge(watch, &actions) else { return }
            }
        }
    }

    private mutating func perform(
        _ id: ActionID, _ step: Step, due: MonotonicInstant, _ actions: inout [ScenarioAction]
    ) {
        let deed: Act.Deed
        switch step.action {
        case .control(let verb, let target):
            deed = .control(verb, target)
            actions.append(.control(id, verb, target, step.options))
        case .fault(let fault):
            deed = .fault(fault)
            actions.append(.fault(id, fault, lasting: step.lasting))
        case .execute(let node, let command, _, _):
            deed = .execute
            actions.append(.execute(id, node: node, command: command))
        case .edit(let files):
            deed = .execute
            actions.append(.edit(id, files))
        case .parallel, .wait, .expect: preconditionFailure("only acting steps are performed")
        }
        let act = Act(deed: deed, time: clock, summary: step.deed, action: id, due: due)
        if group.append(act) { seen.restartLatencies(at: clock) }
    }

    /// Judges the present expectation; false while it is undecided.
    private mutating func judge(
        _ watch: ExpectationWatch, _ actions: inout [ScenarioAction]
    ) -> Bool {
        var watch = watch
        let context = context(for: &watch)
        switch watch.judge(context, now: clock) {
        case .pending(let until):
            let request = watch.request(
                as: nextRequest, now: clock, allowances: bounds.allowances)
            state = .expecting(watch, until: until)
            guard let request else { return false }
            nextRequest += 1
            actions.append(request)
        case .passed(let result):
            group.noteEffect()
            pass(result, &actions)
        case .failed(let sight, let early):
            fail(watch, seen: sight, early: early, context, &actions)
        }
        return true
    }

    /// What the present expectation is judged by; its bound is derived anew only when something
    /// has changed that it is made of.
    private func context(for watch: inout ExpectationWatch) -> ExpectationWatch.Context {
        let probe = watch.expectation.condition.probe.flatMap { name in
            scenario.probes.first { $0.name == name }
        }
        let version = ExpectationWatch.Version(group: group.version, seen: seen.version)
        let derivation: ExpectationWatch.Derivation
        if let known = watch.derivation, known.version == version {
            derivation = known
        } else {
            let subject = bounds.subject(of: watch.expectation.condition, probe: probe)
            let (cause, bound) = bounds.bound(for: subject, after: group, begun: begun, seen: seen)
            derivation = .init(cause: cause, bound: bound, version: version)
            watch.derivation = derivation
        }
        return ExpectationWatch.Context(
            seen: seen, occurrences: occurrences, cause: derivation.cause,
            lastDone: group.acts.map { $0.ended ?? $0.time }.max() ?? derivation.cause.time,
            bound: watch.expectation.givenBound.map { bounds.counted($0, after: group) }
                ?? derivation.bound,
            allowances: bounds.allowances, effectHasArrived: group.effectHasArrived, probe: probe,
            begun: begun)
    }
}
