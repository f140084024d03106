import CLinux
import Glibc
import LinuxSystem
import NetworkTypes
import NodeProtocol

/// PID 1 of a node: does what the supervisor asks, and reaps.
final class Node {
    /// How long the last reports may take to leave before it ends all the same.
    static let farewellLimit = Duration.seconds(1)
    /// How long a command that has powered the node off itself may take to end before it ends with
    /// the node, so that its client hears how it went.
    static let commandGrace = Duration.milliseconds(200)

    /// After how long without a request what they needed is given back: late enough not to take
    /// the time of other nodes of a large lab that are still coming up.
    static let settlingTime = Duration.seconds(5)

    private let loop: EventLoop
    private let reaper = Reaper()
    private let signals: SignalDescriptor
    private var supervisor: Connection?
    private var environment = NodeEnvironment()
    private var services: [String: Service] = [:]
    /// The services in the order of their last start.
    private var startOrder: [String] = []
    private var commands: [ObjectIdentifier: Command] = [:]
    private var units: UnitManager?
    /// What the node's own files say about kernel parameters.
    private var ownSettings: [SysctlSetting] = []
    private var isPoweringOff = false
    /// Whether the node is to be booted again once it is off.
    private var restarts = false
    /// Whether commands are waited for until then.
    private var awaitsCommandsUntil: MonotonicInstant?
    /// The service whose end the power-off waits for.
    private var stopping: Service?
    private var memoryTimer: EventLoop.TimerID?

    /// - Parameter socket: the connection to the supervisor.
    init(socket: consuming OwnedDescriptor) throws(SystemError) {
        loop = try EventLoop()
        signals = try SignalDescriptor([SIGCHLD, SIGTERM])
        supervisor = try Connection(
            socket, loop: loop, onMessage: { [unowned self] in receive($0) },
            // Nobody is left whose node this could be.
            onClose: { exit(EXIT_FAILURE) })
        try loop.add(signals.descriptor.rawValue, .readable) { [unowned self] _ in
            for signal in signals.drain() where signal == SIGTERM { powerOff(restarts: false) }
            reaper.reapAll()
        }
    }

    /// Serves until the node is powered off, which ends the process.
    func run() throws(SystemError) { try loop.run() }

    private func receive(_ message: MessageChannel.Message) {
        releaseMemorySoon()
        do {
            switch try NodeRequest(message: message.payload) {
            case .boot(let specification): boot(specification, disk: message.descriptors.first)
            case .sysctls(let parameters): set(parameters)
            case .start(let specification):
                start(specification, clocks: message.descriptors.first)
            case .stop(let service): deliver(.stop, to: service)
            case .kill(let service): deliver(.kill, to: service)
            case .reload(let service): deliver(.reload, to: service)
            case .freeze(let service, let isFrozen): freeze(service, isFrozen)
            case .execute(let request): execute(request, message.descriptors)
            case .powerOff: powerOff(restarts: false)
            }
        } catch { die("the supervisor's \(error)") }
    }

    /// Gives the memory back that booting, or a start, has needed: a lab of hundreds of nodes has
    /// as many of these processes, which mostly wait.
    private func releaseMemorySoon() {
        if let memoryTimer { loop.cancel(memoryTimer) }
        memoryTimer = loop.schedule(after: Self.settlingTime) { [unowned self] in
            memoryTimer = nil
            ProcessMemory.releaseStartPages()
        }
    }

    /// - Parameter disk: a copy of the node's disk's mount; nil where it is mounted already.
    private func boot(_ specification: NodeSpecification, disk: SharedDescriptor?) {
        environment = NodeEnvironment(specification.environment)
        do {
            if let disk, let folder = specification.diskFolder {
                try Mount.attach(disk.rawValue, on: folder)
                disk.close()
            }
            // By now it is in the control group that it is to see as the root.
            try systemCall("make a cgroup namespace") { unshare(CLINUX_CLONE_NEWCGROUP) }
            let layers = try NodeFiles.prepare(specification)
            try NodeRoot(specification).build()
            try systemCall("set the hostname to \(specification.hostname)") {
                sethostname(specification.hostname, specification.hostname.utf8.count)
            }
            try NodeFilter.install()
            try NodeFiles.lay(specification, layers: layers)
            ownSettings = SysctlSetting.ofNode(layers: layers)
            for service in specification.services { services[service.name] = make(service) }
            units = try UnitManager(self, loop: loop)
            supervisor?.send(
                NodeReport.booted(
                    enabled: specification.services.map(\.name).filter(EnabledUnits.contains)))
        } catch { die("\(error)") }
    }

    private func die(_ reason: String) -> Never {
        supervisor?.send(NodeReport.failed(reason))
        supervisor?.drain(limit: Self.farewellLimit)
        exit(EXIT_FAILURE)
    }

    /// Sets what the node's own files say, then what its lab's file says.
    private func set(_ parameters: [NodeRequest.Pair]) {
        SysctlSetting.apply(ownSettings)
        for parameter in parameters {
            do {
                // Those of the network are set already, before the links were made; to write one
                // again that governs all interfaces would undo what is said of a single one.
                if KernelParameter.isNetwork(KernelParameter.path(of: parameter.name)),
                    KernelParameter.has(parameter.name, parameter.value)
                {
                    continue
                }
                try KernelParameter.set(parameter.name, to: parameter.value)
            } catch {
                supervisor?.send(
                    NodeReport.sysctlFailed(name: parameter.name, reason: "\(error)"))
            }
        }
        supervisor?.send(NodeReport.sysctlsDone)
    }

    /// - Parameter clocks: the time namespace that it is to run in; nil for the node's own.
    private func start(_ specification: ServiceSpecification, clocks: SharedDescriptor?) {
        guard !isPoweringOff else { return }
        let known = services[specification.name]
        if let known, !known.isDown || known.specification == specification {
            known.clocks = clocks
            return start(known)
        }
        let service = make(specification)
        service.clocks = clocks
        services[specification.name] = service
        start(service)
    }

    /// Starts a service, which will be among the first to be stopped.
    func start(_ service: Service) {
        guard !isPoweringOff else { return }
        releaseMemorySoon()
        let name = service.specification.name
        startOrder.removeAll { $0 == name }
        startOrder.append(name)
        service.handle(.start)
    }

    private func make(_ specification: ServiceSpecification) -> Service {
        let name = specification.name
        let service = Service(
            specification, loop: loop, reaper: reaper, environment: environment
        ) { [unowned self] state, time, descriptors in
            supervisor?.send(
                NodeReport.service(name: name, state: state, time: time.nanoseconds),
                descriptors: descriptors)
        }
        service.onChange = { [unowned self] in
            if isPoweringOff { stopNext() }
            units?.reconsider()
        }
        service.onAssignment = { [unowned self] in
            supervisor?.send(NodeReport.notified(service: name, assignment: $0))
        }
        return service
    }

    /// The service of that name.
    func service(_ name: String) -> Service? { services[name] }

    /// All services, by name.
    var allServices: [Service] { services.sorted { $0.key < $1.key }.map(\.value) }

    private func deliver(_ event: ServiceMachine.Event, to name: String) {
        if let service = services[name] { return service.handle(event) }
        supervisor?.send(
            NodeReport.service(
                name: name, state: .failed("it was never started"),
                time: MonotonicClock.now.nanoseconds))
    }

    private func freeze(_ name: String?, _ isFrozen: Bool) {
        let signal = isFrozen ? SIGSTOP : SIGCONT
        if let name {
            services[name]?.signalAll(signal)
        } else {
            Glibc.kill(-1, signal)  // All but this process. ESRCH: there are none.
        }
        supervisor?.send(NodeReport.frozen(service: name, isFrozen))
    }

    private func execute(_ request: ExecuteRequest, _ descriptors: [SharedDescriptor]) {
        let streams = Array(descriptors.dropFirst())
        guard let client = descriptors.first, request.terminal != nil || streams.count == 3 else {
            return Log.write("a command came without its descriptors")
        }
        do {
            let command = try Command(
                loop: loop, reaper: reaper, client: try client.duplicate())
            let key = ObjectIdentifier(command)
            commands[key] = command
            command.start(request, environment: environment, streams: streams) {
                [unowned self] in
                commands[key] = nil
                if isPoweringOff { stopNext() }
            }
        } catch { Log.write("a client's command: \(error)") }
    }

    /// Stops all services, last started first, then ends.
    ///
    /// - Parameters:
    ///   - restarts: whether the node is to be booted again.
    ///   - isAskedByNode: whether a program of the node wants it, and not the supervisor.
    func powerOff(restarts: Bool, isAskedByNode: Bool = false) {
        guard !isPoweringOff else { return }
        isPoweringOff = true
        self.restarts = restarts
        if isAskedByNode {
            awaitsCommandsUntil = MonotonicClock.now + Self.commandGrace
            loop.schedule(after: Self.commandGrace) { [unowned self] in stopNext() }
        }
        stopNext()
    }

    /// Stops the service started last; when none is left, ends.
    private func stopNext() {
        if let stopping, !stopping.isDown { return }
        while let name = startOrder.popLast() {
            guard let service = services[name], !service.isDown else { continue }
            stopping = service
            return service.handle(.stop)  // Its changes lead back here.
        }
        if let limit = awaitsCommandsUntil, !commands.isEmpty, MonotonicClock.now < limit { return }
        supervisor?.send(NodeReport.poweringOff(restarts: restarts))
        supervisor?.drain(limit: Self.farewellLimit)
        exit(EXIT_SUCCESS)
    }
}
