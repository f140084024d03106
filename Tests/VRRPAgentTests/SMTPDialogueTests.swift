import KeepalivedConf
import NetworkTypes
import Testing
import VRRP

@testable import VRRPAgent

@Suite("Mail: an SMTP session as keepalived 2.2.7 has it (RFC 5321)")
struct SMTPDialogueTests {
    private static let date = "Sat, 21 Nov 2026 16:39:04 +0000"

    /// A session of keepalived 2.2.7 with a small server, S what the server said and C what
    /// keepalived sent, one send(2) a line.
    private static let recorded: [(Character, String)] = [
        ("S", "220 sink ESMTP\r\n"),
        ("C", "HELO localhost\r\n"),
        ("S", "250 OK\r\n"),
        ("C", "MAIL FROM:<ka@example.org>\r\n"),
        ("S", "250 OK\r\n"),
        ("C", "RCPT TO:<root@example.org>\r\n"),
        ("S", "250 OK\r\n"),
        ("C", "RCPT TO:<admin@example.org>\r\n"),
        ("S", "250 OK\r\n"),
        ("C", "DATA\r\n"),
        ("S", "354 go\r\n"),
        (
            "C",
            "Date: Sat, 21 Nov 2026 16:39:04 +0000\r\nFrom: ka@example.org\r\n"
                + "Subject: [lb01] VRRP Instance VI_1 - Entering MASTER state\r\n"
                + "X-Mailer: Keepalived\r\nTo: root@example.org, admin@example.org\r\n\r\n"
                + "=> VRRP Instance is now owning VRRP VIPs <=\r\n\r\n.\r\n"
        ),
        ("S", "250 queued\r\n"),
        ("C", "QUIT\r\n"),
        ("S", "221 bye\r\n"),
    ]

    private func settings(_ lines: String = "") throws -> MailSettings {
        let text = """
            global_defs {
                router_id lb01
                notification_email {
                    root@example.org
                    admin@example.org
                }
                notification_email_from ka@example.org
                smtp_server 127.0.0.1 2525
                smtp_connect_timeout 3
                \(lines)
            }
            """
        return try #require(
            MailSettings(
                Configuration.parse(text, file: "x").configuration.global, localName: nil,
                hostName: "node1", userName: "root"))
    }

    private func dialogue() throws -> SMTPDialogue {
        let mail = try #require(
            TransitionNotice(subject: .instance("VI_1"), transition: .master, priority: 100)
                .mail(routerID: "lb01"))
        return SMTPDialogue(
            try settings(), message: try settings().message(mail, date: Self.date),
            server: "[127.0.0.1]:2525")
    }

    private func text(_ outputs: [SMTPDialogue.Output]) -> [String] {
        outputs.map {
            switch $0 {
            case .send(let bytes): "C " + String(decoding: bytes, as: UTF8.self)
            case .log(let line): "L " + line.text
            case .close: "close"
            }
        }
    }

    @Test("byte for byte what keepalived sends", arguments: [1, 2, 7, 1_000])
    func recordedSession(portion: Int) throws {
        var dialogue = try dialogue()
        var sent: [String] = []
        for (side, line) in Self.recorded where side == "S" {
            // However the answer is cut up on its way.
            var rest = Array(line.utf8)[...]
            while !rest.isEmpty {
                sent += text(dialogue.receive(rest.prefix(portion)))
                rest = rest.dropFirst(portion)
            }
        }
        let said = sent.filter { $0.hasPrefix("C ") }.map { String($0.dropFirst(2)) }
        #expect(said == Self.recorded.filter { $0.0 == "C" }.map(\.1))
        #expect(
            sent.filter { !$0.hasPrefix("C ") } == ["L SMTP alert successfully sent.", "close"])
        #expect(dialogue.hasEnded)
    }

    @Test("§4.2.1: an answer of several lines is one answer")
    func severalLines() throws {
        var dialogue = try dialogue()
        #expect(text(dialogue.receive("220-hello\r\n220-there\r\n".utf8)) == [])
        #expect(text(dialogue.receive("220 sink\r\n".utf8)) == ["C HELO localhost\r\n"])
        #expect(
            text(dialogue.receive("250-sink\n250-SIZE 1\n250 OK\n".utf8))
                == ["C MAIL FROM:<ka@example.org>\r\n"], "bare line feeds are understood")
    }

    @Test("one refused recipient does not cost the other its mail; all of them do")
    func refusedRecipients() throws {
        let refusal =
            "L Error processing RCPT cmd on SMTP server [127.0.0.1]:2525. SMTP status code = 550"
        var one = try dialogue()
        for answer in ["220 x", "250 x", "250 x"] { _ = one.receive((answer + "\r\n").utf8) }
        #expect(
            text(one.receive("550 no\r\n".utf8))
                == [refusal, "C RCPT TO:<admin@example.org>\r\n"])
        var none = one
        #expect(text(one.receive("250 OK\r\n".utf8)) == ["C DATA\r\n"])
        #expect(text(none.receive("550 no\r\n".utf8)) == [refusal, "C QUIT\r\n"])
        #expect(text(none.receive("421 bye\r\n".utf8)) == ["close"], "whatever it says to QUIT")
    }

    @Test(
        "any other refusal ends the session politely",
        arguments: [
            (["554 go away"], "(E)SMTP", 554), (["220 x", "500 what"], "HELO", 500),
            (["220 x", "250 x", "451 later"], "MAIL", 451),
            (["220 x", "250 x", "250 x", "250 x", "250 x", "nonsense"], "DATA", 0),
            (["220 x", "250 x", "250 x", "250 x", "250 x", "354 x", "552 full"], "BODY", 552),
        ])
    func refusal(answers: [String], command: String, status: Int) throws {
        var dialogue = try dialogue()
        var last: [String] = []
        for answer in answers { last = text(dialogue.receive((answer + "\r\n").utf8)) }
        #expect(
            last == [
                "L Error processing \(command) cmd on SMTP server [127.0.0.1]:2525."
                    + " SMTP status code = \(status)", "C QUIT\r\n",
            ])
    }

    @Test("a silent server is told QUIT once, a closed connection is the end")
    func silence() throws {
        var dialogue = try dialogue()
        _ = dialogue.receive("220 x\r\n".utf8)
        let timeout = "L Timeout reading data to remote SMTP server [127.0.0.1]:2525."
        #expect(text(dialogue.timeOut()) == [timeout, "C QUIT\r\n"])
        #expect(text(dialogue.timeOut()) == [timeout, "close"])
        #expect(dialogue.hasEnded)

        var closed = try self.dialogue()
        #expect(
            text(closed.peerClosed()) == [
                "L Remote SMTP server [127.0.0.1]:2525 has closed the connection.", "close",
            ])
        #expect(closed.peerClosed() == [])
    }

    @Test("a server that never ends its line is not listened to for ever")
    func overlongAnswer() throws {
        var dialogue = try dialogue()
        let complaint =
            "L Received buffer from remote SMTP server [127.0.0.1]:2525 overflow our get read"
            + " buffer length."
        let endless = [UInt8](repeating: 0x32, count: 100_000)
        #expect(text(dialogue.receive(endless)) == [complaint, "C QUIT\r\n", complaint, "close"])
        #expect(dialogue.receive(endless) == [])
    }

    @Test(
        "§4.5.2: a line that begins with a dot gets another; no line feed makes a line of its own")
    func dots() throws {
        let message = String(
            decoding: try settings().message(
                .init(subject: "a\nBcc: x", body: ".hidden"), date: "D"), as: UTF8.self)
        #expect(message.contains("\r\nSubject: a Bcc: x\r\n"))
        #expect(message.hasSuffix("\r\n\r\n..hidden\r\n\r\n.\r\n"))
    }

    @Test("RFC 5322 §2.1.1: a To header of many recipients is folded, one of a few is not")
    func folding() throws {
        var settings = try settings()
        settings.recipients = (0..<100).map { "somebody-\($0)@mail.example.org" }
        let message = String(
            decoding: settings.message(.init(subject: "s", body: "b"), date: "D"), as: UTF8.self)
        let lines = message.split(separator: "\r\n", omittingEmptySubsequences: false)
        #expect(lines.allSatisfy { $0.utf8.count <= 998 })
        let to = lines.drop { !$0.hasPrefix("To:") }.prefix { !$0.isEmpty }
        #expect(to.count > 3)
        #expect(to.dropFirst().allSatisfy { $0.hasPrefix(" somebody-") })
        #expect(
            to.joined() == "To: " + settings.recipients.joined(separator: ", "),
            "unfolded it is the whole list")
    }

    @Test("what is not written is completed from the host's name")
    func defaults() throws {
        let text = """
            global_defs {
                notification_email {
                    root@example.org
                }
                smtp_server mail.example.org
            }
            """
        let global = Configuration.parse(text, file: "x").configuration.global
        let named = try #require(
            MailSettings(
                global, localName: "node1.example.org", hostName: "node1", userName: "root"))
        #expect(named.port == 25)
        #expect(named.timeout == .seconds(30))
        #expect(named.heloName == "node1.example.org")
        #expect(named.sender == "root@node1.example.org")
        #expect(named.routerID == "node1.example.org")
        let nameless = try #require(
            MailSettings(global, localName: nil, hostName: "node1", userName: "root"))
        #expect(nameless.heloName == "localhost")
        #expect(nameless.routerID == "[unknown]")
        #expect(nameless.sender == "root@node1")
        #expect(
            MailSettings(
                GlobalDefinitions(), localName: nil, hostName: "node1", userName: "root") == nil)
    }

    @Test("/etc/hosts knows addresses, and a host's canonical name")
    func hosts() {
        let table = HostTable(
            "127.0.0.1\tlocalhost # comment\n# 9.9.9.9 no\n"
                + "10.0.0.5 Mail.example.org mail\n::1 ip6\nx\n"
        )
        #expect(table.address(of: "mail") == IPAddress("10.0.0.5"))
        #expect(table.address(of: "MAIL.example.ORG") == IPAddress("10.0.0.5"))
        #expect(table.canonicalName(of: "mail") == "Mail.example.org")
        #expect(table.address(of: "ip6") == IPAddress("::1"))
        #expect(table.address(of: "comment") == nil)
        #expect(table.address(of: "no") == nil)
    }
}
