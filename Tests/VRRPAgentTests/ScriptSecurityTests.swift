import KeepalivedConf
import LinuxSystem
import SystemPackage
import Testing

@testable import VRRPAgent

// Every case and its messages were recorded from keepalived 2.2.7 with the same files.
@Suite("enable_script_security, script_user: what is run and what is said (KEEPALIVED.md §1.2)")
struct ScriptSecurityTests {
    private static let root = ScriptUser(userID: 0, groupID: 0)
    private static let nobody = ScriptUser(userID: 65_534, groupID: 65_534)
    private static func file(_ mode: UInt16, _ user: UInt32 = 0, _ group: UInt32 = 0)
        -> FileAttributes
    { FileAttributes(kind: .file, mode: mode, userID: user, groupID: group) }
    private static func folder(_ mode: UInt16) -> FileAttributes {
        FileAttributes(kind: .folder, mode: mode, userID: 0, groupID: 0)
    }

    private static let files: [String: FileAttributes] = [
        "/": folder(0o755), "/run": folder(0o755), "/run/ok.sh": file(0o755),
        "/run/w.sh": file(0o777), "/run/nx.sh": file(0o644), "/run/d": folder(0o777),
        "/run/d/x.sh": file(0o755), "/run/t": folder(0o1777), "/run/t/x.sh": file(0o755),
        "/run/gw.sh": file(0o775, 0, 100), "/run/nobody.sh": file(0o755, 65_534),
        "/run/dir.sh": folder(0o755), "/bin": folder(0o755), "/bin/ls": file(0o755),
        "/run/suid.sh": file(0o4755, 0, 0), "/run/d/suid.sh": file(0o4755),
        "/run/lnk.sh": FileAttributes(kind: .link, mode: 0o777, userID: 0, groupID: 0),
        "/links/other": FileAttributes(kind: .link, mode: 0o777, userID: 0, groupID: 0),
    ]
    private static let links = ["/run/lnk.sh": "/run/w.sh", "/links/other": "/run/ok.sh"]

    private static let machine = ScriptSecurity.Machine(
        ownUser: root,
        users: UserDatabase(
            passwd: "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n",
            group: "root:x:0:\ndaemon:x:1:\n"),
        searchPath: ["/usr/bin", "/bin"],
        attributes: { (path, follows) throws(SystemError) in
            guard let found = files[follows ? links[path] ?? path : path] else {
                throw SystemError("look at \(path)", .noSuchFileOrDirectory)
            }
            return found
        },
        resolve: { (path) throws(SystemError) in
            guard files[path] != nil else {
                throw SystemError("resolve \(path)", .noSuchFileOrDirectory)
            }
            return links[path] ?? path
        })

    private func check(
        _ path: String, _ user: ScriptUser = root, isEnabled: Bool = true
    ) -> ScriptSecurity.Verdict {
        ScriptSecurity(machine: Self.machine, isEnabled: isEnabled).check([path, "a"], as: user)
    }

    @Test("what only root can change is run")
    func secure() {
        for path in ["/run/ok.sh", "/run/t/x.sh", "/bin/ls", "/run/suid.sh"] {
            let verdict = check(path)
            #expect(verdict.arguments == [path, "a"])
            #expect(verdict.lines == [])
            #expect(verdict.isScript && !verdict.isInsecure)
        }
        #expect(check("</etc/passwd") == .init(arguments: ["</etc/passwd", "a"]))
    }

    @Test(
        "what others can change is not run as root",
        arguments: [
            "/run/w.sh", "/run/d/x.sh", "/run/gw.sh", "/run/nobody.sh",
        ])
    func insecure(path: String) {
        let verdict = check(path)
        #expect(verdict.refusal == .inhibited)
        #expect(verdict.arguments == nil)
        #expect(
            verdict.lines.map(\.text) == [
                "Unsafe permissions found for script '\(path)' - disabling."
            ])
        let tolerated = check(path, isEnabled: false)
        #expect(tolerated.isInsecure && tolerated.arguments == [path, "a"])
        #expect(
            tolerated.lines.map(\.text) == ["Unsafe permissions found for script '\(path)'."])
    }

    @Test("as another user it is that user's business, unless the file makes it root")
    func otherUser() {
        #expect(check("/run/w.sh", Self.nobody).arguments == ["/run/w.sh", "a"])
        #expect(check("/run/d/suid.sh", Self.nobody).refusal == .inhibited)
    }

    @Test("links lead to what is checked, and are replaced when the name there is another")
    func linked() {
        #expect(
            check("/run/lnk.sh").lines.map(\.text) == [
                "Unsafe permissions found for script '/run/w.sh' - disabling."
            ])
        #expect(check("/links/other").arguments == ["/run/ok.sh", "a"])
    }

    @Test("what is not there, not executable or no file is not run")
    func unusable() {
        #expect(check("/run/missing.sh").refusal == .notFound)
        #expect(
            check("/run/missing.sh").lines.map(\.text) == [
                "Script /run/missing.sh cannot be accessed - No such file or directory"
            ])
        #expect(check("/run/nx.sh", Self.nobody).refusal == .notExecutable)
        #expect(
            check("/run/nx.sh", Self.nobody).lines.map(\.text) == [
                "WARNING - script '/run/nx.sh' is not executable for uid:gid 65534:65534"
                    + " - disabling."
            ])
        #expect(
            check("/run/dir.sh").lines.map(\.text) == [
                "Wrong file type found in script path '/run/dir.sh'."
            ])
        #expect(check("/run/dir.sh").refusal == .inhibited)
    }

    @Test("a bare name is looked up in PATH, with a warning")
    func search() {
        #expect(check("ls").arguments == ["/bin/ls", "a"])
        #expect(
            check("ls").lines.map(\.text) == [
                "WARNING - script `ls` resolved by path search to `/bin/ls`."
                    + " Please specify full path."
            ])
        #expect(
            check("nosuchcmd").lines.map(\.text) == [
                "Cannot find script nosuchcmd in path - disabling"
            ])
    }

    // MARK: Whole configurations

    private func book(
        _ global: String, _ scripts: String = "", _ instance: String,
        includesCheckers: Bool = false
    ) -> ScriptBook {
        let text = """
            global_defs {
            \(global)
            }
            \(scripts)
            vrrp_instance VI_1 {
            interface eth0
            virtual_router_id 51
            virtual_ipaddress {
            10.10.10.10
            }
            \(instance)
            }
            """
        return ScriptBook(
            Configuration.parse(text, file: "c.conf").configuration, machine: Self.machine,
            includesCheckers: includesCheckers)
    }

    private func said(_ book: ScriptBook) -> [String] {
        book.remarks.map {
            switch $0 {
            case .line(let line): line.text
            case .diagnostic(let diagnostic): "!" + diagnostic.logLines.joined()
            }
        }
    }

    @Test("without security, scripts run as root, and that is a violation (-t: 6)")
    func violation() throws {
        let plain = book("", "", "notify /run/ok.sh")
        let text =
            "SECURITY VIOLATION - scripts are being executed but script_security not enabled."
        #expect(plain.violation?.message == text)
        #expect(
            said(plain) == ["Script user 'keepalived_script' does not exist", "!" + text])
        let insecure = book("script_user root", "", "notify /run/w.sh")
        #expect(insecure.violation?.message == text + " There are insecure scripts.")
        #expect(book("script_user root", "", "notify /run/missing.sh").violation == nil)
        #expect(
            book("enable_script_security\nscript_user root", "", "notify /run/w.sh").violation
                == nil)
    }

    @Test("a test looks at the scripts of groups without members and of virtual servers, too")
    func untracked() throws {
        let text = """
            vrrp_sync_group G {
            notify /run/ok.sh
            }
            virtual_server 192.0.2.7 80 {
            quorum_up /run/ok.sh
            real_server 192.0.2.8 80 {
            MISC_CHECK {
            misc_path /run/w.sh
            }
            }
            }
            """
        #expect(book("script_user root", text, "").violation != nil)
        let servers = String(text.split(separator: "}\n", maxSplits: 1)[1])
        #expect(book("script_user root", servers, "").violation == nil)
        #expect(
            book("script_user root", servers, "", includesCheckers: true).violation?.message
                == "SECURITY VIOLATION - check scripts are being executed but script_security not"
                + " enabled. There are insecure scripts.")
    }

    @Test("with security and without keepalived_script nothing runs that names no user")
    func noDefaultUser() throws {
        let configuration = book("enable_script_security", "", "notify /run/ok.sh")
        #expect(
            said(configuration) == [
                "Script user 'keepalived_script' does not exist",
                "!(c.conf: Line 11) Unable to set default user keepalived_script for script",
                "Failed to set default user for notify script /run/ok.sh - ignoring",
            ])
    }

    @Test("it is said once, where the first command is read; such a script is no more")
    func noDefaultUserOfScript() throws {
        let text = """
            global_defs {
            enable_script_security
            }
            vrrp_script a {
            script /run/ok.sh
            }
            vrrp_instance V {
            interface eth0
            virtual_router_id 51
            virtual_ipaddress {
            192.0.2.1
            }
            notify /run/ok.sh
            track_script {
            a
            }
            }
            """
        let context = ConfigurationContext(hasUser: { user, _ in user != "keepalived_script" })
        let parsed = Configuration.parse(text, file: "c.conf", context: context)
        #expect(
            parsed.diagnostics.flatMap(\.logLines) == [
                "(c.conf: Line 6) Unable to set default user keepalived_script for script",
                "(c.conf: Line 6) Unable to set default user for vrrp script a - removing",
                "(c.conf: Line 15) (V) track script a not found, ignoring...",
            ])
        #expect(
            said(ScriptBook(parsed.configuration, machine: Self.machine)) == [
                "Script user 'keepalived_script' does not exist",
                "Failed to set default user for notify script /run/ok.sh - ignoring",
            ])
        let two = book("enable_script_security", "", "notify /run/ok.sh\nnotify_master /run/ok.sh")
        #expect(said(two).filter { $0.contains("keepalived_script for script") }.count == 1)
        let startup = book("enable_script_security\nstartup_script /run/ok.sh", "", "")
        #expect(said(startup).filter { $0.hasSuffix("Invalid startup script") }.count == 1)
    }

    @Test("track scripts that cannot run are not tracked; the others run as configured")
    func trackScripts() throws {
        let text = """
            global_defs {
            enable_script_security
            script_user nobody daemon
            }
            vrrp_script a {
            script /run/w.sh
            user root
            }
            vrrp_script b {
            script /run/missing.sh
            }
            vrrp_script c {
            script "/run/ok.sh x"
            }
            vrrp_instance VI_1 {
            interface eth0
            virtual_router_id 51
            virtual_ipaddress {
            10.10.10.10
            }
            }
            """
        let configuration = Configuration.parse(text, file: "c.conf").configuration
        let book = ScriptBook(configuration, machine: Self.machine)
        #expect(configuration.scripts.map(book.runs) == [false, false, true])
        #expect(
            said(book) == [
                "Unsafe permissions found for script '/run/w.sh' - disabling.",
                "!Disabling track script a due to insecure",
                "Script /run/missing.sh cannot be accessed - No such file or directory",
                "!Disabling track script b since not found/accessible",
            ])
        #expect(
            book.invocation(of: configuration.scripts[2].command)
                == .init(["/run/ok.sh", "x"], user: ScriptUser(userID: 65_534, groupID: 1)))
        #expect(book.invocation(of: configuration.scripts[0].command) == nil)
    }

    @Test("the dumps tell of what runs, by its path, and of nothing else")
    func shown() throws {
        let text = """
            global_defs {
            enable_script_security
            script_user nobody daemon
            }
            vrrp_script gone {
            script /run/missing.sh
            }
            vrrp_script there {
            script "/run/ok.sh x"
            }
            vrrp_instance VI_1 {
            interface eth0
            virtual_router_id 51
            virtual_ipaddress {
            10.10.10.10
            }
            track_script {
            gone
            there
            }
            notify_master /run/missing.sh
            notify_backup "/run/ok.sh y"
            }
            """
        let configuration = Configuration.parse(text, file: "c.conf").configuration
        let book = ScriptBook(configuration, machine: Self.machine)
        let shown = book.shown(configuration)
        #expect(shown.scripts.map(\.name) == ["there"])
        let instance = try #require(shown.instances.first)
        #expect(instance == book.shown(configuration.instances[0]))
        #expect(instance.trackedScripts.map(\.name) == ["there"])
        #expect(instance.notify.master == nil)
        let backup = try #require(instance.notify.backup)
        #expect(backup.arguments == ["/run/ok.sh", "y"])
        #expect(
            book.programs[backup] == .init(path: "/run/ok.sh", userID: 65_534, groupID: 1))
        #expect(book.programs.count == 2)
    }
}
