public import NetworkTypes

/// What is known of one virtual router on one node from its configuration: as much as the
/// protocol's own arithmetic needs.
///
/// The lab fills one for every instance of every keepalived.conf, with the values the daemon really
/// uses (`nopreempt` cleared by `state MASTER`, an interval rounded for VRRPv2), not those written.
public struct VirtualRouterFacts: Codable, Equatable, Sendable {
    /// The node it is configured on.
    public var node: String
    /// The service (unit) of that node that runs it.
    public var service: String
    /// The name of its `vrrp_instance`.
    public var instance: String
    /// The interface it advertises on.
    public var interface: String
    /// The VRRP version it speaks: 2 or 3.
    public var version: Int
    /// Its virtual router identifier, 1 to 255.
    public var vrid: Int
    /// Its priority, 1 to 255.
    public var priority: Int
    /// The time between its advertisements while it is master.
    public var advertisementInterval: Duration
    /// How many of the master's intervals without an advertisement make it dead: 3, or keepalived's
    /// `down_timer_adverts`.
    public var masterDownAdvertisements: Int
    /// Whether it takes over from a living master of lower priority (Preempt_Mode).
    public var preempts: Bool
    /// The addresses it holds while it is master.
    public var addresses: [IPAddress]
    /// Whether more decides about it than its interface and what it hears: tracked scripts, files,
    /// processes or other interfaces, a sync group, a delay.
    public var hasConditions: Bool
    /// How often a master announces its addresses anew (`garp_master_refresh`); nil: not at all.
    public var announcementRefresh: Duration?

    public init(
        node: String, service: String, instance: String, interface: String, version: Int = 2,
        vrid: Int, priority: Int, advertisementInterval: Duration,
        masterDownAdvertisements: Int = 3,
        preempts: Bool, addresses: [IPAddress], hasConditions: Bool = false,
        announcementRefresh: Duration? = nil
    ) {
        precondition((1...255).contains(priority), "a priority is 1 to 255")
        self.node = node
        self.service = service
        self.instance = instance
        self.interface = interface
        self.version = version
        self.vrid = vrid
        self.priority = priority
        self.advertisementInterval = advertisementInterval
        self.masterDownAdvertisements = masterDownAdvertisements
        self.preempts = preempts
        self.addresses = addresses
        self.hasConditions = hasConditions
        self.announcementRefresh = announcementRefresh
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        node = try values.decode(String.self, forKey: .node)
        service = try values.decode(String.self, forKey: .service)
        instance = try values.decode(String.self, forKey: .instance)
        interface = try values.decode(String.self, forKey: .interface)
        version = try values.decode(Int.self, forKey: .version)
        vrid = try values.decode(Int.self, forKey: .vrid)
        priority = try values.decode(Int.self, forKey: .priority)
        advertisementInterval = try values.decode(Duration.self, forKey: .advertisementInterval)
        masterDownAdvertisements = try values.decode(Int.self, forKey: .masterDownAdvertisements)
        preempts = try values.decode(Bool.self, forKey: .preempts)
        addresses = try values.decode([IPAddress].self, forKey: .addresses)
        // Runs were recorded before these were known.
        hasConditions = try values.decodeIfPresent(Bool.self, forKey: .hasConditions) ?? false
        announcementRefresh = try values.decodeIfPresent(
            Duration.self, forKey: .announcementRefresh)
    }

    /// Skew_Time: (256 - priority)/256 s in VRRPv2 (RFC 3768 §6.1), and of the master's interval
    /// in VRRPv3 (RFC 9568 §6.1).
    ///
    /// - Parameter learned: the interval the last master advertised, which VRRPv3 adopts; nil for
    ///   this router's own.
    public func skewTime(learned: Duration? = nil) -> TimeBound.Term {
        let parts = 256 - priority
        guard version >= 3 else { return .init("\(parts)/256 s", .seconds(1) * parts / 256) }
        let interval = learned ?? advertisementInterval
        return .init("\(parts)/256 x \(interval.text)", interval * parts / 256)
    }

    /// Master_Down_Interval in its two parts: 3 × Advertisement_Interval and Skew_Time
    /// (RFC 3768 §6.1; RFC 9568 §6.1, where the interval is the last master's).
    ///
    /// - Parameter learned: the interval the last master advertised; nil for this router's own.
    ///   VRRPv2 ignores it: there an advertisement with another interval is discarded
    ///   (RFC 3768 §7.1).
    public func masterDownInterval(learned: Duration? = nil) -> [TimeBound.Term] {
        let interval =
            version >= 3 ? learned ?? advertisementInterval : advertisementInterval
        let count = masterDownAdvertisements
        return [.init("\(count) x \(interval.text)", interval * count), skewTime(learned: learned)]
    }

    /// Whether it advertises on that interface.
    func advertises(at endpoint: Endpoint) -> Bool {
        node == endpoint.node && interface == endpoint.interface.text
    }

    /// Whether a verb applied to `target` is applied to this router's daemon.
    func runs(on target: Target) -> Bool {
        node == target.node && (target.service == nil || target.service == service)
    }
}
