import NetworkTypes
import VRRP

/// A mistake that implementations make, put between the network and a correct `VirtualRouter`: the
/// proof that the invariants have teeth, each being found within a fixed number of seeds.
public enum PlantedBug: String, CaseIterable, Sendable {
    /// A master does not give way to an equal with a higher address.
    case ignoresTies
    /// A backup takes an equal for a router of lower priority.
    case treatsEqualAsLower
    /// A backup overhears that the master resigns.
    case forgetsResignation
    /// A master ends without a word.
    case neverResigns
    /// A backup waits again whenever it hears a router that it should preempt.
    case restartsTimerOnLower
    /// A refused advertisement restarts the wait (keepalived's advert starvation).
    case restartsTimerOnRefused
    /// A forged advertisement is believed.
    case skipsValidation
    /// The advertisement of a router that is set up differently is believed.
    case trustsStrangers
    /// A master does not hear its betters.
    case ignoresHigher
    /// A backup keeps the addresses that it had as master.
    case keepsAddresses
    /// A backup takes over half a skew time too soon.
    case hurries
    /// A backup does not add the skew.
    case hasNoSkew
    /// A timer is served an interval late.
    case oversleeps
    /// A master gives up now and then, for no reason.
    case losesHeart
    /// A timer that is due does nothing, now and then.
    case missesTimers
    /// A backup advertises now and then.
    case speaksAsBackup
    /// A version 3 backup does not learn the master's interval.
    case learnsNothing
    /// `nopreempt` is overlooked.
    case alwaysPreempts
    /// `preempt_delay` is overlooked.
    case preemptsAtOnce
    /// `vrrp_startup_delay` is overlooked.
    case startsAtOnce
    /// The weights of scripts are overlooked.
    case ignoresWeights
    /// A router that should be in FAULT goes on.
    case ignoresFaults
    /// A reload begins the router's life anew.
    case restartsOnReload
    /// The last member of a sync group stays master when the others give up.
    case ignoresGroup
    /// Of two owners none gives way.
    case insistsOnOwning
    /// Nobody is told that there are two owners.
    case concealsOwners

    /// The invariants that can notice it.
    public var caughtBy: Set<Invariant> {
        switch self {
        case .ignoresTies: [.oneMaster]
        case .treatsEqualAsLower: [.causedTransitions, .stability, .oneMaster, .rightTimers]
        case .forgetsResignation: [.ownedAddresses]
        case .neverResigns: [.ownedAddresses]
        case .restartsTimerOnLower: [.bestMaster, .rightTimers]
        case .restartsTimerOnRefused, .skipsValidation, .trustsStrangers: [.refusedWithoutEffect]
        case .ignoresHigher: [.oneMaster]
        case .keepsAddresses: [.addressesFollowState]
        case .hurries: [.causedTransitions, .rightTimers]
        case .hasNoSkew: [.causedTransitions, .rightTimers]
        case .oversleeps: [.servedDeadlines, .stability, .oneMaster]
        case .losesHeart: [.causedTransitions, .stability]
        case .missesTimers: [.futureDeadlines, .rightTimers]
        case .speaksAsBackup: [.onlyMastersSpeak]
        case .learnsNothing, .alwaysPreempts, .preemptsAtOnce:
            [.causedTransitions, .stability, .rightTimers]
        case .startsAtOnce: [.causedTransitions, .rightTimers]
        case .ignoresWeights: [.rightPriority, .onlyMastersSpeak, .rightTimers]
        case .ignoresFaults: [.causedTransitions]
        case .restartsOnReload: [.causedTransitions, .onlyMastersSpeak]
        case .ignoresGroup: [.groupsAgree]
        case .insistsOnOwning: [.oneMaster]
        case .concealsOwners: [.reportedOwners]
        }
    }

    /// The advertisement as a router with this bug takes it, or nil when it does not hear it.
    func distorted(
        _ advertisement: Advertisement, heardBy router: VirtualRouter, isFromHigherAddress: Bool
    ) -> Advertisement? {
        var distorted = advertisement
        let heard = advertisement.priority
        let isMaster = router.isMaster
        switch self {
        case .ignoresTies:
            return isMaster && heard == router.priority && isFromHigherAddress
                ? nil : advertisement
        case .treatsEqualAsLower:
            if !isMaster && heard == router.priority && heard > 1 { distorted.priority -= 1 }
        case .forgetsResignation:
            return heard == Advertisement.resignationPriority ? nil : advertisement
        case .restartsTimerOnLower:
            if !isMaster && heard != Advertisement.resignationPriority && heard < router.priority {
                distorted.priority = router.priority
            }
        case .ignoresHigher:
            return isMaster && heard > router.priority ? nil : advertisement
        case .learnsNothing:
            distorted.interval = router.configuration.advertisementInterval
        case .insistsOnOwning:
            return isMaster && heard == Advertisement.ownerPriority && heard == router.priority
                ? nil : advertisement
        default: break
        }
        return distorted
    }

    /// The configuration as a router with this bug reads it, nil when as it is.
    func distorted(
        _ configuration: VirtualRouter.Configuration
    ) -> VirtualRouter.Configuration? {
        var distorted = configuration
        switch self {
        case .alwaysPreempts: distorted.preempts = true
        case .preemptsAtOnce: distorted.preemptionDelay = nil
        case .startsAtOnce: distorted.startupDelay = .zero
        default: return nil
        }
        return distorted
    }

    /// The verdict of a decoder with this bug.
    func distorted(_ verdict: Verdict, _ packet: Packet) -> Verdict {
        guard case .refused = verdict else { return verdict }
        let isBelieved =
            packet.forgery == nil ? self == .trustsStrangers : self == .skipsValidation
        return isBelieved ? .accepted(packet.advertisement) : verdict
    }
}

extension Simulation {
    /// Whether a router with that bug does not hear of an event at all.
    mutating func misses(_ event: VirtualRouter.Event, _ bug: PlantedBug) -> Bool {
        switch (bug, event) {
        case (.missesTimers, .timer): generator.chance(percent: 1)
        case (.ignoresWeights, .priorityChanged): true
        case (.ignoresFaults, .faultRaised(.link)): true
        default: false
        }
    }

    /// What a router with that bug does instead, or besides.
    mutating func distort(
        _ actions: inout [VirtualRouter.Action], _ step: Step, _ bug: PlantedBug, at index: Int
    ) {
        switch bug {
        case .neverResigns:
            actions.removeAll { $0 == .sendAdvertisement(priority: 0) }
        case .keepsAddresses where instances[index].phase == .backup && step.before == .master:
            actions.removeAll { $0 == .removeAddresses }
        case .concealsOwners:
            actions.removeAll { if case .log(.duplicateOwner) = $0 { true } else { false } }
        case .speaksAsBackup where instances[index].phase == .backup && step.heard != nil:
            if generator.chance(percent: 1) {
                actions.append(
                    .sendAdvertisement(priority: instances[index].expected.priority))
            }
        case .restartsOnReload where step.cause == .reload && instances[index].isMaster:
            actions += instances[index].handle(.shutdown, now: step.now)
            actions += instances[index].handle(.startup, now: step.now)
        default: break
        }
    }

    /// When a process with that bug looks at the clock, instead of at `wake`.
    mutating func mistimed(
        _ wake: MonotonicInstant, _ bug: PlantedBug, at index: Int
    ) -> MonotonicInstant {
        switch bug {
        case .hurries where instances[index].phase == .backup:
            wake.advanced(byNanoseconds: -instances[index].expected.skewNanoseconds / 2)
        case .hasNoSkew where instances[index].phase == .backup:
            wake.advanced(byNanoseconds: -instances[index].expected.skewNanoseconds)
        case .oversleeps where generator.chance(percent: 5):
            wake.advanced(byNanoseconds: plan.longestIntervalNanoseconds)
        default: wake
        }
    }
}
