/// The state of every virtual router as kernel and wire show it, folded from the timeline.
public struct RouterStates: Sendable {
    private var seen = Observation(probes: [])

    public init() {}

    /// Takes an event into account.
    public mutating func fold(_ event: TimelineEvent) { _ = seen.fold(event) }

    /// The state of a virtual router; nil while its daemon does not run.
    ///
    /// MASTER holds the virtual addresses, BACKUP does not, and one whose interface is down or has
    /// no carrier is in FAULT. What its daemon says itself is not asked.
    public func state(of router: VirtualRouterFacts) -> RouterState? { seen.state(of: router) }
}
