/// Which of the machine's users and groups there are in a user namespace, and by which numbers
/// (user_namespaces(7)).
///
/// Whoever makes one may map one number of its own; more of them are for newuidmap(1) to map, which
/// asks /etc/subuid whether they may.
public struct IDMap: Codable, Equatable, Sendable {
    /// Numbers that follow one another.
    public struct Range: Codable, Equatable, Sendable {
        /// The first of them in the namespace.
        public var inside: UInt32
        /// The first of them outside.
        public var outside: UInt32
        public var count: UInt32

        public init(inside: UInt32, outside: UInt32, count: UInt32) {
            self.inside = inside
            self.outside = outside
            self.count = count
        }
    }

    public var users: [Range]
    public var groups: [Range]

    /// So many numbers are mapped at most: every system user, and `nobody`.
    public static let maximumCount: UInt32 = 65536

    /// The caller's user and group alone, who are root inside.
    public init(user: UInt32, group: UInt32) {
        users = [Range(inside: 0, outside: user, count: 1)]
        groups = [Range(inside: 0, outside: group, count: 1)]
    }

    /// The caller's user and group as root, and behind them what it may use besides, in order.
    public init(
        user: UInt32, group: UInt32, users: [SubordinateRange], groups: [SubordinateRange]
    ) {
        self.users = Self.ranges(own: user, users)
        self.groups = Self.ranges(own: group, groups)
    }

    private static func ranges(own: UInt32, _ subordinate: [SubordinateRange]) -> [Range] {
        var ranges = [Range(inside: 0, outside: own, count: 1)]
        var next: UInt32 = 1
        for range in subordinate where next < maximumCount {
            let count = min(range.count, maximumCount - next)
            ranges.append(Range(inside: next, outside: range.first, count: count))
            next += count
        }
        return ranges
    }

    /// Whether more is mapped than the caller alone: users and groups both.
    public var hasRange: Bool { users.count > 1 && groups.count > 1 }

    /// So many numbers of users there are inside: those below it.
    public var userCount: UInt32 { users.reduce(0) { $0 + $1.count } }

    /// So many numbers of groups there are inside: those below it.
    public var groupCount: UInt32 { groups.reduce(0) { $0 + $1.count } }

    /// The number inside by which a user outside is to be shown who owns what a node gets a copy
    /// of: the same, if it is there, else root's.
    public func stand(inForUser user: UInt32) -> UInt32 { user < userCount ? user : 0 }

    /// The number inside by which a group outside is to be shown, alike.
    public func stand(inForGroup group: UInt32) -> UInt32 { group < groupCount ? group : 0 }
}

/// Numbers of users or groups that a user may map besides its own: a line of /etc/subuid or
/// /etc/subgid (subuid(5)).
public struct SubordinateRange: Equatable, Sendable {
    public var first: UInt32
    public var count: UInt32

    public init(first: UInt32, count: UInt32) {
        self.first = first
        self.count = count
    }

    /// Those of a user, in order.
    ///
    /// - Parameters:
    ///   - text: the whole file; a line that is not one of its lines is skipped, as by newuidmap.
    ///   - name: the user's name; nil for one without.
    ///   - number: its number, which may stand in place of the name.
    public static func ranges(in text: String, name: String?, number: UInt32) -> [SubordinateRange]
    {
        text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count == 3, fields[0] == name ?? "" || fields[0] == "\(number)",
                !fields[0].isEmpty, let first = UInt32(fields[1]), let count = UInt32(fields[2]),
                count > 0, !first.addingReportingOverflow(count - 1).overflow
            else { return nil }
            return SubordinateRange(first: first, count: count)
        }
    }
}
