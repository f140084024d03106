public import NetworkTypes

extension VirtualRouter {
    /// What a virtual router is told (RFC 3768 §6.1), in keepalived's terms and with its defaults.
    public struct Configuration: Equatable, Sendable {
        /// The instance's name, for log lines.
        public var name: String
        /// The virtual router's number, 1 to 255.
        public var vrid: UInt8
        /// 1 to 255; 255 for the owner of the addresses.
        public var priority: UInt8
        /// How often a master advertises.
        public var advertisementInterval: Duration
        /// Whether a backup takes over from a master of lower priority; keepalived's `nopreempt`
        /// says no. The owner always does.
        public var preempts: Bool
        /// How long a master of lower priority is let be from when it is first heard, nil for not
        /// at all: `preempt_delay`, whose 0 means that.
        public var preemptionDelay: Duration?
        /// The virtual addresses that are advertised, in order.
        public var addresses: [IPAddress]
        /// What advertisements are authenticated with.
        public var authentication: Advertisement.Authentication
        /// How gratuitous ARP is repeated.
        public var announcements: AnnouncementSettings

        /// The configuration with these values.
        ///
        /// - Precondition: VRID and priority are not 0 and the interval is positive.
        public init(
            name: String, vrid: UInt8, priority: UInt8 = 100,
            advertisementInterval: Duration = .seconds(1), preempts: Bool = true,
            preemptionDelay: Duration? = nil, addresses: [IPAddress],
            authentication: Advertisement.Authentication = .none,
            announcements: AnnouncementSettings = AnnouncementSettings()
        ) {
            precondition(vrid != 0, "a VRID is 1 to 255 (RFC 3768 §5.3.3)")
            precondition(priority != 0, "priority 0 means resignation (RFC 3768 §5.3.4)")
            precondition(advertisementInterval > .zero, "an interval takes time")
            self.name = name
            self.vrid = vrid
            self.priority = priority
            self.advertisementInterval = advertisementInterval
            self.preempts = preempts
            self.preemptionDelay = preemptionDelay
            self.addresses = addresses
            self.authentication = authentication
            self.announcements = announcements
        }

        /// The advertisement of a master with this configuration, with that priority.
        public func advertisement(priority: UInt8) -> Advertisement {
            Advertisement(
                vrid: vrid, priority: priority, interval: advertisementInterval,
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
