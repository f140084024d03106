import Glibc
import LinuxSystem
import SystemPackage

/// As whom labs are built: by root, or by anybody else as root of a user namespace.
enum Privileges: Equatable {
    case root
    /// With the users and groups that nodes have.
    case user(IDMap)

    /// Those of the calling process.
    ///
    /// - Throws: ``SystemError`` for a file about users that is there and cannot be read.
    static func ofProcess() throws(SystemError) -> Privileges {
        geteuid() == 0 ? .root : .user(try SubordinateIDs.ofProcess().map)
    }

    /// The same, refused in an error of its own kind.
    static func ofCaller() throws(LabError) -> Privileges {
        do {
            return try ofProcess()
        } catch {
            throw LabError(refusal: error)
        }
    }

    /// The users and groups of a lab's nodes; nil for root, whose nodes have all of the machine's.
    var map: IDMap? {
        switch self {
        case .root: nil
        case .user(let map): map
        }
    }

    /// What a refusal to make a user namespace comes to, with what would lift it.
    static func refusal(_ error: SystemError) -> LabError {
        let settings = UserNamespaceSettings.ofMachine
        return .machine(
            "building a lab as an ordinary user needs a user namespace: \(error); "
                + "\(settings.remedy ?? "or run labctl with sudo")")
    }
}

/// What an ordinary user may map in a user namespace besides its own number: what is decided from
/// subuid(5), subgid(5), and whether the programs are there that do it.
struct SubordinateIDs {
    var map: IDMap
    /// Why it is no more than the user's own number, and what would change that; nil when there is
    /// a range.
    var lack: String?

    /// - Parameters:
    ///   - name: the user's; nil for one that /etc/passwd does not know.
    ///   - users: the text of /etc/subuid.
    ///   - groups: the text of /etc/subgid.
    init(
        user: UInt32, group: UInt32, name: String?, users: String, groups: String,
        hasPrograms: Bool
    ) {
        map = IDMap(user: user, group: group)
        guard hasPrograms else {
            lack = "newuidmap and newgidmap are not installed: apt-get install uidmap"
            return
        }
        // They look the caller up, and end where they do not find it.
        guard let name else {
            lack = "user \(user) has no name in /etc/passwd, which newuidmap asks for"
            return
        }
        let full = IDMap(
            user: user, group: group,
            users: SubordinateRange.ranges(in: users, name: name, number: user),
            groups: SubordinateRange.ranges(in: groups, name: name, number: user))
        if full.hasRange {
            map = full
        } else {
            lack =
                "/etc/subuid and /etc/subgid have no range for \(name): as root, usermod "
                + "--add-subuids 100000-165535 --add-subgids 100000-165535 \(name) "
                + "(a range that nobody else has)"
        }
    }

    /// Those of the calling process.
    ///
    /// - Throws: ``SystemError`` for a file that is there and cannot be read.
    static func ofProcess() throws(SystemError) -> SubordinateIDs {
        func text(_ path: String) throws(SystemError) -> String {
            do {
                return try FileSystem.readText(path)
            } catch  where error.code == .noSuchFileOrDirectory { return "" }
        }
        let (user, group) = (geteuid(), getegid())
        return SubordinateIDs(
            user: user, group: group, name: try UserDatabase.ofMachine().userName(user),
            users: try text("/etc/subuid"), groups: try text("/etc/subgid"),
            hasPrograms: IDMap.programs != nil)
    }
}

/// The machine's settings that keep ordinary users from having user namespaces; nil for one that
/// this kernel does not have.
struct UserNamespaceSettings {
    /// How many a user may have (user.max_user_namespaces, namespaces(7)).
    var maximum: Int?
    /// kernel.unprivileged_userns_clone of Debian's and Arch's kernels.
    var isAllowed: Int?
    /// kernel.apparmor_restrict_unprivileged_userns of Ubuntu's, from 23.10 on.
    var isRestrictedByAppArmor: Int?

    /// Those of this machine.
    static var ofMachine: UserNamespaceSettings {
        func value(_ name: String) -> Int? {
            let text = try? FileSystem.readText("/proc/sys/\(name)")
            return text.flatMap { Int($0.filter { $0.isNumber }) }
        }
        return UserNamespaceSettings(
            maximum: value("user/max_user_namespaces"),
            isAllowed: value("kernel/unprivileged_userns_clone"),
            isRestrictedByAppArmor: value("kernel/apparmor_restrict_unprivileged_userns"))
    }

    /// What an administrator would change so that an ordinary user may build labs; nil when none
    /// of the settings is in the way.
    var remedy: String? {
        if isAllowed == 0 { return "as root, sysctl kernel.unprivileged_userns_clone=1" }
        if maximum == 0 { return "as root, sysctl user.max_user_namespaces=10000" }
        if let isRestrictedByAppArmor, isRestrictedByAppArmor != 0 {
            return "AppArmor gives user namespaces no capabilities: give labctl a profile with "
                + "`userns,` (README, \"Without root\"), or, as root, "
                + "sysctl kernel.apparmor_restrict_unprivileged_userns=0"
        }
        return nil
    }
}
