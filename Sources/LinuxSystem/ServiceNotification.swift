import CLinux
import Glibc
import SystemPackage

/// The protocol in which a service tells its manager what state it is in (sd_notify(3)).
public enum ServiceNotification {
    /// Tells the manager named by the environment's NOTIFY_SOCKET; does nothing without one.
    ///
    /// - Parameter state: lines such as `READY=1`.
    /// - Throws: ``SystemError`` when there is a manager and it cannot be told.
    public static func send(_ state: String) throws(SystemError) {
        guard let path = getenv("NOTIFY_SOCKET").map({ String(cString: $0) }), !path.isEmpty else {
            return
        }
        let operation = "notify \(path) of \(state)"
        let socket = OwnedDescriptor(
            try systemCall(operation) {
                Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | CLINUX_SOCK_CLOEXEC, 0)
            })
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw SystemError(operation, .fileNameTooLong)
        }
        withUnsafeMutableBytes(of: &address.sun_path) {
            $0.copyBytes(from: path.utf8)
            // An @ stands for the NUL that begins an abstract name.
            if path.hasPrefix("@") { $0[0] = 0 }
        }
        // An abstract name is as long as the address says, without a NUL at its end.
        let length =
            MemoryLayout<sa_family_t>.size + path.utf8.count
            + (path.hasPrefix("@") ? 0 : 1)
        let number = socket.rawValue
        let message = Array(state.utf8)
        _ = try withUnsafePointer(to: &address) { pointer throws(SystemError) in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                pointer throws(SystemError) in
                try systemCall(operation) {
                    sendto(
                        number, message, message.count, CLINUX_MSG_NOSIGNAL, pointer,
                        socklen_t(length))
                }
            }
        }
    }
}
