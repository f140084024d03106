import NetworkTypes
public import VRRP

/// The frames of one forged advertisement: the right one, and those with something wrong.
struct AdvertFrames: Equatable, Sendable {
    private let advert: ForgedAdvert
    /// What is sent where nothing is wrong.
    private let sound: [UInt8]
    private let numbers: KeyedNumbers
    /// Frames that are the same each time, by flaw.
    private let prepared: [Flaw: [UInt8]]

    private static let ethernetBytes = 14
    /// How long a message of random octets is at most.
    private static let maximumRandomBytes: UInt64 = 64

    /// - Throws: what the codec says of an advertisement that cannot be encoded.
    init(
        _ advert: ForgedAdvert, from mac: MACAddress, numbers: KeyedNumbers
    ) throws(AdvertisementError) {
        self.advert = advert
        self.numbers = numbers
        let sound = try advert.packet()
        let header = advert.ethernetHeader(from: mac)
        self.sound = header + sound
        var prepared: [Flaw: [UInt8]] = [:]
        for flaw in advert.flaws {
            if let packet = advert.spoiled(sound, by: flaw) { prepared[flaw] = header + packet }
        }
        self.prepared = prepared
    }

    /// The frame with that number, from 0.
    func frame(_ number: UInt64) -> [UInt8] {
        guard !advert.flaws.isEmpty else { return sound }
        let choice =
            advert.flaws.count == 1
            ? 0 : Int(numbers.number(below: UInt64(advert.flaws.count), number))
        let flaw = advert.flaws[choice]
        if let frame = prepared[flaw] { return frame }
        var packet = Array(sound[Self.ethernetBytes...])
        switch flaw {
        case .vrid:
            // One of the 254 others that there are.
            let distance = 1 + numbers.number(below: 254, number, part: 1)
            let vrid = (UInt64(advert.vrid) + 254 + distance) % 255 + 1
            packet[advert.headerBytes + 1] = UInt8(vrid)
            advert.seal(&packet)
        case .random:
            packet.removeLast(packet.count - advert.headerBytes)
            let count = 1 + numbers.number(below: Self.maximumRandomBytes, number, part: 1)
            for place in 0..<count {
                packet.append(
                    UInt8(truncatingIfNeeded: numbers.bits(number, part: 2 + place)))
            }
            advert.setLength(of: &packet)
        case .checksum, .ttl, .version, .type, .length:
            preconditionFailure("frames that are the same each time are prepared")
        }
        return sound[..<Self.ethernetBytes] + packet
    }
}

extension ForgedAdvert {
    /// What the codec says of it, if it cannot be sent; nil when it can.
    public var problem: AdvertisementError? {
        do throws(AdvertisementError) {
            try advertisement.checkEncodable(over: source.family)
            return nil
        } catch {
            return error
        }
    }

    private var advertisement: Advertisement {
        Advertisement(
            version: version, vrid: vrid, priority: priority, interval: interval,
            addresses: addresses,
            authentication: version == 2
                ? password.map { .password(AuthenticationPassword(truncating: $0)) } ?? .none
                : .none)
    }

    /// Octets of the IP header.
    fileprivate var headerBytes: Int { source.family == .v4 ? 20 : 40 }

    /// The IP packet, as a router would send it.
    fileprivate func packet() throws(AdvertisementError) -> [UInt8] {
        switch source {
        case .v4(let source): try advertisement.ipv4Packet(from: source, identification: 1)
        case .v6(let source): try advertisement.ipv6Packet(from: source)
        }
    }

    /// To the group of all VRRP routers (RFC 1112 §6.4, RFC 2464 §7).
    fileprivate func ethernetHeader(from mac: MACAddress) -> [UInt8] {
        switch source.family {
        case .v4: [0x01, 0x00, 0x5e, 0x00, 0x00, 0x12] + mac.octets + [0x08, 0x00]
        case .v6: [0x33, 0x33, 0x00, 0x00, 0x00, 0x12] + mac.octets + [0x86, 0xdd]
        }
    }

    private var ofOtherVersion: ForgedAdvert {
        var other = self
        other.version = version == 2 ? 3 : 2
        // Version 2 knows whole seconds only.
        if other.version == 2, interval > .zero {
            let seconds = (interval.wholeNanoseconds + 999_999_999) / 1_000_000_000
            other.interval = .seconds(min(seconds, 255))
        }
        if other.version == 3 { other.interval = min(interval, .milliseconds(40_950)) }
        other.password = nil
        return other
    }

    /// The packet with that wrong, and nothing else; nil for what is another one each time.
    fileprivate func spoiled(_ packet: [UInt8], by flaw: Flaw) -> [UInt8]? {
        var packet = packet
        let message = headerBytes
        switch flaw {
        case .checksum:
            packet[message + 7] ^= 0x01
            return packet
        case .ttl:
            packet[source.family == .v4 ? 8 : 7] = Advertisement.timeToLive - 1
            setLength(of: &packet)
            return packet
        case .version: return try? ofOtherVersion.packet()
        case .type: packet[message] ^= 0x03
        case .length:
            if addresses.isEmpty {
                packet[message + 3] = 1
            } else {
                // Its last address is gone, or in version 2 a part of what proves the sender.
                packet.removeLast(source.octets.count)
                setLength(of: &packet)
            }
        case .vrid, .random: return nil
        }
        seal(&packet)
        return packet
    }

    /// Has the IP header say how long the packet is, with the header checksum that goes with it.
    fileprivate func setLength(of packet: inout [UInt8]) {
        guard source.family == .v4 else {
            packet.put(UInt16(packet.count - headerBytes), at: 4)
            return
        }
        packet.put(UInt16(packet.count), at: 2)
        packet.put(0, at: 10)
        packet.put(InternetChecksum(packet[..<headerBytes]).value, at: 10)
    }

    /// Has the message bear the checksum that its version asks for (RFC 3768 §5.3.8; RFC 5798
    /// §5.2.8, with the pseudo header that keepalived adds over IPv4, too).
    fileprivate func seal(_ packet: inout [UInt8]) {
        packet.put(0, at: headerBytes + 6)
        let message = packet[headerBytes...]
        var sum = InternetChecksum()
        if version == 3 || source.family == .v6 {
            let addresses = source.family == .v4 ? packet[12..<20] : packet[8..<40]
            sum.add(addresses)
            // Zeros, the protocol, and the length: both widths come to the same sum.
            sum.add([0, Advertisement.ipProtocol])
            sum.add([UInt8(message.count >> 8), UInt8(message.count & 0xff)])
        }
        sum.add(message)
        packet.put(sum.value, at: headerBytes + 6)
    }
}

extension [UInt8] {
    /// Overwrites two octets with a number in network order.
    fileprivate mutating func put(_ value: UInt16, at offset: Int) {
        self[offset] = UInt8(value >> 8)
        self[offset + 1] = UInt8(value & 0xff)
    }
}
