import CLinux
import Glibc
import LinuxSystem
import NetworkTypes
import NodeProtocol
import SystemPackage

/// Finds out when one start of a service has become ready. Made before the program is started, so
/// that what an earlier run left behind is told apart from what this one does.
final class ReadinessWatch {
    /// How often a port or file is looked at: at first as often as ``shortestInterval``, later less
    /// often, as a tenth of the time already waited.
    static let shortestInterval = Duration.milliseconds(1)
    static let longestInterval = Duration.milliseconds(20)
    /// The wait between two runs of a readiness command.
    static let commandInterval = Duration.milliseconds(50)
    /// How long none of a forking service's processes must be seen before there is none: one look
    /// at /proc may miss a process whose parent ends during it.
    static let absence = Duration.milliseconds(50)

    /// A file's identity: another file of that name, or a change to this one, makes another.
    private struct FileState: Equatable {
        var inode: UInt
        var changeSeconds: Int
        var changeNanoseconds: Int

        init?(_ path: String) {
            var information = stat()
            guard stat(path, &information) == 0 else { return nil }
            inode = UInt(information.st_ino)
            changeSeconds = information.st_ctim.tv_sec
            changeNanoseconds = information.st_ctim.tv_nsec
        }
    }

    private let service: String
    private let readiness: ServiceSpecification.Readiness
    private let loop: EventLoop
    private let reaper: Reaper
    private let launcher: Launcher
    private let onReady: () -> Void
    private let onSettled: (Int32) -> Void
    private let onVanished: () -> Void
    private let onAssignment: (String) -> Void

    private let fileBefore: FileState?
    private let socket: NotifySocket?
    private var pid: Int32 = 0
    private var started = MonotonicInstant.zero
    private var timer: EventLoop.TimerID?
    private var command: Int32?
    private var isWaiting = false
    /// Who was there before a forking service was started.
    private let others: Set<Int32>
    /// Since when none of its processes has been seen.
    private var goneSince: MonotonicInstant?

    /// - Parameters:
    ///   - launcher: starts readiness commands.
    ///   - onReady: called once, unless the following is.
    ///   - onSettled: given the daemon that the service has left behind, once.
    ///   - onVanished: called instead when none can come any more.
    ///   - onAssignment: given every assignment of the service's own (`X_...`) that it sends.
    init(
        _ specification: ServiceSpecification, loop: EventLoop, reaper: Reaper, launcher: Launcher,
        onReady: @escaping () -> Void, onSettled: @escaping (Int32) -> Void,
        onVanished: @escaping () -> Void, onAssignment: @escaping (String) -> Void
    ) throws(SystemError) {
        service = specification.name
        readiness = specification.readiness
        self.loop = loop
        self.reaper = reaper
        self.launcher = launcher
        self.onReady = onReady
        self.onSettled = onSettled
        self.onVanished = onVanished
        self.onAssignment = onAssignment
        if case .daemon = readiness {
            others = Set(try FileSystem.list("/proc").compactMap { Int32($0) })
        } else {
            others = []
        }
        switch readiness {
        case .file(let path), .daemon(pidFile: let path?):
            (fileBefore, socket) = (FileState(path), nil)
        case .notify:
            fileBefore = nil
            socket = try NotifySocket(path: "\(NodeRoot.notifyFolder)/\(service)")
        case .started, .tcpPort, .command, .daemon(pidFile: nil): (fileBefore, socket) = (nil, nil)
        }
        if let socket {
            // Read as long as the service lives: it may send its status at any time.
            try loop.add(socket.descriptor.rawValue, .readable) { [weak self] _ in
                self?.receive(socket)
            }
        }
    }

    /// What the service needs to know, as environment variables.
    var environment: [String] { socket.map { ["NOTIFY_SOCKET=\($0.path)"] } ?? [] }

    /// Begins to watch the started service.
    func begin(pid: Int32) {
        self.pid = pid
        started = MonotonicClock.now
        isWaiting = true
        check()
    }

    /// Watches no longer.
    func end() {
        isWaiting = false
        if let timer { loop.cancel(timer) }
        timer = nil
        if let command {
            do {
                try ServiceProcesses.killAll(session: command, service: nil)
            } catch { Log.write("\(service): \(error)") }
        }
        command = nil
        if let socket {
            // What it said last is still in there.
            receive(socket)
            loop.remove(socket.descriptor.rawValue)
        }
    }

    private func check() {
        // A service that has died meanwhile must not be found ready by what others do.
        reaper.reapAll()
        guard isWaiting else { return }
        switch readiness {
        case .started, .notify: return
        case .tcpPort(let port): poll(holds: listens(on: port))
        case .file(let path): poll(holds: FileState(path).map { $0 != fileBefore } ?? false)
        case .command(let command): run(command)
        case .daemon(let pidFile): look(for: pidFile)
        }
    }

    /// Looks for the daemon, or for whether there can be one.
    private func look(for pidFile: String?) {
        do {
            let entries = try ProcessEntry.all()
            let members = try ServiceProcesses.members(
                ofSession: pid, service: service, among: entries)
            if let daemon = try daemon(pidFile, members, entries) {
                isWaiting = false
                return onSettled(daemon)
            }
            if try members.isEmpty && !hasStrangers(entries) {
                let since = goneSince ?? MonotonicClock.now
                goneSince = since
                if MonotonicClock.now - since >= Self.absence {
                    isWaiting = false
                    return onVanished()
                }
            } else {
                goneSince = nil
            }
        } catch { Log.write("\(service): \(error)") }
        poll(holds: false)
    }

    /// Whether there is a process that may be the daemon for all that is known: a new child of PID
    /// 1's, without the mark of a service, which a daemon can take off.
    private func hasStrangers(_ entries: [ProcessEntry]) throws(SystemError) -> Bool {
        for entry in entries where entry.parent == 1 && !entry.hasEnded {
            guard !others.contains(entry.pid) else { continue }
            let environment = try ProcessEntry.environment(of: entry.pid)
            if !environment.contains(where: { $0.hasPrefix(ServiceProcesses.marker(of: "")) }) {
                return true
            }
        }
        return false
    }

    /// The process that has become the service: one of its own, and PID 1's child by now, so that
    /// its end will be seen.
    private func daemon(
        _ pidFile: String?, _ members: [Int32], _ entries: [ProcessEntry]
    ) throws(SystemError) -> Int32? {
        let ours = entries.filter { $0.parent == 1 && members.contains($0.pid) }
        guard let pidFile else {
            // As long as its program runs, that may have children that come and go.
            let isAlone = members.count == 1 && !members.contains(pid)
            return isAlone ? ours.first?.pid : nil
        }
        guard let state = FileState(pidFile), state != fileBefore,
            let number = Int32(try FileSystem.readText(pidFile).prefix { $0.isNumber })
        else { return nil }
        // Not looked for among its own: nginx leaves the session, and writes its title over the
        // environment by which it could be told. Who has written the file since the start, and is
        // PID 1's child, is meant.
        let isThere = entries.contains { $0.pid == number && $0.parent == 1 && !$0.hasEnded }
        return isThere ? number : nil
    }

    private func poll(holds: Bool) {
        if holds { return ready() }
        let waited = MonotonicClock.now - started
        schedule(after: min(max(waited / 10, Self.shortestInterval), Self.longestInterval))
    }

    private func schedule(after delay: Duration) {
        timer = loop.schedule(after: delay) { [weak self] in
            self?.timer = nil
            self?.check()
        }
    }

    private func ready() {
        guard isWaiting else { return }
        isWaiting = false
        onReady()
    }

    /// Whether a process of this service listens; that another's does is of no account.
    private func listens(on port: UInt16) -> Bool {
        do {
            if try ProcessEntry.listens(pid, onTCPPort: port) { return true }
            // Without its mark, which would cost another read of each of the node's processes.
            return try ServiceProcesses.members(ofSession: pid, service: nil)
                .contains { pid throws(SystemError) in
                    try ProcessEntry.listens(pid, onTCPPort: port)
                }
        } catch {
            Log.write("\(service): \(error)")
            return false
        }
    }

    private func receive(_ socket: NotifySocket) {
        do {
            for assignment in try socket.receive() {
                if assignment == "READY=1" {
                    ready()
                } else if assignment.hasPrefix("X_") {
                    onAssignment(assignment)
                }
            }
        } catch { Log.write("\(service): \(error)") }
    }

    private func run(_ command: [String]) {
        do {
            let null = try OwnedDescriptor.null()
            let number = null.rawValue
            let process = try launcher.start(command, descriptors: [number, number, number])
            self.command = process.pid
            reaper.watch(process.pid) { [weak self] termination, _ in self?.ended(termination) }
        } catch {
            Log.write("\(service): \(error)")
            schedule(after: Self.commandInterval)
        }
    }

    private func ended(_ termination: Termination) {
        command = nil
        guard isWaiting else { return }
        if termination == .exited(status: 0) {
            ready()
        } else {
            schedule(after: Self.commandInterval)
        }
    }
}
