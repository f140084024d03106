public import NetworkTypes

/// What is true of virtual routers at every step, whatever the network and the machines do.
/// `Timing` derives the bounds.
public enum Invariant: String, CaseIterable, Sendable {
    /// One master at most among those who hear and understand each other, once they had the time
    /// to converge: two masters hear each other, and the lesser one gives way (RFC 3768 §6.4.3).
    case oneMaster = "one master"
    /// No able router that preempts has a higher priority than that master: the lesser master's
    /// advertisements do not restart its timer (§6.4.2).
    case bestMaster = "the best is master"
    /// The addresses are not without a master for longer than the shortest Master_Down_Interval,
    /// or, after a resignation, the shortest skew (§6.4.2).
    case ownedAddresses = "addresses have an owner"
    /// In a part of the network that has converged nobody changes its state until the next
    /// disturbance: the master advertises before a third of anybody's patience is over.
    case stability = "no change in quiet"
    /// A router becomes master when its timer fires, which is never sooner than Master_Down after
    /// it last heard a better one, or skew after a resignation; a master gives way only to a better
    /// advertisement or to what happened to its own machine (§6.4).
    case causedTransitions = "every transition has a cause"
    /// An advertisement that is forged, or of a router that is set up differently, is refused and
    /// changes nothing, timers included; one of a router that is set up alike is not refused
    /// (§7.1).
    case refusedWithoutEffect = "refused without effect"
    /// A backup and a master always await something, and never something that is past: after an
    /// event the deadline is the one it was, or in the future; after `.timer`, in the future. So no
    /// shell spins.
    case futureDeadlines = "deadlines are in the future"
    /// A backup waits as long as the RFC says, by its own clock and to the microsecond, not for
    /// longer and not for less (§6.1, §6.4.2); a master advertises every interval (§6.4.3).
    case rightTimers = "timers are the RFC's"
    /// The priority is the configured one and the weights of what is well and what fails, within 1
    /// and 254; the owner's is 255.
    case rightPriority = "priority and weights add up"
    /// The members of a sync group are in one state whenever their daemon has dealt with an event:
    /// there is no time in which they may differ.
    case groupsAgree = "sync groups agree"
    /// A master that owns the addresses and hears another owner reports the mistake (RFC 9568
    /// §7.1). Both may be masters until they hear each other; then the rule is that of any tie
    /// (§6.4.3), so that `oneMaster` holds for owners too.
    case reportedOwners = "two owners are reported"
    /// No deadline is left unserved for longer than a process may oversleep.
    case servedDeadlines = "every deadline is served"
    /// Addresses are added by becoming master and removed by ceasing to be, once each; only at
    /// startup those of a dead predecessor are removed unseen.
    case addressesFollowState = "addresses follow the state"
    /// Only a master advertises, with its own priority, and says 0 only as it ends; it advertises
    /// before it announces, and announces only what it has.
    case onlyMastersSpeak = "only masters speak"
}

/// The first thing in a run that was not as it must be.
public struct Violation: Sendable, Equatable {
    /// What does not hold.
    public var invariant: Invariant
    /// What was seen instead, in words.
    public var details: String
    /// When.
    public var instant: MonotonicInstant
    /// The virtual router, as an index.
    var virtualRouter: Int
    /// The part of the network.
    var part: Int
    /// The nodes it is about.
    var suspects: [Int]
}
