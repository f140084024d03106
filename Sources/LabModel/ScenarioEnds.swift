import NetworkTypes

// How steps, checks and whole runs end.
extension ScenarioMachine {
    mutating func pass(_ result: StepResult, _ actions: inout [ScenarioAction]) {
        actions.append(.report(report(.passed(result))))
        index += 1
        beginStep(&actions)
    }

    /// The present step did not go as it should.
    mutating func fail(_ message: String, _ actions: inout [ScenarioAction]) {
        actions.append(.report(report(.failed(message))))
        conclude(.failed(step: index + 1, message: message), &actions)
    }

    /// A failed expectation, unless the machine stood still for longer than the bound can bear.
    mutating func fail(
        _ watch: ExpectationWatch, seen sight: String, early: Duration?,
        _ context: ExpectationWatch.Context, _ actions: inout [ScenarioAction]
    ) {
        let expectation = watch.expectation
        var message = "expected \(expectation.summary)"
        var limit = context.bound.total
        switch expectation.condition {
        case .outage(_, _, let atMost):
            message += " after \(context.cause.summary)"
            limit = atMost
        case .latency(_, let limits):
            message += " after \(context.cause.summary)"
            limit = limits.map(\.atMost).max() ?? limit
        case .adverts: message += " after \(context.cause.summary)"
        case .address, .addressOnOne, .state, .answer, .log, .mail, .sequence, .neighbour,
            .inspect:
            let isGiven = expectation.givenBound != nil
            message += isGiven ? "" : " within \(context.bound.total.text)"
            message += " of \(context.cause.summary)"
            let isPlain = isGiven && context.bound.terms.count == 1
            message += isPlain ? "" : " (\(context.bound.arithmetic))"
        }
        message += "; seen: \(sight)"
        // Where theory says nothing, half of the limit is taken for margin. A limit that theory
        // itself breaks has none to exceed: there, the usual one.
        let theory = watch.derivation?.bound.theoretical ?? .zero
        let slack = theory == .zero ? limit / 2 : limit - theory
        var margin = early ?? (slack > .zero ? slack : context.allowances.scheduling)
        var stall = seen.stalls.standstill(from: context.cause.time, to: clock)
        switch expectation.condition {
        case .outage, .latency:
            // What delays one answer, or one failover, falls into its own time.
            stall = seen.stalls.worst(within: limit, from: context.cause.time, to: clock)
        default: break
        }
        // What was so ceases to be so when the routers have waited long enough for a master that
        // stands still with the machine.
        if let since = watch.heldSince, let patience = bounds.patience(about: expectation) {
            margin = patience
            stall = seen.stalls.standstill(from: since, to: clock)
        }
        if early != nil, let due = context.cause.due {
            // What comes late itself leaves less of the time that was to pass after it.
            stall = seen.stalls.standstill(from: due, to: clock)
            stall.total = max(stall.total, context.cause.time - due)
        }
        guard stall.total > margin else { return fail(message, &actions) }
        message += "; " + Self.inconclusive(stall: stall, margin: margin)
        actions.append(.report(report(.inconclusive(message))))
        conclude(.inconclusive(step: index + 1, message: message), &actions)
    }

    private static func inconclusive(stall: StallLog.Standstill, margin: Duration) -> String {
        "inconclusive: this machine stood still for \(stall.text) meanwhile, the margin is "
            + margin.text
    }

    /// Ends the steps with what they have come to, and cleans up. While it is cleaned up, only the
    /// first failure counts, and the next step follows.
    private mutating func conclude(
        _ verdict: ScenarioVerdict, _ actions: inout [ScenarioAction]
    ) {
        if failure == nil { failure = verdict }
        if index < scenario.steps.count {
            for later in scenario.steps.indices.dropFirst(index + 1) {
                actions.append(.report(report(.notRun, of: later)))
            }
            index = scenario.steps.count
        } else {
            index += 1
        }
        beginStep(&actions)
    }

    /// Everything is done.
    mutating func end(_ actions: inout [ScenarioAction]) {
        if let (check, report) = violation, report.until == nil, let ended = checks.end(of: check) {
            var whole = report
            whole.until = ended
            actions.append(.violated(whole))
        }
        actions += scenario.probes.map { .stopProbe($0.name) }
        let verdict = failure ?? .passed
        actions.append(.finished(verdict))
        self.verdict = verdict
        state = .finished
    }

    // MARK: Checks

    /// Fails the run with the first check that did not hold.
    mutating func report(
        _ findings: [(check: Check, finding: CheckWatch.Finding)],
        _ actions: inout [ScenarioAction]
    ) {
        guard failure == nil, let (check, finding) = findings.first else { return }
        let cause = group.acts.last { $0.time <= finding.since }
        let report = TimelineEvent.Violation(
            check: check.summary, since: finding.since, until: finding.until, text: finding.text,
            cause: cause?.summary)
        violation = (check, report)
        actions.append(.violated(report))
        let origin = cause.map { Words.moment(finding.since, from: $0) }
        var message =
            "expected \(check.summary) all the time; seen: \(finding.text), from "
            + (origin ?? "\((finding.since - begun).text) after the scenario's start")
            + (finding.until.map { " for \(($0 - finding.since).text)" } ?? " on")
        let stall = seen.stalls.standstill(from: finding.since, to: clock)
        if finding.margin > .zero, stall.total > finding.margin {
            message += "; " + Self.inconclusive(stall: stall, margin: finding.margin)
            actions.append(.report(self.report(.inconclusive(message))))
            conclude(.inconclusive(step: index + 1, message: message), &actions)
        } else {
            fail(message, &actions)
        }
    }

    /// A report on the present step, or another one.
    func report(_ phase: StepReport.Phase, of step: Int? = nil) -> StepReport {
        let step = step ?? index
        return StepReport(
            scenario: scenario.name, index: step + 1, summary: script[step].summary, phase: phase)
    }
}
