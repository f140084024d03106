import CLinux
import Glibc
import SystemPackage

/// The word a service says when it is ready, in the protocol of sd_notify(3): one datagram to the
/// Unix socket whose name its manager left in `$NOTIFY_SOCKET`.
public enum ReadyNotification {
    /// Sends `READY=1` to `$NOTIFY_SOCKET`, when a manager has set it.
    ///
    /// - Returns: whether there was somebody to tell.
    /// - Throws: ``SystemError`` when there was, and the datagram could not be sent.
    @discardableResult
    public static func send() throws(SystemError) -> Bool {
        try send(to: getenv("NOTIFY_SOCKET").map { String(cString: $0) })
    }

    /// Sends `READY=1` to a socket: a path, or `@` and a name of the abstract namespace; nil or
    /// empty when nobody asked to be told.
    @discardableResult
    public static func send(to name: String?) throws(SystemError) -> Bool {
        guard let name, !name.isEmpty else { return false }
        let operation = "tell the service manager at \(name) that this service is ready"
        guard let (storage, length) = address(of: name) else {
            throw SystemError(operation, .invalidArgument)
        }
        let socket = OwnedDescriptor(
            try systemCall(operation) {
                Glibc.socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CLINUX_SOCK_CLOEXEC, 0)
            })
        let number = socket.rawValue
        let message = Array("READY=1\n".utf8)
        try systemCall(operation) {
            withUnsafePointer(to: storage) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(number, message, message.count, CLINUX_MSG_NOSIGNAL, $0, length)
                }
            }
        }
        return true
    }

    /// The socket address of a name; nil where the name has another form or is too long.
    static func address(of name: String) -> (sockaddr_un, socklen_t)? {
        var bytes = Array(name.utf8)
        let isAbstract = bytes.first == UInt8(ascii: "@")
        guard bytes.count > 1, isAbstract || bytes.first == UInt8(ascii: "/") else { return nil }
        // An abstract name is marked by a leading NUL and counted; a path ends in one.
        if isAbstract { bytes[0] = 0 } else { bytes.append(0) }
        var storage = sockaddr_un()
        storage.sun_family = sa_family_t(AF_UNIX)
        let fits = withUnsafeMutableBytes(of: &storage.sun_path) { path in
            guard bytes.count <= path.count else { return false }
            path.copyBytes(from: bytes)
            return true
        }
        let start = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 0
        return fits ? (storage, socklen_t(start + bytes.count)) : nil
    }
}
