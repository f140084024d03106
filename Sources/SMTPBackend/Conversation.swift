import CLinux
import Glibc
import LinuxSystem
import Mail
import SystemPackage

/// One client: carries bytes between its socket and an ``SMTPSession``.
final class Conversation {
    /// How long a client may say nothing (RFC 5321 §4.5.3.2.7).
    static let patience = Duration.seconds(300)
    private static let bufferBytes = 64 << 10

    private let socket: SharedDescriptor
    private let loop: EventLoop
    private let deliver: (SMTPSession.Envelope) -> SMTPSession.Delivery
    private let onEnd: (ObjectIdentifier) -> Void
    private var session: SMTPSession
    private var outgoing: ArraySlice<UInt8> = []
    private var isClosing = false
    private var timer: EventLoop.TimerID?

    /// Greets the client.
    ///
    /// - Parameters:
    ///   - deliver: stores a message.
    ///   - onEnd: called once, when the connection is over and this object no longer needed.
    init(
        _ socket: SharedDescriptor, loop: EventLoop,
        deliver: @escaping (SMTPSession.Envelope) -> SMTPSession.Delivery,
        onEnd: @escaping (ObjectIdentifier) -> Void
    ) throws(SystemError) {
        self.socket = socket
        self.loop = loop
        self.deliver = deliver
        self.onEnd = onEnd
        let users = try UserDatabase.ofMachine()
        session = SMTPSession(hostname: HostInformation.hostName) { name in
            // A number is no mailbox, though the database makes a user of it.
            UInt32(name) == nil && users.user(name) != nil
        }
        try loop.add(socket.rawValue, .readable) { [unowned self] in handle($0) }
        perform([session.greeting])
        awaitClient()
    }

    private func handle(_ interest: EventLoop.Interest) {
        // Whoever is told of its end lets go of this.
        withExtendedLifetime(self) {
            if interest.contains(.writable) { flush() }
            if socket.isOpen, !isClosing { receive() }
        }
    }

    private func receive() {
        var buffer = [UInt8](repeating: 0, count: Self.bufferBytes)
        do {
            // A client that does not read what it is told is not listened to.
            while outgoing.isEmpty {
                let count = try systemCallUnlessBlocked("receive") {
                    recv(socket.rawValue, &buffer, buffer.count, 0)
                }
                guard let count else { return }
                guard count > 0 else { return end() }
                awaitClient()
                perform(session.receive(buffer.prefix(count)))
                if !socket.isOpen || isClosing { return }
            }
        } catch { end() }  // The client is gone.
    }

    private func perform(_ actions: [SMTPSession.Action]) {
        for action in actions {
            switch action {
            case .reply(let text): outgoing.append(contentsOf: Array("\(text)\r\n".utf8))
            case .deliver(let envelope): perform(session.delivered(deliver(envelope)))
            case .close: isClosing = true
            }
        }
        flush()
    }

    private func flush() {
        guard socket.isOpen else { return }
        do {
            while !outgoing.isEmpty {
                let sent = try systemCallUnlessBlocked("send") {
                    outgoing.withUnsafeBytes {
                        send(socket.rawValue, $0.baseAddress, $0.count, CLINUX_MSG_NOSIGNAL)
                    }
                }
                guard let sent else { break }
                outgoing = outgoing.dropFirst(sent)
            }
            if outgoing.isEmpty, isClosing { return end() }
            try loop.modify(
                socket.rawValue, outgoing.isEmpty ? .readable : [.readable, .writable])
        } catch { end() }
    }

    private func awaitClient() {
        if let timer { loop.cancel(timer) }
        timer = loop.schedule(after: Self.patience) { [unowned self] in
            timer = nil
            isClosing = true
            perform([.reply("421 4.4.2 nothing said for too long")])
        }
    }

    private func end() {
        guard socket.isOpen else { return }
        if let timer { loop.cancel(timer) }
        loop.remove(socket.rawValue)
        socket.close()
        onEnd(ObjectIdentifier(self))
    }
}
