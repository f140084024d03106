import CLinux
import Glibc
import LabModel
import LinuxSystem
import NetworkTypes
import SystemPackage

/// Requests over one TCP connection from inside a node, without blocking: made for the first
/// request, and made again only when it broke and something is to be asked.
///
/// Requests are sent when they are due, whether the one before has been answered or not; answers
/// come in their order. One whose time is over has failed, and its late answer counts for nothing.
final class ClientConnection: Prober {
    /// What is said over it.
    enum Dialogue {
        /// That it is accepted is the answer, and its end.
        case connect
        /// A byte, which has to come back.
        case echo
        /// `GET`; the last one tells the server so.
        case http(HTTPURL, isLast: Bool)

        /// Whether more than one request goes over one connection.
        var keepsOpen: Bool {
            switch self {
            case .connect: false
            case .echo: true
            case .http(_, let isLast): !isLast
            }
        }

        var request: [UInt8] {
            switch self {
            case .connect: []
            case .echo: [UInt8(ascii: "?")]
            case .http(let url, let isLast): HTTPRequest(get: url, isLast: isLast).bytes
            }
        }
    }

    private enum State {
        case closed
        case connecting(SharedDescriptor, until: EventLoop.TimerID)
        case open(SharedDescriptor)
    }

    /// The most bytes that wait for the kernel to take them.
    private static let maximumWaitingBytes = 1 << 20

    let pending: PendingRequests
    private let server: TransportAddress
    private let dialogue: Dialogue
    private let network: NodeNetwork
    private let loop: EventLoop
    private var state = State.closed
    /// The requests that are sent, or about to be, and not answered over this connection.
    private var order: [UInt32] = []
    private var waiting: ArraySlice<UInt8> = []
    private var parser = HTTPResponseParser()
    /// How long a connection may take to be made: what one request may take.
    private var patience = Duration.zero

    init(
        to server: TransportAddress, _ dialogue: Dialogue, _ network: NodeNetwork, loop: EventLoop
    ) {
        self.server = server
        self.dialogue = dialogue
        self.network = network
        self.loop = loop
        pending = PendingRequests(loop: loop)
    }

    deinit { close() }

    func ask(timeout: Duration, completion: @escaping (ProbeResult.Outcome) -> Void) {
        patience = timeout
        let number = pending.add(timeout: timeout, completion: completion)
        order.append(number)
        do {
            switch state {
            case .closed: try connect()
            case .connecting: break
            case .open: try sendRequest()
            }
        } catch {
            order.removeAll { $0 == number }
            pending.failSoon(number, error)
        }
    }

    func close() {
        switch state {
        case .closed: return
        case .connecting(let socket, let timer):
            loop.cancel(timer)
            close(socket)
        case .open(let socket): close(socket)
        }
        state = .closed
        order = []
        waiting = []
        parser = HTTPResponseParser()
    }

    private func close(_ socket: SharedDescriptor) {
        loop.remove(socket.rawValue)
        socket.close()
    }

    // MARK: Connecting

    private func connect() throws {
        let family = server.address.family == .v4 ? AF_INET : AF_INET6
        let opened = SharedDescriptor(
            try network.run {
                OwnedDescriptor(
                    try systemCall("open a socket") {
                        Glibc.socket(
                            family,
                            Int32(SOCK_STREAM.rawValue) | CLINUX_SOCK_CLOEXEC
                                | CLINUX_SOCK_NONBLOCK, 0)
                    })
            })
        let number = opened.rawValue
        // When the other end vanishes with its node, the kernel must not keep this socket, and with
        // it the namespace, in FIN-WAIT.
        var abandon = linger(l_onoff: 1, l_linger: 0)
        setsockopt(number, SOL_SOCKET, SO_LINGER, &abandon, socklen_t(MemoryLayout<linger>.size))
        // A request must not wait for the answer to the one before.
        var on: CInt = 1
        setsockopt(number, CInt(IPPROTO_TCP), TCP_NODELAY, &on, 4)
        let endpoint = SocketEndpoint(server.address, port: server.port)
        if let reason = endpoint.connect(number), reason != .nowInProgress {
            throw SystemError("connect to \(server)", reason)
        }
        // Writability tells how it ended.
        try loop.add(number, [.readable, .writable]) { [unowned self] interest in ready(interest) }
        let timer = loop.schedule(after: patience) { [unowned self] in giveUpConnecting() }
        state = .connecting(opened, until: timer)
    }

    /// A SYN that was lost is repeated by TCP after a second only: whoever still waits gets another
    /// connection.
    private func giveUpConnecting() {
        let left = order.filter { pending.has($0) }
        close()
        guard !left.isEmpty else { return }
        order = left
        do {
            try connect()
        } catch {
            order = []
            for number in left { pending.failSoon(number, error) }
        }
    }

    private func ready(_ interest: EventLoop.Interest) {
        // Whoever is told of an answer may let go of this.
        withExtendedLifetime(self) {
            switch state {
            case .closed: return
            case .connecting(let socket, let timer): connected(socket, timer)
            case .open: flush()
            }
            if case .open = state, interest != .writable { receive() }
        }
    }

    private func connected(_ socket: SharedDescriptor, _ timer: EventLoop.TimerID) {
        var code: CInt = 0
        var length = socklen_t(4)
        getsockopt(socket.rawValue, SOL_SOCKET, SO_ERROR, &code, &length)
        guard code == 0 else { return broke(Errno(rawValue: code).text) }
        loop.cancel(timer)
        state = .open(socket)
        if case .connect = dialogue {
            let asked = order
            close()
            for number in asked { pending.end(number, .replied) }
            return
        }
        // Those whose time is over are not asked any more.
        order.removeAll { !pending.has($0) }
        for _ in order { waiting += dialogue.request }
        flush()
    }

    // MARK: Talking

    private func sendRequest() throws {
        guard waiting.count < Self.maximumWaitingBytes else {
            throw SystemError("send a request", .noBufferSpace)
        }
        waiting += dialogue.request
        flush()
    }

    private func flush() {
        guard case .open(let socket) = state else { return }
        let number = socket.rawValue
        do {
            if !waiting.isEmpty {
                let sent = try systemCallUnlessBlocked("send a request") {
                    waiting.withUnsafeBytes {
                        Glibc.send(number, $0.baseAddress, $0.count, CLINUX_MSG_NOSIGNAL)
                    }
                }
                waiting = waiting.dropFirst(sent ?? 0)
            }
            try loop.modify(number, waiting.isEmpty ? .readable : [.readable, .writable])
        } catch {
            broke(error.code.text)
        }
    }

    private func receive() {
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while case .open(let socket) = state {
            do {
                let count = try systemCallUnlessBlocked("receive an answer") {
                    recv(socket.rawValue, &buffer, buffer.count, 0)
                }
                guard let count else { return }
                if count == 0 { return try ended() }
                var bytes = buffer.prefix(count)
                while !bytes.isEmpty, case .open = state { try take(&bytes) }
            } catch let error as SystemError {
                return broke(error.code.text)
            } catch {
                return broke("\(error)")
            }
        }
    }

    /// Takes an answer, or the part of one that there is.
    private func take(_ bytes: inout ArraySlice<UInt8>) throws {
        guard case .http = dialogue else {
            bytes = bytes.dropFirst()
            return answer(.replied)
        }
        guard let response = try parser.take(&bytes) else { return }
        parser = HTTPResponseParser()
        answer(.answered(status: response.status, body: response.text))
    }

    private func answer(_ outcome: ProbeResult.Outcome) {
        guard !order.isEmpty else { return }
        let number = order.removeFirst()
        if !dialogue.keepsOpen { close() }
        pending.end(number, outcome)
    }

    /// The server has closed the connection, which ends an answer without a length.
    private func ended() throws {
        if case .http = dialogue, !order.isEmpty {
            let response = try parser.finish()
            parser = HTTPResponseParser()
            answer(.answered(status: response.status, body: response.text))
        }
        broke("connection closed")
    }

    private func broke(_ reason: String) {
        let lost = order
        close()
        for number in lost { pending.end(number, .failed(reason)) }
    }
}

/// Requests over TCP connections from inside a node, each over one of its own.
final class FreshConnections: Prober {
    let pending: PendingRequests
    private let make: () -> ClientConnection
    private var connections: [ObjectIdentifier: ClientConnection] = [:]

    init(
        to server: TransportAddress, _ dialogue: ClientConnection.Dialogue, _ network: NodeNetwork,
        loop: EventLoop
    ) {
        pending = PendingRequests(loop: loop)
        make = { ClientConnection(to: server, dialogue, network, loop: loop) }
    }

    func ask(timeout: Duration, completion: @escaping (ProbeResult.Outcome) -> Void) {
        let number = pending.add(timeout: nil, completion: completion)
        let connection = make()
        let key = ObjectIdentifier(connection)
        connections[key] = connection
        connection.ask(timeout: timeout) { [weak self] outcome in
            connection.close()
            self?.connections[key] = nil
            self?.pending.end(number, outcome)
        }
    }

    func close() { cancel("given up") }

    // Each connection ends its own request, and so lets go of itself.
    func cancel(_ reason: String) {
        for connection in connections.values { connection.cancel(reason) }
        pending.endAll(.failed(reason))
    }
}
