import NetworkTypes
import VRRP

// What is looked at after every step of a router. The clauses are those of RFC 3768 §6.4 and RFC
// 9568 §6.4, read as what must not happen.
extension Simulation {
    mutating func judge(_ step: Step, at index: Int) {
        // Before its startup a router answers for nothing, a predecessor's addresses included.
        let mayKeep = step.before == .initialize && step.after == .initialize
        if instances[index].holdsAddresses != (step.after == .master), !mayKeep {
            report(
                .addressesFollowState,
                step.after == .master
                    ? "is master without the addresses"
                    : "keeps the addresses in \(step.after.rawValue)", at: index)
        }
        if step.before != step.after {
            judgeTransition(step, at: index)
        } else if step.after == .backup, let heard = step.heard {
            instances[index].expected.hear(
                heard.priority, intervalNanoseconds: heard.intervalNanoseconds, now: step.now)
        } else if step.cause == .fault, step.after == .backup || step.after == .master {
            report(.causedTransitions, "takes part although it cannot", at: index)
        }
        if step.after == .backup || step.after == .master { judgeDeadline(step, at: index) }
    }

    // MARK: Timers

    private mutating func judgeDeadline(_ step: Step, at index: Int) {
        guard let deadline = instances[index].deadline else {
            return report(.futureDeadlines, "awaits nothing in \(step.after.rawValue)", at: index)
        }
        if step.after == .master {
            judgeAdvertisingTimer(deadline, at: index)
        } else {
            judgeMasterDownTimer(deadline, step, at: index)
        }
        // One that was overdue before, at a thaw, is the coming timer's business. And a higher
        // priority may find its shorter skew over, and a reload its shorter interval.
        let wasDue = step.deadlineBefore.map { $0 <= step.now } ?? false
        let mayBeDue = wasDue || step.cause == .priority || step.cause == .reload
        if deadline <= step.now, step.cause == .timer || !mayBeDue {
            report(
                .futureDeadlines,
                "has a deadline of \(Trace.duration(step.now.nanoseconds(since: deadline))) ago",
                at: index)
        }
    }

    /// §6.4.3: a master advertises every interval.
    private mutating func judgeAdvertisingTimer(_ deadline: MonotonicInstant, at index: Int) {
        let latest = instances[index].clock.reading(at: instances[index].lastSent).advanced(
            byNanoseconds: instances[index].expected.intervalNanoseconds
                + Self.roundingNanoseconds)
        guard deadline > latest else { return }
        report(
            .rightTimers,
            "does not advertise for \(Trace.duration(deadline.nanoseconds(since: latest))) longer "
                + "than its interval", at: index)
    }

    /// §6.4.2: a backup waits for as long as it must, and not for longer.
    private mutating func judgeMasterDownTimer(
        _ deadline: MonotonicInstant, _ step: Step, at index: Int
    ) {
        let due = instances[index].expected.earliestMastery
        let difference = deadline.nanoseconds(since: due)
        // In a group it may wait for others when its own wait is over.
        let isWaitOver = instances[index].isInGroup && due <= step.now
        guard abs(difference) > Self.roundingNanoseconds, !isWaitOver else { return }
        report(
            .rightTimers,
            "waits \(Trace.duration(abs(difference))) too \(difference > 0 ? "long" : "short")",
            at: index)
    }

    // MARK: Transitions

    private mutating func judgeTransition(_ step: Step, at index: Int) {
        if !isCaused(step, at: index) {
            report(
                .causedTransitions,
                "goes from \(step.before.rawValue) to \(step.after.rawValue)"
                    + reason(step, at: index), at: index)
        }
        if step.before == .master, step.cause != .demoted, step.cause != .groupFault {
            stations[station(of: index)].lastYield = now
        }
        switch step.after {
        case .backup:
            instances[index].expected.becomeBackup(
                at: step.now, comesUp: step.before != .master,
                isForSkew: step.cause == .addressRemoved,
                learned: learnedInterval(step, at: index))
        case .master:
            instances[index].expected.becomeMaster()
            statistics.takeovers += 1
        case .initialize, .fault, .pending:
            break
        }
        let election = election(of: index)
        if elections[election].stage == .converged {
            report(
                .stability,
                "goes from \(step.before.rawValue) to \(step.after.rawValue) "
                    + "\(quiet(election)) after the last disturbance", at: index)
        }
        if step.before == .master { auditOwner(after: index) }
    }

    /// Version 3: a master that yields takes its better's interval over (RFC 9568 §6.4.3).
    private func learnedInterval(_ step: Step, at index: Int) -> Int? {
        plan.virtualRouters[virtualRouter(of: index)].isVersion3
            ? step.heard?.intervalNanoseconds : nil
    }

    private func isCaused(_ step: Step, at index: Int) -> Bool {
        let expected = instances[index].expected
        let isTimely =
            step.now >= expected.earliestMastery.advanced(byNanoseconds: -Self.roundingNanoseconds)
        switch (step.before, step.after) {
        case (.initialize, .backup), (.initialize, .fault), (.initialize, .pending):
            return step.cause == .startup
        case (.initialize, .master):
            return step.cause == .startup && mayClaim(step, at: index)
        case (.fault, .backup), (.pending, .backup):
            return step.cause == .repair || step.cause == .groupRepair
        case (.fault, .pending):
            return step.cause == .repair || step.cause == .groupRepair
        case (.fault, .master), (.pending, .master):
            return step.cause == .repair && mayClaim(step, at: index)
        case (.backup, .master):
            return isTimely && step.cause == (instances[index].isInGroup ? .promoted : .timer)
        case (.master, .backup):
            return step.cause == .addressRemoved
                || step.cause == .demoted && stations[station(of: index)].lastYield == now
                || step.heard.map { instances[index].isBeaten(by: $0.priority, from: $0.source) }
                    ?? false
        case (.backup, .fault), (.master, .fault), (.pending, .fault):
            return step.cause == .fault || step.cause == .groupFault
        case (_, .initialize):
            return step.cause == .end
        case (.backup, .backup), (.master, .master), (.fault, .fault), (.pending, .pending):
            return true
        case (.backup, .pending), (.master, .pending):
            return false
        }
    }

    /// Whether it may be master as soon as it comes up: when it says so, its startup's delay is
    /// over, and no group has to be asked.
    private func mayClaim(_ step: Step, at index: Int) -> Bool {
        instances[index].expected.claimsMastery(at: step.now) && !instances[index].isInGroup
    }

    private func reason(_ step: Step, at index: Int) -> String {
        let instance = instances[index]
        guard step.after == .master else {
            return step.heard.map {
                " by priority \($0.priority) from \($0.source); its own is "
                    + "\(instance.expected.priority) from \(instance.address)"
            } ?? " by \(step.cause)"
        }
        let early = instance.expected.earliestMastery.nanoseconds(since: step.now)
        return " by \(step.cause)" + (early > 0 ? ", \(Trace.duration(early)) too soon" : "")
    }

    // MARK: Owners

    /// Two routers say that they own the addresses, which is a mistake of configuration. A master
    /// that hears of it reports it (§7.1), and the one with the lower address gives way as in any
    /// tie (§6.4.3), and is an owner no more, as in keepalived.
    mutating func judgeOwners(_ step: Step, _ actions: [VirtualRouter.Action], at index: Int) {
        guard step.before == .master, let heard = step.heard,
            instances[index].expected.priority == Advertisement.ownerPriority
        else { return }
        let isReported = actions.contains {
            if case .log(.duplicateOwner) = $0 { true } else { false }
        }
        if !isReported {
            report(
                .reportedOwners, "says nothing of the other owner, at \(heard.source)", at: index)
        }
        if instances[index].isBeaten(by: heard.priority, from: heard.source) {
            instances[index].expected.loseOwnership()
        }
    }

    // MARK: Speech

    /// What an advertisement may say, given who sends it.
    mutating func judgeSpeech(_ priority: UInt8, _ step: Step, at index: Int) {
        let own = instances[index].expected.priority
        if priority == Advertisement.resignationPriority {
            if step.before != .master || step.after == .master {
                report(
                    .onlyMastersSpeak,
                    "resigns on its way from \(step.before.rawValue) to \(step.after.rawValue)",
                    at: index)
            }
        } else if step.after == .backup, step.before == .master,
            instances[index].expected.advertisesBeforeYielding
        {
            return
        } else if step.after != .master || priority != own {
            report(
                .onlyMastersSpeak,
                "advertises priority \(priority) in \(step.after.rawValue) with priority \(own)",
                at: index)
        } else if step.before != .master, instances[index].holdsAddresses {
            report(.onlyMastersSpeak, "has the addresses before it says so", at: index)
        }
    }
}

extension Plan.VirtualRouterPlan {
    var isVersion3: Bool { dialects[0].expectation.advertisement.version == 3 }
}
