import Glibc
import LinuxSystem
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import SystemPackage

/// A listening server with its event loop, one thread.
final class Server: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let listener: any Channel
    private let connections: Connections

    /// Where it listens; the port is the real one when 0 was asked for.
    var address: SocketAddress? { listener.localAddress }

    /// Why a server did not start.
    struct StartError: Error, CustomStringConvertible {
        var description: String
    }

    /// Starts listening.
    ///
    /// - Parameter address: an IPv4 or IPv6 address; nil listens on all of the machine, `[::]` for
    ///   both families, or `0.0.0.0` on a kernel without IPv6.
    /// - Throws: ``StartError``: the folder cannot be served, or the address not be listened on.
    init(site: Site, address: String?, port: Int, log: AccessLog) throws {
        do {
            try site.check()
        } catch {
            throw StartError(description: "cannot \(error)")
        }
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        connections = Connections()
        do {
            let bootstrap = Self.bootstrap(
                group: group, site: site, log: log, connections: connections)
            if let address {
                listener = try Self.listen(bootstrap, on: address, port: port)
            } else {
                do {
                    listener = try Self.listen(bootstrap, on: "::", port: port)
                } catch let error where error.code.map(Self.meansNoIPv6) ?? false {
                    listener = try Self.listen(bootstrap, on: "0.0.0.0", port: port)
                }
            }
        } catch {
            try group.syncShutdownGracefully()
            throw StartError(description: "\(error)")
        }
    }

    /// Stops: accepts nothing more, closes connections that wait for a request, lets answers under
    /// way end for at most `grace`, and returns when the loop's thread has ended.
    func stop(grace: TimeAmount = .seconds(1)) throws {
        try? listener.close().wait()
        let channels = connections.all
        for channel in channels {
            channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        }
        let loop = group.next()
        let ended = EventLoopFuture.andAllComplete(channels.map(\.closeFuture), on: loop)
        let limit = loop.makePromise(of: Void.self)
        ended.cascade(to: limit)
        let timer = loop.scheduleTask(in: grace) { limit.succeed(()) }
        try limit.futureResult.wait()
        timer.cancel()
        try group.syncShutdownGracefully()
    }

    private static func bootstrap(
        group: MultiThreadedEventLoopGroup, site: Site, log: AccessLog, connections: Connections
    ) -> ServerBootstrap {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = RequestLimit.parsedBytes
        limits.maxHeaderListSize = RequestLimit.parsedBytes
        return ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptBackoffHandler())
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            // A client may end its side of the connection once it has asked (`nc -N`).
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { [limits] channel in
                connections.add(channel)
                return channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(
                        IdleStateHandler(allTimeout: ConnectionHandler.idleLimit))
                    try pipeline.configureHTTPServerPipeline(
                        withErrorHandling: false, withEncoderConfiguration: .init(),
                        withDecoderLimitConfiguration: limits)
                    try pipeline.addHandler(ConnectionHandler(site: site, log: log))
                }
            }
    }

    private static func listen(
        _ bootstrap: ServerBootstrap, on address: String, port: Int
    ) throws(ListenError) -> any Channel {
        let host = address.contains(":") ? "[\(address)]" : address
        do {
            let socketAddress = try SocketAddress(ipAddress: address, port: port)
            var bootstrap = bootstrap
            if socketAddress.protocol == .inet6 {
                // Both families, whatever net.ipv6.bindv6only says.
                bootstrap = bootstrap.serverChannelOption(
                    ChannelOptions.Types.SocketOption(level: .ipv6, name: .ipv6_v6only), value: 0)
            }
            return try bootstrap.bind(to: socketAddress).wait()
        } catch let error as IOError {
            let code = Errno(rawValue: error.errnoCode)
            throw ListenError(
                description: "cannot listen on \(host):\(port): \(code.text)", code: code)
        } catch {
            throw ListenError(
                description: "cannot listen on \(host):\(port): not an IP address", code: nil)
        }
    }

    private struct ListenError: Error, CustomStringConvertible {
        var description: String
        var code: Errno?
    }

    private static func meansNoIPv6(_ code: Errno) -> Bool {
        code == .addressFamilyNotSupported || code == .addressNotAvailable
    }
}

/// The connections that are open, added on the loop's thread and read by the one that stops it.
private final class Connections: Sendable {
    private let open = Mutex<[ObjectIdentifier: any Channel]>([:])

    var all: [any Channel] { open.withLock { Array($0.values) } }

    func add(_ channel: any Channel) {
        let key = ObjectIdentifier(channel)
        open.withLock { $0[key] = channel }
        channel.closeFuture.whenComplete { _ in
            self.open.withLock { _ = $0.removeValue(forKey: key) }
        }
    }
}
