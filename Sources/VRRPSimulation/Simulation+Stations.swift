import NetworkTypes
import VRRP

// Units on machines: the shell around a sync group, and what a daemon does when it starts, stops
// and reads its file again.
extension Simulation {
    /// A unit on a machine.
    struct Station {
        /// Whether the machine's file has it.
        var isConfigured: Bool
        /// What it is set to, in the file.
        var dialect = 0
        /// The group that its members belong to; nil for a single virtual router, and while the
        /// daemon is not running.
        var group: SyncGroup?
        /// What the group wants done, oldest first.
        var orders: [SyncGroup.Order] = []
        var isPerformingOrders = false
        /// While the daemon starts or reloads, members may differ.
        var isChanging = false
        /// When a member last stopped being master for a reason of its own.
        var lastYield = MonotonicInstant.zero
        /// When the delay of its startup is over, at the latest.
        var startupEnd = MonotonicInstant.zero
        /// Whether a reload has changed its priority away from the plan's.
        var priority: UInt8?
        var preempts: Bool?
    }

    // MARK: Start and end

    /// The file's configuration of an instance.
    func configuration(of index: Int) -> VirtualRouter.Configuration {
        let station = stations[station(of: index)]
        var configuration =
            plan.virtualRouters[virtualRouter(of: index)].configurations[node(of: index)][
                station.dialect]
        if let priority = station.priority { configuration.priority = priority }
        if let preempts = station.preempts {
            configuration.preempts = preempts
            if !preempts { configuration.preemptionDelay = nil }
        }
        return configuration
    }

    /// The configuration as a router with the planted bug has it.
    func planted(_ configuration: VirtualRouter.Configuration) -> VirtualRouter.Configuration {
        options.plantedBug?.distorted(configuration) ?? configuration
    }

    func weights(of index: Int, base: UInt8) -> EffectivePriority {
        let unit = plan.units[unit(of: index)]
        var weights: [EffectivePriority.Tracked: EffectivePriority.Weight] = [:]
        for (script, weight) in unit.weights.enumerated() {
            weights[.script("s\(script)")] = weight
        }
        return unit.isSyncGroup
            ? EffectivePriority(base: base, groupWeights: weights, isBoundToGroup: true)
            : EffectivePriority(base: base, weights: weights)
    }

    /// A daemon starts what its file says of a unit. What an earlier one left on the interface is
    /// still there.
    mutating func start(unit: Int, at node: Int) {
        let station = station(node: node, unit: unit)
        guard stations[station].isConfigured else { return }
        stations[station].startupEnd = startupEnd(of: node)
        markDisturbed(election(ofStation: station), until: stations[station].startupEnd)
        stations[station].isChanging = true
        let members = members(node: node, unit: unit)
        for index in members {
            let configuration = configuration(of: index)
            instances[index].restart(configuration, planted: planted(configuration))
            instances[index].isConfigured = true
            instances[index].dialect = stations[station].dialect
            instances[index].tracking = weights(of: index, base: configuration.priority)
            if !nodes[node].isLinkUp { deliver(.faultRaised(.link), to: index) }
            if !nodes[node].hasAddress { deliver(.sourceAddressLost, to: index) }
            for event in instances[index].tracking.initialEvents { deliver(event, to: index) }
            instances[index].isHindered = isHindered(index, areAnswersKnown: false)
        }
        makeGroup(unit: unit, at: node, previous: nil)
        for index in members {
            instances[index].expected.start(at: instances[index].clock.reading(at: now))
            deliver(.startup, to: index)
        }
        stations[station].isChanging = false
        judgeAgreement(unit: unit, at: node)
        if plan.units[unit].weights.contains(where: { $0 != nil }) {
            queue.insert(
                .answers(node: node),
                at: now.advanced(
                    byNanoseconds: generator.number(in: 0...plan.longestIntervalNanoseconds)))
        }
    }

    private func startupEnd(of node: Int) -> MonotonicInstant {
        let delay = plan.nodes[node].startupDelayNanoseconds
        return delay == 0 ? now : now.advanced(byNanoseconds: Quartz.longest(forOwn: delay))
    }

    /// Has a unit's group begin, with its members as they stand.
    mutating func makeGroup(unit: Int, at node: Int, previous: SyncGroup.State?) {
        guard plan.units[unit].isSyncGroup else { return }
        let members = members(node: node, unit: unit)
        let station = station(node: node, unit: unit)
        var group = SyncGroup(
            "VG", members: members.map { instances[$0].router.configuration.name })
        var orders: [SyncGroup.Order] = []
        for index in members {
            let standing = instances[index].router.standing
            instances[index].toldStanding = standing
            orders += group.member(instances[index].router.configuration.name, is: standing)
        }
        orders += group.start(previous: previous)
        stations[station].group = group
        perform(orders, at: station)
    }

    /// SIGTERM: masters resign.
    mutating func stop(unit: Int, at node: Int) {
        let station = station(node: node, unit: unit)
        guard stations[station].isConfigured else { return }
        markResigned(unit: unit, at: node)
        stations[station].isChanging = true
        if var group = stations[station].group {
            let orders = group.shutdown()
            stations[station].group = group
            perform(orders, at: station)
        } else {
            for index in members(node: node, unit: unit) { deliver(.shutdown, to: index) }
        }
        stations[station].isChanging = false
    }

    // MARK: Groups

    /// Tells an instance's group how it stands now.
    mutating func tellGroup(of index: Int) {
        let standing = instances[index].router.standing
        guard standing != instances[index].toldStanding else { return }
        instances[index].toldStanding = standing
        let station = station(of: index)
        let name = instances[index].router.configuration.name
        guard let orders = stations[station].group?.member(name, is: standing) else { return }
        perform(orders, at: station)
    }

    /// Does what a group says; what comes of it is done after it.
    mutating func perform(_ orders: [SyncGroup.Order], at station: Int) {
        stations[station].orders += orders
        guard !stations[station].isPerformingOrders else { return }
        stations[station].isPerformingOrders = true
        let node = station / plan.units.count
        let unit = station % plan.units.count
        while !stations[station].orders.isEmpty {
            let order = stations[station].orders.removeFirst()
            guard case .deliver(let event, let name) = order,
                let index = members(node: node, unit: unit).first(where: {
                    instances[$0].router.configuration.name == name
                })
            else { continue }
            if options.plantedBug == .ignoresGroup,
                index == members(node: node, unit: unit).upperBound, event == .demoted
            {
                continue
            }
            deliver(event, to: index)
        }
        stations[station].isPerformingOrders = false
    }

    /// Members of a sync group are in one state whenever their daemon is done with an event.
    mutating func judgeAgreement(unit: Int, at node: Int) {
        let station = station(node: node, unit: unit)
        guard plan.units[unit].isSyncGroup, !stations[station].isChanging,
            !stations[station].isPerformingOrders, stations[station].group != nil
        else { return }
        let members = members(node: node, unit: unit)
        let phase = instances[members.lowerBound].phase
        guard let other = members.first(where: { instances[$0].phase != phase }) else { return }
        report(
            .groupsAgree,
            "\(name(of: members.lowerBound)) is \(phase.rawValue), and \(name(of: other)), of the "
                + "same sync group, is \(instances[other].phase.rawValue)", at: other)
    }

    func name(of index: Int) -> String { instances[index].router.configuration.name }
}
