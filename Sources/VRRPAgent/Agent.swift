import CLinux
import Glibc
import KeepalivedConf
import LinuxSystem
import Netlink
import NetworkTypes
import VRRP

/// The daemon: one thread that waits for packets, changes of interfaces, signals, scripts and
/// deadlines, and hands them to the instances they concern.
final class Agent {
    let options: Options
    let log: Log
    let loop: EventLoop
    let machine: Machine
    let signals: SignalDescriptor
    /// What is in force.
    var configuration: Configuration
    /// Where its addresses go.
    var placement: AddressPlacement
    /// In the order of the file.
    var runners: [InstanceRunner] = []
    var runnersByName: [String: InstanceRunner] = [:]
    /// Every address that an instance moves, where it has it. With `use_vmac` that is not the
    /// interface that it is written for, which may have the same address as its own.
    var virtualAddresses: Set<PlacedAddress> = []
    /// What has been said of their interfaces.
    var interfaceLog = InterfaceLog()
    /// Those of them that no instance is told to send from: nothing depends on their presence.
    var independentAddresses: Set<PlacedAddress> = []
    var sockets: [VRRPSocket.Key: SocketRunner] = [:]
    /// Where every packet is read into.
    var buffer = [UInt8](repeating: 0, count: VRRPSocket.bufferBytes)
    /// In the order of the file.
    var groups: [GroupRunner] = [] {
        didSet {
            groupsByName = Dictionary(groups.map { ($0.definition.name, $0) }) { first, _ in first }
        }
    }
    private(set) var groupsByName: [String: GroupRunner] = [:]
    /// What groups have said to do and is not done yet.
    var pendingOrders: [(group: GroupRunner, order: SyncGroup.Order)] = []
    var isPerformingOrders = false
    let trackers: Trackers
    let notifier: Notifier
    let managerNotifier: ManagerNotifier
    var book: ScriptBook
    /// Its own (`NAME=value`), which scripts get.
    let environment: [String]
    var announcements: AnnouncementPacer
    var statics: StaticObjects
    var linkDelayTimer: EventLoop.TimerID?
    /// The deadline for which a takeover was last gone through in advance.
    var lastRehearsal = MonotonicInstant.zero
    private let launcher: CommandLauncher
    let checkers: CheckerSupervisor
    private var lifecycleScript: LifecycleScript?
    private var isStopping = false
    private var memoryTimer: EventLoop.TimerID?

    /// - Throws: ``SystemError`` or ``NetlinkError`` where the kernel refuses a socket.
    init(_ configuration: Configuration, options: Options, log: Log) throws {
        self.configuration = configuration
        placement = AddressPlacement(configuration)
        self.options = options
        self.log = log
        loop = try EventLoop()
        loop.waitsOnTime()
        signals = try SignalDescriptor(SignalFunction.signals)
        log.detail("Registering Kernel netlink reflector")
        log.detail("Registering Kernel netlink command channel")
        machine = try Machine(configuration, log: log)
        announcements = AnnouncementPacer(configuration.global, loop: loop)
        statics = StaticObjects(kernel: machine.kernel, log: log)
        environment = try ProcessEntry.environment(of: getpid())
        managerNotifier = ManagerNotifier(
            try ManagerSocket.ofThisProcess(), loop: loop, log: log.line)
        launcher = try CommandLauncher(
            loop: loop, environment: environment,
            fileModeMask: options.umask ?? configuration.global.umask ?? 0o177)
        checkers = CheckerSupervisor(options, environment: environment, loop: loop, log: log)
        book = try Self.book(configuration, environment: environment)
        trackers = Trackers(launcher: launcher, loop: loop, log: log.write)
        notifier = Notifier(
            configuration.global, book: book,
            mailer: Mailer(
                MailSettings(configuration.global), launcher: launcher, loop: loop, log: log.write),
            launcher: launcher, loop: loop, log: log.write)
    }

    /// Starts the configuration's instances and runs them until a signal ends it.
    ///
    /// - Throws: ``UnsupportedInstance`` before anything was done; ``SystemError`` or
    ///   ``NetlinkError`` where the kernel does not play along.
    func run() throws {
        for remark in book.remarks { log(remark) }
        trackers.onChange = { [unowned self] in trackedChanged($0, $1) }
        trackers.set(configuration, book: book, isReload: false)
        runners = try zip(configuration.instances, settings()).map { try makeRunner($0, $1) }
        index()
        log.onWaiting = { [unowned self] in flushLog() }
        try loop.add(signals.descriptor.rawValue, .readable) { [unowned self] _ in takeSignals() }
        try loop.add(machine.kernel.descriptor, .readable) { [unowned self] _ in
            takeNotifications()
        }
        announcements.send = { [unowned self] in send($0) }
        checkers.onDeath = { [unowned self] in stop() }
        lifecycle(.startup, configuration.global.startupScript) { [unowned self] in
            do {
                try begin()
            } catch {
                log.line("\(error)")
                stop()
            }
        }
        try loop.run()
    }

    /// Says what sockets there are.
    func logSockets() {
        for socket in sockets.values.sorted(by: { $0.socket.key < $1.socket.key }) {
            log.detail(socket.socket.description)
        }
    }

    /// Starts the instances.
    private func begin() throws(SystemError) {
        if configuration.global.startupDelay > .zero {
            log.line(
                "Delaying startup for \(configuration.global.startupDelay.shortSeconds) seconds")
        }
        statics.set(configuration)
        for instance in configuration.instances { prepare(instance) }
        refreshAll()
        log.detail("Registering gratuitous ARP shared channel")
        start(runners) { makeGroups() }
        openSockets()
        logSockets()
        checkers.apply(configuration)
        if runners.isEmpty, !checkers.isNeeded(configuration) {
            log.line("Warning - \(Version.name) has no configuration to run")
        }
        log.line("Startup complete")
        try ReadyNotification.send()
        Background.tellReady(options)
        releaseMemory()
    }

    /// Gives back the memory that a start or a reload has needed: when that is done and the kernel
    /// has told of what was changed, and again when the elections and announcements that come of it
    /// are over.
    func releaseMemory() { releaseMemory(after: Self.settlingTimes[...]) }

    private func releaseMemory(after delays: ArraySlice<Duration>) {
        if let memoryTimer { loop.cancel(memoryTimer) }
        memoryTimer = delays.first.map { delay in
            loop.schedule(after: delay) { [unowned self] in
                memoryTimer = nil
                ProcessMemory.releaseStartPages()
                releaseMemory(after: delays.dropFirst())
            }
        }
    }

    /// The second is an election at the default interval and the second burst of announcements (4 s
    /// and 5 s).
    private static let settlingTimes: [Duration] = [.seconds(1), .seconds(9)]

    /// Runs the script of the start or of the end, where there is one.
    private func lifecycle(
        _ kind: LifecycleScript.Kind, _ command: Command?, then: @escaping () -> Void
    ) {
        guard let invocation = command.flatMap({ book.invocation(of: $0) }) else { return then() }
        let global = configuration.global
        lifecycleScript = LifecycleScript(
            kind, invocation,
            timeout: kind == .startup
                ? global.startupScriptTimeout : global.shutdownScriptTimeout,
            launcher: launcher, loop: loop, log: log.write
        ) { [unowned self] in
            lifecycleScript = nil
            then()
        }
    }

    // MARK: Instances

    func makeRunner(
        _ instance: VRRPInstance, _ setting: InstanceSetting
    ) throws(UnsupportedInstance) -> InstanceRunner {
        try InstanceRunner(
            instance, setting, placement: placement, machine: machine, owner: self)
    }

    /// What the instances are told by the rest of the configuration, in their order.
    func settings() -> [InstanceSetting] {
        var settings = configuration.settings(startsAsMaster: options.startsAsMaster)
        for index in settings.indices {
            // A script that is not run, or a file that is nowhere, is not tracked.
            settings[index].track { condition(of: $0) != nil }
        }
        return settings
    }

    /// How something is that instances may track; nil: it cannot be tracked.
    func condition(of tracked: EffectivePriority.Tracked) -> EffectivePriority.Condition? {
        guard case .interface(let name) = tracked else { return trackers.condition(of: tracked) }
        return InterfaceName(name).map { .init(isWell: machine.isUp($0)) }
    }

    /// Brings what is derived from the list of instances up to date.
    func index() {
        runnersByName = Dictionary(runners.map { ($0.name, $0) }) { first, _ in first }
        virtualAddresses = Set(
            runners.flatMap { runner in
                (runner.instance.virtualAddresses + runner.instance.excludedAddresses).map {
                    PlacedAddress($0.address.address, on: runner.objects.interface(of: $0))
                }
            })
        let sources = Set(runners.compactMap(\.instance.sourceAddress))
        independentAddresses = virtualAddresses.filter { !sources.contains($0.address) }
    }

    /// Makes what an instance needs before it starts, or goes on with another configuration.
    func prepare(_ instance: VRRPInstance) {
        // Also without any plan: it may have had some before a reload.
        machine.virtualInterfaces.make(placement.plans(for: instance), for: instance.name)
        if instance.promotesSecondaries { machine.promoteSecondaries(on: instance.interface) }
    }

    /// Tells the routers what is wrong already, and to begin. Between the two groups are made: a
    /// group begins with what its members say, and they with what it says.
    func start(_ runners: [InstanceRunner], makeGroups: () -> Void) {
        for runner in runners { runner.settle(condition) }
        makeGroups()
        // A thousand that become master at once have more to do than to log.
        log.withoutWriting {
            for runner in runners { runner.deliver(.startup) }
        }
    }

    /// Tries again to write what the log's reader has had no room for.
    private func flushLog() {
        loop.schedule(after: Self.logPause) { [unowned self] in
            log.flush()
            if log.isWaiting { flushLog() }
        }
    }

    private static let logPause: Duration = .milliseconds(50)

    // MARK: Timers

    /// A runner's timer has run.
    func timerRang(for runner: InstanceRunner) {
        let now = loop.now
        let deadline = runner.timer?.deadline ?? now
        runner.timer = nil
        let isLate = now - deadline > Self.lateness
        if !isLate, runner.advertiseOnTime(now) { return }
        if let due = runner.router.deadline, due > now {
            guard !runner.isMaster, awaitMaster(runner, until: due, now: now) else {
                return deadlineChanged(of: runner, to: runner.router.deadline, now: now)
            }
            return runner.deliver(.timer)
        }
        // What has already arrived comes before what has not: after a pause of the whole
        // process, a master's advertisements wait here while the timer says it is dead. Who is on
        // time would have been woken by anything else; only the advertisement that comes at the
        // last moment is worth a look, and a master has nothing to learn from that either.
        if isLate {
            takeNotifications()
            takeAllPackets()
        } else if !runner.isMaster, !loop.wasQuiet(runner.socket?.descriptor ?? -1) {
            takePackets(for: runner)
        }
        runner.deliver(.timer)
    }

    /// How late a timer may be without a look at all that has arrived meanwhile.
    ///
    /// The shortest interval there is: nobody takes over from a master that is late by less.
    private static let lateness: Duration = .milliseconds(10)

    /// Forgets a runner's timer.
    func disarm(_ runner: InstanceRunner) {
        guard let timer = runner.timer else { return }
        loop.cancel(timer.id)
        runner.timer = nil
    }

    // MARK: Signals

    private func takeSignals() {
        for function in SignalFunction.functions(of: signals.drain()) {
            switch function {
            case .stop: stop()
            case .reload: reload()
            case .dumpState, .dumpStatistics, .clearStatistics, .dumpJSON: dump(function)
            }
        }
    }

    /// Ends all instances, and the loop when whoever is to be told has been told.
    private func stop() {
        guard !isStopping else { return }
        isStopping = true
        log.line("Stopping")
        trackers.stop()
        checkers.stop()
        // As keepalived's: the daemon goes without a word, and everything stays as it is.
        if options.keepsAddresses { return end() }
        for group in groups { perform(group.group.shutdown(), of: group) }
        for runner in runners {
            runner.deliver(.shutdown)
            disarm(runner)
        }
        notifier.finish(within: configuration.global.childWaitTime) { [unowned self] in finish() }
    }

    private func finish() {
        for runner in runners { sockets.values.forEach { $0.forget(runner) } }
        statics.remove()
        machine.restore()
        end()
    }

    private func end() {
        // Both processes end at the same time; the last words are the daemon's.
        checkers.whenGone { [unowned self] in
            lifecycle(.shutdown, configuration.global.shutdownScript) { [unowned self] in
                log.line("Stopped")
                managerNotifier.flush()
                loop.stop()
            }
        }
    }
}

extension Agent: InstanceOwner {
    /// Arranges to be woken at a runner's deadline, or before it.
    ///
    /// A deadline that moves away, as a backup's does with every advertisement it hears, leaves the
    /// timer as it is while there is half of the wait left until it rings: it is set anew with
    /// every second advertisement, and never rings as long as there are any. (Left until it rings,
    /// it would wake the process for nothing, which costs more than setting it.)
    func deadlineChanged(
        of runner: InstanceRunner, to deadline: MonotonicInstant?, now: MonotonicInstant
    ) {
        guard var deadline else { return disarm(runner) }
        if !runner.isMaster { deadline = Self.wakeUp(for: deadline, now: now) }
        if let timer = runner.timer {
            let left = timer.deadline.nanoseconds - now.nanoseconds
            let wait = deadline.nanoseconds - now.nanoseconds
            if left == wait || left < wait && left > wait / 2 { return }
            loop.cancel(timer.id)
        }
        runner.timer = (deadline, loop.schedule(at: deadline, handler: runner.ring))
    }
}
