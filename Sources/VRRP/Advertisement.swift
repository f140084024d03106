public import NetworkTypes

/// A VRRP advertisement (RFC 3768 §5.1): what a master says of itself every interval.
///
/// VRRPv2 over IPv4 is complete. The type already has room for version 3 and IPv6 (RFC 9568), but
/// encoding or validating one throws `AdvertisementError.unsupportedVersion`.
public struct Advertisement: Equatable, Sendable {
    /// The protocol version: 2 (RFC 3768) or 3 (RFC 9568).
    public var version: Int
    /// The virtual router's number, 1 to 255 (§5.3.3).
    public var vrid: UInt8
    /// The sender's priority (§5.3.4): 255 owns the addresses, 0 is giving them up.
    public var priority: UInt8
    /// How often the sender advertises (§5.3.7): whole seconds in version 2, up to 255.
    public var interval: Duration
    /// The virtual addresses, in the order of the sender's configuration (§5.3.9).
    public var addresses: [IPAddress]
    /// What the sender proves itself with.
    public var authentication: Authentication

    /// Authentication of VRRPv2 (RFC 2338 §5.3.6).
    public enum Authentication: Hashable, Sendable {
        /// Type 0: none. The eight octets are there, zero and ignored.
        case none
        /// Type 1: a password in clear text, keepalived's `auth_type PASS`.
        case password(AuthenticationPassword)

        /// The number in the message's Auth Type field.
        public var type: UInt8 {
            switch self {
            case .none: 0
            case .password: 1
            }
        }
    }

    /// The priority of the router that owns the addresses.
    public static let ownerPriority: UInt8 = 255
    /// The priority with which a master gives up.
    public static let resignationPriority: UInt8 = 0

    /// 224.0.0.18, the group all VRRP routers listen to (RFC 3768 §5.2.2).
    public static let group = IPv4Address(224, 0, 0, 18)
    /// The IP protocol number of VRRP (§5.2.4).
    public static let ipProtocol: UInt8 = 112
    /// The TTL of every advertisement; a receiver rejects any other (§5.2.3).
    public static let timeToLive: UInt8 = 255

    /// The only packet type there is (§5.3.2).
    static let packetType: UInt8 = 1
    /// Octets before the addresses.
    static let headerBytes = 8

    /// The advertisement with these contents; the defaults are those of version 2.
    public init(
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
