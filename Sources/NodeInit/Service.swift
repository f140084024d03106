import CLinux
import Glibc
import LinuxSystem
import NetworkTypes
import NodeProtocol
import SystemPackage

/// The shell of a ``ServiceMachine``: does what it says and tells it what happened.
final class Service {
    private var machine: ServiceMachine
    private let loop: EventLoop
    private let reaper: Reaper
    private let environment: NodeEnvironment
    private let report: (NodeReport.ServiceState, MonotonicInstant, [SharedDescriptor]) -> Void
    /// The time namespace that its program is started in, by itself and by the node's own systemctl
    /// as well; nil for the node's own.
    var clocks: SharedDescriptor?
    /// Tells the supervisor of an assignment that the service has sent.
    var onAssignment: (String) -> Void = { _ in }

    private var events: [(event: ServiceMachine.Event, time: MonotonicInstant)] = []
    /// What is still to be done because of the last event.
    private var actions: [(action: ServiceMachine.Action, time: MonotonicInstant)] = []
    private var isHandling = false
    /// What SIGKILL has hit while its main process was alive.
    private var doomed: Set<Int32> = []
    /// What is left of its last run: nothing is said or done about it until that is gone.
    private var burial: Burial?
    private var alarm: EventLoop.TimerID?
    private var readiness: ReadinessWatch?
    /// The read ends of the pipes of the program just started, until they have been reported.
    private var outputs: [SharedDescriptor] = []
    /// The session of its main process: its own, unless that is a daemon that has left it.
    private var session: Int32 = 0
    /// What it was last said to be, and since when.
    private var phase = UnitReport.Phase.inactive
    private var phaseBegan: MonotonicInstant?
    /// The last main process, and how it ended.
    private var lastPID: Int32?
    private var lastEnd: UnitReport.ProcessEnd?
    /// Called after every change; for whoever waits until something is so.
    var onChange: () -> Void = {}

    /// - Parameter report: tells the supervisor of a state, when it began, with descriptors.
    init(
        _ specification: ServiceSpecification, loop: EventLoop, reaper: Reaper,
        environment: NodeEnvironment,
        report: @escaping (NodeReport.ServiceState, MonotonicInstant, [SharedDescriptor]) -> Void
    ) {
        machine = ServiceMachine(specification)
        self.loop = loop
        self.reaper = reaper
        self.environment = environment
        self.report = report
    }

    /// Whether nothing of it runs or is about to.
    var isDown: Bool { machine.isDown && burial == nil }

    /// What it was given at its making; a changed specification needs a new service.
    var specification: ServiceSpecification { machine.specification }

    /// Delivers an event. One that arises while another is handled waits for its turn.
    func handle(_ event: ServiceMachine.Event, at time: MonotonicInstant = MonotonicClock.now) {
        events.append((event, time))
        if !isHandling, burial == nil { work() }
    }

    private func work() {
        isHandling = true
        while burial == nil {
            if !actions.isEmpty {
                let (action, time) = actions.removeFirst()
                perform(action, at: time)
            } else if !events.isEmpty {
                let (event, time) = events.removeFirst()
                actions = machine.handle(event, now: time).map { ($0, time) }
                note(event, at: time)
            } else {
                break
            }
        }
        isHandling = false
        guard burial == nil else { return }
        arm()
        onChange()
    }

    /// Keeps what ``report(isEnabled:)`` tells.
    private func note(_ event: ServiceMachine.Event, at time: MonotonicInstant) {
        switch event {
        case .spawned(let pid), .settled(let pid):
            lastPID = pid
            lastEnd = nil
        case .ended(.exited(let status)): lastEnd = .exited(status: status)
        case .ended(.signalled(let signal)): lastEnd = .signalled(signal: signal)
        case .spawnFailed(_, let cannotRun):
            lastPID = nil
            lastEnd = cannotRun ? .exited(status: UnitReport.ProcessEnd.cannotRun) : nil
        case .start, .stop, .kill, .reload, .ready, .vanished, .resetFailed, .timer: break
        }
        guard machine.phase != phase else { return }
        phase = machine.phase
        phaseBegan = time
    }

    /// Whether a start or stop of it is under way.
    var isChanging: Bool { phase == .activating || phase == .deactivating || burial != nil }

    /// It as the node's own `systemctl` shows it.
    func report(isEnabled: Bool) -> UnitReport {
        UnitReport(
            name: specification.name, aliases: specification.aliases,
            description: specification.description, command: specification.command,
            isEnabled: isEnabled, phase: phase, since: phaseBegan?.nanoseconds, pid: lastPID,
            end: lastEnd, failure: machine.failure)
    }

    /// Sends a signal to its main process; false when it has none.
    func signalMain(_ signal: CInt) -> Bool {
        guard let pid = machine.pid else { return false }
        return kill(pid, signal) == 0
    }

    /// Sends a signal that changes nothing about its life to every process of it, if it has any.
    func signalAll(_ signal: CInt) {
        guard machine.pid != nil else { return }
        do {
            try ServiceProcesses.signalAll(signal, session: session, service: specification.name)
        } catch { Log.write("\(specification.name): \(error)") }
    }

    private func perform(_ action: ServiceMachine.Action, at time: MonotonicInstant) {
        switch action {
        case .spawn:
            do {
                events.append((.spawned(pid: try spawn()), MonotonicClock.now))
            } catch {
                endReadiness()
                let cannotRun = (error as? LaunchError)?.refusal != nil
                events.append(
                    (.spawnFailed(reason: "\(error)", cannotRun: cannotRun), MonotonicClock.now))
            }
        case .terminate(let pid): kill(pid, SIGTERM)
        case .hangUp(let pid): kill(pid, SIGHUP)
        case .killAll: killAll()
        case .report(let state):
            switch state {
            case .running(let pid):
                report(state, time, takeOutputs())
                // A daemon that has settled is ready: what is waited for has come.
                if case .starting = machine.state { readiness?.begin(pid: pid) }
            case .exited, .signalled, .failed:
                endReadiness()
                // Only what could not be run still has some, and in them why.
                report(state, time, takeOutputs())
            case .ready, .stopping: report(state, time, [])
            }
        }
    }

    /// SIGKILL to all of it. Where its main process has ended already, the others are waited for
    /// before anything else happens.
    private func killAll() {
        do {
            let hit = try ServiceProcesses.killAll(session: session, service: specification.name)
            doomed.formUnion(hit)
            guard machine.pid == nil else { return }
            burial = Burial(of: doomed, loop: loop, reaper: reaper)
            doomed = []
            burial?.begin { [weak self] in
                self?.burial = nil
                self?.work()
            }
        } catch { Log.write("\(specification.name): \(error)") }
    }

    private func takeOutputs() -> [SharedDescriptor] {
        defer { outputs = [] }
        return outputs
    }

    private func spawn() throws -> Int32 {
        var launcher = Launcher(
            environment: environment.with([ServiceProcesses.marker(of: specification.name)]),
            unit: specification.name, clocks: clocks)
        endReadiness()
        let watch = try ReadinessWatch(
            specification, loop: loop, reaper: reaper, launcher: Launcher(environment: environment),
            onReady: { [weak self] in self?.handle(.ready) },
            onSettled: { [weak self] in self?.settle($0) },
            onVanished: { [weak self] in self?.handle(.vanished) },
            onAssignment: { [weak self] in self?.onAssignment($0) })
        readiness = watch
        launcher.environment = launcher.environment.with(watch.environment)

        let null = try OwnedDescriptor.null()
        let output = try Pipe.make()
        let errors = try Pipe.make()
        let process: Program.Started
        do {
            process = try launcher.start(
                specification.command,
                descriptors: [null.rawValue, output.writeEnd.rawValue, errors.writeEnd.rawValue])
        } catch {
            guard let line = error.journalLine(specification) else { throw error }
            // As its child would with systemd, which is where people look.
            try FileSystem.writeAll(
                Array(line.utf8)[...], to: errors.writeEnd.rawValue, name: "the journal")
            outputs = [output.readEnd, errors.readEnd]
            throw error
        }
        let pid = process.pid
        reaper.watch(pid) { [weak self] termination, time in
            // One that has left a daemon behind, which is known already, is not the service's end.
            guard let self, machine.pid == pid else { return }
            handle(.ended(ServiceMachine.End(termination)), at: time)
        }
        outputs = [output.readEnd, errors.readEnd]
        session = process.pid
        return process.pid
    }

    /// Takes a daemon for the service's main process.
    private func settle(_ pid: Int32) {
        do {
            session = try ProcessEntry.of(pid)?.session ?? session
        } catch { Log.write("\(specification.name): \(error)") }
        reaper.watch(pid) { [weak self] termination, time in
            guard let self else { return }
            if termination == .exited(status: 0), let heir = heir() { return settle(heir) }
            handle(.ended(ServiceMachine.End(termination)), at: time)
        }
        handle(.settled(pid: pid))
    }

    /// The process that was meant, where the one taken for the daemon was only on its way to it: a
    /// daemon without a pid file may fork once more than was waited for.
    private func heir() -> Int32? {
        guard specification.readiness == .daemon(pidFile: nil) else { return nil }
        do {
            let entries = try ProcessEntry.all()
            let members = try ServiceProcesses.members(
                ofSession: session, service: specification.name, among: entries)
            return entries.first { $0.parent == 1 && members == [$0.pid] }?.pid
        } catch {
            Log.write("\(specification.name): \(error)")
            return nil
        }
    }

    private func endReadiness() {
        readiness?.end()
        readiness = nil
    }

    private func arm() {
        if let alarm { loop.cancel(alarm) }
        alarm = machine.deadline.map { deadline in
            loop.schedule(at: deadline) { [weak self] in
                self?.alarm = nil
                self?.handle(.timer)
            }
        }
    }
}

extension LaunchError {
    /// What the journal says of a program that cannot be run, in systemd's words; nil where it was
    /// not the program's fault.
    func journalLine(_ specification: ServiceSpecification) -> String? {
        guard let refusal, let program = specification.command.first else { return nil }
        let reason = String(cString: strerror(refusal.rawValue))
        return "\(specification.name).service: Failed at step EXEC spawning \(program): \(reason)\n"
    }
}

extension ServiceMachine.End {
    init(_ termination: Termination) {
        switch termination {
        case .exited(let status): self = .exited(status: status)
        case .signalled(let signal): self = .signalled(signal: signal)
        }
    }
}
