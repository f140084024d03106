import NetworkTypes
import VRRP

// What is broken and repaired.
extension Simulation {
    /// Trouble begins, or quiet does.
    mutating func changePhase() {
        isTroubled.toggle()
        guard isTroubled else {
            (lossPercent, latePercent) = (0, 0)
            note("quiet: packets arrive in time")
            let least = plan.quietNanoseconds
            queue.insert(
                .phase, at: now.advanced(byNanoseconds: least + generator.number(in: 0...least)))
            return
        }
        let interval = plan.longestIntervalNanoseconds
        if generator.chance(percent: 20) {
            stopMaster()
            queue.insert(.phase, at: now.advanced(byNanoseconds: interval / 4))
            return
        }
        lossPercent = generator.element(of: [0, 0, 5, 20, 60])
        latePercent = generator.element(of: [0, 0, 5, 30])
        latestNanoseconds = interval * generator.number(in: 1...4)
        note("trouble: \(lossPercent) % of packets are lost, \(latePercent) % are late")
        let length = generator.number(in: interval / 4...8 * interval)
        for _ in 0..<generator.lowNumber(in: 1...8) {
            queue.insert(
                .disturbance, at: now.advanced(byNanoseconds: generator.number(in: 0...length)))
        }
        queue.insert(.phase, at: now.advanced(byNanoseconds: length))
    }

    /// One thing breaks, or is repaired.
    mutating func disturb() {
        statistics.disturbances += 1
        if generator.chance(percent: 15) { return repartition() }
        let node = generator.number(below: nodes.count)
        let machine = nodes[node]
        if !machine.isRunning {
            if generator.chance(percent: 70) { start(node) }
        } else if machine.isFrozen {
            switch generator.number(below: 4) {
            case 0: crash(node)
            case 1: setLink(of: node, isUp: !machine.isLinkUp)
            default: thaw(node)
            }
        } else if !machine.isLinkUp {
            if generator.chance(percent: 70) { setLink(of: node, isUp: true) }
        } else if !machine.hasAddress {
            setAddress(of: node, isThere: true)
        } else {
            breakSomething(at: node)
        }
    }

    private mutating func breakSomething(at node: Int) {
        switch generator.number(below: 100) {
        case 0..<15: stop(node)
        case 15..<30: crash(node)
        case 30..<40: freeze(node)
        case 40..<50: stall(node)
        case 50..<62: setLink(of: node, isUp: false)
        case 62..<67: setAddress(of: node, isThere: false)
        case 67..<80: changeScript(at: node)
        case 80..<93: reload(node)
        default: removeAddress(at: node)
        }
    }

    // MARK: The network

    private mutating func repartition() {
        let isWhole = nodes.allSatisfy { $0.part == 0 }
        let parts = isWhole ? generator.number(in: 2...Self.maximumParts) : 1
        for node in nodes.indices { nodes[node].part = generator.number(below: parts) }
        markAllDisturbed()
        note(
            parts == 1
                ? "the network is whole"
                : "the network falls apart: "
                    + nodes.indices.map { "n\($0) in \(nodes[$0].part)" }.joined(separator: ", "))
    }

    // MARK: Processes

    /// Starts a machine at a time within that long.
    mutating func startLater(_ node: Int, withinNanoseconds bound: Int) {
        queue.insert(
            .start(node: node),
            at: now.advanced(byNanoseconds: generator.number(in: 0...bound)))
    }

    /// A new process, which knows nothing of an earlier one.
    mutating func start(_ node: Int) {
        guard !nodes[node].isRunning else { return }
        nodes[node].isRunning = true
        markDisturbed(node: node)
        note("starts", node: node)
        for unit in plan.units.indices { start(unit: unit, at: node) }
    }

    /// SIGTERM: masters resign.
    private mutating func stop(_ node: Int) {
        note("is stopped", node: node)
        for unit in plan.units.indices { stop(unit: unit, at: node) }
        end(node)
    }

    /// The least trouble there is: one master resigns, and everybody hears it. The others' skew is
    /// seen here.
    private mutating func stopMaster() {
        let masters = instances.indices.filter {
            instances[$0].isMaster && nodes[node(of: $0)].isAble
        }
        guard !masters.isEmpty else { return }
        statistics.disturbances += 1
        stop(node(of: generator.element(of: masters)))
    }

    /// SIGKILL, or somebody pulls the plug: nothing is said. A dead process leaves its addresses
    /// behind, a dead machine does not.
    private mutating func crash(_ node: Int) {
        let isPlugPulled = generator.chance(percent: 40)
        markDisturbed(node: node)
        note(isPlugPulled ? "loses its power" : "is killed", node: node)
        if isPlugPulled {
            for index in instances(of: node) { instances[index].holdsAddresses = false }
        }
        end(node)
    }

    private mutating func end(_ node: Int) {
        nodes[node].isRunning = false
        nodes[node].isFrozen = false
        forget(nodes[node].inbox)
        nodes[node].inbox = []
        for unit in plan.units.indices {
            stations[station(node: node, unit: unit)].group = nil
        }
    }

    private mutating func forget(_ inbox: [Waiting]) {
        for case .packet(let packet) in inbox { packets.release(packet) }
    }

    /// SIGSTOP: its addresses stay, its packets pile up.
    private mutating func freeze(_ node: Int) {
        markDisturbed(node: node)
        note("freezes", node: node)
        nodes[node].isFrozen = true
    }

    /// A process that is not scheduled for a while, as on a machine that swaps.
    private mutating func stall(_ node: Int) {
        freeze(node)
        let longest = 5 * plan.longestIntervalNanoseconds
        queue.insert(
            .thaw(node: node),
            at: now.advanced(byNanoseconds: generator.lowNumber(in: 1_000_000...longest)))
    }

    /// SIGCONT, or the scheduler's mercy: it finds what was sent in the meantime, and only then
    /// looks at the clock. The other way round it would become master on the strength of having
    /// been asleep.
    mutating func thaw(_ node: Int) {
        guard nodes[node].isFrozen else { return }
        markDisturbed(node: node)
        note("thaws", node: node)
        nodes[node].isFrozen = false
        let inbox = nodes[node].inbox
        nodes[node].inbox = []
        for waiting in inbox {
            switch waiting {
            case .packet(let packet): receive(packet, at: node)
            case .event(let event): tell(node, event)
            }
        }
        for index in instances(of: node) {
            let local = instances[index].clock.reading(at: now)
            if let deadline = instances[index].deadline, deadline <= local {
                deliver(.timer, to: index)
            } else {
                scheduleWake(of: index)
            }
        }
    }

    // MARK: Interfaces

    private mutating func setLink(of node: Int, isUp: Bool) {
        markDisturbed(node: node)
        note(isUp ? "has its link back" : "loses its link", node: node)
        nodes[node].isLinkUp = isUp
        tell(node, isUp ? .faultCleared(.link) : .faultRaised(.link))
    }

    private mutating func setAddress(of node: Int, isThere: Bool) {
        markDisturbed(node: node)
        note(isThere ? "has its address back" : "loses its address", node: node)
        nodes[node].hasAddress = isThere
        for index in instances(of: node) {
            deliver(
                isThere ? .sourceAddressAssigned(instances[index].address) : .sourceAddressLost,
                to: index)
        }
    }

    /// Somebody takes a virtual address from a master's interface.
    private mutating func removeAddress(at node: Int) {
        let masters = instances(of: node).filter { instances[$0].isMaster }
        guard !masters.isEmpty else { return }
        let master = generator.element(of: masters)
        markDisturbed(election(of: master))
        note("has an address taken from it", node: node, virtualRouter: virtualRouter(of: master))
        deliver(.addressRemoved, to: master)
    }

    /// Gives all routers of a machine an event, or puts it where they will find it.
    private mutating func tell(_ node: Int, _ event: VirtualRouter.Event) {
        if nodes[node].isFrozen {
            nodes[node].inbox.append(.event(event))
        } else if nodes[node].isRunning {
            for index in instances(of: node) { deliver(event, to: index) }
        }
    }

    /// What a machine has.
    private func instances(of node: Int) -> [Int] {
        plan.virtualRouters.indices.map { index(node: node, virtualRouter: $0) }.filter {
            instances[$0].isConfigured
        }
    }
}
