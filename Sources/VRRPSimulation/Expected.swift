import NetworkTypes
import VRRP

/// What the RFCs want a router to do next, told by what it has heard and by nothing that it says
/// of itself. Instants are of its machine's clock.
struct Expected {
    /// The priority it should have now.
    private(set) var priority: UInt8
    /// Its own interval, nanoseconds.
    private(set) var intervalNanoseconds: Int
    private(set) var advertisesBeforeYielding: Bool
    private let version: Int
    private var masterDownAdvertisements: Int
    private var mayPreempt: Bool
    private let claimsMastery: Bool
    private let isInGroup: Bool
    private var preemptionDelayNanoseconds: Int?
    private let startupDelayNanoseconds: Int
    private var wait = Wait()

    /// A backup's wait.
    private struct Wait {
        /// When it began, or will.
        var start = MonotonicInstant.zero
        var kind = Kind.masterDown
        /// The master's interval, nanoseconds.
        var intervalNanoseconds = 0
        /// Until when a lesser master is let be; nil while none was heard.
        var preemption: MonotonicInstant?
        /// The end of the startup's delay, before which nobody is believed dead.
        var startup = MonotonicInstant.zero

        enum Kind {
            /// For a dead master.
            case masterDown
            /// After a resignation.
            case skew
            /// For the other members of a group alone: this one claims the mastery.
            case none
        }
    }

    init(_ configuration: VirtualRouter.Configuration) {
        priority = configuration.priority
        version = configuration.version
        claimsMastery = configuration.startsAsMaster
        isInGroup = configuration.isInGroup
        startupDelayNanoseconds = Int(configuration.startupDelay.wholeNanoseconds)
        intervalNanoseconds = 0
        advertisesBeforeYielding = false
        masterDownAdvertisements = 0
        mayPreempt = false
        adopt(configuration)
    }

    private mutating func adopt(_ configuration: VirtualRouter.Configuration) {
        intervalNanoseconds = Int(configuration.advertisementInterval.wholeNanoseconds)
        masterDownAdvertisements = configuration.masterDownAdvertisements
        mayPreempt = configuration.preempts
        advertisesBeforeYielding = configuration.advertisesBeforeYielding
        preemptionDelayNanoseconds =
            configuration.preemptionDelay.map { Int($0.wholeNanoseconds) }
    }

    /// Whether it takes over from a master of lower priority; the owner always does (RFC 9568
    /// §6.1).
    var preempts: Bool { mayPreempt || priority == Advertisement.ownerPriority }

    /// Whether it becomes master without waiting for anybody (§6.4.1).
    private var startsAsMaster: Bool {
        claimsMastery || priority == Advertisement.ownerPriority
    }

    /// The same once the startup's delay is over.
    func claimsMastery(at now: MonotonicInstant) -> Bool { startsAsMaster && now >= wait.startup }

    /// Before this it has no reason to become master.
    var earliestMastery: MonotonicInstant {
        let interval = wait.intervalNanoseconds
        let length =
            switch wait.kind {
            case .none: 0
            case .skew:
                Timing.skew(version: version, priority: priority, intervalNanoseconds: interval)
            case .masterDown:
                masterDownAdvertisements * interval
                    + Timing.skew(
                        version: version, priority: priority, intervalNanoseconds: interval)
            }
        return wait.start.advanced(byNanoseconds: length)
    }

    /// How far a router's deadline is too early when it forgets the skew; for a planted bug.
    var skewNanoseconds: Int {
        Timing.skew(
            version: version, priority: priority, intervalNanoseconds: wait.intervalNanoseconds)
    }

    // MARK: What happens to it

    /// It is started.
    mutating func start(at now: MonotonicInstant) {
        wait.startup =
            startupDelayNanoseconds > 0
            ? now.advanced(byNanoseconds: startupDelayNanoseconds) : .zero
    }

    /// It becomes a backup, or comes up as one.
    ///
    /// - Parameter comesUp: from FAULT or the start, and not out of mastery.
    mutating func becomeBackup(
        at now: MonotonicInstant, comesUp: Bool, isForSkew: Bool, learned interval: Int?
    ) {
        wait.preemption = nil
        wait.start = comesUp ? max(now, wait.startup) : now
        wait.kind = isForSkew ? .skew : comesUp && startsAsMaster ? .none : .masterDown
        wait.intervalNanoseconds = interval ?? intervalNanoseconds
    }

    /// It is master: the startup is over.
    mutating func becomeMaster() { wait.startup = .zero }

    /// A backup hears somebody. (§6.4.2; `preempt_delay` is keepalived's: a lesser master is let
    /// be, and waited for, until so long after the first time that one is heard.)
    mutating func hear(
        _ heardPriority: UInt8, intervalNanoseconds heard: Int, now: MonotonicInstant
    ) {
        // Version 3 adopts the master's interval, version 2 has the same (RFC 9568 §6.4.2).
        let interval = version == 3 ? heard : intervalNanoseconds
        if heardPriority == Advertisement.resignationPriority {
            // Who believes nobody has nobody to lose; it is the group that it waits for.
            if isInGroup, earliestMastery <= now { return }
            wait.start = max(now, wait.startup)
            wait.kind = .skew
            return
        }
        if heardPriority < priority, preempts {
            guard let delay = preemptionDelayNanoseconds,
                wait.preemption.map({ now < $0 }) ?? true
            else { return }
            wait.preemption = wait.preemption ?? now.advanced(byNanoseconds: delay)
        } else {
            wait.preemption = nil
        }
        wait.start = max(now, wait.startup)
        wait.kind = .masterDown
        wait.intervalNanoseconds = interval
    }

    /// Its scripts have changed its priority, and with it the skew.
    mutating func change(priority new: UInt8, now: MonotonicInstant) {
        // A wait that is over for all but the group stays over.
        if isInGroup, earliestMastery <= now {
            wait.kind = .none
            wait.start = now
        }
        priority = new
    }

    /// It was an owner, and has heard of another one.
    mutating func loseOwnership() { priority -= 1 }

    /// A reload has changed what it is told. Of a wait only another interval or count of lost
    /// advertisements makes a new one.
    mutating func reload(
        _ configuration: VirtualRouter.Configuration, priority: UInt8, now: MonotonicInstant
    ) {
        let before = (intervalNanoseconds, masterDownAdvertisements)
        adopt(configuration)
        change(priority: priority, now: now)
        guard before != (intervalNanoseconds, masterDownAdvertisements), wait.kind != .none
        else { return }
        wait.start = max(now, wait.startup)
        wait.kind = .masterDown
        wait.intervalNanoseconds = intervalNanoseconds
    }
}
