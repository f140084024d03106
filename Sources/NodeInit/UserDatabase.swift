/// The users and groups of a node, from its /etc/passwd and /etc/group.
///
/// Read by hand: getpwnam(3) would load the host's name services into PID 1.
struct UserDatabase {
    /// A line of /etc/passwd.
    struct User: Equatable {
        var name: String
        var userID: UInt32
        var groupID: UInt32
        var home: String
    }

    private struct Group {
        var name: String
        var groupID: UInt32
        var members: [Substring]
    }

    private var users: [User] = []
    private var groups: [Group] = []

    /// - Parameters:
    ///   - passwd: the text of /etc/passwd; a line that is not one of its lines is skipped.
    ///   - group: the text of /etc/group, alike.
    init(passwd: String, group: String) {
        for line in passwd.split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count >= 6, let user = UInt32(fields[2]), let group = UInt32(fields[3])
            else { continue }
            users.append(
                User(
                    name: String(fields[0]), userID: user, groupID: group, home: String(fields[5])))
        }
        for line in group.split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count >= 3, let number = UInt32(fields[2]) else { continue }
            let members = fields.count > 3 ? fields[3].split(separator: ",") : []
            groups.append(Group(name: String(fields[0]), groupID: number, members: members))
        }
    }

    /// The user called that, or with that number. A number need not be in /etc/passwd: it is then a
    /// user without a home, in the group of the same number.
    func user(_ nameOrNumber: String) -> User? {
        if let user = users.first(where: { $0.name == nameOrNumber }) { return user }
        guard let number = UInt32(nameOrNumber) else { return nil }
        return users.first { $0.userID == number }
            ?? User(name: nameOrNumber, userID: number, groupID: number, home: "/")
    }

    /// The number of the group called that, or that number itself.
    func groupID(_ nameOrNumber: String) -> UInt32? {
        groups.first { $0.name == nameOrNumber }?.groupID ?? UInt32(nameOrNumber)
    }

    /// The groups a user is in: its own, then those that list it.
    func groupIDs(of user: User) -> [UInt32] {
        let others = groups.filter { $0.members.contains(user.name[...]) }.map(\.groupID)
        return [user.groupID] + others.filter { $0 != user.groupID }
    }
}
