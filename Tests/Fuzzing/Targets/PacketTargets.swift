import LabKit
import LabModel
import NetworkTypes
import Spoofing
import VRRP
import Wire

extension FuzzTarget {
    static let advertisement = FuzzTarget(
        "advertisement", "an IPv4 or IPv6 packet, as a VRRP socket delivers it"
    ) { packet in
        _ = ObservedAdvertisement(ipPacket: packet)
        guard let received = try? ReceivedAdvertisement(parsing: packet) else { return }
        for rule in [ChecksumRule.pseudoHeader, .messageOnly, .groupPseudoHeader()] {
            let wellFormed = try? received.wellFormed(checksum: rule)
            for expectation in Expected.all {
                var expectation = expectation
                expectation.checksum = rule
                guard let accepted = try? received.validated(against: expectation) else { continue }
                try Expected.check(accepted, against: expectation)
                try require(
                    wellFormed != nil || expectation.isUnicast,
                    "what an instance accepts is well formed")
            }
            if let wellFormed { try checkEncoding(of: wellFormed, from: received, rule) }
        }
    }

    /// What an encoder makes of a packet's contents says the same.
    private static func checkEncoding(
        of advertisement: Advertisement, from received: ReceivedAdvertisement, _ rule: ChecksumRule
    ) throws {
        let packet: [UInt8]?
        switch (received.source, received.destination) {
        case (.v4(let source), .v4(let destination)):
            packet = try? advertisement.ipv4Packet(
                from: source, to: destination, identification: 1, checksum: rule)
        case (.v6(let source), .v6(let destination)):
            packet = try? advertisement.ipv6Packet(from: source, to: destination)
        case (.v4, .v6), (.v6, .v4): throw Breach(description: "addresses of two families")
        }
        // An interval of 0 can be received, and is not sent.
        guard let packet else { return }
        var again = try ReceivedAdvertisement(parsing: packet).wellFormed(checksum: rule)
        // An authentication header does not say its password.
        if case .header = advertisement.authentication {
            again.authentication = advertisement.authentication
        }
        // Version 2 over IPv6 has no octets for one.
        if case .v6 = received.source { again.authentication = advertisement.authentication }
        try requireEqual(again, advertisement, "encoded and decoded again it is the same")
    }

    /// Instances of any kind there is.
    private enum Expected {
        static let password = AuthenticationPassword(truncating: Array("password".utf8))
        static let all: [ReceivedAdvertisement.Expectation] = {
            let addresses4 = [IPAddress.v4(IPv4Address(10, 10, 10, 10))]
            let addresses6 = [IPAddress("fe80::10"), IPAddress("2001:db8::10")].compactMap(\.self)
            var all: [ReceivedAdvertisement.Expectation] = []
            for addresses in [addresses4, [], addresses6] {
                for authentication: Advertisement.Authentication in [
                    .none, .password(password), .header(password),
                ] {
                    all.append(
                        .init(
                            Advertisement(
                                vrid: 51, priority: 100, addresses: addresses,
                                authentication: authentication)))
                }
                let third = Advertisement(
                    version: 3, vrid: 51, priority: 100, addresses: addresses)
                all.append(.init(third))
                all.append(.init(third, isUnicast: true, comparesAddresses: false))
                all.append(.init(third, comparesAddresses: false, requiresLinkLocalFirst: true))
            }
            return all
        }()

        static func check(
            _ accepted: Advertisement, against expectation: ReceivedAdvertisement.Expectation
        ) throws {
            let expected = expectation.advertisement
            try requireEqual(accepted.version, expected.version, "the version is the instance's")
            if expectation.comparesAddresses {
                try requireEqual(
                    Set(accepted.addresses), Set(expected.addresses),
                    "the addresses are the instance's")
            }
            if expected.version == 2 {
                try requireEqual(
                    accepted.interval, expected.interval, "the interval is the instance's")
            }
        }
    }

    static let frame = FuzzTarget(
        "frame", "an Ethernet frame: ARP, neighbour discovery, VRRP, and all that a wire selects by"
    ) { frame in
        if let packet = ARPFrame(parsing: frame) {
            try requireEqual(ARPFrame(parsing: packet.octets), packet, "ARP there and back")
        }
        if let packet = NeighbourAdvertisementFrame(parsing: frame) {
            try requireEqual(
                NeighbourAdvertisementFrame(parsing: packet.octets), packet, "NA there and back")
        }
        if let seen = ObservedAdvertisement(ethernetFrame: frame) {
            try require((2...3).contains(seen.version), "version 2 or 3")
            try require(seen.addresses.count <= 255, "at most 255 addresses")
        }
        for selector in selectors { _ = selector.selects(frame.span) }
        for node in ["n1", "imposter1"] {
            _ = CapturedFrame.event(frame, port: port(of: node))
        }
        try hear(frame)
    }

    private static let selectors: [FrameSelector] =
        FrameSelector.FrameProtocol.allCases.map { FrameSelector($0) }
        + [.any, FrameSelector(.udp, port: 53), FrameSelector(from: .broadcast)]

    private static func port(of node: String) -> DeploymentPlan.Port {
        guard let name = InterfaceName("eth1") else { fatalError("eth1 is a name") }
        return DeploymentPlan.Port(
            name: name, index: 2, mac: MACAddress(rawValue: 0x0200_0000_0001), bridge: name,
            node: node, interface: name, interfaceIndex: 2,
            interfaceMAC: MACAddress(rawValue: 0x0200_0000_0002), mtuBytes: 1500)
    }

    /// A station that answers for addresses and repeats what it hears.
    private static func hear(_ frame: [UInt8]) throws {
        let begin = MonotonicInstant(nanoseconds: 0)
        let claims = [IPAddress.v4(IPv4Address(10, 10, 10, 10)), IPAddress("fe80::10")]
            .compactMap(\.self).map { AddressClaim($0) }
        var station = try Station(
            StationOrder(
                interface: 2, mac: MACAddress(rawValue: 0x0200_0000_0009), claims: claims,
                adverts: [], replays: [Replay(), Replay(perSecond: 10)], seed: 1),
            begin: begin)
        for _ in 0..<3 { station.hear(frame, at: begin) }
        let end = begin + .seconds(1)
        var sent = 0
        while station.next(at: end) != nil, sent < 100 { sent += 1 }
        try require(sent < 100, "one frame does not make it send without end")
    }

    static let superframe = FuzzTarget(
        "superframe", "what a kernel leaves to be done for a frame: 8 octets of it, then the frame"
    ) { bytes in
        guard bytes.count > 8 else { return }
        func number(_ place: Int) -> Int { Int(bytes[place]) << 8 | Int(bytes[place + 1]) }
        var offload = FrameOffload()
        // No frame is longer than 64 KiB, and so is no number in what a kernel says.
        offload.checksumStart = bytes[0] & 0x80 == 0 ? number(0) : nil
        offload.checksumOffset = number(2)
        offload.segmentBytes = number(4)
        switch bytes[6] & 3 {
        case 0: offload.segmentation = nil
        case 1: offload.segmentation = .tcp
        case 2: offload.segmentation = .udp
        default: offload.segmentation = .fragments
        }
        let frame = Array(bytes[8...])
        let arrival = offload.arrival(of: frame.span)
        let packets = offload.packets(of: frame)
        try require(!packets.isEmpty, "a frame is at least one packet")
        try require(packets.count <= frame.count, "every packet has something of the frame")
        if offload.segmentation == .tcp, packets.count > 1 {
            try requireEqual(
                arrival.bytes, packets.reduce(0) { $0 + $1.count }, "the packets' bytes are counted"
            )
        }
        let bit = Int(bytes[7]) * frame.count * 8 / 256
        try requireEqual(
            offload.damaged(frame, bit: bit).count, packets.count, "damage loses no packet")
    }
}
