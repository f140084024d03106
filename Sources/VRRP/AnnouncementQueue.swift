public import NetworkTypes

/// When to send which gratuitous ARP or unsolicited neighbour advertisement: the pacing of
/// keepalived's `vrrp_garp_interval`, `vrrp_gna_interval` and `garp_group`, as a value.
///
/// Without an interval everything is due at once. With one, the announcements of all routers on the
/// interfaces of a group wait for each other, one every interval. What waits already is not queued
/// again, so that there are never more entries than addresses; as in keepalived, a paced burst is
/// therefore one announcement of each address (and a second of the first, which did not wait),
/// however many rounds were asked for.
public struct AnnouncementQueue: Equatable, Sendable {
    /// One address, announced on one interface for one virtual router.
    public struct Announcement: Hashable, Sendable {
        /// The instance's name.
        public var owner: String
        /// Where it is sent.
        public var interface: InterfaceName
        /// What is announced.
        public var address: IPAddress

        public init(owner: String, interface: InterfaceName, address: IPAddress) {
            self.owner = owner
            self.interface = interface
            self.address = address
        }
    }

    /// The least time between two announcements.
    public struct Intervals: Hashable, Sendable {
        /// Between gratuitous ARPs: `garp_interval`.
        public var gratuitousARP: Duration
        /// Between neighbour advertisements: `gna_interval`.
        public var neighbourAdvertisement: Duration

        public init(gratuitousARP: Duration = .zero, neighbourAdvertisement: Duration = .zero) {
            self.gratuitousARP = gratuitousARP
            self.neighbourAdvertisement = neighbourAdvertisement
        }
    }

    /// Interfaces that share one pace: `garp_group`.
    public struct Group: Hashable, Sendable {
        public var interfaces: Set<InterfaceName>
        public var intervals: Intervals

        public init(interfaces: Set<InterfaceName>, intervals: Intervals) {
            self.interfaces = interfaces
            self.intervals = intervals
        }
    }

    /// What shares a pace: a group's announcements of one family, or those of an interface in no
    /// group.
    private struct Lane: Hashable {
        enum Members: Hashable { case group(Int), interface(InterfaceName) }
        var members: Members
        var family: IPAddress.Family
    }

    private struct Waiting: Equatable {
        var lane: Lane
        /// What is to be sent, in order, and the same for looking up.
        var announcements: [Announcement] = []
        var known: Set<Announcement> = []
        /// When the lane is free again.
        var next: MonotonicInstant
    }

    private let intervals: Intervals
    private let groups: [Group]
    /// Whether anything may have to wait; if not, a burst is all its rounds at once.
    public let isPaced: Bool
    /// In the order in which they were first used, two for each interface at most.
    private var lanes: [Waiting] = []

    /// An empty queue.
    ///
    /// - Parameters:
    ///   - intervals: of interfaces in no group.
    ///   - groups: the first that names an interface is the one it belongs to.
    public init(intervals: Intervals = Intervals(), groups: [Group] = []) {
        self.intervals = intervals
        self.groups = groups
        isPaced = ([intervals] + groups.map(\.intervals)).contains { $0 != Intervals() }
    }

    /// When `due(at:)` has something; nil while nothing waits.
    public var deadline: MonotonicInstant? {
        lanes.lazy.filter { !$0.announcements.isEmpty }.map(\.next).min()
    }

    /// Announcements that wait.
    public var count: Int { lanes.reduce(0) { $0 + $1.announcements.count } }

    /// Takes a burst: every announcement, and all of that `rounds` times.
    ///
    /// - Parameter pacedBy: the interface whose pace counts, for an announcement on a VMAC the one
    ///   under it; nil for the announcement's own.
    /// - Returns: what is to be sent now, in order.
    public mutating func add(
        _ announcements: [Announcement], rounds: Int, pacedBy base: InterfaceName? = nil,
        at now: MonotonicInstant
    ) -> [Announcement] {
        var due: [Announcement] = []
        due.reserveCapacity(announcements.count * max(0, rounds))
        for _ in 0..<max(0, rounds) {
            guard isPaced else {
                due += announcements
                continue
            }
            for announcement in announcements {
                let lane = lane(of: announcement, base)
                if interval(of: lane) == .zero || takeTurn(of: announcement, in: lane, now) {
                    due.append(announcement)
                }
            }
        }
        return due
    }

    /// What is to be sent at that time: of every lane that is free, the first, which then waits for
    /// its interval.
    public mutating func due(at now: MonotonicInstant) -> [Announcement] {
        var due: [Announcement] = []
        for index in lanes.indices where lanes[index].next <= now {
            guard !lanes[index].announcements.isEmpty else { continue }
            let first = lanes[index].announcements.removeFirst()
            lanes[index].known.remove(first)
            due.append(first)
            // From now and not from when it was due: the interval is a least one.
            lanes[index].next = now + interval(of: lanes[index].lane)
        }
        return due
    }

    /// Forgets what waits for a router that is not master any more: announced then, it would lead
    /// everybody to where nobody answers.
    public mutating func cancel(owner: String) {
        for index in lanes.indices {
            lanes[index].announcements.removeAll { $0.owner == owner }
            lanes[index].known = Set(lanes[index].announcements)
        }
    }

    /// Whether it is that announcement's turn now; if not, it waits for it.
    private mutating func takeTurn(
        of announcement: Announcement, in lane: Lane, _ now: MonotonicInstant
    ) -> Bool {
        let index = lanes.firstIndex { $0.lane == lane } ?? lanes.endIndex
        if index == lanes.endIndex { lanes.append(Waiting(lane: lane, next: now)) }
        if lanes[index].announcements.isEmpty, lanes[index].next <= now {
            lanes[index].next = now + interval(of: lane)
            return true
        }
        if lanes[index].known.insert(announcement).inserted {
            lanes[index].announcements.append(announcement)
        }
        return false
    }

    private func lane(of announcement: Announcement, _ base: InterfaceName?) -> Lane {
        let name = base ?? announcement.interface
        let group = groups.firstIndex { $0.interfaces.contains(name) }
        return Lane(
            members: group.map { .group($0) } ?? .interface(name),
            family: announcement.address.family)
    }

    private func interval(of lane: Lane) -> Duration {
        let intervals =
            switch lane.members {
            case .group(let index): groups[index].intervals
            case .interface: intervals
            }
        return switch lane.family {
        case .v4: intervals.gratuitousARP
        case .v6: intervals.neighbourAdvertisement
        }
    }
}
