/// A `vrrp_sync_group`: instances that are master together, and otherwise none of them; as a value.
///
/// The shell tells the group how a member stands after each event that member was given, and
/// performs the orders it gets back, in order. An order that delivers an event to a member has the
/// group told again when the member's actions have been performed, in the middle of the list: the
/// group has settled its own state by then, so that this gives no further orders for the same
/// reason.
///
/// | what happens                                    | what the group does                        |
/// |-------------------------------------------------|--------------------------------------------|
/// | a member has a fault of its own                 | FAULT: all members have the fault `.group` |
/// | no member has one any more                      | BACKUP: that fault is cleared everywhere   |
/// | a member still awaits an answer after startup   | INIT: all members await the group          |
/// | the last answer is there                        | BACKUP                                     |
/// | a member wants to be master, and others do not  | nothing: it waits                          |
/// | all of them are or want to be                   | MASTER: the others follow                  |
/// | a member stops being master                     | BACKUP: the others do too, without saying  |
/// |                                                 | farewell, since somebody has spoken        |
/// | a member hears a master of lower priority       | the others announce their addresses as well|
///
/// The fault is imposed on the member that caused it as well, so that it cannot come back before
/// the group does.
///
/// A member whose addresses were removed by hand once too often resigns alone and the others follow
/// without farewell, so that the group is back after the slowest Master_Down_Interval. (keepalived
/// has all of them resign, and is back after the slowest skew.)
public struct SyncGroup: Equatable, Sendable {
    /// The group's name.
    public let name: String
    /// How it is with the group.
    public private(set) var state: State = .initialize
    /// How the members stand, as far as they have said, in the configuration's order.
    private var members: [(name: String, standing: VirtualRouter.Standing)]
    private var isRunning = false

    /// The group's state; that of its members once they have followed.
    public enum State: String, Hashable, Sendable {
        /// Not started, or a member awaits an answer.
        case initialize = "INIT"
        case backup = "BACKUP"
        case master = "MASTER"
        case fault = "FAULT"
    }

    /// What the shell is to do.
    public enum Order: Equatable, Sendable {
        /// Hand that member's router this event, perform what it says, and tell the group how it
        /// stands then.
        case deliver(VirtualRouter.Event, to: String)
        /// Tell those who asked to be told about the group.
        case transition(VirtualRouter.Transition)
        /// Log this, as it is.
        case log(Message)
    }

    /// What a group has to say; the description is keepalived 2.2.7's log line.
    public enum Message: Hashable, Sendable, CustomStringConvertible {
        case synchronizing(group: String, to: State)
        /// That member was in FAULT from the start.
        case startedInFault(group: String, member: String)

        public var description: String {
            switch self {
            case .synchronizing(let group, let state):
                "VRRP_Group(\(group)) Syncing instances to \(state.rawValue) state"
            case .startedInFault(let group, let member):
                "VRRP_Group(\(group)): Syncing \(member) to FAULT state"
            }
        }
    }

    /// A group that has not started.
    ///
    /// - Parameter members: the instances' names, each once.
    public init(_ name: String, members: [String]) {
        self.name = name
        self.members = members.map { ($0, .able) }
    }

    public static func == (left: Self, right: Self) -> Bool {
        left.name == right.name && left.state == right.state && left.isRunning == right.isRunning
            && left.members.elementsEqual(right.members, by: ==)
    }

    // MARK: Start and end

    /// Begins with the members as they have said they stand: before their own `.startup` when the
    /// daemon starts, after their `.reconfigured` when a reload has made the group.
    ///
    /// - Parameter previous: the state of the group of that name before the reload; nothing is told
    ///   when it is the same.
    public mutating func start(previous: State? = nil) -> [Order] {
        isRunning = true
        var orders: [Order] = []
        if let faulty = first(.faulty) {
            state = .fault
            if previous != .fault {
                orders.append(.log(.startedInFault(group: name, member: faulty)))
            }
            orders += toAll(.faultRaised(.group))
        } else if first(.pending) != nil {
            state = .initialize
            orders += toAll(.faultRaised(.awaitingGroup))
        } else if members.allSatisfy({ $0.standing == .candidate || $0.standing == .master }) {
            state = .master
            // Whoever kept these from it is no member any more.
            let waiting = toAll(.promoted) { $0 == .candidate }
            return waiting.isEmpty ? [] : waiting + [.transition(.master)]
        } else {
            state = .backup
            orders += toAll(.demoted) { $0 == .master }
        }
        guard state != previous, let transition = state.transition else { return orders }
        return [.transition(transition)] + orders
    }

    /// Ends all members, and then the group.
    public mutating func shutdown() -> [Order] {
        isRunning = false
        state = .initialize
        return toAll(.shutdown) + [.transition(.stop)]
    }

    // MARK: Members

    /// Takes how a member stands now.
    public mutating func member(
        _ name: String, is standing: VirtualRouter.Standing
    ) -> [Order] {
        guard let index = members.firstIndex(where: { $0.name == name }) else { return [] }
        let before = members[index].standing
        guard standing != before else { return [] }
        members[index].standing = standing
        guard isRunning else { return [] }
        if first(.faulty) != nil { return state == .fault ? [] : enterFault() }
        switch state {
        case .fault, .initialize:
            return first(.pending) == nil ? comeUp(by: name) : awaitAnswers()
        case .backup:
            return standing == .candidate || standing == .master ? considerMastery(of: name) : []
        case .master:
            switch standing {
            // It was left behind, and is not any more.
            case .candidate: return [.deliver(.promoted, to: name)]
            case .able where before == .master: return stepDown()
            case .able, .master, .pending, .faulty: return []
            }
        }
    }

    /// A member has told `.masterHeardLowerPriority`: the hosts may have been misled about the
    /// other members' addresses as well.
    public func memberHeardLowerPriority(_ name: String) -> [Order] {
        members.filter { $0.name != name && $0.standing == .master }.map {
            .deliver(.groupHeardLowerPriority, to: $0.name)
        }
    }

    private func first(_ standing: VirtualRouter.Standing) -> String? {
        members.first { $0.standing == standing }?.name
    }

    private func toAll(
        _ event: VirtualRouter.Event,
        where isMeant: (VirtualRouter.Standing) -> Bool = { _ in true }
    ) -> [Order] {
        members.filter { isMeant($0.standing) }.map { .deliver(event, to: $0.name) }
    }

    private mutating func enterFault() -> [Order] {
        state = .fault
        return [.log(.synchronizing(group: name, to: .fault))] + toAll(.faultRaised(.group))
            + [.transition(.fault)]
    }

    /// The last fault is gone, but an answer is still out.
    private mutating func awaitAnswers() -> [Order] {
        guard state == .fault else { return [] }
        state = .initialize
        return toAll(.faultRaised(.awaitingGroup)) + toAll(.faultCleared(.group))
    }

    /// Nothing is in the way any more; the member that was it goes first.
    private mutating func comeUp(by member: String) -> [Order] {
        let others = members.map(\.name).filter { $0 != member }
        func cleared(_ name: String) -> [Order] {
            [
                .deliver(.faultCleared(.group), to: name),
                .deliver(.faultCleared(.awaitingGroup), to: name),
            ]
        }
        state = .backup
        return cleared(member) + [.log(.synchronizing(group: name, to: .backup))]
            + others.flatMap(cleared) + [.transition(.backup)]
    }

    private mutating func considerMastery(of member: String) -> [Order] {
        guard members.allSatisfy({ $0.standing == .candidate || $0.standing == .master }) else {
            return []
        }
        state = .master
        let others = members.map(\.name).filter { $0 != member }
        return [
            .deliver(.promoted, to: member), .log(.synchronizing(group: name, to: .master)),
        ] + others.map { .deliver(.promoted, to: $0) } + [.transition(.master)]
    }

    private mutating func stepDown() -> [Order] {
        state = .backup
        return [.log(.synchronizing(group: name, to: .backup))]
            + toAll(.demoted) { $0 == .master } + [.transition(.backup)]
    }
}

extension SyncGroup.State {
    /// What is told when a group begins in this state: of masters that a reload has made a group,
    /// nothing, as in keepalived.
    fileprivate var transition: VirtualRouter.Transition? {
        switch self {
        case .initialize, .master: nil
        case .backup: .backup
        case .fault: .fault
        }
    }
}
