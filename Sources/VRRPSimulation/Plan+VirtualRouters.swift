import NetworkTypes
import VRRP

/// What the members of a unit have in common on each machine: a sync group whose members are to be
/// master on different machines is a mistake of configuration, and none of these.
struct UnitDraft {
    var isGroup: Bool
    var weights: [EffectivePriority.Weight?]
    var priorities: [UInt8]
    var preempts: [Bool]
    /// `preempt_delay` in intervals, 0 for none.
    var preemptionDelays: [Int]
    var isPresent: [Bool]
    var startsAsMaster: Bool
    /// Whether there is a second dialect.
    var hasTwoDialects: Bool

    init(
        isGroup: Bool, nodes: [Plan.Node], _ pace: Plan.Pace, _ generator: inout Generator
    ) {
        self.isGroup = isGroup
        let priorities = Self.priorities(count: nodes.count, &generator)
        self.priorities = priorities
        // A group's weight makes an owner fail, for it has no weights.
        let isTracking =
            generator.chance(percent: 40)
            && !(isGroup && priorities.contains(Advertisement.ownerPriority))
        weights = (0..<Plan.scriptCount).map { _ in
            guard isTracking, generator.chance(percent: 70) else { return nil }
            let value =
                generator.chance(percent: 30)
                ? 0 : generator.element(of: [-253, -60, -20, -5, 5, 20, 60, 253])
            return EffectivePriority.Weight(value, isReversed: generator.chance(percent: 20))
        }
        startsAsMaster = generator.chance(percent: 10)
        hasTwoDialects = generator.chance(percent: 40)
        let preemption = Preemption(&generator)
        preempts = nodes.map { _ in preemption.preempts(&generator) }
        preemptionDelays = preempts.map { preempts in
            preempts && preemption.isDelayed && generator.chance(percent: 50)
                ? generator.number(in: 1...8) : 0
        }
        let absentPercent = nodes.count > 2 && generator.chance(percent: 20) ? 20 : 0
        // At least two share it.
        isPresent = nodes.indices.map { $0 < 2 || !generator.chance(percent: absentPercent) }
    }

    /// All different, all equal or from a few; in every fourth virtual router one owns the
    /// addresses, in every twelfth two say that they do, which is a mistake.
    private static func priorities(count: Int, _ generator: inout Generator) -> [UInt8] {
        var priorities: [UInt8] =
            switch generator.number(below: 4) {
            case 0: Array(repeating: UInt8(generator.number(in: 1...254)), count: count)
            case 1: (0..<count).map { _ in generator.element(of: [50, 100, 101, 150]) }
            default: Array(generator.shuffled(Array(UInt8(1)...254)).prefix(count))
            }
        let owners = generator.element(of: [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2])
        for node in generator.shuffled(Array(0..<count)).prefix(owners) {
            priorities[node] = Advertisement.ownerPriority
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

extension Plan.VirtualRouterPlan {
    init(
        vrid: UInt8, unit: Int, _ draft: UnitDraft, nodes: [Plan.Node], pace: Plan.Pace,
        _ generator: inout Generator
    ) {
        self.vrid = vrid
        self.unit = unit
        isPresent = draft.isPresent
        let version = pace == .seconds && generator.chance(percent: 60) ? 2 : 3
        // Version 2 over IPv6 is in no RFC, but keepalived speaks it.
        family = generator.chance(percent: version == 3 ? 50 : 10) ? .v6 : .v4
        isUnicast = generator.chance(percent: 12)
        let interval: Duration =
            switch pace {
            case .seconds: .seconds(generator.element(of: [1, 1, 1, 2, 5]))
            case .hundredths: .milliseconds(10 * generator.element(of: [1, 1, 2, 5, 10, 25]))
            }
        // Version 3 learns the master's interval, so routers may differ; version 2 refuses them.
        let intervalFactors = version == 3 && generator.chance(percent: 30) ? [1, 2, 3] : [1]
        var common = VirtualRouter.Configuration(
            name: "VI_\(vrid)", version: version, family: family, vrid: vrid,
            masterDownAdvertisements: generator.element(of: [3, 3, 3, 2, 5]),
            startsAsMaster: draft.startsAsMaster, isInGroup: draft.isGroup,
            addresses: Self.addresses(family, vrid: vrid, &generator))
        if version == 2, family == .v4 {
            let password = AuthenticationPassword(truncating: "secret")
            common.authentication = generator.element(of: [
                .none, .none, .password(password), .password(password), .header(password),
            ])
        }
        let plain: [VirtualRouter.Configuration] = nodes.indices.map { node in
            var configuration = common
            configuration.priority = draft.priorities[node]
            configuration.advertisementInterval =
                interval * generator.element(of: intervalFactors)
            configuration.preempts = draft.preempts[node]
            configuration.preemptionDelay =
                draft.preemptionDelays[node] == 0
                ? nil : configuration.advertisementInterval * draft.preemptionDelays[node]
            configuration.startupDelay = .nanoseconds(nodes[node].startupDelayNanoseconds)
            configuration.answersLowerPriority = generator.chance(percent: 80)
            configuration.advertisesBeforeYielding = generator.chance(percent: 10)
            return configuration
        }
        let change = Change.any(of: common, &generator)
        let variants =
            draft.hasTwoDialects ? [plain, plain.map { change.applied(to: $0) }] : [plain]
        configurations = nodes.indices.map { node in variants.map { $0[node] } }
        let peers: [ReceivedAdvertisement.UnicastPeer]? =
            isUnicast && generator.chance(percent: 50)
            ? nodes.map { [family] in .init($0.address(in: family)) } : nil
        dialects = variants.enumerated().map { [isUnicast] index, variant in
            let checksum: ChecksumRule =
                index == 1 && change == .checksum ? .messageOnly : .pseudoHeader
            return Plan.Dialect(
                expectation: .init(
                    variant[0].advertisement(priority: 1), isUnicast: isUnicast,
                    checksum: checksum, peers: peers), timing: Timing(variant),
                difference: index == 1 ? change.rawValue : "the right settings")
        }
    }

    private static func addresses(
        _ family: IPAddress.Family, vrid: UInt8, _ generator: inout Generator
    ) -> [IPAddress] {
        (1...generator.lowNumber(in: 1...8)).map { address(family, vrid: vrid, host: $0) }
    }

    fileprivate static func address(_ family: IPAddress.Family, vrid: UInt8, host: Int) -> IPAddress
    {
        switch family {
        case .v4: .v4(IPv4Address(10, 0, vrid, UInt8(host)))
        case .v6:
            .v6(
                IPv6Address(
                    octets: [0xfe, 0x80] + Array(repeating: 0, count: 12) + [vrid, UInt8(host)]))
        }
    }

    /// What somebody may have set differently, so that others refuse what is said.
    private enum Change: String {
        case password = "another password"
        case noAuthentication = "no authentication"
        case header = "an authentication header"
        case interval = "another interval"
        case count = "an address more"
        case address = "another address"
        case checksum = "another checksum rule"

        static func any(
            of common: VirtualRouter.Configuration, _ generator: inout Generator
        ) -> Change {
            var changes: [Change] = [.count, .address]
            if common.version == 2 { changes.append(.interval) }
            if common.version == 2, common.family == .v4 {
                changes += common.authentication == .none ? [.header] : [.noAuthentication]
                changes.append(.password)
            }
            if common.version == 3, common.family == .v4 { changes.append(.checksum) }
            return generator.element(of: changes)
        }

        func applied(
            to configuration: VirtualRouter.Configuration
        ) -> VirtualRouter.Configuration {
            var changed = configuration
            let other = AuthenticationPassword(truncating: "another")
            switch self {
            case .password:
                if case .header = configuration.authentication {
                    changed.authentication = .header(other)
                } else {
                    changed.authentication = .password(other)
                }
            case .noAuthentication: changed.authentication = .none
            case .header: changed.authentication = .header(other)
            case .interval: changed.advertisementInterval *= 2
            case .count:
                changed.addresses.append(
                    Plan.VirtualRouterPlan.address(
                        configuration.family, vrid: configuration.vrid, host: 99))
            case .address:
                changed.addresses[0] = Plan.VirtualRouterPlan.address(
                    configuration.family, vrid: configuration.vrid, host: 98)
            case .checksum: break
            }
            return changed
        }
    }
}
