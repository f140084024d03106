/// What the supervisor tells a node's `NodeInit`, over the socket that `NodeInit` has as descriptor
/// 3.
public enum NodeRequest: Equatable, Sendable, WireCodable {
    /// Become this node: the first message, answered by `.booted` or `.failed`.
    case boot(NodeSpecification)
    /// Write kernel parameters, once the interfaces are there: those that the node's own files
    /// say, then these (`net.ipv4.ip_forward`, `1`), of which those of the network may be set.
    /// Answered by a `.sysctlFailed` for each that could not be written, then `.sysctlsDone`.
    case sysctls([Pair])
    /// Start a service. One that is ready is answered by `.ready` again; one that is starting, by
    /// what becomes of it; one that is stopping is started again when it has ended. A descriptor
    /// with the message is the time namespace that it runs in until the next such message.
    case start(ServiceSpecification)
    /// SIGTERM to its main process, and SIGKILL to all of it after the service's stop timeout. One
    /// that does not run is answered by how it ended.
    case stop(service: String)
    /// SIGKILL to every process of the service at once; no restart policy applies.
    case kill(service: String)
    /// SIGHUP to its main process: it reads its configuration anew. Nothing answers.
    case reload(service: String)
    /// Stop every process of the service where it is, or let it go on (SIGSTOP, SIGCONT); nil for
    /// every process of the node but `NodeInit`. Answered by `.frozen`.
    case freeze(service: String?, Bool)
    /// Run a command for a client. Descriptors with the message: the client's connection, then
    /// (without a terminal) its standard input, output and error. From then on `NodeInit` and the
    /// client talk over that connection.
    case execute(ExecuteRequest)
    /// Stop all services, last started first, then end.
    case powerOff

    /// A name and its value.
    public struct Pair: Equatable, Sendable {
        public var name: String
        public var value: String
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    public func write(to writer: inout WireWriter) {
        switch self {
        case .boot(let specification):
            writer.put(UInt8(0))
            specification.write(to: &writer)
        case .sysctls(let pairs):
            writer.put(UInt8(1))
            writer.put(pairs) { writer, pair in
                writer.put(pair.name)
                writer.put(pair.value)
            }
        case .start(let specification):
            writer.put(UInt8(2))
            specification.write(to: &writer)
        case .stop(let service):
            writer.put(UInt8(3))
            writer.put(service)
        case .kill(let service):
            writer.put(UInt8(4))
            writer.put(service)
        case .execute(let request):
            writer.put(UInt8(5))
            request.write(to: &writer)
        case .powerOff: writer.put(UInt8(6))
        case .reload(let service):
            writer.put(UInt8(7))
            writer.put(service)
        case .freeze(let service, let isFrozen):
            writer.put(UInt8(8))
            writer.put(service) { $0.put($1) }
            writer.put(isFrozen)
        }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        switch try reader.integer(UInt8.self) {
        case 0: self = .boot(try NodeSpecification(from: &reader))
        case 1:
            self = .sysctls(
                try reader.list { reader throws(WireError) in
                    Pair(try reader.text(), try reader.text())
                })
        case 2: self = .start(try ServiceSpecification(from: &reader))
        case 3: self = .stop(service: try reader.text())
        case 4: self = .kill(service: try reader.text())
        case 5: self = .execute(try ExecuteRequest(from: &reader))
        case 6: self = .powerOff
        case 7: self = .reload(service: try reader.text())
        case 8:
            let service = try reader.optional { reader throws(WireError) in try reader.text() }
            self = .freeze(service: service, try reader.bool())
        default: throw WireError(expected: "a request to a node")
        }
    }
}

/// What `NodeInit` tells the supervisor.
public enum NodeReport: Equatable, Sendable, WireCodable {
    /// The node's file system stands; services can be started, first of all those, which are
    /// enabled.
    case booted(enabled: [String])
    /// It could not become a node: why. It ends after this.
    case failed(String)
    /// A kernel parameter could not be written: which and why.
    case sysctlFailed(name: String, reason: String)
    /// All parameters of a request have been tried.
    case sysctlsDone
    /// A service changed state. `time` is CLOCK_MONOTONIC in nanoseconds, taken when it happened.
    /// With `.running` come two descriptors: the read ends of its standard output and standard
    /// error; with `.failed` as well, if its program cannot be run, and they say so.
    case service(name: String, state: ServiceState, time: Int64)
    /// Every service has ended, after `.powerOff` or because a program of the node wanted it so
    /// (`poweroff`, `reboot`); `NodeInit` ends now, and wants to be booted again if it `restarts`.
    case poweringOff(restarts: Bool)
    /// The service, or the node, stands still or goes on.
    case frozen(service: String?, Bool)
    /// A service has sent that assignment of its own (`X_...=...`) to $NOTIFY_SOCKET.
    case notified(service: String, assignment: String)

    /// The life of a service.
    public enum ServiceState: Equatable, Sendable {
        /// Its program runs under that process id (in the node).
        case running(pid: Int32)
        /// Its readiness condition holds.
        case ready
        /// SIGTERM has been sent.
        case stopping
        /// Its main process has ended with that status.
        case exited(status: Int32)
        /// Its main process was ended by that signal.
        case signalled(signal: Int32)
        /// It could not be started, did not become ready in time, or died too often: why. It stays
        /// down.
        case failed(String)
    }

    public func write(to writer: inout WireWriter) {
        switch self {
        case .booted(let enabled):
            writer.put(UInt8(0))
            writer.put(enabled) { $0.put($1) }
        case .failed(let reason):
            writer.put(UInt8(1))
            writer.put(reason)
        case .sysctlFailed(let name, let reason):
            writer.put(UInt8(2))
            writer.put(name)
            writer.put(reason)
        case .service(let name, let state, let time):
            writer.put(UInt8(3))
            writer.put(name)
            writer.put(time)
            switch state {
            case .running(let pid):
                writer.put(UInt8(0))
                writer.put(pid)
            case .ready: writer.put(UInt8(1))
            case .stopping: writer.put(UInt8(2))
            case .exited(let status):
                writer.put(UInt8(3))
                writer.put(status)
            case .signalled(let signal):
                writer.put(UInt8(4))
                writer.put(signal)
            case .failed(let reason):
                writer.put(UInt8(5))
                writer.put(reason)
            }
        case .poweringOff(let restarts):
            writer.put(UInt8(4))
            writer.put(restarts)
        case .sysctlsDone: writer.put(UInt8(5))
        case .frozen(let service, let isFrozen):
            writer.put(UInt8(6))
            writer.put(service) { $0.put($1) }
            writer.put(isFrozen)
        case .notified(let service, let assignment):
            writer.put(UInt8(7))
            writer.put(service)
            writer.put(assignment)
        }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        switch try reader.integer(UInt8.self) {
        case 0:
            self = .booted(
                enabled: try reader.list { reader throws(WireError) in try reader.text() })
        case 1: self = .failed(try reader.text())
        case 2: self = .sysctlFailed(name: try reader.text(), reason: try reader.text())
        case 3:
            let name = try reader.text()
            let time = try reader.integer(Int64.self)
            let state: ServiceState
            switch try reader.integer(UInt8.self) {
            case 0: state = .running(pid: try reader.integer())
            case 1: state = .ready
            case 2: state = .stopping
            case 3: state = .exited(status: try reader.integer())
            case 4: state = .signalled(signal: try reader.integer())
            case 5: state = .failed(try reader.text())
            default: throw WireError(expected: "a service's state")
            }
            self = .service(name: name, state: state, time: time)
        case 4: self = .poweringOff(restarts: try reader.bool())
        case 5: self = .sysctlsDone
        case 6:
            let service = try reader.optional { reader throws(WireError) in try reader.text() }
            self = .frozen(service: service, try reader.bool())
        case 7: self = .notified(service: try reader.text(), assignment: try reader.text())
        default: throw WireError(expected: "a node's report")
        }
    }
}

/// A command to be run in a node.
public struct ExecuteRequest: Equatable, Sendable, WireCodable {
    /// The program (a path, or a name looked up in the node's PATH) and its arguments.
    public var command: [String]
    /// Environment variables (`NAME=value`) on top of the node's.
    public var environment: [String]
    /// The folder it starts in; nil for the user's home.
    public var workingDirectory: String?
    /// Name or number of the user it runs as; nil for root.
    public var user: String?
    /// Whether it gets a terminal of the node's own; its other end is sent to the client with
    /// `.started`.
    public var terminal: TerminalSize?

    /// Rows and columns of a terminal.
    public struct TerminalSize: Equatable, Sendable {
        public var rows: UInt16
        public var columns: UInt16
        public init(rows: UInt16, columns: UInt16) {
            self.rows = rows
            self.columns = columns
        }
    }

    public init(
        command: [String], environment: [String] = [], workingDirectory: String? = nil,
        user: String? = nil, terminal: TerminalSize? = nil
    ) {
        self.command = command
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.user = user
        self.terminal = terminal
    }

    public func write(to writer: inout WireWriter) {
        writer.put(command) { $0.put($1) }
        writer.put(environment) { $0.put($1) }
        writer.put(workingDirectory) { $0.put($1) }
        writer.put(user) { $0.put($1) }
        writer.put(terminal) { writer, size in
            writer.put(size.rows)
            writer.put(size.columns)
        }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        command = try reader.list { reader throws(WireError) in try reader.text() }
        environment = try reader.list { reader throws(WireError) in try reader.text() }
        workingDirectory = try reader.optional { reader throws(WireError) in try reader.text() }
        user = try reader.optional { reader throws(WireError) in try reader.text() }
        terminal = try reader.optional { reader throws(WireError) in
            TerminalSize(rows: try reader.integer(), columns: try reader.integer())
        }
    }
}

/// What `NodeInit` tells the client of an `execute`, over the client's connection. When the
/// connection ends before `.exited`, the node was killed.
public enum ExecuteReport: Equatable, Sendable, WireCodable {
    /// It runs. With it comes the terminal's other end, where one was asked for.
    case started
    /// It could not be started: 127 when there is no such command, 126 otherwise (the shell's and
    /// docker's numbers).
    case failed(status: Int32, reason: String)
    /// It ended with that status.
    case exited(status: Int32)
    /// A signal ended it.
    case signalled(signal: Int32)

    public func write(to writer: inout WireWriter) {
        switch self {
        case .started: writer.put(UInt8(0))
        case .failed(let status, let reason):
            writer.put(UInt8(1))
            writer.put(status)
            writer.put(reason)
        case .exited(let status):
            writer.put(UInt8(2))
            writer.put(status)
        case .signalled(let signal):
            writer.put(UInt8(3))
            writer.put(signal)
        }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        switch try reader.integer(UInt8.self) {
        case 0: self = .started
        case 1: self = .failed(status: try reader.integer(), reason: try reader.text())
        case 2: self = .exited(status: try reader.integer())
        case 3: self = .signalled(signal: try reader.integer())
        default: throw WireError(expected: "a command's report")
        }
    }
}

/// What the client of an `execute` tells `NodeInit` after `.started`.
public enum ExecuteInput: Equatable, Sendable, WireCodable {
    /// Send that signal to the command's process group (its foreground group where it has a
    /// terminal).
    case signal(Int32)

    public func write(to writer: inout WireWriter) {
        switch self {
        case .signal(let number): writer.put(number)
        }
    }

    public init(from reader: inout WireReader) throws(WireError) {
        self = .signal(try reader.integer())
    }
}
