import NetworkTypes

// Coming up, going down, and what changes meanwhile.

extension VirtualRouter {
    /// §6.4.1, and its counterpart when the last fault is gone.
    ///
    /// - Parameter isInitial: whether this is the startup itself.
    mutating func initialize(_ now: MonotonicInstant, isInitial: Bool) -> [Action] {
        masterAdvertisementInterval = configuration.advertisementInterval
        guard faults.isEmpty else {
            guard faults.contains(where: { !$0.isAwaiting }) else {
                state = .pending
                return []
            }
            state = .fault
            // Of what is configured, whoever read the configuration has spoken.
            return (faults.allSatisfy(\.isConfigured) ? [] : [.log(.startedInFault)])
                + [.transition(.fault)]
        }
        if claimsMastery, let startupEnd, startupEnd > now {
            state = .backup(masterDown: startupEnd)
            return [.log(.enteredBackup(isInitial: isInitial)), .transition(.backup)]
        }
        if claimsMastery, !configuration.isInGroup {
            // keepalived's owner waits at the start too, for a microsecond, and says so.
            let waits = isInitial && isOwner
            return becomeMaster(now, because: waits ? .receivedAdvertisementTimeout : nil)
        }
        // In a group it has to wait for the others, but not for a dead master.
        state = .backup(
            masterDown: wait(masterDownInterval, from: now), isCandidate: claimsMastery)
        return [.log(.enteredBackup(isInitial: isInitial)), .transition(.backup)]
    }

    /// When a wait that begins now ends; nothing is waited for before the startup's delay is over.
    func wait(_ duration: Duration, from now: MonotonicInstant) -> MonotonicInstant {
        max(now, startupEnd ?? now) + duration
    }

    /// The instance ends.
    mutating func end(_ transition: Transition?) -> [Action] {
        defer { state = .initialize }
        let told = transition.map { [Action.transition($0)] } ?? []
        switch state {
        case .initialize: return []
        case .pending, .backup, .fault: return told
        case .master: return resign + told
        }
    }

    /// Giving the addresses up: the farewell goes first, because the backup's wait starts with it.
    var resign: [Action] {
        [
            .sendAdvertisement(priority: Advertisement.resignationPriority),
            .log(.sentResignation), .removeAddresses,
        ]
    }

    // MARK: Faults

    mutating func raise(_ fault: Fault) -> [Action] {
        switch (state, fault.isAwaiting) {
        case (.backup, true), (.master, true):
            // A script that was not tracked before a reload and has not answered yet: until it
            // does, things stay as they are.
            return []
        case (.initialize, _), (.pending, true), (.fault, _):
            faults.insert(fault)
            return []
        case (.pending, false), (.backup, false):
            faults.insert(fault)
            state = .fault
            return [.log(.enteredFault), .transition(.fault)]
        case (.master, false):
            faults.insert(fault)
            state = .fault
            // Twice, as keepalived does: the first may get lost. For a fault of another member of
            // its group keepalived says it once, and logs nothing of it.
            let farewell: [Action] = fault == .group ? [.removeAddresses] : resign
            return [
                .log(.enteredFault),
                .sendAdvertisement(priority: Advertisement.resignationPriority),
            ] + farewell + [.transition(.fault)]
        }
    }

    /// Takes part again when nothing is missing any more: as at startup, so the owner of the
    /// addresses has them back at once.
    mutating func clear(_ fault: Fault, _ now: MonotonicInstant) -> [Action] {
        guard faults.remove(fault) != nil, faults.isEmpty else { return [] }
        return switch state {
        case .pending, .fault: initialize(now, isInitial: false)
        case .initialize, .backup, .master: []
        }
    }

    // MARK: Changes at run time

    /// The weights have given the router another priority. A backup's wait becomes longer or
    /// shorter by the difference of the skews; a master says so with its next advertisement.
    mutating func change(priority new: UInt8) -> [Action] {
        precondition(new != 0, "priority 0 means resignation (RFC 9568 §5.2.4)")
        guard new != priority, configuration.priority != Advertisement.ownerPriority else {
            return []
        }
        return setPriority(new) + [.transition(isMaster ? .masterPriority : .backupPriority)]
    }

    private mutating func setPriority(_ new: UInt8) -> [Action] {
        let before = masterDownInterval
        let message = LogMessage.changedPriority(from: priority, to: new)
        priority = new
        // The end of the startup's delay, at which one becomes master that claims it, stays.
        if case .backup(let masterDown, let preemption, let isCandidate) = state,
            masterDown != startupEnd
        {
            state = .backup(
                masterDown: masterDown + (masterDownInterval - before), preemption: preemption,
                isCandidate: isCandidate)
        }
        return [.log(message)]
    }

    /// A reload. Mastery stays; what the advertisement says is said at once, what has to move
    /// moves. Nobody is notified, as in keepalived, not even of another priority.
    mutating func reconfigure(_ new: Reconfiguration, _ now: MonotonicInstant) -> [Action] {
        let old = configuration
        let before = old.advertisement(priority: priority)
        configuration = new.configuration
        // The delay belongs to the daemon's start.
        configuration.startupDelay = old.startupDelay
        let actions =
            new.effectivePriority == priority ? [] : setPriority(new.effectivePriority)
        let isTimed =
            configuration.advertisementInterval != old.advertisementInterval
            || configuration.masterDownAdvertisements != old.masterDownAdvertisements
        switch state {
        case .initialize, .pending, .fault:
            masterAdvertisementInterval = configuration.advertisementInterval
            return actions
        case .backup(var masterDown, let preemption, let isCandidate):
            if isTimed {
                // The master learns of it with its own reload, which may come a little later.
                masterAdvertisementInterval = configuration.advertisementInterval
                masterDown = wait(masterDownInterval, from: now)
            }
            state = .backup(
                masterDown: masterDown, preemption: preemption,
                isCandidate: isCandidate && configuration.isInGroup)
            return actions
        case .master(var next, var pending, let restorations):
            masterAdvertisementInterval = configuration.advertisementInterval
            var actions = actions + [.replaceAddresses]
            if configuration.advertisement(priority: priority) != before {
                actions.append(.sendAdvertisement(priority: priority))
                next = now + configuration.advertisementInterval
            }
            let settings = configuration.announcements
            if new.addsAddresses {
                actions.append(.announceAddresses(count: settings.masterRepeat))
            }
            if new.addsAddresses || settings.refreshInterval != old.announcements.refreshInterval {
                pending.refresh = settings.refreshInterval.map { now + $0 }
            }
            state = .master(
                nextAdvertisement: next, announcements: pending, restorations: restorations)
            return actions
        }
    }
}
