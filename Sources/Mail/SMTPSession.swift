/// The server's side of a conversation in SMTP (RFC 5321): the client's bytes go in, replies and
/// messages come out.
///
/// A value without sockets, clocks or files. Commands may be pipelined (RFC 2920).
public struct SMTPSession: Sendable {
    /// The largest message, in bytes, as it is told to the client (SIZE, RFC 1870).
    public static let maximumMessageBytes = 10 << 20
    /// The longest command line with its end (RFC 5321 §4.5.3.1.4).
    public static let maximumLineBytes = 512
    /// The most recipients of a message (§4.5.3.1.8).
    public static let maximumRecipients = 100
    /// Commands that are no commands, after which the conversation is over.
    public static let maximumErrors = 20

    /// What the shell does, in order.
    public enum Action: Equatable, Sendable {
        /// Send these lines; CR LF follows the last one, too.
        case reply(String)
        /// Store that message, and say how that went by ``delivered(_:)``. Nothing is read
        /// meanwhile.
        case deliver(Envelope)
        /// Close the connection, once what was said has gone out.
        case close
    }

    /// A message with those it is from and for.
    public struct Envelope: Equatable, Sendable {
        /// The address of whoever sends it; empty for a bounce.
        public var sender: String
        /// The users it is for, each once.
        public var recipients: [String]
        /// The message, its lines ended by LF.
        public var message: [UInt8]
        /// What the client calls itself.
        public var client: String

        public init(sender: String, recipients: [String], message: [UInt8], client: String) {
            self.sender = sender
            self.recipients = recipients
            self.message = message
            self.client = client
        }
    }

    /// What became of a message.
    public enum Delivery: Equatable, Sendable {
        case stored
        /// It could not be: why.
        case failed(String)
    }

    private enum State: Equatable {
        /// Commands are read.
        case commands
        /// A message is read.
        case data
        /// A message is being stored.
        case delivering
        case closed
    }

    private let hostname: String
    private let isUser: @Sendable (String) -> Bool
    private var state = State.commands
    private var client: String?
    private var sender: String?
    private var recipients: [String] = []
    private var pending: [UInt8] = []
    private var message: [UInt8] = []
    private var isTooLong = false
    private var isLineTooLong = false
    private var errors = 0

    /// Begins a conversation; ``greeting`` is what the server says first.
    ///
    /// - Parameters:
    ///   - hostname: what the server calls itself.
    ///   - isUser: whether a mailbox of that name is the server's. What stands behind the `@` of an
    ///     address is of no account: a toy has nowhere else to send it.
    public init(hostname: String, isUser: @escaping @Sendable (String) -> Bool) {
        self.hostname = hostname
        self.isUser = isUser
    }

    /// What the server says first (§3.1).
    public var greeting: Action { .reply("220 \(hostname) ESMTP") }

    /// Takes what has arrived.
    public mutating func receive(_ bytes: some Sequence<UInt8>) -> [Action] {
        pending.append(contentsOf: bytes)
        return proceed()
    }

    /// Takes what became of the message that was to be delivered.
    public mutating func delivered(_ delivery: Delivery) -> [Action] {
        guard state == .delivering else { return [] }
        state = .commands
        forgetMail()
        let reply: Action =
            switch delivery {
            case .stored: .reply("250 2.0.0 stored")
            case .failed(let reason): .reply("451 4.3.0 not stored: \(reason)")
            }
        return [reply] + proceed()
    }

    private mutating func proceed() -> [Action] {
        var actions: [Action] = []
        while let line = takeLine() {
            switch state {
            case .commands: actions += command(line)
            case .data: actions += data(line)
            case .delivering, .closed: break
            }
        }
        if state == .closed { pending = [] }
        return actions
    }

    /// The next line with its end, if it is there. A command may end with LF alone, as a person
    /// types it; in a message only CR LF ends a line (§2.3.8), or else one server's end of a
    /// message would be another's middle.
    private mutating func takeLine() -> ArraySlice<UInt8>? {
        guard state == .commands || state == .data else { return nil }
        var end: Int?
        for index in pending.indices where pending[index] == .lineFeed {
            if state == .commands || index > 0 && pending[index - 1] == .carriageReturn {
                end = index
                break
            }
        }
        guard let end else {
            limitPending()
            return nil
        }
        defer { pending.removeFirst(end + 1) }
        return pending[...end]
    }

    /// Throws away what is no line and never will be one of bearable length.
    private mutating func limitPending() {
        if state == .commands, pending.count > Self.maximumLineBytes {
            pending = []
            isLineTooLong = true
        } else if pending.count > Self.maximumMessageBytes {
            // A CR at its end may be the first half of a line's end.
            pending = pending.last.map { [$0] } ?? []
            isTooLong = true
        }
    }

    // MARK: The message

    private mutating func data(_ line: ArraySlice<UInt8>) -> [Action] {
        if Array(line) == [.dot, .carriageReturn, .lineFeed] { return endOfData() }
        // A dot at the beginning of a line was put there for transport (§4.5.2).
        let text = line.first == .dot ? line.dropFirst() : line
        guard !isTooLong, message.count + text.count <= Self.maximumMessageBytes else {
            isTooLong = true
            message = []
            return []
        }
        message.append(contentsOf: text.dropLast(2))
        message.append(.lineFeed)
        return []
    }

    private mutating func endOfData() -> [Action] {
        guard !isTooLong else {
            state = .commands
            forgetMail()
            return [.reply("552 5.3.4 more than \(Self.maximumMessageBytes) bytes")]
        }
        state = .delivering
        return [
            .deliver(
                Envelope(
                    sender: sender ?? "", recipients: recipients, message: message,
                    client: client ?? ""))
        ]
    }

    private mutating func forgetMail() {
        sender = nil
        recipients = []
        message = []
        isTooLong = false
    }

    // MARK: Commands

    private mutating func command(_ line: ArraySlice<UInt8>) -> [Action] {
        guard line.count <= Self.maximumLineBytes, !isLineTooLong else {
            isLineTooLong = false
            return error("500 5.5.2 a line of more than \(Self.maximumLineBytes) bytes")
        }
        let text = String(decoding: line, as: UTF8.self).trimmingEnd()
        let words = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        let verb = words[0].uppercased()
        let argument = words.count > 1 ? String(words[1]).trimmingSpaces() : ""
        switch verb {
        case "HELO", "EHLO": return hello(argument, isExtended: verb == "EHLO")
        case "MAIL": return mail(argument)
        case "RCPT": return recipient(argument)
        case "DATA": return beginData(argument)
        case "RSET":
            forgetMail()
            return [.reply("250 2.0.0 forgotten")]
        case "NOOP": return [.reply("250 2.0.0 nothing done")]
        case "VRFY": return verify(argument)
        case "HELP": return [.reply("214 2.0.0 HELO EHLO MAIL RCPT DATA RSET NOOP VRFY QUIT")]
        case "QUIT":
            state = .closed
            return [.reply("221 2.0.0 \(hostname) closes"), .close]
        case "EXPN", "TURN", "AUTH", "STARTTLS": return error("502 5.5.1 not implemented")
        default: return error("500 5.5.1 no such command")
        }
    }

    /// A reply to what should not have been said; too many of them are the last.
    private mutating func error(_ reply: String) -> [Action] {
        errors += 1
        guard errors >= Self.maximumErrors else { return [.reply(reply)] }
        state = .closed
        return [.reply(reply), .reply("421 4.7.0 too many errors"), .close]
    }

    private mutating func hello(_ name: String, isExtended: Bool) -> [Action] {
        guard !name.isEmpty else { return error("501 5.5.4 who are you?") }
        client = name
        forgetMail()
        guard isExtended else { return [.reply("250 \(hostname)")] }
        let lines = [
            "250-\(hostname)", "250-SIZE \(Self.maximumMessageBytes)", "250-8BITMIME",
            "250-ENHANCEDSTATUSCODES", "250 PIPELINING",
        ]
        return [.reply(lines.joined(separator: "\r\n"))]
    }

    private mutating func mail(_ argument: String) -> [Action] {
        guard client != nil else { return error("503 5.5.1 say HELO first") }
        guard sender == nil else { return error("503 5.5.1 one sender is enough") }
        guard let path = SMTPPath(argument, after: "FROM:") else {
            return error("501 5.5.4 MAIL FROM:<address>")
        }
        for parameter in path.parameters {
            let parts = parameter.uppercased().split(separator: "=", maxSplits: 1)
            switch parts.first {
            case "SIZE":
                guard parts.count == 2, let size = UInt64(parts[1]) else {
                    return error("501 5.5.4 SIZE=number")
                }
                if size > UInt64(Self.maximumMessageBytes) {
                    return [.reply("552 5.3.4 more than \(Self.maximumMessageBytes) bytes")]
                }
            case "BODY": continue
            default: return error("555 5.5.4 \(parameter) is not understood")
            }
        }
        sender = path.address
        return [.reply("250 2.1.0 from <\(path.address)>")]
    }

    private mutating func recipient(_ argument: String) -> [Action] {
        guard sender != nil else { return error("503 5.5.1 say MAIL first") }
        guard let path = SMTPPath(argument, after: "TO:"), !path.address.isEmpty else {
            return error("501 5.5.4 RCPT TO:<address>")
        }
        guard path.parameters.isEmpty else {
            return error("555 5.5.4 \(path.parameters[0]) is not understood")
        }
        guard let user = mailbox(of: path.address) else {
            return [.reply("550 5.1.1 no user \(path.localPart) here")]
        }
        guard recipients.count < Self.maximumRecipients else {
            return [.reply("452 4.5.3 too many recipients")]
        }
        if !recipients.contains(user) { recipients.append(user) }
        return [.reply("250 2.1.5 for \(user)")]
    }

    /// The user that an address means. The postmaster, whom every server has (§4.5.1), is root.
    private func mailbox(of address: String) -> String? {
        let name = MailAddress.localPart(of: address)
        if isUser(name) { return name }
        return name.lowercased() == "postmaster" ? "root" : nil
    }

    private mutating func beginData(_ argument: String) -> [Action] {
        guard argument.isEmpty else { return error("501 5.5.4 DATA has no argument") }
        guard sender != nil else { return error("503 5.5.1 say MAIL first") }
        guard !recipients.isEmpty else { return error("554 5.5.1 for nobody") }
        state = .data
        return [.reply("354 end with a dot on a line of its own")]
    }

    private mutating func verify(_ argument: String) -> [Action] {
        guard !argument.isEmpty else { return error("501 5.5.4 VRFY user") }
        let address = argument.filter { $0 != "<" && $0 != ">" }
        guard let user = mailbox(of: address) else {
            return [.reply("550 5.1.1 no user \(address) here")]
        }
        return [.reply("250 2.1.5 <\(user)@\(hostname)>")]
    }
}

/// What stands behind `MAIL FROM:` and `RCPT TO:`: an address in angle brackets, and parameters.
struct SMTPPath: Equatable {
    var address: String
    var parameters: [String]

    /// Reads it; nil for what is none.
    init?(_ argument: String, after keyword: String) {
        guard argument.uppercased().hasPrefix(keyword) else { return nil }
        // Some write a space before the bracket, which no server minds.
        let rest = argument.dropFirst(keyword.count).drop { $0 == " " }
        guard rest.first == "<", let end = rest.firstIndex(of: ">") else { return nil }
        var path = rest[rest.index(after: rest.startIndex)..<end]
        // A source route is read and not used (§4.1.1.3).
        if path.hasPrefix("@"), let colon = path.firstIndex(of: ":") {
            path = path[path.index(after: colon)...]
        }
        let isClean = path.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f }
        guard isClean, path.utf8.count <= 256 else { return nil }
        address = String(path)
        parameters = rest[rest.index(after: end)...].split(separator: " ").map(String.init)
    }

    /// What stands before the `@`.
    var localPart: String { MailAddress.localPart(of: address) }
}

extension UInt8 {
    static let lineFeed = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let dot = UInt8(ascii: ".")
}

extension String {
    /// Without white space at its end.
    fileprivate func trimmingEnd() -> String {
        var text = Substring(self)
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }

    /// Without spaces at both ends.
    fileprivate func trimmingSpaces() -> String {
        String(drop { $0 == " " }).trimmingEnd()
    }
}
