import Mail

/// A command line of `mail` (mailx(1)), understood.
package struct MailArguments: Equatable {
    var subject: String?
    var sender: String?
    var copies: [String] = []
    var blindCopies: [String] = []
    /// Nobody: mail is to be read.
    package var recipients: [String] = []
    /// Whose mail is to be read; nil for one's own.
    var user: String?
    /// Only what the messages are about.
    var showsHeaders = false

    private static let valued: Set<String> = ["-s", "-r", "-c", "-b", "-u", "-a", "-S"]
    private static let ignored: Set<String> = ["-n", "-v", "-i", "-E", "-a", "-S", "-N"]

    /// Whether it says something of a message that is to be sent.
    var isToBeSent: Bool { subject != nil || !copies.isEmpty || !blindCopies.isEmpty }

    init() {}

    /// Reads the arguments, without the program's own name.
    package init(_ arguments: [String]) throws(UsageError) {
        var reader = OptionReader(arguments)
        while let word = try reader.next(withValue: Self.valued) {
            switch word {
            case .plain(let address): recipients += MailAddress.list(address)
            case .option("-s", let value?): subject = value
            case .option("-r", let value?): sender = value
            case .option("-c", let value?): copies += MailAddress.list(value)
            case .option("-b", let value?): blindCopies += MailAddress.list(value)
            case .option("-u", let value?): user = value
            case .option("-H", _): showsHeaders = true
            case .option(let name, _):
                guard Self.ignored.contains(name) else {
                    throw UsageError(message: "mail: unrecognized option '\(name)'")
                }
            }
        }
    }
}

/// A command line of `sendmail` (sendmail(8)), as far as programs use it to hand mail over.
package struct SendmailArguments: Equatable {
    /// The message itself says whom it is for.
    var readsRecipients = false
    /// A line that is a dot alone is part of the message.
    var ignoresDots = false
    var sender: String?
    /// The sender's name, beside the address.
    var name: String?
    package var recipients: [String] = []

    private static let valued: Set<String> = ["-f", "-r", "-F", "-o", "-b", "-B", "-N", "-R", "-V"]

    init() {}

    /// Reads the arguments, without the program's own name.
    package init(_ arguments: [String]) throws(UsageError) {
        var reader = OptionReader(arguments)
        while let word = try reader.next(withValue: Self.valued) {
            switch word {
            case .plain(let address): recipients += MailAddress.list(address)
            case .option("-t", _): readsRecipients = true
            case .option("-i", _), .option("-o", "i"): ignoresDots = true
            case .option("-f", let value?), .option("-r", let value?): sender = value
            case .option("-F", let value?): name = value
            case .option("-b", let value?):
                guard value == "m" else {
                    throw UsageError(message: "sendmail: only -bm is understood, not -b\(value)")
                }
            case .option("-o", _), .option("-B", _), .option("-N", _), .option("-R", _),
                .option("-V", _), .option("-v", _), .option("-n", _):
                continue
            case .option(let name, _):
                throw UsageError(message: "sendmail: unrecognized option '\(name)'")
            }
        }
    }
}
