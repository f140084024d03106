public import NetworkTypes

/// A VRRP advertisement (RFC 3768 §5.1, RFC 9568 §5.1): what a master says of itself every
/// interval.
///
/// Versions 2 and 3 over IPv4 and IPv6. Version 2 over IPv6 is in no RFC, but keepalived speaks it.
public struct Advertisement: Equatable, Sendable {
    /// The protocol version: 2 (RFC 3768) or 3 (RFC 9568).
    public var version: Int
    /// The virtual router's number, 1 to 255 (§5.3.3; RFC 9568 §5.2.3).
    public var vrid: UInt8
    /// The sender's priority (§5.3.4; RFC 9568 §5.2.4): 255 owns the addresses, 0 is giving them
    /// up.
    public var priority: UInt8
    /// How often the sender advertises: in version 2 whole seconds, up to 255 (§5.3.7), in version
    /// 3 whole centiseconds, up to 4095 (RFC 9568 §5.2.7).
    public var interval: Duration
    /// The virtual addresses, all of one family, in the order of the sender's configuration
    /// (§5.3.9; RFC 9568 §5.2.9, which wants a link-local IPv6 address first).
    public var addresses: [IPAddress]
    /// What the sender proves itself with; version 3 has nothing of the kind and does not say it.
    public var authentication: Authentication

    /// Authentication of VRRPv2 (RFC 2338 §5.3.6).
    public enum Authentication: Hashable, Sendable {
        /// Type 0: none. The eight octets are there, zero and ignored.
        case none
        /// Type 1: a password in clear text, keepalived's `auth_type PASS`. Over IPv6 the type is
        /// said and the password is not: keepalived sends no authentication octets there.
        case password(AuthenticationPassword)
        /// Type 2: an IP authentication header (RFC 2402, HMAC-MD5-96) keyed with a password,
        /// keepalived's `auth_type AH`. IPv4 only.
        case header(AuthenticationPassword)

        /// The number in the message's Auth Type field.
        public var type: UInt8 {
            switch self {
            case .none: 0
            case .password: 1
            case .header: 2
            }
        }
    }

    /// The priority of the router that owns the addresses.
    public static let ownerPriority: UInt8 = 255
    /// The priority with which a master gives up.
    public static let resignationPriority: UInt8 = 0

    /// 224.0.0.18, the group all VRRP routers listen to (RFC 3768 §5.2.2).
    public static let group = IPv4Address(224, 0, 0, 18)
    /// ff02::12, the same of IPv6 (RFC 9568 §5.1.2.2).
    public static let group6 = IPv6Address(high: 0xff02 << 48, low: 0x12)
    /// The IP protocol number of VRRP (§5.2.4).
    public static let ipProtocol: UInt8 = 112
    /// The IP protocol number of the authentication header, under which VRRP with `auth_type AH`
    /// travels (RFC 2402).
    public static let authenticationHeaderProtocol: UInt8 = 51
    /// The TTL or hop limit of every advertisement to the group; a receiver rejects any other
    /// (§5.2.3; RFC 9568 §5.1.1.3, §5.1.2.3).
    public static let timeToLive: UInt8 = 255
    /// Type of service or traffic class of an advertisement: internetwork control (RFC 791 §3.1).
    public static let trafficClass: UInt8 = 0xc0
    /// No advertisement is longer: an IPv6 one with 255 addresses. (An IPv4 one with options, an
    /// authentication header and as many is a third of that.)
    public static let maximumPacketBytes = headerBytes + 255 * IPAddress.Family.v6.octetCount

    /// The only packet type there is (§5.3.2).
    static let packetType: UInt8 = 1
    /// Octets before the addresses.
    static let headerBytes = 8

    /// The group that routers of a family listen to.
    public static func group(_ family: IPAddress.Family) -> IPAddress {
        switch family {
        case .v4: .v4(group)
        case .v6: .v6(group6)
        }
    }

    /// The IP protocol number this advertisement is sent under: 51 when an authentication header is
    /// in front of it, else 112.
    public var carrierProtocol: UInt8 {
        if version == 2, case .header = authentication {
            Self.authenticationHeaderProtocol
        } else {
            Self.ipProtocol
        }
    }

    /// The advertisement with these contents; the defaults are those of version 2.
    @inlinable public init(
        version: Int = 2, vrid: UInt8, priority: UInt8, interval: Duration = .seconds(1),
        addresses: [IPAddress], authentication: Authentication = .none
    ) {
        self.version = version
        self.vrid = vrid
        self.priority = priority
        self.interval = interval
        self.addresses = addresses
        self.authentication = authentication
    }
}

extension IPAddress.Family {
    /// Octets of an address.
    var octetCount: Int {
        switch self {
        case .v4: 4
        case .v6: 16
        }
    }
}
