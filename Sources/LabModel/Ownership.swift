public import NetworkTypes

/// Who holds which address, now and before, as the kernels of the nodes said.
///
/// Folded from the timeline's address and node events; no daemon is asked. A node that was stopped
/// or killed holds nothing from then on: its kernel says no word about it. What is still read of
/// such a node's notifications afterwards is ignored until the node is `starting` again, which
/// therefore has to precede its addresses on the timeline.
///
/// An address of the loopback interface is not held: it is how the real servers of LVS take what
/// the director forwards to them (LVS-DR, TUN), and only the director answers for it.
public struct Ownership: Equatable, Sendable {
    /// A time during which a node held an address, on whichever of its interfaces.
    public struct Span: Codable, Equatable, Sendable {
        public var address: IPAddress
        public var node: String
        /// When it was configured.
        public var since: MonotonicInstant
        /// When it went away; nil while it is there.
        public var until: MonotonicInstant?

        public init(
            address: IPAddress, node: String, since: MonotonicInstant,
            until: MonotonicInstant? = nil
        ) {
            self.address = address
            self.node = node
            self.since = since
            self.until = until
        }
    }

    /// Where on a node an address is: the kernel accepts it twice with different prefix lengths.
    fileprivate struct Place: Hashable, Sendable {
        var interface: String
        var prefixLength: Int
    }

    /// What is known of one address.
    fileprivate struct Record: Equatable, Sendable {
        /// In the order in which they began.
        var spans: [Span] = []
        /// The places of it on each node that holds it.
        var places: [String: Set<Place>] = [:]
        /// When the set of nodes last changed.
        var changed: MonotonicInstant?
    }

    private var records: [IPAddress: Record] = [:]
    private var deadNodes: Set<String> = []

    public init() {}

    /// Takes an event into account; events about anything but addresses and nodes change nothing.
    ///
    /// - Returns: whether any address has another set of holders now.
    @discardableResult
    public mutating func fold(_ event: TimelineEvent) -> Bool {
        switch event.kind {
        case .addressAdded(_, "lo", _), .addressRemoved(_, "lo", _): return false
        case .addressAdded(let node, let interface, let address):
            guard !deadNodes.contains(node) else { return false }
            return add(
                address.address, node: node,
                at: Place(interface: interface, prefixLength: address.prefixLength),
                time: event.time)
        case .addressRemoved(let node, let interface, let address):
            return remove(
                address.address, node: node,
                at: Place(interface: interface, prefixLength: address.prefixLength),
                time: event.time)
        case .node(let node, .stopped), .node(let node, .killed), .node(let node, .failed):
            deadNodes.insert(node)
            return removeAll(of: node, time: event.time)
        case .node(let node, .starting), .node(let node, .running):
            deadNodes.remove(node)
            return false
        case .link, .routeAdded, .routeRemoved, .neighbour, .neighbourRemoved, .advertisement,
            .gratuitousARP, .arp, .unsolicitedNA, .packet, .probe, .control, .fault, .service,
            .step, .claim, .violation, .stall, .lost, .scenario:
            return false
        }
    }

    /// The nodes that hold the address now, sorted by name.
    public func holders(of address: IPAddress) -> [String] {
        records[address]?.places.keys.sorted() ?? []
    }

    /// The nodes that held the address at that moment, sorted by name.
    public func holders(of address: IPAddress, at time: MonotonicInstant) -> [String] {
        (records[address]?.spans ?? [])
            .filter { span in span.since <= time && span.until.map { time < $0 } ?? true }
            .map(\.node).sorted()
    }

    /// Since when exactly the present nodes hold the address; nil if no node ever held it.
    public func lastChange(of address: IPAddress) -> MonotonicInstant? {
        records[address]?.changed
    }

    /// Who held the address when, in the order in which it began.
    public func spans(of address: IPAddress) -> [Span] { records[address]?.spans ?? [] }

    /// Every address that was ever held, sorted.
    public var addresses: [IPAddress] { records.keys.sorted() }

    /// Whether the node holds the address now.
    public func isHeld(_ address: IPAddress, by node: String) -> Bool {
        records[address]?.places[node] != nil
    }

    // Records are changed in their place: a copy would copy all their spans for every event.

    private mutating func add(
        _ address: IPAddress, node: String, at place: Place, time: MonotonicInstant
    ) -> Bool {
        records[address, default: Record()].add(
            Span(address: address, node: node, since: time), at: place)
    }

    private mutating func remove(
        _ address: IPAddress, node: String, at place: Place, time: MonotonicInstant
    ) -> Bool {
        records[address]?.remove(node: node, at: place, time: time) ?? false
    }

    private mutating func removeAll(of node: String, time: MonotonicInstant) -> Bool {
        var changed = false
        for address in Array(records.keys) where records[address]?.places[node] != nil {
            records[address]?.end(node: node, at: time)
            changed = true
        }
        return changed
    }
}

extension Ownership.Record {
    fileprivate mutating func add(_ span: Ownership.Span, at place: Ownership.Place) -> Bool {
        let isNew = places[span.node] == nil
        places[span.node, default: []].insert(place)
        if isNew {
            spans.append(span)
            changed = span.since
        }
        return isNew
    }

    fileprivate mutating func remove(
        node: String, at place: Ownership.Place, time: MonotonicInstant
    ) -> Bool {
        guard places[node]?.remove(place) != nil else { return false }
        let isGone = places[node]?.isEmpty ?? true
        if isGone { end(node: node, at: time) }
        return isGone
    }

    fileprivate mutating func end(node: String, at time: MonotonicInstant) {
        places[node] = nil
        changed = time
        if let last = spans.lastIndex(where: { $0.node == node && $0.until == nil }) {
            spans[last].until = time
        }
    }
}
