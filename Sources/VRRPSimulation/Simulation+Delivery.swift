import NetworkTypes
import VRRP

// The shell around every router: what the agent does with a clock and the kernel, done with a
// queue.
extension Simulation {
    /// Gives a router an event, does what it wants done, and looks at everything it did.
    ///
    /// - Parameter heard: what was on the wire, where a planted bug has distorted it.
    mutating func deliver(
        _ event: VirtualRouter.Event, to index: Int, heard: Heard? = nil,
        at routersNow: MonotonicInstant? = nil
    ) {
        statistics.protocolEvents += 1
        let local = routersNow ?? instances[index].clock.reading(at: now)
        var step = Step(
            cause: Step.Cause(event), heard: heard, before: instances[index].phase,
            deadlineBefore: instances[index].deadline, now: local)
        var actions: [VirtualRouter.Action] = []
        if let bug = options.plantedBug {
            if !misses(event, bug) {
                actions = instances[index].handle(event, now: local)
            }
            distort(&actions, step, bug, at: index)
        } else {
            actions = instances[index].handle(event, now: local)
        }
        instances[index].lastEvent = now
        step.after = instances[index].phase
        if recorder != nil { record(step, event, at: index) }
        for action in actions { perform(action, of: step, at: index) }
        if heard?.priority == Advertisement.ownerPriority {
            judgeOwners(step, actions, at: index)
        }
        judge(step, at: index)
        scheduleWake(of: index)
        guard instances[index].isInGroup else { return }
        tellGroup(of: index)
        judgeAgreement(unit: unit(of: index), at: node(of: index))
    }

    /// An advertisement that a router accepted.
    struct Heard {
        var priority: UInt8
        var source: IPAddress
        var intervalNanoseconds: Int
        /// The machine it came from, nil for a forger.
        var sender: Int?
    }

    /// One event and what it did to the router.
    struct Step {
        var cause: Cause
        var heard: Heard?
        var before: Instance.Phase
        var deadlineBefore: MonotonicInstant?
        var after = Instance.Phase.initialize
        /// On the machine's clock.
        var now: MonotonicInstant

        /// What kind of event it was.
        enum Cause {
            case startup, end, timer, advertisement, addressRemoved, priority, reload
            case promoted, demoted
            /// A fault of the router's own, or of its group, comes or goes.
            case fault, groupFault, repair, groupRepair
            case groupHeardLowerPriority

            init(_ event: VirtualRouter.Event) {
                self =
                    switch event {
                    case .startup: .startup
                    case .shutdown, .deletion: .end
                    case .timer: .timer
                    case .advertisement: .advertisement
                    case .addressRemoved: .addressRemoved
                    case .priorityChanged: .priority
                    case .reconfigured: .reload
                    case .promoted: .promoted
                    case .demoted: .demoted
                    case .faultRaised(let fault): fault.isOfGroup ? .groupFault : .fault
                    case .sourceAddressLost: .fault
                    case .faultCleared(let fault): fault.isOfGroup ? .groupRepair : .repair
                    case .sourceAddressAssigned: .repair
                    case .groupHeardLowerPriority: .groupHeardLowerPriority
                    }
            }
        }
    }

    private mutating func perform(_ action: VirtualRouter.Action, of step: Step, at index: Int) {
        switch action {
        case .sendAdvertisement(let priority):
            judgeSpeech(priority, step, at: index)
            send(priority: priority, from: index)
        case .addAddresses:
            if instances[index].holdsAddresses {
                report(.addressesFollowState, "adds addresses that it has", at: index)
            }
            instances[index].holdsAddresses = true
        case .removeAddresses:
            if !instances[index].holdsAddresses, step.cause != .startup {
                report(.addressesFollowState, "removes addresses that it has not", at: index)
            }
            instances[index].holdsAddresses = false
        case .announceAddresses:
            if !instances[index].holdsAddresses {
                report(.onlyMastersSpeak, "announces addresses that it has not", at: index)
            }
        case .restoreAddresses, .replaceAddresses:
            if !instances[index].holdsAddresses {
                report(.addressesFollowState, "keeps up addresses that it has not", at: index)
            }
        case .transition, .log:
            break
        }
        if recorder != nil { record(action, at: index) }
    }

    // MARK: Timers

    /// Puts the router's deadline on the list, unless an earlier look at the clock is on it.
    mutating func scheduleWake(of index: Int) {
        guard let deadline = instances[index].deadline else {
            instances[index].wake = nil
            return
        }
        let clock = instances[index].clock
        let own = deadline.nanoseconds(since: clock.reading(at: now))
        // Mostly a wait has been made longer: the look at the clock that is on the list is early
        // enough by any clock, and finds out.
        if let already = instances[index].wake,
            already <= now.advanced(byNanoseconds: own - abs(own) >> 8)
        {
            return
        }
        var wake = now.advanced(
            byNanoseconds: max(0, clock.nanoseconds(forOwn: own))
                + generator.number(in: 0...plan.network.latenessNanoseconds))
        if let bug = options.plantedBug { wake = max(now, mistimed(wake, bug, at: index)) }
        if let already = instances[index].wake, already <= wake { return }
        instances[index].wake = wake
        queue.insert(.wake(instance: index), at: wake)
    }

    /// The process looks at the clock.
    mutating func wake(_ index: Int) {
        guard instances[index].wake == now else { return }
        instances[index].wake = nil
        guard let deadline = instances[index].deadline else { return }
        let machine = nodes[node(of: index)]
        guard machine.isRunning, !machine.isFrozen else { return }
        let clock = instances[index].clock
        let local = clock.reading(at: now)
        let due = max(deadline, clock.reading(at: instances[index].lastEvent))
        if local.nanoseconds(since: due)
            > Quartz.longest(forOwn: plan.network.latenessNanoseconds)
            + Self.roundingNanoseconds
        {
            report(.servedDeadlines, "wakes up \(local - due) after its deadline", at: index)
        }
        if local < deadline {
            guard let bug = options.plantedBug, [.hurries, .hasNoSkew].contains(bug) else {
                return scheduleWake(of: index)
            }
            deliver(.timer, to: index, at: deadline)
        } else if options.plantedBug == .losesHeart, instances[index].isMaster,
            generator.chance(percent: 1)
        {
            deliver(.demoted, to: index)
        } else {
            deliver(.timer, to: index, at: local)
        }
    }

    // MARK: Sending

    private mutating func send(priority: UInt8, from index: Int) {
        let sender = node(of: index)
        instances[index].lastSent = now
        guard nodes[sender].isLinkUp else { return }
        instances[index].identification &+= 1
        let virtualRouter = virtualRouter(of: index)
        let advertisement = instances[index].router.configuration.advertisement(
            priority: priority)
        var packet = Packet(
            octets: [], advertisement: advertisement,
            source: instances[index].router.sourceAddress ?? instances[index].address,
            sender: sender, virtualRouter: virtualRouter, dialect: instances[index].dialect)
        if case .header = advertisement.authentication {
            // Without one left nothing may be sent; no run is that long.
            packet.sequenceNumber = instances[index].sequence.next() ?? 0
        }
        let part = nodes[sender].part
        guard plan.virtualRouters[virtualRouter].isUnicast else {
            return transmit(packet, to: nil, at: index) { simulation, packet in
                simulation.broadcast(packet, on: part, from: sender)
            }
        }
        for peer in nodes.indices where peer != sender {
            let destination = instances[self.index(node: peer, virtualRouter: virtualRouter)]
                .address
            transmit(packet, to: destination, at: index) { simulation, packet in
                simulation.packets.retain(packet)
                simulation.sendOn(packet, to: peer, on: part)
                simulation.packets.release(packet)
            }
        }
    }

    /// Encodes a packet and puts it on its way.
    private mutating func transmit(
        _ packet: Packet, to destination: IPAddress?, at index: Int,
        _ way: (inout Simulation, Int) -> Void
    ) {
        var packet = packet
        if options.usesCodec { packet.octets = octets(of: packet, to: destination, at: index) }
        way(&self, packets.insert(packet))
    }

    private mutating func octets(
        of packet: Packet, to destination: IPAddress?, at index: Int
    ) -> [UInt8] {
        let priority = packet.advertisement.priority
        let last = instances[index].lastOctets
        if destination == nil, last.priority == priority, !last.octets.isEmpty {
            return last.octets
        }
        do {
            let octets = try Wire.packet(
                packet.advertisement, from: packet.source, to: destination,
                number: instances[index].identification,
                checksum: plan.virtualRouters[packet.virtualRouter].dialects[packet.dialect]
                    .expectation.checksum, sequenceNumber: packet.sequenceNumber)
            // Over IPv4 each packet has another number.
            if destination == nil, packet.source.family == .v6 {
                instances[index].lastOctets = (priority, octets)
            }
            return octets
        } catch {
            report(.refusedWithoutEffect, "cannot be sent: \(error)", at: index)
            return []
        }
    }

    /// Sends a packet on its ways to everybody on that part of the network.
    mutating func broadcast(_ packet: Int, on part: Int, from sender: Int?) {
        packets.retain(packet)
        for node in nodes.indices where node != sender { sendOn(packet, to: node, on: part) }
        packets.release(packet)
    }

    /// Sends a packet on its way to one machine, if that can be reached.
    mutating func sendOn(_ packet: Int, to node: Int, on part: Int) {
        guard nodes[node].part == part, nodes[node].isRunning, nodes[node].isLinkUp else { return }
        if lossPercent > 0, generator.chance(percent: lossPercent) {
            return markDisturbed(election(ofPacket: packet, on: part))
        }
        let delay = plan.network.delayNanoseconds
        var arrival = now.advanced(byNanoseconds: generator.number(in: 1...delay))
        if latePercent > 0, generator.chance(percent: latePercent) {
            arrival = arrival.advanced(byNanoseconds: generator.number(in: 1...latestNanoseconds))
            markDisturbed(election(ofPacket: packet, on: part), until: arrival)
        }
        schedule(packet, for: node, at: arrival)
        if generator.chance(percent: plan.network.duplicatePercent) {
            schedule(
                packet, for: node, at: now.advanced(byNanoseconds: generator.number(in: 1...delay)))
        }
    }

    private func election(ofPacket packet: Int, on part: Int) -> Int {
        election(
            unit: plan.virtualRouters[packets[packet].virtualRouter].unit, part: part,
            dialect: packets[packet].dialect)
    }

    private mutating func schedule(_ packet: Int, for node: Int, at instant: MonotonicInstant) {
        packets.retain(packet)
        queue.insert(.arrival(packet: packet, node: node), at: instant)
    }
}
