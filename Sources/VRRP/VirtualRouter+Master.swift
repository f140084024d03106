public import NetworkTypes

// What a master does (RFC 9568 §6.4.3).

extension VirtualRouter {
    /// Takes a timer that comes when nothing but the next advertisement is due, as nearly all do:
    /// to send that is all there is to perform. What `.timer` does as well.
    ///
    /// - Returns: the advertisement's priority and the new ``deadline``; nil when there is more to
    ///   it, or nothing: then nothing was done.
    public mutating func advertiseOnTime(
        at now: MonotonicInstant
    ) -> (priority: UInt8, deadline: MonotonicInstant)? {
        guard case .master(let due, let announcements, let restorations) = state else { return nil }
        // On the grid, so that late wake-ups do not add up.
        let next = due + configuration.advertisementInterval
        let other = announcements.earliest
        guard now >= due, now < next, other.map({ now < $0 }) ?? true else { return nil }
        state = .master(
            nextAdvertisement: next, announcements: announcements, restorations: restorations)
        return (priority, other.map { min(next, $0) } ?? next)
    }

    /// The timer has fired: whatever is due, once, however late.
    mutating func act(
        _ now: MonotonicInstant, _ next: MonotonicInstant, _ pending: PendingAnnouncements,
        _ restorations: Restorations
    ) -> [Action] {
        if let due = advertiseOnTime(at: now) {
            return [.sendAdvertisement(priority: due.priority)]
        }
        let interval = configuration.advertisementInterval
        let settings = configuration.announcements
        var (next, pending) = (next, pending)
        var actions: [Action] = []
        if now >= next {
            actions.append(.sendAdvertisement(priority: priority))
            if wasSilentTooLong(until: now, since: next) {
                actions += announceAgain(&pending, now)
            }
            next += interval
            // Missed ones are not made up.
            if next <= now { next = now + interval }
        }
        if let due = pending.afterTransition, now >= due {
            actions.append(.announceAddresses(count: settings.masterRepeat))
            pending.afterTransition = nil
        }
        if let due = pending.afterLowerPriority, now >= due {
            actions.append(.announceAddresses(count: settings.lowerPriorityRepeat))
            pending.afterLowerPriority = nil
        }
        if let due = pending.refresh, now >= due {
            actions.append(.announceAddresses(count: settings.refreshRepeat))
            pending.refresh = settings.refreshInterval.map { now + $0 }
        }
        state = .master(nextAdvertisement: next, announcements: pending, restorations: restorations)
        return actions
    }

    /// Whether a master whose advertisement was due at `next` has been silent for so long that
    /// another one may have taken over.
    private func wasSilentTooLong(
        until now: MonotonicInstant, since next: MonotonicInstant
    ) -> Bool {
        now > next && now >= next + (masterDownInterval - configuration.advertisementInterval)
    }

    /// The addresses may have been announced by somebody else: what is done on becoming master.
    private func announceAgain(
        _ pending: inout PendingAnnouncements, _ now: MonotonicInstant
    ) -> [Action] {
        let settings = configuration.announcements
        pending = PendingAnnouncements(
            afterTransition: settings.masterDelay.map { now + $0 },
            refresh: settings.refreshInterval.map { now + $0 })
        return [.announceAddresses(count: settings.masterRepeat)]
    }

    // MARK: Other masters

    mutating func hear(
        _ advertisement: Advertisement, from sender: IPAddress, asMasterAt now: MonotonicInstant
    ) -> [Action] {
        let heard = advertisement.priority
        if heard == Advertisement.resignationPriority { return hearResignation(now) }
        // Our own address at another host: nobody can win this tie, so nobody moves.
        if heard == priority, sender == sourceAddress {
            return [.log(.receivedEqualFromOwnAddress)]
        }
        let isBetter = heard > priority || heard == priority && isBelow(sender)
        var actions: [Action] = []
        if isBetter, configuration.advertisesBeforeYielding {
            actions.append(.sendAdvertisement(priority: priority))
        }
        if heard == priority, isOwner {
            // Two owners are a mistake of configuration. The tie has a winner like any other; the
            // loser is no owner any more, and for good, as in keepalived.
            actions.append(.log(.duplicateOwner(yields: isBetter)))
            if isBetter { priority -= 1 }
        }
        guard isBetter else { return actions + assertMastery(over: heard, from: sender, now) }
        return actions + yield(to: advertisement, from: sender, now)
    }

    /// Another master gives up: the hosts and backups hear at once who is there (§6.4.3).
    private mutating func hearResignation(_ now: MonotonicInstant) -> [Action] {
        guard case .master(let next, var pending, let restorations) = state else { return [] }
        var actions: [Action] = [
            .sendAdvertisement(priority: priority), .log(.masterReceivedResignation),
        ]
        if wasSilentTooLong(until: now, since: next) { actions += announceAgain(&pending, now) }
        state = .master(
            nextAdvertisement: now + configuration.advertisementInterval, announcements: pending,
            restorations: restorations)
        return actions
    }

    private mutating func yield(
        to advertisement: Advertisement, from sender: IPAddress, _ now: MonotonicInstant
    ) -> [Action] {
        let message: LogMessage =
            advertisement.priority > priority
            ? .receivedHigherPriority(advertisement.priority, ours: priority, from: sender)
            : .receivedSamePriority(advertisement.priority, from: sender)
        masterPriority = advertisement.priority
        var actions: [Action] = [.log(message)]
        actions += learn(advertisement.interval)
        actions.append(.log(.enteredBackup(isInitial: false)))
        return actions + becomeBackup(now)
    }

    /// Leaves mastery to somebody who has it: without a farewell.
    mutating func becomeBackup(_ now: MonotonicInstant) -> [Action] {
        state = .backup(masterDown: now + masterDownInterval)
        return [.removeAddresses, .transition(.backup)]
    }

    /// RFC 9568 §6.4.3 answers a losing master at once; RFC 3768 and 5798 ignore it; keepalived
    /// answers and announces again, for the hosts that the other one has misled.
    private mutating func assertMastery(
        over heard: UInt8, from sender: IPAddress, _ now: MonotonicInstant
    ) -> [Action] {
        guard case .master(var next, var pending, let restorations) = state else { return [] }
        let answers = configuration.answersLowerPriority
        var actions: [Action] = [
            .log(.receivedLowerPriority(heard, ours: priority, from: sender, answers: answers))
        ]
        let wasSilent = answers && wasSilentTooLong(until: now, since: next)
        if answers {
            actions.append(.sendAdvertisement(priority: priority))
            next = now + configuration.advertisementInterval
        }
        if wasSilent { actions += announceAgain(&pending, now) }
        state = .master(nextAdvertisement: next, announcements: pending, restorations: restorations)
        if !wasSilent { actions += announceAfterLowerPriority(now) }
        actions.append(.transition(.masterHeardLowerPriority))
        return actions
    }

    mutating func announceAfterLowerPriority(_ now: MonotonicInstant) -> [Action] {
        let settings = configuration.announcements
        guard settings.lowerPriorityRepeat > 0,
            case .master(let next, var pending, let restorations) = state
        else { return [] }
        pending.afterLowerPriority = settings.lowerPriorityDelay.map { now + $0 }
        state = .master(nextAdvertisement: next, announcements: pending, restorations: restorations)
        return [.announceAddresses(count: settings.lowerPriorityRepeat)]
    }

    /// Who wins a tie: the higher address, read as a number (§6.4.3).
    private func isBelow(_ sender: IPAddress) -> Bool { sourceAddress.map { $0 < sender } ?? true }

    // MARK: Addresses removed by hand

    /// Puts the addresses back, or steps down when that has not helped.
    mutating func restore(
        _ now: MonotonicInstant, _ next: MonotonicInstant, _ pending: PendingAnnouncements,
        _ restorations: Restorations
    ) -> [Action] {
        var restorations = restorations
        if restorations.count == 0 || now >= restorations.first + masterDownInterval {
            restorations.first = now
            restorations.count = 0
        }
        guard restorations.count < Self.mostRestorations else {
            // The skew alone, so that the addresses are soon back where nobody else takes over.
            state = .backup(masterDown: now + skewTime)
            return [.log(.enteredBackup(isInitial: false))] + resign + [.transition(.backup)]
        }
        restorations.count += 1
        state = .master(nextAdvertisement: next, announcements: pending, restorations: restorations)
        return [
            .log(.restoredAddresses), .restoreAddresses,
            .announceAddresses(count: configuration.announcements.masterRepeat),
        ]
    }
}
