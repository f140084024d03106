import LinuxSystem
import NetworkTypes
import SystemPackage
import VRRP

/// Sends one virtual router's advertisements, and counts what a sender has to count: the IP
/// Identification and the authentication header's sequence number.
struct AdvertisementSender {
    /// Who advertisements go to.
    enum Destinations: Equatable {
        case group(IPAddress)
        case peers([IPAddress])
    }

    /// Why an advertisement did not reach a destination.
    struct Failure: Error {
        enum Cause {
            case refused(SystemError)
            case unencodable(AdvertisementError)
            /// The sequence number must not cycle (RFC 2402 §3.3.2): the router has to give up.
            case sequenceExhausted
        }

        var destination: IPAddress
        var isPeer: Bool
        var cause: Cause

        /// keepalived's line, the instance's name in front.
        func line(for instance: String) -> String {
            let reason =
                switch cause {
                case .refused(let error): "\(error.code)"
                case .unencodable(let error): "\(error)"
                case .sequenceExhausted: "the authentication sequence number must not cycle"
                }
            guard !isPeer else {
                return "(\(instance)) Cant send advert to \(destination) (\(reason))"
            }
            return switch cause {
            case .refused(let error):
                "(\(instance)): send advert error \(error.code.rawValue) (\(reason))"
            case .unencodable, .sequenceExhausted:
                "(\(instance)): send advert error (\(reason))"
            }
        }

        /// Whether this says only that the link is down, which a farewell may well find it.
        var saysLinkIsDown: Bool {
            guard case .refused(let error) = cause else { return false }
            if error.code.saysDeviceIsGone || error.code == .networkUnreachable { return true }
            // With its link an interface has lost its IPv6 addresses, the source among them.
            return destination.family == .v6
                && (error.code == .invalidArgument || error.code == .addressNotAvailable)
        }
    }

    private(set) var destinations: Destinations
    /// What the checksum of version 3 over IPv4 covers.
    private(set) var checksum: ChecksumRule
    /// `unicast_ttl`; nil for 255 over IPv4 and the kernel's default over IPv6.
    private(set) var unicastTimeToLive: UInt8?
    /// The sequence number of this router, which accepted packets move as well.
    var sequence = AuthenticationSequence()
    /// Of the last packet sent; keepalived counts from 1 and never sends 0, which the kernel would
    /// replace.
    private(set) var identification: UInt16 = 0
    /// What was sent last or is going to be: a master says the same again and again.
    private var prepared: Prepared?

    private struct Prepared {
        var priority: UInt8
        var source: IPAddress
        /// What a socket takes.
        var packets: [Packet] = []
    }

    private struct Packet {
        var destination: IPAddress
        var octets: [UInt8]
    }

    init(
        to destinations: Destinations, checksum: ChecksumRule = .pseudoHeader,
        unicastTimeToLive: UInt8? = nil
    ) {
        self.destinations = destinations
        self.checksum = checksum
        self.unicastTimeToLive = unicastTimeToLive
    }

    /// Goes on counting, with another configuration.
    mutating func reconfigure(_ next: AdvertisementSender) {
        destinations = next.destinations
        checksum = next.checksum
        unicastTimeToLive = next.unicastTimeToLive
        prepared = nil
    }

    /// Sends an advertisement to every destination; one that fails does not keep it from the
    /// others.
    ///
    /// - Parameters:
    ///   - source: the interface's primary address, `mcast_src_ip` or `unicast_src_ip`, of the
    ///     socket's family.
    ///   - socket: the pair of the instance's key.
    /// - Returns: what went wrong.
    mutating func send(
        _ advertisement: Advertisement, from source: IPAddress, through socket: VRRPSocket
    ) -> [Failure] {
        identification = nextIdentification
        var failures: [Failure] = []
        let packets = packets(of: advertisement, from: source, &failures)
        let isWhole = failures.isEmpty
        transmit(packets, from: source, through: socket, &failures)
        keep(packets, of: advertisement, from: source, isWhole: isWhole)
        return failures
    }

    /// Makes what is going to be sent, for `resend`.
    mutating func prepare(_ advertisement: Advertisement, from source: IPAddress) {
        guard advertisement.carrierProtocol == Advertisement.ipProtocol else { return }
        var failures: [Failure] = []
        let packets = packets(of: advertisement, from: source, &failures)
        keep(packets, of: advertisement, from: source, isWhole: failures.isEmpty)
    }

    private mutating func keep(
        _ packets: [Packet], of advertisement: Advertisement, from source: IPAddress,
        isWhole: Bool
    ) {
        // An authentication header has another sequence number every time.
        let isLasting = isWhole && advertisement.carrierProtocol == Advertisement.ipProtocol
        prepared =
            isLasting
            ? Prepared(priority: advertisement.priority, source: source, packets: packets) : nil
    }

    /// Sends once more what was sent or prepared last, which `reconfigure` has it forget, if that
    /// has this priority and source.
    ///
    /// - Returns: what went wrong; nil if it has not, and nothing was sent.
    mutating func resend(
        priority: UInt8, from source: IPAddress, through socket: VRRPSocket
    ) -> [Failure]? {
        guard prepared?.priority == priority, prepared?.source == source else { return nil }
        identification = nextIdentification
        renumber()
        var failures: [Failure] = []
        transmit(prepared!.packets, from: source, through: socket, &failures)
        return failures
    }

    private var nextIdentification: UInt16 { identification == .max ? 1 : identification + 1 }

    private var targets: [IPAddress] {
        switch destinations {
        case .group(let group): [group]
        case .peers(let peers): peers
        }
    }

    private func failure(_ cause: Failure.Cause, _ target: IPAddress) -> Failure {
        let isPeer = if case .peers = destinations { true } else { false }
        return Failure(destination: target, isPeer: isPeer, cause: cause)
    }

    /// Makes what was sent last the next: nothing but the IP Identification is different.
    private mutating func renumber() {
        guard case .v4 = prepared?.source else { return }
        for index in prepared?.packets.indices ?? 0..<0 {
            Advertisement.setIdentification(
                identification, ofIPv4Packet: &prepared!.packets[index].octets)
        }
    }

    /// The packets of an advertisement, as far as they can be made.
    private mutating func packets(
        of advertisement: Advertisement, from source: IPAddress, _ failures: inout [Failure]
    ) -> [Packet] {
        var sequenceNumber: UInt32 = 0
        if advertisement.carrierProtocol == Advertisement.authenticationHeaderProtocol {
            guard let next = sequence.next() else {
                failures = targets.map { failure(.sequenceExhausted, $0) }
                return []
            }
            sequenceNumber = next
        }
        var packets: [Packet] = []
        for target in targets {
            do throws(AdvertisementError) {
                let octets = try packet(
                    of: advertisement, from: source, to: target, sequenceNumber: sequenceNumber)
                packets.append(Packet(destination: target, octets: octets))
            } catch {
                failures.append(failure(.unencodable(error), target))
            }
        }
        return packets
    }

    /// The octets that a socket of that family takes: a packet of IPv4, a message of IPv6.
    private func packet(
        of advertisement: Advertisement, from source: IPAddress, to target: IPAddress,
        sequenceNumber: UInt32
    ) throws(AdvertisementError) -> [UInt8] {
        switch (source, target) {
        case (.v4(let source), .v4(let target)):
            try advertisement.ipv4Packet(
                from: source, to: target, identification: identification,
                timeToLive: target.isMulticast
                    ? Advertisement.timeToLive : unicastTimeToLive ?? Advertisement.timeToLive,
                checksum: checksum, sequenceNumber: sequenceNumber)
        case (.v6(let source), .v6(let target)):
            try advertisement.ipv6Message(from: source, to: target)
        case (.v4, .v6), (.v6, .v4):
            throw .unsupportedAddress(source)
        }
    }

    private mutating func transmit(
        _ packets: [Packet], from source: IPAddress, through socket: VRRPSocket,
        _ failures: inout [Failure]
    ) {
        for packet in packets {
            let error = Self.transmit(
                packet, from: source, through: socket, hopLimit: unicastTimeToLive)
            if let error { failures.append(failure(.refused(error), packet.destination)) }
        }
    }

    private static func transmit(
        _ packet: Packet, from source: IPAddress, through socket: VRRPSocket, hopLimit: UInt8?
    ) -> SystemError? {
        do throws(SystemError) {
            switch (source, packet.destination) {
            case (.v6(let source), .v6(let target)):
                try socket.send(
                    packet.octets, from: source, to: target,
                    hopLimit: target.isMulticast ? nil : hopLimit)
            case (_, .v4(let target)):
                try socket.send(packet.octets, to: target)
            case (.v4, .v6): break
            }
            return nil
        } catch {
            return error
        }
    }
}
