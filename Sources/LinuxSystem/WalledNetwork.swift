import CLinux
import Glibc
import SystemPackage

/// A new network namespace that belongs to a new user namespace, in which everybody is who they are
/// outside: who is root in there administers that network, and no other.
///
/// The kernel asks whoever administers a network for CAP_NET_ADMIN in the user namespace that the
/// network belongs to, also where it is reached through a device whose other end is in there
/// (IFLA_TARGET_NETNSID; rtnl_get_net_ns_capable, net/core/rtnetlink.c). The maker's namespace is
/// the parent: who is root there may do everything in both.
public struct WalledNetwork {
    public let users: SharedDescriptor
    public let network: SharedDescriptor

    /// Makes both; both go with their last descriptor or process.
    ///
    /// - Throws: ``SystemError``: ENOSPC where there are too many user namespaces
    ///   (user.max_user_namespaces), EINVAL from a kernel without them, EPERM in a sandbox.
    public static func make() throws(SystemError) -> WalledNetwork {
        try hold([.users, .network]) { folder throws(SystemError) in
            // Maps are written from outside, before anybody has use for them.
            try FileSystem.writeParameter(users, to: "\(folder)/uid_map")
            try FileSystem.writeParameter(groups, to: "\(folder)/gid_map")
            return WalledNetwork(
                users: SharedDescriptor(try FileSystem.openForReading("\(folder)/ns/user")),
                network: SharedDescriptor(try FileSystem.openForReading("\(folder)/ns/net")))
        }
    }

    /// Makes a user namespace, and lets it go: whether there can be one is only known when it is
    /// tried.
    ///
    /// - Throws: ``SystemError`` as ``make()`` does.
    public static func attempt() throws(SystemError) {
        try hold([.users]) { folder throws(SystemError) in
            try FileSystem.writeParameter(users, to: "\(folder)/uid_map")
        }
    }

    /// Does something with a process in new namespaces, which ends after that.
    ///
    /// - Parameter body: gets the process's folder in /proc.
    private static func hold<Result>(
        _ namespaces: Namespaces, _ body: (String) throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        var holder = clinux_holder()
        try systemCall("make a user namespace") { clinux_hold(&holder, namespaces.rawValue) }
        defer { clinux_release(&holder) }
        // Its number where /proc was mounted, which may be another PID namespace.
        guard let number = try processNumber(holder.pidfd) else {
            throw SystemError("find a process in /proc", .noSuchProcess)
        }
        return try body("/proc/\(number)")
    }

    private static func processNumber(_ descriptor: CInt) throws(SystemError) -> Int32? {
        let text = try FileSystem.readText("/proc/self/fdinfo/\(descriptor)")
        let line = text.split(separator: "\n").first { $0.hasPrefix("Pid:") }
        return line.flatMap { Int32($0.dropFirst(4).filter(\.isNumber)) }
    }

    private static let users = identity("uid_map")
    private static let groups = identity("gid_map")

    /// Everybody whom the calling process's own namespace knows, each under the same number.
    private static func identity(_ map: String) -> String {
        let own = (try? FileSystem.readText("/proc/self/\(map)")) ?? ""
        return identity(of: own)
    }

    /// A map of all that a map has inside, to the same numbers (user_namespaces(7)).
    static func identity(of map: String) -> String {
        map.split(separator: "\n").map { line in
            let fields = line.split(whereSeparator: \.isWhitespace)
            return fields.count == 3 ? "\(fields[0]) \(fields[0]) \(fields[2])\n" : ""
        }.joined()
    }
}
