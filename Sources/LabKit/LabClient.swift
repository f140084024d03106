import CLinux
import FoundationEssentials
import Glibc
public import LabModel
import LinuxSystem
import SystemPackage

/// A running lab, as everything outside its supervisor sees it. Every call is a connection of its
/// own.
public struct LabClient {
    /// The lab's run directory.
    public let directory: LabDirectory
    /// Keeps a lab up that ends with whoever started it.
    private let lifeline: MessageChannel?

    /// A client of the lab with that run directory; whether it is up shows with the first call.
    public init(_ directory: LabDirectory) { self.init(directory, lifeline: nil) }

    init(_ directory: LabDirectory, lifeline: MessageChannel?) {
        self.directory = directory
        self.lifeline = lifeline
    }

    /// The lab's name.
    public var name: String { directory.name }

    /// The lab at a glance.
    ///
    /// - Throws: ``LabError/state(_:)`` when there is no such lab; so do all other calls.
    public func status() throws(LabError) -> LabStatus {
        let connection = try ControlConnection(directory)
        try connection.send(.status)
        guard case .status(let status) = try connection.receive() else { throw unexpected }
        return status
    }

    /// The lab as it was built.
    public func description() throws(LabError) -> LabDescription {
        let connection = try ControlConnection(directory)
        try connection.send(.describe)
        guard case .description(let description) = try connection.receive() else {
            throw unexpected
        }
        return description
    }

    /// Takes the lab down: returns when its last process has ended and its run directory is gone.
    ///
    /// What a supervisor that ended by itself has left is swept then, too.
    public func down() throws(LabError) {
        defer { LabDirectory.sweep() }
        let connection: ControlConnection
        do {
            connection = try ControlConnection(directory)
        } catch {
            // One that is being buried has lost its socket, and for some milliseconds not its lock:
            // the kernel closes one file after the other, and packet sockets wait for RCU.
            _ = directory.hasFallen()
            throw error
        }
        let supervisor = try connection.peer()
        try connection.send(.down)
        // Readable when it has ended, and PID 1 ends only after every other process of its
        // namespace.
        var waiting = pollfd(fd: supervisor.rawValue, events: Int16(POLLIN), revents: 0)
        while poll(&waiting, 1, -1) < 0, errno == EINTR {}
    }

    /// Applies a verb to a node or service; returns when it is done.
    ///
    /// - Parameter options: for how long, and with which clock.
    public func control(
        _ verb: ControlVerb, _ target: Target, _ options: ControlOptions = ControlOptions()
    ) throws(LabError) {
        let connection = try ControlConnection(directory)
        try connection.send(.control(verb, target, options))
        try connection.receiveDone()
    }

    /// Breaks or mends something in the lab's network; returns when it is so.
    ///
    /// - Parameter duration: after how long it is taken back, unless something else has done so;
    ///   nil: never.
    public func apply(_ fault: Fault, lasting duration: Duration? = nil) throws(LabError) {
        let connection = try ControlConnection(directory)
        try connection.send(.fault(fault, lasting: duration))
        try connection.receiveDone()
    }

    /// Cuts the network into groups that follow from a shape, of all nodes or of those on one
    /// network; returns when it is so.
    ///
    /// - Parameter duration: after how long it is taken back, unless something else has done so;
    ///   nil: never.
    /// - Throws: ``LabError/state(_:)`` where the nodes cannot have that shape.
    public func partition(
        _ shape: PartitionShape, of network: String? = nil, lasting duration: Duration? = nil
    ) throws(LabError) {
        let lab = try description().lab
        let fault: Fault
        do throws(PartitionShapeError) {
            fault = try lab.partition(shape, of: network)
        } catch {
            throw .state("\(error)")
        }
        try apply(fault, lasting: duration)
    }

    /// Waits until every virtual address that a running daemon could hold is held.
    ///
    /// - Throws: ``LabError/failed(_:)`` when the protocol's time for that is over.
    public func awaitConvergence() throws(LabError) {
        let connection = try ControlConnection(directory)
        try connection.send(.awaitConvergence)
        try connection.receiveDone()
    }

    /// What services have printed, oldest first; with `follow`, until the lab is taken down or
    /// nobody reads standard output any more.
    ///
    /// - Parameters:
    ///   - node: nil for all.
    ///   - service: nil for all of the node.
    ///   - tail: only the last so many of the lines there are.
    public func logs(
        node: String? = nil, service: String? = nil, follow: Bool = false, tail: Int? = nil,
        onLine: (LogLine) -> Void
    ) throws(LabError) {
        let connection = try ControlConnection(directory)
        try connection.send(
            .logs(LogQuery(node: node, service: service, follows: follow, tail: tail)))
        while let reply = try connection.receiveUnlessEnded(output: follow ? STDOUT_FILENO : nil) {
            switch reply {
            case .logLine(let line): onLine(line)
            case .done: return
            default: throw unexpected
            }
        }
    }

    /// The timeline so far, in order; with `follow`, as it grows until the lab is taken down or
    /// nobody reads standard output any more. What is younger than
    /// ``TimelineRecorder/settlingTime`` waits for what may still come before it.
    ///
    /// - Parameter onEvent: gets each event, and its line of `events.jsonl`, without the end.
    public func events(
        follow: Bool = false, onEvent: (TimelineEvent, ArraySlice<UInt8>) -> Void
    ) throws(LabError) {
        let connection = try ControlConnection(directory)
        var file = try TimelineFile(directory.eventsPath)
        try connection.send(.events(follow: follow))
        while let reply = try connection.receiveUnlessEnded(output: follow ? STDOUT_FILENO : nil) {
            switch reply {
            case .recorded(let bytes): try file.read(to: bytes, onEvent)
            case .event(let event):
                var line = JSONLine()
                line.append(event)
                onEvent(event, line.bytes.dropLast())
            case .done: return
            default: throw unexpected
            }
        }
    }

    /// Captures frames of all networks in pcapng until `interrupt` is readable, the lab is taken
    /// down, or nobody reads standard output any more.
    ///
    /// - Parameters:
    ///   - onlyControl: VRRP, ARP and neighbour advertisements only.
    ///   - keepsPackets: whether the others are put on the timeline as well.
    ///   - interrupt: a descriptor.
    ///   - onBlocks: gets whole blocks of the file.
    public func capture(
        onlyControl: Bool, keepsPackets: Bool = false, until interrupt: CInt,
        onBlocks: ([UInt8]) -> Void
    ) throws(LabError) {
        let connection = try ControlConnection(directory)
        try connection.send(
            .capture(CaptureQuery(onlyControl: onlyControl, keepsPackets: keepsPackets)))
        var isEnding = false
        while true {
            let descriptors = isEnding ? [] : [interrupt, STDOUT_FILENO]
            switch try connection.next(unless: descriptors) {
            case .ended: return
            case .other(interrupt):
                isEnding = true
                try connection.send(.endCapture)
            case .other: return
            case .reply(.capture(let blocks)): onBlocks(Array(blocks))
            case .reply(.done): return
            case .reply: throw unexpected
            }
        }
    }

    /// Runs a scenario of the lab's file.
    ///
    /// - Parameters:
    ///   - onSlice: given what the timeline shows around what went wrong, before the report of it.
    ///   - onStep: given every step's report as it comes.
    public func run(
        scenario: String, onSlice: ([TimelineEvent]) -> Void = { _ in },
        onStep: (StepReport) -> Void
    ) throws(LabError) -> ScenarioOutcome {
        try run(.runScenario(scenario), onSlice: onSlice, onStep: onStep)
    }

    /// Runs steps that are no scenario of the lab's file; its files are not laid.
    public func run(
        _ scenario: Scenario, onSlice: ([TimelineEvent]) -> Void = { _ in },
        onStep: (StepReport) -> Void = { _ in }
    ) throws(LabError) -> ScenarioOutcome {
        try run(.run(scenario), onSlice: onSlice, onStep: onStep)
    }

    private func run(
        _ request: ControlRequest, onSlice: ([TimelineEvent]) -> Void,
        onStep: (StepReport) -> Void
    ) throws(LabError) -> ScenarioOutcome {
        let running = try RunningScenario(request, in: directory)
        while true {
            switch try running.next() {
            case .step(let report): onStep(report)
            case .slice(let events): onSlice(events)
            case .verdict(let outcome): return outcome
            }
        }
    }

    /// Begins to run a scenario of the lab's file, without waiting for anything.
    public func begin(scenario: String) throws(LabError) -> RunningScenario {
        try RunningScenario(.runScenario(scenario), in: directory)
    }

    private var unexpected: LabError { ControlConnection.unexpected(of: name) }
}

/// A connection to a supervisor, used in the blocking way of a command.
struct ControlConnection {
    let channel: MessageChannel
    private let name: String

    init(_ directory: LabDirectory) throws(LabError) {
        name = directory.name
        do throws(SystemError) {
            let socket = try UnixSocket.connect(to: directory.socketPath)
            // Whoever answers may be given open files.
            guard try UnixSocket.isOwn(socket.rawValue) else {
                throw SystemError("connect to lab \(directory.name)", .permissionDenied)
            }
            channel = try MessageChannel(socket)
        } catch {
            switch error.code {
            case .noSuchFileOrDirectory, .connectionRefused, .notDirectory:
                if directory.isRoots { throw Self.foreign(directory) }
                throw .state(
                    "there is no lab \(directory.name): `labctl list` shows those there are")
            case .permissionDenied: throw Self.foreign(directory)
            default: throw .machine("\(error)")
            }
        }
    }

    private static func foreign(_ directory: LabDirectory) -> LabError {
        .machine("lab \(directory.name) belongs to another user: run labctl with sudo")
    }

    /// The supervisor's process.
    func peer() throws(LabError) -> SharedDescriptor {
        do {
            let pid = try UnixSocket.peerProcess(of: channel.socket.rawValue)
            return SharedDescriptor(
                OwnedDescriptor(
                    try systemCall("open pidfd of process \(pid)") { clinux_pidfd_open(pid) }))
        } catch {
            throw .failed("lab \(name) has just ended: \(error)")
        }
    }

    func send(
        _ request: ControlRequest, descriptors: [SharedDescriptor] = []
    ) throws(LabError) {
        do {
            try channel.send(Array(JSONEncoder().encode(request)), descriptors: descriptors)
            while channel.hasPendingOutput {
                var waiting = pollfd(
                    fd: channel.socket.rawValue, events: Int16(POLLOUT), revents: 0)
                poll(&waiting, 1, -1)
                try channel.flush()
            }
        } catch {
            throw .failed("lab \(name) has ended: \(error)")
        }
    }

    /// The next reply that has already come; nil while there is none.
    ///
    /// - Throws: the failure that the supervisor reports, or that the lab has ended.
    func receivePresent() throws(LabError) -> ControlReply? {
        if inbox.messages.isEmpty {
            guard let received = try? channel.receive() else { throw ended }
            inbox.messages = received.messages
            if received.messages.isEmpty {
                if received.isAtEnd { throw ended }
                return nil
            }
        }
        return try takeReply()
    }

    /// What was answered is no answer to what was asked.
    static func unexpected(of name: String) -> LabError {
        .failed("the supervisor of lab \(name) answered something else: are there two versions?")
    }

    var unexpected: LabError { Self.unexpected(of: name) }

    private var ended: LabError {
        let directory = LabDirectory(name)
        guard directory.hasFallen() else {
            return .failed("lab \(name) was taken down meanwhile")
        }
        let log = (try? FileSystem.readText(directory.logPath)) ?? ""
        let lines = log.split(separator: "\n").suffix(10).map { "\n    " + $0 }.joined()
        return .failed(
            "the supervisor of lab \(name) has ended by itself, and the lab with it"
                + (lines.isEmpty ? "" : "; the last it printed:" + lines))
    }

    /// The next reply.
    func receive() throws(LabError) -> ControlReply {
        guard let reply = try receiveUnlessEnded() else { throw ended }
        return reply
    }

    func receiveDone() throws(LabError) {
        guard case .done = try receive() else { throw unexpected }
    }

    private final class Inbox {
        var messages: [MessageChannel.Message] = []
    }
    private let inbox = Inbox()

    /// What came first.
    enum Next {
        case reply(ControlReply)
        /// The lab has ended.
        case ended
        /// That descriptor is readable, or its other end has gone.
        case other(CInt)
    }

    /// The next reply; nil when the lab has ended.
    ///
    /// - Parameter output: a descriptor whose last reader's going away ends the waiting, too.
    /// - Throws: the failure that the supervisor reports.
    func receiveUnlessEnded(output: CInt? = nil) throws(LabError) -> ControlReply? {
        guard case .reply(let reply) = try next(unless: [output].compactMap(\.self)) else {
            return nil
        }
        return reply
    }

    /// The next reply, unless something else comes first.
    ///
    /// - Parameter others: descriptors to be watched as well; one that is written to, for its last
    ///   reader's going away.
    /// - Throws: the failure that the supervisor reports.
    func next(unless others: [CInt]) throws(LabError) -> Next {
        while inbox.messages.isEmpty {
            // Errors and hang-ups are reported without being asked for.
            var waiting = ([channel.socket.rawValue] + others).map {
                pollfd(
                    fd: $0, events: $0 == STDOUT_FILENO ? 0 : Int16(POLLIN), revents: 0)
            }
            poll(&waiting, nfds_t(waiting.count), -1)
            if let other = waiting.dropFirst().first(where: { $0.revents != 0 }) {
                return .other(other.fd)
            }
            guard let received = try? channel.receive() else { return .ended }
            inbox.messages = received.messages
            if received.isAtEnd, received.messages.isEmpty { return .ended }
        }
        return .reply(try takeReply())
    }

    private func takeReply() throws(LabError) -> ControlReply {
        let message = inbox.messages.removeFirst()
        do {
            let reply = try JSONDecoder().decode(ControlReply.self, from: Data(message.payload))
            if case .failed(let kind, let text) = reply { throw LabError(kind, text) }
            return reply
        } catch let error as LabError {
            throw error
        } catch {
            throw .failed("the supervisor of lab \(name) answered what does not decode: \(error)")
        }
    }
}
