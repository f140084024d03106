import LabModel
import NetworkTypes

/// A moment of the tests' clock, in milliseconds.
func at(_ milliseconds: Double) -> MonotonicInstant {
    MonotonicInstant(nanoseconds: 1_000_000_000_000 + Int64((milliseconds * 1e6).rounded()))
}

/// An event of a run itself.
func event(_ event: ScenarioEvent, _ milliseconds: Double) -> TimelineEvent {
    TimelineEvent(time: at(milliseconds), stamp: .origin, kind: .scenario(event))
}

/// The two-node lab of the first tutorial, and the client of the second.
enum TwoNodes {
    static let vip = IPAddress("10.10.10.10")!
    static let url = HTTPURL(address: vip)
    static let routers = [
        VirtualRouterFacts(
            node: "master", service: "keepalived", instance: "VI_1", interface: "eth0", vrid: 51,
            priority: 100, advertisementInterval: .seconds(1), preempts: true, addresses: [vip]),
        VirtualRouterFacts(
            node: "backup", service: "keepalived", instance: "VI_1", interface: "eth0", vrid: 51,
            priority: 99, advertisementInterval: .seconds(1), preempts: false, addresses: [vip]),
    ]

    static func on(_ nodes: String..., within: Duration? = nil, for holding: Duration? = nil)
        -> Step
    {
        Step(.expect(Expectation(.address(vip, nodes: nodes), within: within, holding: holding)))
    }

    static func answers(_ body: String?, within: Duration? = nil, for holding: Duration? = nil)
        -> Step
    {
        Step(
            .expect(
                Expectation(
                    .http(url: url, from: "client", body: body), within: within, holding: holding)))
    }

    static func outage(atLeast least: Duration? = nil, atMost limit: Duration) -> Step {
        Step(.expect(Expectation(.outage(probe: "web", atLeast: least, atMost: limit))))
    }

    static func control(_ verb: ControlVerb, _ target: String) -> Step {
        Step(.control(verb, Target.parse(target)!))
    }

    static let web = Probe(
        name: "web", node: "client", request: .http(url), interval: .milliseconds(10),
        timeout: .milliseconds(500))
}

/// Drives a scenario machine with synthetic events and keeps what it says as lines of text.
struct Run {
    var machine: ScenarioMachine
    /// What has happened: the events of the timeline and what the machine asked for.
    var lines: [String] = []
    /// Its actions as they are.
    var actions: [ScenarioAction] = []
    /// The time of the last event.
    var now = at(0)
    /// The timeline so far, in the order in which it became known.
    var recorded: [TimelineEvent] = []

    init(
        _ steps: Step..., probes: [Probe] = [], checks: [Check] = [], cleanup: [Step] = [],
        routers: [VirtualRouterFacts] = TwoNodes.routers
    ) {
        self.init(steps, probes: probes, checks: checks, cleanup: cleanup, routers: routers)
    }

    init(
        _ steps: [Step], probes: [Probe] = [], checks: [Check] = [], cleanup: [Step] = [],
        routers: [VirtualRouterFacts] = TwoNodes.routers, stations: [MACAddress: String] = [:]
    ) {
        let scenario = Scenario(
            name: "test", probes: probes, checks: checks, steps: steps, cleanup: cleanup)
        machine = ScenarioMachine(scenario: scenario, routers: routers, stations: stations)
    }

    /// Delivers an event of the run itself, and before it every timer that is due.
    mutating func tell(_ event: ScenarioEvent, _ milliseconds: Double) {
        see(.scenario(event), milliseconds, stamp: .origin)
    }

    /// Delivers an event of the timeline, and before it every timer that is due.
    ///
    /// - Parameter read: when it becomes known; nil for at once.
    mutating func see(
        _ kind: TimelineEvent.Kind, _ milliseconds: Double, stamp: TimelineEvent.Stamp = .receipt,
        uncertainty: Duration = .zero, read: Double? = nil
    ) {
        passTime(to: read ?? milliseconds)
        deliver(
            TimelineEvent(
                time: at(milliseconds), stamp: stamp, uncertainty: uncertainty, kind: kind))
    }

    /// Lets the clock run, delivering timers where the machine asked for them.
    mutating func passTime(to milliseconds: Double) {
        var timers = 0
        while let deadline = machine.deadline, deadline <= at(milliseconds) {
            now = max(now, deadline)
            deliver(TimelineEvent(time: now, stamp: .origin, kind: .scenario(.timer)))
            timers += 1
            precondition(timers < 10_000, "the machine asks for the same deadline again and again")
        }
        now = at(milliseconds)
    }

    private mutating func deliver(_ event: TimelineEvent) {
        var event = event
        event.order = recorded.count + 1
        recorded.append(event)
        let new = machine.handle(event)
        // As the shell does: what the machine reports is on the timeline, and it hears of it.
        for case .report(let report) in new {
            var echo = TimelineEvent(time: now, stamp: .origin, kind: .step(report))
            echo.order = recorded.count + 1
            recorded.append(echo)
            _ = machine.handle(echo)
        }
        perform(new)
    }

    mutating func vipAdded(_ node: String, _ milliseconds: Double) {
        see(
            .addressAdded(
                node: node, interface: "eth0", address: InterfaceAddress("10.10.10.10/32")!),
            milliseconds)
    }

    mutating func vipRemoved(_ node: String, _ milliseconds: Double) {
        see(
            .addressRemoved(
                node: node, interface: "eth0", address: InterfaceAddress("10.10.10.10/32")!),
            milliseconds)
    }

    mutating func daemon(_ node: String, _ state: TimelineEvent.ServiceState, _ ms: Double) {
        see(.service(node: node, service: "keepalived", state), ms)
    }

    /// The verb of the present step is applied.
    mutating func applied(_ verb: ControlVerb, _ target: String, _ milliseconds: Double) {
        see(.control(verb, Target.parse(target)!), milliseconds)
    }

    mutating func done(_ step: Int, _ milliseconds: Double) {
        tell(.done(ActionID(step: step), .done), milliseconds)
    }

    /// The last request made for an expectation is answered.
    mutating func answer(_ outcome: ProbeResult.Outcome, _ milliseconds: Double) {
        let result = ProbeResult(probe: nil, due: now, outcome: outcome)
        tell(.answered(id: lastRequest, result), milliseconds)
    }

    /// The last command run for an expectation prints that.
    mutating func inspected(_ output: String, _ milliseconds: Double) {
        tell(
            .inspected(id: lastRequest, .exited(.status(0), output: output)), milliseconds)
    }

    /// A request of the probe `web` is answered.
    mutating func probe(due: Double, ended: Double, _ outcome: ProbeResult.Outcome? = nil) {
        let result = ProbeResult(
            probe: "web", due: at(due), outcome: outcome ?? .answered(status: 200, body: ""))
        see(.probe(result), ended, stamp: .origin)
    }

    private var lastRequest: Int {
        actions.reduce(0) { last, action in
            switch action {
            case .request(let id, _, _, _), .inspect(let id, _, _): id
            default: last
            }
        }
    }

    /// Daemons ready at 0 and 2 ms, begin at 5 ms, the master holds the VIP from 3609.4 ms on: the
    /// state every failover starts from.
    mutating func settle() {
        daemon("master", .ready, 0)
        daemon("backup", .ready, 2)
        tell(.begin("test"), 5)
        vipAdded("master", 3609.4)
    }

    /// The lines since the last call.
    mutating func newLines() -> [String] {
        defer { lines = [] }
        return lines
    }

    var verdict: ScenarioVerdict? { machine.verdict }

    /// The message of the failure, or nothing.
    var failure: String {
        switch machine.verdict {
        case .failed(_, let message), .inconclusive(_, let message): message
        case .passed, .skipped, nil: ""
        }
    }

    private mutating func perform(_ new: [ScenarioAction]) {
        actions += new
        lines += new.map(Self.line)
    }

    private static func line(_ action: ScenarioAction) -> String {
        switch action {
        case .control(let step, let verb, let target, let options):
            "\(step): \(verb.rawValue) \(target)"
                + (options.clock.map { " clock \($0)" } ?? "")
                + (options.lasting.map { " for \($0.text)" } ?? "")
        case .execute(let step, let node, let command):
            "\(step): exec \(node) \(command.joined(separator: " "))"
        case .startProbe(let probe): "start probe \(probe.name)"
        case .stopProbe(let name): "stop probe \(name)"
        case .fault(let id, let fault, let duration):
            "\(id): \(fault)" + (duration.map { " for \($0.text)" } ?? "")
        case .edit(let id, let files):
            "\(id): edit " + files.map { "\($0.node):\($0.file.path)" }.joined(separator: " ")
        case .request(let id, let node, let request, _): "fetch #\(id) \(request) from \(node)"
        case .inspect(let id, let node, let command):
            "inspect #\(id) \(node): \(command.joined(separator: " "))"
        case .follow(let target): "follow \(target)"
        case .violated(let violation):
            "violated: \(violation.check): \(violation.text)"
                + (violation.until.map { " for \(($0 - violation.since).text)" } ?? "")
                + (violation.cause.map { " (\($0))" } ?? "")
        case .finished(.skipped(let reason)): "finished: skipped, \(reason)"
        case .finished(.passed): "finished: passed"
        case .finished(.failed(let step, _)): "finished: failed in \(step)"
        case .finished(.inconclusive(let step, _)): "finished: inconclusive in \(step)"
        case .report(let report):
            switch report.phase {
            case .began: "\(report.index) \(report.summary)"
            case .passed(let result): "\(report.index) passed\(result.words)"
            case .failed(let message): "\(report.index) failed: \(message)"
            case .inconclusive(let message): "\(report.index) inconclusive: \(message)"
            case .notRun: "\(report.index) not run"
            }
        }
    }
}
