import NetworkTypes
import VRRP

// What must be true of all routers of an election once it was quiet for long enough.
extension Simulation {
    /// A unit on one part of the network, and those of its routers who understand each other.
    struct Election {
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

    // MARK: Disturbances

    /// Something happened that lets routers of that election disagree.
    mutating func markDisturbed(_ election: Int, until instant: MonotonicInstant? = nil) {
        elections[election].quietSince = max(elections[election].quietSince, instant ?? now)
        elections[election].stage = .disturbed
        elections[election].isResignation = false
        scheduleAudit(of: election)
    }

    /// The same for all that a machine takes part in.
    mutating func markDisturbed(node: Int) {
        for unit in plan.units.indices {
            markDisturbed(election(ofStation: station(node: node, unit: unit)))
        }
    }

    /// The network has other parts now; a late packet may be on its way in any of them.
    mutating func markAllDisturbed() {
        let latest = elections.map(\.quietSince).max() ?? now
        for election in elections.indices {
            let (unit, _, dialect) = place(of: election)
            guard dialect < plan.dialectCount(unit: unit) else { continue }
            markDisturbed(election, until: max(now, latest))
        }
    }

    /// The master of a converged election resigns: a disturbance with a shorter bound, unless one
    /// of its advertisements may still be under way and make the others wait again.
    mutating func markResigned(unit: Int, at node: Int) {
        let election = election(ofStation: station(node: node, unit: unit))
        let isQuiet =
            elections[election].stage == .converged && nodes[node].isAble
            && members(node: node, unit: unit).allSatisfy { index in
                instances[index].isMaster
                    && now.nanoseconds(since: instances[index].lastSent)
                        > plan.network.delayNanoseconds
            }
        markDisturbed(election)
        elections[election].isResignation = isQuiet
    }

    func election(ofStation station: Int) -> Int {
        election(
            unit: station % plan.units.count, part: nodes[station / plan.units.count].part,
            dialect: stations[station].dialect)
    }

    /// Where an election's unit, part and dialect are.
    private func place(of election: Int) -> (unit: Int, part: Int, dialect: Int) {
        let place = election / Self.maximumDialects
        return (
            place / Self.maximumParts, place % Self.maximumParts, election % Self.maximumDialects
        )
    }

    /// The machines on which the unit may become master there.
    func able(_ election: Int) -> [Int] {
        let (unit, part, dialect) = place(of: election)
        return nodes.indices.filter { node in
            let station = stations[station(node: node, unit: unit)]
            return nodes[node].part == part && nodes[node].isAble && station.isConfigured
                && station.dialect == dialect
                && !members(node: node, unit: unit).contains { instances[$0].isHindered }
        }
    }

    // MARK: Bounds

    /// When the addresses of an election have an owner at the latest.
    func ownerDue(_ election: Int) -> MonotonicInstant {
        let (unit, _, dialect) = place(of: election)
        let isResignation = elections[election].isResignation
        let members = Array(
            zip(plan.units[unit].virtualRouters, plan.timings(unit: unit, dialect: dialect)))
        let soonest =
            able(election).map { node in
                members.map { virtualRouter, timing in
                    let priority =
                        instances[index(node: node, virtualRouter: virtualRouter)].expected.priority
                    return isResignation
                        ? timing.longestSkew(priority: priority)
                        : timing.longestMasterDown(priority: priority)
                }.max() ?? 0
            }.min() ?? 0
        let bound =
            plan.network.delayNanoseconds + Quartz.longest(forOwn: soonest)
            + plan.network.latenessNanoseconds
        return elections[election].quietSince.advanced(
            byNanoseconds: bound + Self.roundingNanoseconds)
    }

    private func convergenceDue(_ election: Int) -> MonotonicInstant {
        let (unit, _, dialect) = place(of: election)
        return elections[election].quietSince.advanced(
            byNanoseconds: plan.convergenceBound(unit: unit, dialect: dialect)
                + Self.roundingNanoseconds)
    }

    private mutating func scheduleAudit(of election: Int) {
        guard !elections[election].isAuditDue else { return }
        let due: MonotonicInstant
        switch elections[election].stage {
        case .disturbed: due = ownerDue(election)
        case .owned: due = convergenceDue(election)
        case .converged: return
        }
        elections[election].isAuditDue = true
        queue.insert(.audit(election: election), at: max(due, now))
    }

    // MARK: Audits

    mutating func audit(_ election: Int) {
        elections[election].isAuditDue = false
        switch elections[election].stage {
        case .disturbed where now >= ownerDue(election):
            let able = able(election)
            for virtualRouter in plan.units[place(of: election).unit].virtualRouters {
                auditOwner(election, virtualRouter, able)
            }
            elections[election].stage = .owned
        case .owned where now >= convergenceDue(election):
            let able = able(election)
            for virtualRouter in plan.units[place(of: election).unit].virtualRouters {
                auditConvergence(election, virtualRouter, able)
            }
            elections[election].stage = .converged
            statistics.convergences += 1
        case .disturbed, .owned, .converged:
            break
        }
        scheduleAudit(of: election)
    }

    /// The master has gone for a reason that is no disturbance, when nobody may be without one.
    mutating func auditOwner(after index: Int) {
        let election = election(of: index)
        guard now > ownerDue(election) else { return }
        auditOwner(election, virtualRouter(of: index), able(election))
    }

    private mutating func auditOwner(_ election: Int, _ virtualRouter: Int, _ able: [Int]) {
        let hasOwner = able.contains {
            instances[index(node: $0, virtualRouter: virtualRouter)].isMaster
        }
        guard !able.isEmpty, !hasOwner else { return }
        report(
            .ownedAddresses,
            "nobody of \(names(able)) is master \(quiet(election)) after the last "
                + (elections[election].isResignation ? "resignation" : "disturbance"),
            election, virtualRouter, suspects: able)
    }

    private mutating func auditConvergence(
        _ election: Int, _ virtualRouter: Int, _ able: [Int]
    ) {
        let masters = able.filter {
            instances[index(node: $0, virtualRouter: virtualRouter)].isMaster
        }
        guard masters.count <= 1 else {
            return report(
                .oneMaster,
                "\(names(masters)) are master \(quiet(election)) after the last disturbance",
                election, virtualRouter, suspects: masters)
        }
        guard let master = masters.first else {
            return auditOwner(election, virtualRouter, able)
        }
        guard let better = able.first(where: { isBetter($0, than: master, election) }) else {
            return
        }
        report(
            .bestMaster,
            "n\(master) is master with priority \(priority(of: master, virtualRouter)) "
                + "\(quiet(election)) after the last disturbance, and n\(better) with priority "
                + "\(priority(of: better, virtualRouter)) is not",
            election, virtualRouter, suspects: [master, better])
    }

    /// Whether a machine should have preempted another: with every member of the unit, for a sync
    /// group goes by its least willing member. (They differ when an owner has met another one in
    /// one of them.)
    private func isBetter(_ node: Int, than master: Int, _ election: Int) -> Bool {
        plan.units[place(of: election).unit].virtualRouters.allSatisfy {
            instances[index(node: node, virtualRouter: $0)].expected.preempts
                && priority(of: node, $0) > priority(of: master, $0)
        }
    }

    private func priority(of node: Int, _ virtualRouter: Int) -> UInt8 {
        instances[index(node: node, virtualRouter: virtualRouter)].expected.priority
    }

    /// At the end nobody may be waiting for something that is over.
    mutating func checkEverythingWasServed() {
        for index in instances.indices {
            let machine = nodes[node(of: index)]
            let local = instances[index].clock.reading(at: end)
            guard machine.isRunning, !machine.isFrozen,
                let deadline = instances[index].deadline,
                local.nanoseconds(since: deadline)
                    > Quartz.longest(forOwn: plan.network.latenessNanoseconds)
            else { continue }
            report(
                .servedDeadlines, "still waits for what was due \(local - deadline) before the end",
                at: index)
        }
    }

    /// How long it is since the last disturbance.
    func quiet(_ election: Int) -> String {
        Trace.duration(now.nanoseconds(since: elections[election].quietSince))
    }

    private mutating func report(
        _ invariant: Invariant, _ details: String, _ election: Int, _ virtualRouter: Int,
        suspects: [Int]
    ) {
        report(
            invariant, details, virtualRouter: virtualRouter, part: place(of: election).part,
            suspects: suspects)
    }

    private func names(_ nodes: [Int]) -> String {
        nodes.map { "n\($0)" }.joined(separator: " and ")
    }
}
