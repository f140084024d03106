import LabModel
import NetworkTypes

extension RunView {
    /// The picture of a run.
    ///
    /// - Parameters:
    ///   - record: what was run.
    ///   - events: its timeline, in order.
    ///   - printed: what its services printed, in order.
    init(_ record: RunRecord, events: [TimelineEvent], printed: [PrintedLine] = []) {
        var builder = RunViewBuilder(record, origin: events.first?.time ?? record.began)
        let end = record.end(in: events)
        for event in events where event.time <= end { builder.fold(event) }
        for line in printed where line.time <= end { builder.fold(line) }
        self = builder.view(end: min(end, events.last?.time ?? record.began))
    }
}

/// Makes lanes of events.
private struct RunViewBuilder {
    private struct NodeState {
        var lane: RunView.NodeLane
        var isRunning = false
        var isFrozen = false
        /// Its VRRP daemons that run.
        var daemons: Set<String> = []
        /// The virtual addresses it holds, each as often as it is there.
        var held: [IPAddress: Int] = [:]

        var role: NodeRole {
            if !isRunning { return .down }
            if isFrozen { return .frozen }
            if !held.isEmpty { return .master }
            return daemons.isEmpty ? .up : .backup
        }
    }

    private let record: RunRecord
    private let origin: MonotonicInstant
    private let virtual: Set<IPAddress>
    /// The services that are VRRP daemons, as `node/service`.
    private let daemons: Set<Target>
    private var nodes: [String: NodeState] = [:]
    private var probes: [String: RunView.ProbeLane] = [:]
    private var meters: [String: OutageMeter] = [:]
    private var steps: [RunView.StepView] = []
    private var violations: [RunView.ViolationView] = []
    private var stalls: [RunView.Span] = []
    private var log: [RunView.LogEntry] = []

    init(_ record: RunRecord, origin: MonotonicInstant) {
        self.record = record
        self.origin = origin
        virtual = Set(record.virtualRouters.flatMap(\.addresses))
        daemons = Set(
            record.lab.nodes.flatMap { node in
                node.services.filter(\.kind.speaksVRRP).map {
                    Target(node: node.name, service: $0.name)
                }
            })
        for node in record.lab.nodes {
            nodes[node.name] = NodeState(
                lane: RunView.NodeLane(
                    name: node.name, states: [RunView.StateSpan(state: .down, from: 0)], held: [],
                    adverts: [], announcements: [], marks: []))
        }
        for probe in scenario?.probes ?? [] {
            probes[probe.name] = RunView.ProbeLane(
                name: probe.name, summary: "\(probe.request) from \(probe.node)", results: [],
                outages: [], percentiles: [])
            meters[probe.name] = OutageMeter(interval: probe.interval)
        }
    }

    private var scenario: Scenario? {
        record.lab.scenarios.first { $0.name == record.scenario }
    }

    private var held: [String] {
        if case .skipped = record.verdict { return [] }
        let broken = Set(violations.map(\.check))
        return (scenario?.checks ?? []).map(\.summary).filter { !broken.contains($0) }
    }

    func view(end: MonotonicInstant) -> RunView {
        RunView(
            began: offset(record.began), length: max(1, offset(end)),
            nodes: record.lab.nodes.compactMap { nodes[$0.name]?.lane },
            probes: (scenario?.probes ?? []).compactMap { finished($0.name) }, steps: steps,
            violations: violations, held: held, stalls: stalls,
            log: log.enumerated().sorted {
                ($0.element.time, $0.offset) < ($1.element.time, $1.offset)
            }
            .map(\.element))
    }

    mutating func fold(_ event: TimelineEvent) {
        let time = offset(event.time)
        switch event.kind {
        case .addressAdded(let node, _, let address):
            changeHeld(address.address, by: 1, on: node, at: time)
        case .addressRemoved(let node, _, let address):
            changeHeld(address.address, by: -1, on: node, at: time)
        case .advertisement(let seen):
            nodes[seen.node]?.lane.adverts.append([time, seen.vrid, seen.priority])
            return
        case .gratuitousARP(let node, _, _, _), .unsolicitedNA(let node, _, _, _):
            nodes[node]?.lane.announcements.append(time)
        case .arp, .packet: return
        case .probe(let result):
            fold(result, ended: event.time)
            return
        case .control(let verb, let target):
            mark("\(verb.rawValue) \(target)", isFault: true, on: target.node, at: time)
            if target.service == nil { fold(verb, of: target.node, at: time) }
        case .fault(let fault): mark(fault, at: time)
        case .node(let node, let state): fold(state, of: node, at: time)
        case .service(let node, let service, let state):
            fold(state, of: Target(node: node, service: service), at: time)
        case .step(let report):
            fold(report, at: time)
            return
        case .stall(let duration):
            stalls.append(RunView.Span(from: time - microseconds(duration), to: time))
        case .violation(let violation):
            violations.append(
                RunView.ViolationView(
                    check: violation.check,
                    text: violation.text + (violation.cause.map { " (after \($0))" } ?? ""),
                    from: offset(violation.since), to: violation.until.map(offset)))
        case .scenario: return
        case .link, .routeAdded, .routeRemoved, .neighbour, .neighbourRemoved, .claim, .lost: break
        }
        log.append(
            RunView.LogEntry(time: time, node: event.kind.node ?? "", text: event.kind.words))
    }

    mutating func fold(_ line: PrintedLine) {
        log.append(
            RunView.LogEntry(
                time: offset(line.time), node: line.node, service: line.service, text: line.text))
    }

    // MARK: Nodes

    private mutating func fold(_ verb: ControlVerb, of node: String, at time: Int) {
        switch verb {
        case .freeze: change(node, at: time) { $0.isFrozen = true }
        case .thaw: change(node, at: time) { $0.isFrozen = false }
        case .stop, .start, .restart, .kill, .reload: break
        }
    }

    private mutating func fold(_ state: TimelineEvent.NodeState, of node: String, at time: Int) {
        change(node, at: time) {
            $0.isRunning = state == .running
            $0.isFrozen = false
            if state != .running { $0.daemons = [] }
        }
    }

    private mutating func fold(
        _ state: TimelineEvent.ServiceState, of target: Target, at time: Int
    ) {
        let name = target.service ?? ""
        switch state {
        case .ready where daemons.contains(target):
            change(target.node, at: time) { $0.daemons.insert(name) }
        case .exited(let reason):
            mark("\(name) ended with \(reason)", on: target.node, at: time)
            change(target.node, at: time) { $0.daemons.remove(name) }
        case .failed(let reason):
            mark("\(name) failed: \(reason)", on: target.node, at: time)
            change(target.node, at: time) { $0.daemons.remove(name) }
        case .starting, .running, .ready, .stopping: break
        }
    }

    private mutating func changeHeld(
        _ address: IPAddress, by difference: Int, on node: String, at time: Int
    ) {
        guard virtual.contains(address) else { return }
        change(node, at: time) { state in
            let before = state.held[address] ?? 0
            let now = max(0, before + difference)
            state.held[address] = now == 0 ? nil : now
            if before == 0, now > 0 {
                state.lane.held.append(RunView.HeldSpan(address: address.description, from: time))
            } else if before > 0, now == 0 {
                let text = address.description
                if let place = state.lane.held.lastIndex(where: { $0.address == text }) {
                    state.lane.held[place].to = time
                }
            }
        }
    }

    /// Changes what is known of a node, and draws another state where it is another.
    private mutating func change(
        _ node: String, at time: Int, _ body: (inout NodeState) -> Void
    ) {
        guard var state = nodes[node] else { return }
        body(&state)
        let last = state.lane.states.count - 1
        if state.lane.states[last].state != state.role {
            state.lane.states[last].to = time
            state.lane.states.append(RunView.StateSpan(state: state.role, from: time))
        }
        nodes[node] = state
    }

    private mutating func mark(_ text: String, isFault: Bool = false, on node: String, at time: Int)
    {
        nodes[node]?.lane.marks.append(RunView.Mark(time: time, isFault: isFault, text: text))
    }

    /// A fault of the network is drawn at every node it concerns.
    private mutating func mark(_ fault: Fault, at time: Int) {
        var concerned = record.lab.nodes.map(\.name)
        if let node = fault.node {
            concerned = [node]
        } else if case .partition(let groups) = fault {
            concerned = groups.flatMap(\.self)
        } else if case .cut(let senders, let receivers) = fault {
            concerned = senders + receivers
        }
        for node in concerned {
            mark(fault.description, isFault: true, on: node, at: time)
        }
    }

    // MARK: Probes and steps

    private mutating func fold(_ result: ProbeResult, ended: MonotonicInstant) {
        guard let name = result.probe else { return }
        meters[name]?.record(result, ended: ended)
        let due = offset(result.due)
        let took = microseconds(ended - result.due)
        probes[name]?.results.append([due, took, result.outcome.isSuccess ? 1 : 0])
    }

    private func finished(_ name: String) -> RunView.ProbeLane? {
        guard var lane = probes[name], let meter = meters[name] else { return nil }
        // Before the first answer there was no service that could have gone away.
        let firstAnswer = lane.results.filter { $0[2] == 1 }.map { $0[0] + $0[1] }.min() ?? 0
        lane.outages = (meter.outages + [meter.openOutage].compactMap(\.self)).map {
            RunView.OutageView(
                from: offset($0.begin), to: $0.end.map(offset), lost: $0.lostRequests)
        }.filter { $0.to ?? .max > firstAnswer }
        var histogram = LatencyHistogram()
        for result in lane.results where result[2] == 1 {
            histogram.record(.microseconds(result[1]))
        }
        lane.percentiles = [50, 90, 99, 99.9, 100].compactMap { percent in
            histogram.value(atPercentile: percent).map {
                RunView.Percentile(percent: percent, time: microseconds($0))
            }
        }
        return lane
    }

    private mutating func fold(_ report: StepReport, at time: Int) {
        var step = RunView.StepView(
            number: report.index, summary: report.summary, from: time, verdict: "running", text: "")
        if let place = steps.lastIndex(where: { $0.number == report.index }) {
            step.from = steps[place].from
            steps.remove(at: place)
        }
        switch report.phase {
        case .began: break
        case .passed(let result): (step.verdict, step.text) = ("passed", result.report)
        case .failed(let message): (step.verdict, step.text) = ("failed", message)
        case .inconclusive(let message): (step.verdict, step.text) = ("inconclusive", message)
        case .notRun: step.verdict = "not run"
        }
        if report.phase != .began { step.to = time }
        steps.append(step)
    }

    // MARK: Time

    private func offset(_ time: MonotonicInstant) -> Int { microseconds(time - origin) }

    private func microseconds(_ duration: Duration) -> Int {
        Int(duration.wholeNanoseconds / 1000)
    }
}

extension StepResult {
    /// What was measured, without the comma it begins with beside a summary.
    fileprivate var report: String {
        String(words.drop { $0 == "," || $0 == " " })
    }
}
