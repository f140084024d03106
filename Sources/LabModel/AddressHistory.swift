public import NetworkTypes

/// Who held which virtual address when: `labctl vip`.
public struct AddressHistory: Equatable, Sendable {
    /// A time during which the same nodes held an address.
    public struct Period: Codable, Equatable, Sendable {
        public var address: IPAddress
        /// The holders, sorted: several where they overlapped, none where nobody had it.
        public var nodes: [String]
        public var since: MonotonicInstant
        /// Nil for the present.
        public var until: MonotonicInstant?

        public init(
            address: IPAddress, nodes: [String], since: MonotonicInstant,
            until: MonotonicInstant? = nil
        ) {
            self.address = address
            self.nodes = nodes
            self.since = since
            self.until = until
        }
    }

    private var ownership = Ownership()
    private var announced: Set<IPAddress> = []

    public init() {}

    /// Takes an event into account.
    public mutating func fold(_ event: TimelineEvent) {
        ownership.fold(event)
        if case .advertisement(let seen) = event.kind { announced.formUnion(seen.addresses) }
    }

    /// The addresses that virtual routers have advertised, sorted.
    ///
    /// FRR and VRRPv3 over IPv6 advertise a link-local address first; it is one of them.
    public var virtualAddresses: [IPAddress] { announced.sorted() }

    /// The times of an address, in order and without a gap, from when a node first had it on.
    public func periods(of address: IPAddress) -> [Period] {
        let spans = ownership.spans(of: address)
        let moments = Set(spans.map(\.since) + spans.compactMap(\.until)).sorted()
        var periods: [Period] = []
        for (index, moment) in moments.enumerated() {
            let until = index + 1 < moments.count ? moments[index + 1] : nil
            let nodes = ownership.holders(of: address, at: moment)
            if periods.last?.nodes == nodes {
                periods[periods.count - 1].until = until
            } else {
                periods.append(
                    Period(address: address, nodes: nodes, since: moment, until: until))
            }
        }
        return periods
    }
}
