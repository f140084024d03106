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
    /// Whom each running node believed to have which address.
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

    /// A node's neighbour entry.
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
    private var faults = NetworkFaults()
    private var step: String?
    private typealias Advert = (time: MonotonicInstant, what: TimelineEvent.Advertisement)
    /// The last advertisement that each of `routers` sent, in their order.
    private var sent: [Advert?]
    /// The last one of another node that reached it.
    private var heard: [Advert?]

    init(_ lab: Lab, _ routers: [VirtualRouterFacts]) {
        self.lab = lab
        self.routers = routers
        virtual = Set(routers.flatMap(\.addresses))
        seen = Observation(probes: [], stations: lab.stations)
        sent = routers.map { _ in nil }
        heard = sent
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
        case .fault(let fault): faults.apply(fault)
        case .step(let report): step = report.phase == .began ? report.summary : nil
        default: break
        }
    }

    private mutating func note(
        _ advert: TimelineEvent.Advertisement, at time: MonotonicInstant
    ) {
        guard advert.flaw == nil else { return }
        for (index, router) in routers.enumerated()
        where advert.vrid == router.vrid && isOfFamily(advert, router) {
            if advert.node == router.node {
                if advert.interface == router.interface { sent[index] = (time, advert) }
            } else if reaches(router, advert) {
                heard[index] = (time, advert)
            }
        }
    }

    // The two families number their virtual routers apart (RFC 9568 §5.2.3).
    private func isOfFamily(
        _ advert: TimelineEvent.Advertisement, _ router: VirtualRouterFacts
    ) -> Bool {
        router.addresses.isEmpty
            || router.addresses.contains { $0.family == advert.source.family }
    }

    /// Whether an advertisement of another node gets to a router, which a frozen one will find only
    /// when it thaws.
    private func reaches(
        _ router: VirtualRouterFacts, _ advert: TimelineEvent.Advertisement
    ) -> Bool {
        guard !frozen.contains(router.node),
            let sender = endpoint(advert.node, advert.interface),
            let receiver = endpoint(router.node, router.interface),
            attachment(of: sender) == attachment(of: receiver)
        else { return false }
        return faults.passes(from: sender, to: receiver)
    }

    private func endpoint(_ node: String, _ interface: String) -> Endpoint? {
        InterfaceName(interface).map { Endpoint(node: node, interface: $0) }
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
            routers: routers.enumerated().map { index, router in
                let state = seen.state(of: router)
                return LabMoment.RouterThen(
                    node: router.node, instance: router.instance, vrid: router.vrid, state: state,
                    timer: timer(of: router, state, sent: sent[index], heard: heard[index]))
            },
            neighbours: lab.nodes.flatMap { node in
                nodes[node.name] == .running ? neighbours(of: node.name) : []
            },
            faults: faults.faults.map(\.description), step: step)
    }

    private func neighbours(of node: String) -> [LabMoment.NeighbourThen] {
        seen.neighbours.addresses(of: node).compactMap { address in
            guard let entry = seen.neighbours.entry(for: address, of: node),
                // Who else is sought in vain is of no interest.
                entry.mac != nil || virtual.contains(address)
            else { return nil }
            return LabMoment.NeighbourThen(
                node: node, address: address, mac: entry.mac,
                station: entry.mac.flatMap(seen.neighbours.station), since: entry.since)
        }
    }

    private func timer(
        of router: VirtualRouterFacts, _ state: RouterState?, sent: Advert?, heard: Advert?
    ) -> LabMoment.Timer? {
        switch state {
        case .master:
            guard let sent else { return nil }
            return LabMoment.Timer(
                name: .advertisement, expires: sent.time + router.advertisementInterval,
                set: sent.time)
        case .backup:
            let ready = seen.services.lastReady(of: router)
            // What an earlier life of its daemon heard is forgotten.
            let heard = heard.flatMap { $0.time >= ready ?? .zero ? $0 : nil }
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

    /// What an interface is plugged into.
    private func attachment(of endpoint: Endpoint) -> Interface.Attachment? {
        if let network = ImposterName.network(of: endpoint.node) { return .network(network) }
        return faults.attachment(of: endpoint, in: lab)
    }
}
