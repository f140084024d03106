public import NetworkTypes

extension Advertisement {
    /// Whether this can be sent over that family at all: what the encoders below would throw.
    ///
    /// - Throws: `AdvertisementError.unsupportedVersion`, `.unsupportedAddress` (of the other
    ///   family), `.unencodableInterval`, `.tooManyAddresses` (over 255) or
    ///   `.authenticationNeedsIPv4` (an authentication header over IPv6).
    public func checkEncodable(over family: IPAddress.Family) throws(AdvertisementError) {
        _ = try header()
        for address in addresses where address.family != family {
            throw .unsupportedAddress(address)
        }
        if family == .v6, carrierProtocol != Self.ipProtocol { throw .authenticationNeedsIPv4 }
    }

    /// The whole IPv4 packet, for a raw socket with IP_HDRINCL: TOS 0xc0 (internetwork control),
    /// fragmentation allowed, as keepalived builds it. Under `auth_type AH` the authentication
    /// header stands between the two.
    ///
    /// - Parameters:
    ///   - source: the sending interface's primary address (RFC 3768 §5.2.1).
    ///   - destination: the group, or a unicast peer.
    ///   - identification: the IP Identification; keepalived counts from 1.
    ///   - timeToLive: 255, or for a unicast peer what `unicast_ttl` says.
    ///   - checksum: what the checksum of version 3 covers.
    ///   - sequenceNumber: the authentication header's; without one it is not used.
    /// - Throws: as `checkEncodable(over: .v4)`.
    public func ipv4Packet(
        from source: IPv4Address, to destination: IPv4Address = Self.group,
        identification: UInt16, timeToLive: UInt8 = Self.timeToLive,
        checksum: ChecksumRule = .pseudoHeader, sequenceNumber: UInt32 = 0
    ) throws(AdvertisementError) -> [UInt8] {
        let message = try ipv4Message(from: source, to: destination, checksum: checksum)
        let prefixBytes =
            IPv4Header.minimumBytes
            + (carrierProtocol == Self.ipProtocol ? 0 : AuthenticationHeader.lengthBytes)
        var packet: [UInt8] = []
        packet.reserveCapacity(prefixBytes + message.count)
        packet += [0x45, Self.trafficClass]
        // 20 + 24 + 8 + 255 × 4 + 8 octets at most: no configuration overflows the field.
        packet.append(number16: UInt16(prefixBytes + message.count))
        packet.append(number16: identification)
        packet += [0, 0, timeToLive, carrierProtocol, 0, 0]
        packet.append(source)
        packet.append(destination)
        packet.replace(at: 10, number16: InternetChecksum(packet).value)
        guard version == 2, case .header(let password) = authentication else {
            return packet + message
        }
        packet += AuthenticationHeader.unsigned(
            securityParametersIndex: source.rawValue, sequenceNumber: sequenceNumber)
        packet += message
        AuthenticationHeader.sign(&packet, with: password, isUnicast: !destination.isMulticast)
        return packet
    }

    /// The VRRP message of an IPv6 packet, checksum set. (A raw socket with IPV6_CHECKSUM computes
    /// it again.)
    ///
    /// - Parameters:
    ///   - source: the interface's link-local address (RFC 9568 §5.1.2.1), or `unicast_src_ip`.
    ///   - destination: the group, or a unicast peer.
    /// - Throws: as `checkEncodable(over: .v6)`.
    public func ipv6Message(
        from source: IPv6Address, to destination: IPv6Address = Self.group6
    ) throws(AdvertisementError) -> [UInt8] {
        guard carrierProtocol == Self.ipProtocol else { throw .authenticationNeedsIPv4 }
        var message = try header()
        message.reserveCapacity(Self.headerBytes + 16 * addresses.count)
        for address in addresses {
            guard case .v6(let address) = address else { throw .unsupportedAddress(address) }
            message.append(address)
        }
        var sum = InternetChecksum(
            pseudoHeaderFrom: source, to: destination, lengthBytes: message.count)
        sum.add(message)
        message.replace(at: 6, number16: sum.value)
        return message
    }

    /// The whole IPv6 packet as the kernel makes it of `ipv6Message`, for whoever has no kernel: a
    /// simulated network or a comparison with a captured one.
    ///
    /// - Parameters:
    ///   - hopLimit: 255 to the group (RFC 9568 §5.1.2.3); to a peer the kernel's default, 64,
    ///     unless `unicast_ttl` says otherwise.
    ///   - flowLabel: twenty bits that the kernel derives from the addresses.
    /// - Throws: as `checkEncodable(over: .v6)`.
    public func ipv6Packet(
        from source: IPv6Address, to destination: IPv6Address = Self.group6,
        hopLimit: UInt8 = Self.timeToLive, flowLabel: UInt32 = 0
    ) throws(AdvertisementError) -> [UInt8] {
        let message = try ipv6Message(from: source, to: destination)
        return IPv6Header(
            payloadBytes: message.count, nextHeader: Self.ipProtocol, hopLimit: hopLimit,
            source: source, destination: destination
        ).octets(trafficClass: Self.trafficClass, flowLabel: flowLabel) + message
    }

    /// Gives an IPv4 packet another Identification, and its header the checksum that goes with it:
    /// all in which the next packet of a master differs, as long as it says the same.
    ///
    /// - Parameter packet: what `ipv4Packet` has made, without authentication header, whose
    ///   integrity check value covers the Identification.
    public static func setIdentification(
        _ identification: UInt16, ofIPv4Packet packet: inout [UInt8]
    ) {
        // RFC 1624 §3: the sum changes by what the field changes by. It is never 0, as no header's
        // is, so that a checksum of 0xffff does not come about.
        var sum = UInt32(~packet.number16(at: 10)) + UInt32(~packet.number16(at: 4))
        sum += UInt32(identification)
        sum = (sum & 0xffff) + sum >> 16
        sum = (sum & 0xffff) + sum >> 16
        packet.replace(at: 4, number16: identification)
        packet.replace(at: 10, number16: ~UInt16(truncatingIfNeeded: sum))
    }

    // MARK: Parts

    private func ipv4Message(
        from source: IPv4Address, to destination: IPv4Address, checksum: ChecksumRule
    ) throws(AdvertisementError) -> [UInt8] {
        var message = try header()
        let trailerBytes = version == 2 ? AuthenticationPassword.lengthBytes : 0
        message.reserveCapacity(Self.headerBytes + 4 * addresses.count + trailerBytes)
        for address in addresses {
            guard case .v4(let address) = address else { throw .unsupportedAddress(address) }
            message.append(address)
        }
        var sum = InternetChecksum()
        if version == 2 {
            switch authentication {
            case .none, .header: message += repeatElement(0, count: trailerBytes)
            case .password(let password): message += password.octets
            }
        } else {
            sum = checksum.sum(from: source, to: destination, messageBytes: message.count)
        }
        sum.add(message)
        message.replace(at: 6, number16: sum.value)
        return message
    }

    /// The eight octets before the addresses, with a checksum of zero.
    private func header() throws(AdvertisementError) -> [UInt8] {
        guard version == 2 || version == 3 else { throw .unsupportedVersion(version) }
        guard let count = UInt8(exactly: addresses.count) else {
            throw .tooManyAddresses(addresses.count)
        }
        let (unit, limit): (Duration, Int128) =
            version == 2 ? (.seconds(1), 255) : (.milliseconds(10), 4095)
        let (units, rest) = interval.attoseconds.quotientAndRemainder(dividingBy: unit.attoseconds)
        guard (1...limit).contains(units), rest == 0 else {
            throw .unencodableInterval(interval, version: version)
        }
        var header = [UInt8(version) << 4 | Self.packetType, vrid, priority, count]
        // Version 3 has four reserved bits, sent as zero, before the interval (RFC 9568 §5.2.6).
        header.append(
            number16: version == 2
                ? UInt16(authentication.type) << 8 | UInt16(units) : UInt16(units))
        header += [0, 0]
        return header
    }
}
