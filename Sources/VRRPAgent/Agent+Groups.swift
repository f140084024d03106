import KeepalivedConf
import VRRP

/// A `vrrp_sync_group`, and how it is doing.
final class GroupRunner {
    var definition: SyncGroupDefinition
    var group: SyncGroup

    init(_ definition: SyncGroupDefinition) {
        self.definition = definition
        group = SyncGroup(definition.name, members: definition.members)
    }
}

extension Agent {
    /// Makes the groups of the configuration and has them begin.
    ///
    /// - Parameter previous: those of before a reload.
    func makeGroups(previous: [String: GroupRunner] = [:]) {
        groups = configuration.syncGroups.map(GroupRunner.init)
        for group in groups {
            for name in group.definition.members {
                guard let runner = runnersByName[name] else { continue }
                perform(group.group.member(name, is: runner.router.standing), of: group)
            }
            let before = previous[group.definition.name]
            perform(group.group.start(previous: before?.group.state), of: group)
        }
        liftFormerFaults()
    }

    /// Takes from the instances that have gone on through a reload what a group imposed on them
    /// before, where their group of now, if any, does not.
    private func liftFormerFaults() {
        // An event costs some time even where there is nothing to clear, and of instances there may
        // be a thousand.
        let imposed: Set<VirtualRouter.Fault> = [.group, .awaitingGroup]
        for runner in runners where !imposed.isDisjoint(with: runner.router.faults) {
            let state = group(of: runner)?.group.state
            if state != .fault { runner.deliver(.faultCleared(.group)) }
            if state != .initialize { runner.deliver(.faultCleared(.awaitingGroup)) }
        }
    }

    func standingChanged(of runner: InstanceRunner) {
        guard let group = group(of: runner) else { return }
        perform(group.group.member(runner.name, is: runner.router.standing), of: group)
    }

    private func group(of runner: InstanceRunner) -> GroupRunner? {
        runner.instance.syncGroup.flatMap { groupsByName[$0] }
    }

    /// Does what a group says.
    ///
    /// What comes of it is done after it, so that a group sees its members' changes one at a time.
    func perform(_ orders: [SyncGroup.Order], of group: GroupRunner) {
        pendingOrders += orders.map { (group, $0) }
        guard !isPerformingOrders else { return }
        isPerformingOrders = true
        while !pendingOrders.isEmpty {
            let (group, order) = pendingOrders.removeFirst()
            switch order {
            case .deliver(let event, let name): runnersByName[name]?.deliver(event)
            case .transition(let transition):
                notify(NotifyTarget(group.definition), transition, priority: 0)
            case .log(let message): log.line("\(message)")
            }
        }
        isPerformingOrders = false
    }

    func transition(_ transition: VirtualRouter.Transition, of runner: InstanceRunner) {
        if transition == .backup || transition == .fault || transition == .stop {
            announcements.cancel(runner.name)
        }
        // In keepalived a member that waits for the answer of another is in FAULT already, and
        // nothing is told when that is bad.
        let isSilent =
            transition == .fault && runner.wasPending && runner.router.standing != .faulty
        if !isSilent {
            notify(NotifyTarget(runner.instance), transition, priority: runner.router.priority)
        }
        managerNotifier.note(transition, of: runner.name)
        guard transition == .masterHeardLowerPriority, let group = group(of: runner) else { return }
        perform(group.group.memberHeardLowerPriority(runner.name), of: group)
    }
}
