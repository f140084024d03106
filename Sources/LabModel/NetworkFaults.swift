public import NetworkTypes

/// What is broken in a lab's network: the sum of the faults that were applied to it, in order.
///
/// A cable's state belongs to the switch's port, so it outlives the node at its other end: one
/// that comes back finds its cable as it left it. The last fault at a port is the one that is so.
public struct NetworkFaults: Equatable, Sendable {
    /// What is wrong with the cable of an endpoint.
    public enum Cable: Hashable, Sendable, CustomStringConvertible {
        /// It is pulled: no frame passes, and the carrier is gone.
        case down
        /// Frames vanish in it that way, and its carrier stays.
        case blackhole(Fault.Direction)
        /// It goes down and comes up, again and again.
        case flapping(Flap)

        /// As the command line says it: `down`, `blackhole in`.
        public var description: String {
            switch self {
            case .down: "down"
            case .blackhole(.both): "blackhole"
            case .blackhole(let direction): "blackhole \(direction.rawValue)"
            case .flapping(let flap): "flapping, \(flap)"
            }
        }
    }

    /// The cables that are broken.
    public private(set) var cables: [Endpoint: Cable] = [:]
    /// The cables that are not where the lab has them.
    public private(set) var places: [Endpoint: Place] = [:]
    /// What cables do to frames, the last that was told first.
    public private(set) var impairments: [Endpoint: [CableImpairment]] = [:]
    /// The groups of the partition; none where the network is whole.
    public private(set) var groups: [[String]] = []
    /// The nodes whose frames do not get to ``cutReceivers``.
    public private(set) var cutSenders: Set<String> = []
    public private(set) var cutReceivers: Set<String> = []
    /// The endpoints of the partition's nodes that were healed since: frames pass there as before.
    public private(set) var exempt: Set<Endpoint> = []
    /// The same of the cut's.
    private(set) var cutExempt: Set<Endpoint> = []

    /// The nodes that have less of something than their machine.
    public private(set) var limits: [String: NodeLimits] = [:]
    /// What stations that belong to nobody do, by the network that they stand on.
    public private(set) var impostures: [InterfaceName: Imposture] = [:]
    /// The services whose clocks are off, and how far.
    public private(set) var clocks: [Target: ClockOffset] = [:]

    /// A sound network.
    public init() {}

    /// What these come to, in order.
    public init(_ faults: [Fault]) {
        for fault in faults { apply(fault) }
    }

    /// Whether nothing is broken.
    public var isSound: Bool { self == NetworkFaults() }

    /// Takes a fault into account.
    public mutating func apply(_ fault: Fault) {
        switch fault {
        case .linkDown(let endpoint): cables[endpoint] = .down
        case .blackhole(let endpoint, let direction): cables[endpoint] = .blackhole(direction)
        case .flap(let endpoint, let flap): cables[endpoint] = .flapping(flap)
        case .linkUp(let endpoint): cables[endpoint] = nil
        case .plug(let endpoint, let network): places[endpoint] = network.map(Place.network)
        case .unplug(let endpoint): places[endpoint] = .nowhere
        case .impair(let endpoint, let impairment):
            var others = impairments[endpoint] ?? []
            others.removeAll { $0.isAboutSameFrames(as: impairment) }
            // Either the kernel or a relay is in the middle of a cable.
            if !impairment.isNone { others.removeAll { $0.path != impairment.path } }
            if !impairment.isNone { others.insert(impairment, at: 0) }
            impairments[endpoint] = others.isEmpty ? nil : others
        case .partition(let groups):
            self.groups = groups
            exempt = []
        case .imposter(let network, let imposture):
            impostures[network] = imposture.isNone ? nil : imposture
        case .cut(let senders, let receivers):
            cutSenders = Set(senders)
            cutReceivers = Set(receivers)
            cutExempt = []
        case .heal(let endpoint?):
            cables[endpoint] = nil
            places[endpoint] = nil
            impairments[endpoint] = nil
            if !groups.isEmpty { exempt.insert(endpoint) }
            if !cutSenders.isEmpty { cutExempt.insert(endpoint) }
        case .limit(let node, let new):
            var sum = limits[node] ?? NodeLimits()
            sum.apply(new)
            limits[node] = sum.isNone ? nil : sum
        case .clock(let target, let offset): clocks[target] = offset == .none ? nil : offset
        case .heal(nil):
            // What runs keeps the clock that it was started with.
            let clocks = clocks
            self = NetworkFaults()
            self.clocks = clocks
        }
    }

    /// What is wrong with an endpoint's cable, in a few words; nil when nothing is.
    public func fault(at endpoint: Endpoint) -> String? {
        let words =
            (cables[endpoint].map { [$0.description] } ?? [])
            + (places[endpoint].map { [$0.description] } ?? [])
            + (impairments[endpoint] ?? []).map(\.description)
        return words.isEmpty ? nil : words.joined(separator: "; ")
    }

    /// Whether that is broken, just so: nothing has mended it or taken its place.
    public func holds(_ fault: Fault) -> Bool {
        switch fault {
        case .linkDown(let endpoint): cables[endpoint] == .down
        case .blackhole(let endpoint, let direction): cables[endpoint] == .blackhole(direction)
        case .flap(let endpoint, let flap): cables[endpoint] == .flapping(flap)
        case .plug(let endpoint, let network?): places[endpoint] == .network(network)
        case .unplug(let endpoint): places[endpoint] == .nowhere
        case .impair(let endpoint, let impairment):
            impairments[endpoint]?.contains(impairment) ?? false
        case .partition(let groups): self.groups == groups
        case .cut(let senders, let receivers):
            cutSenders == Set(senders) && cutReceivers == Set(receivers) && !senders.isEmpty
        case .limit(let node, let limits): (self.limits[node] ?? NodeLimits()).holds(limits)
        case .clock(let target, let offset): clocks[target] == offset
        case .imposter(let network, let imposture): impostures[network] == imposture
        case .linkUp, .plug(_, nil), .heal: false
        }
    }

    /// Whether a frame that one endpoint sends to another on its network gets there. A flapping
    /// cable passes frames now and then; whether it is up is what its links' events say.
    func passes(from sender: Endpoint, to receiver: Endpoint) -> Bool {
        if isPulled(sender) || isPulled(receiver) { return false }
        switch cables[sender] {
        case .down, .blackhole(.both), .blackhole(.out): return false
        case .blackhole(.in), .flapping, nil: break
        }
        switch cables[receiver] {
        case .down, .blackhole(.both), .blackhole(.in): return false
        case .blackhole(.out), .flapping, nil: break
        }
        if isCutOff(sender, in: cutSenders), isCutOff(receiver, in: cutReceivers) { return false }
        if exempt.contains(sender) || exempt.contains(receiver) { return true }
        let (mine, theirs) = (sides(of: sender.node), sides(of: receiver.node))
        return mine.isEmpty || theirs.isEmpty || !mine.isDisjoint(with: theirs)
    }

    private func isCutOff(_ endpoint: Endpoint, in nodes: Set<String>) -> Bool {
        nodes.contains(endpoint.node) && !cutExempt.contains(endpoint)
    }

    /// The groups that a node is in; none for one that the partition leaves alone.
    fileprivate func sides(of node: String) -> Set<Int> {
        Set(groups.indices.filter { groups[$0].contains(node) })
    }

    /// The faults that would break a sound network as this one is, by endpoint, those that keep
    /// nodes apart, then the imposters and what nodes lack.
    public var faults: [Fault] {
        let broken = cables.sorted { $0.key.description < $1.key.description }
        var faults = broken.map { endpoint, cable in
            switch cable {
            case .down: Fault.linkDown(endpoint)
            case .blackhole(let direction): Fault.blackhole(endpoint, direction)
            case .flapping(let flap): Fault.flap(endpoint, flap)
            }
        }
        faults += places.sorted { $0.key.description < $1.key.description }.map { end, place in
            switch place {
            case .network(let name): .plug(end, name)
            case .nowhere: .unplug(end)
            }
        }
        for (endpoint, impairments) in impairments.sorted(by: {
            $0.key.description < $1.key.description
        }) {
            faults += impairments.reversed().map { Fault.impair(endpoint, $0) }
        }
        return faults + cuts + impostures.sorted { $0.key < $1.key }.map { .imposter($0, $1) }
            + faultsOfNodes
    }

    /// Those of them that keep nodes from each other, on whatever network.
    public var cuts: [Fault] {
        var cuts: [Fault] = []
        if !groups.isEmpty { cuts.append(.partition(groups)) }
        if !cutSenders.isEmpty {
            cuts.append(.cut(from: cutSenders.sorted(), to: cutReceivers.sorted()))
        }
        return cuts
    }
}

/// Which frames a lab's switches throw away, by the indices of their ports.
public struct PortFilter: Equatable, Sendable {
    /// Ports by which nothing gets in.
    public var mute: [Int32] = []
    /// Ports by which nothing gets out.
    public var deaf: [Int32] = []
    /// Pairs of lists: what gets in by a port of the first does not get out by one of the second.
    public var separations: [Separation] = []

    public init(mute: [Int32] = [], deaf: [Int32] = []) {
        self.mute = mute
        self.deaf = deaf
    }

    public struct Separation: Equatable, Sendable {
        public var from: [Int32]
        public var to: [Int32]
        public init(from: [Int32], to: [Int32]) {
            self.from = from
            self.to = to
        }
    }

    /// Whether every frame passes.
    public var isEmpty: Bool { mute.isEmpty && deaf.isEmpty && separations.isEmpty }

    /// Every port of a partition's nodes. What is learned there about who is behind which port is
    /// wrong as soon as two stations on either side use one Ethernet address, as two masters of a
    /// virtual router do.
    public var separated: Set<Int32> { Set(separations.flatMap { $0.from + $0.to }) }
}

extension NetworkFaults {
    /// What the switches of that plan have to throw away.
    public func filter(of plan: DeploymentPlan) -> PortFilter {
        var filter = PortFilter()
        var bySignature: [Set<Int>: [Int32]] = [:]
        var cut = PortFilter.Separation(from: [], to: [])
        for port in plan.ports {
            let endpoint = Endpoint(node: port.node, interface: port.interface)
            if case .blackhole(let direction) = cables[endpoint] {
                if direction != .in { filter.mute.append(port.index) }
                if direction != .out { filter.deaf.append(port.index) }
            }
            if isCutOff(endpoint, in: cutSenders) { cut.from.append(port.index) }
            if isCutOff(endpoint, in: cutReceivers) { cut.to.append(port.index) }
            let signature = sides(of: port.node)
            if !signature.isEmpty, !exempt.contains(endpoint) {
                bySignature[signature, default: []].append(port.index)
            }
        }
        // By the groups that nodes are in, not by pairs of ports, of which large labs have many.
        let sides = bySignature.sorted { ($0.value.first ?? 0) < ($1.value.first ?? 0) }
        for (signature, ports) in sides {
            let others = sides.filter { $0.key.isDisjoint(with: signature) }.flatMap(\.value)
            if !others.isEmpty {
                filter.separations.append(.init(from: ports, to: others.sorted()))
            }
        }
        if !cut.from.isEmpty, !cut.to.isEmpty { filter.separations.append(cut) }
        return filter
    }
}

extension Fault {
    /// Why it cannot be applied to that lab: a node or an interface that it does not have, or
    /// groups that are none; nil when it can.
    public func problem(in lab: Lab) -> String? {
        mistake(in: lab) ?? lab.hostInterfaces.problem(with: self)
    }

    private func mistake(in lab: Lab) -> String? {
        switch self {
        case .linkDown(let endpoint), .blackhole(let endpoint, _), .linkUp(let endpoint),
            .plug(let endpoint, nil), .unplug(let endpoint), .heal(let endpoint?):
            return endpoint.problem(in: lab)
        case .flap(let endpoint, let flap): return endpoint.problem(in: lab) ?? flap.problem
        case .plug(let endpoint, let network?):
            return endpoint.problem(in: lab) ?? lab.problem(withNetwork: network.text)
        case .impair(let endpoint, let impairment):
            let nodes = [impairment.sender, impairment.receiver].compactMap(\.self)
            return endpoint.problem(in: lab)
                ?? nodes.compactMap { lab.problem(withNode: $0) }.first
        case .heal(nil): return nil
        case .limit(let node, _): return lab.problem(withNode: node)
        case .imposter(let network, _): return lab.problem(withNetwork: network)
        case .clock: return "a clock is given when a service is started: start it with --clock"
        case .cut(let senders, let receivers): return lab.problem(withCut: senders, to: receivers)
        case .partition(let groups):
            let nodes = groups.flatMap(\.self)
            if let problem = nodes.compactMap({ lab.problem(withNode: $0) }).first {
                return problem
            }
            for group in groups {
                if let twice = group.first(where: { node in group.count { $0 == node } > 1 }) {
                    return "node \(twice) is twice in a group"
                }
            }
            return groups.count == 1 || groups.contains([])
                ? "a partition has at least two groups, as in `partition a b / c`" : nil
        }
    }
}

extension Endpoint {
    /// Why the lab does not have it; nil when it does.
    fileprivate func problem(in lab: Lab) -> String? {
        guard let known = lab.node(node) else { return lab.problem(withNode: node) }
        let names = known.interfaces.map(\.name.text)
        guard !names.contains(interface.text) else { return nil }
        return "node \(node) has no interface \(interface)"
            + SpellingSuggestion.hint(for: interface.text, among: names, known: "it has")
    }
}

extension Lab {
    /// Why a cut cannot be between these; nil when it can.
    fileprivate func problem(withCut senders: [String], to receivers: [String]) -> String? {
        if let problem = (senders + receivers).compactMap({ problem(withNode: $0) }).first {
            return problem
        }
        if let both = senders.first(where: receivers.contains) {
            return "node \(both) is on both sides of the cut"
        }
        return senders.isEmpty != receivers.isEmpty
            ? "a cut is between nodes that send and nodes that do not hear it, as in `cut a to b`"
            : nil
    }

    /// Why there is no such node; nil when there is.
    fileprivate func problem(withNode name: String) -> String? {
        guard node(name) == nil else { return nil }
        return "lab \(self.name) has no node \(name)"
            + SpellingSuggestion.hint(
                for: name, among: nodes.map(\.name), known: "its nodes are")
    }

    /// Why there is no such network; nil when there is.
    fileprivate func problem(withNetwork name: InterfaceName) -> String? {
        guard network(name) == nil else { return nil }
        return "lab \(self.name) has no network \(name)"
            + SpellingSuggestion.hint(
                for: name.text, among: networks.map(\.name.text), known: "its networks are")
    }
}
