public import NetworkTypes

/// An LVS service (`virtual_server`), every default filled in.
public struct VirtualServer: Hashable, Sendable {
    /// What clients connect to.
    public enum Target: Hashable, Sendable {
        /// An address, and a port unless all ports are meant.
        case address(IPAddress, port: UInt16?)
        /// Packets with a firewall mark.
        case firewallMark(UInt32)
        /// A `virtual_server_group`.
        case group(String)
    }

    /// `protocol`: what is balanced.
    public enum TransportProtocol: String, Hashable, Sendable {
        case tcp = "TCP"
        case udp = "UDP"
        case sctp = "SCTP"
    }

    /// `lb_algo`: how a real server is chosen (the names of ip_vs's schedulers).
    public enum Scheduler: String, Hashable, Sendable, CaseIterable {
        case roundRobin = "rr"
        case weightedRoundRobin = "wrr"
        case leastConnection = "lc"
        case weightedLeastConnection = "wlc"
        case localityBasedLeastConnection = "lblc"
        case sourceHashing = "sh"
        case maglevHashing = "mh"
        case destinationHashing = "dh"
        case weightedFailover = "fo"
        case weightedOverflow = "ovf"
        case localityBasedLeastConnectionReplicated = "lblcr"
        case shortestExpectedDelay = "sed"
        case neverQueue = "nq"
        case powerOfTwoChoices = "twos"
    }

    /// Flags of a scheduler, and one-packet scheduling.
    public struct Flags: OptionSet, Hashable, Sendable {
        public var rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        /// `flag-1`, `sh-fallback`, `mh-fallback`.
        public static let scheduler1 = Flags(rawValue: 0x08)
        /// `flag-2`, `sh-port`, `mh-port`.
        public static let scheduler2 = Flags(rawValue: 0x10)
        /// `flag-3`.
        public static let scheduler3 = Flags(rawValue: 0x20)
        /// `ops`: every packet is scheduled by itself; UDP only.
        public static let onePacket = Flags(rawValue: 0x04)
    }

    /// `lb_kind`: how packets reach a real server.
    public enum Forwarding: Hashable, Sendable {
        /// `NAT`.
        case translation
        /// `DR`.
        case directRouting
        /// `TUN`.
        case tunnel(Tunnel)
    }

    /// What packets to a real server are wrapped in.
    public struct Tunnel: Hashable, Sendable {
        /// `type`.
        public enum Kind: String, Hashable, Sendable {
            case ipip
            case gue
            case gre
        }
        /// How the checksum is made.
        public enum Checksum: String, Hashable, Sendable {
            case none = "nocsum"
            case full = "csum"
            case remote = "remcsum"
        }
        /// What sort.
        public var kind = Kind.ipip
        /// `port`, of generic UDP encapsulation only.
        public var port: UInt16?
        /// The checksum.
        public var checksum = Checksum.none

        /// An IP-in-IP tunnel.
        public init() {}
    }

    /// `sorry_server`: what answers when too few real servers live.
    public struct SorryServer: Hashable, Sendable {
        /// Its address.
        public var address: IPAddress
        /// Its port; nil: the virtual server's.
        public var port: UInt16?
        /// `sorry_server_inhibit`: weight 0 instead of removal.
        public var isInhibited = false
        /// `sorry_server_lvs_method`, or else the virtual server's.
        public var forwarding = Forwarding.translation
        /// Where it stands.
        public var position: SourcePosition
    }

    /// What clients connect to.
    public var target: Target
    /// `ip_family`, or that of the addresses.
    public var family: IPAddress.Family
    /// `protocol`; nil for a firewall mark.
    public var transportProtocol: TransportProtocol?
    /// `lb_algo`, `lvs_sched`.
    public var scheduler = Scheduler.weightedLeastConnection
    /// `flag-1` and its kin, `ops`.
    public var flags: Flags = []
    /// `lb_kind`, `lvs_method`.
    public var forwarding = Forwarding.translation
    /// `persistence_timeout`: how long a client keeps its real server; nil: it does not.
    public var persistenceTimeout: Duration?
    /// `persistence_granularity`: the clients that count as one, as length of their prefix.
    public var persistenceGranularity: PersistenceGranularity?
    /// `persistence_engine`.
    public var persistenceEngine: String?
    /// `delay_loop`: the time between checks.
    public var delayLoop: Duration = .seconds(60)
    /// `ha_suspend`: no checks while the address is not on this machine.
    public var suspendsWithoutAddress = false
    /// `alpha`: real servers count as dead until checked.
    public var startsDown = false
    /// `omega`: the notify commands run when the daemon ends.
    public var notifiesAtEnd = false
    /// `quorum`: the weight that must live.
    public var quorum = 1
    /// `hysteresis`: what is needed above the quorum to be up, and below it to be down.
    public var hysteresis = 0
    /// `quorum_up`.
    public var quorumUp: Command?
    /// `quorum_down`.
    public var quorumDown: Command?
    /// `sorry_server`.
    public var sorryServer: SorryServer?
    /// `virtualhost`: the name that HTTP checks ask for.
    public var virtualHost: String?
    /// `smtp_alert`.
    public var smtpAlert = false
    /// The machines behind it.
    public var realServers: [RealServer] = []
    /// Where it stands.
    public var position: SourcePosition

    /// `persistence_granularity`.
    public enum PersistenceGranularity: Hashable, Sendable {
        /// A mask over IPv4 addresses.
        case mask(IPv4Address)
        /// The length of an IPv6 prefix.
        case length(Int)
    }
}

/// A machine behind a virtual server (`real_server`), every default filled in.
public struct RealServer: Hashable, Sendable {
    /// Its address.
    public var address: IPAddress
    /// Its port; nil: the virtual server's.
    public var port: UInt16?
    /// `weight`, or else the virtual server's.
    public var weight = 1
    /// `lvs_method`, or else the virtual server's.
    public var forwarding = VirtualServer.Forwarding.translation
    /// `uthreshold`: connections above which it gets no more; 0: no limit.
    public var upperThreshold = 0
    /// `lthreshold`: connections below which it gets more again; 0: no limit.
    public var lowerThreshold = 0
    /// `inhibit_on_failure`: weight 0 instead of removal.
    public var isInhibitedOnFailure = false
    /// `alpha`.
    public var startsDown = false
    /// `notify_up`.
    public var notifyUp: Command?
    /// `notify_down`.
    public var notifyDown: Command?
    /// `virtualhost`, or else the virtual server's.
    public var virtualHost: String?
    /// `smtp_alert`.
    public var smtpAlert = true
    /// How its health is checked.
    public var checkers: [Checker] = []
    /// Where it stands.
    public var position: SourcePosition
}

/// A `virtual_server_group`: what a virtual server named after it answers on.
public struct VirtualServerGroup: Hashable, Sendable {
    /// One line of it.
    public enum Entry: Hashable, Sendable {
        /// Addresses from one to another (often the same), and a port unless all are meant.
        case addresses(first: IPAddress, last: IPAddress, port: UInt16?)
        /// `fwmark MARK [inet|inet6]`.
        case firewallMark(UInt32, family: IPAddress.Family?)

        /// Whether it is a firewall mark.
        public var isMark: Bool { if case .firewallMark = self { true } else { false } }
    }

    /// Its name.
    public var name: String
    /// Its lines.
    public var entries: [Entry] = []
    /// Where it stands.
    public var position: SourcePosition
}
