public import NetworkTypes

/// A lab at one instant of its timeline, as kernels and wire had shown it by then: `labctl at`.
public struct LabMoment: Equatable, Encodable, Sendable {
    public var time: MonotonicInstant
    /// In the order of the lab file.
    public var nodes: [NodeThen]
    /// Who had each virtual address.
    public var owners: [Owner]
    /// The virtual routers, in the order of the nodes.
    public var routers: [RouterThen]
    /// Whom each node believed to have a virtual address.
    public var neighbours: [NeighbourThen]
    /// What was broken in the network and not mended.
    public var faults: [String]
    /// The scenario's step that was on, in words; nil where none was.
    public var step: String?

    /// A node at that instant.
    public struct NodeThen: Equatable, Encodable, Sendable {
        public var name: String
        public var state: TimelineEvent.NodeState
        /// Whether it stood still, as a whole.
        public var isFrozen: Bool
        /// Its services that were ready.
        public var ready: [String]
    }

    /// Who had an address.
    public struct Owner: Equatable, Encodable, Sendable {
        public var address: IPAddress
        /// Sorted; several where they overlapped, none where nobody had it.
        public var nodes: [String]
        /// Since when it was exactly these; nil where nobody ever had it.
        public var since: MonotonicInstant?
    }

    /// A virtual router on a node.
    public struct RouterThen: Equatable, Encodable, Sendable {
        public var node: String
        public var instance: String
        public var vrid: Int
        /// Nil while its daemon did not run.
        public var state: RouterState?
        /// What it waited for; nil where it waited for nothing.
        public var timer: Timer?
    }

    /// What a virtual router waited for, by the protocol's arithmetic from what was on the wire.
    public struct Timer: Equatable, Encodable, Sendable {
        public var name: Name
        /// When it ran out, or would have.
        public var expires: MonotonicInstant
        /// When it was last set.
        public var set: MonotonicInstant

        /// The two timers of a virtual router (RFC 9568 §6.2).
        public enum Name: String, Codable, Sendable {
            /// Adver_Timer: the master's next advertisement.
            case advertisement
            /// Master_Down_Timer: a backup takes over.
            case masterDown = "master-down"
        }
    }

    /// A node's entry for a virtual address.
    public struct NeighbourThen: Equatable, Encodable, Sendable {
        public var node: String
        public var address: IPAddress
        /// Nil while nobody had answered.
        public var mac: MACAddress?
        /// The node with that Ethernet address; nil for an unknown one.
        public var station: String?
        public var since: MonotonicInstant
    }
}

extension LabMoment {
    /// The lab at that time.
    ///
    /// - Parameters:
    ///   - time: what was stamped later is not looked at.
    ///   - events: the timeline, in order.
    ///   - lab: what was built.
    ///   - routers: its virtual routers.
    public init(
        at time: MonotonicInstant, events: some Sequence<TimelineEvent>, lab: Lab,
        routers: [VirtualRouterFacts]
    ) {
        var builder = LabMomentBuilder(lab, routers)
        for event in events {
            // A timeline is in order.
            guard event.time <= time else { break }
            builder.fold(event)
        }
        self = builder.moment(at: time)
    }
}

/// Collects what a moment shows.
private struct LabMomentBuilder {
    private let lab: Lab
    private let routers: [VirtualRouterFacts]
    private let virtual: Set<IPAddress>
    private var seen: Observation
    private var nodes: [String: TimelineEvent.NodeState] = [:]
    private var frozen: Set<String> = []
    private var ready: [String: Set<String>] = [:]
    private var faults: [(fault: Fault, text: String)] = []
    private var step: String?
    /// The last advertisement of each virtual router on each node, the latest last.
    private var adverts: [(time: MonotonicInstant, what: TimelineEvent.Advertisement)] = []

    init(_ lab: Lab, _ routers: [VirtualRouterFacts]) {
        self.lab = lab
        self.routers = routers
        virtual = Set(routers.flatMap(\.addresses))
        seen = Observation(probes: [], stations: lab.stations)
    }

    mutating func fold(_ event: TimelineEvent) {
        _ = seen.fold(event)
        switch event.kind {
        case .node(let node, let state):
            nodes[node] = state
            frozen.remove(node)
            if state != .running { ready[node] = [] }
        case .control(.freeze, let target) where target.service == nil:
            frozen.insert(target.node)
        case .control(.thaw, let target) where target.service == nil:
            frozen.remove(target.node)
        case .service(let node, let service, .ready): ready[node, default: []].insert(service)
        case .service(let node, let service, .exited), .service(let node, let service, .failed),
            .service(let node, let service, .stopping):
            ready[node]?.remove(service)
        case .advertisement(let advert): note(advert, at: event.time)
        case .fault(let fault): note(fault)
        case .step(let report): step = report.phase == .began ? report.summary : nil
        default: break
        }
    }

    private mutating func note(
        _ advert: TimelineEvent.Advertisement, at time: MonotonicInstant
    ) {
        adverts.removeAll {
            $0.what.node == advert.node && $0.what.interface == advert.interface
                && $0.what.vrid == advert.vrid
                && $0.what.source.family == advert.source.family
        }
        adverts.append((time, advert))
    }

    // What mends something takes out what it mends; a second fault at an endpoint replaces the
    // first, as it does in the fabric.
    private mutating func note(_ fault: Fault) {
        switch fault {
        case .heal(nil): faults = []
        case .heal(let endpoint?), .linkUp(let endpoint):
            faults.removeAll { $0.fault.endpoint == endpoint }
        default:
            faults.removeAll { known in
                fault.endpoint == nil
                    ? known.fault.endpoint == nil : known.fault.endpoint == fault.endpoint
            }
            faults.append((fault, fault.description))
        }
    }

    func moment(at time: MonotonicInstant) -> LabMoment {
        LabMoment(
            time: time,
            nodes: lab.nodes.map { node in
                LabMoment.NodeThen(
                    name: node.name, state: nodes[node.name] ?? .stopped,
                    isFrozen: frozen.contains(node.name),
                    ready: node.services.map(\.name).filter {
                        ready[node.name]?.contains($0) ?? false
                    })
            },
            owners: virtual.sorted().map { address in
                LabMoment.Owner(
                    address: address, nodes: seen.ownership.holders(of: address),
                    since: seen.ownership.lastChange(of: address))
            },
            routers: routers.map { router in
                let state = seen.state(of: router)
                return LabMoment.RouterThen(
                    node: router.node, instance: router.instance, vrid: router.vrid, state: state,
                    timer: timer(of: router, state))
            },
            neighbours: lab.nodes.flatMap { node in
                virtual.sorted().compactMap { address in
                    seen.neighbours.entry(for: address, of: node.name).map { entry in
                        LabMoment.NeighbourThen(
                            node: node.name, address: address, mac: entry.mac,
                            station: entry.mac.flatMap(seen.neighbours.station),
                            since: entry.since)
                    }
                }
            },
            faults: faults.map(\.text), step: step)
    }

    private func timer(
        of router: VirtualRouterFacts, _ state: RouterState?
    ) -> LabMoment.Timer? {
        switch state {
        case .master:
            guard let own = adverts.last(where: { isOf(router, $0.what, by: router.node) }) else {
                return nil
            }
            return LabMoment.Timer(
                name: .advertisement, expires: own.time + router.advertisementInterval,
                set: own.time)
        case .backup:
            let ready = seen.services.lastReady(of: router)
            let heard = adverts.last {
                isOf(router, $0.what, by: nil) && $0.time >= ready ?? .zero
            }
            guard let set = heard?.time ?? ready else { return nil }
            let terms =
                heard?.what.priority == 0
                ? [router.skewTime(learned: heard?.what.interval)]
                : router.masterDownInterval(learned: heard?.what.interval)
            return LabMoment.Timer(
                name: .masterDown, expires: terms.reduce(set) { $0 + $1.duration }, set: set)
        case .initialize, .fault, nil: return nil
        }
    }

    /// Whether an advertisement is of that virtual router: of its own node, or of another one that
    /// it hears.
    private func isOf(
        _ router: VirtualRouterFacts, _ advert: TimelineEvent.Advertisement, by node: String?
    ) -> Bool {
        guard advert.vrid == router.vrid, node.map({ $0 == advert.node }) ?? true,
            node != nil || advert.node != router.node
        else { return false }
        return segment(advert.node, advert.interface) == segment(router.node, router.interface)
    }

    /// What an interface is plugged into, in a word.
    private func segment(_ node: String, _ interface: String) -> String? {
        lab.node(node)?.interfaces.first { $0.name.text == interface }
            .map { "\($0.attachment)" }
    }
}
