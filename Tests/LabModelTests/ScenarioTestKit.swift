import LabModel
import NetworkTypes

/// A moment of the tests' clock, in milliseconds.
func at(_ milliseconds: Double) -> MonotonicInstant {
    MonotonicInstant(nanoseconds: 1_000_000_000_000 + Int64((milliseconds * 1e6).rounded()))
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

    static func outage(atMost limit: Duration) -> Step {
        Step(.expect(Expectation(.outage(probe: "web", atMost: limit))))
    }

    static func control(_ verb: ControlVerb, _ target: String) -> Step {
        Step(.control(verb, Target.parse(target)!))
    }

    static let web = Probe(
        name: "web", node: "client", url: url, interval: .milliseconds(10),
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

    init(
        _ steps: Step..., probes: [Probe] = [],
        routers: [VirtualRouterFacts] = TwoNodes.routers
    ) {
        machine = ScenarioMachine(
            scenario: Scenario(name: "test", probes: probes, steps: steps), routers: routers)
    }

    /// Delivers an event, and before it every timer that is due.
    mutating func tell(_ event: ScenarioEvent, _ milliseconds: Double) {
        passTime(to: milliseconds)
        perform(machine.handle(event, now: now))
    }

    /// Delivers an event of the timeline.
    mutating func see(_ kind: TimelineEvent.Kind, _ milliseconds: Double) {
        tell(
            .timeline(TimelineEvent(time: at(milliseconds), stamp: .receipt, kind: kind)),
            milliseconds)
    }

    /// Lets the clock run, delivering timers where the machine asked for them.
    mutating func passTime(to milliseconds: Double) {
        var timers = 0
        while let deadline = machine.deadline, deadline <= at(milliseconds) {
            now = max(now, deadline)
            perform(machine.handle(.timer, now: now))
            timers += 1
            precondition(timers < 10_000, "the machine asks for the same deadline again and again")
        }
        now = at(milliseconds)
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
        tell(.actionDone(step: step, .done), milliseconds)
    }

    /// The last request made for an expectation is answered.
    mutating func answer(_ outcome: ProbeResult.Outcome, _ milliseconds: Double) {
        let id = actions.reduce(0) { last, action in
            if case .fetch(let id, _, _, _) = action { id } else { last }
        }
        tell(
            .fetched(id: id, ProbeResult(probe: nil, due: now, outcome: outcome)), milliseconds)
    }

    /// Daemons ready at 0 and 2 ms, begin at 5 ms, the master holds the VIP from 3609.4 ms on: the
    /// state every failover starts from.
    mutating func settle() {
        daemon("master", .ready, 0)
        daemon("backup", .ready, 2)
        tell(.begin, 5)
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
        case .passed, nil: ""
        }
    }

    private mutating func perform(_ new: [ScenarioAction]) {
        actions += new
        lines += new.map(Self.line)
    }

    private static func line(_ action: ScenarioAction) -> String {
        switch action {
        case .control(let step, let verb, let target): "\(step): \(verb.rawValue) \(target)"
        case .execute(let step, let node, let command):
            "\(step): exec \(node) \(command.joined(separator: " "))"
        case .startProbe(let probe): "start probe \(probe.name)"
        case .stopProbe(let name): "stop probe \(name)"
        case .fetch(let id, let node, let url, _): "fetch #\(id) \(url) from \(node)"
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
