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
    /// A backup waits again whenever it hears a router that it should preempt.
    case restartsTimerOnLower
    /// A refused advertisement restarts the wait (keepalived's advert starvation).
    case restartsTimerOnRefused
    /// A refused advertisement is believed.
    case skipsValidation
    /// A master does not hear its betters.
    case ignoresHigher
    /// A backup keeps the addresses that it had as master.
    case keepsAddresses
    /// A backup takes over half a skew time too soon.
    case hurries
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

    /// The invariants that can notice it.
    public var caughtBy: Set<Invariant> {
        switch self {
        case .ignoresTies: [.oneMaster, .causedTransitions]
        case .treatsEqualAsLower: [.causedTransitions, .stability, .oneMaster]
        case .forgetsResignation: [.ownedAddresses]
        case .restartsTimerOnLower: [.bestMaster]
        case .restartsTimerOnRefused: [.refusedWithoutEffect]
        case .skipsValidation: [.refusedWithoutEffect]
        case .ignoresHigher: [.oneMaster]
        case .keepsAddresses: [.addressesFollowState]
        case .hurries: [.causedTransitions]
        case .oversleeps: [.servedDeadlines]
        case .losesHeart: [.causedTransitions, .stability]
        case .missesTimers: [.futureDeadlines]
        case .speaksAsBackup: [.onlyMastersSpeak]
        case .learnsNothing: [.causedTransitions, .stability]
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
        case .missesTimers, .speaksAsBackup, .restartsTimerOnRefused, .skipsValidation,
            .keepsAddresses, .hurries, .oversleeps,
            .losesHeart:
            break
        }
        return distorted
    }
}
