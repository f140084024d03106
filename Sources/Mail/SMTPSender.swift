/// The client's side of a conversation in SMTP (RFC 5321): the server's replies go in, commands
/// come out. One message, then QUIT.
public struct SMTPSender: Sendable {
    /// What the shell does, in order.
    public enum Action: Equatable, Sendable {
        case send([UInt8])
        /// The server has taken the message.
        case delivered
        /// It has not: its reply, or what was wrong with that.
        case refused(String)
    }

    private enum Step {
        case greeting, hello, mail
        /// So many recipients have been accepted.
        case recipient(Int)
        case data, message, over
    }

    /// Octets that a reply's line may have; RFC 5321 §4.5.3.1.5 allows 512.
    public static let maximumLineBytes = 4096

    private let hostname: String
    private let envelope: SMTPSession.Envelope
    private var step = Step.greeting
    private var pending: [UInt8] = []

    /// - Parameter envelope: what is to be sent; its recipients are whole addresses.
    public init(hostname: String, _ envelope: SMTPSession.Envelope) {
        self.hostname = hostname
        self.envelope = envelope
    }

    /// Takes what has arrived.
    public mutating func receive(_ bytes: some Sequence<UInt8>) -> [Action] {
        pending.append(contentsOf: bytes)
        var actions: [Action] = []
        while let end = pending.firstIndex(of: .lineFeed) {
            let line = String(
                decoding: pending[..<end].filter { $0 != .carriageReturn }, as: UTF8.self)
            pending.removeFirst(end + 1)
            // Of a reply of several lines, the last one has no hyphen behind its code (§4.2.1).
            let isLast = line.utf8.dropFirst(3).first != UInt8(ascii: "-")
            if isLast { actions += handle(line) }
        }
        guard pending.count > Self.maximumLineBytes else { return actions }
        // Nothing that comes after it is waited for, or kept.
        pending = []
        return actions + handle("a line of more than \(Self.maximumLineBytes) octets")
    }

    private mutating func handle(_ reply: String) -> [Action] {
        let wanted: Character
        switch step {
        case .data: wanted = "3"
        case .over: return []
        case .greeting, .hello, .mail, .recipient, .message: wanted = "2"
        }
        guard reply.first == wanted else {
            step = .over
            return [.refused(reply), say("QUIT")]
        }
        switch step {
        case .greeting:
            step = .hello
            return [say("HELO \(hostname)")]
        case .hello:
            step = .mail
            return [say("MAIL FROM:<\(envelope.sender)>")]
        case .mail:
            step = .recipient(0)
            return nextRecipient(0)
        case .recipient(let count): return nextRecipient(count)
        case .data:
            step = .message
            return [.send(Self.stuffed(envelope.message))]
        case .message:
            step = .over
            return [.delivered, say("QUIT")]
        case .over: return []
        }
    }

    private mutating func nextRecipient(_ count: Int) -> [Action] {
        guard count < envelope.recipients.count else {
            step = .data
            return [say("DATA")]
        }
        step = .recipient(count + 1)
        return [say("RCPT TO:<\(envelope.recipients[count])>")]
    }

    private func say(_ command: String) -> Action { .send(Array("\(command)\r\n".utf8)) }

    /// A message as it is transported: lines ended by CR LF, a dot put before every one that begins
    /// with one (§4.5.2), and the end.
    static func stuffed(_ message: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var lines = message.split(separator: .lineFeed, omittingEmptySubsequences: false)
        if lines.last?.isEmpty ?? false { lines.removeLast() }
        for line in lines {
            if line.first == .dot { result.append(.dot) }
            result.append(contentsOf: line.last == .carriageReturn ? line.dropLast() : line)
            result += [.carriageReturn, .lineFeed]
        }
        return result + [.dot, .carriageReturn, .lineFeed]
    }
}
