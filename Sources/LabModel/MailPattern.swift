/// Which mail is meant.
public struct MailPattern: Codable, Hashable, Sendable {
    /// Whose mailbox it went to: a user of the node; nil for anybody's.
    public var user: String?
    /// What its subject is; nil for any.
    public var subject: TextMatch?

    public init(to user: String? = nil, subject: TextMatch? = nil) {
        self.user = user
        self.subject = subject
    }

    /// Whether a line of the mail server's says that it has taken such a mail: `mail for root from
    /// <root@slave>: it is up`.
    func isMet(by line: String) -> Bool {
        let words = line.split(separator: " ", maxSplits: 4, omittingEmptySubsequences: false)
        guard words.count >= 5, words[0] == "mail", words[1] == "for", words[3] == "from",
            words[4].first == "<", let end = words[4].firstRange(of: ">: ")
        else { return false }
        return (user.map { $0 == words[2] } ?? true)
            && (subject?.isMet(by: String(words[4][end.upperBound...])) ?? true)
    }
}

extension MailPattern: CustomStringConvertible {
    public var description: String {
        "mail" + (user.map { " for \($0)" } ?? "") + (subject.map { " about \($0)" } ?? "")
    }
}
