import CLinux
import Glibc
import LinuxSystem
import NetworkTypes
import NodeProtocol
import SystemPackage
import Testing

/// A node under test: the real node-init in its own namespaces, with the test as its supervisor.
///
/// Its disk is a temporary folder. Whatever a test does, the node is killed and the folder removed
/// when this object goes.
final class NodeUnderTest {
    struct TimedOut: Error, CustomStringConvertible { var description: String }

    /// A service's report with what came along.
    struct ServiceReport {
        var state: NodeReport.ServiceState
        var time: MonotonicInstant
        var outputs: [SharedDescriptor]
    }

    /// How a command ended, and what it printed.
    struct Outcome: Equatable {
        var report: ExecuteReport
        var output: String
        var errors: String
    }

    static let patience = Duration.seconds(10)

    let folder: String
    private(set) var pid: Int32 = 0
    private var process: Program.Started?
    private var channel: MessageChannel?
    private var inbox: [(report: NodeReport, descriptors: [SharedDescriptor])] = []
    private var outputs: [String: [SharedDescriptor]] = [:]

    /// Starts node-init and boots it.
    init(
        files: [NodeSpecification.File] = [], environment: [String] = [],
        programs: [NodeSpecification.Program] = [], services: [ServiceSpecification] = [],
        boots: Bool = true
    ) throws {
        var template = Array("/tmp/labctl-node-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw SystemError("make a temporary folder", Errno(rawValue: errno))
        }
        folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        specification = NodeSpecification(
            hostname: "alpha", rootFolder: "\(folder)/root", layersFolder: "\(folder)/layers",
            programs: programs, outputFolder: "\(folder)/output",
            hosts: "127.0.0.1 localhost\n10.0.0.2 beta\n", files: files,
            environment: environment, services: services)
        try FileSystem.makeFolders("\(folder)/output")
        if boots { try boot() }
    }

    deinit {
        end()
        do { try FileSystem.removeTree(folder) } catch { Issue.record("\(error)") }
    }

    var specification: NodeSpecification
    /// The services that were enabled when it last booted.
    private(set) var enabled: [String] = []

    /// The program under test: `$LABCTL_BIN/node-init`, or the debug build's.
    static var program: String {
        if let folder = getenv("LABCTL_BIN") { return "\(String(cString: folder))/node-init" }
        return ".build/debug/node-init"
    }

    /// Starts PID 1 on the disk, as at the node's first or any later start.
    func boot(by begin: (Program) throws -> Program.Started = { try $0.start() }) throws {
        try start(by: begin)
        try send(.boot(specification))
        let report = try next()
        guard case .booted(let enabled) = report else {
            throw TimedOut(description: "not booted: \(report)")
        }
        self.enabled = enabled
    }

    /// Starts PID 1 without telling it anything.
    func start(by begin: (Program) throws -> Program.Started = { try $0.start() }) throws {
        let (ours, theirs) = try MessageChannel.pair()
        let null = try OwnedDescriptor.null()
        let walls = try WalledNetwork.make()
        var program = Program(
            path: Self.program, arguments: ["node-init"], environment: [],
            descriptors: [null.rawValue, 2, 2, theirs.rawValue, walls.users.rawValue])
        program.newNamespaces = [.pid, .mount, .uts, .ipc, .cgroup]
        program.networkNamespace = walls.network.rawValue
        let started = try begin(program)
        process = started
        pid = started.pid
        channel = try MessageChannel(try ours.duplicate())
    }

    /// Kills PID 1 and waits until the kernel has ended all of the node.
    func end() {
        guard let process else { return }
        kill(pid, SIGKILL)
        waitForEnd(process)
        self.process = nil
        channel = nil
    }

    /// Waits until PID 1 has ended by itself; answers how.
    @discardableResult
    func waitUntilEnded() throws -> Termination {
        guard let process else { throw TimedOut(description: "not started") }
        guard isReadable(process.pidDescriptor.rawValue, for: Self.patience) else {
            throw TimedOut(description: "node-init has not ended")
        }
        self.process = nil
        guard let ended = Termination.reap(pid) else {
            throw TimedOut(description: "node-init cannot be reaped")
        }
        return ended.termination
    }

    private func waitForEnd(_ process: Program.Started) {
        if !isReadable(process.pidDescriptor.rawValue, for: Self.patience) {
            Issue.record("node-init \(pid) does not die")
        }
        _ = Termination.reap(pid)
    }

    /// Closes the connection, as a supervisor's death does.
    func disconnect() { channel = nil }

    // MARK: - Messages

    func send(_ request: NodeRequest, descriptors: [SharedDescriptor] = []) throws {
        try sendRaw(request.message, descriptors: descriptors)
    }

    func sendRaw(_ payload: [UInt8], descriptors: [SharedDescriptor] = []) throws {
        guard let channel else { throw TimedOut(description: "not connected") }
        try channel.send(payload, descriptors: descriptors)
        while channel.hasPendingOutput { try channel.flush() }
    }

    /// The next report, of any kind.
    func next() throws -> NodeReport { try nextWithDescriptors().report }

    private func nextWithDescriptors() throws -> (
        report: NodeReport, descriptors: [SharedDescriptor]
    ) {
        while inbox.isEmpty {
            guard let channel, isReadable(channel.socket.rawValue, for: Self.patience) else {
                throw TimedOut(description: "no report from the node")
            }
            let (messages, isAtEnd) = try channel.receive()
            for message in messages {
                inbox.append((try NodeReport(message: message.payload), message.descriptors))
            }
            if isAtEnd, inbox.isEmpty {
                throw TimedOut(description: "the node has closed its connection")
            }
        }
        return inbox.removeFirst()
    }

    /// The next report of a service, whose outputs are kept for ``output(of:)``.
    func nextState(of name: String) throws -> NodeReport.ServiceState {
        try nextReport(of: name).state
    }

    func nextReport(of name: String) throws -> ServiceReport {
        while true {
            let (report, descriptors) = try nextWithDescriptors()
            guard case .service(name, let state, let time) = report else {
                throw TimedOut(description: "expected a state of \(name), got \(report)")
            }
            if !descriptors.isEmpty { outputs[name] = descriptors }
            return ServiceReport(
                state: state, time: MonotonicInstant(nanoseconds: time), outputs: descriptors)
        }
    }

    /// All states of a service until one that `isLast`.
    func states(
        of name: String, until isLast: (NodeReport.ServiceState) -> Bool
    ) throws -> [NodeReport.ServiceState] {
        var states: [NodeReport.ServiceState] = []
        repeat { states.append(try nextState(of: name)) } while !isLast(states[states.count - 1])
        return states
    }

    /// Starts a service and waits until it is ready; answers its process id in the node.
    @discardableResult
    func startReady(_ specification: ServiceSpecification) throws -> Int32 {
        try send(.start(specification))
        let states = try states(of: specification.name) { state in
            switch state {
            case .ready, .failed: true
            default: false
            }
        }
        guard case .running(let pid)? = states.first, states.last == .ready else {
            throw TimedOut(description: "\(specification.name) is not ready: \(states)")
        }
        return pid
    }

    /// What a service has printed until its outputs were closed, or until `marker` was in it.
    func output(of name: String, until marker: String? = nil) throws -> (
        output: String, errors: String
    ) {
        guard let pipes = outputs[name], pipes.count == 2 else {
            throw TimedOut(description: "\(name) has no outputs")
        }
        return (
            try readText(pipes[0].rawValue, until: marker),
            try readText(pipes[1].rawValue, until: marker == nil ? nil : "")
        )
    }

    // MARK: - Commands

    /// Runs a command to its end.
    func run(
        _ command: [String], input: String = "", environment: [String] = [],
        workingDirectory: String? = nil, user: String? = nil
    ) throws -> Outcome {
        let execution = try execute(
            ExecuteRequest(
                command: command, environment: environment, workingDirectory: workingDirectory,
                user: user))
        try FileSystem.writeAll(Array(input.utf8)[...], to: execution.input!.rawValue, name: "it")
        execution.input?.close()
        let output = try readText(execution.output!.rawValue)
        let errors = try readText(execution.errors!.rawValue)
        var report = try execution.next()
        if report == .started { report = try execution.next() }
        return Outcome(report: report, output: output, errors: errors)
    }

    /// What a shell script prints; it has to end with 0.
    func shell(_ script: String, input: String = "") throws -> String {
        let outcome = try run(["sh", "-c", script], input: input)
        #expect(outcome.report == .exited(status: 0), "\(script): \(outcome)")
        return outcome.output
    }

    /// Starts a command and leaves it running.
    func execute(_ request: ExecuteRequest) throws -> Execution {
        let (ours, theirs) = try MessageChannel.pair()
        let execution = Execution(try MessageChannel(try ours.duplicate()))
        if request.terminal != nil {
            try send(.execute(request), descriptors: [theirs])
        } else {
            let (input, output, errors) = (try Pipe.make(), try Pipe.make(), try Pipe.make())
            try send(
                .execute(request),
                descriptors: [theirs, input.readEnd, output.writeEnd, errors.writeEnd])
            execution.input = input.writeEnd
            execution.output = output.readEnd
            execution.errors = errors.readEnd
        }
        return execution
    }
}

/// A command running in a node, seen from its client.
final class Execution {
    var input: SharedDescriptor?
    var output: SharedDescriptor?
    var errors: SharedDescriptor?
    /// The terminal's end, when there is one; comes with `.started`.
    private(set) var terminal: SharedDescriptor?
    private var channel: MessageChannel?
    private var inbox: [MessageChannel.Message] = []

    init(_ channel: MessageChannel) { self.channel = channel }

    func send(_ input: ExecuteInput) throws { try channel?.send(input.message) }

    func next() throws -> ExecuteReport {
        while inbox.isEmpty {
            guard let channel,
                isReadable(channel.socket.rawValue, for: NodeUnderTest.patience)
            else { throw NodeUnderTest.TimedOut(description: "no report from the command") }
            let (messages, isAtEnd) = try channel.receive()
            inbox += messages
            if isAtEnd, inbox.isEmpty {
                throw NodeUnderTest.TimedOut(description: "the command's connection has closed")
            }
        }
        let message = inbox.removeFirst()
        if let descriptor = message.descriptors.first { terminal = descriptor }
        return try ExecuteReport(message: message.payload)
    }

    /// Goes away, as a client that is killed does.
    func disconnect() {
        channel = nil
        terminal = nil
    }
}

/// Waits until a descriptor can be read (or its other end is closed).
func isReadable(_ descriptor: CInt, for patience: Duration) -> Bool {
    let deadline = MonotonicClock.now + patience
    while true {
        let rest = max((deadline - MonotonicClock.now).wholeNanoseconds / 1_000_000, 0)
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        let result = poll(&request, 1, Int32(rest))
        if result > 0 { return true }
        if result == 0 || errno != EINTR { return false }
    }
}

/// Reads until the other end is closed, or the text read contains `marker`.
func readText(_ descriptor: CInt, until marker: String? = nil) throws -> String {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
        let text = String(decoding: bytes, as: UTF8.self)
        if let marker, text.contains(marker) || marker.isEmpty { return text }
        guard isReadable(descriptor, for: NodeUnderTest.patience) else {
            throw NodeUnderTest.TimedOut(
                description: "waited for \(marker ?? "the end"), got: \(text.debugDescription)")
        }
        let count = read(descriptor, &buffer, buffer.count)
        // A terminal whose other end is closed answers EIO.
        if count <= 0 { return String(decoding: bytes, as: UTF8.self) }
        bytes.append(contentsOf: buffer.prefix(count))
    }
}

/// Waits until a condition holds, looking again every millisecond.
func eventually(
    _ what: String, within patience: Duration = NodeUnderTest.patience, _ holds: () throws -> Bool
) throws {
    let deadline = MonotonicClock.now + patience
    while !(try holds()) {
        guard MonotonicClock.now < deadline else {
            throw NodeUnderTest.TimedOut(description: "it never came true that \(what)")
        }
        usleep(1000)
    }
}
