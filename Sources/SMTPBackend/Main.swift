import CLinux
import Glibc
import LinuxSystem

/// `smtp-backend`: the toy mail server. It takes mail for the machine's users and keeps it in
/// mailboxes, and sends none anywhere.
@main
struct Main {
    private static let usage = """
        USAGE: smtp-backend [--port NUMBER] [--spool FOLDER]

        Takes mail by SMTP (RFC 5321) for the users of /etc/passwd, whatever stands behind the @ of
        their addresses, and appends it to FOLDER/USER in the mbox form.

          --port NUMBER    the TCP port, at all addresses (default: 25)
          --spool FOLDER   where the mailboxes are (default: \(MailSpool.folder))
        """

    static func main() {
        var port: UInt16 = 25
        var folder = MailSpool.folder
        var words = CommandLine.arguments.dropFirst()
        while let word = words.popFirst() {
            switch (word, words.first) {
            case ("--help", _), ("-h", _):
                print(usage)
                exit(0)
            case ("--port", let value?) where UInt16(value) != nil:
                port = UInt16(value) ?? port
                words.removeFirst()
            case ("--spool", let value?) where value.hasPrefix("/"):
                folder = value
                words.removeFirst()
            default:
                StandardError.print("smtp-backend: '\(word)' is not understood\n\(usage)")
                exit(2)
            }
        }
        SignalDescriptor.blockAll()
        do {
            try Server(port: port, folder: folder).run()
        } catch {
            StandardError.print("smtp-backend: cannot \(error)")
            exit(1)
        }
    }
}
