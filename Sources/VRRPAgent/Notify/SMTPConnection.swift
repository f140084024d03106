import CLinux
import Glibc
import LinuxSystem
import NetworkTypes
import SystemPackage

/// The connection of one ``SMTPDialogue``: never blocks, and takes at most the timeout for each
/// step.
final class SMTPConnection {
    private let loop: EventLoop
    private let log: (LogLine) -> Void
    private let server: String
    private let timeout: Duration
    private let onEnd: () -> Void
    private let socket: SharedDescriptor
    private var dialogue: SMTPDialogue
    private var isConnected = false
    private var output: ArraySlice<UInt8> = []
    private var timer: EventLoop.TimerID?

    /// Begins to connect.
    ///
    /// - Parameter onEnd: called once from the loop when all is over, whatever came of it.
    /// - Throws: ``SystemError`` when not even that is possible; `onEnd` is not called then.
    init(
        _ settings: MailSettings, message: [UInt8], address: IPAddress, loop: EventLoop,
        log: @escaping (LogLine) -> Void, onEnd: @escaping () -> Void
    ) throws(SystemError) {
        self.loop = loop
        self.log = log
        self.onEnd = onEnd
        timeout = settings.timeout
        server = "[\(address)]:\(settings.port)"
        dialogue = SMTPDialogue(settings, message: message, server: server)
        let family = address.family == .v4 ? AF_INET : AF_INET6
        let flags = CLINUX_SOCK_CLOEXEC | CLINUX_SOCK_NONBLOCK
        socket = SharedDescriptor(
            OwnedDescriptor(
                try systemCall("open a socket") {
                    Glibc.socket(family, Int32(SOCK_STREAM.rawValue) | flags, 0)
                }))
        let endpoint = SocketEndpoint(address, port: settings.port)
        if let reason = endpoint.connect(socket.rawValue), reason != .nowInProgress {
            throw SystemError("connect to \(server)", reason)
        }
        try loop.add(socket.rawValue, .writable) { [unowned self] _ in react() }
        arm()
    }

    deinit { release() }

    /// Closes it at once; `onEnd` is not called.
    private func release() {
        if let timer { loop.cancel(timer) }
        timer = nil
        guard socket.isOpen else { return }
        loop.remove(socket.rawValue)
        socket.close()
    }

    private func arm() {
        if let timer { loop.cancel(timer) }
        timer = loop.schedule(after: timeout) { [unowned self] in
            timer = nil
            if isConnected {
                perform(dialogue.timeOut())
            } else {
                end(saying: "Timeout opening connection to remote SMTP server \(server).")
            }
        }
    }

    private func end(saying text: String? = nil) {
        if let text { log(.init(text)) }
        release()
        onEnd()
    }

    private func react() {
        guard isConnected || connected() else { return }
        if !output.isEmpty { flush() }
        if socket.isOpen { receive() }
    }

    /// Whether the connection has come about.
    private func connected() -> Bool {
        var code: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        getsockopt(socket.rawValue, SOL_SOCKET, SO_ERROR, &code, &length)
        guard code == 0 else {
            // keepalived says `smtp fd 14 returned write error` for most of these.
            end(saying: "SMTP connection ERROR to \(server): \(Errno(rawValue: code).text).")
            return false
        }
        isConnected = true
        log(.detail("Remote SMTP server \(server) connected."))
        arm()
        watch()
        return true
    }

    private func watch() {
        do throws(SystemError) {
            try loop.modify(socket.rawValue, output.isEmpty ? .readable : [.readable, .writable])
        } catch {
            end(saying: "\(error)")
        }
    }

    private func receive() {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let number = socket.rawValue
        do throws(SystemError) {
            let count = try systemCallUnlessBlocked("read") { recv(number, &buffer, 4_096, 0) }
            switch count {
            case nil: return
            case 0?: perform(dialogue.peerClosed())
            case let count?: perform(dialogue.receive(buffer.prefix(count)))
            }
        } catch {
            end(saying: "Error reading data from remote SMTP server \(server).")
        }
    }

    private func perform(_ outputs: [SMTPDialogue.Output]) {
        for output in outputs {
            switch output {
            case .log(let line): log(line)
            case .close: return end()
            case .send(let bytes):
                self.output += bytes
                // A timeout is for one answer, however slowly its bytes drip in.
                arm()
            }
        }
        if !output.isEmpty { flush() }
    }

    private func flush() {
        let number = socket.rawValue
        do throws(SystemError) {
            let count = try systemCallUnlessBlocked("send") {
                output.withUnsafeBytes {
                    send(number, $0.baseAddress, $0.count, CLINUX_MSG_NOSIGNAL)
                }
            }
            output = output.dropFirst(count ?? 0)
            watch()
        } catch {
            end(saying: "Cannot send data to remote SMTP server \(server).")
        }
    }
}
