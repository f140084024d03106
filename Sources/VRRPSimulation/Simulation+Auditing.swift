import NetworkTypes
import VRRP

// What must be true of all routers of a part of the network once it was quiet for long enough.
extension Simulation {
    /// A virtual router on one part of the network.
    struct Group {
        /// The last disturbance; in the future while a packet is under way that is too late.
        var quietSince: MonotonicInstant
        var stage = Stage.disturbed
        /// Whether the last disturbance was the master's resignation, in quiet, so that the others
        /// need not wait for longer than the skew.
        var isResignation = false
        var isAuditDue = false
    }

    /// How much of what the bounds promise has been seen since the last disturbance.
    enum Stage {
        case disturbed
        /// The addresses have an owner.
        case owned
        /// One, and the right one.
        case converged
    }

    /// Somebody's lateness at the limit is not too late: the simulation counts in nanoseconds, an
    /// implementation may round to microseconds.
    static let roundingNanoseconds = 1_000

    /// Something happened that lets routers of that group disagree.
    mutating func markDisturbed(_ group: Int, until instant: MonotonicInstant? = nil) {
        groups[group].quietSince = max(groups[group].quietSince, instant ?? now)
        groups[group].stage = .disturbed
        groups[group].isResignation = false
        scheduleAudit(of: group)
    }

    /// The same for all that a machine takes part in.
    mutating func markDisturbed(node: Int) {
        for virtualRouter in plan.virtualRouters.indices {
            markDisturbed(group(virtualRouter: virtualRouter, part: nodes[node].part))
        }
    }

    /// The network has other parts now; a late packet may be on its way in any of them.
    mutating func markAllDisturbed() {
        let latest = groups.map(\.quietSince).max() ?? now
        for group in groups.indices { markDisturbed(group, until: max(now, latest)) }
    }

    /// The master of a converged group resigns: a disturbance with a shorter bound, unless one of
    /// its advertisements may still be under way and make the others wait again.
    mutating func markResigned(_ index: Int) {
        let group = group(of: index)
        let isQuiet =
            groups[group].stage == .converged && instances[index].isMaster
            && now.nanoseconds(since: instances[index].lastSent) > plan.network.delayNanoseconds
        markDisturbed(group)
        groups[group].isResignation = isQuiet
    }

    /// The instances that may become master there.
    func able(virtualRouter: Int, part: Int) -> [Int] {
        nodes.indices.compactMap { node in
            let instance = index(node: node, virtualRouter: virtualRouter)
            return nodes[node].part == part && nodes[node].isAble && instances[instance].exists
                ? instance : nil
        }
    }

    /// When the addresses of a group have an owner at the latest.
    func ownerDue(_ group: Int) -> MonotonicInstant {
        let virtualRouter = group / Self.maximumParts
        let priorities = able(virtualRouter: virtualRouter, part: group % Self.maximumParts).map {
            instances[$0].priority
        }
        let timing = plan.virtualRouters[virtualRouter].timing
        let bound =
            groups[group].isResignation
            ? timing.resignationBound(ablePriorities: priorities, plan.network)
            : timing.ownerBound(ablePriorities: priorities, plan.network)
        return groups[group].quietSince.advanced(byNanoseconds: bound + Self.roundingNanoseconds)
    }

    private func convergenceDue(_ group: Int) -> MonotonicInstant {
        let timing = plan.virtualRouters[group / Self.maximumParts].timing
        return groups[group].quietSince.advanced(
            byNanoseconds: timing.convergenceBound(plan.network) + Self.roundingNanoseconds)
    }

    private mutating func scheduleAudit(of group: Int) {
        guard !groups[group].isAuditDue else { return }
        let due: MonotonicInstant
        switch groups[group].stage {
        case .disturbed: due = ownerDue(group)
        case .owned: due = convergenceDue(group)
        case .converged: return
        }
        groups[group].isAuditDue = true
        queue.insert(.audit(group: Int32(group)), at: max(due, now))
    }

    mutating func audit(_ group: Int) {
        groups[group].isAuditDue = false
        let virtualRouter = group / Self.maximumParts
        let part = group % Self.maximumParts
        switch groups[group].stage {
        case .disturbed where now >= ownerDue(group):
            auditOwner(group, able(virtualRouter: virtualRouter, part: part))
            groups[group].stage = .owned
        case .owned where now >= convergenceDue(group):
            auditConvergence(group, able(virtualRouter: virtualRouter, part: part))
            groups[group].stage = .converged
            statistics.convergences += 1
        case .disturbed, .owned, .converged:
            break
        }
        scheduleAudit(of: group)
    }

    private mutating func auditOwner(_ group: Int, _ able: [Int]) {
        guard !able.isEmpty, !able.contains(where: { instances[$0].isMaster }) else {
            return
        }
        report(
            .ownedAddresses,
            "nobody of \(names(able)) is master \(now - groups[group].quietSince) after the last "
                + "disturbance" + (groups[group].isResignation ? ", a resignation" : ""),
            group: group, suspects: able)
    }

    private mutating func auditConvergence(_ group: Int, _ able: [Int]) {
        let masters = able.filter { instances[$0].isMaster }
        let quiet = now - groups[group].quietSince
        guard masters.count <= 1 else {
            report(
                .oneMaster,
                "\(names(masters)) are master \(quiet) after the last disturbance",
                group: group, suspects: masters)
            return
        }
        guard let master = masters.first else {
            return auditOwner(group, able)
        }
        let better = able.first {
            instances[$0].preempts && instances[$0].priority > instances[master].priority
        }
        if let better {
            report(
                .bestMaster,
                "\(names([master])) is master with priority \(instances[master].priority) "
                    + "\(quiet) after the last disturbance, and \(names([better])) with priority "
                    + "\(instances[better].priority) is not", group: group,
                suspects: [master, better])
        }
    }

    /// At the end nobody may be waiting for something that is over.
    mutating func checkEverythingWasServed() {
        for index in instances.indices {
            let machine = nodes[node(of: index)]
            guard machine.isRunning, !machine.isFrozen,
                let deadline = instances[index].deadline,
                end.nanoseconds(since: deadline) > plan.network.latenessNanoseconds
            else { continue }
            report(
                .servedDeadlines, "still waits for what was due \(end - deadline) before the end",
                at: index)
        }
    }

    private mutating func report(
        _ invariant: Invariant, _ details: String, group: Int,
        suspects: [Int]
    ) {
        report(
            invariant, details, virtualRouter: group / Self.maximumParts,
            part: group % Self.maximumParts, suspects: suspects.map { node(of: $0) })
    }

    private func names(_ instances: [Int]) -> String {
        instances.map { "n\(node(of: $0))" }.joined(separator: " and ")
    }
}
