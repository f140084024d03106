import CLinux

/// Kinds of namespace that a program can be started in anew (namespaces(7)).
public struct Namespaces: OptionSet, Sendable {
    public let rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// Users, groups and capabilities; the other new ones belong to it.
    public static let users = Namespaces(rawValue: CLINUX_CLONE_NEWUSER)
    public static let network = Namespaces(rawValue: CLINUX_CLONE_NEWNET)
    /// The program becomes PID 1 of it: when it dies, the kernel kills every process inside.
    public static let pid = Namespaces(rawValue: CLINUX_CLONE_NEWPID)
    public static let mount = Namespaces(rawValue: CLINUX_CLONE_NEWNS)
    /// Hostname.
    public static let uts = Namespaces(rawValue: CLINUX_CLONE_NEWUTS)
    public static let ipc = Namespaces(rawValue: CLINUX_CLONE_NEWIPC)
    public static let cgroup = Namespaces(rawValue: CLINUX_CLONE_NEWCGROUP)
}
