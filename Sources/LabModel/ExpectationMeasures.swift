import NetworkTypes

// Expectations about what was measured or happened since the cause.
extension ExpectationWatch {
    // MARK: Probes

    func judgeOutage(
        atLeast least: Duration?, atMost limit: Duration, _ context: Context,
        now: MonotonicInstant
    ) -> Judgement {
        guard let probe = context.probe, let meter = context.seen.meters[probe.name] else {
            return .failed(seen: "no probe of that name")
        }
        let settled = settled(context)
        let outages = meter.outages(since: context.cause.time)
        let longest = outages.max { $0.duration(now: now) < $1.duration(now: now) }
        let length = longest?.duration(now: now) ?? .zero
        if let longest, length > limit {
            let end = longest.end == nil ? " and no answer since" : ""
            return .failed(seen: "\(length.text), \(Words.lost(longest.lostRequests))\(end)")
        }
        let open = outages.last.flatMap { $0.end == nil ? $0 : nil }
        if open == nil, let answered = meter.lastSuccessDue, answered >= settled {
            if let least, length < least {
                let seen = longest.map { "\(length.text), \(Words.lost($0.lostRequests))" }
                return .failed(seen: seen ?? "none", early: least - length)
            }
            return .passed(StepResult(cause: context.cause.summary, outage: longest))
        }
        let giveUp = settled + limit + probe.timeout + context.allowances.scheduling
        guard now < giveUp else {
            return .failed(seen: lastResult(of: probe, meter, context))
        }
        guard let open else { return .pending(until: giveUp) }
        // One nanosecond past the limit it is exceeded.
        return .pending(until: min(giveUp, open.begin + limit + .nanoseconds(1)))
    }

    func judgeLatency(
        _ limits: [LatencyLimit], _ context: Context, now: MonotonicInstant
    ) -> Judgement {
        guard let probe = context.probe, let meter = context.seen.meters[probe.name],
            let histogram = context.seen.latencies[probe.name]
        else { return .failed(seen: "no probe of that name") }
        let settled = settled(context)
        guard histogram.count > 0, let through = meter.accountedThrough, through >= settled else {
            let giveUp = settled + probe.timeout + context.allowances.scheduling
            guard now < giveUp else {
                return .failed(seen: lastResult(of: probe, meter, context))
            }
            return .pending(until: giveUp)
        }
        var words: [String] = []
        var isMet = true
        for limit in limits {
            let value = histogram.value(atPercentile: limit.percentile) ?? .zero
            words.append("\(limit.word) \(value.text)")
            if value > limit.atMost { isMet = false }
        }
        let answers = histogram.count == 1 ? "1 answer" : "\(histogram.count) answers"
        let measured = "\(words.joined(separator: ", ")) of \(answers)"
        guard isMet else { return .failed(seen: measured) }
        return .passed(StepResult(cause: context.cause.summary, measured: measured))
    }

    private func lastResult(
        of probe: Probe, _ meter: OutageMeter, _ context: Context
    ) -> String {
        meter.accountedThrough.map {
            "no result of \(probe.name) later than \(Words.moment($0, from: context.cause))"
        } ?? "no result of \(probe.name) at all"
    }

    // MARK: Events

    /// Whether a service has printed it.
    func judgeLine(
        _ subject: Occurrences.Subject, _ context: Context, now: MonotonicInstant
    ) -> Judgement {
        let moments = context.occurrences.moments(of: subject, since: context.eventsSince)
        let isMail = if case .mail = subject { true } else { false }
        if let first = moments.first {
            guard first.time <= context.deadline || context.isFromStart else {
                return .failed(
                    seen: (isMail ? "it came only " : "it was printed only ")
                        + Words.moment(first.time, from: context.cause))
            }
            return passed(since: first.time, context)
        }
        guard now < context.deadline else {
            return .failed(seen: isMail ? "no such mail" : "no such line")
        }
        return .pending(until: context.deadline)
    }

    func judgeAdverts(
        _ pattern: AdvertPattern, _ range: CountRange, _ context: Context, now: MonotonicInstant
    ) -> Judgement {
        let count = context.occurrences.moments(
            of: .adverts(pattern), since: context.cause.time
        ).count
        let passed = Judgement.passed(
            StepResult(cause: context.cause.summary, measured: "\(count) seen"))
        if let most = range.atMost, count > most { return .failed(seen: "\(count) of them") }
        if range.atMost == nil, range.contains(count) { return passed }
        // A frame that has arrived may not have been read yet.
        let settled = settled(context) + context.allowances.reading
        guard now >= settled else { return .pending(until: settled) }
        if range.contains(count) { return passed }
        guard now < context.deadline else { return .failed(seen: "\(count) of them") }
        return .pending(until: context.deadline)
    }

    func judgeSequence(
        _ patterns: [EventPattern], _ context: Context, now: MonotonicInstant
    ) -> Judgement {
        let reader = SequenceReader(
            patterns: patterns, gap: expectation.within, occurrences: context.occurrences,
            since: context.eventsSince)
        if let (first, last) = reader.whole() {
            guard first.time <= context.deadline || context.isFromStart else {
                return .failed(
                    seen: "it began only " + Words.moment(first.time, from: context.cause))
            }
            return passed(
                since: first.time, context,
                measured: "\(max(last.time - first.time, .zero).text) from first to last")
        }
        let giveUp =
            max(began, context.deadline) + (expectation.within ?? .zero) * (patterns.count - 1)
            + context.allowances.reading
        guard now < giveUp else {
            return .failed(seen: reader.account(from: context.cause))
        }
        return .pending(until: giveUp)
    }
}

/// Looks for events that follow one another.
///
/// A notification is stamped when it is read, a frame when it arrives. So what is stamped a little
/// earlier than its predecessor still follows it, as far as the stamps' uncertainty goes.
struct SequenceReader {
    var patterns: [EventPattern]
    /// How long after one event the next may come; nil for any time.
    var gap: Duration?
    var occurrences: Occurrences
    var since: MonotonicInstant

    /// The first and the last event of the sequence; nil while it is not complete.
    func whole() -> (first: Moment, last: Moment)? {
        for first in moments(0) {
            if let last = end(after: first, place: 1) { return (first, last) }
        }
        return nil
    }

    private func moments(_ place: Int) -> ArraySlice<Moment> {
        // The uncertainty of the cause's own time is none: the supervisor did it itself.
        occurrences.moments(of: .pattern(patterns[place]), since: since)
    }

    /// The last event of a sequence that is right up to `moment`.
    private func end(after moment: Moment, place: Int) -> Moment? {
        guard place < patterns.count else { return moment }
        for next in moments(place) where next.latest >= moment.earliest {
            if let gap {
                guard next.time - moment.time <= gap else { return nil }
                if let last = end(after: next, place: place + 1) { return last }
            } else {
                // Without a limit none is better than the earliest.
                return end(after: next, place: place + 1)
            }
        }
        return nil
    }

    /// What there was of the sequence, in words.
    func account(from cause: Act) -> String {
        var parts: [String] = []
        var last: Moment?
        for (place, pattern) in patterns.enumerated() {
            let found = moments(place).first { moment in
                last.map { moment.latest >= $0.earliest } ?? true
            }
            guard let found else {
                parts.append("no \(pattern)")
                break
            }
            parts.append(
                last.map { "\(pattern) \(max(found.time - $0.time, .zero).text) later" }
                    ?? "\(pattern) \(Words.moment(found.time, from: cause))")
            last = found
        }
        return parts.joined(separator: ", then ")
    }
}
