import CLinux
import Glibc
import LabModel
import LinuxSystem
import NetworkTypes
import SystemPackage

/// One HTTP request from inside a node, without blocking: a new connection, `GET`, the whole
/// answer.
///
/// Its socket belongs to the node's network namespace and keeps it alive, so it is cancelled before
/// the node is killed.
final class HTTPFetch {
    private let loop: EventLoop
    private let socket: SharedDescriptor
    private var pendingRequest: ArraySlice<UInt8>
    private var parser = HTTPResponseParser()
    private var timer: EventLoop.TimerID?
    private var completion: ((ProbeResult.Outcome) -> Void)?

    /// Begins the request. `completion` is called once, later; never from within `start`.
    ///
    /// - Parameter pid: the node's first process, in the supervisor's PID namespace.
    static func start(
        _ url: HTTPURL, fromNamespaceOf pid: Int32, timeout: Duration, loop: EventLoop,
        completion: @escaping (ProbeResult.Outcome) -> Void
    ) -> HTTPFetch? {
        do {
            let fetch = try HTTPFetch(url, pid: pid, loop: loop)
            fetch.completion = completion
            try fetch.connect(to: url)
            fetch.timer = loop.schedule(after: timeout) { fetch.finish(.failed("timed out")) }
            return fetch
        } catch {
            let reason = (error as? SystemError)?.code.text ?? "\(error)"
            loop.schedule(after: .zero) { completion(.failed(reason)) }
            return nil
        }
    }

    private init(_ url: HTTPURL, pid: Int32, loop: EventLoop) throws {
        self.loop = loop
        pendingRequest = HTTPRequest(get: url).bytes[...]
        let family = url.address.family == .v4 ? AF_INET : AF_INET6
        let namespace = try NetworkNamespace.of(pid: pid)
        let number = try namespace.run {
            try systemCall("open a socket") {
                Glibc.socket(
                    family,
                    Int32(SOCK_STREAM.rawValue) | CLINUX_SOCK_CLOEXEC | CLINUX_SOCK_NONBLOCK, 0)
            }
        }
        socket = SharedDescriptor(OwnedDescriptor(number))
        // When the other end vanishes with its node, the kernel must not keep this socket, and with
        // it the namespace, in FIN-WAIT.
        var abandon = linger(l_onoff: 1, l_linger: 0)
        setsockopt(number, SOL_SOCKET, SO_LINGER, &abandon, socklen_t(MemoryLayout<linger>.size))
    }

    private func connect(to url: HTTPURL) throws {
        let number = socket.rawValue
        let address = SocketEndpoint(url.address, port: url.port)
        if let reason = address.connect(number), reason != .nowInProgress {
            throw SystemError("connect to \(url.address)", reason)
        }
        // Writability tells how it ended.
        try loop.add(number, [.readable, .writable]) { [self] interest in ready(interest) }
    }

    /// Gives the request up; `completion` is told `reason`.
    func cancel(_ reason: String) { finish(.failed(reason)) }

    private func ready(_ interest: EventLoop.Interest) {
        if !pendingRequest.isEmpty {
            var code: CInt = 0
            var length = socklen_t(4)
            getsockopt(socket.rawValue, SOL_SOCKET, SO_ERROR, &code, &length)
            guard code == 0 else { return finish(.failed(Errno(rawValue: code).text)) }
            sendRequest()
        }
        if interest.contains(.readable) || !interest.isDisjoint(with: .hangUp) { receive() }
    }

    private func sendRequest() {
        let number = socket.rawValue
        do {
            let sent = try systemCallUnlessBlocked("send a request") {
                pendingRequest.withUnsafeBytes {
                    Glibc.send(number, $0.baseAddress, $0.count, CLINUX_MSG_NOSIGNAL)
                }
            }
            pendingRequest = pendingRequest.dropFirst(sent ?? 0)
            if pendingRequest.isEmpty { try loop.modify(number, .readable) }
        } catch {
            finish(.failed(error.code.text))
        }
    }

    private func receive() {
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        let number = socket.rawValue
        do {
            while completion != nil {
                let count = try systemCallUnlessBlocked("receive an answer") {
                    recv(number, &buffer, buffer.count, 0)
                }
                guard let count else { return }
                if count == 0 {
                    let response = try parser.finish()
                    return finish(.answered(status: response.status, body: response.text))
                }
                if let response = try parser.feed(buffer.prefix(count)) {
                    return finish(.answered(status: response.status, body: response.text))
                }
            }
        } catch let error as SystemError {
            finish(.failed(error.code.text))
        } catch {
            finish(.failed("\(error)"))
        }
    }

    private func finish(_ outcome: ProbeResult.Outcome) {
        guard let completion else { return }
        self.completion = nil
        if let timer { loop.cancel(timer) }
        loop.remove(socket.rawValue)
        socket.close()
        completion(outcome)
    }
}
