import CLinux
import Glibc
import SystemPackage

/// The system's log: datagrams to /dev/log, in the format that syslog(3) uses.
///
/// By hand, because syslog(3) waits when the daemon at the other end does not read. Here a message
/// for which there is no room is dropped, and the next one says how many were.
public final class Syslog {
    /// Who is speaking, for the rules of the daemon that files the messages.
    public enum Facility: Equatable, Sendable {
        case user
        case daemon
        /// `local0` to `local7`.
        case local(UInt8)

        /// keepalived's spelling: `0` to `7`, `local0` to `local7`, `user`, `daemon`.
        public init?(_ text: String) {
            switch text {
            case "user": self = .user
            case "daemon": self = .daemon
            default:
                let digits = text.hasPrefix("local") ? text.dropFirst(5) : text[...]
                guard digits.count == 1, let number = UInt8(digits), number < 8 else { return nil }
                self = .local(number)
            }
        }

        /// The facility's number (RFC 3164 §4.1.1).
        var number: UInt8 {
            switch self {
            case .user: 1
            case .daemon: 3
            case .local(let number): 16 + number
            }
        }
    }

    private let path: String
    private let facility: Facility
    private var identity: String
    private var socket: SharedDescriptor?
    private var droppedMessages = 0

    /// A log that is opened with the first message.
    ///
    /// - Parameter identity: the name before each message; the process's number follows it.
    public init(identity: String, facility: Facility = .daemon, path: String = "/dev/log") {
        self.identity = identity
        self.facility = facility
        self.path = path
    }

    /// Gives messages another name from now on.
    public func rename(_ identity: String) { self.identity = identity }

    /// Logs a message of level info.
    ///
    /// - Parameter time: the local time as ctime(3) writes it.
    public func write(_ text: String, time: String) {
        if droppedMessages > 0 {
            guard send("(\(droppedMessages) messages were dropped, nobody read them)", time) else {
                droppedMessages += 1
                return
            }
            droppedMessages = 0
        }
        if !send(text, time) { droppedMessages += 1 }
    }

    /// `<30>Nov 21 12:56:56 vrrp-agent[123]: message`.
    static func message(
        _ text: String, time: String, facility: Facility, identity: String, pid: Int32
    ) -> String {
        let info: UInt8 = 6
        return "<\(facility.number * 8 + info)>\(time.dropFirst(4).prefix(15)) "
            + "\(identity)[\(pid)]: \(text)"
    }

    private func send(_ text: String, _ time: String) -> Bool {
        let message = Array(
            Self.message(
                text, time: time, facility: facility, identity: identity, pid: getpid()
            ).utf8)
        if let socket, transmit(message, by: socket) { return true }
        // The daemon may have been started again since.
        guard let fresh = connect() else { return false }
        socket = fresh
        return transmit(message, by: fresh)
    }

    private func transmit(_ message: [UInt8], by socket: SharedDescriptor) -> Bool {
        Glibc.send(
            socket.rawValue, message, message.count, CLINUX_MSG_NOSIGNAL | CLINUX_MSG_DONTWAIT) >= 0
    }

    private func connect() -> SharedDescriptor? {
        let number = Glibc.socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CLINUX_SOCK_CLOEXEC, 0)
        guard number >= 0 else { return nil }
        let socket = SharedDescriptor(OwnedDescriptor(number))
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        guard path.utf8.count < capacity else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(socket.rawValue, $0, length)
            }
        }
        return result == 0 ? socket : nil
    }
}
