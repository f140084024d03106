import NetworkTypes

/// The moments of a run that tell it from another: what was done, what became of nodes, addresses
/// and services, and how the steps ended; not every advertisement, but the first of each new
/// master.
struct RunLandmarks {
    /// One of them.
    struct Landmark: Equatable {
        /// What happened, in words that are the same in another run: without times and counts.
        var text: String
        var time: MonotonicInstant
    }

    /// In the order of their times.
    private(set) var landmarks: [Landmark] = []
    /// The first thing that the scenario did; its beginning where it did nothing.
    private(set) var origin: MonotonicInstant

    private let virtual: Set<IPAddress>
    private let scenario: String
    private var ownership = Ownership()
    private var neighbours: NeighbourTable
    private var hasBegun = false
    private var hasActed = false
    private var lastAdvert: [Int: (node: String, priority: Int)] = [:]
    /// The addresses that nodes have announced since they last did not have them. An announcement
    /// may be stamped before the notification of the address.
    private var announced: Set<String> = []
    private var meters: [String: OutageMeter] = [:]

    /// - Parameters:
    ///   - record: what was run.
    ///   - events: its timeline, in order.
    init(_ record: RunRecord, events: [TimelineEvent]) {
        virtual = Set(record.virtualRouters.flatMap(\.addresses))
        scenario = record.scenario
        neighbours = NeighbourTable(stations: record.lab.stations)
        origin = record.began
        let probes = record.lab.scenarios.first { $0.name == record.scenario }?.probes ?? []
        for probe in probes { meters[probe.name] = OutageMeter(interval: probe.interval) }
        let end = record.end(in: events)
        for event in events where event.time <= end { fold(event) }
        for (name, meter) in meters {
            for outage in meter.outages + [meter.openOutage].compactMap(\.self) {
                add("outage of \(name) begins", outage.begin)
                if let end = outage.end { add("outage of \(name) ends", end) }
            }
        }
        landmarks = landmarks.enumerated()
            .sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
            .map(\.element)
    }

    private mutating func add(_ text: String, _ time: MonotonicInstant) {
        landmarks.append(Landmark(text: text, time: time))
    }

    private mutating func fold(_ event: TimelineEvent) {
        let time = event.time
        switch event.kind {
        case .scenario(.begin(scenario)):
            hasBegun = true
            origin = time
        case .control(let verb, let target): act("\(verb.rawValue) \(target)", time)
        case .fault(let fault): act(fault.description, time)
        case .node(let node, let state): add("node \(node) \(state.rawValue)", time)
        case .service(let node, let service, let state):
            switch state {
            case .ready: add("\(node)/\(service) ready", time)
            case .exited(let reason): add("\(node)/\(service) ended with \(reason)", time)
            case .failed: add("\(node)/\(service) failed", time)
            case .starting, .running, .stopping: break
            }
        case .advertisement(let advert): fold(advert, time)
        case .gratuitousARP(let node, _, let address, let mac):
            noteAnnouncement(of: .v4(address), by: node, mac, time)
        case .unsolicitedNA(let node, _, let address, let mac):
            noteAnnouncement(of: .v6(address), by: node, mac, time)
        case .neighbour(let entry) where virtual.contains(entry.address):
            guard neighbours.fold(event), let mac = entry.mac else { break }
            let station = neighbours.station(mac) ?? "\(mac)"
            add("\(entry.node) finds \(entry.address) at \(station)", time)
        case .probe(let result):
            if let probe = result.probe { meters[probe]?.record(result, ended: time) }
        case .step(let report): fold(report, time)
        case .violation(let violation): add("violated: \(violation.check)", violation.since)
        default: break
        }
        noteOwners(event)
    }

    private mutating func act(_ text: String, _ time: MonotonicInstant) {
        if hasBegun, !hasActed {
            hasActed = true
            origin = time
        }
        add(text, time)
    }

    private mutating func fold(
        _ advert: TimelineEvent.Advertisement, _ time: MonotonicInstant
    ) {
        let last = lastAdvert[advert.vrid]
        guard last?.node != advert.node || last?.priority != advert.priority else { return }
        lastAdvert[advert.vrid] = (advert.node, advert.priority)
        let router = "\(advert.node), VRID \(advert.vrid)"
        add(
            advert.priority == 0
                ? "\(router) resigns" : "\(router) advertises priority \(advert.priority)", time)
    }

    private mutating func noteAnnouncement(
        of address: IPAddress, by node: String, _ mac: MACAddress, _ time: MonotonicInstant
    ) {
        neighbours.noteAnnouncement(of: mac, by: node)
        if virtual.contains(address), announced.insert("\(node) \(address)").inserted {
            add("\(node) announces \(address)", time)
        }
    }

    private mutating func fold(_ report: StepReport, _ time: MonotonicInstant) {
        guard report.scenario == scenario else { return }
        let outcome: String? =
            switch report.phase {
            case .began, .notRun: nil
            case .passed: "passed"
            case .failed: "failed"
            case .inconclusive: "inconclusive"
            }
        if let outcome { add("step \(report.index) \(outcome): \(report.summary)", time) }
    }

    private mutating func noteOwners(_ event: TimelineEvent) {
        switch event.kind {
        case .addressAdded, .addressRemoved, .node: break
        default: return
        }
        let before = virtual.sorted().map { ownership.holders(of: $0) }
        guard ownership.fold(event) else { return }
        for (address, before) in zip(virtual.sorted(), before) {
            let now = ownership.holders(of: address)
            for node in now where !before.contains(node) {
                add("\(address) on \(node)", event.time)
            }
            for node in before where !now.contains(node) {
                add("\(address) off \(node)", event.time)
                announced.remove("\(node) \(address)")
            }
        }
    }
}
