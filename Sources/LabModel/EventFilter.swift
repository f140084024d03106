public import NetworkTypes

/// Which events of a timeline are wanted.
public struct EventFilter: Equatable, Sendable {
    /// From when on; nil for the timeline's beginning.
    public var since: MonotonicInstant?
    /// Up to when; nil for its end.
    public var until: MonotonicInstant?
    /// Of what kinds; empty for all.
    public var kinds: Set<TimelineEvent.Kind.Name>
    /// On what nodes; empty for all, and for what concerns no single one.
    public var nodes: Set<String>

    public init(
        since: MonotonicInstant? = nil, until: MonotonicInstant? = nil,
        kinds: Set<TimelineEvent.Kind.Name> = [], nodes: Set<String> = []
    ) {
        self.since = since
        self.until = until
        self.kinds = kinds
        self.nodes = nodes
    }

    /// Whether the event is wanted.
    public func matches(_ event: TimelineEvent) -> Bool {
        if let since, event.time < since { return false }
        if let until, event.time > until { return false }
        guard kinds.isEmpty || kinds.contains(event.kind.name) else { return false }
        return nodes.isEmpty || event.kind.node.map(nodes.contains) ?? false
    }
}
