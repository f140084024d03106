public import NetworkTypes

/// One virtual router on one interface: the state machine of RFC 3768 §6.4, as a value.
///
/// It knows no clock and no socket. The shell hands it events with the time they happened at,
/// performs the actions it gets back, in order and before the next event, and delivers `.timer`
/// when `deadline` has come:
///
/// ```
///                      link down, no source address
///           ┌───────────────────────────────────────────► FAULT
///           │                                               │ both are back
///  startup  │   Master_Down timer; owner at once            ▼
/// INIT ──► BACKUP ◄──────────────────────────────────── (as at startup)
///           │  ▲   better advertisement, address removed by hand
///           ▼  │
///          MASTER: advertise, add the addresses, announce them
/// ```
///
/// Timers live in the state, so a BACKUP that waits for nothing cannot be written, and an early,
/// late or repeated `.timer` does what is due and nothing else. Where keepalived and the RFC differ
/// this follows keepalived, except that an advertisement which was refused never gets here: in
/// keepalived it restarts the timers (the "advert starvation" of two masters with different
/// passwords).
public struct VirtualRouter: Equatable, Sendable {
    /// What was configured.
    public let configuration: Configuration
    /// Where the router is, with the deadlines that belong there.
    public private(set) var state: State = .initialize
    /// The priority in force: the configured one, or less after a conflict of two owners.
    public private(set) var priority: UInt8
    /// The interface's primary address, which advertisements come from and ties are broken with. A
    /// lost one stays, for the farewell; nil before the first.
    public private(set) var sourceAddress: IPAddress?
    /// Whether the interface has a primary address.
    public private(set) var hasSourceAddress: Bool
    /// Whether the interface is up and has a carrier.
    public private(set) var isLinkUp = true

    /// The router's state, in this project's words (RFC 9568 says Active for MASTER).
    public enum State: Equatable, Sendable {
        /// Not started, or shut down.
        case initialize
        /// Somebody else is master; at `masterDown` that is no longer believed. From
        /// `preemption` on a master of lower priority is ignored, so that `masterDown` comes; nil
        /// while no such master was heard that had to be let be for a while.
        case backup(masterDown: MonotonicInstant, preemption: MonotonicInstant? = nil)
        /// This router holds the addresses, advertises at `nextAdvertisement` and has
        /// announcements outstanding.
        case master(nextAdvertisement: MonotonicInstant, announcements: PendingAnnouncements)
        /// It cannot take part: no link or no source address. Not a state of the RFC, which goes
        /// back to Initialize.
        case fault
    }

    /// When a master repeats its gratuitous ARP; nil for what is not outstanding.
    public struct PendingAnnouncements: Equatable, Sendable {
        /// The second burst after becoming master.
        public var afterTransition: MonotonicInstant?
        /// The second burst after a router of lower priority was heard. One, counted from the last
        /// such advertisement: keepalived queues one for each, which a flood would make many.
        public var afterLowerPriority: MonotonicInstant?
        /// The next periodic burst.
        public var refresh: MonotonicInstant?

        var earliest: MonotonicInstant? {
            [afterTransition, afterLowerPriority, refresh].compactMap(\.self).min()
        }
    }

    /// What can happen to a router.
    public enum Event: Equatable, Sendable {
        case startup
        case shutdown
        /// `deadline` has come, or perhaps has.
        case timer
        /// An advertisement for this router that passed every check, from another host's address.
        case advertisement(Advertisement, from: IPAddress)
        /// The interface is down or has lost its carrier.
        case linkDown
        /// The interface is up and has a carrier.
        case linkUp
        /// This is the interface's primary address from now on.
        case sourceAddressAssigned(IPAddress)
        /// The interface has no primary address any more.
        case sourceAddressLost
        /// Somebody took a virtual address from the interface behind the router's back.
        case addressRemoved
    }

    /// What the shell is to do.
    public enum Action: Equatable, Sendable {
        /// Send an advertisement with that priority from `sourceAddress`.
        case sendAdvertisement(priority: UInt8)
        /// Put the virtual addresses on the interface.
        case addAddresses
        /// Take them off; it is no failure when they are not there.
        case removeAddresses
        /// Send a gratuitous ARP for every virtual address, and all of that `count` times.
        case announceAddresses(count: Int)
        /// Log this.
        case log(LogMessage)
    }

    /// A router that has not started; give it `.linkDown` or a source address before `.startup`
    /// when the interface is down or has one.
    public init(_ configuration: Configuration, sourceAddress: IPAddress? = nil) {
        self.configuration = configuration
        self.sourceAddress = sourceAddress
        hasSourceAddress = sourceAddress != nil
        priority = configuration.priority
    }

    // MARK: Timers (RFC 3768 §6.1)

    /// How much sooner a router of higher priority takes over: (256 − priority) / 256 seconds,
    /// whatever the interval is.
    public var skewTime: Duration { .seconds(1) * (256 - Int(priority)) / 256 }

    /// How long a backup hears nothing before it takes over: 3 × interval + skew.
    public var masterDownInterval: Duration {
        configuration.advertisementInterval * 3 + skewTime
    }

    /// When the shell must deliver `.timer`; nil when nothing is awaited.
    public var deadline: MonotonicInstant? {
        switch state {
        case .initialize, .fault: nil
        case .backup(let masterDown, _): masterDown
        case .master(let nextAdvertisement, let announcements):
            min(nextAdvertisement, announcements.earliest ?? nextAdvertisement)
        }
    }

    // MARK: Events

    /// Takes an event that happened at `now` and says what to do about it.
    public mutating func handle(_ event: Event, now: MonotonicInstant) -> [Action] {
        switch (event, state) {
        case (.startup, .initialize): return start(now)
        case (.startup, .backup), (.startup, .master), (.startup, .fault): return []

        case (.shutdown, .master):
            state = .initialize
            return resign
        case (.shutdown, .backup), (.shutdown, .fault), (.shutdown, .initialize):
            state = .initialize
            return []

        case (.timer, .backup(let masterDown, _)):
            guard now >= masterDown else { return [] }
            return [.log(.receivedAdvertisementTimeout)] + becomeMaster(now)
        case (.timer, .master(let nextAdvertisement, let announcements)):
            return act(nextAdvertisement, announcements, now)
        case (.timer, .initialize), (.timer, .fault): return []

        case (.advertisement(let advertisement, let sender), .backup(_, let preemption)):
            return hear(advertisement, from: sender, asBackupAt: now, preemption)
        case (.advertisement(let advertisement, let sender), .master(_, let announcements)):
            return hear(advertisement, from: sender, asMasterAt: now, announcements)
        case (.advertisement, .initialize), (.advertisement, .fault): return []

        case (.linkDown, _):
            isLinkUp = false
            return becomeFaulty()
        case (.sourceAddressLost, _):
            hasSourceAddress = false
            return becomeFaulty()
        case (.linkUp, _):
            isLinkUp = true
            return recover(now)
        case (.sourceAddressAssigned(let address), _):
            sourceAddress = address
            hasSourceAddress = true
            return recover(now)

        case (.addressRemoved, .master):
            // The skew alone, so that the addresses are soon back where nobody else takes over.
            state = .backup(masterDown: now + skewTime)
            return [.log(.enteredBackup(isInitial: false))] + resign
        case (.addressRemoved, .initialize), (.addressRemoved, .backup), (.addressRemoved, .fault):
            return []
        }
    }

    private var isAble: Bool { isLinkUp && hasSourceAddress }

    /// §6.4.1. Addresses that a killed predecessor left behind are removed first.
    private mutating func start(_ now: MonotonicInstant) -> [Action] {
        guard isAble else {
            state = .fault
            return [.removeAddresses, .log(.enteredFault(isInitial: true))]
        }
        guard priority != Advertisement.ownerPriority else {
            return [.removeAddresses] + becomeMaster(now)
        }
        state = .backup(masterDown: now + masterDownInterval)
        return [.removeAddresses, .log(.enteredBackup(isInitial: true))]
    }

    /// The advertisement goes first: the old master must remove the addresses before the new one
    /// announces them (keepalived's order; §6.4.2 says advertise, announce).
    private mutating func becomeMaster(_ now: MonotonicInstant) -> [Action] {
        let settings = configuration.announcements
        state = .master(
            nextAdvertisement: now + configuration.advertisementInterval,
            announcements: PendingAnnouncements(
                afterTransition: settings.masterDelay.map { now + $0 },
                refresh: settings.refreshInterval.map { now + $0 }))
        return [
            .sendAdvertisement(priority: priority), .log(.enteredMaster), .addAddresses,
            .announceAddresses(count: settings.masterRepeat),
        ]
    }

    /// What a master whose timer has fired does (§6.4.3): whatever is due, once, however late.
    private mutating func act(
        _ next: MonotonicInstant, _ pending: PendingAnnouncements, _ now: MonotonicInstant
    ) -> [Action] {
        let settings = configuration.announcements
        var (next, pending) = (next, pending)
        var actions: [Action] = []
        if now >= next {
            actions.append(.sendAdvertisement(priority: priority))
            // On the grid, so that late wake-ups do not add up; but missed ones are not made up.
            next += configuration.advertisementInterval
            if next <= now { next = now + configuration.advertisementInterval }
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
        state = .master(nextAdvertisement: next, announcements: pending)
        return actions
    }

    /// §6.4.2.
    private mutating func hear(
        _ advertisement: Advertisement, from sender: IPAddress, asBackupAt now: MonotonicInstant,
        _ preemption: MonotonicInstant?
    ) -> [Action] {
        if advertisement.priority == Advertisement.resignationPriority {
            state = .backup(masterDown: now + skewTime, preemption: preemption)
            return [.log(.backupReceivedResignation)]
        }
        let masterDown = now + masterDownInterval
        guard advertisement.priority < priority else {
            state = .backup(masterDown: masterDown)
            return preemption == nil ? [] : [.log(.stoppedPreemptionDelay)]
        }
        guard configuration.preempts || priority == Advertisement.ownerPriority else {
            state = .backup(masterDown: masterDown)
            return []
        }
        if let delay = configuration.preemptionDelay, preemption.map({ now < $0 }) ?? true {
            state = .backup(masterDown: masterDown, preemption: preemption ?? now + delay)
            return preemption == nil ? [.log(.startedPreemptionDelay(delay))] : []
        }
        return [.log(.discardedLowerPriority(advertisement.priority, from: sender))]
    }

    /// §6.4.3.
    private mutating func hear(
        _ advertisement: Advertisement, from sender: IPAddress, asMasterAt now: MonotonicInstant,
        _ announcements: PendingAnnouncements
    ) -> [Action] {
        let settings = configuration.announcements
        let next = now + configuration.advertisementInterval
        let heard = advertisement.priority
        if heard == Advertisement.resignationPriority {
            state = .master(nextAdvertisement: next, announcements: announcements)
            return [.sendAdvertisement(priority: priority), .log(.masterReceivedResignation)]
        }
        var actions: [Action] = []
        if heard == priority {
            // Our own address at another host: nobody can win this tie, so nobody moves.
            guard sender != sourceAddress else { return [.log(.receivedEqualFromOwnAddress)] }
            if priority == Advertisement.ownerPriority {
                // Two owners are a mistake of configuration; keepalived gives way for good.
                priority -= 1
                actions.append(.log(.duplicateOwner))
            }
        }
        if heard > priority || heard == priority && isBelow(sender) {
            actions.append(
                .log(
                    heard > priority
                        ? .receivedHigherPriority(heard, ours: priority, from: sender)
                        : .receivedSamePriority(heard, from: sender)))
            actions += [.log(.enteredBackup(isInitial: false)), .removeAddresses]
            state = .backup(masterDown: now + masterDownInterval)
            return actions
        }
        // RFC 9568 §6.4.3 answers a losing master at once; RFC 3768 ignores it; keepalived answers
        // and announces again, for the hosts that the other one has misled.
        actions += [
            .log(.receivedLowerPriority(heard, ours: priority, from: sender)),
            .sendAdvertisement(priority: priority),
        ]
        var pending = announcements
        if settings.lowerPriorityRepeat > 0 {
            actions.append(.announceAddresses(count: settings.lowerPriorityRepeat))
            pending.afterLowerPriority = settings.lowerPriorityDelay.map { now + $0 }
        }
        state = .master(nextAdvertisement: next, announcements: pending)
        return actions
    }

    private func isBelow(_ sender: IPAddress) -> Bool { sourceAddress.map { $0 < sender } ?? true }

    private mutating func becomeFaulty() -> [Action] {
        switch state {
        case .initialize, .fault: return []
        case .backup:
            state = .fault
            return [.log(.enteredFault(isInitial: false))]
        case .master:
            state = .fault
            return [.log(.enteredFault(isInitial: false))] + resign
        }
    }

    /// Takes part again, when nothing is missing any more: as at startup, so the owner of the
    /// addresses has them back at once.
    private mutating func recover(_ now: MonotonicInstant) -> [Action] {
        guard state == .fault, isAble else { return [] }
        guard priority != Advertisement.ownerPriority else { return becomeMaster(now) }
        state = .backup(masterDown: now + masterDownInterval)
        return [.log(.enteredBackup(isInitial: false))]
    }

    /// Giving the addresses up: the farewell goes first, because the backup's wait starts with it.
    private var resign: [Action] {
        [
            .sendAdvertisement(priority: Advertisement.resignationPriority),
            .log(.sentResignation), .removeAddresses,
        ]
    }
}
