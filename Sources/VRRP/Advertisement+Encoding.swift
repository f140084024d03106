public import NetworkTypes

extension Advertisement {
    /// The VRRP message: header, addresses, authentication data, checksum set (RFC 3768 §5.1).
    ///
    /// - Throws: `AdvertisementError.unsupportedVersion`, `.unsupportedAddress` (not IPv4),
    ///   `.unencodableInterval` (not 1 to 255 whole seconds) or `.tooManyAddresses` (over 255).
    public func message() throws(AdvertisementError) -> [UInt8] {
        guard version == 2 else { throw .unsupportedVersion(version) }
        guard let count = UInt8(exactly: addresses.count) else {
            throw .tooManyAddresses(addresses.count)
        }
        guard let seconds = UInt8(exactly: interval.components.seconds), seconds > 0,
            interval.components.attoseconds == 0
        else { throw .unencodableInterval(interval) }

        var message: [UInt8] = [
            UInt8(version) << 4 | Self.packetType, vrid, priority, count, authentication.type,
            seconds, 0, 0,
        ]
        for address in addresses {
            guard case .v4(let address) = address else { throw .unsupportedAddress(address) }
            message += address.octets
        }
        switch authentication {
        case .none:
            message += repeatElement(0, count: AuthenticationPassword.lengthBytes)
        case .password(let password):
            message += password.octets
        }
        message.replace(at: 6, number16: InternetChecksum(message).value)
        return message
    }

    /// The whole IPv4 packet, for a raw socket with IP_HDRINCL: TOS 0xc0 (internetwork control),
    /// TTL 255, fragmentation allowed, as keepalived builds it.
    ///
    /// - Parameters:
    ///   - source: the sending interface's primary address (RFC 3768 §5.2.1).
    ///   - destination: the group, or a unicast peer.
    ///   - identification: the IP Identification; keepalived counts from 1.
    /// - Throws: as `message()`.
    public func ipv4Packet(
        from source: IPv4Address, to destination: IPv4Address = Self.group,
        identification: UInt16
    ) throws(AdvertisementError) -> [UInt8] {
        let message = try message()
        var packet: [UInt8] = [0x45, 0xc0]
        // 20 + 8 + 255 × 4 + 8 octets at most: no configuration overflows the field.
        packet.append(number16: UInt16(IPv4Header.minimumBytes + message.count))
        packet.append(number16: identification)
        packet += [0, 0, Self.timeToLive, Self.ipProtocol, 0, 0]
        packet += source.octets
        packet += destination.octets
        packet.replace(at: 10, number16: InternetChecksum(packet).value)
        return packet + message
    }
}
