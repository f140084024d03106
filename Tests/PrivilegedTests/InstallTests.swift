import Glibc
import LinuxSystem
import SystemPackage
import Testing

@Suite(
    "scripts/install: what is installed works, and goes again", .serialized,
    .enabled(if: geteuid() == 0, "needs root"))
struct InstallTests {
    /// A folder in place of the root, with labctl installed in it below /opt/labctl; gone with this
    /// object.
    private final class Installation {
        let root: String
        var prefix: String { root + "/opt/labctl" }

        init() throws {
            var template = Array("/tmp/labctl-install-test-XXXXXX".utf8CString)
            guard mkdtemp(&template) != nil else {
                throw SystemError("make a temporary folder", Errno(rawValue: errno))
            }
            root = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
            let run = try install("--from", Labctl.folder)
            try #require(run.status == 0, "\(run.errors)")
        }

        deinit { try? FileSystem.removeTree(root) }

        func install(_ arguments: String...) throws -> LabctlRun {
            try RunningProgram(
                Labctl.repository + "/scripts/install",
                ["--prefix", "/opt/labctl"] + arguments, folder: "/", input: "",
                environment: ["DESTDIR=\(root)"]
            ).finish()
        }

        func labctl(_ arguments: String..., environment: [String] = []) throws -> LabctlRun {
            try Labctl.start(arguments, program: prefix + "/bin/labctl", environment: environment)
                .finish()
        }

        /// All that is there, from the root.
        var files: [String] {
            get throws {
                try Labctl.tool("/usr/bin/find", root, "-mindepth", "1").output
                    .split(separator: "\n").map { String($0.dropFirst(root.count)) }
            }
        }
    }

    @Test("the installed labctl finds its programs and its labs, and what it put there goes")
    func life() throws {
        let installed = try Installation()
        let name = labPrefix + "installed"
        let up = try installed.labctl(
            "up", installed.prefix + "/share/labctl/Labs/two-node", "--name", name)
        #expect(up.status == 0, "\(up.errors)")
        #expect(
            try installed.labctl("exec", "-l", name, "master", "--", "hostname").output
                == "master\n")
        #expect(try installed.labctl("down", name).status == 0)
        try expectNothingLeft(of: name)

        // A second time it is put in the place of the first; somebody else's files stay.
        let mine = installed.prefix + "/share/labctl/Labs/mine"
        try FileSystem.makeFolders(mine)
        try FileSystem.write([], to: mine + "/lab.yaml")
        let before = try installed.files
        #expect(try installed.install("--from", Labctl.folder).status == 0)
        #expect(try installed.files.sorted() == before.sorted())
        #expect(try installed.install("--uninstall").status == 0)
        let left = try installed.files.filter { !$0.hasSuffix("/mine/lab.yaml") }
        #expect(left.allSatisfy { "/opt/labctl/share/labctl/Labs/mine".hasPrefix($0) }, "\(left)")
        try FileSystem.removeTree(installed.prefix + "/share")
        #expect(try installed.files.allSatisfy { "/opt/labctl".hasPrefix($0) })
        let again = try installed.install("--uninstall")
        #expect(again.status == 3)
        #expect(again.errors.contains("nothing of labctl is installed"))
    }

    @Test("manual pages are sound, one for each verb and one for the lab file")
    func manual() throws {
        let installed = try Installation()
        let pages = try installed.files.filter { $0.contains("/share/man/") && $0.hasSuffix("1") }
        for verb in ["labctl", "labctl-up", "labctl-impair", "labctl-completion"] {
            #expect(pages.contains("/opt/labctl/share/man/man1/\(verb).1"), "\(verb)")
        }
        let folder = installed.prefix + "/share/man"
        let lint = try Labctl.tool(
            "/bin/sh", "-c", "mandoc -T lint -W warning \(folder)/man*/*")
        let complaints = lint.output.split(separator: "\n").filter { $0.contains("WARNING") }
        #expect(complaints.isEmpty && lint.output.contains("ERROR") == false, "\(complaints)")
        func text(_ page: String) throws -> String {
            try Labctl.tool("/usr/bin/mandoc", "-T", "html", "\(folder)/\(page)").output
        }
        #expect(try text("man1/labctl-up.1").contains("--publish"))
        #expect(try text("man5/lab.yaml.5").contains("ip-forward"))
    }

    @Test("shells take the completions, and are offered verbs, labs and nodes")
    func completions() throws {
        let installed = try Installation()
        let share = installed.prefix + "/share"
        for (shell, check) in [
            ("bash", "bash --norc -ec 'source \(share)/bash-completion/completions/labctl'"),
            ("zsh", "zsh -f -n \(share)/zsh/site-functions/_labctl"),
            ("fish", "fish --no-config -n \(share)/fish/vendor_completions.d/labctl.fish"),
        ] {
            let run = try Labctl.tool("/bin/sh", "-c", check)
            #expect(run.status == 0 && run.errors == "", "\(shell): \(run.errors)")
        }
        let lab = try LabUnderTest("complete", "nodes: { alpha: {}, beta: {} }\n")
        try lab.up()
        func offers(_ words: [String]) throws -> [String] {
            let line = words.joined(separator: " ")
            let script = """
                source \(share)/bash-completion/completions/labctl
                PATH=\(installed.prefix)/bin:$PATH
                COMP_WORDS=(\(words.map { "'\($0)'" }.joined(separator: " ")))
                COMP_CWORD=\(words.count - 1) COMP_LINE='\(line)' COMP_POINT=\(line.utf8.count)
                COMP_TYPE=9 COMP_KEY=9
                _labctl labctl "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
                printf '%s\\n' "${COMPREPLY[@]}"
                """
            return try Labctl.tool("/bin/bash", "--norc", "-c", script).output
                .split(separator: "\n").map { $0.trimmingPrefix(while: { $0 == " " }) }
                .map { String($0.prefix { $0 != " " }) }
        }
        #expect(try offers(["labctl", "sta"]).sorted() == ["start", "status"])
        #expect(try offers(["labctl", "down", ""]).contains(lab.name))
        #expect(try offers(["labctl", "kill", "-l", lab.name, ""]).contains("beta"))
        let wrong = try installed.labctl("completion", "tcsh")
        #expect(wrong.status == 2)
    }
}

@Suite(
    "Examples: packages of their own that use LabKit",
    .enabled(if: geteuid() == 0, "needs root"),
    .enabled(if: getenv("LABCTL_TEST_FULL") != nil, "only with scripts/test --full"))
struct ExampleTests {
    @Test("the example of a fixture builds by itself, and its tests pass")
    func failover() throws {
        let folder = Labctl.repository + "/Examples/failover-test"
        let swift = try #require(
            Program.lookUp(
                "swift", path: getenv("PATH").map { String(cString: $0) } ?? "/usr/bin"))
        let run = try RunningProgram(
            swift, ["test"], folder: folder, input: "",
            environment: ["LABCTL_BIN=\(Labctl.folder)", "HOME=\(Self.home)"]
        ).finish(within: .seconds(1800))
        #expect(run.status == 0, "\(run.output.suffix(4000))\(run.errors.suffix(2000))")
    }

    private static var home: String { getenv("HOME").map { String(cString: $0) } ?? "/root" }
}
