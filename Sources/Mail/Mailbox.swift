/// A file of messages in the form that Unix has always had (mbox, RFC 4155): each begins with a
/// line `From SENDER DATE`, and lines of messages that look like that bear a `>`, and those that
/// look like that one more, so that it can be undone (mboxrd).
public enum Mailbox {
    /// A message as it is appended to a mailbox.
    ///
    /// - Parameters:
    ///   - message: its lines ended by LF.
    ///   - sender: the address in the separator; empty for a bounce.
    ///   - date: when it was stored, as ctime(3) writes it: `Sun Nov 22 02:26:13 2026`.
    public static func entry(_ message: [UInt8], from sender: String, date: String) -> [UInt8] {
        let sender = sender.isEmpty ? "MAILER-DAEMON" : sender
        var result = Array("From \(sender) \(date)\n".utf8)
        for line in lines(of: message) {
            if isSeparator(line.drop { $0 == UInt8(ascii: ">") }) {
                result.append(UInt8(ascii: ">"))
            }
            result += line
            result.append(.lineFeed)
        }
        return result + [.lineFeed]
    }

    /// The messages of a mailbox, oldest first.
    public static func messages(_ contents: [UInt8]) -> [MailMessage] {
        var messages: [[UInt8]] = []
        for line in lines(of: contents) {
            if isSeparator(line) {
                messages.append([])
            } else if !messages.isEmpty {
                let isQuoted =
                    line.first == UInt8(ascii: ">")
                    && isSeparator(line.drop { $0 == UInt8(ascii: ">") })
                messages[messages.count - 1] += (isQuoted ? line.dropFirst() : line) + [.lineFeed]
            }
        }
        return messages.map { message in
            // The empty line that ends it is the mailbox's.
            MailMessage(message.suffix(2) == [.lineFeed, .lineFeed] ? message.dropLast() : message)
        }
    }

    private static let separator = Array("From ".utf8)

    private static func isSeparator(_ line: ArraySlice<UInt8>) -> Bool {
        line.starts(with: separator)
    }

    private static func lines(of contents: [UInt8]) -> [ArraySlice<UInt8>] {
        var lines = contents.split(separator: .lineFeed, omittingEmptySubsequences: false)
        if lines.last?.isEmpty ?? false { lines.removeLast() }
        return lines
    }
}

extension SMTPSession.Envelope {
    /// The message as its last server stores it: with who has sent it, and how it came here
    /// (RFC 5321 §4.4).
    ///
    /// - Parameters:
    ///   - hostname: the server.
    ///   - date: now, as mails are dated: `Sun, 22 Nov 2026 02:26:13 +0000`.
    public func stored(by hostname: String, date: String) -> [UInt8] {
        let trace =
            "Return-Path: <\(sender)>\n"
            + "Received: from \(client) by \(hostname) with SMTP; \(date)\n"
        return Array(trace.utf8) + message
    }
}
