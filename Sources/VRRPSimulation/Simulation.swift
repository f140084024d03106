import NetworkTypes
import VRRP

/// Machines with virtual routers on one network, in a time that only events move.
///
/// Trouble and quiet take turns. In trouble packets are lost or come late, machines die, freeze,
/// stall, are cut off and come back, scripts fail, files are reloaded; in quiet, which lasts longer
/// than `Timing` allows for convergence, nothing of that happens. What must be true is looked at
/// after every step (`judge`) and after every bound (`audit`).
struct Simulation {
    let options: SimulationOptions
    let plan: Plan
    var generator: Generator
    var now = MonotonicInstant(nanoseconds: 1_000_000_000)
    let end: MonotonicInstant
    var queue = EventQueue()

    var nodes: [Node]
    /// By node and virtual router: see `index(node:virtualRouter:)`.
    var instances: [Instance]
    /// By node and unit: see `station(node:unit:)`.
    var stations: [Station]
    /// By unit, part of the network and dialect: see `election(unit:part:dialect:)`.
    var elections: [Election]
    var packets = PacketPool()

    var isTroubled = false
    var lossPercent = 0
    /// How often, in trouble, a packet is late, and how much at most; nanoseconds.
    var latePercent = 0
    var latestNanoseconds = 0

    /// What happened first that must not; ends the run.
    var violation: Violation?
    /// What is written down, when somebody wants to read it.
    var recorder: Recorder?
    var statistics = SimulationStatistics()

    /// A machine and what has become of it.
    struct Node {
        var part = 0
        var isRunning = false
        var isFrozen = false
        var isLinkUp = true
        var hasAddress = true
        /// How its scripts would answer.
        var areScriptsWell = Array(repeating: true, count: Plan.scriptCount)
        /// What a frozen process will find when it thaws.
        var inbox: [Waiting] = []

        /// Whether its routers take part in elections.
        var isAble: Bool { isRunning && !isFrozen && isLinkUp && hasAddress }
    }

    /// What waits for a frozen process in its sockets' buffers.
    enum Waiting {
        case packet(Int)
        case event(VirtualRouter.Event)
    }

    /// The network is in so many parts at most.
    static let maximumParts = 3
    /// A virtual router has so many dialects at most.
    static let maximumDialects = 2
    /// A socket's buffer holds so many packets; what comes then is lost.
    static let maximumInbox = 64

    init(seed: UInt64, options: SimulationOptions) {
        self.options = options
        generator = Generator(seed: seed)
        let plan = Plan(seed: options, &generator)
        self.plan = plan
        end = now + options.duration
        nodes = Array(repeating: Node(), count: plan.nodes.count)
        instances = plan.nodes.indices.flatMap { node in
            plan.virtualRouters.map { virtualRouter in
                Instance(
                    virtualRouter.configurations[node][0],
                    address: plan.nodes[node].address(in: virtualRouter.family),
                    clock: plan.nodes[node].clock)
            }
        }
        stations = plan.nodes.indices.flatMap { node in
            plan.units.map { unit in
                Station(
                    isConfigured: plan.virtualRouters[unit.virtualRouters.lowerBound]
                        .isPresent[node])
            }
        }
        elections = Array(
            repeating: Election(quietSince: now),
            count: plan.units.count * Self.maximumParts * Self.maximumDialects)
        for node in plan.nodes.indices {
            // In every second run with two dialects somebody begins with the wrong one.
            for unit in plan.units.indices
            where plan.dialectCount(unit: unit) > 1 && generator.chance(percent: 15) {
                stations[node * plan.units.count + unit].dialect = 1
            }
        }
    }

    // MARK: Indices

    func index(node: Int, virtualRouter: Int) -> Int {
        node * plan.virtualRouters.count + virtualRouter
    }
    func node(of instance: Int) -> Int { instance / plan.virtualRouters.count }
    func virtualRouter(of instance: Int) -> Int { instance % plan.virtualRouters.count }
    func unit(of instance: Int) -> Int {
        plan.virtualRouters[virtualRouter(of: instance)].unit
    }
    func station(node: Int, unit: Int) -> Int { node * plan.units.count + unit }
    func station(of instance: Int) -> Int {
        station(node: node(of: instance), unit: unit(of: instance))
    }
    func election(unit: Int, part: Int, dialect: Int) -> Int {
        (unit * Self.maximumParts + part) * Self.maximumDialects + dialect
    }
    func election(of instance: Int) -> Int {
        election(
            unit: unit(of: instance), part: nodes[node(of: instance)].part,
            dialect: instances[instance].dialect)
    }
    /// The instances of a unit on a machine.
    func members(node: Int, unit: Int) -> ClosedRange<Int> {
        let routers = plan.units[unit].virtualRouters
        return index(
            node: node, virtualRouter: routers.lowerBound)...index(
                node: node, virtualRouter: routers.upperBound)
    }

    // MARK: Violations

    /// Notes what must not be; the first time counts.
    mutating func report(
        _ invariant: Invariant, _ details: String, virtualRouter: Int, part: Int,
        suspects: [Int]
    ) {
        guard violation == nil, options.invariants.contains(invariant) else { return }
        violation = Violation(
            invariant: invariant, details: details, instant: now, virtualRouter: virtualRouter,
            part: part, suspects: suspects)
    }

    mutating func report(
        _ invariant: Invariant, _ details: String, at instance: Int
    ) {
        report(
            invariant, details, virtualRouter: virtualRouter(of: instance),
            part: nodes[node(of: instance)].part, suspects: [node(of: instance)])
    }

    // MARK: The loop

    /// Runs to the end, or to the first violation.
    mutating func run() {
        for node in nodes.indices {
            startLater(node, withinNanoseconds: plan.longestIntervalNanoseconds)
        }
        queue.insert(.phase, at: now.advanced(byNanoseconds: plan.quietNanoseconds))
        if let pause = plan.network.forgeryNanoseconds {
            queue.insert(.forgery, at: now.advanced(byNanoseconds: pause))
        }
        while violation == nil, let (instant, occurrence) = queue.removeFirst(), instant <= end {
            now = instant
            switch occurrence {
            case .wake(let instance): wake(instance)
            case .arrival(let packet, let node): arrive(packet, at: node)
            case .audit(let election): audit(election)
            case .start(let node): start(node)
            case .answers(let node): answer(node)
            case .thaw(let node): thaw(node)
            case .disturbance: disturb()
            case .forgery: forge()
            case .phase: changePhase()
            }
        }
        if violation == nil { checkEverythingWasServed() }
    }
}

extension MonotonicInstant {
    /// Without the conversion from a `Duration`, which costs two divisions of 128 bits.
    func advanced(byNanoseconds nanoseconds: Int) -> Self {
        Self(nanoseconds: self.nanoseconds &+ Int64(nanoseconds))
    }
    func nanoseconds(since earlier: Self) -> Int {
        Int(nanoseconds &- earlier.nanoseconds)
    }
}
