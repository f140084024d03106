import Testing

@testable import Mail

@Suite("Mailboxes and messages")
struct MailboxTests {
    private let date = "Sun Nov 22 02:26:13 2026"

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test("an entry begins with its From line, ends with an empty one, and quotes what looks alike")
    func entry() {
        let message = "Subject: x\n\nFrom here\n>From there\nFrom: not\nlast"
        #expect(
            text(Mailbox.entry(Array(message.utf8), from: "root@a", date: date)) == """
                From root@a \(date)
                Subject: x

                >From here
                >>From there
                From: not
                last


                """)
        #expect(text(Mailbox.entry([], from: "", date: date)) == "From MAILER-DAEMON \(date)\n\n")
    }

    @Test("what was stored is read again, byte for byte, whatever it looks like")
    func roundTrip() {
        let messages = [
            "Subject: one\n\nbody\n", "Subject: two\n\nFrom me\n>From you\n\n\n",
            "Subject: three\n\n",
        ]
        let file = messages.flatMap { Mailbox.entry(Array($0.utf8), from: "a", date: date) }
        #expect(Mailbox.messages(file).map { text($0.bytes) } == messages)
        #expect(Mailbox.messages([]).isEmpty)
        #expect(Mailbox.messages(Array("no mailbox\n".utf8)).isEmpty)
    }

    @Test("header fields are unfolded and found whatever their case; the rest is the body")
    func message() {
        let message = MailMessage(
            Array("Subject: a\r\n\tb\r\nTo: Root <root@x>, admin\r\n\r\nbody\r\n".utf8))
        #expect(message["SUBJECT"] == "a\tb")
        #expect(message.subject == "a\tb")
        #expect(message.body == "body\n")
        #expect(message.recipients == ["root@x", "admin"])
        #expect(MailMessage(Array("just text\nand more\n".utf8)).body == "just text\nand more\n")
        #expect(MailMessage([UInt8]()).fields.isEmpty)
    }

    @Test("the server says who has sent it and how it came")
    func trace() {
        let envelope = SMTPSession.Envelope(
            sender: "root@master", recipients: ["root"], message: Array("Subject: x\n\n".utf8),
            client: "master")
        #expect(
            text(envelope.stored(by: "slave", date: "DATE")) == """
                Return-Path: <root@master>
                Received: from master by slave with SMTP; DATE
                Subject: x


                """)
    }

    @Test(
        "addresses as people write them",
        arguments: [
            ("root", ["root"]), ("a@b, c", ["a@b", "c"]), ("The Root <root@x>", ["root@x"]),
            ("", []), (" , ", []),
        ])
    func addresses(text: String, expected: [String]) { #expect(MailAddress.list(text) == expected) }
}
