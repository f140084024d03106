import CLinux
import Glibc
public import NetworkTypes
public import SystemPackage

extension TCPSocket {
    /// Listens on a port at one address of the machine; at the unspecified one, on all of that
    /// family. Port 0 is any that is free.
    ///
    /// - Throws: ``SystemError``: `listen on 127.0.0.1, port 8080: address already in use`.
    public static func listen(
        on address: IPAddress, port: UInt16
    ) throws(SystemError) -> SharedDescriptor {
        let operation = "listen on \(address), port \(port)"
        let socket = try open(address.family == .v4 ? AF_INET : AF_INET6)
        let number = socket.rawValue
        if address.family == .v6 {
            // Port 80 of IPv4 may be somebody else's.
            var on: CInt = 1
            setsockopt(number, CInt(IPPROTO_IPV6), IPV6_V6ONLY, &on, 4)
        }
        try listen(number, SocketEndpoint(address, port: port), operation)
        return socket
    }

    /// The port that a socket has: of one that listens on any that is free, which that is.
    public static func port(of socket: SharedDescriptor) throws(SystemError) -> UInt16 {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let number = socket.rawValue
        try systemCall("look up a socket's own address") {
            withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    getsockname(number, $0, &length)
                }
            }
        }
        // sin_port and sin6_port have the same place.
        return withUnsafeBytes(of: &address) {
            UInt16(bigEndian: $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        }
    }

    /// Begins to connect to a server, without waiting.
    ///
    /// - Returns: a non-blocking socket, which becomes writable when that is decided; see
    ///   ``failure(of:)``.
    /// - Throws: ``SystemError`` where it is refused at once (ENETUNREACH).
    public static func begin(
        to address: IPAddress, port: UInt16
    ) throws(SystemError) -> SharedDescriptor {
        let socket = try open(address.family == .v4 ? AF_INET : AF_INET6)
        if let refusal = SocketEndpoint(address, port: port).connect(socket.rawValue),
            refusal.rawValue != EINPROGRESS
        {
            throw SystemError("connect to \(address), port \(port)", refusal)
        }
        return socket
    }

    /// What has gone wrong with a socket since this was last asked (SO_ERROR); nil for nothing.
    public static func failure(of socket: SharedDescriptor) -> Errno? {
        var code: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        guard getsockopt(socket.rawValue, SOL_SOCKET, SO_ERROR, &code, &length) == 0 else {
            return Errno(rawValue: errno)
        }
        return code == 0 ? nil : Errno(rawValue: code)
    }

    /// Closes a connection so that the other end is told at once that it is over (RST), and nothing
    /// of it lingers.
    public static func reset(_ socket: SharedDescriptor) {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(
            socket.rawValue, SOL_SOCKET, SO_LINGER, &linger,
            socklen_t(MemoryLayout<Glibc.linger>.size))
        socket.close()
    }

    /// Has what is written go out at once, however little it is (TCP_NODELAY).
    public static func sendAtOnce(_ socket: SharedDescriptor) {
        var on: CInt = 1
        setsockopt(socket.rawValue, CInt(IPPROTO_TCP), TCP_NODELAY, &on, 4)
    }
}
