import NetworkTypes
import VRRP

/// What is there: the machines, their virtual routers and the network between them, drawn from the
/// seed before anything happens.
struct Plan {
    var nodes: [Node]
    var virtualRouters: [VirtualRouterPlan]
    var network: Network

    /// A machine.
    struct Node {
        /// The primary address of its interface, in each family. The order of addresses is not the
        /// order of machines, so that ties are not decided by who comes first.
        var ipv4: IPAddress
        var ipv6: IPAddress

        func address(in family: IPAddress.Family) -> IPAddress { family == .v4 ? ipv4 : ipv6 }
    }

    /// One virtual router and those who share it.
    struct VirtualRouterPlan {
        var vrid: UInt8
        var family: IPAddress.Family
        /// Its configuration on each machine, nil where it is not configured.
        var configurations: [VirtualRouter.Configuration?]
        var timing: Timing
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

    init(seed options: SimulationOptions, _ generator: inout Generator) {
        let count = generator.lowNumber(in: options.routers)
        let hosts = generator.shuffled(Array(1...200)).prefix(count)
        nodes = hosts.map { host in
            var ipv6: [UInt8] = [0xfe, 0x80] + Array(repeating: 0, count: 14)
            ipv6[15] = UInt8(host)
            return Node(
                ipv4: .v4(IPv4Address(10, 0, 0, UInt8(host))),
                ipv6: .v6(IPv6Address(octets: ipv6)))
        }
        let pace = Pace(&generator)
        let vrids = generator.shuffled(Array(UInt8(1)...255))
        virtualRouters = (0..<generator.number(in: options.virtualRouters)).map { index in
            VirtualRouterPlan(vrid: vrids[index], nodeCount: count, pace: pace, &generator)
        }
        // A quarter of the shortest interval for delay and lateness together: a backup that waits
        // three of them and its skew never takes a master that it hears for a dead one.
        let shortest = virtualRouters.map(\.timing.shortestIntervalNanoseconds).min() ?? 0
        network = Network(
            delayNanoseconds: generator.number(in: 20_000...shortest / 8),
            latenessNanoseconds: generator.number(in: 1_000...shortest / 8),
            duplicatePercent: generator.element(of: [0, 0, 1, 10]),
            forgeryNanoseconds: options.usesCodec && generator.chance(percent: 50)
                ? shortest * generator.number(in: 1...20) : nil)
    }

    /// Intervals of one run are of one order, so that a quiet that the slowest virtual router needs
    /// is not the quickest one's whole run.
    enum Pace {
        case seconds, hundredths

        init(_ generator: inout Generator) {
            self = generator.chance(percent: 60) ? .seconds : .hundredths
        }
    }
}

extension Plan.VirtualRouterPlan {
    init(vrid: UInt8, nodeCount: Int, pace: Plan.Pace, _ generator: inout Generator) {
        self.vrid = vrid
        let version = pace == .seconds && generator.chance(percent: 60) ? 2 : 3
        // Version 2 over IPv6 is in no RFC, but keepalived speaks it.
        family = generator.chance(percent: version == 3 ? 50 : 10) ? .v6 : .v4
        let interval: Duration =
            switch pace {
            case .seconds: .seconds(generator.element(of: [1, 1, 1, 2, 5]))
            case .hundredths: .milliseconds(10 * generator.element(of: [1, 1, 2, 5, 10, 25]))
            }
        // Version 3 learns the master's interval, so routers may differ; version 2 refuses them.
        let intervalFactors = version == 3 && generator.chance(percent: 30) ? [1, 2, 3] : [1]
        let addresses = Self.addresses(family, vrid: vrid, &generator)
        let authentication: Advertisement.Authentication =
            version == 2 && family == .v4 && generator.chance(percent: 50)
            ? .password(AuthenticationPassword(truncating: "secret")) : .none
        let priorities = Self.priorities(count: nodeCount, &generator)
        let preemption = Self.Preemption(&generator)
        let lostAdvertisements = generator.element(of: [3, 3, 3, 2, 5])
        let startsAsMaster = generator.chance(percent: 10)
        let absentPercent = nodeCount > 2 && generator.chance(percent: 20) ? 20 : 0
        configurations = []
        for node in 0..<nodeCount {
            // At least two share it.
            if node > 1 && generator.chance(percent: absentPercent) {
                configurations.append(nil)
                continue
            }
            var configuration = VirtualRouter.Configuration(
                name: "VI_\(vrid)", version: version, family: family, vrid: vrid,
                priority: priorities[node],
                advertisementInterval: interval * generator.element(of: intervalFactors),
                masterDownAdvertisements: lostAdvertisements,
                preempts: preemption.preempts(&generator), startsAsMaster: startsAsMaster,
                answersLowerPriority: generator.chance(percent: 80),
                advertisesBeforeYielding: generator.chance(percent: 10), addresses: addresses,
                authentication: authentication)
            if configuration.preempts, preemption.isDelayed, generator.chance(percent: 50) {
                configuration.preemptionDelay = interval * generator.number(in: 1...8)
            }
            configurations.append(configuration)
        }
        timing = Timing(configurations.compactMap(\.self))
    }

    private static func addresses(
        _ family: IPAddress.Family, vrid: UInt8, _ generator: inout Generator
    ) -> [IPAddress] {
        (1...generator.lowNumber(in: 1...8)).map { host in
            switch family {
            case .v4: .v4(IPv4Address(10, 0, vrid, UInt8(host)))
            case .v6:
                .v6(
                    IPv6Address(
                        octets: [0xfe, 0x80] + Array(repeating: 0, count: 12)
                            + [vrid, UInt8(host)]))
            }
        }
    }

    /// All different, all equal or from a few; in every fourth virtual router one owns the
    /// addresses. Two owners are a mistake, and not among these.
    private static func priorities(count: Int, _ generator: inout Generator) -> [UInt8] {
        var priorities: [UInt8] =
            switch generator.number(below: 4) {
            case 0: Array(repeating: UInt8(generator.number(in: 1...254)), count: count)
            case 1: (0..<count).map { _ in generator.element(of: [50, 100, 101, 150]) }
            default: Array(generator.shuffled(Array(UInt8(1)...254)).prefix(count))
            }
        if generator.chance(percent: 25) {
            priorities[generator.number(below: count)] = Advertisement.ownerPriority
        }
        return priorities
    }

    /// Whether routers preempt: all, none, or some.
    private enum Preemption {
        case all(isDelayed: Bool)
        case none
        case some

        init(_ generator: inout Generator) {
            switch generator.number(below: 10) {
            case 0, 1: self = .none
            case 2, 3: self = .some
            case let number: self = .all(isDelayed: number < 6)
            }
        }

        var isDelayed: Bool { if case .all(isDelayed: true) = self { true } else { false } }

        func preempts(_ generator: inout Generator) -> Bool {
            switch self {
            case .all: true
            case .none: false
            case .some: generator.chance(percent: 50)
            }
        }
    }
}
