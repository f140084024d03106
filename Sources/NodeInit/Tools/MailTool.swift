import CLinux
import Glibc
import LinuxSystem
import Mail
import NetworkTypes
import NodeProtocol
import SystemPackage

/// `mail` and `sendmail`, where the host has none: hand messages to the node's mail server, or lay
/// them into the mailbox themselves where there is none; `mail` without a recipient shows one.
struct MailTool {
    private static let smtpPort: UInt16 = 25
    /// sysexits.h: nobody of that name.
    private static let noUser: Int32 = 67

    private let console: Console
    private let users: UserDatabase

    init(_ console: Console, users: UserDatabase) {
        self.console = console
        self.users = users
    }

    /// A refusal of the server, or a recipient that there is not: nobody has got the message.
    struct Refusal: Error, Equatable, CustomStringConvertible { var description: String }

    /// The server has gone, and what it has done with the message is not known.
    private struct ServerGone: Error, CustomStringConvertible {
        var description: String { "the mail server has gone" }
    }

    // MARK: mail

    /// Does what the arguments of `mail` say.
    ///
    /// - Parameter input: reads standard input, which is the message's body.
    func mail(_ arguments: [String], input: () throws -> [UInt8]) -> Int32 {
        attempt("mail") {
            let arguments = try MailArguments(arguments)
            guard !arguments.recipients.isEmpty else {
                if arguments.isToBeSent {
                    throw UsageError(
                        message: "mail: no recipient given; -s, -c and -b need one on the line")
                }
                return try show(arguments.user ?? ownName, arguments)
            }
            let sender = arguments.sender ?? ownAddress
            var fields = header(from: sender, to: arguments.recipients)
            if let subject = arguments.subject { fields.append(.init("Subject", subject)) }
            if !arguments.copies.isEmpty {
                fields.append(.init("Cc", arguments.copies.joined(separator: ", ")))
            }
            let body = String(decoding: try input(), as: UTF8.self)
            try deliver(
                MailMessage(fields: fields, body: body), from: sender,
                to: arguments.recipients + arguments.copies + arguments.blindCopies)
            return 0
        }
    }

    private func show(_ user: String, _ arguments: MailArguments) throws -> Int32 {
        let path = MailSpool.path(of: user)
        let messages = FileSystem.exists(path) ? Mailbox.messages(try FileSystem.read(path)) : []
        if messages.isEmpty {
            console.print("No mail for \(user)")
            return 1
        }
        for (number, message) in messages.enumerated() {
            let date = message["Date"] ?? ""
            let sender = message["From"] ?? ""
            if arguments.showsHeaders {
                console.print("\(number + 1)  \(sender)  \(date)  \(message.subject)")
            } else {
                console.print("Message \(number + 1):")
                console.print(String(decoding: message.bytes, as: UTF8.self))
            }
        }
        return 0
    }

    // MARK: sendmail

    /// Does what the arguments of `sendmail` say.
    ///
    /// - Parameter input: reads standard input, which is the whole message.
    func sendmail(_ arguments: [String], input: () throws -> [UInt8]) -> Int32 {
        attempt("sendmail") {
            let arguments = try SendmailArguments(arguments)
            var bytes = try input()
            if !arguments.ignoresDots { bytes = Self.untilDot(bytes) }
            var message = MailMessage(bytes)
            var recipients = arguments.recipients
            if arguments.readsRecipients { recipients += message.recipients }
            guard !recipients.isEmpty else {
                throw UsageError(message: "sendmail: no recipients")
            }
            message.fields.removeAll { $0.name.lowercased() == "bcc" }
            let sender = arguments.sender ?? ownAddress
            let from = arguments.name.map { "\($0) <\(sender)>" } ?? sender
            // What a message must have (RFC 5322 §3.6).
            if message["From"] == nil { message.fields.insert(.init("From", from), at: 0) }
            if message["Date"] == nil {
                message.fields.insert(.init("Date", HostInformation.mailDate()), at: 0)
            }
            try deliver(message, from: sender, to: recipients)
            return 0
        }
    }

    /// What stands before a line that is a dot alone.
    static func untilDot(_ message: [UInt8]) -> [UInt8] {
        let newline = UInt8(ascii: "\n")
        var result: [UInt8] = []
        for line in message.split(separator: newline, omittingEmptySubsequences: false) {
            if Array(line) == [UInt8(ascii: ".")] { return result }
            result += line + [newline]
        }
        return Array(result.dropLast())
    }

    // MARK: Both

    private func attempt(_ program: String, _ body: () throws -> Int32) -> Int32 {
        do {
            return try body()
        } catch let error as UsageError {
            console.printError(error.message)
            return error.status
        } catch let error as Refusal {
            console.printError("\(program): \(error)")
            return Self.noUser
        } catch {
            console.printError("\(program): \(error)")
            return EXIT_FAILURE
        }
    }

    private var ownName: String { users.userName(UserDatabase.ownUserID) ?? "root" }
    private var ownAddress: String { "\(ownName)@\(console.hostname)" }

    private func header(from sender: String, to recipients: [String]) -> [MailMessage.Field] {
        let stamp = MonotonicClock.now.nanoseconds
        return [
            .init("Date", HostInformation.mailDate()),
            .init("To", recipients.joined(separator: ", ")), .init("From", sender),
            // The node's own clock makes it a name that no other message of the node has.
            .init("Message-Id", "<\(stamp).\(getpid())@\(console.hostname)>"),
        ]
    }

    private func deliver(_ message: MailMessage, from sender: String, to recipients: [String])
        throws
    {
        try Self.deliver(to: recipients) { recipients in
            try deliver(
                SMTPSession.Envelope(
                    sender: sender, recipients: recipients, message: message.bytes,
                    client: console.hostname))
        }
    }

    /// Delivers to all at once or, where somebody is refused, to each of the others.
    ///
    /// - Parameter once: delivers to all of those, or refuses and delivers to none.
    /// - Throws: ``Refusal`` for those who have not got it.
    static func deliver(to recipients: [String], once: ([String]) throws -> Void) throws {
        do {
            return try once(recipients)
        } catch let refusal as Refusal {
            guard recipients.count > 1 else { throw refusal }
        }
        var refusals: [String] = []
        for recipient in recipients {
            do {
                try once([recipient])
            } catch let refusal as Refusal { refusals.append(refusal.description) }
        }
        // All at once may have been too many, and nobody wrong.
        guard refusals.isEmpty else { throw Refusal(description: refusals.joined(separator: "; ")) }
    }

    private func deliver(_ envelope: SMTPSession.Envelope) throws {
        let socket: SharedDescriptor
        do {
            socket = try TCPSocket.connect(to: .v4(IPv4Address(127, 0, 0, 1)), port: Self.smtpPort)
        } catch  where Self.meansNoServer(error.code) {
            return try layIntoMailboxes(envelope)
        }
        try send(envelope, over: socket)
    }

    /// Whether it is nobody's listening, or a node without a network.
    private static func meansNoServer(_ code: Errno) -> Bool {
        [.connectionRefused, .networkUnreachable].contains(code)
    }

    private func send(_ envelope: SMTPSession.Envelope, over socket: SharedDescriptor) throws {
        var sender = SMTPSender(hostname: console.hostname, envelope)
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = try systemCall("receive from the mail server") {
                recv(socket.rawValue, &buffer, buffer.count, 0)
            }
            guard count > 0 else { throw ServerGone() }
            for action in sender.receive(buffer.prefix(count)) {
                switch action {
                case .send(let bytes):
                    try FileSystem.writeAll(
                        bytes[...], to: socket.rawValue, name: "to the mail server")
                case .delivered: return
                case .refused(let reply): throw Refusal(description: reply)
                }
            }
        }
    }

    private func layIntoMailboxes(_ envelope: SMTPSession.Envelope) throws {
        let entry = Mailbox.entry(
            envelope.message, from: envelope.sender, date: HostInformation.localTime)
        let recipients = try envelope.recipients.map { address in
            let name = MailAddress.localPart(of: address)
            guard let user = users.user(named: name) else {
                throw Refusal(description: "no user \(name) here")
            }
            return user
        }
        for user in recipients {
            try MailSpool.append(
                entry, to: user, group: users.groupID("mail") ?? user.groupID)
        }
    }
}
