public import NetworkTypes

/// A virtual router as keepalived would run it: every default filled in, every correction made.
public struct VRRPInstance: Hashable, Sendable {
    /// The `vrrp_instance`'s name.
    public var name: String
    /// The interface its advertisements use.
    public var interface: InterfaceName
    /// The virtual router's number (VRID), 1 to 255.
    public var virtualRouterID: UInt8
    /// The version of the protocol.
    public var version: Version
    /// The family of its addresses.
    public var family: IPAddress.Family
    /// `state`, after keepalived's corrections. It starts as backup in any case, unless its
    /// priority is 255.
    public var initialState: InitialState
    /// 1 to 255; 255 is the owner of the addresses.
    public var priority: UInt8
    /// The time from one advertisement to the next, rounded as its version needs it.
    public var advertisementInterval: Duration
    /// Whether `nopreempt` is written.
    public var nopreemptWritten: Bool
    /// Whether it leaves a master of lower priority alone: `nopreempt`, unless keepalived clears
    /// it.
    public var nopreempt: Bool
    /// How long it lets a master of lower priority be before it preempts.
    public var preemptDelay: Duration
    /// How advertisements are authenticated; nil: not at all.
    public var authentication: Authentication?
    /// The addresses it advertises, in the order on the wire.
    public var virtualAddresses: [VirtualAddress]
    /// Addresses it sets along with them without advertising them.
    public var excludedAddresses: [VirtualAddress]
    /// How it announces its addresses.
    public var announcements: AnnouncementSettings
    /// `mcast_src_ip`, `unicast_src_ip`: the source address; nil: the interface's first.
    public var sourceAddress: IPAddress?
    /// Whom advertisements are sent to; none: the multicast group.
    public var unicastPeers: [IPAddress]
    /// Whether an advertisement's addresses are compared only when its sender changes.
    public var skipsAddressCheck: Bool
    /// `accept`: whether packets to the virtual addresses are accepted by a master not their owner.
    public var acceptsPackets: Bool
    /// Whether RFC 3768's rules hold to the letter (`vrrp_strict`, `strict_mode`).
    public var isStrict: Bool
    /// Advertisements missed before the master counts as down.
    public var masterDownAdvertisements: Int
    /// Whether, as master, it lets advertisements of lower priority pass without answer.
    public var ignoresLowerPriority: Bool
    /// Whether it sends one more advertisement before it yields to a higher priority.
    public var advertisesBeforeYielding: Bool
    /// Whether the state of its own interface does not matter.
    public var ignoresOwnInterface: Bool
    /// Interfaces whose state matters besides its own.
    public var trackedInterfaces: [TrackedInterface]
    /// Scripts whose results matter.
    public var trackedScripts: [TrackedScript]
    /// What is run when the state changes.
    public var notify: NotifyCommands
    /// Whether mail is sent when the state changes.
    public var smtpAlert: Bool
    /// Where its definition stands.
    public var position: SourcePosition
    /// Where its interface is named.
    public var interfacePosition: SourcePosition

    /// A version of VRRP.
    public enum Version: UInt8, Hashable, Sendable {
        /// RFC 3768.
        case v2 = 2
        /// RFC 5798 and 9568.
        case v3 = 3
    }

    /// What `state` says.
    public enum InitialState: String, Hashable, Sendable {
        /// `MASTER`: nothing but a wish, unless the priority is 255.
        case master = "MASTER"
        /// `BACKUP`: also when nothing is written.
        case backup = "BACKUP"
    }

    /// How advertisements of version 2 are authenticated.
    public enum Authentication: Hashable, Sendable {
        /// `auth_type PASS`: up to eight bytes in clear (RFC 2338 §5.3.6).
        case password([UInt8])
        /// `auth_type AH`: an IP authentication header with this key, up to eight bytes.
        case header(key: [UInt8])

        /// Bytes of the password that are used; keepalived cuts what is longer.
        public static let maximumBytes = 8
    }

    /// The commands of `notify` and its kin.
    public struct NotifyCommands: Hashable, Sendable {
        /// `notify`: run at each change, with its description as arguments.
        public var any: Command?
        /// `notify_master`: run on becoming master.
        public var master: Command?
        /// `notify_backup`: run on becoming backup, at the start too.
        public var backup: Command?
        /// `notify_fault`: run when an interface or a script is down.
        public var fault: Command?
        /// `notify_stop`: run when the daemon ends.
        public var stop: Command?
    }

    /// A line of `track_interface`.
    public struct TrackedInterface: Hashable, Sendable {
        /// The interface.
        public var interface: InterfaceName
        /// Added to or taken from the priority; 0: FAULT while it is down.
        public var weight: Int
        /// Where it stands.
        public var position: SourcePosition
    }

    /// A line of `track_script`.
    public struct TrackedScript: Hashable, Sendable {
        /// The script's name.
        public var name: String
        /// The weight for this instance; nil: the script's own.
        public var weight: Int?
        /// Where it stands.
        public var position: SourcePosition
    }
}

/// An address that moves with a virtual router.
public struct VirtualAddress: Hashable, Sendable {
    /// The address, with the length of its prefix: the whole width unless written.
    public var address: InterfaceAddress
    /// The interface it is set on: `dev`, or the instance's.
    public var interface: InterfaceName
    /// Its label, at most 15 bytes; IPv4 only.
    public var label: String?
    /// Its broadcast address; nil: none.
    public var broadcast: IPv4Address?
    /// How far it is valid.
    public var scope: Scope
    /// Whether its removal by someone else matters (not so with `no_track`).
    public var isTracked: Bool
    /// Where it stands.
    public var position: SourcePosition

    /// An address's scope, as the kernel numbers it (rtnetlink's `ifa_scope`).
    public struct Scope: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        /// The kernel's number.
        public var rawValue: UInt8

        /// The scope of that number.
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Everywhere (RT_SCOPE_UNIVERSE).
        public static let global = Scope(rawValue: 0)
        /// Within the site.
        public static let site = Scope(rawValue: 200)
        /// On the link.
        public static let link = Scope(rawValue: 253)
        /// On the host.
        public static let host = Scope(rawValue: 254)
        /// Nowhere: the destination does not exist.
        public static let nowhere = Scope(rawValue: 255)

        /// The scope of that name, or with that number in decimal, as `ip addr` takes it.
        public init?(_ text: String) {
            switch text {
            case "global": self = .global
            case "site": self = .site
            case "link": self = .link
            case "host": self = .host
            case "nowhere": self = .nowhere
            default:
                guard let number = UInt8(text) else { return nil }
                rawValue = number
            }
        }

        public var description: String {
            switch self {
            case .global: "global"
            case .site: "site"
            case .link: "link"
            case .host: "host"
            case .nowhere: "nowhere"
            default: String(rawValue)
            }
        }
    }
}

/// How a virtual router announces its addresses: gratuitous ARP, or neighbour advertisements.
public struct AnnouncementSettings: Hashable, Sendable {
    /// The time from becoming master to the second round; zero: no second round.
    public var masterDelay: Duration = .seconds(5)
    /// Packets per address in a round.
    public var masterRepeat = 5
    /// The time between rounds while master; zero: none.
    public var refreshInterval: Duration = .zero
    /// Packets per address in such a round.
    public var refreshRepeat = 1
    /// The time from a round caused by an advertisement of lower priority to the next.
    public var lowerPriorityDelay: Duration = .seconds(5)
    /// Packets per address in such a round.
    public var lowerPriorityRepeat = 5

    /// keepalived's defaults.
    public init() {}
}
