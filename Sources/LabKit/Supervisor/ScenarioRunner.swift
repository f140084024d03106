import LabModel
import LinuxSystem
import NetworkTypes

/// Runs a scenario: carries the timeline to the machine of `LabModel`, which decides, performs what
/// it asks for, and puts what comes of that onto the timeline.
///
/// The timeline is the machine's only source, so that the recorded one is enough for a replay.
final class ScenarioRunner {
    /// What whoever runs a scenario is told.
    struct Observer {
        var onStep: (StepReport) -> Void
        /// What the timeline shows around what went wrong, before the report about it.
        var onSlice: ([TimelineEvent]) -> Void
        /// Called once, unless the run is cancelled before.
        var onEnd: (ScenarioOutcome) -> Void
    }

    private unowned let supervisor: Supervisor
    private var machine: ScenarioMachine
    private let started = MonotonicClock.now
    private var queue: [TimelineEvent] = []
    private var isHandling = false
    private var timer: EventLoop.TimerID?
    private var listener: Int?
    private var lineListeners: [Int] = []
    private var probes: [String: ProbeRunner] = [:]
    private var pressure: PressureWatch?
    /// Nil once it is over.
    private var observer: Observer?

    init(_ scenario: Scenario, supervisor: Supervisor) {
        self.supervisor = supervisor
        machine = ScenarioMachine(
            scenario: scenario, routers: supervisor.order.virtualRouters,
            stations: supervisor.order.lab.stations)
    }

    /// Begins.
    func start(_ observer: Observer) {
        self.observer = observer
        supervisor.observer.catchUp()
        // What was said to earlier runs, of a scenario of this name even, is not said to this one.
        queue = supervisor.timeline.events.filter {
            if case .scenario = $0.kind { false } else { true }
        }.sorted { $0.order < $1.order }
        listener = supervisor.timeline.addListener { [unowned self] in deliver($0) }
        pressure = PressureWatch(supervisor)
        tell(.begin(machine.scenario.name))
    }

    /// Ends it where it is, without a verdict.
    func cancel() {
        observer = nil
        tidy()
    }

    /// Puts something onto the timeline for the machine, which hears of it from there.
    private func tell(_ event: ScenarioEvent) { supervisor.timeline.record(.scenario(event)) }

    // Performing an action may bring about further events at once; they wait here for their turn.
    private func deliver(_ event: TimelineEvent) {
        queue.append(event)
        guard !isHandling else { return }
        isHandling = true
        var next = 0
        while next < queue.count, observer != nil {
            let actions = machine.handle(queue[next])
            next += 1
            for action in actions where observer != nil { perform(action) }
        }
        queue.removeAll(keepingCapacity: true)
        isHandling = false
        schedule()
    }

    private func schedule() {
        if let timer { supervisor.loop.cancel(timer) }
        timer = nil
        guard observer != nil, let deadline = machine.deadline else { return }
        timer = supervisor.loop.schedule(at: deadline) { [weak self] in
            // Held until the end of this: what is caught up with may be what ends the run, and then
            // nobody else holds the runner any more.
            guard let self else { return }
            timer = nil
            // What has already happened comes before the lapse of time.
            supervisor.observer.catchUp()
            pressure?.look()
            if observer != nil { tell(.timer) }
        }
    }

    private func perform(_ action: ScenarioAction) {
        switch action {
        case .control(let id, let verb, let target, let options):
            supervisor.control(verb, target, options) { [weak self] in
                self?.tell(.done(id, .init($0)))
            }
        case .fault(let id, let fault, let duration):
            supervisor.apply(fault, lasting: duration) { [weak self] in
                self?.tell(.done(id, .init($0)))
            }
        case .execute(let id, let node, let command):
            execute(command, on: node) { [weak self] in self?.tell(.done(id, $0)) }
        case .edit(let id, let files):
            supervisor.lay(files[...]) { [weak self] in self?.tell(.done(id, .init($0))) }
        case .startProbe(let probe):
            probes[probe.name] = ProbeRunner(probe, supervisor: supervisor)
        case .stopProbe(let name): probes.removeValue(forKey: name)?.stop()
        case .follow(let target): follow(target)
        case .request(let id, let node, let request, let timeout):
            let due = MonotonicClock.now
            supervisor.ask(request, from: node, timeout: timeout) { [weak self] outcome in
                let result = ProbeResult(probe: nil, due: due, outcome: outcome)
                self?.tell(.answered(id: id, result))
            }
        case .inspect(let id, let node, let command):
            execute(command, on: node) { [weak self] in self?.tell(.inspected(id: id, $0)) }
        case .report(let report): show(report)
        case .violated(let violation): supervisor.timeline.record(.violation(violation))
        case .finished(let verdict): finish(verdict)
        }
    }

    private func execute(
        _ command: [String], on name: String, completion: @escaping (ActionResult) -> Void
    ) {
        do {
            let node = try supervisor.runningNode(name)
            _ = try NodeCommand(
                command, on: node, loop: supervisor.loop, completion: completion)
        } catch {
            completion(.failed("\(error)"))
        }
    }

    /// Puts the lines of a service onto the timeline: those it has printed, and those it will.
    private func follow(_ target: Target) {
        guard let service = target.service else { return }
        for line in supervisor.output.lines(node: target.node, service: service) {
            record(line, of: target)
        }
        let number = supervisor.output.addListener { [unowned self] line in
            if line.node == target.node, line.service == service { record(line, of: target) }
        }
        lineListeners.append(number)
    }

    private func record(_ line: LogLine, of target: Target) {
        supervisor.timeline.record(
            .scenario(.line(target, line.text)), at: line.time, stamp: .receipt)
    }

    private func show(_ report: StepReport) {
        let time = supervisor.timeline.record(.step(report))
        switch report.phase {
        case .failed, .inconclusive:
            observer?.onSlice(
                TimelineSlice.around(
                    time, of: supervisor.timeline.events,
                    since: machine.causeTime))
        case .began, .passed, .notRun: break
        }
        observer?.onStep(report)
    }

    private func finish(_ verdict: ScenarioVerdict) {
        let onEnd = observer?.onEnd
        observer = nil
        tidy()
        onEnd?(ScenarioOutcome(verdict, duration: MonotonicClock.now - started))
    }

    private func tidy() {
        pressure?.stop()
        pressure = nil
        for probe in probes.values { probe.stop() }
        probes = [:]
        if let listener { supervisor.timeline.removeListener(listener) }
        listener = nil
        for number in lineListeners { supervisor.output.removeListener(number) }
        lineListeners = []
        if let timer { supervisor.loop.cancel(timer) }
    }
}

extension ActionResult {
    fileprivate init(_ result: Result<Void, LabError>) {
        switch result {
        case .success: self = .done
        case .failure(let error): self = .failed(error.description)
        }
    }
}

extension ScenarioOutcome {
    init(_ verdict: ScenarioVerdict, duration: Duration) {
        switch verdict {
        case .passed: self.init(verdict: .passed, message: "", duration: duration)
        case .failed(let step, let message):
            self.init(verdict: .failed, step: step, message: message, duration: duration)
        case .inconclusive(let step, let message):
            self.init(verdict: .inconclusive, step: step, message: message, duration: duration)
        case .skipped(let reason):
            self.init(verdict: .skipped, message: reason, duration: duration)
        }
    }
}
