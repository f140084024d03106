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

    /// Octets of the packet before the VRRP message.
    private static func headerBytes(_ family: IPAddress.Family) -> Int { family == .v4 ? 20 : 40 }

    /// The packet with this wrong with it; nil where that is not wrong.
    func packet(
        _ advertisement: Advertisement, from source: IPAddress, _ generator: inout Generator
    ) throws(AdvertisementError) -> [UInt8]? {
        var forged = advertisement
        switch self {
        case .password:
            guard advertisement.version == 2, source.family == .v4 else { return nil }
            forged.authentication =
                advertisement.authentication == .none
                ? .password(AuthenticationPassword(truncating: "guess")) : .none
        case .interval:
            if advertisement.version == 2 { forged.interval += .seconds(1) }
        case .addresses:
            forged.addresses.append(source)
        case .timeToLive, .flippedBit, .version, .type, .tooShort, .tooLong:
            break
        }
        var octets = try Wire.packet(forged, from: source, number: 1)
        let message = Self.headerBytes(source.family)
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
        case .password, .addresses:
            break
        }
        return octets
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
        guard let configuration = some.configurations.compactMap(\.self).first else { return }
        let source = Self.forger(some.family)
        let forgery = generator.element(of: Forgery.allCases)
        let advertisement = configuration.advertisement(
            priority: generator.element(of: [255, 0, 1, configuration.priority]))
        guard
            let octets = try? forgery.packet(advertisement, from: source, &generator)
        else { return }
        let packet = packets.insert(
            Packet(
                octets: octets, advertisement: advertisement, source: source, sender: nil,
                virtualRouter: virtualRouter, forgery: forgery))
        // Its loss would be no disturbance, so it is not lost.
        let loss = lossPercent
        let late = latePercent
        (lossPercent, latePercent) = (0, 0)
        broadcast(packet, on: generator.number(below: Self.maximumParts), from: nil)
        (lossPercent, latePercent) = (loss, late)
    }

    private static func forger(_ family: IPAddress.Family) -> IPAddress {
        switch family {
        case .v4: .v4(IPv4Address(10, 0, 0, 250))
        case .v6: .v6(IPv6Address(octets: [0xfe, 0x80] + Array(repeating: 0, count: 13) + [250]))
        }
    }
}
