import CLinux
import FoundationEssentials
import Glibc
import LabModel
import LinuxSystem
import NetworkTypes
import NodeProtocol
import SystemPackage

/// One lab's supervisor: PID 1 of the lab's PID namespace, in the lab's fabric.
///
/// It starts the nodes, keeps the timeline, answers `labctl`, and holds everything the lab consists
/// of: when it dies, by whatever hand, the kernel ends all of it.
final class Supervisor {
    let order: SupervisorOrder
    let directory: LabDirectory
    let loop: EventLoop
    let timeline: TimelineRecorder
    let output: ServiceOutput
    let started: MonotonicInstant
    let fabric: Fabric
    let observer: Observer
    /// What stands in the middle of impaired cables.
    let wires: Wires
    /// Stations that belong to nobody.
    let imposters: Imposters
    /// What lets cables go down and come up.
    let flaps: Flaps
    /// Freezes whole nodes, where the kernel lets it.
    let freezer: Freezer?
    let disks: NodeDisks
    /// What joins the lab to its host, where something does.
    var outside: Outside?
    /// Keeps nodes to their limits.
    let limiter: NodeLimiter
    /// What was done for a time.
    var tenures = Tenures()
    private let stalls: StallWatch
    /// In the order of the lab file.
    let nodes: [RunningNode]
    let nodesByName: [String: RunningNode]
    /// What nodes find in /etc/hosts.
    let hostsFiles: DeploymentPlan.HostsFiles
    /// Which nodes are coming up, and which are next.
    var bringUp: BringUp
    /// What their first processes are copied from meanwhile.
    var zygote: NodeZygote?
    /// Whether its next step is on its way.
    var isBringingUp = false
    /// So many of the first nodes were ready when they were last asked.
    var readyCount = 0
    /// Who holds which virtual address, as the kernel shows it.
    var ownership = Ownership()
    /// What asks from inside nodes, by node.
    var probers: [String: [ObjectIdentifier: any Prober]] = [:]
    /// The last number that an echo request was told by.
    var lastIdentifier: UInt16 = 0
    let waiters = Waiters()
    private var sessions: [ObjectIdentifier: ClientSession] = [:]
    private var launcher: MessageChannel?
    private let lock: SharedDescriptor
    private var listener: SharedDescriptor?
    private var signals: SignalDescriptor?

    /// Builds the fabric and starts to observe it; no node yet.
    ///
    /// - Parameters:
    ///   - directory: the lab's run directory.
    ///   - launcher: the socket to whoever started the supervisor.
    ///   - lock: the open lock file of the run directory, kept open for life.
    /// - Throws: what the kernel refused.
    init(
        _ order: SupervisorOrder, in directory: LabDirectory, launcher: MessageChannel,
        lock: SharedDescriptor
    ) throws {
        self.order = order
        self.launcher = launcher
        self.lock = lock
        self.directory = directory
        started = MonotonicClock.now
        try Mount.makeAllPrivate()
        try FileSystem.makeFolders(directory.diskPath)
        try Mount.mount(
            "tmpfs", on: directory.diskPath, flags: [.noSetUID, .noDevices], data: "mode=0755")
        if let users = order.users, let host = order.hostFolders {
            try HostMirror(disk: directory.diskPath).make(host, users)
        }
        let loop = try EventLoop()
        zygote = try? NodeZygote(
            program: order.programFolder + "/node-init", log: STDERR_FILENO, loop: loop)
        let timeline = TimelineRecorder(loop: loop, path: directory.eventsPath)
        let output = ServiceOutput(loop: loop, folder: directory.outputPath)
        let plan = try DeploymentPlan(order.lab)
        let fabric = try Fabric(plan)
        hostsFiles = plan.hostsFiles
        self.loop = loop
        self.timeline = timeline
        self.output = output
        self.fabric = fabric
        wires = Wires(fabric, program: order.programFolder + "/wire-relay", loop: loop)
        flaps = Flaps(fabric, loop: loop)
        freezer = Freezer(order.lab.name)
        disks = try NodeDisks(folder: directory.diskPath)
        let groups = ResourceGroups(
            .ofMachine, lab: order.lab.name, record: directory.groupsPath)
        limiter = NodeLimiter(groups, disks)
        observer = try Observer(fabric, timeline: timeline, loop: loop)
        imposters = Imposters(
            fabric, observer: observer, program: order.programFolder + "/imposter", loop: loop)
        stalls = StallWatch(loop: loop, timeline: timeline)
        let nodes = order.lab.nodes.map { RunningNode($0, loop: loop, output: output) }
        self.nodes = nodes
        bringUp = BringUp(count: nodes.count, maximumBooting: BringUp.maximumBooting)
        nodesByName = Dictionary(
            nodes.map { ($0.node.name, $0) }, uniquingKeysWith: { one, _ in one })
        if let error = timeline.fileError { throw error }
        _ = timeline.addListener { [unowned self] event in _ = ownership.fold(event) }
        watchClaims()
    }

    /// Brings the lab up, with what it is given of the host's network, and serves it until it is
    /// taken down. Does not return.
    func run(_ doors: HostDoors) throws {
        try watchSignals()
        try watchLauncher()
        try listen()
        for node in nodes {
            node.onChange = { [unowned self, unowned node] change in
                handle(change, of: node)
            }
        }
        observer.process = { [unowned self] name in
            nodesByName[name]?.process?.pid
        }
        fabric.process = observer.process
        observer.onPortChange = { [unowned self] in reconsiderSoon() }
        imposters.onFall = { [unowned self] in imposterFell(on: $0) }
        flaps.onEnd = { [unowned self] endpoint in endFlap(of: endpoint) }
        open(doors) { [unowned self] in goOnBringingUp() }
        wait(until: { [unowned self] in allReady() }) { [unowned self] result in
            switch result {
            case .success: tellLauncher(.ready)
            case .failure(let error): fail(error)
            }
        }
        try loop.run()
    }

    // MARK: Nodes

    /// The node of that name.
    func node(_ name: String) throws(LabError) -> RunningNode {
        if let node = nodesByName[name] { return node }
        let names = nodes.map(\.node.name).joined(separator: ", ")
        throw .state("lab \(order.lab.name) has no node \(name): its nodes are \(names)")
    }

    /// The node of that name, which can be talked to.
    func runningNode(_ name: String) throws(LabError) -> RunningNode {
        let node = try node(name)
        if node.isFrozen { throw .state("node \(name) is frozen: thaw it first") }
        guard node.state == .running else {
            throw .state("node \(name) is \(node.state.rawValue): start it first")
        }
        return node
    }

    private func handle(_ change: RunningNode.Change, of node: RunningNode) {
        let name = node.node.name
        switch change {
        case .booted:
            startServicesIfPossible(node)
            hasSettled(node)
        case .configured, .frozen: break
        case .service(let service, let state, let time):
            timeline.record(.service(node: name, service: service, state), at: time, stamp: .origin)
            if state == .exited(.signal(SIGKILL)), limiter.hasRunOutOfMemory(name) {
                output.note(
                    "A process of this unit has been killed by the OOM killer.", node: name,
                    service: service)
            }
        case .notified(let service, let assignment):
            return recordClaim(in: assignment, of: Target(node: name, service: service))
        case .ended:
            // The timeline bears a power cut from when it was made, not from when the kernel was
            // through with it.
            if node.state != .killed { recordOwnEnd(of: node) }
            observer.regard(name)
            dismissGroups(of: name)
            forgetClocks(of: name)
            directory.removeNamespaceName(of: name)
            if node.wantsRestart { bootSoon(node) }
            hasSettled(node)
        }
        reconsider()
    }

    /// Puts on the timeline that a node is gone with all its addresses.
    func recordEnd(of node: RunningNode) {
        let name = node.node.name
        observer.catchUp()
        cancelProbes(from: name, reason: "node \(name) is gone")
        timeline.record(.node(name, node.state))
        observer.forget(name)
    }

    // MARK: Beginning and end

    private func watchSignals() throws {
        let signals = try SignalDescriptor([SIGTERM, SIGINT])
        self.signals = signals
        try loop.add(signals.descriptor.rawValue, .readable) { [unowned self] _ in
            if !signals.drain().isEmpty { end() }
        }
    }

    private func watchLauncher() throws {
        guard let launcher else { return }
        try loop.add(launcher.socket.rawValue, .readable) { [unowned self] _ in
            guard self.launcher != nil else { return }
            // Whoever started the lab has gone before it was up: nobody knows of it, nobody wants
            // it.
            if (try? launcher.receive())?.isAtEnd ?? true { end() }
        }
    }

    func tellLauncher(_ report: LaunchReport) {
        guard let launcher else { return }
        if let message = try? JSONEncoder().encode(report) { try? launcher.send(Array(message)) }
        guard report.isLast, !order.endsWithLauncher else { return }
        loop.remove(launcher.socket.rawValue)
        launcher.socket.close()
        self.launcher = nil
    }

    func fail(_ error: LabError) -> Never {
        timeline.flush()
        let message = (try? JSONEncoder().encode(LaunchReport(error))) ?? Data()
        killAll()
        do { try removeDirectory() } catch { StandardError.print("\(error)") }
        try? launcher?.send(Array(message))
        exit(1)
    }

    private func listen() throws {
        let listener = try UnixSocket.listen(at: directory.socketPath)
        self.listener = listener
        try loop.accept(listener) { [unowned self] connection in
            // The file's mode keeps others out already.
            guard (try? UnixSocket.isOwn(connection.rawValue)) == true,
                let session = try? ClientSession(connection, supervisor: self)
            else { return }
            sessions[ObjectIdentifier(session)] = session
        }
    }

    /// Forgets a client that has gone.
    func close(_ session: ClientSession) { sessions[ObjectIdentifier(session)] = nil }

    /// A name for a probe that no other has, be it of a scenario or of another client: that one,
    /// with a number behind it if need be. Results on the timeline tell their probe by its name.
    func unusedProbeName(_ name: String) -> String {
        let taken = Set(
            order.lab.scenarios.flatMap(\.probes).map(\.name)
                + sessions.values.compactMap(\.probeName))
        var candidate = name
        var number = 2
        while taken.contains(candidate) {
            candidate = "\(name) \(number)"
            number += 1
        }
        return candidate
    }

    /// Ends the lab and, being PID 1, everything in it.
    func end() -> Never {
        for session in sessions.values where session.isCapturing { session.endCapture() }
        timeline.flush()
        killAll()
        do { try removeDirectory() } catch { StandardError.print("\(error)") }
        exit(0)
    }

    /// How long nodes that were killed may take to be gone; a millisecond, as a rule.
    private static let burialMilliseconds: CInt = 2000

    // Of all that a lab has, its nodes' control groups alone do not go with its processes: they are
    // removed when nothing is in them any more.
    private func killAll() {
        outside?.close()
        let processes = nodes.compactMap(\.process)
        for node in nodes { node.kill() }
        for process in processes {
            var waiting = pollfd(
                fd: process.pidDescriptor.rawValue, events: Int16(POLLIN), revents: 0)
            poll(&waiting, 1, Self.burialMilliseconds)
            _ = Termination.reap(process.pid)
        }
        for node in nodes { dismissGroups(of: node.node.name) }
    }

    /// Removes the control groups of a node that has ended.
    private func dismissGroups(of node: String) {
        limiter.dismiss(node)
        freezer?.dismiss(node)
    }

    // The nodes' disk is in here, and a mount point cannot be removed where it is mounted: here.
    private func removeDirectory() throws {
        try Mount.detach(directory.diskPath)
        try directory.remove()
    }
}
