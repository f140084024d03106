import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// What no process of a node can ask of the kernel, capabilities or not: what no namespace divides,
/// and what a way out of a container has begun with before.
enum NodeFilter {
    // <linux/socket.h>, <linux/netlink.h>, <asm-generic/ioctls.h>, <linux/sched.h>
    private static let virtualMachineSockets: UInt32 = 40  // AF_VSOCK
    private static let netlink: UInt32 = 16  // AF_NETLINK
    private static let audit: UInt32 = 9  // NETLINK_AUDIT
    private static let terminalInput: UInt32 = 0x5412  // TIOCSTI
    private static let console: UInt32 = 0x541c  // TIOCLINUX
    private static let userNamespace: UInt32 = 0x1000_0000  // CLONE_NEWUSER

    private static let rules: [SystemCallFilter.Rule] = [
        // Keys belong to users, and root is the host's root.
        .init(CLINUX_SYS_ADD_KEY, answer: .notPermitted),
        .init(CLINUX_SYS_REQUEST_KEY, answer: .notPermitted),
        .init(CLINUX_SYS_KEYCTL, answer: .notPermitted),
        // These watch or program the kernel itself.
        .init(CLINUX_SYS_BPF, answer: .notPermitted),
        .init(CLINUX_SYS_PERF_EVENT_OPEN, answer: .notPermitted),
        .init(CLINUX_SYS_USERFAULTFD, answer: .notPermitted),
        .init(CLINUX_SYS_IO_URING_SETUP, answer: .notPermitted),
        // A file by its number is found in folders that the node does not see.
        .init(CLINUX_SYS_OPEN_BY_HANDLE_AT, answer: .notPermitted),
        // In a user namespace of its own a process has every capability again.
        .init(
            CLINUX_SYS_UNSHARE, [.hasAny(argument: 0, userNamespace)], answer: .notPermitted),
        .init(CLINUX_SYS_CLONE, [.hasAny(argument: 0, userNamespace)], answer: .notPermitted),
        // Its flags are in memory, where no filter looks; the C library then uses clone(2).
        .init(CLINUX_SYS_CLONE3, answer: .noFunction),
        // The sockets between a virtual machine and its host know no network namespaces.
        .init(
            CLINUX_SYS_SOCKET, [.equals(argument: 0, virtualMachineSockets)],
            answer: .addressFamilyNotSupported),
        // The audit log is the host's. This answer has PAM go on, as on a kernel without one.
        .init(
            CLINUX_SYS_SOCKET, [.equals(argument: 0, netlink), .equals(argument: 2, audit)],
            answer: .protocolNotSupported),
        // Whoever runs `labctl exec` may hand its terminal over: nothing is typed into that.
        .init(
            CLINUX_SYS_IOCTL, [.equals(argument: 1, terminalInput)], answer: .notPermitted),
        .init(CLINUX_SYS_IOCTL, [.equals(argument: 1, console)], answer: .notPermitted),
    ]

    /// Puts PID 1 and all that it will start under it.
    ///
    /// - Throws: ``SystemError``. A kernel without filters (CONFIG_SECCOMP_FILTER) is none.
    static func install() throws(SystemError) {
        do {
            try SystemCallFilter(rules).install()
        } catch  where error.code == .noFunction || error.code == .invalidArgument {
            // What capabilities decide is refused all the same.
        }
    }
}
