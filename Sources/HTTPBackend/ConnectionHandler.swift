import LinuxSystem
import NIOCore
import NIOHTTP1
import SystemPackage

/// One client's connection: carries requests to `Response.decide` and its answers to the socket.
///
/// Requests that arrive together reach it one at a time: HTTPServerPipelineHandler, before it in
/// the pipeline, holds the next back until the last is answered, and closes the connection at the
/// right moment when the server stops.
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let site: Site
    private let log: AccessLog
    /// Where the connection is between two answers.
    private var state = State.waiting

    private enum State {
        /// For a request, or for the rest of one that was answered at its head.
        case waiting
        case answering
        /// The last answer is sent; what still arrives is thrown away until the client closes.
        case ending
    }

    /// Answers not yet wholly taken by the kernel.
    private var unsentAnswers = 0
    /// Whether the client has said that it will send nothing more.
    private var isInputClosed = false

    /// How long a client may keep a connection without asking anything.
    static let idleLimit = TimeAmount.seconds(60)
    /// How long the end of a connection waits for the client's side of it.
    private static let lingerLimit = TimeAmount.seconds(1)

    /// Bytes read from a file at a time.
    private static let pieceBytes: Int64 = 65536

    init(site: Site, log: AccessLog) {
        self.site = site
        self.log = log
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // The body of a request means nothing to a file server: it is read and dropped.
        guard case .head(let request) = unwrapInboundIn(data), state == .waiting else { return }
        let now = HTTPDate.now
        send(.decide(request, now: now, find: site.find), to: request, now: now, context: context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Everything else ends the connection: its client is gone, or broke off in a body that
        // was answered already.
        guard let error = error as? HTTPParserError, state == .waiting else {
            if state != .ending { context.close(promise: nil) }
            return
        }
        let now = HTTPDate.now
        send(.decide(unparsable: error, now: now), to: nil, now: now, context: context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            // It may have asked before, and still wants the answer.
            isInputClosed = true
            closeIfDone(context)
        } else if event is IdleStateHandler.IdleStateEvent, state == .waiting {
            context.close(promise: nil)
        }
        context.fireUserInboundEventTriggered(event)
    }

    private func send(
        _ response: Response<SharedDescriptor>, to request: HTTPRequestHead?, now: HTTPDate,
        context: ChannelHandlerContext
    ) {
        state = .answering
        unsentAnswers += 1
        if let reason = response.reason { Diagnostics.write(reason) }
        // Before the answer, so that whoever has read the answer finds the line.
        log.write(
            AccessLog.line(
                client: context.remoteAddress?.logName ?? "-", request: request,
                status: response.status.code, bodyLength: response.bodyLength, now: now))

        let head = HTTPResponseHead(
            version: .http1_1, status: response.status, headers: response.headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        switch response.body {
        case .none:
            end(keepsAlive: response.keepsAlive, context: context)
        case .text(let text):
            let buffer = context.channel.allocator.buffer(string: text)
            context.write(wrapOutboundOut(.body(.byteBuffer(buffer))), promise: nil)
            end(keepsAlive: response.keepsAlive, context: context)
        case .file(let file, let length):
            let rest = Rest(file: file, offset: 0, length: length)
            send(rest, keepsAlive: response.keepsAlive, context: context)
        }
    }

    /// The part of a file that is still to be sent.
    private struct Rest {
        let file: SharedDescriptor
        var offset: Int64
        /// The length that was promised, from the file's start.
        let length: Int64
    }

    /// Sends the rest of a file a piece at a time: the next is read when the kernel has taken the
    /// last, so that memory is the same for every size.
    ///
    /// (NIO's FileRegion would use sendfile(2), but it spins when the file has become shorter.)
    private func send(_ rest: Rest, keepsAlive: Bool, context: ChannelHandlerContext) {
        guard rest.offset < rest.length else {
            return end(keepsAlive: keepsAlive, context: context)
        }
        let wanted = Int(min(rest.length - rest.offset, Self.pieceBytes))
        var piece = context.channel.allocator.buffer(capacity: wanted)
        let count: Int
        do {
            count = try piece.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) {
                try SystemPackage.FileDescriptor(rawValue: rest.file.rawValue).read(
                    fromAbsoluteOffset: rest.offset,
                    into: UnsafeMutableRawBufferPointer(rebasing: $0[..<wanted]))
            }
        } catch {
            Diagnostics.write("cannot read a file that is being sent: \(error)")
            count = 0
        }
        // Fewer bytes than were promised (somebody emptied the file): only a connection that
        // breaks tells the client so.
        guard count > 0 else { return abandon(context) }
        var next = rest
        next.offset += Int64(count)
        let written = context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(piece))))
        written.assumeIsolated().whenComplete { result in
            guard case .success = result else { return self.abandon(context) }
            // In a turn of its own: other connections get theirs, and the stack does not grow.
            context.eventLoop.assumeIsolated().execute {
                self.send(next, keepsAlive: keepsAlive, context: context)
            }
        }
    }

    private func end(keepsAlive: Bool, context: ChannelHandlerContext) {
        // First, because the pipeline delivers the next request while the end is being written.
        if keepsAlive { state = .waiting }
        let sent = context.writeAndFlush(wrapOutboundOut(.end(nil)))
        sent.assumeIsolated().whenComplete { result in
            guard case .success = result else { return self.abandon(context) }
            self.unsentAnswers -= 1
            if !keepsAlive {
                // Closing with bytes of the client unread would reset the connection and could
                // take the answer with it (RFC 9112 §9.6), so first only this side is closed.
                self.state = .ending
                context.close(mode: .output, promise: nil)
                context.eventLoop.assumeIsolated().scheduleTask(in: Self.lingerLimit) {
                    context.close(promise: nil)
                }
            }
            self.closeIfDone(context)
        }
    }

    private func closeIfDone(_ context: ChannelHandlerContext) {
        guard isInputClosed, unsentAnswers == 0, state != .answering else { return }
        context.close(promise: nil)
    }

    private func abandon(_ context: ChannelHandlerContext) {
        state = .ending
        context.close(promise: nil)
    }
}

extension SocketAddress {
    /// The address as logs name it: an IPv4 client of the IPv6 socket as the IPv4 client it is.
    fileprivate var logName: String? {
        let mapped = "::ffff:"
        guard let name = ipAddress else { return nil }
        return name.hasPrefix(mapped) && name.contains(".")
            ? String(name.dropFirst(mapped.count)) : name
    }
}

extension HTTPDate {
    /// The present.
    static var now: HTTPDate {
        HTTPDate(seconds: MonotonicClock.realtimeNanoseconds / 1_000_000_000)
    }
}
