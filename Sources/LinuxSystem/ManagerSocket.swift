import CLinux
import Glibc
import SystemPackage

/// The way to a service manager that wants to be told more than that a service is ready:
/// sd_notify(3), with a socket that stays open and never waits.
public final class ManagerSocket {
    private let name: String
    private let socket: OwnedDescriptor
    private let address: (storage: sockaddr_un, length: socklen_t)

    /// The socket in `$NOTIFY_SOCKET`; nil when nobody asked to be told.
    ///
    /// - Throws: ``SystemError`` when there is no such name, or no descriptor left.
    public static func ofThisProcess() throws(SystemError) -> ManagerSocket? {
        guard let name = getenv("NOTIFY_SOCKET").map({ String(cString: $0) }), !name.isEmpty else {
            return nil
        }
        return try ManagerSocket(name)
    }

    /// - Parameter name: a path, or `@` and a name of the abstract namespace.
    public init(_ name: String) throws(SystemError) {
        guard let (storage, length) = ReadyNotification.address(of: name) else {
            throw SystemError("use \(name) as a service manager's socket", .invalidArgument)
        }
        self.name = name
        address = (storage, length)
        socket = OwnedDescriptor(
            try systemCall("open a unix socket") {
                Glibc.socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CLINUX_SOCK_CLOEXEC, 0)
            })
    }

    /// Sends a message: assignments, a line each (`STATUS=...`).
    ///
    /// - Returns: false when there is no room for it now; it was not sent then.
    public func send(_ message: String) throws(SystemError) -> Bool {
        let bytes = Array(message.utf8)
        let number = socket.rawValue
        return try systemCallUnlessBlocked("tell the service manager at \(name)") {
            withUnsafePointer(to: address.storage) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    sendto(
                        number, bytes, bytes.count, CLINUX_MSG_NOSIGNAL | CLINUX_MSG_DONTWAIT, $0,
                        address.length)
                }
            }
        } != nil
    }
}
