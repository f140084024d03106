import LabModel
import LinuxSystem
import NetworkTypes

/// Runs a scenario: carries events to the machine of `LabModel`, which decides, and performs what
/// it asks for.
final class ScenarioRunner {
    private unowned let supervisor: Supervisor
    private var machine: ScenarioMachine
    private let started = MonotonicClock.now
    private var queue: [ScenarioEvent] = []
    private var isHandling = false
    private var timer: EventLoop.TimerID?
    private var listener: Int?
    private var probes: [String: ProbeRunner] = [:]
    private var onStep: (StepReport) -> Void = { _ in }
    private var onEnd: ((ScenarioOutcome) -> Void)?

    init(_ scenario: Scenario, supervisor: Supervisor) {
        self.supervisor = supervisor
        machine = ScenarioMachine(scenario: scenario, routers: supervisor.order.virtualRouters)
    }

    /// Begins. `onEnd` is called once, unless it is cancelled before.
    func start(
        onStep: @escaping (StepReport) -> Void, onEnd: @escaping (ScenarioOutcome) -> Void
    ) {
        self.onStep = onStep
        self.onEnd = onEnd
        supervisor.observer.catchUp()
        queue = supervisor.timeline.events.map(ScenarioEvent.timeline) + [.begin]
        listener = supervisor.timeline.addListener { [unowned self] in deliver(.timeline($0)) }
        handleQueue()
    }

    /// Ends it where it is, without a verdict.
    func cancel() {
        onEnd = nil
        tidy()
    }

    private func deliver(_ event: ScenarioEvent) {
        queue.append(event)
        handleQueue()
    }

    // Performing an action may bring about further events at once; they wait here for their turn.
    private func handleQueue() {
        guard !isHandling else { return }
        isHandling = true
        while !queue.isEmpty, onEnd != nil {
            let actions = machine.handle(queue.removeFirst(), now: MonotonicClock.now)
            for action in actions where onEnd != nil { perform(action) }
        }
        isHandling = false
        schedule()
    }

    private func schedule() {
        if let timer { supervisor.loop.cancel(timer) }
        timer = nil
        guard onEnd != nil, let deadline = machine.deadline else { return }
        timer = supervisor.loop.schedule(at: deadline) { [unowned self] in
            timer = nil
            // What has already happened comes before the lapse of time.
            supervisor.observer.catchUp()
            deliver(.timer)
        }
    }

    private func perform(_ action: ScenarioAction) {
        switch action {
        case .control(let step, let verb, let target):
            supervisor.control(verb, target) { [weak self] result in
                switch result {
                case .success: self?.deliver(.actionDone(step: step, .done))
                case .failure(let error):
                    self?.deliver(.actionDone(step: step, .failed(error.description)))
                }
            }
        case .execute(let step, let node, let command): execute(command, on: node, step: step)
        case .startProbe(let probe):
            probes[probe.name] = ProbeRunner(probe, supervisor: supervisor)
        case .stopProbe(let name): probes.removeValue(forKey: name)?.stop()
        case .fetch(let id, let node, let url, let timeout):
            let due = MonotonicClock.now
            supervisor.fetch(url, from: node, timeout: timeout) { [weak self] outcome in
                let result = ProbeResult(probe: nil, due: due, outcome: outcome)
                self?.deliver(.fetched(id: id, result))
            }
        case .report(let report):
            supervisor.timeline.record(.step(report))
            onStep(report)
        case .finished(let verdict): finish(verdict)
        }
    }

    private func execute(_ command: [String], on name: String, step: Int) {
        do {
            let node = try supervisor.node(name)
            guard node.state == .running else {
                throw LabError.state("node \(name) is not running")
            }
            _ = try NodeCommand(command, on: node, loop: supervisor.loop) { [weak self] result in
                self?.deliver(.actionDone(step: step, result))
            }
        } catch {
            deliver(.actionDone(step: step, .failed("\(error)")))
        }
    }

    private func finish(_ verdict: ScenarioVerdict) {
        let completion = onEnd
        onEnd = nil
        tidy()
        completion?(ScenarioOutcome(verdict, duration: MonotonicClock.now - started))
    }

    private func tidy() {
        for probe in probes.values { probe.stop() }
        probes = [:]
        if let listener { supervisor.timeline.removeListener(listener) }
        listener = nil
        if let timer { supervisor.loop.cancel(timer) }
    }
}

extension ScenarioOutcome {
    init(_ verdict: ScenarioVerdict, duration: Duration) {
        switch verdict {
        case .passed: self.init(verdict: .passed, message: "", duration: duration)
        case .failed(_, let message):
            self.init(verdict: .failed, message: message, duration: duration)
        case .inconclusive(_, let message):
            self.init(verdict: .inconclusive, message: message, duration: duration)
        }
    }
}
