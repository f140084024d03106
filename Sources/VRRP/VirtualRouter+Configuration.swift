public import NetworkTypes

extension VirtualRouter {
    /// What a virtual router is told (RFC 9568 §6.1, RFC 3768 §6.1), in keepalived's terms and with
    /// its defaults.
    ///
    /// There is no `strict_mode` here: it forbids some of these settings and presets others, which
    /// is decided where the file is read, and changes nothing in the protocol itself.
    public struct Configuration: Equatable, Sendable {
        /// The instance's name, for log lines.
        public var name: String
        /// The version spoken and understood: 2 or 3.
        public var version: Int
        /// The family of the addresses and of the packets.
        public var family: IPAddress.Family
        /// The virtual router's number, 1 to 255.
        public var vrid: UInt8
        /// 1 to 255, 255 for the owner of the addresses: the base that weights are added to.
        public var priority: UInt8
        /// How often a master advertises: `advert_int`.
        public var advertisementInterval: Duration
        /// How many intervals without an advertisement make a master dead, 3 in the RFCs:
        /// `down_timer_adverts`.
        public var masterDownAdvertisements: Int
        /// Whether a backup takes over from a master of lower priority; keepalived's `nopreempt`
        /// says no. The owner always does.
        public var preempts: Bool
        /// How long a master of lower priority is let be from when it is first heard, nil for not
        /// at all: `preempt_delay`, whose 0 means that.
        public var preemptionDelay: Duration?
        /// Whether it becomes master at once, as the owner does, when it starts or leaves FAULT:
        /// what `state MASTER` did in keepalived 1.3.5. In 2.x it does nothing.
        public var startsAsMaster: Bool
        /// Nobody is believed dead before this much time after `.startup`: `vrrp_startup_delay`.
        public var startupDelay: Duration
        /// Whether a master answers a losing advertisement at once (RFC 9568 §6.4.3) rather than
        /// when its timer says so (RFC 5798, RFC 3768): no `lower_prio_no_advert`.
        public var answersLowerPriority: Bool
        /// Whether a master sends one more advertisement before it yields to its better:
        /// `higher_prio_send_advert`.
        public var advertisesBeforeYielding: Bool
        /// Accept_Mode (RFC 9568 §6.1): whether a master that is not the owner answers at the
        /// addresses: `accept`. keepalived's default is yes, the RFC's is no.
        public var acceptMode: Bool
        /// Whether a `SyncGroup` decides when this router may become master.
        public var isInGroup: Bool
        /// Whether the end of this router by a reload is told as DELETED rather than FAULT:
        /// `notify_deleted`.
        public var notifiesDeletion: Bool
        /// The virtual addresses that are advertised, in order.
        public var addresses: [IPAddress]
        /// What advertisements are authenticated with; version 2 only.
        public var authentication: Advertisement.Authentication
        /// How gratuitous ARP is repeated.
        public var announcements: AnnouncementSettings

        /// The configuration with these values.
        ///
        /// - Precondition: the version is 2 or 3, VRID and priority are not 0, the interval is
        ///   positive and a master is given at least one of them.
        public init(
            name: String, version: Int = 2, family: IPAddress.Family = .v4, vrid: UInt8,
            priority: UInt8 = 100, advertisementInterval: Duration = .seconds(1),
            masterDownAdvertisements: Int = 3, preempts: Bool = true,
            preemptionDelay: Duration? = nil, startsAsMaster: Bool = false,
            startupDelay: Duration = .zero, answersLowerPriority: Bool = true,
            advertisesBeforeYielding: Bool = false, acceptMode: Bool = true,
            isInGroup: Bool = false, notifiesDeletion: Bool = false, addresses: [IPAddress],
            authentication: Advertisement.Authentication = .none,
            announcements: AnnouncementSettings = AnnouncementSettings()
        ) {
            precondition(version == 2 || version == 3, "VRRP has the versions 2 and 3")
            precondition(vrid != 0, "a VRID is 1 to 255 (RFC 9568 §5.2.3)")
            precondition(priority != 0, "priority 0 means resignation (RFC 9568 §5.2.4)")
            precondition(advertisementInterval > .zero, "an interval takes time")
            precondition(masterDownAdvertisements > 0, "a master is given one interval at least")
            self.name = name
            self.version = version
            self.family = family
            self.vrid = vrid
            self.priority = priority
            self.advertisementInterval = advertisementInterval
            self.masterDownAdvertisements = masterDownAdvertisements
            self.preempts = preempts
            self.preemptionDelay = preemptionDelay
            self.startsAsMaster = startsAsMaster
            self.startupDelay = startupDelay
            self.answersLowerPriority = answersLowerPriority
            self.advertisesBeforeYielding = advertisesBeforeYielding
            self.acceptMode = acceptMode
            self.isInGroup = isInGroup
            self.notifiesDeletion = notifiesDeletion
            self.addresses = addresses
            self.authentication = authentication
            self.announcements = announcements
        }

        /// Whether a master with this configuration accepts packets to the virtual addresses
        /// (RFC 9568 §6.4.3): as owner, or by Accept_Mode.
        public var acceptsPackets: Bool { priority == Advertisement.ownerPriority || acceptMode }

        /// The advertisement of a master with this configuration, with that priority.
        @inlinable public func advertisement(priority: UInt8) -> Advertisement {
            Advertisement(
                version: version, vrid: vrid, priority: priority, interval: advertisementInterval,
                addresses: addresses, authentication: authentication)
        }
    }

    /// How often a master announces its addresses; keepalived's `garp_*` keywords.
    public struct AnnouncementSettings: Equatable, Sendable {
        /// Rounds at once on becoming master, and again after the delay: `garp_master_repeat`.
        public var masterRepeat: Int
        /// How long after becoming master the second burst comes, nil for none:
        /// `garp_master_delay`, whose 0 means none.
        public var masterDelay: Duration?
        /// The period of further bursts, nil for none: `garp_master_refresh`.
        public var refreshInterval: Duration?
        /// Rounds in each of those: `garp_master_refresh_repeat`.
        public var refreshRepeat: Int
        /// Rounds when a lower priority was heard, none when 0: `garp_lower_prio_repeat`.
        public var lowerPriorityRepeat: Int
        /// How long after that a second burst comes, nil for none: `garp_lower_prio_delay`.
        public var lowerPriorityDelay: Duration?

        /// The settings with these values; the defaults are keepalived's.
        ///
        /// - Precondition: a refresh interval is positive.
        public init(
            masterRepeat: Int = 5, masterDelay: Duration? = .seconds(5),
            refreshInterval: Duration? = nil, refreshRepeat: Int = 1,
            lowerPriorityRepeat: Int = 5, lowerPriorityDelay: Duration? = .seconds(5)
        ) {
            precondition(refreshInterval.map { $0 > .zero } ?? true, "a period takes time")
            self.masterRepeat = masterRepeat
            self.masterDelay = masterDelay
            self.refreshInterval = refreshInterval
            self.refreshRepeat = refreshRepeat
            self.lowerPriorityRepeat = lowerPriorityRepeat
            self.lowerPriorityDelay = lowerPriorityDelay
        }
    }
}
