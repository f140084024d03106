import CLinux
import Glibc
import KeepalivedConf
import LVS
import LinuxSystem
import NetworkTypes
import SystemPackage

/// The process that checks the health of machines behind virtual servers, and keeps the kernel's
/// load balancer in step: keepalived's `keepalived_healthcheckers`.
///
/// It is a process of its own, so that nothing that checks do, TLS above all, can hold up or bring
/// down the virtual routers; and the same program in another role, because it reads the same
/// configuration and runs the same scripts.
final class CheckerDaemon {
    private static let signals = [SIGTERM, SIGINT, SIGHUP, SIGUSR1]

    private let options: Options
    private let log: Log
    private let loop: EventLoop
    private let signals: SignalDescriptor
    private let environment: [String]
    private let launcher: CommandLauncher
    private let table: IPVSTable
    private var configuration: Configuration
    private var book: ScriptBook
    private var balancer: LoadBalancer
    private var reporter: CheckReporter
    private let prober: Prober
    private var watch: AddressWatch?
    private var timer: (id: EventLoop.TimerID, deadline: MonotonicInstant)?
    private var isStopping = false

    /// - Throws: ``SystemError`` where the kernel refuses a descriptor.
    init(_ configuration: Configuration, options: Options, log: Log) throws {
        self.options = options
        self.log = log
        self.configuration = configuration
        loop = try EventLoop()
        signals = try SignalDescriptor(Self.signals)
        environment = try ProcessEntry.environment(of: getpid())
        launcher = try CommandLauncher(
            loop: loop, environment: environment,
            fileModeMask: options.umask ?? configuration.global.umask ?? 0o177)
        book = try Self.book(configuration, environment: environment)
        log.line("Initializing ipvs")
        table = IPVSTable(log: log.line)
        balancer = LoadBalancer(configuration) { Int.random(in: $0) }
        reporter = CheckReporter(configuration.global, book, launcher, loop: loop, log: log)
        prober = Prober(launcher: launcher, loop: loop)
    }

    /// Checks until a signal ends it.
    ///
    /// - Throws: ``SystemError`` when waiting itself fails.
    func run() throws {
        for remark in book.remarks { write(remark) }
        prober.onEnd = { [unowned self] in handle(.result($0, $1)) }
        log.onWaiting = { [unowned self] in flushLog() }
        try loop.add(signals.descriptor.rawValue, .readable) { [unowned self] _ in takeSignals() }
        watchAddresses()
        handle(.start)
        ProcessMemory.releaseStartPages()
        try loop.run()
    }

    // MARK: The balancer

    private func handle(_ event: LoadBalancer.Event) {
        let actions = balancer.handle(event, now: MonotonicClock.now)
        for action in actions { perform(action) }
        arm()
    }

    private func perform(_ action: LoadBalancer.Action) {
        switch action {
        case .ipvs(let command): table.perform(command)
        case .log(let text): log.line(text)
        case .run(let command): reporter.run(command)
        case .tell(let line): reporter.tell(line)
        case .mail(let subject, let body): reporter.mail(subject: subject, body: body)
        case .check(let id, let page): begin(id, page: page)
        case .cancelChecks: prober.cancelAll()
        }
    }

    private func begin(_ id: LoadBalancer.CheckerID, page: Int) {
        guard let target = balancer.target(of: id) else { return }
        let invocation: CommandLauncher.Invocation? =
            if case .misc(let check) = target.checker.kind {
                book.invocation(of: check.command)
            } else { nil }
        prober.begin(
            id, target.checker, of: target.server, in: target.service, page: page,
            command: invocation)
    }

    /// Arranges to be woken when the balancer wants to be.
    private func arm() {
        guard balancer.deadline != timer?.deadline else { return }
        if let timer { loop.cancel(timer.id) }
        timer = balancer.deadline.map { deadline in
            let id = loop.schedule(at: deadline) { [unowned self] in
                timer = nil
                handle(.timer)
            }
            return (id, deadline)
        }
    }

    // MARK: Addresses

    /// Tells the balancer which addresses are here, where a service asks for that (`ha_suspend`).
    private func watchAddresses() {
        guard watch == nil,
            configuration.virtualServers.contains(where: \.suspendsWithoutAddress)
        else { return }
        do {
            watch = try AddressWatch(loop: loop) { [unowned self] address, isPresent in
                handle(.address(address, isPresent: isPresent))
            }
        } catch {
            log.line("\(error)")
        }
    }

    // MARK: Signals

    private func takeSignals() {
        let arrived = signals.drain()
        if arrived.contains(SIGUSR1) { dump() }
        if arrived.contains(SIGTERM) || arrived.contains(SIGINT) {
            stop()
        } else if arrived.contains(SIGHUP) {
            reload()
        }
    }

    private func stop() {
        guard !isStopping else { return }
        isStopping = true
        prober.cancelAll()
        if !options.keepsServices { handle(.stop) }
        reporter.finish { [unowned self] in
            log.detail(ProcessUsage.stoppedLine(own: .own, children: .children))
            loop.stop()
        }
    }

    /// Reads the configuration again; what would be refused at start leaves the old one in force.
    private func reload() {
        guard !isStopping else { return }
        log.line("Reloading")
        do {
            let parsed = try ConfigurationFile.read(options)
            guard !parsed.isRefused else { return }
            let read = parsed.configuration.ofCheckers
            book = try Self.book(read, environment: environment)
            let isOfUse = [configuration, read].contains { !$0.virtualServers.isEmpty }
            configuration = read
            for remark in book.remarks { write(remark) }
            if isOfUse { log.line("Reinitializing ipvs") }
            watchAddresses()
            reporter.reload(read.global, book) { handle(.reload(read)) }
        } catch {
            log.line("\(error)")
        }
    }

    /// keepalived_check.data: what each checker has found.
    private func dump() {
        log.line("Printing checker data for process(\(getpid())) on signal")
        let folder = getenv("TMPDIR").map { String(cString: $0) }
        let path = "\(ReportFiles(temporaryFolder: folder).folder)/keepalived_check.data"
        do throws(SystemError) {
            try FileSystem.replace(path, with: Array(balancer.report.utf8), mode: 0o600)
        } catch {
            log.line("\(error)")
        }
    }

    // MARK: The log

    private func write(_ remark: ScriptBook.Remark) {
        switch remark {
        case .line(let line): log.write(line)
        case .diagnostic(let diagnostic): diagnostic.logLines.forEach(log.line)
        }
    }

    private func flushLog() {
        loop.schedule(after: .milliseconds(50)) { [unowned self] in
            log.flush()
            if log.isWaiting { flushLog() }
        }
    }

    private static func book(
        _ configuration: Configuration, environment: [String]
    ) throws(SystemError) -> ScriptBook {
        try Agent.book(configuration, environment: environment, includesCheckers: true)
    }
}

extension Configuration {
    /// What concerns the checkers' process: its scripts and FIFOs are its own.
    var ofCheckers: Configuration {
        var own = Configuration()
        own.global = global
        own.global.notifyFIFOs = global.lvs.notifyFIFOs
        own.global.startupScript = nil
        own.global.shutdownScript = nil
        own.virtualServerGroups = virtualServerGroups
        own.virtualServers = virtualServers
        return own
    }
}
