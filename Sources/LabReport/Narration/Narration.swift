public import LabModel
import NetworkTypes

/// Tells a scenario as a story, `labctl demo`: events of the timeline go in, lines come out.
///
/// What is about to happen, with what theory says of it; what happened, by kernel and wire; and the
/// picture of the lab whenever that is over.
public struct Narration: Sendable {
    /// A line of the story.
    public enum Line: Equatable, Sendable {
        /// What is about to happen.
        case coming(String)
        /// Why, and how it should go.
        case theory(String)
        /// Something that was done.
        case deed(String)
        /// Something that kernel or wire showed, so long after what was done last.
        case event(String, after: Duration?, Tone)
        /// A step that is over.
        case step(StepReport)
        /// The lab as it stands, in lines of its own.
        case picture(String)
    }

    /// What an event is to those who wait for the service.
    public enum Tone: Equatable, Sendable {
        case neutral, gain, loss
    }

    private let lab: Lab
    private let routers: [VirtualRouterFacts]
    private var scene: WatchScene
    /// When something was done last.
    private var origin: MonotonicInstant?
    private var lastAdvertiser: [Int: [Int]] = [:]
    private var announced: Set<String> = []
    /// The steps that run now, and after them those that clean up.
    private var script: [Step] = []
    /// Whether what they do first has been told.
    private var isAnnounced = false
    private var hasExpected = false
    /// The steps that are over.
    public private(set) var stepsOver = 0

    /// A story of a lab that is not up yet.
    public init(lab: Lab, routers: [VirtualRouterFacts]) {
        self.lab = lab
        self.routers = routers
        scene = WatchScene(lab, routers)
    }

    /// The lab as it stands: who is plugged in where, in which role, with which virtual address.
    public var picture: String {
        let activities = lab.nodes.map { node in
            let own = routers.filter { $0.node == node.name }.map { router in
                Topology.Router(
                    instance: router.instance, role: scene.states.state(of: router)?.rawValue,
                    held: router.addresses.filter { scene.ownership.isHeld($0, by: node.name) })
            }
            return (
                node.name,
                Topology.Activity(
                    state: scene.nodes[node.name] ?? .stopped, routers: own,
                    isFrozen: scene.frozen.contains(Target(node: node.name)))
            )
        }
        return Topology(
            lab, activities: Dictionary(activities) { $1 }, faults: scene.network.faults
        ).text
    }

    /// Says that a scenario, or a piece of one, begins.
    ///
    /// - Parameter announces: whether what it does first is told now, before it does, and not when
    ///   it does.
    public mutating func begin(_ scenario: Scenario, announces: Bool) -> [Line] {
        script = scenario.steps + scenario.cleanup
        isAnnounced = announces
        hasExpected = false
        let first = announces ? scenario.steps.prefix { !$0.isExpectation } : []
        return [.picture(picture)] + first.flatMap(announcement)
    }

    /// Takes an event into account; what is to be told of it.
    public mutating func fold(_ event: TimelineEvent) -> [Line] {
        scene.fold(event)
        let after = origin.map { event.time - $0 }
        switch event.kind {
        case .control(let verb, let target):
            return [did("\(verb.rawValue) \(target)", event.time)]
        case .fault(let fault): return [did(fault.description, event.time)]
        case .step(let report):
            if report.phase == .began { return began(report.index) }
            stepsOver += 1
            return [.step(report)]
        default: return tell(event.kind).map { [.event($0, after: after, $1)] } ?? []
        }
    }

    private mutating func did(_ deed: String, _ time: MonotonicInstant) -> Line {
        origin = time
        announced = []
        return .deed(deed)
    }

    private mutating func began(_ index: Int) -> [Line] {
        guard script.indices.contains(index - 1) else { return [] }
        let step = script[index - 1]
        if step.isExpectation {
            hasExpected = true
            isAnnounced = false
            return []
        }
        defer { hasExpected = false }
        if isAnnounced { return [] }
        return (hasExpected ? [.picture(picture)] : []) + announcement(of: step)
    }

    // Of the timeline only what moves the story on: not every advertisement, but the first of each
    // new master.
    private mutating func tell(_ kind: TimelineEvent.Kind) -> (String, Tone)? {
        switch kind {
        case .advertisement(let seen):
            let place = lab.nodes.firstIndex { $0.name == seen.node } ?? -1
            let sender = [place, seen.priority]
            guard lastAdvertiser.updateValue(sender, forKey: seen.vrid) != sender else {
                return nil
            }
            let meaning = seen.priority == 0 ? " (it gives up)" : ""
            return (
                "wire    first advertisement of \(seen.node), priority \(seen.priority)\(meaning)",
                .neutral
            )
        case .addressAdded(let node, let interface, let address):
            guard isVirtual(address.address) else { return nil }
            return ("kernel  \(address.address) is now on \(node) (\(interface))", .gain)
        case .addressRemoved(let node, _, let address):
            guard isVirtual(address.address) else { return nil }
            return ("kernel  \(address.address) is no longer on \(node)", .loss)
        case .gratuitousARP(let node, _, let address, let mac):
            guard announced.insert("\(node) \(address)").inserted else { return nil }
            return ("wire    gratuitous ARP from \(node): \(address) is at \(mac)", .neutral)
        case .unsolicitedNA(let node, _, let address, let mac):
            guard announced.insert("\(node) \(address)").inserted else { return nil }
            return (
                "wire    unsolicited neighbour advertisement from \(node): "
                    + "\(address) is at \(mac)", .neutral
            )
        case .node(let name, let state):
            return ("        node \(name) is \(state.rawValue)", .neutral)
        case .service(let node, let service, .ready):
            return ("        \(node)/\(service) is ready", .neutral)
        case .violation(let violation): return ("check   \(violation.text)", .loss)
        case .stall(let duration):
            guard duration >= WatchScene.noticeableStall else { return nil }
            return ("        this machine stood still for \(duration.text)", .loss)
        case .service, .link, .routeAdded, .routeRemoved, .neighbour, .neighbourRemoved, .arp,
            .packet, .probe, .step, .claim, .lost, .scenario, .control, .fault:
            return nil
        }
    }

    private func isVirtual(_ address: IPAddress) -> Bool {
        routers.contains { $0.addresses.contains(address) }
    }

    // MARK: What is about to happen

    /// What a step is about to do, and what theory says will come of it as the lab stands now.
    private func announcement(of step: Step) -> [Line] {
        [.coming(step.summary)] + consequences(of: step.action).map(Line.theory)
    }

    private func consequences(of action: Step.Action) -> [String] {
        switch action {
        case .control(.stop, let target): losers(to: target).compactMap(farewell)
        case .control(.kill, let target), .control(.freeze, let target):
            losers(to: target).compactMap(silence)
        case .fault(.linkDown(let end)), .fault(.blackhole(let end, .both)),
            .fault(.blackhole(let end, .out)), .fault(.unplug(let end)), .fault(.plug(let end, _?)):
            masters.filter { $0.node == end.node && $0.interface == end.interface.text }
                .compactMap(silence)
        case .control(.start, let target): returns(of: target)
        case .parallel(let steps): steps.flatMap { consequences(of: $0.action) }
        case .control, .fault, .execute, .edit, .wait, .expect: []
        }
    }

    /// The virtual routers that are master now.
    private var masters: [VirtualRouterFacts] {
        routers.filter { scene.states.state(of: $0) == .master }
    }

    private func losers(to target: Target) -> [VirtualRouterFacts] {
        masters.filter {
            $0.node == target.node && (target.service == nil || target.service == $0.service)
        }
    }

    /// The backup that is to take over from a master: that of the highest priority.
    private func heir(of master: VirtualRouterFacts) -> VirtualRouterFacts? {
        routers.filter {
            $0.vrid == master.vrid && $0.node != master.node
                && !Set($0.addresses).isDisjoint(with: master.addresses)
                && scene.states.state(of: $0) == .backup
        }.max { $0.priority < $1.priority }
    }

    private func addresses(of router: VirtualRouterFacts) -> String {
        router.addresses.map(\.description).joined(separator: ", ")
    }

    private func silence(of master: VirtualRouterFacts) -> String? {
        guard let heir = heir(of: master) else { return nobody(after: master) }
        let terms = heir.masterDownInterval(learned: master.advertisementInterval)
        return "\(master.node) has \(addresses(of: master)) and falls silent: \(heir.node) takes "
            + "over when it has missed \(heir.masterDownAdvertisements) advertisements, after "
            + Self.sum(terms)
    }

    private func farewell(of master: VirtualRouterFacts) -> String? {
        guard let heir = heir(of: master) else { return nobody(after: master) }
        return "\(master.node) has \(addresses(of: master)) and says farewell, by priority 0: "
            + "\(heir.node) takes over after its skew time, "
            + Self.sum([heir.skewTime(learned: master.advertisementInterval)])
    }

    private func nobody(after master: VirtualRouterFacts) -> String {
        "\(master.node) has \(addresses(of: master)), and no backup is there to take over"
    }

    private func returns(of target: Target) -> [String] {
        routers.filter {
            $0.node == target.node && (target.service ?? $0.service) == $0.service
                && scene.states.state(of: $0) == nil
        }.compactMap { router in
            guard
                let master = masters.first(where: {
                    $0.vrid == router.vrid && !Set($0.addresses).isDisjoint(with: router.addresses)
                }), master.priority < router.priority
            else { return nil }
            return router.preempts
                ? "\(router.node) has the higher priority (\(router.priority) against "
                    + "\(master.priority)) and takes \(addresses(of: router)) back"
                : "\(router.node) has the higher priority, but does not preempt: "
                    + "\(addresses(of: router)) stays on \(master.node)"
        }
    }

    private static func sum(_ terms: [TimeBound.Term]) -> String {
        TimeBound(terms: terms, margins: []).description
    }
}

extension Scenario {
    /// The scenario in pieces that can be run one after the other: each begins with what is done
    /// and ends with what is expected of it. The last one cleans up.
    public var acts: [Scenario] {
        var pieces: [[Step]] = []
        var hasExpected = false
        for step in steps {
            // Before anything is done, the lab's own start is what expectations are counted from.
            if pieces.isEmpty || !step.isExpectation && hasExpected { pieces.append([]) }
            hasExpected = step.isExpectation
            pieces[pieces.count - 1].append(step)
        }
        return pieces.enumerated().map { index, steps in
            var piece = self
            piece.steps = steps
            if index < pieces.count - 1 { piece.cleanup = [] }
            return piece
        }
    }
}

extension Scenario {
    /// Whether something is done before anything is expected.
    public var beginsWithDeed: Bool { steps.first.map { !$0.isExpectation } ?? false }
}

extension Step {
    fileprivate var isExpectation: Bool {
        if case .expect = action { true } else { false }
    }
}
