import NetworkTypes
import VRRP

/// What can be wrong with an advertisement that is otherwise the best there is. Each is one that
/// RFC 3768 §7.1 or RFC 9568 §7.1 discards.
enum Forgery: String, CaseIterable {
    /// A router has forwarded it.
    case timeToLive = "a TTL of 254"
    /// A bit of the message is another one; one's complement sums notice every single bit.
    case flippedBit = "a flipped bit"
    case version = "another version"
    case type = "an unknown type"
    case password = "another password"
    /// Version 2: the interval must be the configured one. Version 3: it must not be 0.
    case interval = "a wrong interval"
    case addresses = "another address list"
    case tooShort = "a packet cut short"
    case tooLong = "a packet with something behind it"
    /// To the group where there are peers, to one host where there are none.
    case destination = "the wrong destination"
    /// Nothing, but it comes from somebody who is no peer.
    case stranger = "a sender that is no peer"

    /// The packet with this wrong with it; nil where that is not wrong.
    ///
    /// - Parameter destination: nil for the group.
    func packet(
        _ advertisement: Advertisement, from source: IPAddress, to destination: IPAddress?,
        _ expectation: ReceivedAdvertisement.Expectation, _ generator: inout Generator
    ) throws(AdvertisementError) -> [UInt8]? {
        var forged = advertisement
        switch self {
        case .password:
            guard advertisement.version == 2, source.family == .v4 else { return nil }
            forged.authentication = .password(AuthenticationPassword(truncating: "guess"))
        case .interval:
            // No other dialect's.
            if advertisement.version == 2 { forged.interval += .seconds(100) }
        case .addresses:
            forged.addresses.append(source)
        case .timeToLive:
            // A packet to a peer may have been forwarded.
            if expectation.isUnicast, expectation.peers == nil { return nil }
        case .stranger:
            if expectation.peers == nil { return nil }
        case .flippedBit, .version, .type, .tooShort, .tooLong, .destination:
            break
        }
        var octets = try Wire.packet(
            forged, from: source, to: destination, number: 1, checksum: expectation.checksum,
            sequenceNumber: 0xffff_ff00)
        let message = Self.headerBytes(forged, source.family)
        switch self {
        case .timeToLive:
            octets[source.family == .v4 ? 8 : 7] = 254
        case .flippedBit:
            let bit = generator.number(in: 8 * message...8 * octets.count - 1)
            octets[bit / 8] ^= 1 << (bit % 8)
            // Another virtual router's advertisement is none of ours to judge.
            if bit / 8 == message + 1 { return nil }
        case .version:
            octets[message] ^= 0x10
        case .type:
            octets[message] ^= 0x02
        case .interval:
            guard advertisement.version == 3 else { break }
            octets[message + 4] = 0
            octets[message + 5] = 0
        case .tooShort:
            octets.removeLast(generator.number(in: 1...octets.count - message - 8))
        case .tooLong:
            octets.append(0)
        case .password, .addresses, .destination, .stranger:
            break
        }
        return octets
    }

    /// Octets of the packet before the VRRP message.
    private static func headerBytes(
        _ advertisement: Advertisement, _ family: IPAddress.Family
    ) -> Int {
        let isAuthenticated =
            advertisement.carrierProtocol == Advertisement.authenticationHeaderProtocol
        return family == .v6 ? 40 : isAuthenticated ? 44 : 20
    }
}

extension Simulation {
    /// Somebody at an address that is no router's sends everybody on one part of the network an
    /// advertisement that would change much if it were believed.
    mutating func forge() {
        guard let pause = plan.network.forgeryNanoseconds else { return }
        queue.insert(
            .forgery, at: now.advanced(byNanoseconds: generator.number(in: pause / 2...pause)))
        let virtualRouter = generator.number(below: plan.virtualRouters.count)
        let some = plan.virtualRouters[virtualRouter]
        let dialect = generator.number(below: some.dialects.count)
        let configuration = some.configurations[0][dialect]
        let expectation = some.dialects[dialect].expectation
        let source = Self.forger(some.family)
        let forgery = generator.element(of: Forgery.allCases)
        let part = generator.number(below: Self.maximumParts)
        let advertisement = configuration.advertisement(
            priority: generator.element(of: [255, 0, 1, configuration.priority]))
        // Its loss would be no disturbance, so it is not lost.
        let troubles = (lossPercent, latePercent)
        (lossPercent, latePercent) = (0, 0)
        defer { (lossPercent, latePercent) = troubles }
        let isToHost = some.isUnicast != (forgery == .destination)
        // One for everybody, or one for each.
        for node in nodes.indices where nodes[node].part == part || !isToHost {
            let address = instances[index(node: node, virtualRouter: virtualRouter)].address
            guard
                let octets = try? forgery.packet(
                    advertisement, from: source, to: isToHost ? address : nil, expectation,
                    &generator)
            else { break }
            let packet = packets.insert(
                Packet(
                    octets: octets, advertisement: advertisement, source: source, sender: nil,
                    virtualRouter: virtualRouter, dialect: dialect, forgery: forgery))
            guard isToHost else { return broadcast(packet, on: part, from: nil) }
            packets.retain(packet)
            sendOn(packet, to: node, on: part)
            packets.release(packet)
        }
    }

    private static func forger(_ family: IPAddress.Family) -> IPAddress {
        switch family {
        case .v4: .v4(IPv4Address(10, 0, 0, 250))
        case .v6: .v6(IPv6Address(octets: [0xfe, 0x80] + Array(repeating: 0, count: 13) + [250]))
        }
    }
}
