import Glibc
import LinuxSystem
import Testing

@Suite(
    "wrong usage, and wrong users", .enabled(if: buildsLabs, "needs root"))
struct MistakesUsageTests {
    /// A command line and the beginning of what it is answered with.
    struct Usage: Sendable, CustomTestStringConvertible {
        var arguments: [String]
        var message: String
        var testDescription: String { "labctl " + arguments.joined(separator: " ") }
    }

    static let mistakes = [
        Usage(
            arguments: ["staus"], message: "Error: there is no verb 'staus'; did you mean 'status'?"
        ),
        Usage(
            arguments: ["destory"],
            message: "Error: there is no verb 'destory'; did you mean 'destroy'?"),
        Usage(arguments: ["xyzzy"], message: "Error: there is no verb 'xyzzy'\n"),
        Usage(arguments: ["--frobnicate"], message: "Error: Unknown option '--frobnicate'"),
        Usage(arguments: ["up", "--wiat", "ready"], message: "Error: Unknown option '--wiat'"),
        Usage(arguments: ["up", "--wait"], message: "Error: Missing value for '--wait <wait>'"),
        Usage(
            arguments: ["up", "--wait", "soon"],
            message: "Error: The value 'soon' is invalid for '--wait <wait>'"),
        Usage(arguments: ["up", "one", "two"], message: "Error: Unexpected argument 'two'"),
        Usage(arguments: ["exec"], message: "Error: Missing expected argument '<node>'"),
        Usage(
            arguments: ["exec", "a"], message: "Error: Missing expected argument '<command> ...'"),
        Usage(arguments: ["exec", "a", "--"], message: "Error: there is no command to run in a"),
        Usage(arguments: ["kill"], message: "Error: Missing expected argument '<targets> ...'"),
        Usage(arguments: ["kill", "a/"], message: "Error: 'a/' is no NODE or NODE/SERVICE"),
        Usage(arguments: ["logs", "/web"], message: "Error: '/web' is no NODE or NODE/SERVICE"),
        Usage(arguments: ["logs", "--tail=-1"], message: "Error: --tail counts lines: 0 or more"),
        Usage(
            arguments: ["test", "--repeat", "0"],
            message: "Error: --repeat counts runs: 1 or more"),
        Usage(
            arguments: ["list", "--format", "xml"],
            message: "Error: The value 'xml' is invalid for '--format <format>'"),
    ]

    @Test("what is wrong and how it is used, on standard error, exit status 2", arguments: mistakes)
    func wrongUsage(_ usage: Usage) throws {
        let run = try Labctl.start(usage.arguments, folder: "/").finish()
        #expect(run.status == 2)
        #expect(run.output == "")
        #expect(run.errors.hasPrefix(usage.message), "\(run.errors)")
        #expect(run.errors.contains("\nUsage: labctl "), "\(run.errors)")
        #expect(run.errors.contains("--help' for more information."))
    }

    @Test(
        "help is a result: on standard output, exit status 0",
        arguments: [
            ([], "USAGE: labctl"), (["--help"], "USAGE: labctl"), (["help"], "USAGE: labctl"),
            (["-h"], "USAGE: labctl"), (["help", "up"], "USAGE: labctl up"),
            (["up", "--help"], "USAGE: labctl up"), (["exec", "-h"], "USAGE: labctl exec"),
            (["--version"], "labctl "),
        ] as [([String], String)])
    func help(arguments: [String], marker: String) throws {
        let run = try Labctl.start(arguments, folder: "/").finish()
        #expect(run.status == 0)
        #expect(run.errors == "")
        #expect(run.output.contains(marker))
    }

    @Test("every verb has its help, and the help of labctl names every verb")
    func everyVerb() throws {
        let overview = try Labctl.run("--help").output
        for verb in [
            "up", "down", "list", "status", "exec", "shell", "logs", "start", "stop", "restart",
            "kill", "watch", "events", "test", "demo", "check", "doctor",
        ] {
            #expect(
                overview.contains("\n  \(verb) ") || overview.contains("\n  \(verb), "), "\(verb)")
            let run = try Labctl.run(verb, "--help")
            #expect(run.status == 0)
            #expect(run.output.contains("USAGE: labctl \(verb)"))
        }
    }

    // MARK: Without root

    /// Runs `labctl` as nobody, from a copy that everybody can read.
    private func runAsNobody(_ lab: LabUnderTest, _ arguments: [String]) throws -> LabctlRun {
        let copy = "\(lab.folder)/labctl"
        if !FileSystem.exists(copy) {
            #expect(try Labctl.tool("/bin/cp", "\(Labctl.folder)/labctl", copy).status == 0)
            #expect(try Labctl.tool("/bin/chmod", "-R", "a+rX", lab.folder).status == 0)
        }
        return try RunningProgram(
            "/usr/bin/setpriv",
            ["--reuid=65534", "--regid=65534", "--clear-groups", copy] + arguments,
            folder: lab.folder, input: "", environment: []
        ).finish()
    }

    @Test("a labctl without its other programs builds nothing, and says so; check works")
    func alone() throws {
        let lab = try LabUnderTest(
            "mistakes-nobody",
            """
            nodes: { a: {} }
            scenarios: { s: { steps: [ wait: 1ms ] } }
            """)
        for verb in ["up", "demo"] {
            let run = try runAsNobody(lab, [verb])
            #expect(run.status == 3, "labctl \(verb)")
            #expect(run.errors.hasPrefix("node-init is not in \(lab.folder), where labctl is"))
        }
        let check = try runAsNobody(lab, ["check"])
        #expect(check.status == 0)
        #expect(check.output == "lab.yaml: lab \(labPrefix)mistakes-nobody is fine\n")
        try expectNothingLeft(of: lab.name)
    }

    @Test("root's lab without root: neither denied nor touched")
    func othersLab() throws {
        let lab = try LabUnderTest("mistakes-others", "nodes: { a: {} }")
        try lab.up()
        let sentence =
            "lab \(labPrefix)mistakes-others belongs to another user: run labctl with sudo\n"
        for arguments in [
            ["status", "\(labPrefix)mistakes-others"], ["down", "\(labPrefix)mistakes-others"],
            ["kill", "-l", "\(labPrefix)mistakes-others", "a"],
            ["logs", "-l", "\(labPrefix)mistakes-others"],
            ["events", "-l", "\(labPrefix)mistakes-others"],
        ] {
            let run = try runAsNobody(lab, arguments)
            #expect(run.status == 3, "labctl \(arguments)")
            #expect(run.errors == sentence, "labctl \(arguments)")
        }
        let exec = try runAsNobody(
            lab, ["exec", "-l", "\(labPrefix)mistakes-others", "a", "--", "true"])
        #expect(exec.status == 125)
        #expect(exec.errors == sentence)
        let list = try runAsNobody(lab, ["list"])
        #expect(list.status == 0)
        #expect(!list.output.contains(lab.name), "everybody has labs of their own")
        #expect(try lab.exec("a", "true").status == 0, "it is up still")
        try lab.down()
    }
}
