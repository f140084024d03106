import CLinux
import Glibc
import LabModel
import LinuxSystem
import NetworkTypes
import NodeProtocol
import SystemPackage

/// A node as the supervisor sees it: its first process, the socket to it, and what it has reported.
///
/// Whatever changes is told to ``onChange`` after it is in the properties. The node's network is
/// the fabric's business.
final class RunningNode {
    /// A service's last reported state.
    struct ServiceRecord {
        var state: TimelineEvent.ServiceState
        var since: MonotonicInstant
        /// Whether its processes stand still.
        var isFrozen = false
        /// Whether it has ended because it was told to.
        var wasStopped = false
    }

    /// What happened to a node.
    enum Change {
        /// Its file system stands; its services can be started.
        case booted
        /// Its kernel parameters are set.
        case configured
        case service(name: String, TimelineEvent.ServiceState, at: MonotonicInstant)
        /// It, or a service of it, stands still or goes on.
        case frozen
        /// A service has sent that assignment of its own to its manager (sd_notify(3)).
        case notified(service: String, assignment: String)
        /// Its first process has ended; nothing of it runs any more.
        case ended
    }

    let node: Node
    private let loop: EventLoop
    private let output: ServiceOutput
    private(set) var state: TimelineEvent.NodeState = .stopped
    private(set) var services: [String: ServiceRecord] = [:]
    /// Its first process, as the supervisor's PID namespace numbers it.
    private(set) var process: Program.Started?
    private var channel: MessageChannel?
    /// Why it could not become a node, when it said so.
    private(set) var failure: String?
    private(set) var hasBooted = false
    /// The services that start with it, as its own disk has it; nil as long as it has not booted.
    private var enabled: Set<String>?
    /// Whether it has ended to be booted again.
    private(set) var wantsRestart = false
    /// Whether kernel parameters that it was told to set are not all tried yet.
    private var isSettingSysctls = false
    /// Whether all its processes stand still.
    var isFrozen = false
    var onChange: (Change) -> Void = { _ in }

    init(_ node: Node, loop: EventLoop, output: ServiceOutput) {
        self.node = node
        self.loop = loop
        self.output = output
    }

    /// Whether its first process lives.
    var isAlive: Bool { process != nil }

    /// Starts the first process in namespaces of its own and tells it what to become.
    ///
    /// - Parameters:
    ///   - disk: a copy of its disk's mount, which it mounts.
    ///   - walls: its network, and the user namespace of what runs in it; nil for a network that
    ///     belongs to the supervisor's.
    ///   - program: the path of `node-init`.
    ///   - log: where the first process itself prints.
    ///   - group: the folder of the control group that it begins in.
    ///   - zygote: what it is copied from; nil, or one that is gone: the program is started.
    ///   - admit: puts the first process into control groups that it has not begun in, before it
    ///     has started anything.
    /// - Throws: ``SystemError`` when the kernel makes no process or namespace.
    func boot(
        _ specification: NodeSpecification, disk: SharedDescriptor, walls: WalledNetwork?,
        program: String, log: CInt, group: CInt?, zygote: NodeZygote?,
        admit: (Program.Started) -> Void
    ) throws {
        precondition(!isAlive, "a node is booted when it is down")
        let null = try OwnedDescriptor.null()
        func begin(
            _ start: (Program) throws -> Program.Started?
        ) throws -> (Program.Started, MessageChannel)? {
            let (ours, theirs) = try MessageChannel.pair()
            var first = Program(
                path: program, arguments: ["node-init"], environment: [],
                descriptors: [null.rawValue, log, log, theirs.rawValue])
            // That of control groups it makes itself, when it is in its group.
            first.newNamespaces = [.pid, .mount, .uts, .ipc]
            if let walls {
                first.networkNamespace = walls.network.rawValue
                first.descriptors.append(walls.users.rawValue)
            } else {
                first.newNamespaces.insert(.network)
            }
            first.controlGroup = group
            first.leadsSession = true
            let started = try start(first)
            theirs.close()
            return try started.map { ($0, try MessageChannel(ours)) }
        }
        guard
            let (started, channel) = try begin({ zygote?.start($0) }) ?? begin({ try $0.start() })
        else { preconditionFailure("a program is started, or says why not") }
        admit(started)
        process = started
        self.channel = channel
        services = [:]
        failure = nil
        hasBooted = false
        enabled = nil
        wantsRestart = false
        isSettingSysctls = false
        isFrozen = false
        state = .starting
        try loop.add(started.pidDescriptor.rawValue, .readable) { [self] _ in ended() }
        try loop.add(channel.socket.rawValue, .readable) { [self] interest in
            if interest.contains(.writable) { flush() }
            receive()
        }
        send(.boot(specification), descriptors: [disk])
    }

    /// Sends a request; one to a node that is going down is lost with it.
    func send(_ request: NodeRequest, descriptors: [SharedDescriptor] = []) {
        guard let channel else { return }
        do {
            try channel.send(request.message, descriptors: descriptors)
            if channel.hasPendingOutput {
                try loop.modify(channel.socket.rawValue, [.readable, .writable])
            }
        } catch {
            // The other end is gone: the pidfd says so too, and that is what is acted on.
        }
    }

    /// Has kernel parameters set after those that the node's own /etc/sysctl.conf has. The fabric
    /// has set those of the network, and a line of the node's must not change them.
    func set(_ sysctls: [Sysctl]) {
        isSettingSysctls = true
        send(.sysctls(sysctls.map { NodeRequest.Pair($0.name, $0.value) }))
    }

    /// Whether it is what its file says, its services aside.
    var isComplete: Bool { hasBooted && !isSettingSysctls }

    /// Whether a service starts with the node: what `systemctl enable` and `disable` decide, from
    /// the lab file's word on.
    func isEnabled(_ service: String) -> Bool {
        enabled?.contains(service) ?? (node.service(service)?.startsWithNode ?? false)
    }

    /// Marks the node as running, once its services have been told to start.
    func markRunning() { state = .running }

    /// Kills the first process, and with it, by the kernel's hand, every process of the node.
    ///
    /// - Parameter state: what it is to be called from then on.
    func kill(as state: TimelineEvent.NodeState = .killed) {
        guard let process else { return }
        self.state = state
        clinux_pidfd_send_signal(process.pidDescriptor.rawValue, SIGKILL)
    }

    /// The state in which the node ends when its first process does.
    func expectEnd(as state: TimelineEvent.NodeState) { self.state = state }

    /// The process id of the first process on the host: what the /proc mounted here numbers it.
    var hostPID: Int32? {
        guard let process,
            let text = try? FileSystem.readText(
                "/proc/self/fdinfo/\(process.pidDescriptor.rawValue)"),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("Pid:") })
        else { return nil }
        return Int32(line.dropFirst(4).filter { $0.isNumber })
    }

    private func flush() {
        guard let channel else { return }
        try? channel.flush()
        if !channel.hasPendingOutput { try? loop.modify(channel.socket.rawValue, .readable) }
    }

    private func receive() {
        guard let channel, let received = try? channel.receive() else {
            closeChannel()
            return
        }
        for message in received.messages { handle(message) }
        if received.isAtEnd { closeChannel() }
    }

    private func handle(_ message: MessageChannel.Message) {
        guard let report = try? NodeReport(message: message.payload) else {
            StandardError.print("node \(node.name) sent a message that does not decode")
            return
        }
        switch report {
        case .booted(let enabled):
            hasBooted = true
            self.enabled = Set(enabled)
            onChange(.booted)
        case .failed(let reason): failure = reason
        case .sysctlFailed(let name, let reason):
            failure = "sysctl \(name): \(reason)"
        case .sysctlsDone:
            isSettingSysctls = false
            onChange(.configured)
        case .service(let name, let reported, let nanoseconds):
            if message.descriptors.count == 2 {
                var started: Int32?
                if case .running(let pid) = reported { started = pid }
                for (pipe, isError) in zip(message.descriptors, [false, true]) {
                    output.attach(
                        pipe, node: node.name, service: name, isError: isError, pid: started)
                }
            }
            let state = TimelineEvent.ServiceState(reported)
            let time = MonotonicInstant(nanoseconds: nanoseconds)
            // One that is told to stop still stands still; one that ends does so no more.
            let isFrozen = state == .stopping && services[name]?.isFrozen == true
            var record = ServiceRecord(state: state, since: time, isFrozen: isFrozen)
            if case .exited = state { record.wasStopped = services[name]?.state == .stopping }
            services[name] = record
            onChange(.service(name: name, state, at: time))
        case .frozen(let service, let isFrozen):
            if let service {
                services[service]?.isFrozen = isFrozen
            } else {
                self.isFrozen = isFrozen
            }
            onChange(.frozen)
        case .notified(let service, let assignment):
            onChange(.notified(service: service, assignment: assignment))
        case .poweringOff(let restarts):
            // A program of the node may have wanted it so.
            state = .stopped
            wantsRestart = restarts
        }
    }

    private func ended() {
        guard let process else { return }
        // What it said last is still in the socket.
        receive()
        loop.remove(process.pidDescriptor.rawValue)
        closeChannel()
        _ = Termination.reap(process.pid)
        self.process = nil
        services = [:]
        isFrozen = false
        if state == .starting || state == .running { state = .failed }
        onChange(.ended)
    }

    private func closeChannel() {
        guard let channel else { return }
        loop.remove(channel.socket.rawValue)
        channel.socket.close()
        self.channel = nil
    }
}

extension TimelineEvent.ServiceState {
    /// What `NodeInit` reported, in the timeline's words.
    init(_ state: NodeReport.ServiceState) {
        self =
            switch state {
            case .running(let pid): .running(pid: pid)
            case .ready: .ready
            case .stopping: .stopping
            case .exited(let status): .exited(.status(status))
            case .signalled(let signal): .exited(.signal(signal))
            case .failed(let reason): .failed(reason)
            }
    }
}
