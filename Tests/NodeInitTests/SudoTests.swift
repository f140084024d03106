import LinuxSystem
import Testing

@testable import NodeInit

@Suite("sudo in a node")
struct SudoTests {
    @Test("a command and its options: sudo's own end where the command begins")
    func command() throws {
        let plain = try SudoArguments(["systemctl", "-n", "5", "status", "keepalived"])
        #expect(plain.action == .run)
        #expect(plain.command == ["systemctl", "-n", "5", "status", "keepalived"])
        let other = try SudoArguments(["-nu", "www-data", "-g", "adm", "A=1", "env", "B=2"])
        #expect(other.user == "www-data")
        #expect(other.group == "adm")
        #expect(other.assignments == ["A=1"])
        #expect(other.command == ["env", "B=2"])
        #expect(try SudoArguments(["--", "A=1", "-u"]).command == ["A=1", "-u"])
        #expect(try SudoArguments(["./a=b"]).command == ["./a=b"])
    }

    @Test(
        "what is no command",
        arguments: [
            (["-i"], .shell(isLogin: true)), (["-s", "ls"], .shell(isLogin: false)),
            (["-v"], .nothing), (["-k"], .nothing), (["-k", "ls"], .run), (["-l"], .list),
            (["-V"], .version), (["-h"], .help),
        ] as [([String], SudoArguments.Action)])
    func actions(arguments: [String], action: SudoArguments.Action) throws {
        #expect(try SudoArguments(arguments).action == action)
    }

    @Test("without a command, or with an option it has not, it says how it is used")
    func wrong() {
        #expect(throws: UsageError(message: SudoArguments.usage)) { try SudoArguments([]) }
        #expect(throws: UsageError(message: SudoArguments.usage)) {
            try SudoArguments(["-u", "nobody", "A=1"])
        }
        let terminal = Terminal()
        #expect(SudoTool(terminal.console).run(["-x", "ls"]) == 1)
        #expect(terminal.errors == ["sudo: unrecognized option '-x'\n\(SudoArguments.usage)"])
    }

    @Test("a shell gets the command as one text, quoted but for its variables")
    func shell() throws {
        #expect(try SudoArguments(["ls", "-l"]).words(shell: "/bin/bash") == ["ls", "-l"])
        #expect(try SudoArguments(["-i"]).words(shell: "/bin/bash") == ["-bash"])
        #expect(
            try SudoArguments(["-s", "echo", "a b", "$HOME"]).words(shell: "/bin/bash")
                == ["/bin/bash", "-c", "echo a\\ b $HOME"])
        let passwd = """
            root:x:0:0:root:/root:/bin/bash
            sync:x:4:65534:sync:/bin:
            """
        #expect(SudoTool.shell(of: "root", passwd: passwd) == "/bin/bash")
        #expect(SudoTool.shell(of: "sync", passwd: passwd) == "/bin/sh")
    }

    private static let root = UserDatabase.User(
        name: "root", userID: 0, groupID: 0, home: "/root")
    private static let nobody = UserDatabase.User(
        name: "nobody", userID: 65534, groupID: 65534, home: "/nonexistent")

    private func environment(_ words: [String]) throws -> NodeEnvironment {
        try SudoArguments(words).environment(
            inherited: ["TERM=vt100", "HOME=/home/x", "SECRET=1", "LC_ALL=C", "PATH=/x"],
            caller: Self.root, user: Self.nobody, shell: "/bin/sh", program: ["/usr/bin/env", "-0"])
    }

    @Test("the environment is the user's, and says who has called")
    func environment() throws {
        let usual = try environment(["-u", "nobody", "A=1", "env"])
        let expected: [String: String?] = [
            "TERM": "vt100", "LC_ALL": "C", "SECRET": nil, "A": "1", "HOME": "/nonexistent",
            "USER": "nobody", "LOGNAME": "nobody", "SHELL": "/bin/sh", "MAIL": "/var/mail/nobody",
            "PATH": NodeEnvironment.path, "SUDO_COMMAND": "/usr/bin/env -0", "SUDO_USER": "root",
            "SUDO_UID": "0", "SUDO_GID": "0",
        ]
        for (name, value) in expected { #expect(usual[name] == value, "\(name)") }
    }

    @Test("-E keeps the caller's, with the home unless -H; a login has nothing of it")
    func keptEnvironment() throws {
        let kept = try environment(["-E", "env"])
        #expect(kept["SECRET"] == "1")
        #expect(kept["HOME"] == "/home/x")
        #expect(try environment(["-EH", "env"])["HOME"] == "/nonexistent")
        #expect(try environment(["--preserve-env=SECRET", "env"])["SECRET"] == "1")
        let login = try environment(["-E", "-i"])
        #expect(login["SECRET"] == nil)
        #expect(login["HOME"] == "/nonexistent")
    }
}
