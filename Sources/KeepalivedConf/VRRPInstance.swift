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
    /// `use_vmac`, `use_ipvlan`: the interface of its own that it makes; nil: none.
    public var virtualInterface: VirtualInterface?
    /// Where `use_vmac` or `use_ipvlan` stands.
    public var virtualInterfacePosition: SourcePosition?
    /// `virtual_routes`: routes that a master adds.
    public var virtualRoutes: [RouteDefinition] = []
    /// `virtual_rules`: rules of the routing policy that a master adds.
    public var virtualRules: [RuleDefinition] = []
    /// `track_file`: files whose values matter.
    public var trackedFiles: [TrackedObject] = []
    /// `track_process`: processes whose running matters.
    public var trackedProcesses: [TrackedObject] = []
    /// `track_src_ip`: FAULT while the source address is not on the interface.
    public var tracksSourceAddress = false
    /// `mcast_dst_ip`: the group; nil: `vrrp_mcast_group4` or `vrrp_mcast_group6`.
    public var multicastGroup: IPAddress?
    /// `unicast_ttl`: TTL or hop limit of what is sent to unicast peers; nil: 255 for IPv4, the
    /// kernel's for IPv6.
    public var unicastTimeToLive: UInt8?
    /// The TTLs that each unicast peer's packets may have, in the order of `unicastPeers`; nil for
    /// a peer whose TTL is not looked at.
    public var unicastPeerTimesToLive: [ClosedRange<UInt8>?] = []
    /// `check_unicast_src`: whether packets from others than the peers are refused.
    public var checksUnicastSource = false
    /// `unicast_fault_no_peer`: FAULT, not multicast, when a unicast block names no peer.
    public var faultsWithoutPeer = false
    /// `old_unicast_checksum`: how the checksum of version 3 to unicast peers is made.
    public var unicastChecksum = UnicastChecksum.current
    /// `v3_checksum_as_v2`: version 3 over IPv4 without the pseudo-header (RFC 9568 §5.2.8).
    public var checksumOmitsPseudoHeader = false
    /// `promote_secondaries`: the interface's sysctl of that name is set.
    public var promotesSecondaries = false
    /// `notify_priority_changes`: FIFO lines tell when the effective priority changes.
    public var notifiesPriorityChanges = false
    /// `notify_deleted`: a reload that removes the instance tells DELETED, not FAULT.
    public var notifiesDeletion = false
    /// `garp_extra_if`: how often addresses are announced on other interfaces too; zero: never.
    public var extraAnnouncementInterval: Duration = .zero
    /// `garp_extra_if all`: also on interfaces that are not the instance's own virtual ones.
    public var announcesOnAllInterfaces = false
    /// `use_vmac_addr`: addresses that are not on its own interface, or not of its family, get
    /// interfaces of their own.
    public var usesVMACForOtherAddresses = false
    /// The `vrrp_sync_group` it is in.
    public var syncGroup: String?
    /// Why it goes to FAULT and stays there whatever its interfaces do: a configuration that
    /// keepalived starts, but never lets run.
    public var configurationFaults: [String] = []

    /// `old_unicast_checksum` in version 3 over IPv4.
    public enum UnicastChecksum: Hashable, Sendable {
        /// Unwritten: with the peer's address in the pseudo-header.
        case current
        /// `old_unicast_checksum`: with the multicast group in the pseudo-header, as before 1.3.6.
        case old
        /// `old_unicast_checksum never`.
        case neverOld
    }

    /// An interface that an instance makes for itself on top of its own.
    public struct VirtualInterface: Hashable, Sendable {
        /// What sort of interface.
        public enum Kind: Hashable, Sendable {
            /// `use_vmac`: a macvlan with the virtual router's MAC address (RFC 9568 §7.3).
            case macvlan
            /// `use_ipvlan`: an ipvlan in layer 2 mode.
            case ipvlan
        }

        /// What sort.
        public var kind: Kind
        /// Its name: as written, else `vrrp.VRID` (`vmac_prefix`), or where another instance has
        /// that, `vrrp1.VRID` and so on, for IPv6 `vrrp6.VRID` first.
        public var name: InterfaceName
        /// Whether the name was written.
        public var nameIsWritten = false
        /// `use_ipvlan ... bridge|private|vepa`.
        public var mode = IPVLANMode.bridge
        /// `use_vmac NAME MAC`: its address; nil: 00-00-5E-00-01-VRID, or -02-VRID for IPv6.
        public var address: MACAddress?
        /// `use_ipvlan NAME ADDRESS`: the address that is set on it.
        public var interfaceAddress: InterfaceAddress?
        /// `vmac_xmit_base`: advertisements leave by the interface below.
        public var transmitsFromBase = false
        /// `use_vmac_addr`: virtual addresses on other interfaces get interfaces of this sort too.
        public var coversOtherInterfaces = false

        /// How ipvlans on one interface see each other (IPVLAN_F_ of linux/if_link.h).
        public enum IPVLANMode: UInt16, Hashable, Sendable {
            case bridge = 0
            case `private` = 1
            case vepa = 2
        }

        /// An interface of that kind and name.
        public init(kind: Kind, name: InterfaceName) {
            self.kind = kind
            self.name = name
        }
    }

    /// A line of `track_file` or `track_process`.
    public struct TrackedObject: Hashable, Sendable {
        /// The name of the file's or the process's definition.
        public var name: String
        /// The weight for this instance; nil: the definition's own.
        public var weight: Int?
        /// Whether the weight counts the other way round.
        public var isReversed = false
        /// Where it stands.
        public var position: SourcePosition

        /// A line naming that definition.
        public init(
            name: String, weight: Int? = nil, isReversed: Bool = false, position: SourcePosition
        ) {
            self.name = name
            self.weight = weight
            self.isReversed = isReversed
            self.position = position
        }
    }

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
        private enum Occasion {
            case any, master, backup, fault, stop, deleted, masterReceivedLowerPriority
        }

        // Most instances have few commands or none, and there may be a thousand instances.
        private var commands: [Occasion: Command] = [:]

        /// No command.
        public init() {}

        /// Whether there is no command.
        public var isEmpty: Bool { commands.isEmpty }
        /// `notify`: run at each change, with its description as arguments.
        public var any: Command? {
            get { commands[.any] }
            set { commands[.any] = newValue }
        }
        /// `notify_master`: run on becoming master.
        public var master: Command? {
            get { commands[.master] }
            set { commands[.master] = newValue }
        }
        /// `notify_backup`: run on becoming backup, at the start too.
        public var backup: Command? {
            get { commands[.backup] }
            set { commands[.backup] = newValue }
        }
        /// `notify_fault`: run when an interface or a script is down.
        public var fault: Command? {
            get { commands[.fault] }
            set { commands[.fault] = newValue }
        }
        /// `notify_stop`: run when the daemon ends.
        public var stop: Command? {
            get { commands[.stop] }
            set { commands[.stop] = newValue }
        }
        /// `notify_deleted`: run when a reload removes the instance.
        public var deleted: Command? {
            get { commands[.deleted] }
            set { commands[.deleted] = newValue }
        }
        /// `notify_master_rx_lower_pri`: run when a master hears one of lower priority.
        public var masterReceivedLowerPriority: Command? {
            get { commands[.masterReceivedLowerPriority] }
            set { commands[.masterReceivedLowerPriority] = newValue }
        }
    }

    /// A line of `track_interface`.
    public struct TrackedInterface: Hashable, Sendable {
        /// The interface.
        public var interface: InterfaceName
        /// Added to or taken from the priority; 0: FAULT while it is down.
        public var weight: Int
        /// Whether the weight counts the other way round.
        public var isReversed = false
        /// Where it stands.
        public var position: SourcePosition
    }

    /// A line of `track_script`.
    public struct TrackedScript: Hashable, Sendable {
        /// The script's name.
        public var name: String
        /// The weight for this instance; nil: the script's own.
        public var weight: Int?
        /// Whether the weight counts the other way round.
        public var isReversed = false
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
    /// `peer`: the other end of a point-to-point link.
    public var peer: InterfaceAddress?
    /// `home`, `mngtmpaddr`... and `nodad` for IPv6 unless ``detectsDuplicates``.
    public var flags = Flags()
    /// `preferred_lft`; nil: for ever, but 0 for an IPv6 address of full length, so that it is
    /// never chosen as a source.
    public var preferredLifetime: Duration?
    /// `use_vmac`: it gets an interface of its own with the virtual router's MAC address.
    public var usesVMAC = false
    /// Whether `-nodad` is written: with an IPv6 address, that the kernel looks for duplicates.
    public var detectsDuplicates = false

    /// Flags of an address as the kernel numbers them (linux/if_addr.h).
    public struct Flags: OptionSet, Hashable, Sendable {
        public var rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        /// No duplicate address detection.
        public static let nodad = Flags(rawValue: 0x02)
        /// The mobile host's home address.
        public static let home = Flags(rawValue: 0x10)
        /// The kernel makes temporary addresses from it.
        public static let manageTemporaryAddresses = Flags(rawValue: 0x100)
        /// The kernel adds no route for its prefix.
        public static let noPrefixRoute = Flags(rawValue: 0x200)
        /// The kernel joins it when it is a group.
        public static let autojoin = Flags(rawValue: 0x400)
    }

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
