import NetworkTypes

extension ReceivedAdvertisement {
    /// The advertisement, when it is well formed: complete, TTL 255, a version, type and Auth Type
    /// that exist, the checksum right. Whether it fits a configuration is not asked. Neither is an
    /// integrity check value verified: what is returned for it is `.header` with no password.
    ///
    /// - Parameter checksum: what the checksum of version 3 over IPv4 must cover.
    /// - Throws: the first check that fails.
    public func wellFormed(
        checksum: ChecksumRule = .pseudoHeader
    ) throws(AdvertisementError) -> Advertisement {
        guard version == 2 || version == 3 else { throw .unsupportedVersion(version) }
        try checkLength()
        try checkTimeToLive()
        if version == 2 { try checkAuthenticationTypeExists() }
        try checkType()
        try checkTotalLength()
        try checkChecksum(checksum)
        if version == 3 { try checkVersion3() }
        return try contents()
    }

    /// The advertisement, when it passes every check of RFC 3768 §7.1 or RFC 9568 §7.1 against an
    /// instance's configuration, made in keepalived's order so that the same packet gives the same
    /// log line. In version 3 its interval is the sender's, for the receiver to learn.
    ///
    /// - Throws: the first check that fails.
    public func validated(
        against expectation: Expectation
    ) throws(AdvertisementError) -> Advertisement {
        let expected = expectation.advertisement
        try checkCarrier(expected.authentication, version: expected.version)
        try checkLength()
        if !expectation.isUnicast { try checkTimeToLive() }
        guard version == expected.version else {
            throw .wrongVersion(received: version, expected: expected.version)
        }
        guard version == 2 || version == 3 else { throw .unsupportedVersion(version) }
        if version == 2 {
            try checkAuthenticationTypeExists()
            try checkAuthentication(expectation)
            guard .seconds(Int(octet(5))) == expected.interval else {
                throw .wrongInterval(receivedSeconds: Int(octet(5)), expected: expected.interval)
            }
        }
        try checkType()
        if expectation.comparesAddresses, addressCount != expected.addresses.count {
            throw .wrongAddressCount(received: addressCount, expected: expected.addresses.count)
        }
        try checkTotalLength()
        try checkChecksum(expectation.checksum)
        guard destination.isMulticast != expectation.isUnicast else {
            throw .wrongDestination(expectedUnicast: expectation.isUnicast)
        }
        if version == 3 { try checkVersion3() }
        var advertisement = try contents()
        // Verified, but an authentication header does not show it.
        advertisement.authentication = version == 2 ? expected.authentication : .none
        try checkAddresses(of: advertisement, expectation)
        try checkPeer(expectation)
        return advertisement
    }

    // MARK: Fields

    private var family: IPAddress.Family { source.family }
    private var message: ArraySlice<UInt8> { octets[messageOffset...] }

    private func octet(_ offset: Int) -> UInt8 { octets[messageOffset + offset] }

    private var version: Int { Int(octet(0) >> 4) }
    private var addressCount: Int { Int(octet(3)) }
    private var authenticationType: UInt8 { octet(4) }

    /// RFC 9568 §5.2.6: the four bits before the interval are ignored.
    private var interval: Duration {
        version == 2
            ? .seconds(Int(octet(5))) : .milliseconds(10 * Int(message.number16(at: 4) & 0x0fff))
    }

    /// Octets from the addresses' end to the packet's: the authentication data of version 2, which
    /// keepalived leaves away over IPv6.
    private var trailerBytes: Int {
        version == 2 && family == .v4 ? AuthenticationPassword.lengthBytes : 0
    }

    private func contents() throws(AdvertisementError) -> Advertisement {
        var authentication = Advertisement.Authentication.none
        if version == 2 {
            let password = AuthenticationPassword(truncating: Array(message.suffix(trailerBytes)))
            switch authenticationType {
            case 0: break
            case 1: authentication = .password(password)
            case 2: authentication = .header(password)
            case let type: throw .unknownAuthenticationType(type)
            }
        }
        let width = family.octetCount
        return Advertisement(
            version: version, vrid: vrid, priority: octet(2), interval: interval,
            addresses: (0..<addressCount).map { index in
                let offset = Advertisement.headerBytes + width * index
                return switch family {
                case .v4: .v4(message.ipv4Address(at: offset))
                case .v6: .v6(message.ipv6Address(at: offset))
                }
            }, authentication: authentication)
    }

    // MARK: Checks

    private func checkCarrier(
        _ authentication: Advertisement.Authentication, version: Int
    ) throws(AdvertisementError) {
        guard family == .v4 else { return }
        let expectsHeader = if version == 2, case .header = authentication { true } else { false }
        guard (authenticationHeader != nil) == expectsHeader else {
            throw .wrongCarrier(hasAuthenticationHeader: authenticationHeader != nil)
        }
    }

    private func checkLength() throws(AdvertisementError) {
        let expected =
            messageOffset + Advertisement.headerBytes + family.octetCount * addressCount
            + trailerBytes
        guard octets.count == expected else {
            throw .wrongLength(receivedBytes: octets.count, expectedBytes: expected)
        }
    }

    private func checkTimeToLive() throws(AdvertisementError) {
        if let timeToLive, timeToLive != Advertisement.timeToLive {
            throw .wrongTimeToLive(received: timeToLive)
        }
    }

    private func checkAuthenticationTypeExists() throws(AdvertisementError) {
        guard authenticationType <= 2 else {
            throw .unknownAuthenticationType(authenticationType)
        }
    }

    private func checkAuthentication(_ expectation: Expectation) throws(AdvertisementError) {
        let expected = expectation.advertisement.authentication
        guard authenticationType == expected.type else {
            throw .wrongAuthenticationType(received: authenticationType, expected: expected.type)
        }
        switch expected {
        case .none: break
        case .password(let password):
            // Over IPv6 there is nothing to compare; keepalived compares octets that are not there.
            if trailerBytes > 0, !password.equals(message.suffix(trailerBytes)) {
                throw .wrongPassword
            }
        case .header(let password):
            try checkAuthenticationHeader(password, expectation)
        }
    }

    /// The value first: if it does not match, no field of the packet can be relied on.
    private func checkAuthenticationHeader(
        _ password: AuthenticationPassword, _ expectation: Expectation
    ) throws(AdvertisementError) {
        guard let header, let authenticationHeader else { return }
        guard
            AuthenticationHeader.verifies(
                octets, headerBytes: header.lengthBytes, password: password,
                isUnicast: expectation.isUnicast)
        else { throw .wrongIntegrityCheckValue }
        let index = authenticationHeader.securityParametersIndex
        guard index == header.source.rawValue else {
            throw .wrongSecurityParametersIndex(received: index, source: header.source.rawValue)
        }
        let number = authenticationHeader.sequenceNumber
        guard number > expectation.lastSequenceNumber else {
            throw .replayedSequenceNumber(number, last: expectation.lastSequenceNumber)
        }
    }

    private func checkType() throws(AdvertisementError) {
        guard octet(0) & 0x0f == Advertisement.packetType else {
            throw .wrongType(received: octet(0) & 0x0f)
        }
    }

    private func checkTotalLength() throws(AdvertisementError) {
        if let header, header.totalLengthBytes != octets.count {
            throw .wrongTotalLength(
                headerBytes: header.totalLengthBytes, receivedBytes: octets.count)
        }
    }

    /// Over IPv6 the kernel has checked this too (IPV6_CHECKSUM), unless the packet is simulated.
    private func checkChecksum(_ rule: ChecksumRule) throws(AdvertisementError) {
        let length = octets.count - messageOffset
        var sum =
            switch (source, destination) {
            case (.v6(let source), .v6(let destination)):
                InternetChecksum(
                    pseudoHeaderFrom: source, to: destination, lengthBytes: length)
            case (.v4(let source), .v4(let destination)) where version == 3:
                rule.sum(from: source, to: destination, messageBytes: length)
            case (.v4, _), (.v6, _):
                InternetChecksum()
            }
        sum.add(message)
        guard sum.value == 0 else { throw .wrongChecksum(version: version) }
    }

    /// RFC 9568 §5.2.5 and §5.2.7 with erratum 8301.
    private func checkVersion3() throws(AdvertisementError) {
        guard interval > .zero else { throw .zeroInterval }
        guard addressCount > 0 else { throw .noAddresses }
    }

    private func checkAddresses(
        of advertisement: Advertisement, _ expectation: Expectation
    ) throws(AdvertisementError) {
        if expectation.requiresLinkLocalFirst, version == 3,
            let first = advertisement.addresses.first,
            case .v6(let address) = first, !address.isLinkLocal
        {
            throw .firstAddressNotLinkLocal(first)
        }
        let expected = expectation.advertisement.addresses
        // In the same order they almost always are; then one pass is enough.
        guard expectation.comparesAddresses, expected != advertisement.addresses else { return }
        for address in expected where !advertisement.addresses.contains(address) {
            throw .missingAddress(address, vrid: vrid)
        }
    }

    private func checkPeer(_ expectation: Expectation) throws(AdvertisementError) {
        guard expectation.isUnicast, let peers = expectation.peers else { return }
        guard let peer = peers.first(where: { $0.address == source }) else {
            throw .notAPeer(source)
        }
        if let timeToLive, !peer.timeToLive.contains(timeToLive) {
            throw .timeToLiveOutOfRange(received: timeToLive, expected: peer.timeToLive)
        }
    }
}
