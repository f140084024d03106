import CLinux
import Glibc
import LinuxSystem
import NetworkTypes
import NodeProtocol

/// The shell of a ``ServiceMachine``: does what it says and tells it what happened.
final class Service {
    private var machine: ServiceMachine
    private let loop: EventLoop
    private let reaper: Reaper
    private let environment: NodeEnvironment
    private let report: (NodeReport.ServiceState, MonotonicInstant, [SharedDescriptor]) -> Void
    /// Tells the supervisor of an assignment that the service has sent.
    var onAssignment: (String) -> Void = { _ in }

    private var events: [(event: ServiceMachine.Event, time: MonotonicInstant)] = []
    private var isHandling = false
    private var alarm: EventLoop.TimerID?
    private var readiness: ReadinessWatch?
    /// The read ends of the pipes of the program just started, until they have been reported.
    private var outputs: [SharedDescriptor] = []
    /// Called after every change; for whoever waits until it is down.
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
    var isDown: Bool { machine.isDown }

    /// What it was given at its making; a changed specification needs a new service.
    var specification: ServiceSpecification { machine.specification }

    /// Delivers an event. One that arises while another is handled waits for its turn.
    func handle(_ event: ServiceMachine.Event, at time: MonotonicInstant = MonotonicClock.now) {
        events.append((event, time))
        guard !isHandling else { return }
        isHandling = true
        while !events.isEmpty {
            let (event, time) = events.removeFirst()
            for action in machine.handle(event, now: time) { perform(action, at: time) }
        }
        isHandling = false
        arm()
        onChange()
    }

    /// Sends a signal that changes nothing about its life to every process of it, if it has any.
    func signalAll(_ signal: CInt) {
        guard let pid = machine.pid else { return }
        do {
            try ServiceProcesses.signalAll(signal, session: pid, service: specification.name)
        } catch { Log.write("\(specification.name): \(error)") }
    }

    private func perform(_ action: ServiceMachine.Action, at time: MonotonicInstant) {
        switch action {
        case .spawn:
            do {
                events.append((.spawned(pid: try spawn()), MonotonicClock.now))
            } catch {
                endReadiness()
                events.append((.spawnFailed(reason: "\(error)"), MonotonicClock.now))
            }
        case .terminate(let pid): kill(pid, SIGTERM)
        case .hangUp(let pid): kill(pid, SIGHUP)
        case .killAll(let pid):
            do {
                try ServiceProcesses.killAll(session: pid, service: specification.name)
            } catch { Log.write("\(specification.name): \(error)") }
        case .report(let state):
            switch state {
            case .running(let pid):
                report(state, time, outputs)
                outputs = []
                readiness?.begin(pid: pid)
            case .exited, .signalled, .failed:
                endReadiness()
                report(state, time, [])
            case .ready, .stopping: report(state, time, [])
            }
        }
    }

    private func spawn() throws -> Int32 {
        var launcher = Launcher(
            environment: environment.with([ServiceProcesses.marker(of: specification.name)]),
            unit: specification.name)
        endReadiness()
        let watch = try ReadinessWatch(
            specification, loop: loop, reaper: reaper, launcher: Launcher(environment: environment),
            onReady: { [weak self] in self?.handle(.ready) },
            onAssignment: { [weak self] in self?.onAssignment($0) })
        readiness = watch
        launcher.environment = launcher.environment.with(watch.environment)

        let null = try OwnedDescriptor.null()
        let output = try Pipe.make()
        let errors = try Pipe.make()
        let process = try launcher.start(
            specification.command,
            descriptors: [null.rawValue, output.writeEnd.rawValue, errors.writeEnd.rawValue])
        reaper.watch(process.pid) { [weak self] termination, time in
            self?.handle(.ended(ServiceMachine.End(termination)), at: time)
        }
        outputs = [output.readEnd, errors.readEnd]
        return process.pid
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

extension ServiceMachine.End {
    init(_ termination: Termination) {
        switch termination {
        case .exited(let status): self = .exited(status: status)
        case .signalled(let signal): self = .signalled(signal: signal)
        }
    }
}
