public import LabModel
import NetworkTypes

/// What a lab is judged by while it is broken and after it: the lab's own checks, probes and
/// expectations, and those that follow from its virtual routers.
///
/// After each round the lab must be as it was, by the bounds that follow from what was done:
///
/// - each virtual address on the node that is to have it: the one with the highest priority, where
///   that preempts; else exactly one of those that nobody may preempt (RFC 9568 §6.4.3; of equals
///   whoever was first stays, §6.4.2). What has conditions of its own may be on any;
/// - the other routers BACKUP, their daemons running;
/// - every probe answered;
/// - the clients' neighbour entries at that node, where the routers announce themselves again and
///   again (`garp_master_refresh`). Without that neither the RFCs nor keepalived promise it: a
///   master that never learned of the other one has no reason to say anything.
public struct Health: Equatable, Sendable {
    /// What the lab must be able to do.
    public var needs: [Scenario.Capability] = []
    /// Files in place of the nodes' own.
    public var files: [Scenario.FileOverride] = []
    public var probes: [Probe] = []
    /// What holds all the time.
    public var checks: [Check] = []
    /// What is done and expected before the first round.
    public var preamble: [Step] = []
    /// What is expected after each round.
    public var expectations: [Step] = []
    /// What is done at the very end.
    public var cleanup: [Step] = []

    /// - Parameters:
    ///   - ground: the lab's virtual routers, as the scenario's files make them.
    ///   - scenario: the lab's own checks and probes; its steps are the preamble, and what they
    ///     expect of addresses, states, answers and neighbours is expected after each round again.
    ///     Nil where it has none.
    public init(_ ground: Ground, scenario: Scenario?) {
        if let scenario {
            needs = scenario.needs
            files = scenario.files
            probes = scenario.probes
            checks = scenario.checks
            cleanup = scenario.cleanup
        }
        if probes.isEmpty { probes = Self.pings(ground) }
        for rule in [Check.Rule.ownersAgree, .ableTakeOver]
        where !checks.contains(where: { $0.rule == rule }) {
            checks.append(Check(rule))
        }
        let own = (scenario?.steps ?? []).filter(\.isRepeatable)
        let heirs = ground.succession.map { place in
            (
                address: place.address,
                nodes: own.compactMap { $0.holders(of: place.address) }.last
                    ?? Self.heirs(of: place.address, on: ground)
            )
        }
        let derived = Self.derived(ground, heirs: heirs, probes: probes).filter { step in
            !own.contains { $0.isAboutSame(as: step) }
        }
        expectations = Self.calmed((own + derived).fromCauseToEffect, on: ground)
        preamble = Self.calmed(
            (scenario?.steps ?? []) + derived.fromCauseToEffect, on: ground)
    }

    /// The same, with every address to stay where it is for a while.
    private static func calmed(_ steps: [Step], on ground: Ground) -> [Step] {
        steps.map { step in
            guard case .expect(var expectation) = step.action, expectation.holding == nil,
                expectation.settling == nil
            else { return step }
            switch expectation.condition {
            case .address, .addressOnOne: expectation.settling = calm(on: ground)
            default: return step
            }
            var calmed = step
            calmed.action = .expect(expectation)
            return calmed
        }
    }

    /// How long a lab that is well again has to stay so before the next round: longer than the
    /// slowest router waits, for what was lost before the end of the last fault may have it take
    /// over after that.
    static func calm(on ground: Ground) -> Duration {
        let calm = min(ground.unit * 1.2, mostCalm)
        return .milliseconds(10) * Int((calm / .milliseconds(10)).rounded(.up))
    }

    private static let mostCalm = Duration.seconds(2)

    /// The most addresses that are asked for where the lab has no probes of its own.
    private static let maximumPings = 4

    private static func pings(_ ground: Ground) -> [Probe] {
        guard let client = ground.bystanders.first else { return [] }
        return ground.succession.prefix(maximumPings).enumerated().map { index, place in
            Probe(
                name: "ping-\(index + 1)", node: client, request: .ping(place.address),
                interval: .milliseconds(20), timeout: Probe.defaultTimeout)
        }
    }

    private static func derived(
        _ ground: Ground, heirs: [(address: IPAddress, nodes: [String])], probes: [Probe]
    ) -> [Step] {
        var steps: [Step] = []
        for place in heirs {
            let condition: Expectation.Condition =
                place.nodes.count == 1
                ? .address(place.address, nodes: place.nodes)
                : .addressOnOne(place.address, of: place.nodes)
            steps.append(Step(.expect(Expectation(condition))))
        }
        for place in heirs where place.nodes.count == 1 {
            let node = place.nodes[0]
            steps += backups(of: place.address, besides: node, on: ground)
            steps += neighbours(of: place.address, at: node, on: ground, probes: probes)
        }
        for probe in probes {
            steps.append(
                Step(.expect(Expectation(.answer(probe.request, from: probe.node, .ok)))))
        }
        return steps
    }

    /// The nodes of which one is to have an address when nothing is broken.
    static func heirs(of address: IPAddress, on ground: Ground) -> [String] {
        let sharing = ground.routers.filter { $0.addresses.contains(address) }
        guard !sharing.contains(where: \.hasConditions) else { return sharing.map(\.node).sorted() }
        return sharing.filter { router in
            !sharing.contains { $0.preempts && $0.priority > router.priority }
        }.map(\.node).sorted()
    }

    private static func backups(
        of address: IPAddress, besides master: String, on ground: Ground
    ) -> [Step] {
        let others = ground.routers.filter { $0.addresses.contains(address) && $0.node != master }
        let names = Set(others.map(\.instance)).sorted()
        return names.map { name in
            let nodes = others.filter { $0.instance == name }.map(\.node)
            return Step(.expect(Expectation(.state(.backup, router: name, nodes: nodes))))
        }
    }

    private static func neighbours(
        of address: IPAddress, at node: String, on ground: Ground, probes: [Probe]
    ) -> [Step] {
        let sharing = ground.routers.filter { $0.addresses.contains(address) }
        let refreshes = sharing.compactMap(\.announcementRefresh)
        guard refreshes.count == sharing.count, let slowest = refreshes.max() else { return [] }
        let clients = Set(probes.filter { $0.request.address == address }.map(\.node))
            .intersection(ground.bystanders).sorted()
        // A master that was one all the time says so with its next round of announcements.
        let bound = ground.unit + slowest + Allowances().scheduling
        let within = Duration.milliseconds(10) * Int((bound / .milliseconds(10)).rounded(.up))
        return clients.map { client in
            Step(
                .expect(
                    Expectation(
                        .neighbour(address, of: client, isAt: node), within: within)))
        }
    }
}

extension [Step] {
    /// First where the addresses are, then who knows of it, then what comes of that: so that the
    /// same thing that is wrong is found by the same step in every run.
    fileprivate var fromCauseToEffect: [Step] {
        enumerated().sorted { ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset) }
            .map(\.element)
    }
}

extension Step {
    /// How far from its causes what it expects is.
    fileprivate var rank: Int {
        guard case .expect(let expectation) = action else { return 0 }
        switch expectation.condition {
        case .address, .addressOnOne: return 0
        case .neighbour: return 1
        case .state: return 2
        case .answer, .inspect: return 3
        case .log, .mail, .sequence, .outage, .latency, .adverts: return 4
        }
    }

    /// Whether it says how the lab is, whatever has happened before.
    fileprivate var isRepeatable: Bool {
        guard case .expect(let expectation) = action else { return false }
        switch expectation.condition {
        case .address, .addressOnOne, .state, .answer, .neighbour, .inspect: return true
        case .log, .mail, .sequence, .outage, .latency, .adverts: return false
        }
    }

    /// Which nodes it expects to have an address; nil where it does not say.
    fileprivate func holders(of address: IPAddress) -> [String]? {
        guard case .expect(let expectation) = action,
            case .address(address, let nodes) = expectation.condition
        else { return nil }
        return nodes
    }

    /// Whether another one expects something of the same address, routers or server.
    fileprivate func isAboutSame(as other: Step) -> Bool {
        guard case .expect(let mine) = action, case .expect(let theirs) = other.action else {
            return false
        }
        switch (mine.condition, theirs.condition) {
        case (.address(let one, _), .address(let other, _)),
            (.address(let one, _), .addressOnOne(let other, _)),
            (.addressOnOne(let one, _), .address(let other, _)),
            (.addressOnOne(let one, _), .addressOnOne(let other, _)):
            return one == other
        case (.answer(let one, let here, _), .answer(let other, let there, _)):
            return one == other && here == there
        case (.neighbour(let one, let here, _), .neighbour(let other, let there, _)):
            return one == other && here == there
        case (.state(_, let one, let here), .state(_, let other, let there)):
            return one == other && Set(here) == Set(there)
        default: return false
        }
    }
}
