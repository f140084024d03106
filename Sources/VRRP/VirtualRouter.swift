public import NetworkTypes

/// One virtual router on one interface: the state machine of RFC 9568 §6.4 (and of RFC 3768 §6.4
/// for version 2), as a value.
///
/// It knows no clock and no socket. The shell hands it events with the time they happened at,
/// performs the actions it gets back, in order and before the next event, and delivers `.timer`
/// when `deadline` has come:
///
/// ```
///   INIT ── startup ──┬─ a fault ───────────────────────────► FAULT ◄─── any fault, from
///                     ├─ an answer is awaited ─► PENDING ───────┤ ▲      PENDING, BACKUP, MASTER
///                     │                             │ answered, │ │
///                     ▼                             ▼ no fault  │ │
///             owner, startsAsMaster? ◄──────────────┴───────────┘ │   the last fault is gone
///               │ yes            │ no                             │
///               │                ▼                                │
///               │             BACKUP ◄────────────────────┐       │
///               │                │ Master_Down timer;     │ a better advertisement; addresses
///               │                │ promoted by its group  │ removed by hand once too often;
///               ▼                ▼                        │ demoted by its group
///             MASTER: advertise, add the addresses, announce them
/// ```
///
/// `.shutdown` and `.deletion` lead back to INIT from anywhere, out of MASTER with a farewell.
///
/// Timers live in the state, so a BACKUP that waits for nothing cannot be written, and an early,
/// late or repeated `.timer` does what is due and nothing else. Where keepalived and the RFC differ
/// this follows keepalived, with these exceptions:
///
/// - **A refused advertisement never gets here.** In keepalived it restarts the timers (the "advert
///   starvation" of two masters with different passwords).
/// - **A late wake-up.** A process that was stopped or starved finds advertisements waiting and its
///   timer long past. The shell delivers what has arrived first, and the router believes it: a
///   backup waits anew, a master yields to its better. Only when the timer comes after that does a
///   backup take over, and only then does a master go on: at once, so that whoever took over
///   meanwhile yields, or answers, within a packet's time; and when it had been silent for
///   Master_Down_Interval or longer it announces its addresses again, because the other one has
///   turned the hosts' caches to itself and may yield without a word. It does not step down first:
///   that would leave the addresses without an owner when nobody took over.
/// - **Addresses removed by hand** are put back and announced, and mastery goes on; keepalived
///   resigns and takes over again after its skew. Somebody who removes them again and again means
///   it: more than `mostRestorations` times within one Master_Down_Interval, and this does as
///   keepalived does.
/// - **The owner is master at once** when it leaves FAULT too, as at startup (§6.4.1); in
///   keepalived it waits as a backup.
/// - **Two owners** are a tie like any other (§6.4.3): both report the mistake, the one with the
///   lower address yields. In keepalived both yield, and nobody has the addresses for
///   Master_Down_Interval.
/// - **A reload** moves no deadline unless the interval or the count of lost advertisements
///   changes; in keepalived every backup's wait begins anew.
/// - **FAULT is always logged,** here or, at startup, where the configuration was read. keepalived
///   enters it without a line when a script's first answer is bad, and when its group takes a
///   backup along.
/// - **Master_Adver_Interval is the own one** in every new master (§6.4.2); keepalived forgets to
///   without `--log-detail`.
public struct VirtualRouter: Equatable, Sendable {
    /// What was configured.
    public internal(set) var configuration: Configuration
    /// Where the router is, with the deadlines that belong there.
    public internal(set) var state: State = .initialize
    /// The priority in force: the configured one with the weights of what is tracked, or less after
    /// a conflict of two owners.
    public internal(set) var priority: UInt8
    /// Master_Adver_Interval (RFC 9568 §6.1): what a version 3 backup has learned from the master;
    /// in version 2, and in a master, the configured one.
    public internal(set) var masterAdvertisementInterval: Duration
    /// The priority last heard of a master that this router gave way to or let be; 0 before the
    /// first. One that takes over keeps it.
    public internal(set) var masterPriority: UInt8 = 0
    /// The interface's primary address, which advertisements come from and ties are broken with. A
    /// lost one stays, for the farewell; nil before the first.
    public internal(set) var sourceAddress: IPAddress?
    /// Why it cannot take part; empty when it can.
    public internal(set) var faults: Set<Fault> = []
    /// Until when nobody is believed dead; nil when that does not matter any more.
    var startupEnd: MonotonicInstant?

    /// How often the addresses are put back within one Master_Down_Interval.
    public static let mostRestorations = 3

    /// The router's state, in this project's words (RFC 9568 says Active for MASTER).
    public enum State: Equatable, Sendable {
        /// Not started, or shut down.
        case initialize
        /// Started, but something that is tracked has not answered yet; keepalived's INIT. Not a
        /// state of the RFC, which is in Initialize.
        case pending
        /// Somebody else is master; at `masterDown` that is no longer believed. From `preemption`
        /// on a master of lower priority is ignored, so that `masterDown` comes; nil while no such
        /// master was heard that had to be let be for a while. `isCandidate` when `masterDown` has
        /// come but the group does not let it be master yet.
        case backup(
            masterDown: MonotonicInstant, preemption: MonotonicInstant? = nil,
            isCandidate: Bool = false)
        /// This router holds the addresses, advertises at `nextAdvertisement` and has
        /// announcements outstanding.
        case master(
            nextAdvertisement: MonotonicInstant, announcements: PendingAnnouncements,
            restorations: Restorations = Restorations())
        /// It cannot take part, for the reasons in `faults`. Not a state of the RFC, which goes
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

        /// The next of them, nil when none is outstanding.
        @inlinable public var earliest: MonotonicInstant? {
            // Asked for after each event: without an array.
            sooner(sooner(afterTransition, afterLowerPriority), refresh)
        }
    }

    /// How often a master has put its addresses back.
    public struct Restorations: Equatable, Sendable {
        /// Since `first`.
        public var count = 0
        /// When this count began.
        public var first = MonotonicInstant.zero

        public init() {}
    }

    /// A router that has not started. Tell it what is wrong already before `.startup`.
    ///
    /// - Parameter sourceAddress: the interface's primary address; without one it begins with the
    ///   fault `.sourceAddress`.
    public init(_ configuration: Configuration, sourceAddress: IPAddress? = nil) {
        self.configuration = configuration
        self.sourceAddress = sourceAddress
        priority = configuration.priority
        masterAdvertisementInterval = configuration.advertisementInterval
        if sourceAddress == nil { faults = [.sourceAddress] }
    }

    // MARK: Facts

    /// Whether it holds the addresses.
    @inlinable public var isMaster: Bool {
        if case .master = state { true } else { false }
    }

    /// Whether the interface is up and has a carrier.
    public var isLinkUp: Bool { !faults.contains(.link) }

    /// Whether the interface has a primary address.
    public var hasSourceAddress: Bool { !faults.contains(.sourceAddress) }

    /// What its `SyncGroup` has to know. Tell it after each event.
    @inlinable public var standing: Standing {
        if !faults.isEmpty {
            let own = faults.filter { !$0.isOfGroup }
            if own.contains(where: { !$0.isAwaiting }) { return .faulty }
            if !own.isEmpty { return .pending }
        }
        return switch state {
        case .master: .master
        case .backup(_, _, let isCandidate): isCandidate ? .candidate : .able
        case .initialize, .pending, .fault: .able
        }
    }

    /// Whether it owns the addresses (RFC 9568 §6.1); after a conflict with another owner it does
    /// not any more.
    var isOwner: Bool { priority == Advertisement.ownerPriority }

    /// Whether it does not wait for a dead master when it comes up.
    var claimsMastery: Bool { isOwner || configuration.startsAsMaster }

    // MARK: Timers (RFC 9568 §6.1, RFC 3768 §6.1)

    /// How much sooner a router of higher priority takes over: (256 − priority) / 256 of
    /// Master_Adver_Interval in version 3, of a second, whatever the interval is, in version 2.
    /// Exact: at priority 254 and 10 ms it is 78.125 µs.
    public var skewTime: Duration {
        Duration(attoseconds: skewAttoseconds)
    }

    private var skewAttoseconds: Int128 {
        let unit = configuration.version == 2 ? .seconds(1) : masterAdvertisementInterval
        return unit.attoseconds * Int128(256 - Int(priority)) / 256
    }

    /// How long a backup hears nothing before it takes over: 3 × Master_Adver_Interval + skew, or
    /// another number than 3 when configured.
    public var masterDownInterval: Duration {
        // By attoseconds: `Duration * Int` is generic, and ten times as slow. Every advertisement
        // that is heard comes by here.
        Duration(
            attoseconds: masterAdvertisementInterval.attoseconds
                * Int128(configuration.masterDownAdvertisements) + skewAttoseconds)
    }

    /// When the shell must deliver `.timer`; nil when nothing is awaited.
    @inlinable public var deadline: MonotonicInstant? {
        switch state {
        case .initialize, .pending, .fault: nil
        case .backup(let masterDown, _, _): masterDown
        case .master(let nextAdvertisement, let announcements, _):
            announcements.earliest.map { min(nextAdvertisement, $0) } ?? nextAdvertisement
        }
    }

    // MARK: Events

    /// Takes an event that happened at `now` and says what to do about it.
    public mutating func handle(_ event: Event, now: MonotonicInstant) -> [Action] {
        switch (event, state) {
        case (.startup, .initialize):
            startupEnd = configuration.startupDelay > .zero ? now + configuration.startupDelay : nil
            return [.removeAddresses] + initialize(now, isInitial: true)
        case (.startup, .pending), (.startup, .backup), (.startup, .master), (.startup, .fault):
            return []

        case (.shutdown, _): return end(.stop)
        case (.deletion, .fault) where !configuration.notifiesDeletion: return end(nil)
        case (.deletion, _): return end(configuration.notifiesDeletion ? .deleted : .fault)

        case (.timer, .backup(let masterDown, let preemption, _)):
            guard now >= masterDown else { return [] }
            return takeOver(now, preemption)
        case (.timer, .master(let next, let pending, let restorations)):
            return act(now, next, pending, restorations)
        case (.timer, .initialize), (.timer, .pending), (.timer, .fault): return []

        case (
            .advertisement(let advertisement, let sender),
            .backup(_, let preemption, let isCandidate)
        ):
            return hear(advertisement, from: sender, asBackupAt: now, preemption, isCandidate)
        case (.advertisement(let advertisement, let sender), .master):
            return hear(advertisement, from: sender, asMasterAt: now)
        case (.advertisement, .initialize), (.advertisement, .pending), (.advertisement, .fault):
            return []

        case (.faultRaised(let fault), _): return raise(fault)
        case (.faultCleared(let fault), _): return clear(fault, now)
        case (.sourceAddressLost, _): return raise(.sourceAddress)
        case (.sourceAddressAssigned(let address), _):
            sourceAddress = address
            return clear(.sourceAddress, now)

        case (.addressRemoved, .master(let next, let pending, let restorations)):
            return restore(now, next, pending, restorations)
        case (.addressRemoved, .initialize), (.addressRemoved, .pending),
            (.addressRemoved, .backup), (.addressRemoved, .fault):
            return []

        case (.priorityChanged(let priority), _): return change(priority: priority)
        case (.reconfigured(let reconfiguration), _): return reconfigure(reconfiguration, now)

        case (.promoted, .backup): return becomeMaster(now)
        case (.promoted, .initialize), (.promoted, .pending), (.promoted, .master),
            (.promoted, .fault):
            return []
        case (.demoted, .master):
            return [.log(.enteredBackup(isInitial: false))] + becomeBackup(now)
        case (.demoted, .initialize), (.demoted, .pending), (.demoted, .backup), (.demoted, .fault):
            return []
        case (.groupHeardLowerPriority, .master): return announceAfterLowerPriority(now)
        case (.groupHeardLowerPriority, .initialize), (.groupHeardLowerPriority, .pending),
            (.groupHeardLowerPriority, .backup), (.groupHeardLowerPriority, .fault):
            return []
        }
    }
}

/// The sooner of two moments that may never come.
@inlinable func sooner(_ left: MonotonicInstant?, _ right: MonotonicInstant?) -> MonotonicInstant? {
    guard let left else { return right }
    return right.map { min(left, $0) } ?? left
}
