import NetworkTypes
import VRRP

/// A sync group with its members and a shell that does nothing but write down what it was told:
/// `VI_1: advertise 100`, `VRRP_Group(VG) Syncing instances to MASTER state`, `VG: MASTER`.
struct GroupOfRouters {
    private(set) var group: SyncGroup
    private(set) var routers: [String: VirtualRouter] = [:]
    private let names: [String]
    /// What was done since it was last taken.
    private var transcript: [String] = []
    var now = VirtualRouterTable.start

    /// Members VI_1, VI_2..., of those priorities.
    init(
        priorities: [UInt8],
        _ change: (inout VirtualRouter.Configuration) -> Void = { _ in }
    ) {
        names = priorities.indices.map { "VI_\($0 + 1)" }
        group = SyncGroup("VG", members: names)
        for (name, priority) in zip(names, priorities) {
            var configuration = VirtualRouterTable.configuration
            configuration.name = name
            configuration.priority = priority
            configuration.isInGroup = true
            change(&configuration)
            routers[name] = VirtualRouter(
                configuration, sourceAddress: VirtualRouterTable.here)
        }
    }

    /// Starts group and members, with those faults from the start.
    mutating func start(_ faults: [(String, VirtualRouter.Fault)] = []) -> [String] {
        for (name, fault) in faults { deliver(.faultRaised(fault), to: name) }
        perform(group.start())
        for name in names { deliver(.startup, to: name) }
        return takeTranscript()
    }

    mutating func handle(_ event: VirtualRouter.Event, _ name: String) -> [String] {
        deliver(event, to: name)
        return takeTranscript()
    }

    /// Delivers an advertisement to a member.
    mutating func hear(_ priority: UInt8, _ name: String) -> [String] {
        guard let advertisement = routers[name]?.configuration.advertisement(priority: priority)
        else { return [] }
        return handle(.advertisement(advertisement, from: VirtualRouterTable.above), name)
    }

    /// Lets time pass, with every timer on its way.
    mutating func run(for duration: Duration) -> [String] {
        let end = now + duration
        while let next = names.compactMap({ routers[$0]?.deadline }).min(), next <= end {
            now = next
            for name in names where routers[name]?.deadline == next { deliver(.timer, to: name) }
        }
        now = end
        return takeTranscript()
    }

    mutating func shutdown() -> [String] {
        perform(group.shutdown())
        return takeTranscript()
    }

    /// The members' states, in order: `MB` is a master and a backup.
    var states: String {
        names.map { name in
            switch routers[name]?.state {
            case .master: "M"
            case .backup: "B"
            case .fault: "F"
            case .pending: "P"
            case .initialize, nil: "I"
            }
        }.joined()
    }

    private mutating func takeTranscript() -> [String] {
        defer { transcript = [] }
        return transcript
    }

    private mutating func deliver(_ event: VirtualRouter.Event, to name: String) {
        for action in routers[name]?.handle(event, now: now) ?? [] {
            switch action {
            case .sendAdvertisement(let priority):
                transcript.append("\(name): advertise \(priority)")
            case .log(let message): transcript.append("(\(name)) \(message)")
            case .transition(let transition):
                transcript.append("\(name): \(transition.rawValue)")
                if transition == .masterHeardLowerPriority {
                    perform(group.memberHeardLowerPriority(name))
                }
            case .announceAddresses: transcript.append("\(name): announce")
            case .addAddresses: transcript.append("\(name): add")
            case .removeAddresses: transcript.append("\(name): remove")
            case .restoreAddresses, .replaceAddresses: transcript.append("\(name): \(action)")
            }
        }
        if let standing = routers[name]?.standing {
            perform(group.member(name, is: standing))
        }
    }

    private mutating func perform(_ orders: [SyncGroup.Order]) {
        for order in orders {
            switch order {
            case .deliver(let event, let name): deliver(event, to: name)
            case .transition(let transition): transcript.append("VG: \(transition.rawValue)")
            case .log(let message): transcript.append("\(message)")
            }
        }
    }
}
