import CLinux
import Glibc
import LinuxSystem
import Testing

/// How much it takes until the kernel has more to tell a process than its sockets hold (netlink(7):
/// ENOBUFS). In the short form the sockets are made small, from outside; in the long form they are
/// what they are.
enum NetlinkOverrun {
    static let isLong = getenv("LABCTL_TEST_FULL") != nil
    /// Holds some tens of notifications.
    private static let smallBufferBytes: CInt = 16 << 10
    // Of asm-generic/socket.h; Swift's Glibc has neither.
    private static let socketProtocol: CInt = 38
    private static let socketDomain: CInt = 39

    /// Makes the buffers of a process's rtnetlink sockets small, unless the long form is asked for:
    /// of copies of its descriptors (pidfd_getfd(2)), which are of the same sockets.
    static func prepare(_ pid: Int32) throws {
        if isLong { return }
        let process = OwnedDescriptor(
            try systemCall("open a pidfd of process \(pid)") { clinux_pidfd_open(pid) })
        var count = 0
        for name in try FileSystem.list("/proc/\(pid)/fd") {
            guard let number = CInt(name) else { continue }
            let copy = clinux_pidfd_getfd(process.rawValue, number)
            guard copy >= 0 else { continue }
            let socket = OwnedDescriptor(copy)
            guard option(socketDomain, of: socket.rawValue) == AF_NETLINK,
                option(socketProtocol, of: socket.rawValue) == CInt(NETLINK_ROUTE)
            else { continue }
            var bytes = smallBufferBytes
            try systemCall("make a socket's buffer small") {
                setsockopt(socket.rawValue, SOL_SOCKET, SO_RCVBUF, &bytes, 4)
            }
            count += 1
        }
        try #require(count > 0, "process \(pid) has rtnetlink sockets")
    }

    private static func option(_ name: CInt, of socket: CInt) -> CInt? {
        var value: CInt = -1
        var length = socklen_t(MemoryLayout<CInt>.size)
        return getsockopt(socket, SOL_SOCKET, name, &value, &length) == 0 ? value : nil
    }
}
