import CLinux
import Glibc
import LinuxSystem

/// The user namespace that everything in the node belongs to, but this process, which builds it.
///
/// The node's network belongs to it, too (``WalledNetwork``): root in there administers the node's
/// network, and neither the lab's switches nor anybody else's.
enum NodeUsers {
    /// The descriptor of it that the supervisor hands over with the connection, if it made one.
    private static let descriptor: CInt = 4

    /// What programs of the node are started with; nil where the supervisor has made none.
    ///
    /// Read before this process opens anything of its own.
    static let current: Program.Users? = {
        guard getpid() == 1, fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0 else { return nil }
        return Program.Users(namespace: descriptor, capabilities: .ofNode)
    }()

    /// Makes this process one that the node's root cannot look into while a program is started,
    /// which shares its memory until it runs, and lets the node have what the kernel grants by
    /// limits to those whose capabilities it does not ask about: real-time processes and locked
    /// memory (sched(7), mlock(2)). Where this process may not raise limits, they are as they were.
    static func prepare() {
        guard current != nil else { return }
        clinux_conceal_memory()
        clinux_raise_limits()
    }
}
