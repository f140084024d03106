public import LabModel

/// The kinds of fault that chaos draws from, by the words of `--faults`.
public enum FaultKind: String, CaseIterable, Sendable {
    /// A node's power is cut; it is started again.
    case kill
    /// A node is shut down in good order; it is started again.
    case stop
    /// A node stands still, and goes on.
    case freeze
    /// A node is shut down and started at once.
    case reboot
    /// A service is killed; it is started again.
    case killService = "kill-service"
    /// A service is stopped; it is started again.
    case stopService = "stop-service"
    /// A service stands still, and goes on.
    case freezeService = "freeze-service"
    /// A cable is pulled, and plugged in again.
    case link
    /// Frames vanish in a cable, both ways or one.
    case blackhole
    /// The nodes are cut into groups: two, one against the rest, or overlapping ones.
    case partition
    /// A cable loses, delays, repeats or damages frames.
    case impair
    /// A node has little time on processors.
    case limit
    /// A service that speaks VRRP runs with clocks that are off.
    case clock
    /// A station that belongs to nobody advertises, answers ARP or repeats what it has heard.
    case imposter
    /// A cable goes down and comes up, again and again.
    case flap
    /// A cable's end is in no switch.
    case unplug
    /// What some nodes send does not get to others, while they hear those.
    case cut

    /// Those that are drawn from where none are named. Not every machine has the means for limits
    /// and clocks, and an imposter may break by itself what a lab's own checks ask for.
    public static let usual = allCases.filter { ![.limit, .clock, .imposter].contains($0) }

    /// Whether there is anything in a lab that it could strike.
    public func applies(to ground: Ground) -> Bool {
        switch self {
        case .kill, .stop, .freeze, .reboot, .limit, .clock: !ground.nodes.isEmpty
        case .killService, .stopService, .freezeService: !ground.services.isEmpty
        case .link, .blackhole, .impair, .flap, .unplug: !ground.cables.isEmpty
        case .partition, .cut: ground.nodes.count >= 2 && ground.canBeParted
        case .imposter: !ground.networks.isEmpty
        }
    }

    /// What a machine must be able to do for it.
    public var need: Scenario.Capability? {
        switch self {
        case .blackhole, .partition, .cut: .nftables
        case .limit: .cpuLimits
        case .clock: .clocks
        case .kill, .stop, .freeze, .reboot, .killService, .stopService, .freezeService, .link,
            .impair, .imposter, .flap, .unplug:
            nil
        }
    }

    /// The kind of what is done.
    init(_ deed: Deed) {
        switch deed {
        case .control(let verb, let target):
            let isNode = target.service == nil
            switch verb {
            case .kill: self = isNode ? .kill : .killService
            case .stop: self = isNode ? .stop : .stopService
            case .freeze: self = isNode ? .freeze : .freezeService
            case .restart: self = isNode ? .reboot : .stopService
            case .start, .thaw, .reload: preconditionFailure("\(verb.rawValue) is no fault")
            }
        case .fault(let fault):
            switch fault {
            case .linkDown: self = .link
            case .blackhole: self = .blackhole
            case .impair: self = .impair
            case .partition: self = .partition
            case .limit: self = .limit
            case .imposter: self = .imposter
            case .flap: self = .flap
            case .unplug, .plug(_, _?): self = .unplug
            case .cut: self = .cut
            case .linkUp, .plug(_, nil), .clock, .heal: preconditionFailure("\(fault) is no fault")
            }
        case .shift: self = .clock
        }
    }
}

// What of the lab each strikes, and how.
extension FaultKind {
    /// A fault of this kind; nil where there is nothing to strike.
    func draw(_ dice: inout Dice, on ground: Ground) -> Deed? {
        switch self {
        case .kill: node(&dice, ground).map { .control(.kill, $0) }
        case .stop: node(&dice, ground).map { .control(.stop, $0) }
        case .freeze: node(&dice, ground).map { .control(.freeze, $0) }
        case .reboot: node(&dice, ground).map { .control(.restart, $0) }
        case .killService: service(&dice, ground).map { .control(.kill, $0) }
        case .stopService: service(&dice, ground).map { .control(.stop, $0) }
        case .freezeService: service(&dice, ground).map { .control(.freeze, $0) }
        case .link: cable(&dice, ground).map { .fault(.linkDown($0)) }
        case .blackhole: blackhole(&dice, ground)
        case .partition: partition(&dice, ground)
        case .impair: impairment(&dice, ground)
        case .limit: limit(&dice, ground)
        case .clock: clock(&dice, ground)
        case .imposter: imposter(&dice, ground)
        case .flap: flap(&dice, ground)
        case .unplug: cable(&dice, ground).map { .fault(.unplug($0)) }
        case .cut: cut(&dice, ground)
        }
    }

    private func limit(_ dice: inout Dice, _ ground: Ground) -> Deed? {
        let share = dice.number(in: 2...12) * 5
        return node(&dice, ground).map { target in
            .fault(.limit(target.node, NodeLimits([.cpu: .amount(Int64(share) * 10)])))
        }
    }

    private func flap(_ dice: inout Dice, _ ground: Ground) -> Deed? {
        let period = dice.time(from: ground.unit * 0.2, to: ground.unit * 2)
        let flap = Flap(period: max(period, .milliseconds(50)))
        return cable(&dice, ground).map { .fault(.flap($0, flap)) }
    }

    private func cut(_ dice: inout Dice, _ ground: Ground) -> Deed? {
        let nodes = dice.shuffled(ground.nodes)
        let count = dice.number(in: 1...(nodes.count - 1))
        return .fault(
            .cut(from: nodes.prefix(count).sorted(), to: nodes.dropFirst(count).sorted()))
    }

    private func imposter(_ dice: inout Dice, _ ground: Ground) -> Deed? {
        guard let network = dice.element(of: ground.networks),
            let router = dice.element(of: ground.routers),
            let address = dice.element(of: router.addresses)
        else { return nil }
        let priority = dice.number(in: 1...255)
        let interval = router.advertisementInterval.words
        let what =
            dice.element(of: [
                "advert vrid \(router.vrid) priority \(priority) interval \(interval)",
                "arp \(address) announce \(interval)", "replay delay \(interval)",
            ]) ?? ""
        return Imposture.parse(what).map { .fault(.imposter(network, $0)) }
    }

    private func clock(_ dice: inout Dice, _ ground: Ground) -> Deed? {
        guard let node = node(&dice, ground)?.node,
            let router = ground.routers.first(where: { $0.node == node })
        else { return nil }
        // Ahead only: how far a clock can go back depends on how long the machine is up.
        let offset = ClockOffset(.seconds(dice.number(in: 1...48) * 1800))
        return .shift(Target(node: node, service: router.service), offset)
    }

    /// A node: rather one that is master, or would be next.
    private func node(_ dice: inout Dice, _ ground: Ground) -> Target? {
        let names = dice.element(of: ground.succession.map(\.nodes)) ?? ground.nodes
        return dice.earlyElement(of: names).map { Target(node: $0) }
    }

    /// A service: rather the one that speaks VRRP.
    private func service(_ dice: inout Dice, _ ground: Ground) -> Target? {
        guard let node = node(&dice, ground)?.node else { return nil }
        let services = ground.services.filter { $0.node == node }
        let daemons = ground.routers.filter { $0.node == node }.map(\.service)
        let ours = services.filter { daemons.contains($0.service ?? "") }
        return dice.element(of: dice.chance(percent: 70) ? ours : services)
    }

    private func cable(_ dice: inout Dice, _ ground: Ground) -> Endpoint? {
        guard let node = node(&dice, ground)?.node else { return nil }
        return dice.element(of: ground.cables.filter { $0.node == node })
    }

    private func blackhole(_ dice: inout Dice, _ ground: Ground) -> Deed? {
        guard let cable = cable(&dice, ground),
            let direction = dice.element(of: [Fault.Direction.both, .in, .out])
        else { return nil }
        return .fault(.blackhole(cable, direction))
    }

    private func partition(_ dice: inout Dice, _ ground: Ground) -> Deed? {
        let nodes = dice.shuffled(ground.nodes)
        guard nodes.count >= 2 else { return nil }
        var groups: [[String]]
        switch dice.number(below: nodes.count >= 4 ? 4 : nodes.count >= 3 ? 3 : 2) {
        case 0:  // One against the rest.
            groups = [[nodes[0]], Array(nodes.dropFirst())]
        case 1:  // Two parts.
            let size = dice.number(in: 1...(nodes.count - 1))
            groups = [Array(nodes.prefix(size)), Array(nodes.dropFirst(size))]
        case 2:  // Two parts that only one node sees both of.
            let middle = 1 + (nodes.count - 1) / 2
            groups = [Array(nodes.prefix(middle)), [nodes[0]] + nodes.dropFirst(middle)]
        default:  // A ring, in which each sees its neighbours only.
            groups = nodes.indices.map { [nodes[$0], nodes[($0 + 1) % nodes.count]] }
        }
        // Who is beside them is in one of the groups, or sees all.
        if dice.chance(percent: 50), !ground.bystanders.isEmpty {
            groups[dice.number(below: groups.count)] += ground.bystanders
        }
        return .fault(.partition(groups.map { $0.sorted() }))
    }

    private func impairment(_ dice: inout Dice, _ ground: Ground) -> Deed? {
        guard let cable = cable(&dice, ground) else { return nil }
        let interval = ground.routers.map(\.advertisementInterval).min() ?? .seconds(1)
        let least = Int(max(interval / 20 / .milliseconds(1), 1))
        let delay = dice.number(in: least...(least * 50))
        let share = dice.number(in: 1...9) * 10
        let what =
            dice.element(of: [
                "loss \(share)%", "loss every \(dice.number(in: 2...4))",
                "loss gemodel \(dice.number(in: 1...9))% \(share)%", "delay \(delay)ms",
                "delay \(delay)ms \(max(delay / 2, 1))ms", "duplicate \(share)%",
                "delay \(delay)ms reorder \(share)%",
                "delay \(delay)ms \(max(delay / 4, 1))ms loss \(share / 2)% duplicate 10%",
                // What nothing checks, as ARP, would be believed until it ages.
                "corrupt \(share)% only vrrp",
            ]) ?? ""
        var words = what
        if let way = dice.element(of: ["", "in ", "out "]) { words = way + words }
        if !words.contains("only"),
            let kind = dice.element(of: ["", "", " only vrrp", " only arp"])
        {
            words += kind
        }
        words += " seed \(dice.number(in: 1...9999))"
        guard let impairment = CableImpairment.parse(words) else {
            preconditionFailure("'\(words)' is no impairment")
        }
        return .fault(.impair(cable, impairment))
    }
}
