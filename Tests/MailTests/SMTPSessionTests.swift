import Testing

@testable import Mail

/// A server with the users root and admin, as a client sees it.
private struct Server {
    var session = SMTPSession(hostname: "slave") { ["root", "admin"].contains($0) }
    var stored: [SMTPSession.Envelope] = []
    var outcome = SMTPSession.Delivery.stored
    var isClosed = false

    /// Says something; answers what the server replies, line by line.
    mutating func callAsFunction(_ text: String) -> [String] {
        var replies: [String] = []
        var actions = session.receive(Array(text.utf8))
        while !actions.isEmpty {
            switch actions.removeFirst() {
            case .reply(let text): replies += text.split(separator: "\r\n").map(String.init)
            case .deliver(let envelope):
                stored.append(envelope)
                actions = session.delivered(outcome) + actions
            case .close: isClosed = true
            }
        }
        return replies
    }

    /// The codes of what it replies.
    mutating func codes(_ text: String) -> [String] { self(text).map { String($0.prefix(3)) } }

    /// Says who it is, from whom and for whom the message is.
    mutating func begin() {
        _ = self("EHLO master\r\nMAIL FROM:<root@master>\r\nRCPT TO:<root@slave>\r\n")
    }
}

@Suite("SMTP, the server's side")
struct SMTPSessionTests {
    @Test("RFC 5321 §D.1: a conversation, and what is stored of it")
    func conversation() {
        var server = Server()
        #expect(server.session.greeting == .reply("220 slave ESMTP"))
        #expect(server("HELO master\r\n") == ["250 slave"])
        #expect(server.codes("MAIL FROM:<root@master>\r\n") == ["250"])
        #expect(server.codes("RCPT TO:<root@slave>\r\n") == ["250"])
        #expect(server.codes("RCPT TO:<admin>\r\nRCPT TO:<root>\r\n") == ["250", "250"])
        #expect(server.codes("DATA\r\n") == ["354"])
        #expect(server("Subject: hello\r\n\r\nline\r\n") == [])
        #expect(server.codes(".\r\n") == ["250"])
        #expect(server("QUIT\r\n") == ["221 2.0.0 slave closes"])
        #expect(server.isClosed)
        #expect(
            server.stored == [
                SMTPSession.Envelope(
                    sender: "root@master", recipients: ["root", "admin"],
                    message: Array("Subject: hello\n\nline\n".utf8), client: "master")
            ])
    }

    @Test("§4.1.1.1: EHLO tells what the server can do")
    func extensions() {
        var server = Server()
        #expect(
            server("EHLO master\r\n") == [
                "250-slave", "250-SIZE 10485760", "250-8BITMIME", "250-ENHANCEDSTATUSCODES",
                "250 PIPELINING",
            ])
    }

    @Test("§4.5.2: a leading dot is taken away, a dot alone ends, and bytes may come one by one")
    func transparency() {
        var server = Server()
        server.begin()
        _ = server("DATA\r\n")
        for byte in "..one\r\n.two\r\n...\r\n \r\n.\r\n" { _ = server(String(byte)) }
        #expect(String(decoding: server.stored[0].message, as: UTF8.self) == ".one\ntwo\n..\n \n")
    }

    @Test("§2.3.8: in a message a bare LF ends no line, so no dot behind it ends the message")
    func smuggling() {
        var server = Server()
        server.begin()
        _ = server("DATA\r\n")
        #expect(server("one\n.\nMAIL FROM:<evil@master>\r\n.\n.\r\n") == [])
        #expect(server.stored.isEmpty)
        #expect(server.codes(".\r\n") == ["250"])
        #expect(server.stored.count == 1)
    }

    @Test("RFC 2920: commands may come all at once, the message behind DATA too")
    func pipelining() {
        var server = Server()
        let text =
            "EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<root>\r\nDATA\r\nx\r\n.\r\nNOOP\r\nQUIT\r\nNOOP\r\n"
        #expect(
            server.codes(text).suffix(6) == ["250", "250", "354", "250", "250", "221"])
        #expect(server.stored.first?.sender == "")
    }

    @Test(
        "commands out of turn, wrong ones, and what is not for this server",
        arguments: [
            ("MAIL FROM:<a>", "503"), ("HELO", "501"), ("EXPN staff", "502"),
            ("FROBNICATE", "500"), ("", "500"), ("VRFY root", "250"), ("VRFY <admin@x>", "250"),
            ("VRFY nobody", "550"), ("VRFY", "501"), ("noop", "250"), ("HELP", "214"),
            ("RSET", "250"), ("RCPT TO:<root>", "503"), ("DATA", "503"),
        ])
    func fresh(command: String, code: String) {
        var server = Server()
        #expect(server.codes(command + "\r\n") == [code])
    }

    @Test(
        "after HELO",
        arguments: [
            ("MAIL FROM:<a@b> SIZE=100 BODY=8BITMIME", "250"), ("MAIL FROM: <a@b>", "250"),
            ("mail from:<>", "250"), ("MAIL FROM:a@b", "501"), ("MAIL TO:<a>", "501"),
            ("MAIL FROM:<a b>", "501"), ("MAIL FROM:<a> SIZE=99999999", "552"),
            ("MAIL FROM:<a> SIZE=x", "501"), ("MAIL FROM:<a> AUTH=<>", "555"),
            ("MAIL FROM:<@x,@y:a@b>", "250"),
        ])
    func mail(command: String, code: String) {
        var server = Server()
        _ = server("HELO a\r\n")
        #expect(server.codes(command + "\r\n") == [code])
    }

    @Test(
        "after MAIL",
        arguments: [
            ("RCPT TO:<nobody@slave>", "550"), ("RCPT TO:<Postmaster>", "250"),
            ("RCPT TO:<root@elsewhere>", "250"), ("RCPT TO:<>", "501"), ("RCPT root", "501"),
            ("RCPT TO:<root> NOTIFY=NEVER", "555"), ("DATA", "554"), ("MAIL FROM:<b>", "503"),
        ])
    func recipient(command: String, code: String) {
        var server = Server()
        _ = server("HELO a\r\nMAIL FROM:<a>\r\n")
        #expect(server.codes(command + "\r\n") == [code])
    }

    @Test("RSET and a second EHLO forget the message begun, not who the client is")
    func reset() {
        var server = Server()
        server.begin()
        #expect(server.codes("RSET\r\nDATA\r\nMAIL FROM:<a>\r\n") == ["250", "503", "250"])
        #expect(server.codes("HELO b\r\nRCPT TO:<root>\r\n") == ["250", "503"])
    }

    @Test("a message that could not be stored is not taken, and the next one may be")
    func notStored() {
        var server = Server()
        server.outcome = .failed("no space left on device")
        server.begin()
        #expect(
            server("DATA\r\nx\r\n.\r\n").last == "451 4.3.0 not stored: no space left on device")
        server.outcome = .stored
        #expect(
            server.codes("MAIL FROM:<a>\r\nRCPT TO:<root>\r\nDATA\r\ny\r\n.\r\n").last == "250")
        #expect(server.stored.last?.message == Array("y\n".utf8))
    }

    @Test("§4.5.3: what is too long is refused, and costs no memory")
    func limits() {
        var server = Server()
        #expect(server.codes(String(repeating: "x", count: 600)) == [])
        #expect(server.codes("\r\n") == ["500"])
        server.begin()
        #expect(server.codes("DATA\r\n") == ["354"])
        let chunk = String(repeating: String(repeating: "x", count: 998) + "\r\n", count: 1000)
        for _ in 0..<11 { #expect(server(chunk) == []) }
        #expect(server.codes(".\r\n") == ["552"])
        #expect(server.stored.isEmpty)
        #expect(server.codes("NOOP\r\n") == ["250"])
    }

    @Test("a message without line ends is thrown away as it comes, and its end is still found")
    func endlessLine() {
        var server = Server()
        server.begin()
        _ = server("DATA\r\n")
        let chunk = String(repeating: "x", count: 1 << 20)
        for _ in 0..<12 { _ = server(chunk) }
        #expect(server.codes("\r\n.\r\n") == ["552"])
    }

    @Test("who only talks nonsense is sent away")
    func nonsense() {
        var server = Server()
        for _ in 1..<SMTPSession.maximumErrors { #expect(server.codes("X\r\n") == ["500"]) }
        #expect(server.codes("X\r\n") == ["500", "421"])
        #expect(server.isClosed)
        #expect(server.codes("NOOP\r\n") == [])
    }

    @Test("a hundred recipients and no more")
    func manyRecipients() {
        var session = SMTPSession(hostname: "slave") { _ in true }
        _ = session.receive(Array("HELO a\r\nMAIL FROM:<a>\r\n".utf8))
        for number in 0..<100 {
            _ = session.receive(Array("RCPT TO:<u\(number)>\r\n".utf8))
        }
        #expect(
            session.receive(Array("RCPT TO:<last>\r\n".utf8))
                == [.reply("452 4.5.3 too many recipients")])
    }
}

@Suite("SMTP, the client's side")
struct SMTPSenderTests {
    private let envelope = SMTPSession.Envelope(
        sender: "root@master", recipients: ["root@slave", "admin"],
        message: Array("Subject: x\n\n.dot\nlast".utf8), client: "master")

    /// Lets client and server talk; answers what the client came to.
    private func talk(_ server: inout Server) -> [SMTPSender.Action] {
        var sender = SMTPSender(hostname: "master", envelope)
        var outcome: [SMTPSender.Action] = []
        var said = "220-slave\r\n220 ESMTP\r\n"
        while !said.isEmpty {
            let actions = sender.receive(Array(said.utf8))
            said = ""
            for action in actions {
                if case .send(let bytes) = action {
                    said += server(String(decoding: bytes, as: UTF8.self))
                        .map { $0 + "\r\n" }.joined()
                } else {
                    outcome.append(action)
                }
            }
        }
        return outcome
    }

    @Test("what it sends arrives as it was")
    func delivers() {
        var server = Server()
        #expect(talk(&server) == [.delivered])
        #expect(server.isClosed)
        #expect(server.stored.first?.recipients == ["root", "admin"])
        #expect(
            server.stored.first?.message == Array("Subject: x\n\n.dot\nlast\n".utf8))
    }

    @Test("a refusal is told in the server's words, and the conversation ends")
    func refused() {
        var server = Server()
        server.session = SMTPSession(hostname: "slave") { $0 == "root" }
        #expect(talk(&server) == [.refused("550 5.1.1 no user admin here")])
        #expect(server.isClosed)
        #expect(server.stored.isEmpty)
    }

    @Test("a server whose line does not end is left, and nothing more of it is kept")
    func endless() {
        var sender = SMTPSender(hostname: "master", envelope)
        let part = [UInt8](repeating: UInt8(ascii: "2"), count: 1000)
        var actions: [SMTPSender.Action] = []
        for _ in 0..<100 { actions += sender.receive(part) }
        #expect(
            actions == [
                .refused("a line of more than 4096 octets"), .send(Array("QUIT\r\n".utf8)),
            ])
    }
}
