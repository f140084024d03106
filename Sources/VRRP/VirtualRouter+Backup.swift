public import NetworkTypes

// What a backup does (RFC 9568 §6.4.2).

extension VirtualRouter {
    /// The Master_Down timer has fired. In a group it is the group that decides; until it has, the
    /// wait begins anew.
    mutating func takeOver(
        _ now: MonotonicInstant, _ preemption: MonotonicInstant?
    ) -> [Action] {
        guard configuration.isInGroup else {
            return becomeMaster(now, because: .receivedAdvertisementTimeout)
        }
        state = .backup(
            masterDown: now + masterDownInterval, preemption: preemption, isCandidate: true)
        return [.log(.receivedAdvertisementTimeout)]
    }

    /// The advertisement goes first: the old master must remove the addresses before the new one
    /// announces them (keepalived's order; §6.4.2 says advertise, announce).
    ///
    /// - Parameter message: what is logged before that; nil: nothing.
    mutating func becomeMaster(
        _ now: MonotonicInstant, because message: LogMessage? = nil
    ) -> [Action] {
        let settings = configuration.announcements
        let learned = masterAdvertisementInterval
        masterAdvertisementInterval = configuration.advertisementInterval
        startupEnd = nil
        state = .master(
            nextAdvertisement: now + configuration.advertisementInterval,
            announcements: PendingAnnouncements(
                afterTransition: settings.masterDelay.map { now + $0 },
                refresh: settings.refreshInterval.map { now + $0 }))
        // In one piece: nobody has the addresses meanwhile.
        var actions: [Action] = []
        actions.reserveCapacity(7)
        if let message { actions.append(.log(message)) }
        actions.append(.sendAdvertisement(priority: priority))
        actions.append(.log(.enteredMaster))
        if learned != masterAdvertisementInterval {
            actions.append(
                .log(.returnedToOwnInterval(from: learned, to: masterAdvertisementInterval)))
        }
        actions.append(.addAddresses)
        actions.append(.announceAddresses(count: settings.masterRepeat))
        actions.append(.transition(.master))
        return actions
    }

    /// Takes an advertisement that says what this backup knows already, as nearly all do: the wait
    /// begins anew, and there is nothing to perform. What `.advertisement` does as well.
    ///
    /// - Returns: the new ``deadline``; nil when there is more to it: then nothing was done.
    public mutating func hearAgain(
        priority heard: UInt8, interval: Duration, at now: MonotonicInstant
    ) -> MonotonicInstant? {
        guard case .backup(_, nil, false) = state, heard >= priority,
            configuration.version == 2 || interval == masterAdvertisementInterval
        else { return nil }
        let masterDown = wait(masterDownInterval, from: now)
        masterPriority = heard
        state = .backup(masterDown: masterDown)
        return masterDown
    }

    mutating func hear(
        _ advertisement: Advertisement, from sender: IPAddress, asBackupAt now: MonotonicInstant,
        _ preemption: MonotonicInstant?, _ isCandidate: Bool
    ) -> [Action] {
        let heard = advertisement.priority
        if hearAgain(priority: heard, interval: advertisement.interval, at: now) != nil {
            return []
        }
        if advertisement.priority == Advertisement.resignationPriority {
            state = .backup(
                masterDown: wait(skewTime, from: now), preemption: preemption,
                isCandidate: isCandidate)
            return [.log(.backupReceivedResignation)]
        }
        if advertisement.priority >= priority {
            masterPriority = heard
            let actions = learn(advertisement.interval)
            state = .backup(masterDown: wait(masterDownInterval, from: now))
            return preemption == nil ? actions : actions + [.log(.stoppedPreemptionDelay)]
        }
        guard configuration.preempts || isOwner else {
            masterPriority = heard
            let actions = learn(advertisement.interval)
            state = .backup(masterDown: wait(masterDownInterval, from: now))
            return actions
        }
        if let delay = configuration.preemptionDelay, preemption.map({ now < $0 }) ?? true {
            masterPriority = heard
            var actions = learn(advertisement.interval)
            if preemption == nil { actions.append(.log(.startedPreemptionDelay(delay))) }
            state = .backup(
                masterDown: wait(masterDownInterval, from: now),
                preemption: preemption ?? now + delay)
            return actions
        }
        return [.log(.discardedLowerPriority(advertisement.priority, from: sender))]
    }

    /// Version 3: the interval of the master that is believed in is the one to wait for (§6.4.2).
    mutating func learn(_ interval: Duration) -> [Action] {
        guard configuration.version == 3, interval != masterAdvertisementInterval else { return [] }
        defer { masterAdvertisementInterval = interval }
        return [.log(.learnedInterval(from: masterAdvertisementInterval, to: interval))]
    }
}
