import CLinux
import Glibc
import KeepalivedConf
import LVS
import LinuxSystem
import NetworkTypes
import SystemPackage

/// A check that is under way.
protocol Probe: AnyObject {
    /// Ends it without a result.
    func cancel()
}

/// The socket of one ``CheckDialogue``: never blocks, and takes at most the timeout to connect and
/// then for each step.
final class ConnectionProbe: Probe {
    /// What sort of socket it is.
    enum Transport {
        case stream
        /// By a library, if there is one; with the name that the server is asked to be.
        case encrypted(TLSLibrary?, serverName: String?)
        case datagram
        case echo
    }

    /// Why there is no probe: the kernel gave no socket, or not one that is bound as it should be.
    struct NoSocket: Error {}

    /// A page is read in pieces of it.
    private static let bufferBytes = 16 << 10

    private let loop: EventLoop
    private let transport: Transport
    private let timeout: Duration
    private let onEnd: (CheckResult) -> Void
    private let socket: SharedDescriptor
    private var dialogue: any CheckDialogue
    private var session: TLSSession?
    private var isConnected = false
    private var isReady = false
    private var output: ArraySlice<UInt8> = []
    private var timer: EventLoop.TimerID?

    /// Begins to connect.
    ///
    /// - Parameter onEnd: called once from the loop, when the check is over.
    /// - Throws: ``NoSocket``; `onEnd` is not called then.
    init(
        _ dialogue: any CheckDialogue, _ transport: Transport, to connection: Checker.Connection,
        loop: EventLoop, onEnd: @escaping (CheckResult) -> Void
    ) throws(NoSocket) {
        self.dialogue = dialogue
        self.transport = transport
        self.loop = loop
        self.onEnd = onEnd
        timeout = connection.timeout
        do throws(SystemError) {
            socket = try Self.socket(transport, connection)
        } catch {
            throw NoSocket()
        }
        let port = transport.hasPorts ? connection.port ?? 0 : 0
        let endpoint = SocketEndpoint(connection.address, port: port)
        if let reason = endpoint.connect(socket.rawValue), reason != .nowInProgress {
            let trouble: CheckTrouble =
                reason == .connectionRefused ? .connectionFailed : .unreachable
            finishLater(dialogue.result(of: trouble))
            return
        }
        do throws(SystemError) {
            try loop.add(socket.rawValue, .writable) { [unowned self] _ in react() }
        } catch {
            throw NoSocket()
        }
        arm()
    }

    deinit { cancel() }

    func cancel() {
        if let timer { loop.cancel(timer) }
        timer = nil
        session = nil
        guard socket.isOpen else { return }
        loop.remove(socket.rawValue)
        socket.close()
    }

    private static func socket(
        _ transport: Transport, _ connection: Checker.Connection
    ) throws(SystemError) -> SharedDescriptor {
        let family = connection.address.family
        let (type, number) = transport.numbers(family)
        let domain = family == .v4 ? AF_INET : AF_INET6
        let flags = CLINUX_SOCK_CLOEXEC | CLINUX_SOCK_NONBLOCK
        let socket = SharedDescriptor(
            OwnedDescriptor(
                try systemCall("open a socket") { Glibc.socket(domain, type | flags, number) }))
        if let mark = connection.firewallMark {
            try socket.set(SOL_SOCKET, SO_MARK, mark)
        }
        if let interface = connection.interface {
            try socket.bind(to: interface)
        }
        if connection.source != nil || connection.sourcePort != nil {
            try socket.set(SOL_SOCKET, SO_REUSEADDR, 1 as CInt)
            let any: IPAddress =
                family == .v4
                ? .v4(IPv4Address(rawValue: 0)) : .v6(IPv6Address(high: 0, low: 0))
            let endpoint = SocketEndpoint(
                connection.source ?? any, port: connection.sourcePort ?? 0)
            if let refusal = endpoint.bind(socket.rawValue) {
                throw SystemError("bind a socket", refusal)
            }
        }
        return socket
    }

    // MARK: Time

    private func arm() {
        if let timer { loop.cancel(timer) }
        timer = loop.schedule(after: timeout) { [unowned self] in
            timer = nil
            fail(isReady ? .readTimeout : .connectionTimeout)
        }
    }

    private func finishLater(_ result: CheckResult) {
        timer = loop.schedule(after: .zero) { [unowned self] in finish(result) }
    }

    private func finish(_ result: CheckResult) {
        cancel()
        onEnd(result)
    }

    private func fail(_ trouble: CheckTrouble) { finish(dialogue.result(of: trouble)) }

    // MARK: The socket

    private func react() {
        guard isConnected || connected() else { return }
        guard isReady || becomeReady() else { return }
        if !output.isEmpty { flush() }
        if socket.isOpen { receive() }
    }

    /// Whether the connection has come about.
    private func connected() -> Bool {
        var code: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        getsockopt(socket.rawValue, SOL_SOCKET, SO_ERROR, &code, &length)
        guard code == 0 else {
            fail(.connectionFailed)
            return false
        }
        isConnected = true
        return true
    }

    /// Whether there is nothing left to be done before the dialogue begins.
    private func becomeReady() -> Bool {
        if case .encrypted(let library, let name) = transport {
            let opened = library.flatMap {
                session ?? TLSSession($0, socket.rawValue, serverName: name)
            }
            guard let session = opened else {
                fail(.handshakeFailed)
                return false
            }
            self.session = session
            switch session.connect() {
            case .done: break
            case .wants(let interest):
                watch(interest)
                return false
            case .failed, .closed:
                fail(.handshakeFailed)
                return false
            }
        }
        isReady = true
        arm()
        perform(dialogue.begin())
        if socket.isOpen { watch(output.isEmpty ? .readable : [.readable, .writable]) }
        return socket.isOpen
    }

    private func watch(_ interest: EventLoop.Interest) {
        do throws(SystemError) {
            try loop.modify(socket.rawValue, interest)
        } catch {
            fail(.readFailed(error.code.rawValue, error.code.description))
        }
    }

    private func perform(_ steps: [CheckStep]) {
        for step in steps {
            switch step {
            case .finish(let result): return finish(result)
            case .send(let bytes):
                // A packet is sent as a whole, and may be empty.
                if !transport.isStream {
                    return sendPacket(bytes)
                }
                output += bytes
                arm()
            }
        }
        if !output.isEmpty { flush() }
    }

    private func sendPacket(_ bytes: [UInt8]) {
        let number = socket.rawValue
        guard send(number, bytes, bytes.count, CLINUX_MSG_NOSIGNAL) == bytes.count else {
            return fail(.writeFailed)
        }
        arm()
    }

    private func flush() {
        let count: Int
        switch write(output) {
        case .success(let written): count = written
        case .failure: return fail(.writeFailed)
        }
        output = output.dropFirst(count)
        watch(output.isEmpty ? .readable : [.readable, .writable])
    }

    private func write(_ bytes: ArraySlice<UInt8>) -> Result<Int, SystemError> {
        if let session {
            switch session.write(bytes) {
            case .done(let count): return .success(count)
            case .wants: return .success(0)
            case .failed, .closed: return .failure(SystemError("send", .ioError))
            }
        }
        let number = socket.rawValue
        return Result { () throws(SystemError) in
            try systemCallUnlessBlocked("send") {
                bytes.withUnsafeBytes {
                    send(number, $0.baseAddress, $0.count, CLINUX_MSG_NOSIGNAL)
                }
            } ?? 0
        }
    }

    private func receive() {
        var buffer = [UInt8](repeating: 0, count: Self.bufferBytes)
        // All there is: what an encrypted session has read already is not announced again.
        while socket.isOpen {
            switch read(&buffer) {
            case .done(let count):
                if transport.isStream { arm() }
                perform(dialogue.receive(Array(buffer.prefix(count))))
            case .wants: return
            case .closed: return perform(dialogue.end())
            case .failed(let code): return fail(.readFailed(code.rawValue, code.description))
            }
        }
    }

    private func read(_ buffer: inout [UInt8]) -> TLSSession.Outcome {
        if let session { return session.read(&buffer) }
        let number = socket.rawValue
        let size = buffer.count
        do throws(SystemError) {
            let count = try systemCallUnlessBlocked("read") { recv(number, &buffer, size, 0) }
            guard let count else { return .wants(.readable) }
            return count == 0 && transport.isStream ? .closed : .done(count)
        } catch {
            return .failed(error.code)
        }
    }
}

extension ConnectionProbe.Transport {
    var isStream: Bool {
        switch self {
        case .stream, .encrypted: true
        case .datagram, .echo: false
        }
    }

    fileprivate var hasPorts: Bool { if case .echo = self { false } else { true } }

    /// Type and protocol of its socket.
    fileprivate func numbers(_ family: IPAddress.Family) -> (CInt, CInt) {
        switch self {
        case .stream, .encrypted: (CInt(SOCK_STREAM.rawValue), CInt(IPPROTO_TCP))
        case .datagram: (CInt(SOCK_DGRAM.rawValue), CInt(IPPROTO_UDP))
        case .echo:
            (
                CInt(SOCK_DGRAM.rawValue),
                family == .v4 ? CInt(IPPROTO_ICMP) : CInt(IPPROTO_ICMPV6)
            )
        }
    }
}
