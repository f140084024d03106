import LinuxSystem
import Testing

@testable import NodeInit

@Suite("mail and sendmail in a node")
struct MailArgumentsTests {
    @Test("mail: subject, sender, copies and recipients")
    func mail() throws {
        let arguments = try MailArguments([
            "-s", "VIP's server", "-c", "admin", "-b", "boss", "-r", "me@here", "root@slave", "you",
        ])
        #expect(arguments.subject == "VIP's server")
        #expect(arguments.sender == "me@here")
        #expect(arguments.copies == ["admin"])
        #expect(arguments.blindCopies == ["boss"])
        #expect(arguments.recipients == ["root@slave", "you"])
        #expect(try MailArguments(["root", "-s", "late"]).subject == "late")
    }

    @Test("mail without a recipient reads")
    func reading() throws {
        #expect(try MailArguments([]).recipients.isEmpty)
        #expect(try MailArguments(["-Hu", "admin"]).user == "admin")
        #expect(try MailArguments(["-H"]).showsHeaders)
        #expect(throws: UsageError(message: "mail: unrecognized option '-Z'")) {
            try MailArguments(["-Z"])
        }
    }

    @Test(
        "mail with a subject or copies and no recipient says so, and shows no mailbox",
        arguments: [["-s", "late"], ["-c", "admin"], ["-b", "boss"], ["-s", ""]])
    func nobody(arguments: [String]) {
        let terminal = Terminal()
        let tool = MailTool(terminal.console, users: UserDatabase(passwd: "", group: ""))
        #expect(tool.mail(arguments) { Array("lost".utf8) } != 0)
        #expect(terminal.output.isEmpty)
        #expect(
            terminal.errors == ["mail: no recipient given; -s, -c and -b need one on the line"])
    }

    @Test("who does not exist keeps nobody else from getting the message, once")
    func refusedRecipient() throws {
        var delivered: [String] = []
        let server: ([String]) throws -> Void = { recipients in
            for name in recipients where name.hasPrefix("no") {
                throw MailTool.Refusal(description: "no user \(name) here")
            }
            delivered += recipients
        }
        try MailTool.deliver(to: ["root", "admin"], once: server)
        #expect(delivered == ["root", "admin"])
        delivered = []
        let refusal = MailTool.Refusal(description: "no user nobody1 here; no user no2 here")
        #expect(throws: refusal) {
            try MailTool.deliver(to: ["root", "nobody1", "no2", "admin"], once: server)
        }
        #expect(delivered == ["root", "admin"])
        #expect(throws: MailTool.Refusal(description: "no user no here")) {
            try MailTool.deliver(to: ["no"], once: server)
        }
    }

    @Test("sendmail: what programs that hand mail over say")
    func sendmail() throws {
        let arguments = try SendmailArguments(["-t", "-oi", "-f", "a@b", "-FRoot", "x", "y@z"])
        #expect(arguments.readsRecipients)
        #expect(arguments.ignoresDots)
        #expect(arguments.sender == "a@b")
        #expect(arguments.name == "Root")
        #expect(arguments.recipients == ["x", "y@z"])
        #expect(try SendmailArguments(["-i", "-bm", "root"]).ignoresDots)
        #expect(throws: UsageError.self) { try SendmailArguments(["-bs"]) }
    }

    @Test("a line that is a dot alone ends the message, unless it is told not to")
    func dots() {
        #expect(MailTool.untilDot(Array("a\n..\n.\nb\n".utf8)) == Array("a\n..\n".utf8))
        #expect(MailTool.untilDot(Array("a\nb".utf8)) == Array("a\nb".utf8))
        #expect(MailTool.untilDot(Array("a\n".utf8)) == Array("a\n".utf8))
    }
}
