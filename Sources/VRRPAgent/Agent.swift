import KeepalivedConf
import LinuxSystem
import Netlink
import NetworkTypes
import VRRP

/// The daemon: one thread that waits for packets, changes of interfaces, signals and deadlines, and
/// hands them to the instances they concern.
final class Agent {
    private let options: Options
    private let log: Log
    private let loop: EventLoop
    private let machine: Machine
    private let signals: SignalDescriptor
    private var runners: [InstanceRunner] = []
    private var sockets: [VRRPSocket.Key: VRRPSocket] = [:]
    private var timers: [ObjectIdentifier: (deadline: MonotonicInstant, id: EventLoop.TimerID)] =
        [:]

    private static let terminate: Set<Int32> = [2, 15]  // SIGINT, SIGTERM
    private static let reload: Int32 = 1  // SIGHUP

    /// - Throws: ``SystemError`` or ``NetlinkError`` where the kernel refuses a socket.
    init(_ options: Options, log: Log) throws {
        self.options = options
        self.log = log
        loop = try EventLoop()
        signals = try SignalDescriptor(Self.terminate.sorted() + [Self.reload])
        log.detail("Registering Kernel netlink reflector")
        log.detail("Registering Kernel netlink command channel")
        machine = try Machine()
    }

    /// The names of the machine's interfaces, to check a configuration with.
    func interfaceNames() throws(NetlinkError) -> Set<InterfaceName> {
        Set(try machine.interfaces().keys)
    }

    /// Starts the configuration's instances and runs them until a signal ends it.
    ///
    /// - Throws: ``UnsupportedInstance`` before anything was done; ``SystemError`` or
    ///   ``NetlinkError`` where the kernel does not play along.
    func run(_ configuration: Configuration) throws {
        let created = try configuration.instances.map {
            try InstanceRunner($0, machine: machine, log: log)
        }
        try loop.add(signals.descriptor.rawValue, .readable) { [unowned self] _ in takeSignals() }
        try loop.add(machine.monitorDescriptor, .readable) { [unowned self] _ in
            takeNotifications()
        }
        runners = created
        try refreshInterfaces()
        log.detail("Registering gratuitous ARP shared channel")
        for runner in runners { runner.deliver(.startup) }
        for socket in sockets.values.sorted(by: { $0.key < $1.key }) {
            log.detail(socket.description)
        }
        if runners.isEmpty { log.line("Warning - \(Version.name) has no configuration to run") }
        log.line("Startup complete")
        try ReadyNotification.send()
        Background.tellReady(options)
        ProcessMemory.releaseStartPages()
        arm()
        try loop.run()
    }

    // MARK: Timers

    /// Arranges to be woken at every runner's deadline.
    private func arm() {
        for runner in runners {
            let key = ObjectIdentifier(runner)
            let deadline = runner.router.deadline
            if let timer = timers[key] {
                if timer.deadline == deadline { continue }
                loop.cancel(timer.id)
                timers[key] = nil
            }
            guard let deadline else { continue }
            let id = loop.schedule(at: deadline) { [unowned self, unowned runner] in
                timers[key] = nil
                // What has already arrived comes before what has not: after a pause of the whole
                // process, a master's advertisements wait here while the timer says it is dead.
                takeNotifications()
                sockets.values.forEach(takePackets)
                runner.deliver(.timer)
                arm()
            }
            timers[key] = (deadline, id)
        }
    }

    // MARK: Packets

    /// Opens the sockets that are needed now and closes those that are not.
    private func openSockets() throws(SystemError) {
        let needed = Set(runners.compactMap(\.socketKey))
        for (key, socket) in sockets where !needed.contains(key) {
            loop.remove(socket.descriptor)
            sockets[key] = nil
        }
        for key in needed where sockets[key] == nil {
            let socket = try VRRPSocket(key)
            try loop.add(socket.descriptor, .readable) { [unowned self, unowned socket] _ in
                takePackets(of: socket)
                arm()
            }
            sockets[key] = socket
        }
        for runner in runners {
            let socket = runner.socketKey.flatMap { sockets[$0] }
            runner.socket = socket
            runner.takeWaitingPackets = { [unowned self, weak socket] in
                if let socket { takePackets(of: socket) }
            }
        }
    }

    private func takePackets(of socket: VRRPSocket) {
        do {
            while let reception = try socket.receive() { take(reception, from: socket.key) }
        } catch {
            log.line("\(error)")
        }
    }

    private func take(_ reception: VRRPSocket.Reception, from key: VRRPSocket.Key) {
        guard case .advertisement(let received) = reception else {
            if case .unreadable(let error) = reception { log.line("\(error)") }
            return
        }
        // A socket for unicast also gets what the multicast one joined the group for.
        guard received.destination.isMulticast != key.isUnicast else { return }
        runners.first { $0.socketKey == key && $0.router.configuration.vrid == received.vrid }?
            .receive(received)
    }

    // MARK: Interfaces

    private func takeNotifications() {
        do {
            guard try machine.hasChanged() else { return }
            try refreshInterfaces()
        } catch {
            log.line("\(error)")
        }
        arm()
    }

    /// Has every runner look at its interface again.
    private func refreshInterfaces() throws {
        // Each change is reported once, however many instances it concerns.
        var reported: Set<InterfaceReport> = []
        let virtual = Set(runners.flatMap { $0.addresses.map(\.address.address) })
        // Addresses that a runner adds from here on are missing from this; each looks at its own
        // before it can have added any.
        let interfaces = try machine.interfaces()
        for runner in runners {
            runner.refresh(interfaces, isVirtual: virtual.contains) { report in
                guard reported.insert(report).inserted else { return }
                if report.isDetail { log.detail(report.text) } else { log.line(report.text) }
            }
        }
        // Only now: farewells went through the sockets of before.
        try openSockets()
    }

    // MARK: Signals

    private func takeSignals() {
        for signal in signals.drain() {
            if Self.terminate.contains(signal) {
                stop()
                return
            }
            if signal == Self.reload { reload() }
        }
    }

    private func stop() {
        log.line("Stopping")
        for runner in runners { runner.deliver(.shutdown) }
        log.line("Stopped")
        loop.stop()
    }

    /// Reads the configuration again. What would be refused at start is refused here too, and the
    /// old one stays in force. (keepalived exits, and the addresses are gone.)
    private func reload() {
        log.line("Reloading ...")
        do {
            let parsed = try ConfigurationFile.read(options)
            let names = try interfaceNames()
            let missing = parsed.configuration.diagnosticsForMissingInterfaces {
                names.contains($0)
            }
            for diagnostic in parsed.diagnostics + missing { log.line(diagnostic.logLine) }
            guard !parsed.isRefused, !missing.contains(where: { $0.kind == .refused }) else {
                log.line("Reload refused, the old configuration stays in force")
                return
            }
            try replaceRunners(parsed.configuration.instances)
            log.line("Reload complete")
        } catch {
            log.line("\(error)")
            log.line("Reload failed, the old configuration stays in force")
        }
        arm()
    }

    /// Keeps the instances that are as they were, with the state they are in; stops those that are
    /// gone or different; starts the new ones.
    private func replaceRunners(_ instances: [VRRPInstance]) throws {
        let next = try instances.map { instance in
            try runners.first { $0.runs(instance) }
                ?? InstanceRunner(instance, machine: machine, log: log)
        }
        for runner in runners where !next.contains(where: { $0 === runner }) {
            runner.deliver(.shutdown)
            if let timer = timers.removeValue(forKey: ObjectIdentifier(runner)) {
                loop.cancel(timer.id)
            }
        }
        let known = Set(runners.map(ObjectIdentifier.init))
        runners = next
        try refreshInterfaces()
        for runner in runners where !known.contains(ObjectIdentifier(runner)) {
            runner.deliver(.startup)
        }
    }
}
