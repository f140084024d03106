import NetworkTypes
import VRRP

/// Machines with virtual routers on one network, in a time that only events move.
///
/// Trouble and quiet take turns. In trouble packets are lost or come late, machines die, freeze,
/// are cut off and come back, priorities change; in quiet, which lasts longer than `Timing` allows
/// for convergence, nothing of that happens. `Judge` and `Auditor` look at every step.
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
    /// By virtual router and part of the network: see `group(_:)`.
    var groups: [Group]
    var packets = PacketPool()
    /// The virtual router with each VRID, as an index.
    let virtualRouterByVRID: [Int?]

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
    /// A socket's buffer holds so many packets; what comes then is lost.
    static let maximumInbox = 64

    init(seed: UInt64, options: SimulationOptions) {
        self.options = options
        generator = Generator(seed: seed)
        plan = Plan(seed: options, &generator)
        end = now + options.duration
        nodes = Array(repeating: Node(), count: plan.nodes.count)
        var instances: [Instance] = []
        for (index, node) in plan.nodes.enumerated() {
            for virtualRouter in plan.virtualRouters {
                instances.append(
                    Instance(
                        virtualRouter.configurations[index],
                        address: node.address(in: virtualRouter.family),
                        timing: virtualRouter.timing))
            }
        }
        self.instances = instances
        groups = Array(
            repeating: Group(quietSince: now), count: plan.virtualRouters.count * Self.maximumParts)
        var byVRID = [Int?](repeating: nil, count: 256)
        for (index, virtualRouter) in plan.virtualRouters.enumerated() {
            byVRID[Int(virtualRouter.vrid)] = index
        }
        virtualRouterByVRID = byVRID
    }

    func index(node: Int, virtualRouter: Int) -> Int {
        node * plan.virtualRouters.count + virtualRouter
    }
    func node(of instance: Int) -> Int { instance / plan.virtualRouters.count }
    func virtualRouter(of instance: Int) -> Int { instance % plan.virtualRouters.count }
    func group(virtualRouter: Int, part: Int) -> Int { virtualRouter * Self.maximumParts + part }
    func group(of instance: Int) -> Int {
        group(virtualRouter: virtualRouter(of: instance), part: nodes[node(of: instance)].part)
    }

    /// Notes what must not be; the first time counts.
    mutating func report(
        _ invariant: Invariant, _ details: String, virtualRouter: Int, part: Int,
        suspects: [Int]
    ) {
        guard violation == nil else { return }
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
        while violation == nil, let entry = queue.removeFirst(), entry.instant <= end {
            now = entry.instant
            switch entry.occurrence {
            case .wake(let instance): wake(Int(instance))
            case .arrival(let packet, let node): arrive(Int(packet), at: Int(node))
            case .audit(let group): audit(Int(group))
            case .start(let node): start(Int(node))
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

/// How much a run did.
public struct SimulationStatistics: Sendable, Equatable {
    /// Events that virtual routers handled: advertisements, timers and what happened to machines;
    /// and packets that were refused before that.
    public var protocolEvents = 0
    /// Times somebody became master.
    public var takeovers = 0
    /// Things that were broken or repaired.
    public var disturbances = 0
    /// Packets that had to be refused, and were.
    public var refusals = 0
    /// Times a part of the network was found to have converged in time.
    public var convergences = 0

    public init() {}

    public static func += (left: inout Self, right: Self) {
        left.protocolEvents += right.protocolEvents
        left.takeovers += right.takeovers
        left.disturbances += right.disturbances
        left.refusals += right.refusals
        left.convergences += right.convergences
    }
}
