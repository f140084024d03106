/// What a virtual router counts; keepalived's counters, whose names in its JSON are quoted.
public struct Statistics: Equatable, Sendable {
    /// Advertisements of right type, version, length and checksum: `advert_rcvd`.
    public var advertisementsReceived: UInt64 = 0
    /// Advertisements sent, one for all unicast peers together: `advert_sent`.
    public var advertisementsSent: UInt64 = 0
    /// Transitions to MASTER: `become_master`.
    public var becameMaster: UInt64 = 0
    /// Transitions from MASTER: `release_master`.
    public var releasedMaster: UInt64 = 0
    /// Packets of a wrong length: `packet_len_err`.
    public var lengthErrors: UInt64 = 0
    /// Advertisements with another interval: `advert_interval_err`. (keepalived 2.2.7 has the
    /// counter, and never counts.)
    public var intervalErrors: UInt64 = 0
    /// Packets of a wrong TTL or hop limit: `ip_ttl_err`.
    public var timeToLiveErrors: UInt64 = 0
    /// Packets of an unknown type: `invalid_type_rcvd`.
    public var invalidTypes: UInt64 = 0
    /// Advertisements with other addresses, or sent the wrong way: `addr_list_err`.
    public var addressListErrors: UInt64 = 0
    /// Packets of an unknown Auth Type: `invalid_authtype`.
    public var invalidAuthenticationTypes: UInt64 = 0
    /// Packets of another Auth Type than the configured one: `authtype_mismatch`.
    public var authenticationTypeMismatches: UInt64 = 0
    /// Packets whose authentication failed: `auth_failure`.
    public var authenticationFailures: UInt64 = 0
    /// Resignations received: `pri_zero_rcvd`.
    public var resignationsReceived: UInt64 = 0
    /// Resignations said: `pri_zero_sent`. For a fault two are sent and one said, for another
    /// group member's one is sent and none said, as keepalived does and counts.
    public var resignationsSent: UInt64 = 0
    /// Packets of a wrong checksum: `chk_err`, which keepalived shows over SNMP only.
    public var checksumErrors: UInt64 = 0
    /// Packets of another version: `vers_err`, likewise.
    public var versionErrors: UInt64 = 0

    /// Nothing has happened.
    public init() {}

    /// Counts an advertisement that was accepted.
    public mutating func count(_ advertisement: Advertisement) {
        advertisementsReceived += 1
        if advertisement.priority == Advertisement.resignationPriority {
            resignationsReceived += 1
        }
    }

    /// Counts a packet that was refused, where keepalived counts it.
    public mutating func count(_ error: AdvertisementError) {
        switch error {
        case .wrongLength, .wrongTotalLength: lengthErrors += 1
        case .wrongTimeToLive: timeToLiveErrors += 1
        case .wrongVersion: versionErrors += 1
        case .unknownAuthenticationType: invalidAuthenticationTypes += 1
        case .wrongCarrier, .wrongAuthenticationType: authenticationTypeMismatches += 1
        case .wrongPassword, .wrongIntegrityCheckValue, .wrongSecurityParametersIndex,
            .replayedSequenceNumber:
            authenticationFailures += 1
        case .wrongInterval: intervalErrors += 1
        case .wrongType: invalidTypes += 1
        case .wrongAddressCount, .wrongDestination: addressListErrors += 1
        case .wrongChecksum: checksumErrors += 1
        // From here on the packet was a right one, and counted as such.
        case .zeroInterval:
            advertisementsReceived += 1
            intervalErrors += 1
        case .noAddresses, .firstAddressNotLinkLocal, .missingAddress:
            advertisementsReceived += 1
            addressListErrors += 1
        case .notAPeer:
            advertisementsReceived += 1
        case .timeToLiveOutOfRange:
            advertisementsReceived += 1
            timeToLiveErrors += 1
        // Belongs to no virtual router, or was never received.
        case .packetTooShort, .notVRRP, .unsupportedVersion, .unsupportedAddress,
            .unencodableInterval, .tooManyAddresses, .authenticationNeedsIPv4:
            break
        }
    }
}
