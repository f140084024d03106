import CLinux
import Glibc
import SystemPackage

/// Stream sockets with a path (unix(7)).
public enum UnixSocket {
    /// Listens at a path, which only the owner may connect to; a stale socket there is replaced.
    ///
    /// - Throws: ``SystemError``: `listen at /run/x.sock: no space left on device`.
    public static func listen(at path: String) throws(SystemError) -> SharedDescriptor {
        try FileSystem.remove(path)
        let socket = try open()
        let number = socket.rawValue
        // The mode is set before anyone can connect: the umask covers the moment between bind and
        // listen.
        let before = clinux_umask(0o177)
        defer { _ = clinux_umask(before) }
        try withAddress(path) { address, length throws(SystemError) in
            try systemCall("listen at \(path)") { bind(number, address, length) }
        }
        try systemCall("listen at \(path)") { Glibc.listen(number, 64) }
        try systemCall("make a socket non-blocking") {
            clinux_fcntl(number, F_SETFL, O_NONBLOCK)
        }
        return SharedDescriptor(socket)
    }

    /// Connects to a path.
    ///
    /// - Throws: ``SystemError``; ECONNREFUSED when nobody listens any more.
    public static func connect(to path: String) throws(SystemError) -> OwnedDescriptor {
        let socket = try open()
        let number = socket.rawValue
        try withAddress(path) { address, length throws(SystemError) in
            try systemCall("connect to \(path)") { Glibc.connect(number, address, length) }
        }
        return socket
    }

    /// Takes the next connection of a listening socket; nil when there is none.
    public static func accept(_ listener: SharedDescriptor) throws(SystemError) -> OwnedDescriptor?
    {
        let number = listener.rawValue
        let connection = try systemCallUnlessBlocked("accept a connection") {
            accept4(number, nil, nil, CLINUX_SOCK_CLOEXEC | CLINUX_SOCK_NONBLOCK)
        }
        return connection.map { OwnedDescriptor($0) }
    }

    /// The process at the other end, as the caller's PID namespace numbers it, when it connected or
    /// listened.
    public static func peerProcess(of socket: CInt) throws(SystemError) -> Int32 {
        try peer(of: socket).pid
    }

    /// The user at the other end, when it connected or listened.
    public static func peerUser(of socket: CInt) throws(SystemError) -> UInt32 {
        try peer(of: socket).uid
    }

    /// Whether the process at the other end is the caller's user's or root's.
    public static func isOwn(_ socket: CInt) throws(SystemError) -> Bool {
        [geteuid(), 0].contains(try peerUser(of: socket))
    }

    private static func peer(of socket: CInt) throws(SystemError) -> clinux_ucred {
        var credentials = clinux_ucred()
        var length = socklen_t(MemoryLayout<clinux_ucred>.size)
        try systemCall("read a socket's peer") {
            getsockopt(socket, SOL_SOCKET, CLINUX_SO_PEERCRED, &credentials, &length)
        }
        return credentials
    }

    private static func open() throws(SystemError) -> OwnedDescriptor {
        OwnedDescriptor(
            try systemCall("open a unix socket") {
                socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | CLINUX_SOCK_CLOEXEC, 0)
            })
    }

    private static func withAddress(
        _ path: String,
        _ body: (UnsafePointer<sockaddr>, socklen_t) throws(SystemError) -> Void
    ) throws(SystemError) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard path.utf8.count < room else {
            throw SystemError("use \(path) as a socket's path", .fileNameTooLong)
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        try withUnsafePointer(to: &address) { pointer throws(SystemError) in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                pointer throws(SystemError) in
                try body(pointer, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
