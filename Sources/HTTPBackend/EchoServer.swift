import Glibc
import NIOCore
import NIOPosix

/// Sends back what comes by TCP and UDP to one port, one thread.
final class EchoServer: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let channels: [any Channel]

    /// Where it listens; the port is the real one when 0 was asked for.
    var address: SocketAddress? { channels.first?.localAddress }

    var port: Int? { address?.port }

    /// Starts to listen.
    ///
    /// - Parameter address: an IPv4 or IPv6 address; nil listens on all of the machine, as
    ///   ``Server`` does.
    /// - Throws: ``Server/StartError`` when the address cannot be listened on.
    init(address: String?, port: Int) throws {
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            do {
                channels = try Self.listen(group, on: address ?? "::", port: port)
            } catch let error as IOError where address == nil && error.meansNoIPv6 {
                channels = try Self.listen(group, on: "0.0.0.0", port: port)
            }
        } catch {
            try group.syncShutdownGracefully()
            throw Server.StartError(description: "cannot echo on port \(port): \(error)")
        }
    }

    /// Closes everything; returns when the loop's thread has ended.
    func stop() throws { try group.syncShutdownGracefully() }

    private static func listen(
        _ group: MultiThreadedEventLoopGroup, on address: String, port: Int
    ) throws -> [any Channel] {
        let isV6 = address.contains(":")
        // Both families, whatever net.ipv6.bindv6only says.
        let bothFamilies = ChannelOptions.Types.SocketOption(level: .ipv6, name: .ipv6_v6only)
        var streams = ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(EchoHandler())
                }
            }
        var datagrams = DatagramBootstrap(group: group)
            .channelOption(.socketOption(.so_reuseaddr), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(DatagramEchoHandler())
                }
            }
        if isV6 {
            streams = streams.serverChannelOption(bothFamilies, value: 0)
            datagrams = datagrams.channelOption(bothFamilies, value: 0)
        }
        // Not by name, which asks the resolver, and that asks which addresses there are already.
        let stream = try streams.bind(to: SocketAddress(ipAddress: address, port: port)).wait()
        let bound = try SocketAddress(
            ipAddress: address, port: stream.localAddress?.port ?? port)
        let datagram = try datagrams.bind(to: bound).wait()
        // Known only to a channel that is bound.
        try datagram.setOption(.receivePacketInfo, value: true).wait()
        return [stream, datagram]
    }
}

/// Sends datagrams back from the address that they were sent to, as a client asks of a virtual
/// address: one that is connected does not take an answer from another.
///
/// What a socket that listens on all addresses sends has the address of the way out as its source.
/// So each address gets a socket of its own with its first datagram, and the kernel gives it those
/// that follow.
private final class DatagramEchoHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private var outlets: [SocketAddress: EventLoopFuture<any Channel>] = [:]

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let received = Self.unwrapInboundIn(data)
        let answer = AddressedEnvelope(
            remoteAddress: received.remoteAddress, data: received.data)
        // A link-local address means nothing without its link, which is not told, and a group's is
        // nobody's own.
        guard var local = received.metadata?.packetInfo?.destinationAddress,
            local.ipAddress?.hasPrefix("fe80:") == false, !local.isMulticast
        else { return context.writeAndFlush(Self.wrapOutboundOut(answer), promise: nil) }
        local.port = context.channel.localAddress?.port
        let outlet = outlets[local] ?? open(local, on: context.eventLoop)
        outlets[local] = outlet
        outlet.whenSuccess { $0.writeAndFlush(answer, promise: nil) }
        // The address may have gone meanwhile, and may come back.
        outlet.assumeIsolated().whenFailure { _ in self.outlets[local] = nil }
    }

    private func open(
        _ address: SocketAddress, on eventLoop: any EventLoop
    ) -> EventLoopFuture<any Channel> {
        DatagramBootstrap(group: eventLoop)
            .channelOption(.socketOption(.so_reuseaddr), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(EchoHandler())
                }
            }
            .bind(to: address)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Others have the socket too.
    }
}

/// Sends back what it reads: bytes of a stream, or a datagram to whoever sent it.
private final class EchoHandler: ChannelInboundHandler {
    typealias InboundIn = Any
    typealias OutboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.write(data, promise: nil)
    }

    func channelReadComplete(context: ChannelHandlerContext) { context.flush() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelEvent, event == .inputClosed else {
            return context.fireUserInboundEventTriggered(event)
        }
        // Who has sent all still wants all of it back: behind the last of it comes the end.
        let channel = context.channel
        context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer())).whenComplete { _ in
            channel.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A client that is gone takes its connection along; others have the datagrams' socket too.
        if context.channel.parent != nil { context.close(promise: nil) }
    }
}

extension IOError {
    fileprivate var meansNoIPv6: Bool {
        errnoCode == EAFNOSUPPORT || errnoCode == EADDRNOTAVAIL
    }
}
