import NetworkTypes
import VRRP

// What a process does with the packets that reach it.
extension Simulation {
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
    mutating func receive(_ packet: Int, at node: Int) {
        defer { packets.release(packet) }
        let index = self.index(node: node, virtualRouter: packets[packet].virtualRouter)
        guard instances[index].isConfigured else {
            statistics.protocolEvents += 1
            return
        }
        guard options.usesCodec else {
            // What the codec would say.
            guard packets[packet].dialect == instances[index].dialect else { return }
            return hear(packets[packet].advertisement, packet, at: index)
        }
        let verdict = verdict(on: packet, at: index)
        switch (verdict, packets[packet].forgery) {
        case (.accepted(let advertisement), nil):
            if packets[packet].dialect != instances[index].dialect {
                report(
                    .refusedWithoutEffect,
                    "believes n\(packets[packet].sender ?? 0), which has "
                        + difference(of: packet), at: index)
            }
            hear(advertisement, packet, at: index)
        case (.refused(let error), let forgery?):
            if recorder != nil { record(refusal: error, of: packet, at: index) }
            refuse(packet, "\(forgery.rawValue)", at: index)
        case (.accepted(let advertisement), let forgery?):
            report(.refusedWithoutEffect, "believes \(forgery.rawValue)", at: index)
            hear(advertisement, packet, at: index)
        case (.refused(let error), nil):
            if recorder != nil { record(refusal: error, of: packet, at: index) }
            if !mayRefuse(packet, at: index) {
                report(
                    .refusedWithoutEffect,
                    "refuses what n\(packets[packet].sender ?? 0) said: \(error)", at: index)
            }
            refuse(packet, difference(of: packet), at: index)
        }
    }

    private func difference(of packet: Int) -> String {
        let virtualRouter = plan.virtualRouters[packets[packet].virtualRouter]
        return virtualRouter.dialects[packets[packet].dialect].difference
    }

    /// Whether a router's word is another router's to refuse: what they must have in common they
    /// have not, or it is a replay (RFC 2402 §3.4.3).
    private func mayRefuse(_ packet: Int, at index: Int) -> Bool {
        packets[packet].dialect != instances[index].dialect
            || packets[packet].sequenceNumber > 0
                && packets[packet].sequenceNumber
                    <= instances[index].sequence.last(from: packets[packet].source)
    }

    /// What the decoder says.
    private mutating func verdict(on packet: Int, at index: Int) -> Verdict {
        let dialect = instances[index].dialect
        let number = packets[packet].sequenceNumber
        let last = number == 0 ? 0 : instances[index].sequence.last(from: packets[packet].source)
        // Without an authentication header nothing but the dialect is expected of a packet; with
        // one it must be new as well.
        if let known = packets[packet][verdictFor: dialect], number == 0 || number > last {
            if number > 0, case .accepted = known {
                instances[index].sequence.accepted(number, from: packets[packet].source)
            }
            return known
        }
        var expectation =
            plan.virtualRouters[packets[packet].virtualRouter].dialects[dialect].expectation
        expectation.lastSequenceNumber = last
        var verdict = Verdict(packets[packet].octets, expectation)
        if let bug = options.plantedBug { verdict = bug.distorted(verdict, packets[packet]) }
        if number == 0 || number > last { packets[packet][verdictFor: dialect] = verdict }
        if number > 0, case .accepted = verdict {
            instances[index].sequence.accepted(number, from: packets[packet].source)
        }
        return verdict
    }

    private mutating func hear(_ advertisement: Advertisement, _ packet: Int, at index: Int) {
        let source = packets[packet].source
        let heard = Heard(
            priority: advertisement.priority, source: source,
            intervalNanoseconds: Int(advertisement.interval.wholeNanoseconds),
            sender: packets[packet].sender)
        guard let bug = options.plantedBug else {
            return deliver(.advertisement(advertisement, from: source), to: index, heard: heard)
        }
        guard
            let distorted = bug.distorted(
                advertisement, heardBy: instances[index].router,
                isFromHigherAddress: source > instances[index].address)
        else { return }
        deliver(.advertisement(distorted, from: source), to: index, heard: heard)
    }

    /// The agent's part in refusing is to do nothing.
    private mutating func refuse(_ packet: Int, _ reason: String, at index: Int) {
        statistics.protocolEvents += 1
        statistics.refusals += 1
        guard options.plantedBug == .restartsTimerOnRefused, instances[index].phase == .backup
        else { return }
        let before = instances[index].router
        var echo = packets[packet].advertisement
        echo.priority = instances[index].expected.priority
        _ = instances[index].handle(
            .advertisement(echo, from: packets[packet].source),
            now: instances[index].clock.reading(at: now))
        if instances[index].router != before {
            report(.refusedWithoutEffect, "is changed by \(reason)", at: index)
        }
    }
}

extension Verdict {
    init(_ octets: [UInt8], _ expectation: ReceivedAdvertisement.Expectation) {
        do throws(AdvertisementError) {
            let received = try ReceivedAdvertisement(parsing: octets)
            guard received.vrid == expectation.advertisement.vrid else { throw .notVRRP }
            self = .accepted(try received.validated(against: expectation))
        } catch {
            self = .refused(error)
        }
    }
}
