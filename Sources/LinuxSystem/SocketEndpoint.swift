import CLinux
import Glibc
public import NetworkTypes
public import SystemPackage

/// An address and a port as the socket calls take them.
public struct SocketEndpoint {
    private var storage = sockaddr_storage()
    private let length: socklen_t

    public init(_ address: IPAddress, port: UInt16) {
        switch address {
        case .v4(let v4):
            var native = sockaddr_in()
            native.sin_family = sa_family_t(AF_INET)
            native.sin_port = port.bigEndian
            native.sin_addr.s_addr = v4.rawValue.bigEndian
            length = socklen_t(MemoryLayout<sockaddr_in>.size)
            withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: native, as: sockaddr_in.self) }
        case .v6(let v6):
            var native = sockaddr_in6()
            native.sin6_family = sa_family_t(AF_INET6)
            native.sin6_port = port.bigEndian
            withUnsafeMutableBytes(of: &native.sin6_addr) { $0.copyBytes(from: v6.octets) }
            length = socklen_t(MemoryLayout<sockaddr_in6>.size)
            withUnsafeMutableBytes(of: &storage) {
                $0.storeBytes(of: native, as: sockaddr_in6.self)
            }
        }
    }

    /// Sends a datagram to it. Like sendto(2).
    ///
    /// - Returns: how many bytes were sent; -1 with `errno` set when it was refused.
    public func send(_ bytes: [UInt8], on socket: CInt) -> Int {
        withUnsafePointer(to: storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(socket, bytes, bytes.count, CLINUX_MSG_NOSIGNAL, $0, length)
            }
        }
    }

    /// Gives a socket this address as its own. Like bind(2).
    ///
    /// - Returns: nil when it has it, else the reason why not.
    public func bind(_ socket: CInt) -> Errno? {
        let result = withUnsafePointer(to: storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(socket, $0, length)
            }
        }
        return result == 0 ? nil : Errno(rawValue: errno)
    }

    /// Begins to connect a socket to it. Like connect(2).
    ///
    /// - Returns: nil when it is connected, else the reason why not (yet): EINPROGRESS on a
    ///   non-blocking socket.
    public func connect(_ socket: CInt) -> Errno? {
        let result = withUnsafePointer(to: storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(socket, $0, length)
            }
        }
        return result == 0 ? nil : Errno(rawValue: errno)
    }
}
