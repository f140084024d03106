import LabModel
import NetworkTypes

/// What the timeline has shown of a lab, as far as ``WatchView`` draws it.
struct WatchScene: Sendable {
    /// How many events the tail keeps.
    static let keptEvents = 200
    /// How long a column of a sparkline is.
    static let column = Duration.milliseconds(500)
    /// How many columns are kept of each probe.
    static let keptColumns = 400
    /// A machine that stands still for less is nothing to speak of.
    static let noticeableStall = Duration.milliseconds(100)

    private let lab: Lab
    /// What the lab's virtual routers move.
    private let virtual: Set<IPAddress>
    /// When the lab's first event happened.
    private(set) var origin: MonotonicInstant?
    private(set) var states = RouterStates()
    private(set) var ownership = Ownership()
    private(set) var nodes: [String: TimelineEvent.NodeState] = [:]
    /// By node and service.
    private(set) var services: [Target: TimelineEvent.ServiceState] = [:]
    /// What is broken in the network.
    private(set) var network = NetworkFaults()
    /// The nodes and services that are frozen, in the order in which they were.
    private(set) var frozen: [Target] = []
    /// In the order in which they were first heard of.
    private(set) var probes: [WatchProbe] = []
    /// The last step that was reported on.
    private(set) var step: StepReport?
    /// The events worth a line, the newest last.
    private(set) var tail: [TimelineEvent] = []
    /// By VRID.
    private var lastAdvertiser: [Int: Advertiser] = [:]
    private var lastAnnouncer: [IPAddress: String] = [:]

    private struct Advertiser: Equatable {
        var node: String
        var priority: Int
    }

    init(_ lab: Lab, _ routers: [VirtualRouterFacts]) {
        self.lab = lab
        virtual = Set(routers.flatMap(\.addresses))
    }

    mutating func fold(_ event: TimelineEvent) {
        if origin == nil { origin = event.time }
        states.fold(event)
        ownership.fold(event)
        switch event.kind {
        case .node(let node, let state):
            nodes[node] = state
            // A freezer does not outlive what was in it.
            if state != .running { frozen.removeAll { $0.node == node } }
        case .service(let node, let service, let state):
            services[Target(node: node, service: service)] = state
        case .control(let verb, let target): fold(verb, target)
        case .fault(let fault): network.apply(fault)
        case .probe(let result): fold(result, ended: event.time)
        case .step(let report): step = report
        case .scenario(.begin(let name)): begin(name)
        case .addressAdded, .addressRemoved, .link, .routeAdded, .routeRemoved, .neighbour,
            .neighbourRemoved, .advertisement, .gratuitousARP, .arp, .unsolicitedNA, .packet,
            .claim, .violation, .stall, .lost, .scenario:
            break
        }
        guard isWorthALine(event.kind) else { return }
        tail.append(event)
        if tail.count > Self.keptEvents { tail.removeFirst(tail.count - Self.keptEvents) }
    }

    private mutating func fold(_ verb: ControlVerb, _ target: Target) {
        switch verb {
        case .freeze: if !frozen.contains(target) { frozen.append(target) }
        case .thaw, .kill, .stop, .start, .restart: frozen.removeAll { $0 == target }
        case .reload: break
        }
    }

    // MARK: Probes

    private mutating func begin(_ name: String) {
        // Steps that are none of the file's scenarios have no probes.
        guard let scenario = lab.scenarios.first(where: { $0.name == name }) else { return }
        step = nil
        probes = scenario.probes.map { WatchProbe(name: $0.name, probe: $0) }
    }

    private mutating func fold(_ result: ProbeResult, ended: MonotonicInstant) {
        // A single request of an expectation is no probe.
        guard let name = result.probe else { return }
        if let index = probes.firstIndex(where: { $0.name == name }) {
            probes[index].record(result, ended: ended)
        } else {
            var probe = WatchProbe(name: name, probe: nil)
            probe.record(result, ended: ended)
            probes.append(probe)
        }
    }

    // MARK: The tail

    // What comes in masses is seen elsewhere on the screen, or is of no news.
    private mutating func isWorthALine(_ kind: TimelineEvent.Kind) -> Bool {
        switch kind {
        case .advertisement(let seen):
            let advertiser = Advertiser(node: seen.node, priority: seen.priority)
            return lastAdvertiser.updateValue(advertiser, forKey: seen.vrid) != advertiser
        case .gratuitousARP(let node, _, let address, _):
            return lastAnnouncer.updateValue(node, forKey: .v4(address)) != node
        case .unsolicitedNA(let node, _, let address, _):
            return lastAnnouncer.updateValue(node, forKey: .v6(address)) != node
        case .addressAdded(_, _, let address), .addressRemoved(_, _, let address):
            return virtual.isEmpty || virtual.contains(address.address)
        case .stall(let duration): return duration >= Self.noticeableStall
        case .probe, .arp, .packet, .neighbour, .neighbourRemoved, .routeAdded, .routeRemoved,
            .scenario:
            return false
        case .step(let report): return report.phase != .began
        case .link, .control, .fault, .node, .service, .claim, .violation, .lost: return true
        }
    }
}

/// A probe as it is drawn: what became of its requests, in columns of ``WatchScene/column``.
struct WatchProbe: Equatable, Sendable {
    let name: String
    /// Nil for one of which the lab's file says nothing.
    let probe: Probe?
    /// The oldest first; consecutive.
    private(set) var columns: [Sparkline.Column] = []
    /// The number of the newest column, counted from the clock's beginning.
    private(set) var newest: Int64 = 0
    /// How long the last answer took; nil while there was none.
    private(set) var latency: Duration?
    private var meter: OutageMeter?

    init(name: String, probe: Probe?) {
        self.name = name
        self.probe = probe
        meter = probe.map { OutageMeter(interval: $0.interval) }
    }

    mutating func record(_ result: ProbeResult, ended: MonotonicInstant) {
        meter?.record(result, ended: ended)
        let took = ended - result.due
        if result.outcome.isSuccess { latency = took }
        let number = Self.column(of: result.due)
        if columns.isEmpty { newest = number - 1 }
        while newest < number {
            columns.append(Sparkline.Column())
            newest += 1
        }
        if columns.count > WatchScene.keptColumns {
            columns.removeFirst(columns.count - WatchScene.keptColumns)
        }
        let place = columns.count - 1 - Int(newest - number)
        guard columns.indices.contains(place) else { return }
        columns[place].add(result.outcome.isSuccess ? took : nil)
    }

    /// The columns up to now, the newest last; empty ones where nothing was asked.
    func columns(now: MonotonicInstant, count: Int) -> [Sparkline.Column] {
        let missing = max(0, Self.column(of: now) - newest)
        let silence = [Sparkline.Column](
            repeating: Sparkline.Column(), count: Int(min(missing, Int64(count))))
        return (columns + silence).suffix(count)
    }

    private static func column(of time: MonotonicInstant) -> Int64 {
        time.nanoseconds / WatchScene.column.wholeNanoseconds
    }

    /// The longest outage, and whether it is going on.
    func longestOutage(now: MonotonicInstant) -> (length: Duration, lost: Int, isOpen: Bool)? {
        guard let meter else { return nil }
        let open = meter.openOutage.flatMap { $0.end == nil ? $0 : nil }
        if let open { return (open.duration(now: now), open.lostRequests, true) }
        return (meter.outages + [meter.openOutage].compactMap(\.self))
            .map { ($0.duration(now: now), $0.lostRequests, false) }
            .max { $0.0 < $1.0 }
    }
}
