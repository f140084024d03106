import Glibc
import LinuxSystem
import Testing

/// An ordinary user, as whom `scripts/lib/as-user` runs commands.
enum OrdinaryUser: String, CaseIterable {
    /// One who may map its own number and no other.
    case own
    /// One with ranges of user and group ids.
    case range

    /// Its number: of each run of the tests its own.
    static let number = "\(1_800_000_000 + Int(getpid()))"

    /// Runs a shell script as that user.
    ///
    /// - Parameters:
    ///   - lab: what `$LAB` (its folder) and `$NAME` stand for; when the script ends, the lab does.
    ///     `$LABCTL` is the program.
    ///   - prologue: what root does first, in the process that becomes the user. What it mounts is
    ///     in a mount namespace of its own.
    func run(
        _ script: String, lab: LabUnderTest? = nil, prologue: String = ":",
        within patience: Duration = .seconds(90)
    ) throws -> LabctlRun {
        try start(script, lab: lab, prologue: prologue).finish(within: patience)
    }

    /// The same, without waiting for its end.
    func start(
        _ script: String, lab: LabUnderTest? = nil, prologue: String = ":"
    ) throws -> RunningProgram {
        var environment = [
            "LABCTL=\(Labctl.folder)/labctl", "LABCTL_BIN=\(Labctl.folder)",
            "LABCTL_AS_USER=\(Self.number)",
        ]
        var whole = "set -e\n\(script)"
        if let lab {
            #expect(try Labctl.tool("/bin/chmod", "-R", "a+rX", lab.folder).status == 0)
            environment += ["LAB=\(lab.folder)", "NAME=\(lab.name)", "LABCTL_LAB=\(lab.name)"]
            whole = "trap '$LABCTL down $NAME 2> /dev/null || :' EXIT; trap 'exit 1' TERM\n\(whole)"
        }
        return try RunningProgram(
            "/usr/bin/unshare",
            [
                "--mount", "--propagation", "private", "/bin/sh", "-c",
                "\(prologue); exec \"$0\" \"$@\"",
                "\(Labctl.repository)/scripts/lib/as-user", rawValue,
                "timeout", "60", "/bin/sh", "-c", whole,
            ], folder: Labctl.repository, input: "", environment: environment)
    }

    /// Its processes that are there now; one that has ended is there until PID 1 fetches it, which
    /// is no business of the lab's.
    static func processes() throws -> [String] {
        try FileSystem.list("/proc").filter { entry in
            guard Int32(entry) != nil,
                let found = try? FileSystem.attributes("/proc/\(entry)"),
                let state = try? FileSystem.readText("/proc/\(entry)/stat").split(separator: ")")
            else { return false }
            return "\(found.userID)" == number && state.last?.hasPrefix(" Z") == false
        }
    }
}
