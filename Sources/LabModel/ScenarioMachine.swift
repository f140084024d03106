public import NetworkTypes

/// Runs the steps of a scenario and judges its expectations: a value that takes events with their
/// times and returns what is to be done.
///
/// An expectation is counted from its cause, the first acting step since the last expectation
/// before it, and from the moment that step was applied; it is judged by the moment it became so,
/// as the timeline has it. When the machine happens to look changes neither. Consecutive
/// expectations share their cause.
public struct ScenarioMachine: Sendable {
    /// What is run.
    public let scenario: Scenario
    /// When `.timer` is to be delivered; nil while only events can change anything.
    public private(set) var deadline: MonotonicInstant?
    /// How it ended; nil until then.
    public private(set) var verdict: ScenarioVerdict?

    private enum State: Sendable {
        case notBegun
        /// The shell is doing what the step says; it has until then.
        case acting(until: MonotonicInstant)
        /// Time passes.
        case waiting(until: MonotonicInstant)
        case expecting(ExpectationWatch)
        case finished
    }

    private let bounds: TakeoverBounds
    private var state = State.notBegun
    /// The present step's place in the scenario, from 0.
    private var index = 0
    private var begun = MonotonicInstant.zero
    private var seen: Observation
    private var group = ActGroup()
    private var nextRequest = 1

    /// A machine for one run of a scenario.
    ///
    /// - Parameters:
    ///   - scenario: what to run; its names refer to nodes, services and probes that exist.
    ///   - routers: the virtual routers of the lab, for the protocol's own bounds.
    ///   - allowances: what is granted where no protocol says anything.
    public init(
        scenario: Scenario, routers: [VirtualRouterFacts], allowances: Allowances = Allowances()
    ) {
        self.scenario = scenario
        bounds = TakeoverBounds(routers: routers, allowances: allowances)
        seen = Observation(probes: scenario.probes)
    }

    /// Takes an event into account and returns what is to be done because of it, in order.
    public mutating func handle(_ event: ScenarioEvent, now: MonotonicInstant) -> [ScenarioAction] {
        var actions: [ScenarioAction] = []
        switch (event, state) {
        case (.timeline(let event), _):
            noteTime(of: event)
            guard seen.fold(event), concerns(event) else { return [] }
        case (.begin, .notBegun):
            begun = now
            actions += scenario.probes.map(ScenarioAction.startProbe)
            beginStep(now: now, &actions)
        case (.actionDone(let step, let result), .acting):
            guard step == index + 1 else { return [] }
            complete(result, now: now, &actions)
        case (.fetched(let id, let result), .expecting(var watch)):
            let pace = bounds.allowances.requestInterval
            guard watch.take(result, of: id, now: now, interval: pace) else { return [] }
            state = .expecting(watch)
        case (.timer, _):
            break
        case (.begin, _), (.actionDone, _), (.fetched, _):
            return []
        }
        advance(now: now, &actions)
        return actions
    }

    // MARK: Steps

    private mutating func beginStep(now: MonotonicInstant, _ actions: inout [ScenarioAction]) {
        guard index < scenario.steps.count else {
            return finish(.passed, &actions)
        }
        let step = scenario.steps[index]
        actions.append(.report(report(.began)))
        switch step.action {
        case .control(let verb, let target):
            group.append(Act(deed: .control(verb, target), time: now, summary: step.summary))
            state = .acting(until: now + bounds.allowances.control)
            actions.append(.control(step: index + 1, verb, target))
        case .execute(let node, let command, _):
            group.append(Act(deed: .execute, time: now, summary: step.summary))
            state = .acting(until: now + bounds.allowances.execute)
            actions.append(.execute(step: index + 1, node: node, command: command))
        case .wait(let duration):
            state = .waiting(until: now + duration)
        case .expect(let expectation):
            group.close()
            state = .expecting(ExpectationWatch(expectation, began: now))
        }
    }

    /// Goes on as far as what is known now allows.
    private mutating func advance(now: MonotonicInstant, _ actions: inout [ScenarioAction]) {
        while true {
            switch state {
            case .notBegun, .finished:
                deadline = nil
                return
            case .acting(let until):
                deadline = until
                guard now >= until else { return }
                let what = scenario.steps[index].summary
                fail("\(what) did not complete in time", now: now, &actions)
            case .waiting(let until):
                deadline = until
                guard now >= until else { return }
                pass(StepResult(), now: now, &actions)
            case .expecting(let watch):
                guard judge(watch, now: now, &actions) else { return }
            }
        }
    }

    /// Judges the present expectation; false while it is undecided.
    private mutating func judge(
        _ watch: ExpectationWatch, now: MonotonicInstant, _ actions: inout [ScenarioAction]
    ) -> Bool {
        var watch = watch
        let expectation = watch.expectation
        var probe: Probe?
        if case .outage(let name, _) = expectation.condition {
            probe = scenario.probes.first { $0.name == name }
        }
        let subject = bounds.subject(of: expectation.condition, probe: probe)
        let (cause, derived) = bounds.bound(for: subject, after: group, begun: begun, seen: seen)
        let context = ExpectationWatch.Context(
            seen: seen, cause: cause, bound: expectation.within.map(TimeBound.given) ?? derived,
            allowances: bounds.allowances, effectHasArrived: group.effectHasArrived, probe: probe,
            begun: begun)
        switch watch.judge(context, now: now) {
        case .pending(let until):
            deadline = until
            if watch.sendsRequest(as: nextRequest, now: now),
                case .http(let url, let node, _) = expectation.condition
            {
                actions.append(
                    .fetch(
                        id: nextRequest, node: node, url,
                        timeout: bounds.allowances.requestTimeout))
                nextRequest += 1
                state = .expecting(watch)
                return true
            }
            state = .expecting(watch)
            return false
        case .passed(let result):
            group.noteEffect()
            pass(result, now: now, &actions)
        case .failed(let sight):
            fail(expectation, seen: sight, derived: derived, context, now: now, &actions)
        }
        return true
    }

    private mutating func complete(
        _ result: ActionResult, now: MonotonicInstant, _ actions: inout [ScenarioAction]
    ) {
        let step = scenario.steps[index]
        group.endLast(at: now)
        switch (step.action, result) {
        case (.control, .done):
            pass(StepResult(), now: now, &actions)
        case (.execute(_, _, let status), .exited(let reason, let output)):
            guard reason != .status(status) else {
                return pass(StepResult(), now: now, &actions)
            }
            let last = output.split(whereSeparator: \.isNewline).last.map { ": \($0)" } ?? ""
            fail(
                "\(step.summary): expected exit status \(status); seen \(reason)\(last)", now: now,
                &actions)
        case (_, .failed(let reason)):
            fail("\(step.summary): \(reason)", now: now, &actions)
        case (.control, .exited), (.execute, .done), (.wait, _), (.expect, _):
            preconditionFailure("\(step.summary) cannot end with \(result)")
        }
    }

    // MARK: Ends

    private mutating func pass(
        _ result: StepResult, now: MonotonicInstant, _ actions: inout [ScenarioAction]
    ) {
        actions.append(.report(report(.passed(result))))
        index += 1
        beginStep(now: now, &actions)
    }

    private mutating func fail(
        _ message: String, now: MonotonicInstant, _ actions: inout [ScenarioAction]
    ) {
        actions.append(.report(report(.failed(message))))
        finish(.failed(step: index + 1, message: message), &actions)
    }

    /// A failed expectation, unless the machine stood still for longer than the bound can bear.
    private mutating func fail(
        _ expectation: Expectation, seen sight: String, derived: TimeBound,
        _ context: ExpectationWatch.Context, now: MonotonicInstant,
        _ actions: inout [ScenarioAction]
    ) {
        var message = "expected \(expectation.summary)"
        let limit: Duration
        if case .outage(_, let atMost) = expectation.condition {
            message += " after \(context.cause.summary)"
            limit = atMost
        } else {
            message += expectation.within == nil ? " within \(context.bound.total.text)" : ""
            message += " of \(context.cause.summary)"
            message += expectation.within == nil ? " (\(context.bound.arithmetic))" : ""
            limit = context.bound.total
        }
        message += "; seen: \(sight)"
        // A limit that theory itself breaks has no margin to exceed: there, the usual one.
        let slack = limit - derived.theoretical
        let margin = slack > .zero ? slack : context.allowances.scheduling
        let stall = seen.stalls.total(from: context.cause.time, to: now)
        guard stall > margin else { return fail(message, now: now, &actions) }
        message +=
            "; inconclusive: this machine stood still for \(stall.text) meanwhile, the margin is "
            + margin.text
        actions.append(.report(report(.inconclusive(message))))
        finish(.inconclusive(step: index + 1, message: message), &actions)
    }

    private mutating func finish(_ verdict: ScenarioVerdict, _ actions: inout [ScenarioAction]) {
        for later in scenario.steps.indices.dropFirst(index + 1) {
            actions.append(.report(report(.notRun, of: later)))
        }
        actions += scenario.probes.map { .stopProbe($0.name) }
        actions.append(.finished(verdict))
        self.verdict = verdict
        state = .finished
    }

    private func report(_ phase: StepReport.Phase, of step: Int? = nil) -> StepReport {
        let step = step ?? index
        return StepReport(
            scenario: scenario.name, index: step + 1, summary: scenario.steps[step].summary,
            phase: phase)
    }

    /// Whether the event can decide the present step. Probes bring nearly all events of a run, and
    /// only outages are judged by them.
    private func concerns(_ event: TimelineEvent) -> Bool {
        guard case .probe = event.kind else { return true }
        guard case .expecting(let watch) = state else { return false }
        if case .outage = watch.expectation.condition { return true }
        return false
    }

    /// Takes over the time at which the present step's verb was really applied.
    private mutating func noteTime(of event: TimelineEvent) {
        guard case .acting = state, case .control(let verb, let target) = event.kind,
            scenario.steps[index].action == .control(verb, target)
        else { return }
        group.setLastTime(event.time)
    }
}
