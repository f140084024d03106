import NetworkTypes
import VRRP

// The shell around every router: what the agent does with sockets and a clock, done with a queue.
extension Simulation {
    /// Gives a router an event, does what it wants done, and looks at everything it did.
    ///
    /// - Parameter advertisement: what was on the wire, where a planted bug has distorted it.
    mutating func deliver(
        _ event: VirtualRouter.Event, to index: Int, heard: Heard? = nil,
        at routersNow: MonotonicInstant? = nil
    ) {
        statistics.protocolEvents += 1
        let before = instances[index].phase
        let deadline = instances[index].deadline
        var actions: [VirtualRouter.Action] = []
        if !misses(event) { actions = instances[index].handle(event, now: routersNow ?? now) }
        if options.plantedBug == .speaksAsBackup, instances[index].phase == .backup,
            heard != nil, generator.chance(percent: 1)
        {
            actions.append(.sendAdvertisement(priority: instances[index].priority))
        }
        let step = Step(
            event: event, heard: heard, before: before, deadlineBefore: deadline,
            after: instances[index].phase, now: routersNow ?? now)
        if recorder != nil { record(step, at: index) }
        for action in actions { perform(action, of: step, at: index) }
        judge(step, at: index)
        scheduleWake(of: index)
    }

    private mutating func misses(_ event: VirtualRouter.Event) -> Bool {
        options.plantedBug == .missesTimers && event == .timer && generator.chance(percent: 1)
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
        var event: VirtualRouter.Event
        var heard: Heard?
        var before: Instance.Phase
        var deadlineBefore: MonotonicInstant?
        var after: Instance.Phase
        var now: MonotonicInstant
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
            if !instances[index].holdsAddresses, step.event != .startup {
                report(.addressesFollowState, "removes addresses that it has not", at: index)
            }
            if options.plantedBug == .keepsAddresses, step.after == .backup { break }
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
        var wake = deadline.advanced(
            byNanoseconds: generator.number(in: 0...plan.network.latenessNanoseconds))
        if let bug = options.plantedBug { wake = mistimed(wake, deadline, bug, at: index) }
        wake = max(wake, now)
        if let already = instances[index].wake, already <= wake { return }
        instances[index].wake = wake
        queue.insert(.wake(instance: Int32(index)), at: wake)
    }

    private mutating func mistimed(
        _ wake: MonotonicInstant, _ deadline: MonotonicInstant, _ bug: PlantedBug, at index: Int
    ) -> MonotonicInstant {
        let instance = instances[index]
        switch bug {
        case .hurries where instance.phase == .backup:
            let skew = instance.timing.skew(
                priority: instance.priority, intervalNanoseconds: instance.wait.intervalNanoseconds)
            return deadline.advanced(byNanoseconds: -skew / 2)
        case .oversleeps where generator.chance(percent: 5):
            return wake.advanced(byNanoseconds: instance.timing.longestIntervalNanoseconds)
        default: return wake
        }
    }

    /// The process looks at the clock.
    mutating func wake(_ index: Int) {
        guard instances[index].wake == now else { return }
        instances[index].wake = nil
        guard let deadline = instances[index].deadline else { return }
        let machine = nodes[node(of: index)]
        guard machine.isRunning, !machine.isFrozen else { return }
        let due = max(deadline, instances[index].lastEvent)
        if now.nanoseconds(since: due) > plan.network.latenessNanoseconds {
            report(.servedDeadlines, "wakes up \(now - due) after its deadline", at: index)
        }
        var routersNow = now
        switch options.plantedBug {
        case .hurries: routersNow = max(now, deadline)
        case .losesHeart where instances[index].isMaster && generator.chance(percent: 1):
            deliver(.demoted, to: index)
            return
        default: break
        }
        if routersNow < deadline {
            scheduleWake(of: index)
        } else {
            deliver(.timer, to: index, at: routersNow)
        }
    }

    // MARK: Sending

    private mutating func send(priority: UInt8, from index: Int) {
        let sender = node(of: index)
        instances[index].lastSent = now
        guard nodes[sender].isLinkUp else { return }
        instances[index].identification &+= 1
        let advertisement = instances[index].router.configuration.advertisement(
            priority: priority)
        let source = instances[index].router.sourceAddress ?? instances[index].address
        var octets: [UInt8] = []
        if options.usesCodec {
            do {
                octets = try Wire.packet(
                    advertisement, from: source, number: instances[index].identification)
            } catch {
                report(.refusedWithoutEffect, "cannot be sent: \(error)", at: index)
            }
        }
        let packet = packets.insert(
            Packet(
                octets: octets, advertisement: advertisement, source: source, sender: sender,
                virtualRouter: virtualRouter(of: index)))
        broadcast(packet, on: nodes[sender].part, from: sender)
    }

    /// Sends a packet on its ways to everybody on that part of the network.
    mutating func broadcast(_ packet: Int, on part: Int, from sender: Int?) {
        packets.retain(packet)
        let virtualRouter = packets[packet].virtualRouter
        let delay = plan.network.delayNanoseconds
        for node in nodes.indices where node != sender && nodes[node].part == part {
            guard nodes[node].isRunning, nodes[node].isLinkUp else { continue }
            if lossPercent > 0, generator.chance(percent: lossPercent) {
                markDisturbed(group(virtualRouter: virtualRouter, part: part))
                continue
            }
            var arrival = now.advanced(byNanoseconds: generator.number(in: 1...delay))
            if latePercent > 0, generator.chance(percent: latePercent) {
                arrival = arrival.advanced(
                    byNanoseconds: generator.number(in: 1...latestNanoseconds))
                markDisturbed(
                    group(virtualRouter: virtualRouter, part: part), until: arrival)
            }
            schedule(packet, for: node, at: arrival)
            if generator.chance(percent: plan.network.duplicatePercent) {
                schedule(
                    packet, for: node,
                    at: now.advanced(byNanoseconds: generator.number(in: 1...delay)))
            }
        }
        packets.release(packet)
    }

    private mutating func schedule(_ packet: Int, for node: Int, at instant: MonotonicInstant) {
        packets.retain(packet)
        queue.insert(.arrival(packet: Int32(packet), node: Int32(node)), at: instant)
    }

    // MARK: Receiving

    mutating func arrive(_ packet: Int, at node: Int) {
        guard nodes[node].isRunning, nodes[node].isLinkUp,
            packets[packet].sender.map({ nodes[$0].part == nodes[node].part }) ?? true
        else {
            packets.release(packet)
            return
        }
        if nodes[node].isFrozen {
            guard nodes[node].inbox.count < Self.maximumInbox else {
                packets.release(packet)
                return
            }
            nodes[node].inbox.append(.packet(packet))
        } else {
            receive(packet, at: node)
        }
    }

    /// The process reads a packet.
    mutating func receive(_ index: Int, at node: Int) {
        let packet = packets[index]
        packets.release(index)
        guard options.usesCodec else {
            let instance = self.index(node: node, virtualRouter: packet.virtualRouter)
            if instances[instance].exists { hear(packet.advertisement, packet, at: instance) }
            return
        }
        let verdict = judged(packet, at: node)
        switch (verdict, packet.forgery) {
        case (.accepted(let advertisement, let instance), nil):
            hear(advertisement, packet, at: instance)
        case (.refused, let forgery?):
            refuse(packet, forgery, at: node)
        case (.accepted(let advertisement, let instance), let forgery?):
            report(.refusedWithoutEffect, "believes \(forgery)", at: instance)
            hear(advertisement, packet, at: instance)
        case (.refused(let error), nil):
            report(
                .refusedWithoutEffect, "refuses what n\(packet.sender ?? 0) said: \(error)",
                at: self.index(node: node, virtualRouter: packet.virtualRouter))
        case (.unknown, _):
            statistics.protocolEvents += 1
        }
    }

    private enum Verdict {
        case accepted(Advertisement, instance: Int)
        case refused(AdvertisementError)
        /// There is no such virtual router on that machine.
        case unknown
    }

    private func judged(_ packet: Packet, at node: Int) -> Verdict {
        do {
            let received = try Wire.received(packet)
            guard let virtualRouter = virtualRouterByVRID[Int(received.vrid)] else {
                return .unknown
            }
            let instance = index(node: node, virtualRouter: virtualRouter)
            guard instances[instance].exists else { return .unknown }
            if options.plantedBug == .skipsValidation, packet.forgery != nil {
                return .accepted(packet.advertisement, instance: instance)
            }
            return .accepted(
                try received.validated(against: instances[instance].expectation),
                instance: instance)
        } catch {
            return .refused(error)
        }
    }

    private mutating func hear(_ advertisement: Advertisement, _ packet: Packet, at index: Int) {
        let heard = Heard(
            priority: advertisement.priority, source: packet.source,
            intervalNanoseconds: Int(advertisement.interval.wholeNanoseconds),
            sender: packet.sender)
        var taken = advertisement
        if let bug = options.plantedBug {
            guard
                let distorted = bug.distorted(
                    advertisement, heardBy: instances[index].router,
                    isFromHigherAddress: packet.source > instances[index].address)
            else { return }
            taken = distorted
        }
        deliver(.advertisement(taken, from: packet.source), to: index, heard: heard)
    }

    /// The agent's part in refusing is to do nothing.
    private mutating func refuse(_ packet: Packet, _ forgery: Forgery, at node: Int) {
        statistics.protocolEvents += 1
        statistics.refusals += 1
        let index = self.index(node: node, virtualRouter: packet.virtualRouter)
        guard options.plantedBug == .restartsTimerOnRefused,
            instances[index].phase == .backup
        else { return }
        let before = instances[index].router
        var echo = packet.advertisement
        echo.priority = instances[index].priority
        _ = instances[index].handle(.advertisement(echo, from: packet.source), now: now)
        if instances[index].router != before {
            report(.refusedWithoutEffect, "is changed by \(forgery)", at: index)
        }
    }
}
