import CLinux
import Glibc
public import NetworkTypes
import SystemPackage

/// TCP sockets for the event loop: non-blocking, close-on-exec.
public enum TCPSocket {
    private static let backlog: CInt = 128

    /// Listens on a port at all of the machine's addresses, of either family where the kernel has
    /// both.
    ///
    /// - Throws: ``SystemError``: `listen on TCP port 25: address already in use`.
    public static func listen(port: UInt16) throws(SystemError) -> SharedDescriptor {
        let operation = "listen on TCP port \(port)"
        do {
            let socket = try open(AF_INET6)
            let number = socket.rawValue
            var off: CInt = 0
            setsockopt(number, CInt(IPPROTO_IPV6), IPV6_V6ONLY, &off, 4)
            try listen(number, SocketEndpoint(.v6(.any), port: port), operation)
            return socket
        } catch  where error.code == .addressFamilyNotSupported {
            let socket = try open(AF_INET)
            try listen(socket.rawValue, SocketEndpoint(.v4(.any), port: port), operation)
            return socket
        }
    }

    static func listen(
        _ number: CInt, _ endpoint: SocketEndpoint, _ operation: String
    ) throws(SystemError) {
        var on: CInt = 1
        // Connections of a server that was there before linger for a minute.
        setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &on, 4)
        if let refusal = endpoint.bind(number) { throw SystemError(operation, refusal) }
        try systemCall(operation) { Glibc.listen(number, backlog) }
    }

    /// Connects to a server of this machine or of another, waiting until it has accepted.
    ///
    /// - Returns: a blocking socket.
    /// - Throws: ``SystemError``, ECONNREFUSED where nobody listens.
    public static func connect(
        to address: IPAddress, port: UInt16
    ) throws(SystemError) -> SharedDescriptor {
        let socket = try open(address.family == .v4 ? AF_INET : AF_INET6)
        let number = socket.rawValue
        try systemCall("make a socket blocking") { clinux_fcntl(number, F_SETFL, 0) }
        if let refusal = SocketEndpoint(address, port: port).connect(number) {
            throw SystemError("connect to \(address), port \(port)", refusal)
        }
        return socket
    }

    /// Takes the next connection of a listening socket; nil when there is none.
    public static func accept(_ listener: SharedDescriptor) throws(SystemError) -> SharedDescriptor?
    {
        guard let connection = try UnixSocket.accept(listener) else { return nil }
        return SharedDescriptor(connection)
    }

    static func open(_ family: CInt) throws(SystemError) -> SharedDescriptor {
        SharedDescriptor(
            OwnedDescriptor(
                try systemCall("open a TCP socket") {
                    socket(
                        family,
                        CInt(SOCK_STREAM.rawValue) | CLINUX_SOCK_CLOEXEC | CLINUX_SOCK_NONBLOCK, 0)
                }))
    }
}
