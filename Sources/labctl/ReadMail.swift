import ArgumentParser
import LabKit
import LinuxSystem
import Mail

struct ReadMail: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mail", abstract: "Show the mail that a user of a node has got.")

    @OptionGroup var lab: LabOption
    @Option(help: "How to print it.") var format = Format.text
    @Argument(help: "The node.", completion: .nodes) var node: String
    @Argument(help: "The user.") var user = "root"

    func validate() throws {
        if user.isEmpty || user.contains("/") { throw ValidationError("'\(user)' is no user") }
    }

    func run() throws {
        let path = MailSpool.path(of: user)
        // A mailbox that is not there is an empty one; one that cannot be read is an error.
        let result = try lab.client().execute(
            ["sh", "-c", "[ ! -e \"$1\" ] || exec cat \"$1\"", "sh", path], on: node,
            as: "mail of \(user) on \(node)")
        guard result.status == 0 else { throw LabError.failed("\(node): \(result.errors)") }
        let messages = Mailbox.messages(Array(result.output.utf8))
        switch format {
        case .json: try printJSON(messages.map(Letter.init))
        case .text:
            if messages.isEmpty { printError("no mail for \(user) on \(node)") }
            for (number, message) in messages.enumerated() {
                if number > 0 { printLine("") }
                for name in ["From", "To", "Date", "Subject"] {
                    if let value = message[name] { printLine(Style.bold("\(name): ") + value) }
                }
                printLine("")
                printText(message.body)
            }
        }
    }

    /// A message as JSON.
    private struct Letter: Encodable {
        var from: String?
        var to: String?
        var date: String?
        var subject: String
        var body: String

        init(_ message: MailMessage) {
            from = message["From"]
            to = message["To"]
            date = message["Date"]
            subject = message.subject
            body = message.body
        }
    }
}
