import CLinux
import Glibc
import LabModel
import LinuxSystem
import NetworkTypes
import SystemPackage

/// The process that takes the connections to published ports (`port-proxy`).
///
/// It runs in the gateways' network namespace and otherwise in the supervisor's, and it ends with
/// the lab. The listening sockets stay the supervisor's, so that one that falls can be followed by
/// another.
final class PortProxyProcess {
    /// How long it takes until another follows one that has fallen: whatever made it fall may do so
    /// again.
    private static let pause = Duration.milliseconds(100)

    private let program: String
    private let published: [PublishedPort]
    private let listeners: [SharedDescriptor]
    private let loop: EventLoop
    private var process: Program.Started?
    private var socket: SharedDescriptor?

    /// Starts it.
    ///
    /// - Parameters:
    ///   - program: the path of `port-proxy`.
    ///   - namespace: that from which the targets can be reached.
    /// - Throws: ``SystemError`` when the kernel makes no process, or there is no such program.
    init(
        program: String, _ published: [PublishedPort], _ listeners: [SharedDescriptor],
        in namespace: borrowing NetworkNamespace, loop: EventLoop
    ) throws {
        self.program = program
        self.published = published
        self.listeners = listeners
        self.loop = loop
        try start(in: namespace)
    }

    private func start(in namespace: borrowing NetworkNamespace) throws {
        let (ours, theirs) = try MessageChannel.pair()
        let started = try namespace.run {
            try Program(
                path: program,
                arguments: ["port-proxy"] + published.map { "\($0.address),\($0.port)" },
                environment: [],
                descriptors: [theirs.rawValue, STDERR_FILENO, STDERR_FILENO]
                    + listeners.map(\.rawValue)
            ).start()
        }
        theirs.close()
        process = started
        socket = ours
    }

    /// Has another follow each that falls; `namespace` calls what it is given with the namespace in
    /// which they run.
    func watch(
        in namespace: @escaping ((borrowing NetworkNamespace) throws -> Void) throws -> Void
    ) throws(SystemError) {
        guard let process else { return }
        try loop.add(process.pidDescriptor.rawValue, .readable) { [self] _ in
            loop.remove(process.pidDescriptor.rawValue)
            let end = Termination.reap(process.pid).map { "\($0.termination)" } ?? "somehow"
            StandardError.print("port-proxy has ended: \(end)")
            self.process = nil
            socket = nil
            loop.schedule(after: Self.pause) { [self] in
                do {
                    try namespace { try start(in: $0) }
                    try watch(in: namespace)
                } catch {
                    StandardError.print("nothing is published any more: \(error)")
                }
            }
        }
    }

    /// Ends all connections to an address.
    func cut(_ address: IPAddress) {
        guard let socket else { return }
        let line = Array("cut \(address)\n".utf8)
        // A few bytes, into a socket that is read at once.
        _ = send(socket.rawValue, line, line.count, CLINUX_MSG_DONTWAIT | CLINUX_MSG_NOSIGNAL)
    }
}
