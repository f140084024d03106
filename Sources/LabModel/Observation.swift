import NetworkTypes

/// What the timeline has shown so far, as far as expectations, their bounds, triggers and checks
/// ask for it.
struct Observation: Sendable {
    var ownership = Ownership()
    var services = ServiceLog()
    var stalls = StallLog()
    var links = LinkLog()
    var neighbours = NeighbourTable()
    var disturbances = DisturbanceLog()
    /// Since when the nodes that are down are.
    private(set) var deaths: [String: MonotonicInstant] = [:]
    /// The longest interval that imposters have advertised, by VRID.
    private(set) var forgedIntervals: [Int: Duration] = [:]
    /// How often anything has changed that bounds are made of.
    private(set) var version = 0
    /// One meter for each of the scenario's probes, by name.
    var meters: [String: OutageMeter] = [:]
    /// How fast each probe was answered since the cause, by name.
    var latencies: [String: LatencyHistogram] = [:]
    /// From when on a request must be due to count for ``latencies``.
    private var latenciesSince = MonotonicInstant.zero
    /// From when on one must be due to count at all.
    private var probesSince = MonotonicInstant.zero

    /// What an event has changed.
    struct News: OptionSet, Sendable {
        let rawValue: Int
        static let owners = News(rawValue: 1)
        static let services = News(rawValue: 2)
        static let links = News(rawValue: 4)
        static let neighbours = News(rawValue: 8)
        static let probes = News(rawValue: 16)
        static let frames = News(rawValue: 32)
        static let stalls = News(rawValue: 64)
        static let disturbances = News(rawValue: 128)
        /// What a virtual router's state is made of.
        static let states: News = [.owners, .services, .links]
    }

    /// - Parameter stations: the nodes' own Ethernet addresses.
    init(probes: [Probe], stations: [MACAddress: String] = [:]) {
        neighbours = NeighbourTable(stations: stations)
        for probe in probes {
            meters[probe.name] = OutageMeter(interval: probe.interval)
            latencies[probe.name] = LatencyHistogram()
        }
    }

    /// Forgets the latencies of requests due before `time`.
    mutating func restartLatencies(at time: MonotonicInstant) {
        latenciesSince = time
        for name in latencies.keys { latencies[name]?.reset() }
    }

    /// Forgets what probes came to whose requests were due before `time`: an earlier run's, on
    /// another grid, and with the same names where it was of the same scenario.
    mutating func restartProbes(at time: MonotonicInstant) {
        probesSince = time
        for (name, meter) in meters { meters[name] = OutageMeter(interval: meter.interval) }
        restartLatencies(at: time)
    }

    /// Takes an event into account.
    mutating func fold(_ event: TimelineEvent) -> News {
        let isDisturbance = disturbances.fold(event)
        switch event.kind {
        case .probe(let result):
            guard let probe = result.probe, result.due >= probesSince,
                meters[probe]?.record(result, ended: event.time) != nil
            else { return [] }
            if result.outcome.isSuccess, result.due >= latenciesSince {
                latencies[probe]?.record(event.time - result.due)
            }
            return .probes
        case .addressAdded, .addressRemoved:
            guard ownership.fold(event) else { return [] }
            version += 1
            return .owners
        case .node(let node, let state):
            switch state {
            case .stopped, .killed, .failed: deaths[node] = event.time
            case .starting, .running: deaths[node] = nil
            }
            let owners: News = ownership.fold(event) ? .owners : []
            _ = services.fold(event)
            version += 1
            return owners.union(.services)
        case .service:
            version += 1
            return services.fold(event) ? .services : []
        case .link(let node, let interface, let isUp, let hasCarrier):
            return links.note(
                node: node, interface: interface, works: isUp && hasCarrier, at: event.time)
                ? .links : []
        case .neighbour, .neighbourRemoved:
            return neighbours.fold(event) ? .neighbours : []
        case .gratuitousARP(let node, _, _, let mac), .unsolicitedNA(let node, _, _, let mac):
            neighbours.noteAnnouncement(of: mac, by: node)
            return .frames
        case .advertisement(let advert):
            if advert.flaw == nil, ImposterName.isName(advert.node) {
                let known = forgedIntervals[advert.vrid] ?? .zero
                forgedIntervals[advert.vrid] = max(known, advert.interval)
            }
            return .frames
        case .arp(let arp):
            // Whom nodes will find at that Ethernet address.
            if arp.operation == .reply, ImposterName.isName(arp.node) {
                neighbours.noteAnnouncement(of: arp.senderMAC, by: arp.node)
            }
            return .frames
        case .packet: return .frames
        case .claim:
            guard services.fold(event) else { return [] }
            version += 1
            return .services
        case .stall: return stalls.fold(event) ? .stalls : []
        case .control, .fault: return isDisturbance ? .disturbances : []
        case .routeAdded, .routeRemoved, .step, .violation, .lost, .scenario: return []
        }
    }

    /// The state of a virtual router, as kernel and wire show it; nil while its daemon does not
    /// run.
    ///
    /// A daemon that is down has no state, whatever addresses it has left behind. One that lost its
    /// interface is in FAULT; what it says itself is a claim, and not asked.
    func state(of router: VirtualRouterFacts) -> RouterState? {
        guard services.isUp(router) else { return nil }
        let holds = router.addresses.contains { ownership.isHeld($0, by: router.node) }
        if holds { return .master }
        return links.works(node: router.node, interface: router.interface) ? .backup : .fault
    }
}

/// Which interfaces of which nodes are up and have their carrier.
struct LinkLog: Sendable {
    private var broken: [String: Set<String>] = [:]

    /// Whether that is news.
    mutating func note(
        node: String, interface: String, works: Bool, at time: MonotonicInstant
    ) -> Bool {
        works
            ? broken[node]?.remove(interface) != nil
            : broken[node, default: []].insert(interface).inserted
    }

    /// Whether an interface works; one that nothing is known of does.
    func works(node: String, interface: String) -> Bool {
        !(broken[node]?.contains(interface) ?? false)
    }
}

/// Whose Ethernet address each node believes an address to have.
struct NeighbourTable: Sendable {
    struct Entry: Equatable, Sendable {
        /// Nil while nobody answered.
        var mac: MACAddress?
        /// Since when it is that one.
        var since: MonotonicInstant
    }
    private var entries: [String: [IPAddress: Entry]] = [:]
    /// The node that last announced an address with that Ethernet address. A virtual router's is
    /// several nodes' in turn.
    private var stations: [MACAddress: String]

    /// - Parameter stations: the nodes' own Ethernet addresses.
    init(stations: [MACAddress: String] = [:]) { self.stations = stations }

    /// Whether an entry has another Ethernet address now.
    mutating func fold(_ event: TimelineEvent) -> Bool {
        switch event.kind {
        case .neighbour(let seen):
            return set(seen.mac, of: seen.address, at: seen.node, event.time)
        case .neighbourRemoved(let node, _, let address):
            return set(nil, of: address, at: node, event.time)
        default: return false
        }
    }

    private mutating func set(
        _ mac: MACAddress?, of address: IPAddress, at node: String, _ time: MonotonicInstant
    ) -> Bool {
        let known = entries[node]?[address]
        guard known?.mac != mac || known == nil else { return false }
        entries[node, default: [:]][address] = Entry(mac: mac, since: time)
        return true
    }

    mutating func noteAnnouncement(of mac: MACAddress, by node: String) {
        if stations[mac] != node { stations[mac] = node }
    }

    /// A node's entry for an address.
    func entry(for address: IPAddress, of node: String) -> Entry? { entries[node]?[address] }

    /// The addresses that a node has had an entry for, sorted.
    func addresses(of node: String) -> [IPAddress] { entries[node]?.keys.sorted() ?? [] }

    /// The node that has that Ethernet address.
    func station(_ mac: MACAddress) -> String? { stations[mac] }
}
