import NetworkTypes

// What a backup does (RFC 9568 §6.4.2).

extension VirtualRouter {
    /// The Master_Down timer has fired. In a group it is the group that decides; until it has, the
    /// wait begins anew.
    mutating func takeOver(
        _ now: MonotonicInstant, _ preemption: MonotonicInstant?
    ) -> [Action] {
        guard configuration.isInGroup else {
            return [.log(.receivedAdvertisementTimeout)] + becomeMaster(now)
        }
        state = .backup(
            masterDown: now + masterDownInterval, preemption: preemption, isCandidate: true)
        return [.log(.receivedAdvertisementTimeout)]
    }

    /// The advertisement goes first: the old master must remove the addresses before the new one
    /// announces them (keepalived's order; §6.4.2 says advertise, announce).
    mutating func becomeMaster(_ now: MonotonicInstant) -> [Action] {
        let settings = configuration.announcements
        let learned = masterAdvertisementInterval
        masterAdvertisementInterval = configuration.advertisementInterval
        startupEnd = nil
        state = .master(
            nextAdvertisement: now + configuration.advertisementInterval,
            announcements: PendingAnnouncements(
                afterTransition: settings.masterDelay.map { now + $0 },
                refresh: settings.refreshInterval.map { now + $0 }))
        var actions: [Action] = [.sendAdvertisement(priority: priority), .log(.enteredMaster)]
        if learned != masterAdvertisementInterval {
            actions.append(
                .log(.returnedToOwnInterval(from: learned, to: masterAdvertisementInterval)))
        }
        actions += [
            .addAddresses, .announceAddresses(count: settings.masterRepeat), .transition(.master),
        ]
        return actions
    }

    mutating func hear(
        _ advertisement: Advertisement, from sender: IPAddress, asBackupAt now: MonotonicInstant,
        _ preemption: MonotonicInstant?, _ isCandidate: Bool
    ) -> [Action] {
        if advertisement.priority == Advertisement.resignationPriority {
            state = .backup(
                masterDown: wait(skewTime, from: now), preemption: preemption,
                isCandidate: isCandidate)
            return [.log(.backupReceivedResignation)]
        }
        if advertisement.priority >= priority {
            let actions = learn(advertisement.interval)
            state = .backup(masterDown: wait(masterDownInterval, from: now))
            return preemption == nil ? actions : actions + [.log(.stoppedPreemptionDelay)]
        }
        guard configuration.preempts || isOwner else {
            let actions = learn(advertisement.interval)
            state = .backup(masterDown: wait(masterDownInterval, from: now))
            return actions
        }
        if let delay = configuration.preemptionDelay, preemption.map({ now < $0 }) ?? true {
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
