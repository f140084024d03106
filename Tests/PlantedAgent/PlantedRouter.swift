import NetworkTypes
import VRRP
import VRRPAgent

/// A mistake that a VRRP daemon could make.
enum PlantedDefect: String, CaseIterable {
    /// A master does not give way to an equal with a higher address (RFC 9568 §6.4.3).
    case ignoresTies = "ignores-ties"
    /// A master announces its addresses the first time that it becomes one, and never again.
    case announcesOnce = "announces-once"
    /// A master that was stopped for longer than its backups wait does not hear its betters when it
    /// goes on.
    case keepsAfterThaw = "keeps-after-thaw"
}

/// Has correct routers err in one way.
final class PlantedRouter: RouterInterposer {
    private let defect: PlantedDefect
    private var hasAnnounced = false
    private var wasStopped = false

    init(_ defect: PlantedDefect) { self.defect = defect }

    func handle(
        _ event: VirtualRouter.Event, by router: inout VirtualRouter, now: MonotonicInstant
    ) -> [VirtualRouter.Action] {
        noteStop(of: router, now: now)
        if case .advertisement(let advertisement, let sender) = event, router.isMaster,
            isOverheard(advertisement, from: sender, by: router)
        {
            return []
        }
        let actions = router.handle(event, now: now)
        guard defect == .announcesOnce else { return actions }
        return actions.filter { action in
            guard case .announceAddresses = action else { return true }
            defer { hasAnnounced = true }
            return !hasAnnounced
        }
    }

    private func noteStop(of router: VirtualRouter, now: MonotonicInstant) {
        guard router.isMaster else {
            wasStopped = false
            return
        }
        guard let due = router.deadline else { return }
        if now - due > router.configuration.advertisementInterval * 3 { wasStopped = true }
    }

    private func isOverheard(
        _ advertisement: Advertisement, from sender: IPAddress, by router: VirtualRouter
    ) -> Bool {
        switch defect {
        case .ignoresTies: advertisement.priority == router.priority
        case .keepsAfterThaw: wasStopped && advertisement.priority > router.priority
        case .announcesOnce: false
        }
    }
}
