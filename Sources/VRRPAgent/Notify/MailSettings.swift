package import KeepalivedConf
package import NetworkTypes

/// Where mail goes and what its envelope says: `global_defs`, completed as keepalived completes it.
package struct MailSettings: Equatable {
    /// `smtp_server`: a name or an address.
    var server: String
    var port: UInt16
    /// `smtp_connect_timeout`: for the connection, and then for each answer.
    var timeout: Duration
    var heloName: String
    var sender: String
    package var recipients: [String]
    var routerID: String

    /// Nil when no mail is to be sent, for want of a server or of recipients.
    ///
    /// - Parameters:
    ///   - localName: the host's canonical name; nil where it has none.
    ///   - hostName: what it calls itself all the same.
    ///   - userName: whom the daemon runs as.
    package init?(
        _ global: GlobalDefinitions, localName: String?, hostName: String, userName: String
    ) {
        guard let server = global.smtpServer, !global.notificationAddresses.isEmpty else {
            return nil
        }
        self.server = server
        port = global.smtpPort
        timeout = global.smtpConnectTimeout
        // As recorded: a host whose name leads nowhere says HELO localhost.
        heloName = global.smtpHeloName ?? localName ?? "localhost"
        // keepalived writes `(null)` when the name leads nowhere.
        sender = global.notificationSender ?? "\(userName)@\(localName ?? hostName)"
        recipients = global.notificationAddresses
        routerID = global.routerID ?? localName ?? "[unknown]"
    }

    /// The longest line of a mail without its CRLF (RFC 5322 §2.1.1).
    static let longestLine = 998

    /// A mail as it goes over the wire after DATA, its end included (RFC 5321 §4.1.1.4). For what
    /// keepalived 2.2.7 sends too, its very bytes.
    ///
    /// - Parameter date: RFC 5322 §3.3.
    func message(_ mail: TransitionNotice.Mail, date: String) -> [UInt8] {
        var lines = [
            "Date: \(date)", "From: \(sender)", "Subject: \(mail.subject)",
            "X-Mailer: Keepalived",
        ]
        lines += recipientLines
        lines += ["", mail.body, ""]
        // A line feed within a name must not begin a line of its own, and a line that begins with a
        // dot must not end the mail (RFC 5321 §4.5.2).
        let safe = lines.map { line in
            let line = String(
                String.UnicodeScalarView(line.unicodeScalars.map { $0.value < 32 ? " " : $0 }))
            return line.hasPrefix(".") ? "." + line : line
        }
        return Array((safe.joined(separator: "\r\n") + "\r\n.\r\n").utf8)
    }

    /// The To header, folded only where it would be too long: keepalived cuts it there.
    private var recipientLines: [String] {
        var lines: [String] = []
        var line = "To: "
        for (number, recipient) in recipients.enumerated() {
            let isLast = number == recipients.count - 1
            let word = recipient + (isLast ? "" : ",")
            let separator = line.hasSuffix(" ") ? "" : " "
            if number > 0,
                line.utf8.count + separator.utf8.count + word.utf8.count
                    > Self.longestLine
            {
                lines.append(line)
                line = " " + word
            } else {
                line += separator + word
            }
        }
        return lines + [line]
    }
}

/// /etc/hosts (hosts(5)), read by hand: the C library's resolver may take its time, and is not
/// there in a statically linked program.
package struct HostTable {
    private var entries: [(address: IPAddress, names: [Substring])] = []

    package init(_ text: String) {
        for line in text.split(separator: "\n") {
            let fields = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" }
            guard fields.count > 1, let address = IPAddress(fields[0]) else { continue }
            entries.append((address, Array(fields.dropFirst())))
        }
    }

    /// The first address of that name.
    package func address(of name: String) -> IPAddress? { entry(name)?.address }

    /// The first name on the line that has this one, as getaddrinfo(3) finds a canonical name.
    package func canonicalName(of name: String) -> String? {
        entry(name)?.names.first.map(String.init)
    }

    private func entry(_ name: String) -> (address: IPAddress, names: [Substring])? {
        let wanted = name.lowercased()
        return entries.first { $0.names.contains { $0.lowercased() == wanted } }
    }
}
