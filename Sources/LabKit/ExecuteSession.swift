import CLinux
import Glibc
import LinuxSystem
import NodeProtocol
import SystemPackage

/// A command that somebody runs in a node with the terminal or the standard streams of this
/// process.
public struct ExecuteSession {
    /// What is run and how.
    public struct Options: Sendable {
        public var command: [String]
        /// `NAME=value`, on top of the node's.
        public var environment: [String]
        /// Nil for /root.
        public var workingDirectory: String?
        /// Name or number; nil for root.
        public var user: String?
        /// Whether it gets a terminal of the node's own, to which this process's is connected.
        public var wantsTerminal: Bool
        /// Whether it reads this process's standard input; it reads nothing otherwise.
        public var readsInput: Bool

        public init(
            command: [String], environment: [String] = [], workingDirectory: String? = nil,
            user: String? = nil, wantsTerminal: Bool = false, readsInput: Bool = true
        ) {
            self.command = command
            self.environment = environment
            self.workingDirectory = workingDirectory
            self.user = user
            self.wantsTerminal = wantsTerminal
            self.readsInput = readsInput
        }
    }

    /// Exit status of a failure of our own, as docker's.
    public static let ownFailure: Int32 = 125
    /// Added to the number of the signal that ended a command, as shells do.
    public static let signalBase: Int32 = 128
    private static let forwardedSignals = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2]

    private let channel: MessageChannel
    private let options: Options
    private let signals: SignalDescriptor

    /// Runs a command in a node.
    ///
    /// - Returns: its exit status, 128 and the signal's number when one ended it, or 125 to 127
    ///   with `reason` when it could not be run.
    /// - Throws: ``LabError`` when there is no such lab.
    public static func run(
        _ options: Options, on node: String, of directory: LabDirectory
    ) throws(LabError) -> (status: Int32, reason: String?) {
        let connection = try ControlConnection(directory)
        do {
            SignalDescriptor.blockAll()
            let session = ExecuteSession(
                channel: connection.channel, options: options,
                signals: try SignalDescriptor(Self.forwardedSignals + [SIGWINCH]))
            var request = ExecuteOptions(
                command: options.command, environment: options.environment,
                workingDirectory: options.workingDirectory, user: options.user)
            guard options.wantsTerminal else {
                let streams = try session.standardStreams()
                try connection.send(.execute(node: node, request), descriptors: streams)
                return try session.relaySignals()
            }
            let size = Terminal.size(of: STDOUT_FILENO)
            request.terminalRows = size.rows
            request.terminalColumns = size.columns
            try connection.send(.execute(node: node, request))
            return try session.relayTerminal()
        } catch let error as LabError {
            throw error
        } catch {
            throw .failed("\(error)")
        }
    }

    private func standardStreams() throws -> [SharedDescriptor] {
        try [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO].map { number in
            if number == STDIN_FILENO && !options.readsInput {
                return SharedDescriptor(try OwnedDescriptor.null())
            }
            let copy = try systemCall("duplicate a descriptor") {
                fcntl(number, F_DUPFD_CLOEXEC, 3)
            }
            return SharedDescriptor(OwnedDescriptor(copy))
        }
    }

    // The command has our streams themselves; all that is left to do is to pass signals on and
    // wait.
    private func relaySignals() throws -> (status: Int32, reason: String?) {
        var hasStarted = false
        var early: [Int32] = []
        while true {
            var waiting = [
                pollfd(fd: channel.socket.rawValue, events: Int16(POLLIN), revents: 0),
                pollfd(fd: signals.descriptor.rawValue, events: Int16(POLLIN), revents: 0),
            ]
            poll(&waiting, 2, -1)
            early += signals.drain().filter { $0 != SIGWINCH }
            if let end = try readReports({ _ in hasStarted = true }) { return end }
            // Before the node has the connection, a message on it would go to the supervisor.
            if hasStarted {
                for signal in early { try channel.send(ExecuteInput.signal(signal).message) }
                early = []
            }
        }
    }

    private func relayTerminal() throws -> (status: Int32, reason: String?) {
        var relay: TerminalRelay?
        defer { relay?.end() }
        while true {
            var waiting = [
                pollfd(fd: channel.socket.rawValue, events: Int16(POLLIN), revents: 0),
                pollfd(fd: signals.descriptor.rawValue, events: Int16(POLLIN), revents: 0),
            ]
            if let relay { waiting += relay.interests }
            poll(&waiting, nfds_t(waiting.count), -1)
            for signal in signals.drain() {
                if signal == SIGWINCH {
                    relay?.resize()
                } else if relay != nil {
                    try channel.send(ExecuteInput.signal(signal).message)
                } else {
                    return (Self.signalBase + signal, nil)
                }
            }
            relay?.transfer()
            let end = try readReports { descriptors in
                relay = descriptors.first.map { TerminalRelay($0) }
            }
            if let end {
                relay?.drain()
                return end
            }
        }
    }

    private func readReports(
        _ started: ([SharedDescriptor]) -> Void
    ) throws -> (status: Int32, reason: String?)? {
        let received = try channel.receive()
        for message in received.messages {
            switch try ExecuteReport(message: message.payload) {
            case .started: started(message.descriptors)
            case .failed(let status, let reason): return (status, reason)
            case .exited(let status): return (status, nil)
            case .signalled(let signal): return (Self.signalBase + signal, nil)
            }
        }
        // The node went down under the command, which was killed with it.
        return received.isAtEnd ? (Self.signalBase + SIGKILL, "the node is gone") : nil
    }
}
