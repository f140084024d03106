import CLinux
import Glibc
import LinuxSystem
import NodeProtocol

/// A command that a client runs in the node, over a connection of its own.
///
/// Its standard streams are the client's own descriptors, or a terminal whose other end the client
/// gets: no byte of them passes through here.
final class Command {
    /// How long a command whose client is gone may take to end after SIGHUP.
    static let hangUpGrace = Duration.seconds(2)

    private let loop: EventLoop
    private let reaper: Reaper
    private var connection: Connection?
    private var controller: SharedDescriptor?
    private var pid: Int32?
    private var graceTimer: EventLoop.TimerID?
    private var onEnd: () -> Void = {}

    /// - Parameter client: the client's connection.
    init(loop: EventLoop, reaper: Reaper, client: consuming OwnedDescriptor) throws(SystemError) {
        self.loop = loop
        self.reaper = reaper
        connection = try Connection(
            client, loop: loop,
            onMessage: { [weak self] in self?.receive($0.payload) },
            onClose: { [weak self] in self?.hangUp() })
    }

    /// Starts it, and tells the client how that went.
    ///
    /// - Parameters:
    ///   - streams: the client's standard input, output and error; unused with a terminal.
    ///   - onEnd: called when it is over and this object no longer needed.
    func start(
        _ request: ExecuteRequest, environment: NodeEnvironment, streams: [SharedDescriptor],
        onEnd: @escaping () -> Void
    ) {
        self.onEnd = onEnd
        do {
            var launcher = Launcher(environment: environment.with(request.environment))
            try become(request.user, &launcher, request.environment)
            if let folder = request.workingDirectory { launcher.workingDirectory = folder }
            // From a folder of the host's every path leads out of the node.
            guard !streams.contains(where: { FileSystem.isFolder($0.rawValue) }) else {
                throw LaunchError(
                    status: LaunchError.notRunnable,
                    description: "a folder cannot be a command's input or output")
            }
            var descriptors = streams
            if let size = request.terminal {
                let terminal = try PseudoTerminal(rows: size.rows, columns: size.columns)
                if let identity = launcher.identity {
                    try terminal.give(
                        toUser: identity.userID, group: NodeDevices.terminalGroup)
                }
                controller = terminal.controller
                launcher.controlsTerminal = true
                descriptors = [terminal.terminal, terminal.terminal, terminal.terminal]
            }
            let process = try launcher.start(
                request.command, descriptors: descriptors.map(\.rawValue))
            pid = process.pid
            reaper.watch(process.pid) { [weak self] termination, _ in self?.ended(termination) }
            connection?.send(
                ExecuteReport.started, descriptors: controller.map { [$0] } ?? [])
        } catch let error as LaunchError {
            finish(.failed(status: error.status, reason: error.description))
        } catch {
            finish(.failed(status: LaunchError.notRunnable, reason: "\(error)"))
        }
    }

    /// Prepares to run as another user, in its home, as login(1) would.
    private func become(
        _ name: String?, _ launcher: inout Launcher, _ additions: [String]
    ) throws {
        guard let name else { return }
        let database = try UserDatabase.ofMachine()
        guard let user = database.user(name) else {
            throw LaunchError(
                status: LaunchError.notRunnable, description: "no user \(name) in the node")
        }
        launcher.identity = Program.Identity(
            userID: user.userID, groupID: user.groupID, groupIDs: database.groupIDs(of: user))
        launcher.environment = launcher.environment
            .with(["HOME=\(user.home)", "USER=\(user.name)", "LOGNAME=\(user.name)"])
            .with(additions)
        launcher.workingDirectory = FileSystem.isFolder(user.home) ? user.home : "/"
    }

    private func receive(_ payload: [UInt8]) {
        do {
            switch try ExecuteInput(message: payload) {
            case .signal(let number): signal(number)
            }
        } catch {
            Log.write("a client's \(error)")
            hangUp()
        }
    }

    /// Signals the command's process group, or the one in its terminal's foreground.
    private func signal(_ number: Int32) {
        guard let pid else { return }
        let foreground = controller.flatMap { PseudoTerminal.foregroundGroup(of: $0.rawValue) }
        kill(-(foreground ?? pid), number)  // ESRCH: it has ended, which is reported anyway.
    }

    private func hangUp() {
        connection?.close()
        connection = nil
        guard let pid else { return onEnd() }
        kill(-pid, SIGHUP)
        kill(-pid, SIGCONT)  // A stopped process would get it only when continued.
        // With the last copy of this end, the kernel sends its own SIGHUP to the foreground.
        controller = nil
        graceTimer = loop.schedule(after: Self.hangUpGrace) { [weak self] in
            self?.graceTimer = nil
            do {
                try ServiceProcesses.killAll(session: pid, service: nil)
            } catch { Log.write("process \(pid): \(error)") }
        }
    }

    private func ended(_ termination: Termination) {
        if let graceTimer { loop.cancel(graceTimer) }
        pid = nil
        switch termination {
        case .exited(let status): finish(.exited(status: status))
        case .signalled(let signal): finish(.signalled(signal: signal))
        }
    }

    private func finish(_ report: ExecuteReport) {
        controller = nil
        if let connection {
            connection.send(report)
            connection.close()
        }
        connection = nil
        onEnd()
    }
}
