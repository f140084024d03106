import NetworkTypes
import VRRP

// What is looked at after every step of a router. The clauses are those of RFC 3768 §6.4 and RFC
// 9568 §6.4, read as what must not happen.
extension Simulation {
    mutating func judge(_ step: Step, at index: Int) {
        judgeDeadline(step, at: index)
        // Before its startup a router answers for nothing, a predecessor's addresses included.
        let mayKeep = step.before == .initialize && step.after == .initialize
        if instances[index].holdsAddresses != (step.after == .master), !mayKeep {
            report(
                .addressesFollowState,
                step.after == .master
                    ? "is master without the addresses" : "keeps the addresses in \(step.after)",
                at: index)
        }
        if step.before != step.after {
            judgeTransition(step, at: index)
        } else if step.after == .backup, let heard = step.heard {
            listen(to: heard, at: index)
        }
    }

    private mutating func judgeDeadline(_ step: Step, at index: Int) {
        guard step.after == .backup || step.after == .master else { return }
        guard let deadline = instances[index].deadline else {
            report(.futureDeadlines, "awaits nothing in \(step.after.rawValue)", at: index)
            return
        }
        // One that was overdue before, at a thaw, is the coming timer's business.
        // And a higher priority may find its shorter skew over.
        var wasDue = step.deadlineBefore.map { $0 <= step.now } ?? false
        if case .priorityChanged = step.event { wasDue = true }
        if deadline <= step.now, step.event == .timer || !wasDue {
            report(
                .futureDeadlines,
                "has a deadline of \(step.now - deadline) ago after \(step.event.name)", at: index)
        }
    }

    /// A backup hears somebody: what that means for its wait.
    private mutating func listen(to heard: Heard, at index: Int) {
        let interval = intervalNanoseconds(heard, at: index)
        if heard.priority == Advertisement.resignationPriority {
            let learned = instances[index].wait.intervalNanoseconds
            instances[index].startWait(at: now, isForSkew: true, intervalNanoseconds: learned)
        } else if heard.priority >= instances[index].priority || !instances[index].preempts {
            instances[index].startWait(at: now, isForSkew: false, intervalNanoseconds: interval)
        } else if instances[index].delaysPreemption {
            instances[index].startDelayedWait(at: now, intervalNanoseconds: interval)
        }
    }

    /// Version 3 adopts the master's interval, version 2 has the same (RFC 9568 §6.4.2).
    private func intervalNanoseconds(_ heard: Heard, at index: Int) -> Int {
        instances[index].timing.version == 3
            ? heard.intervalNanoseconds : instances[index].intervalNanoseconds
    }

    private mutating func judgeTransition(_ step: Step, at index: Int) {
        let interval = instances[index].intervalNanoseconds
        if !isCaused(step, at: index) {
            report(
                .causedTransitions,
                "goes from \(step.before.rawValue) to \(step.after.rawValue) by "
                    + step.event.name + reason(step, at: index), at: index)
        }
        switch step.after {
        case .backup:
            let isForSkew = step.event == .addressRemoved
            instances[index].startWait(
                at: now, isForSkew: isForSkew,
                intervalNanoseconds: step.heard.map { intervalNanoseconds($0, at: index) }
                    ?? interval)
        case .master:
            statistics.takeovers += 1
        case .initialize, .fault, .pending:
            break
        }
        judgeGroup(step, at: index)
    }

    private func isCaused(_ step: Step, at index: Int) -> Bool {
        let instance = instances[index]
        switch (step.before, step.after) {
        case (.initialize, .backup), (.initialize, .fault), (.initialize, .pending):
            return step.event == .startup
        case (.initialize, .master):
            return step.event == .startup && instance.startsAsMaster
        case (.fault, .backup), (.pending, .backup):
            return step.event.repairs
        case (.fault, .master), (.pending, .master):
            return step.event.repairs && instance.startsAsMaster
        case (.backup, .master):
            return step.event == .timer
                && now
                    >= instance.earliestMastery.advanced(
                        byNanoseconds: -Self.roundingNanoseconds)
        case (.master, .backup):
            return step.event == .addressRemoved
                || step.heard.map { instance.isBeaten(by: $0.priority, from: $0.source) } ?? false
        case (.backup, .fault), (.master, .fault), (.pending, .fault):
            return step.event.breaks
        case (_, .initialize):
            return step.event == .shutdown
        case (.backup, .backup), (.master, .master), (.fault, .fault), (.pending, .pending):
            return true
        case (.backup, .pending), (.master, .pending), (.fault, .pending):
            return false
        }
    }

    private func reason(_ step: Step, at index: Int) -> String {
        let instance = instances[index]
        guard step.after == .master else {
            return step.heard.map {
                " of priority \($0.priority) from \($0.source); its own is \(instance.priority)"
                    + " from \(instance.address)"
            } ?? ""
        }
        let earliest = instance.earliestMastery
        return earliest > now ? ", \(earliest - now) too soon" : ""
    }

    /// What a transition means for the others on the same part of the network.
    private mutating func judgeGroup(_ step: Step, at index: Int) {
        let virtualRouter = virtualRouter(of: index)
        let part = nodes[node(of: index)].part
        let group = group(virtualRouter: virtualRouter, part: part)
        if groups[group].stage == .converged {
            report(
                .stability,
                "goes from \(step.before.rawValue) to \(step.after.rawValue) "
                    + "\(now - groups[group].quietSince) after the last disturbance", at: index)
        }
        guard step.before == .master, now > ownerDue(group) else { return }
        let able = able(virtualRouter: virtualRouter, part: part)
        if !able.isEmpty, !able.contains(where: { instances[$0].isMaster }) {
            report(
                .ownedAddresses,
                "was the last master, \(now - groups[group].quietSince) after the last "
                    + "disturbance", at: index)
        }
    }

    /// What an advertisement may say, given who sends it.
    mutating func judgeSpeech(_ priority: UInt8, _ step: Step, at index: Int) {
        if priority == Advertisement.resignationPriority {
            if step.before != .master || step.after == .master {
                report(
                    .onlyMastersSpeak,
                    "resigns on its way from \(step.before.rawValue) to \(step.after.rawValue)",
                    at: index)
            }
        } else if step.after == .backup, step.before == .master,
            instances[index].advertisesBeforeYielding
        {
            return
        } else if step.after != .master || priority != instances[index].priority {
            report(
                .onlyMastersSpeak,
                "advertises priority \(priority) in \(step.after.rawValue) with priority "
                    + "\(instances[index].priority)", at: index)
        } else if step.before != .master, instances[index].holdsAddresses {
            report(.onlyMastersSpeak, "has the addresses before it says so", at: index)
        }
    }
}
