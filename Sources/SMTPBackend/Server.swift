import CLinux
import Glibc
import LinuxSystem
import Mail
import SystemPackage

/// The mail server: a conversation for each connection, a mailbox for each user.
final class Server {
    /// The most conversations at a time.
    static let maximumConversations = 100

    private let loop: EventLoop
    private let listener: SharedDescriptor
    private let signals: SignalDescriptor
    private let port: UInt16
    private let folder: String
    private var conversations: [ObjectIdentifier: Conversation] = [:]

    /// Listens from now on.
    ///
    /// - Parameter folder: where the mailboxes are.
    /// - Throws: ``SystemError``, for a port that is taken.
    init(port: UInt16, folder: String) throws(SystemError) {
        loop = try EventLoop()
        listener = try TCPSocket.listen(port: port)
        signals = try SignalDescriptor([SIGTERM, SIGINT])
        self.port = port
        self.folder = folder
        try loop.add(signals.descriptor.rawValue, .readable) { [unowned self] _ in
            if !signals.drain().isEmpty { loop.stop() }
        }
        try loop.add(listener.rawValue, .readable) { [unowned self] _ in accept() }
    }

    /// Serves until a signal ends it.
    func run() throws(SystemError) {
        StandardError.print("taking mail on port \(port)")
        try ReadyNotification.send()
        try loop.run()
    }

    private func accept() {
        do {
            while let socket = try TCPSocket.accept(listener) {
                guard conversations.count < Self.maximumConversations else {
                    // RFC 5321 §3.8: told before it is closed; whether it hears it or not.
                    _ = send(
                        socket.rawValue, "421 too busy\r\n", 14,
                        CLINUX_MSG_NOSIGNAL | CLINUX_MSG_DONTWAIT)
                    continue
                }
                let conversation = try Conversation(
                    socket, loop: loop, deliver: { [unowned self] in deliver($0) },
                    onEnd: { [unowned self] in conversations[$0] = nil })
                conversations[ObjectIdentifier(conversation)] = conversation
            }
        } catch { StandardError.print("smtp-backend: cannot \(error)") }
    }

    /// Stores a message in every recipient's mailbox.
    private func deliver(_ envelope: SMTPSession.Envelope) -> SMTPSession.Delivery {
        do {
            let users = try UserDatabase.ofMachine()
            let message = envelope.stored(
                by: HostInformation.hostName, date: HostInformation.mailDate())
            let entry = Mailbox.entry(
                message, from: envelope.sender, date: HostInformation.localTime)
            for name in envelope.recipients {
                guard let user = users.user(name) else { continue }
                try MailSpool.append(
                    entry, to: user, group: users.groupID("mail") ?? user.groupID, in: folder)
                let subject = MailMessage(envelope.message).subject
                StandardError.print("mail for \(name) from <\(envelope.sender)>: \(subject)")
            }
            return .stored
        } catch {
            StandardError.print("smtp-backend: cannot \(error)")
            return .failed("\(error)")
        }
    }
}
