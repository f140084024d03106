/// A client's side of one SMTP session that delivers one mail (RFC 5321), as a value: bytes in,
/// bytes out.
///
/// What is sent equals keepalived 2.2.7's, byte for byte. It is kinder than keepalived in two ways:
/// one refused recipient does not cost the others their mail, and a server that answers QUIT with
/// anything but 221 is left alone, not sent QUIT again for ever.
package struct SMTPDialogue {
    /// What to do, in order.
    package enum Output: Equatable {
        case send([UInt8])
        case log(LogLine)
        /// Close the connection: nothing more comes.
        case close
    }

    /// The next answer is the one to this.
    private enum Stage: Equatable {
        case greeting, helo, mail, recipient(Int), data, body, quit, ended

        /// keepalived's name for it in the log.
        var name: String {
            switch self {
            case .greeting: "(E)SMTP"
            case .helo: "HELO"
            case .mail: "MAIL"
            case .recipient: "RCPT"
            case .data: "DATA"
            case .body: "BODY"
            case .quit, .ended: "QUIT"
            }
        }

        /// The status that means that all is well.
        var expectedStatus: Int {
            switch self {
            case .greeting: 220
            case .helo, .mail, .recipient, .body: 250
            case .data: 354
            case .quit, .ended: 221
            }
        }
    }

    /// The longest line of an answer; keepalived's buffer. (RFC 5321 §4.5.3.1.5 allows 512.)
    static let longestReply = 1_024

    private let settings: MailSettings
    private let message: [UInt8]
    private let server: String
    private var stage = Stage.greeting
    private var line: [UInt8] = []
    private var acceptedRecipients = 0

    /// - Parameters:
    ///   - message: what goes after DATA, its end included.
    ///   - server: `[192.0.2.1]:25`, for the log.
    package init(_ settings: MailSettings, message: [UInt8], server: String) {
        self.settings = settings
        self.message = message
        self.server = server
    }

    package var hasEnded: Bool { stage == .ended }

    /// Takes bytes from the server, in whatever portions they come.
    package mutating func receive(_ bytes: some Sequence<UInt8>) -> [Output] {
        var outputs: [Output] = []
        for byte in bytes {
            guard !hasEnded else { break }
            guard byte == UInt8(ascii: "\n") else {
                line.append(byte)
                if line.count > Self.longestReply { outputs += overflow() }
                continue
            }
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            defer { line = [] }
            // `250-` is followed by more lines of the same answer (RFC 5321 §4.2.1).
            if line.count > 3, line[3] == UInt8(ascii: "-") { continue }
            outputs += answered(status)
        }
        return outputs
    }

    /// The server has not answered in time.
    mutating func timeOut() -> [Output] {
        let line = LogLine("Timeout reading data to remote SMTP server \(server).")
        return [.log(line)] + quit()
    }

    /// The server has closed the connection.
    package mutating func peerClosed() -> [Output] {
        guard !hasEnded else { return [] }
        let isExpected = stage == .quit
        stage = .ended
        if isExpected { return [.close] }
        return [.log(.init("Remote SMTP server \(server) has closed the connection.")), .close]
    }

    /// The status on the current line; 0 when it is none.
    private var status: Int {
        let digits = line.prefix(3)
        guard digits.count == 3, digits.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return 0
        }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    private mutating func answered(_ status: Int) -> [Output] {
        let isGood = status == stage.expectedStatus
        let complaint = Output.log(
            .init(
                "Error processing \(stage.name) cmd on SMTP server \(server)."
                    + " SMTP status code = \(status)"))
        switch stage {
        case .quit, .ended:
            stage = .ended
            return [.close]
        case .recipient(let number):
            // 251: not local, will forward (RFC 5321 §3.4).
            let isAccepted = isGood || status == 251
            if isAccepted { acceptedRecipients += 1 }
            let next = number + 1
            if next < settings.recipients.count {
                stage = .recipient(next)
            } else if acceptedRecipients > 0 {
                stage = .data
            } else {
                return [complaint] + quit()
            }
            return (isAccepted ? [] : [complaint]) + command()
        case .greeting, .helo, .mail, .data, .body:
            guard isGood else { return [complaint] + quit() }
            switch stage {
            case .greeting: stage = .helo
            case .helo: stage = .mail
            case .mail: stage = .recipient(0)
            case .data: stage = .body
            case .body: return [.log(.detail("SMTP alert successfully sent."))] + quit()
            case .recipient, .quit, .ended: preconditionFailure("handled above")
            }
            return command()
        }
    }

    /// The bytes of the stage that has been entered.
    private func command() -> [Output] {
        let text: String
        switch stage {
        case .helo: text = "HELO \(settings.heloName)"
        case .mail: text = "MAIL FROM:<\(settings.sender)>"
        case .recipient(let number): text = "RCPT TO:<\(settings.recipients[number])>"
        case .data: text = "DATA"
        case .body: return [.send(message)]
        case .quit: text = "QUIT"
        case .greeting, .ended: return []
        }
        return [.send(Array((text + "\r\n").utf8))]
    }

    private mutating func quit() -> [Output] {
        guard stage != .quit, stage != .ended else {
            stage = .ended
            return [.close]
        }
        stage = .quit
        return command()
    }

    private mutating func overflow() -> [Output] {
        line = []
        let text =
            "Received buffer from remote SMTP server \(server) overflow our get read buffer length."
        return [.log(.init(text))] + quit()
    }
}
