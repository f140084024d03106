import CLinux
import Glibc
import LinuxSystem
import SystemPackage

/// A client's connection and the one to its target, each of which gets what the other sends, and
/// learns of the other's end as if the two were one.
final class ProxiedConnection {
    let target: Target
    /// Called once, when both are closed.
    var onEnd: () -> Void = {}
    private let loop: EventLoop
    private let client: Side
    private let server: Side
    private var isConnected = false
    private var isOver = false

    /// One of the two sockets, and what is on the way to it.
    private final class Side {
        let socket: SharedDescriptor
        /// What it has yet to be sent.
        var outgoing: ArraySlice<UInt8> = []
        /// Whether it sends nothing more.
        var hasEnded = false
        /// Whether it has been told that nothing more comes.
        var isToldOfEnd = false
        /// What it is watched for; nil for nothing.
        var interest: EventLoop.Interest?

        init(_ socket: SharedDescriptor) { self.socket = socket }
    }

    /// Read at one go, and kept while the other side takes nothing.
    private static let bufferBytes = 64 << 10

    /// Begins to connect to the target; the client waits meanwhile.
    ///
    /// - Throws: ``SystemError`` where the target is refused at once.
    init(
        _ client: SharedDescriptor, target: Target, loop: EventLoop
    ) throws(SystemError) {
        self.target = target
        self.loop = loop
        self.client = Side(client)
        server = Side(try TCPSocket.begin(to: target.address, port: target.port))
        for side in [self.client, server] { TCPSocket.sendAtOnce(side.socket) }
        watch()
    }

    /// Ends both so that both ends are told at once.
    func reset() {
        guard !isOver else { return }
        isOver = true
        for side in [client, server] {
            loop.remove(side.socket.rawValue)
            TCPSocket.reset(side.socket)
        }
        // Whoever called may be at work on this object.
        loop.schedule(after: .zero) { [self] in onEnd() }
    }

    private func close() {
        guard !isOver else { return }
        isOver = true
        for side in [client, server] {
            loop.remove(side.socket.rawValue)
            side.socket.close()
        }
        loop.schedule(after: .zero) { [self] in onEnd() }
    }

    // MARK: What is waited for

    /// Watches each side for what can be done there now, and for nothing else: a side that has hung
    /// up would be told of again and again.
    private func watch() {
        guard !isOver else { return }
        if isConnected {
            watch(client, wants: wants(client, from: server))
            watch(server, wants: wants(server, from: client))
        } else {
            // That the client has gone shows when there is somebody to tell.
            watch(client, wants: nil)
            watch(server, wants: .writable)
        }
    }

    private func wants(_ side: Side, from other: Side) -> EventLoop.Interest? {
        var interest: EventLoop.Interest = []
        if !side.hasEnded, other.outgoing.isEmpty { interest.insert(.readable) }
        if !side.outgoing.isEmpty { interest.insert(.writable) }
        return interest.isEmpty ? nil : interest
    }

    private func watch(_ side: Side, wants interest: EventLoop.Interest?) {
        guard interest != side.interest else { return }
        let number = side.socket.rawValue
        do {
            switch (side.interest, interest) {
            case (nil, let interest?):
                try loop.add(number, interest) { [unowned self] _ in handle() }
            case (.some, let interest?): try loop.modify(number, interest)
            case (_, nil): loop.remove(number)
            }
            side.interest = interest
        } catch {
            StandardError.print("port-proxy: \(error)")
            reset()
        }
    }

    // MARK: What is done

    private func handle() {
        guard !isOver else { return }
        if !isConnected {
            guard TCPSocket.failure(of: server.socket) == nil else { return reset() }
            isConnected = true
        }
        guard move(from: client, to: server), move(from: server, to: client) else {
            return reset()
        }
        if client.isToldOfEnd, server.isToldOfEnd { return close() }
        watch()
    }

    /// Moves what there is, as far as it can be moved now.
    ///
    /// - Returns: false when one of the two is broken.
    private func move(from source: Side, to destination: Side) -> Bool {
        guard flush(destination) else { return false }
        if destination.outgoing.isEmpty, !source.hasEnded {
            switch receive(source.socket) {
            case .nothing: break
            case .broken: return false
            case .end: source.hasEnded = true
            case .bytes(let bytes):
                destination.outgoing = bytes
                guard flush(destination) else { return false }
            }
        }
        if source.hasEnded, destination.outgoing.isEmpty, !destination.isToldOfEnd {
            destination.isToldOfEnd = true
            shutdown(destination.socket.rawValue, CInt(SHUT_WR))
        }
        return true
    }

    private enum Received {
        case nothing
        case bytes(ArraySlice<UInt8>)
        case end
        case broken
    }

    private func receive(_ socket: SharedDescriptor) -> Received {
        let number = socket.rawValue
        var count = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: Self.bufferBytes) { buffer, length in
            repeat {
                count = recv(number, buffer.baseAddress, buffer.count, CLINUX_MSG_DONTWAIT)
            } while count < 0 && errno == EINTR
            length = max(count, 0)
        }
        if count > 0 { return .bytes(bytes[...]) }
        if count == 0 { return .end }
        return errno == EAGAIN ? .nothing : .broken
    }

    private func flush(_ side: Side) -> Bool {
        while !side.outgoing.isEmpty {
            let number = side.socket.rawValue
            let count = side.outgoing.withUnsafeBytes {
                send(number, $0.baseAddress, $0.count, CLINUX_MSG_DONTWAIT | CLINUX_MSG_NOSIGNAL)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return errno == EAGAIN }
            side.outgoing = side.outgoing.dropFirst(count)
        }
        return true
    }
}
