public import NetworkTypes

/// What must hold over the whole run of a scenario.
public struct Check: Codable, Equatable, Sendable {
    public var rule: Rule
    /// Where it stands in the lab file, for reports.
    public var line: Int

    /// The rules there are.
    public enum Rule: Codable, Equatable, Sendable {
        /// The address is on at most one node; on two of them for no longer than the overlap.
        case oneOwner(IPAddress, overlap: Duration)
        /// Once a node had it, the address is without one for no longer than the gap.
        case owned(IPAddress, gap: Duration)
        /// Once a router of that name (nil: any) has advertised, the next advertisement for its
        /// VRID comes no later than after the gap, from whichever node; imposters send none.
        case advertised(router: String?, gap: Duration)
        /// No frame comes from a node that is down.
        case deadAreSilent
        /// The priorities that a node (nil: any, but no imposter) advertises, other than the 0 of
        /// one that resigns, are in that range.
        case priority(node: String?, ClosedRange<Int>)
        /// No two stations say of themselves at a time that they have an address, and no imposter
        /// says so of one that a node has.
        case noDuplicateAddress
        /// Once the probe had an answer, none of its requests is lost.
        case survives(probe: String)
        /// Two owners of a virtual address that hear each other agree which of them it is, as soon
        /// as the protocol has it: see ``RouterWatch``.
        case ownersAgree
        /// A virtual address is not without an owner for longer than the protocol has it while a
        /// router is there that is able to take over: see ``RouterWatch``.
        case ableTakeOver
    }

    public init(_ rule: Rule, line: Int = 0) {
        self.rule = rule
        self.line = line
    }

    /// How long an address may be on two nodes when the lab file does not say: what a kernel may
    /// take to delete and add it on a loaded machine.
    public static let defaultOverlap = Duration.milliseconds(50)
}
