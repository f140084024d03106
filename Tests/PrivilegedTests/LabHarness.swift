import CLinux
import Glibc
import LinuxSystem
import NetworkTypes
import SystemPackage
import Testing

/// What `labctl` did when it was run.
struct LabctlRun {
    /// Its exit status; 128 and the signal's number when a signal ended it.
    var status: Int32
    var output: String
    var errors: String
    var duration: Duration
}

/// Whether root may raise limits here (CAP_SYS_RESOURCE): nodes have real-time processes and locked
/// memory by them.
let raisesLimits: Bool = {
    guard geteuid() == 0, let capabilities = try? Capabilities.effective() else { return false }
    return capabilities.contains(.resourceLimits)
}()

/// The `labctl` under test, as a user runs it.
enum Labctl {
    /// `$LABCTL_BIN`, or the debug build's folder.
    static var folder: String {
        getenv("LABCTL_BIN").map { String(cString: $0) }
            ?? repository + "/.build/debug"
    }

    /// Copies labctl and the programs that labs need into a folder, but for one.
    static func copyPrograms(to folder: String, without missing: String? = nil) throws {
        try FileSystem.makeFolders(folder)
        let programs = [
            "labctl", "node-init", "wire-relay", "imposter", "port-proxy", "vrrp-agent",
            "http-backend", "smtp-backend",
        ]
        for program in programs where program != missing {
            #expect(try tool("/bin/cp", "\(Self.folder)/\(program)", folder).status == 0)
        }
    }

    /// The root of the repository.
    static var repository: String {
        let parts = #filePath.split(separator: "/").dropLast(3)
        return "/" + parts.joined(separator: "/")
    }

    /// Where this test run's labs record their runs: gone with it.
    private static let stateFolder: String = {
        atexit { try? FileSystem.removeTree("/tmp/labctl-state-\(getpid())") }
        return "/tmp/labctl-state-\(getpid())"
    }()

    /// Starts `labctl` with pipes for its streams.
    static func start(
        _ arguments: [String], program: String? = nil, folder: String? = nil, input: String = "",
        environment: [String] = []
    ) throws -> RunningProgram {
        try RunningProgram(
            program ?? "\(Self.folder)/labctl", arguments, folder: folder ?? repository,
            input: input, environment: environment + ["XDG_STATE_HOME=\(stateFolder)"])
    }

    /// Runs `labctl` to its end.
    @discardableResult
    static func run(
        _ arguments: String..., folder: String? = nil, input: String = "",
        environment: [String] = [], within patience: Duration = .seconds(120)
    ) throws -> LabctlRun {
        try start(arguments, folder: folder, input: input, environment: environment)
            .finish(within: patience)
    }

    /// Runs another program to its end.
    static func tool(
        _ path: String, _ arguments: String..., input: String = "",
        within patience: Duration = .seconds(60)
    ) throws -> LabctlRun {
        try RunningProgram(path, arguments, folder: "/", input: input, environment: [])
            .finish(within: patience)
    }
}

/// A program that has been started with pipes for its standard streams.
final class RunningProgram {
    private let started: Program.Started
    private let begin = MonotonicClock.now
    private let output: SharedDescriptor
    private let errors: SharedDescriptor
    private var outputBytes: [UInt8] = []
    private var errorBytes: [UInt8] = []
    private var takenBytes = 0
    private var reaped: Termination?

    init(
        _ path: String, _ arguments: [String], folder: String, input: String, environment: [String]
    ) throws {
        let standardInput = try Pipe.make()
        let standardOutput = try Pipe.make()
        let standardError = try Pipe.make()
        var program = Program(
            path: path, arguments: [path] + arguments,
            environment: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
                + environment,
            descriptors: [
                standardInput.readEnd.rawValue, standardOutput.writeEnd.rawValue,
                standardError.writeEnd.rawValue,
            ])
        program.workingDirectory = folder
        started = try program.start()
        output = standardOutput.readEnd
        errors = standardError.readEnd
        // Short enough for the pipe's own buffer.
        try FileSystem.writeAll(
            Array(input.utf8)[...], to: standardInput.writeEnd.rawValue, name: "a pipe")
        standardInput.writeEnd.close()
    }

    deinit {
        if reaped == nil {
            signal(SIGKILL)
            _ = waitForEnd()
        }
    }

    /// Its process id.
    var pid: Int32 { started.pid }

    /// Whether it has ended; what it printed last may still be unread.
    var hasEnded: Bool { isReadable(started.pidDescriptor.rawValue, for: .zero) }

    /// Sends it a signal.
    func signal(_ number: Int32) {
        clinux_pidfd_send_signal(started.pidDescriptor.rawValue, number)
    }

    /// What it has printed so far, when that contains `marker`.
    func awaitOutput(
        _ marker: String, within patience: Duration = NodeUnderTest.patience
    ) throws -> String {
        var text = ""
        try eventually("its output has \(marker.debugDescription)", within: patience) {
            drain()
            text = String(decoding: outputBytes, as: UTF8.self)
            return text.contains(marker)
        }
        return text
    }

    /// The next line it prints, without its end, awaited.
    func nextLine(within patience: Duration = NodeUnderTest.patience) throws -> String {
        let deadline = MonotonicClock.now + patience
        while true {
            let rest = outputBytes[takenBytes...]
            if let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                takenBytes = end + 1
                return String(decoding: rest[..<end], as: UTF8.self)
            }
            let before = outputBytes.count
            let patience = max(deadline - MonotonicClock.now, .zero)
            guard isReadable(output.rawValue, for: patience) else {
                throw NodeUnderTest.TimedOut(description: "a program printed no further line")
            }
            drain()
            guard outputBytes.count > before else {
                throw NodeUnderTest.TimedOut(description: "a program has ended its output")
            }
        }
    }

    /// Waits for its end.
    func finish(within patience: Duration = .seconds(120)) throws -> LabctlRun {
        let deadline = MonotonicClock.now + patience
        while !isReadable(started.pidDescriptor.rawValue, for: .milliseconds(2)) {
            drain()
            guard MonotonicClock.now < deadline else {
                signal(SIGKILL)
                _ = waitForEnd()
                drain()
                throw NodeUnderTest.TimedOut(
                    description: "a program did not end; it had printed: "
                        + String(decoding: outputBytes + errorBytes, as: UTF8.self))
            }
        }
        drain()
        let status: Int32 =
            switch waitForEnd() {
            case .exited(let status): status
            case .signalled(let signal): 128 + signal
            }
        return LabctlRun(
            status: status, output: String(decoding: outputBytes, as: UTF8.self),
            errors: String(decoding: errorBytes, as: UTF8.self),
            duration: MonotonicClock.now - begin)
    }

    private func drain() {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        for (pipe, isError) in [(output, false), (errors, true)] {
            while isReadable(pipe.rawValue, for: .zero) {
                let count = read(pipe.rawValue, &buffer, buffer.count)
                guard count > 0 else { break }
                if isError {
                    errorBytes.append(contentsOf: buffer.prefix(count))
                } else {
                    outputBytes.append(contentsOf: buffer.prefix(count))
                }
            }
        }
    }

    private func waitForEnd() -> Termination {
        if let reaped { return reaped }
        var status: CInt = 0
        while waitpid(started.pid, &status, 0) < 0, errno == EINTR {}
        let termination = Termination(waitStatus: status)
        reaped = termination
        return termination
    }
}

/// Whether this run may build labs: as root, or, where `scripts/test` says so, as an ordinary user
/// in user namespaces. What is about the machine itself asks for root, by `geteuid() == 0`.
let buildsLabs = geteuid() == 0 || getenv("LABCTL_TEST_USER") != nil

/// What nsenter(1) needs first, to enter a lab's namespaces: a user's are in a user namespace.
let nsenterOptions = geteuid() == 0 ? [] : ["--user", "--preserve-credentials"]

/// Where the labs of this run have their directories.
let runFolder = geteuid() == 0 ? "/run/labctl" : "/tmp/labctl-\(geteuid())"

/// What the names of this run's labs begin with: test runs on one machine share /run/labctl.
let labPrefix = "t\(String(getpid(), radix: 36))-"

/// A lab of a test's own: a folder with a lab file, and a name that no other test has. When this
/// object goes, the lab is taken down and the folder removed.
final class LabUnderTest {
    /// The lab's name, with ``labPrefix``.
    let name: String
    /// The folder with the lab file in it.
    let folder: String

    /// Writes a lab.
    ///
    /// - Parameters:
    ///   - name: unique among all tests; ``labPrefix`` is put before it.
    ///   - yaml: the lab file, without its `name:`.
    ///   - files: other files of the folder, by path.
    init(_ name: String, _ yaml: String, files: [String: String] = [:]) throws {
        let name = labPrefix + name
        self.name = name
        var template = Array("/tmp/labctl-lab-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw SystemError("make a temporary folder", Errno(rawValue: errno))
        }
        folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        try FileSystem.write(Array("name: \(name)\n\(yaml)".utf8), to: "\(folder)/lab.yaml")
        for (path, text) in files {
            let whole = "\(folder)/\(path)"
            try FileSystem.makeFolders(String(whole[..<whole.lastIndex(of: "/")!]))
            try FileSystem.write(Array(text.utf8), to: whole)
        }
    }

    deinit {
        _ = try? Labctl.run("down", name)
        try? FileSystem.removeTree(folder)
    }

    /// Brings it up, which must succeed.
    func up(_ arguments: String...) throws {
        let run = try Labctl.start(["up", folder] + arguments).finish()
        #expect(run.status == 0, "\(run.errors)")
        try #require(run.status == 0)
    }

    /// Runs a command in a node.
    @discardableResult
    func exec(_ node: String, _ command: String...) throws -> LabctlRun {
        try Labctl.start(["exec", "-l", name, node, "--"] + command).finish()
    }

    /// Takes it down, which must succeed and leave nothing.
    func down() throws {
        let run = try Labctl.run("down", name)
        #expect(run.status == 0, "\(run.errors)")
        try expectNothingLeft(of: name)
    }
}

/// Expects that nothing of a lab is left on this machine: process, name of a namespace, device,
/// mount or file.
func expectNothingLeft(of lab: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let processes = try FileSystem.list("/proc").filter { entry in
        guard Int32(entry) != nil, let line = try? FileSystem.readText("/proc/\(entry)/cmdline")
        else { return false }
        return line.hasPrefix("labctl\0supervise\0\(lab)\0")
    }
    #expect(processes.isEmpty, "supervisor \(processes)", sourceLocation: sourceLocation)
    #expect(!FileSystem.exists("\(runFolder)/\(lab)"), sourceLocation: sourceLocation)
    let names = ((try? FileSystem.list("/run/netns")) ?? []).filter { $0.hasPrefix(lab + "-") }
    #expect(names.isEmpty, sourceLocation: sourceLocation)
    let mounts = try FileSystem.readText("/proc/self/mountinfo")
    #expect(!mounts.contains("\(runFolder)/\(lab)"), sourceLocation: sourceLocation)
    #expect(try controlGroups(of: lab).isEmpty, sourceLocation: sourceLocation)
    let groups = try limitingGroups(of: lab)
    #expect(groups.isEmpty, "\(groups)", sourceLocation: sourceLocation)
    let devices = try FileSystem.readText("/proc/self/net/dev")
    #expect(!devices.contains("eth0@"), sourceLocation: sourceLocation)
}

/// Where this machine has its control groups (cgroup v2); nil where it has none.
func controlGroupFolder() throws -> String? {
    let mounts = try FileSystem.readText("/proc/self/mountinfo").split(separator: "\n")
    return mounts.first { $0.contains(" - cgroup2 ") }.map { String($0.split(separator: " ")[4]) }
}

/// The control groups of a lab's nodes on this machine.
func controlGroups(of lab: String) throws -> [String] {
    guard let folder = try controlGroupFolder() else { return [] }
    return try FileSystem.list(folder).filter { $0.hasPrefix("labctl.\(lab).") }
}

/// The folders in one of the control groups' own; none when it has gone, as the groups of another
/// lab may meanwhile.
func groupFolders(in folder: String) throws -> [String] {
    do {
        return try FileSystem.list(folder).map { "\(folder)/\($0)" }
            .filter { FileSystem.entry($0) == .folder }
    } catch {
        guard error.code == .noSuchFileOrDirectory else { throw error }
        return []
    }
}

/// The groups of a lab's nodes in hierarchies of cgroup v1, which may be anywhere below.
func limitingGroups(of lab: String, in folder: String = "/sys/fs/cgroup") throws -> [String] {
    try groupFolders(in: folder)
        .flatMap { path in
            path.contains("/labctl.\(lab).") ? [path] : try limitingGroups(of: lab, in: path)
        }
}

/// The process ids, on the host, of all processes of a lab that is up: the supervisor's
/// descendants.
func processes(of lab: String) throws -> [Int32] {
    var parents: [Int32: Int32] = [:]
    var supervisor: Int32?
    for entry in try FileSystem.list("/proc") {
        guard let pid = Int32(entry), let stat = try? FileSystem.readText("/proc/\(pid)/stat"),
            let end = stat.lastIndex(of: ")")
        else { continue }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        if fields.count > 1, let parent = Int32(fields[1]) { parents[pid] = parent }
        let line = (try? FileSystem.readText("/proc/\(pid)/cmdline")) ?? ""
        if line.hasPrefix("labctl\0supervise\0\(lab)\0") { supervisor = pid }
    }
    guard let supervisor else { return [] }
    var found = [supervisor]
    while true {
        let more = parents.filter { found.contains($0.value) && !found.contains($0.key) }.keys
        if more.isEmpty { return found }
        found += more.sorted()
    }
}
