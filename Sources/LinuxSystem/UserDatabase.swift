import CLinux
import Glibc
import SystemPackage

/// Users and groups, from /etc/passwd and /etc/group.
///
/// Read by hand: getpwnam(3) loads name services as shared libraries, which neither PID 1 of a node
/// nor a statically linked program can have.
public struct UserDatabase: Sendable {
    /// A line of /etc/passwd.
    public struct User: Equatable, Sendable {
        public var name: String
        public var userID: UInt32
        public var groupID: UInt32
        public var home: String

        public init(name: String, userID: UInt32, groupID: UInt32, home: String) {
            self.name = name
            self.userID = userID
            self.groupID = groupID
            self.home = home
        }
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
    public init(passwd: String, group: String) {
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
    public func user(_ nameOrNumber: String) -> User? {
        if let user = user(named: nameOrNumber) { return user }
        guard let number = UInt32(nameOrNumber) else { return nil }
        return users.first { $0.userID == number }
            ?? User(name: nameOrNumber, userID: number, groupID: number, home: "/")
    }

    /// The user called that.
    public func user(named name: String) -> User? { users.first { $0.name == name } }

    /// The number of the group called that, or that number itself.
    public func groupID(_ nameOrNumber: String) -> UInt32? {
        groupID(named: nameOrNumber) ?? UInt32(nameOrNumber)
    }

    /// The number of the group called that.
    public func groupID(named name: String) -> UInt32? {
        groups.first { $0.name == name }?.groupID
    }

    /// The groups a user is in: its own, then those that list it.
    public func groupIDs(of user: User) -> [UInt32] {
        let others = groups.filter { $0.members.contains(user.name[...]) }.map(\.groupID)
        return [user.groupID] + others.filter { $0 != user.groupID }
    }

    /// The entries of the machine's (or node's) own files; a file that is missing has none.
    ///
    /// - Throws: ``SystemError`` for a file that is there and cannot be read.
    public static func ofMachine() throws(SystemError) -> UserDatabase {
        func text(_ path: String) throws(SystemError) -> String {
            do {
                return try FileSystem.readText(path)
            } catch  where error.code == .noSuchFileOrDirectory { return "" }
        }
        return UserDatabase(passwd: try text("/etc/passwd"), group: try text("/etc/group"))
    }

    /// The name of the user with that number.
    public func userName(_ number: UInt32) -> String? {
        users.first { $0.userID == number }?.name
    }
}

extension UserDatabase {
    /// Whom the process runs as (geteuid(2)).
    public static var ownUserID: UInt32 { geteuid() }
    /// The process's group (getegid(2)).
    public static var ownGroupID: UInt32 { getegid() }
}
