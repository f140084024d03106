import CLinux
import Glibc
import SystemPackage

/// The receiving end of sd_notify(3): a datagram socket at a path.
public final class NotifySocket {
    /// The path, for $NOTIFY_SOCKET.
    public let path: String
    /// The descriptor to watch for reading.
    public let descriptor: SharedDescriptor

    /// Binds it, in place of whatever is at `path`.
    ///
    /// - Throws: ``SystemError``: `listen at /run/x: no space left on device`.
    public init(path: String) throws(SystemError) {
        try FileSystem.remove(path)
        let socket = OwnedDescriptor(
            try systemCall("open a unix socket") {
                Glibc.socket(
                    AF_UNIX,
                    Int32(SOCK_DGRAM.rawValue) | CLINUX_SOCK_CLOEXEC | CLINUX_SOCK_NONBLOCK, 0)
            })
        let number = socket.rawValue
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw SystemError("use \(path) as a socket's path", .fileNameTooLong)
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        try systemCall("listen at \(path)") {
            withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        }
        // Services that have changed their user notify as well.
        try systemCall("set the mode of \(path)") { chmod(path, 0o666) }
        self.path = path
        descriptor = SharedDescriptor(socket)
    }

    /// The assignments received since the last call (`READY=1`, `STATUS=...`), in order.
    ///
    /// - Throws: ``SystemError``, which is a fault of the program.
    public func receive() throws(SystemError) -> [String] {
        var assignments: [String] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        let number = descriptor.rawValue
        while let count = try systemCallUnlessBlocked(
            "receive a notification", { recv(number, &buffer, buffer.count, 0) })
        {
            let text = String(decoding: buffer.prefix(count), as: UTF8.self)
            assignments += text.split(separator: "\n").map(String.init)
        }
        return assignments
    }
}
