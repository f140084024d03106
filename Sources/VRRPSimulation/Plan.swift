import NetworkTypes
import VRRP

/// What is there: the machines, their virtual routers and the network between them, drawn from the
/// seed before anything happens.
struct Plan {
    var nodes: [Node]
    var units: [Unit]
    var virtualRouters: [VirtualRouterPlan]
    var network: Network

    /// A machine.
    struct Node {
        /// The primary address of its interface, in each family. The order of addresses is not the
        /// order of machines, so that ties are not decided by who comes first.
        var ipv4: IPAddress
        var ipv6: IPAddress
        var clock: Quartz
        /// `vrrp_startup_delay`, nanoseconds of its clock.
        var startupDelayNanoseconds: Int

        func address(in family: IPAddress.Family) -> IPAddress { family == .v4 ? ipv4 : ipv6 }
    }

    /// What is master as a whole on every machine: the members of a sync group, or one virtual
    /// router. Who has one of them has all of them.
    struct Unit {
        var virtualRouters: ClosedRange<Int>
        /// What each of a machine's scripts weighs in it, nil where it is not tracked.
        var weights: [EffectivePriority.Weight?]

        var isSyncGroup: Bool { virtualRouters.count > 1 }
    }

    /// One virtual router and those who share it.
    struct VirtualRouterPlan {
        var vrid: UInt8
        var family: IPAddress.Family
        /// The unit it belongs to.
        var unit: Int
        /// Whether routers name their peers instead of speaking to the group.
        var isUnicast: Bool
        /// What the routers may be set to so that they understand each other, the right one first.
        var dialects: [Dialect]
        /// The configuration on each machine, in each dialect.
        var configurations: [[VirtualRouter.Configuration]]
        /// Whether the machine has it when it is first started.
        var isPresent: [Bool]
    }

    /// What all routers that are to elect one of them must have in common. Two dialects of a
    /// virtual router are two elections that share a VRID: nobody believes the other's
    /// advertisements (RFC 3768 §7.1), and nobody should. A reload moves a machine between them.
    struct Dialect {
        var expectation: ReceivedAdvertisement.Expectation
        var timing: Timing
        /// What is different in it.
        var difference: String
    }

    /// The network while nothing is wrong with it: packets may overtake each other and arrive
    /// twice, but they arrive, and in time.
    struct Network {
        /// The longest a packet is under way, nanoseconds.
        var delayNanoseconds: Int
        /// How late a process may wake up, nanoseconds.
        var latenessNanoseconds: Int
        /// How often a packet arrives twice.
        var duplicatePercent: Int
        /// How long after another somebody may forge an advertisement, nanoseconds; nil where
        /// nobody does.
        var forgeryNanoseconds: Int?
    }

    /// Scripts that a machine may run; units track some of them.
    static let scriptCount = 2

    init(seed options: SimulationOptions, _ generator: inout Generator) {
        let count = generator.lowNumber(in: options.routers)
        let pace = Pace(&generator)
        nodes = Self.nodes(count, pace, &generator)
        let vrids = generator.shuffled(Array(UInt8(1)...255))
        let routerCount = generator.number(in: options.virtualRouters)
        units = []
        virtualRouters = []
        while virtualRouters.count < routerCount {
            let first = virtualRouters.count
            let size =
                generator.chance(percent: 30) ? generator.number(in: 1...routerCount - first) : 1
            let draft = UnitDraft(isGroup: size > 1, nodes: nodes, pace, &generator)
            for index in first..<first + size {
                virtualRouters.append(
                    Plan.VirtualRouterPlan(
                        vrid: vrids[index], unit: units.count, draft, nodes: nodes, pace: pace,
                        &generator))
            }
            units.append(
                Unit(virtualRouters: first...first + size - 1, weights: draft.weights))
        }
        // A quarter of the shortest interval for delay and lateness together: a backup that waits
        // three of them and its skew never takes a master that it hears for a dead one.
        let shortest =
            virtualRouters.flatMap(\.dialects).map(\.timing.shortestIntervalNanoseconds).min() ?? 0
        network = Network(
            delayNanoseconds: generator.number(in: 20_000...shortest / 8),
            latenessNanoseconds: generator.number(in: 1_000...shortest / 8),
            duplicatePercent: generator.element(of: [0, 0, 1, 10]),
            forgeryNanoseconds: options.usesCodec && generator.chance(percent: 50)
                ? shortest * generator.number(in: 1...20) : nil)
    }

    private static func nodes(
        _ count: Int, _ pace: Pace, _ generator: inout Generator
    ) -> [Node] {
        let hosts = generator.shuffled(Array(1...200)).prefix(count)
        let areClocksExact = generator.chance(percent: 50)
        return hosts.map { host in
            var ipv6: [UInt8] = [0xfe, 0x80] + Array(repeating: 0, count: 14)
            ipv6[15] = UInt8(host)
            let most = Int(Quartz.maximumError)
            return Node(
                ipv4: .v4(IPv4Address(10, 0, 0, UInt8(host))),
                ipv6: .v6(IPv6Address(octets: ipv6)),
                clock: Quartz(
                    originNanoseconds: Int64(generator.number(in: 0...1_000_000_000_000)),
                    error: areClocksExact ? 0 : Int64(generator.number(in: -most...most))),
                startupDelayNanoseconds: generator.chance(percent: 10)
                    ? pace.unitNanoseconds * generator.number(in: 1...10) : 0)
        }
    }

    /// Intervals of one run are of one order, so that a quiet that the slowest virtual router needs
    /// is not the quickest one's whole run.
    enum Pace {
        case seconds, hundredths

        init(_ generator: inout Generator) {
            self = generator.chance(percent: 60) ? .seconds : .hundredths
        }

        var unitNanoseconds: Int {
            switch self {
            case .seconds: 1_000_000_000
            case .hundredths: 10_000_000
            }
        }
    }
}

extension Plan {
    /// How long after the last disturbance an election has an owner, or is over, at the latest.
    func timings(unit: Int, dialect: Int) -> [Timing] {
        units[unit].virtualRouters.map { virtualRouters[$0].dialects[dialect].timing }
    }

    func dialectCount(unit: Int) -> Int {
        virtualRouters[units[unit].virtualRouters.lowerBound].dialects.count
    }

    func convergenceBound(unit: Int, dialect: Int) -> Int {
        timings(unit: unit, dialect: dialect).map { $0.convergenceBound(network) }.max() ?? 0
    }

    var longestIntervalNanoseconds: Int {
        virtualRouters.flatMap(\.dialects).map(\.timing.longestIntervalNanoseconds).max() ?? 0
    }

    private var longestStartupDelayNanoseconds: Int {
        Quartz.longest(forOwn: nodes.map(\.startupDelayNanoseconds).max() ?? 0)
    }

    /// After so much quiet every virtual router has converged, even one that was started at the
    /// end of the trouble and whose scripts took their time.
    var quietNanoseconds: Int {
        let slowest =
            units.indices.flatMap { unit in
                (0..<dialectCount(unit: unit)).map { convergenceBound(unit: unit, dialect: $0) }
            }.max() ?? 0
        return slowest + longestStartupDelayNanoseconds + 2 * longestIntervalNanoseconds
    }
}
