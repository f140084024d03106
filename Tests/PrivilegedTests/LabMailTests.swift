import Glibc
import LinuxSystem
import NetworkTypes
import Testing

@Suite("mail in a lab", .serialized, .enabled(if: buildsLabs, "needs root"))
struct LabMailTests {
    private static let lab = """
        networks: { lan: { subnet: 10.84.0.0/24 } }
        nodes:
          slave:
            interfaces: { eth0: { network: lan, address: 10.84.0.20 } }
            services: { smtp: { kind: smtp } }
          master: { interfaces: { eth0: { network: lan } } }

        """

    private func mail(_ lab: LabUnderTest, _ node: String = "slave") throws -> String {
        let run = try Labctl.run("mail", "-l", lab.name, node)
        #expect(run.status == 0, "\(run.errors)")
        return run.output
    }

    @Test("mail is stored with a server or without, read from outside, and any reader knows it")
    func delivery() throws {
        let lab = try LabUnderTest("lb-mail", Self.lab)
        try lab.up()
        #expect(try mail(lab) == "")
        let notify = """
            subject="10.84.0.100's server keepalived state is translate"
            echo "$(hostname)'s state change to master" | mail -s "$subject" root
            """
        _ = try lab.shell("slave", notify)
        let first = try mail(lab)
        #expect(first.contains("Subject: 10.84.0.100's server keepalived state is translate\n"))
        #expect(first.contains("From: root@slave\n"))
        #expect(first.hasSuffix("\nslave's state change to master\n"))
        #expect(
            try lab.exec("slave", "cat", "/var/spool/mail/root").output.contains(
                "\nReceived: from slave by slave with SMTP; "))

        // Another client's mail, with lines that have to be quoted on the way and in the mailbox.
        let curl = """
            printf 'Subject: by curl\\r\\n\\r\\n.dot\\r\\nFrom me\\r\\n' |
            curl -s smtp://10.84.0.20/master --mail-from x@master --mail-rcpt root@slave -T -
            """
        _ = try lab.shell("master", curl)
        // No server, no network needed: into the mailbox at once.
        try lab.apply("stop", "slave/smtp")
        // By its path, and in a login shell, whose PATH is its own.
        _ = try lab.shell(
            "slave",
            """
            printf 'To: root\\nSubject: direct\\n\\nx\\n' | env -i /usr/sbin/sendmail -t
            bash -l -c 'which mail' | grep -qx '/usr/bin/mail'
            for tool in mail mailx sudo; do test -x /usr/bin/$tool || exit 1; done
            """)
        let reader = """
            import mailbox
            for m in mailbox.mbox('/var/spool/mail/root'):
                print(m['Subject'], repr(m.get_payload()))
            """
        let read = try lab.shell("slave", "python3 -c \"\(reader)\"").split(separator: "\n")
        #expect(
            read.suffix(2) == ["by curl '.dot\\n>From me\\n'", "direct 'x\\n'"], "\(read)")
        #expect(read.count == 3)
        let json = try Labctl.run("mail", "-l", lab.name, "slave", "--format", "json")
        #expect(json.output.contains("\"subject\" : \"by curl\""))
        #expect(
            try lab.exec("slave", "ls", "-l", "/var/spool/mail/root").output.hasPrefix("-rw-rw----")
        )
        try lab.down()
    }

    @Test("who cannot be mailed is told, and nothing is stored")
    func refusals() throws {
        let lab = try LabUnderTest("lb-mail-no", Self.lab)
        try lab.up()
        let refused = try lab.exec("slave", "sh", "-c", "echo x | mail -s y nobody-here")
        #expect(refused.status == 67)
        #expect(refused.errors == "mail: 550 5.1.1 no user nobody-here here\n")
        let direct = try lab.exec("master", "sh", "-c", "echo x | mail -s y nobody-here")
        #expect(direct.status == 67)
        #expect(try lab.exec("master", "mail").status == 1)
        #expect(try mail(lab, "master") == "")
        let nobody = try Labctl.run("mail", "-l", lab.name, "nobody")
        #expect(nobody.status != 0)
        #expect(
            nobody.errors.hasPrefix("mail of root on nobody: lab \(lab.name) has no node nobody"))
        try lab.down()
    }

    @Test("a shell says when there is new mail")
    func newMail() throws {
        let lab = try LabUnderTest("lb-mail-new", Self.lab)
        try lab.up()
        let session = try TerminalSession(["shell", "-l", lab.name, "slave"])
        try session.read(until: "# ")
        // bash does not notice what arrives within the second in which it was started.
        try eventually("the shell says that there is new mail") {
            _ = try lab.shell("slave", "echo x | mail -s y root")
            try session.type("\r")
            return session.hasShown("You have new mail in /var/spool/mail/root")
        }
        try session.type("exit\r")
        let later = try TerminalSession(["shell", "-l", lab.name, "slave"])
        try later.read(until: "You have mail.")
        try later.read(until: "# ")
        try later.type("exit\r")
        try lab.down()
    }
}
