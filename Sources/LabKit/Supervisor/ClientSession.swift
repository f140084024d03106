import CLinux
import FoundationEssentials
import Glibc
import LabModel
import LinuxSystem
import NodeProtocol

/// One connection of `labctl` to the supervisor.
final class ClientSession {
    /// Replies that may wait for a client that follows something and does not read, before it is
    /// dropped.
    static let maximumPendingReplies = 20_000

    private unowned let supervisor: Supervisor
    private let channel: MessageChannel
    private let encoder = JSONEncoder()
    private var eventListener: Int?
    private var lineListener: Int?
    private var scenario: ScenarioRunner?
    private var capture: CaptureSession?
    private var probe: ProbeRunner?
    private var isClosed = false

    init(_ connection: consuming OwnedDescriptor, supervisor: Supervisor) throws {
        self.supervisor = supervisor
        channel = try MessageChannel(connection)
        try supervisor.loop.add(channel.socket.rawValue, .readable) { [unowned self] interest in
            ready(interest)
        }
    }

    private func ready(_ interest: EventLoop.Interest) {
        if interest.contains(.writable) { flush() }
        guard !isClosed, let received = try? channel.receive() else { return close() }
        for message in received.messages where !isClosed { handle(message) }
        if received.isAtEnd { close() }
    }

    private func close() {
        guard !isClosed else { return }
        isClosed = true
        supervisor.loop.remove(channel.socket.rawValue)
        if let eventListener { supervisor.timeline.removeListener(eventListener) }
        if let lineListener { supervisor.output.removeListener(lineListener) }
        scenario?.cancel()
        capture?.stop()
        probe?.stop()
        supervisor.close(self)
    }

    private func flush() {
        do {
            try channel.flush()
            if !channel.hasPendingOutput {
                try supervisor.loop.modify(channel.socket.rawValue, .readable)
            }
        } catch {
            close()
        }
    }

    private func reply(_ reply: ControlReply) {
        do {
            send(Array(try encoder.encode(reply)))
        } catch {
            close()
        }
    }

    private func reply(_ event: TimelineEvent) { send(ControlReply.message(of: event)) }

    /// Tells of something new, which has no end: a client that does not read is dropped.
    private func push(_ news: ControlReply) {
        if channel.pendingMessageCount < Self.maximumPendingReplies { reply(news) } else { close() }
    }

    private func send(_ message: [UInt8]) {
        guard !isClosed else { return }
        do {
            try channel.send(message)
            if channel.hasPendingOutput {
                try supervisor.loop.modify(channel.socket.rawValue, [.readable, .writable])
            }
        } catch {
            close()
        }
    }

    private func reply(_ result: Result<Void, LabError>) {
        switch result {
        case .success: reply(.done)
        case .failure(let error):
            reply(.failed(ControlReply.FailureKind(error), error.description))
        }
    }

    private func handle(_ message: MessageChannel.Message) {
        let request: ControlRequest
        do {
            request = try JSONDecoder().decode(ControlRequest.self, from: Data(message.payload))
        } catch {
            return reply(.failed(.failed, "the request does not decode: \(error)"))
        }
        switch request {
        case .status: reply(.status(supervisor.status()))
        case .describe:
            reply(
                .description(
                    LabDescription(
                        lab: supervisor.order.lab,
                        virtualRouters: supervisor.order.virtualRouters)))
        case .down: supervisor.end()
        case .control(let verb, let target, let options):
            supervisor.control(verb, target, options) { [self] in reply($0) }
        case .fault(let fault, let duration):
            supervisor.apply(fault, lasting: duration) { [self] in reply($0) }
        case .execute(let node, let options):
            execute(options, on: node, descriptors: message.descriptors)
        case .logs(let query): logs(query)
        case .events(let follow): events(follow: follow)
        case .capture(let query): startCapture(query)
        case .endCapture: endCapture()
        case .runScenario(let name): runScenario(name)
        case .run(let scenario): run(scenario)
        case .probe(let probe): start(probe)
        case .awaitConvergence: supervisor.awaitConvergence { [self] in reply($0) }
        }
    }

    // The node takes the connection over: from here on the command and its client talk without the
    // supervisor.
    private func execute(
        _ options: ExecuteOptions, on name: String, descriptors: [SharedDescriptor]
    ) {
        do throws(LabError) {
            let node = try supervisor.runningNode(name)
            var terminal: ExecuteRequest.TerminalSize?
            if let rows = options.terminalRows, let columns = options.terminalColumns {
                terminal = ExecuteRequest.TerminalSize(rows: rows, columns: columns)
            }
            let request = ExecuteRequest(
                command: options.command, environment: options.environment,
                workingDirectory: options.workingDirectory, user: options.user, terminal: terminal)
            supervisor.loop.remove(channel.socket.rawValue)
            node.send(.execute(request), descriptors: [channel.socket] + descriptors)
        } catch {
            // docker's number for a failure of its own, in the words that the node itself would
            // use.
            let report = ExecuteReport.failed(status: 125, reason: error.description)
            try? channel.send(report.message)
        }
        close()
    }

    private func logs(_ query: LogQuery) {
        var wanted: [(node: String, service: String)] = []
        do throws(LabError) {
            let nodes = try query.node.map { name throws(LabError) in [try supervisor.node(name)] }
            for node in nodes ?? supervisor.nodes {
                let name = node.node.name
                if let service = query.service, node.node.service(service) == nil {
                    throw .state("node \(name) has no service \(service)")
                }
                for service in node.node.services
                where query.service == nil || query.service == service.name {
                    wanted.append((name, service.name))
                }
            }
        } catch {
            return reply(.failure(error))
        }
        var lines = wanted.flatMap { supervisor.output.lines(node: $0.node, service: $0.service) }
        lines.sort { $0.time < $1.time }
        for line in lines.suffix(query.tail ?? lines.count) { reply(.logLine(line)) }
        guard query.follows else { return reply(.done) }
        let followed = Set(wanted.map { "\($0.node)/\($0.service)" })
        lineListener = supervisor.output.addListener { [unowned self] line in
            if followed.contains("\(line.node)/\(line.service)") { push(.logLine(line)) }
        }
    }

    private func events(follow: Bool) {
        // However long the timeline and however slow the client: what it gets from here are a few
        // numbers, and nothing is lost.
        supervisor.observer.catchUp()
        reply(.recorded(bytes: supervisor.timeline.fileBytes))
        guard follow else {
            for event in supervisor.timeline.unwritten { reply(event) }
            return reply(.done)
        }
        eventListener = supervisor.timeline.addGrowthListener { [unowned self] in
            push(.recorded(bytes: $0))
        }
    }

    private func startCapture(_ query: CaptureQuery) {
        guard capture == nil else {
            return reply(.failed(.state, "a capture is already running here"))
        }
        do throws(SystemError) {
            capture = try CaptureSession(
                supervisor, query,
                pendingBytes: { [unowned self] in channel.pendingBytes }
            ) { [unowned self] in reply(.capture(Data($0))) }
        } catch {
            reply(.failed(.machine, "\(error)"))
        }
    }

    /// Whether it captures.
    var isCapturing: Bool { capture != nil }

    /// Ends the capture, if there is one, with all that belongs to it.
    func endCapture() {
        capture?.finish()
        capture = nil
        reply(.done)
    }

    /// The name of the probe that it runs, by which its results are known; nil while it runs none.
    var probeName: String? { probe?.name }

    private func start(_ wanted: Probe) {
        do throws(LabError) {
            _ = try supervisor.node(wanted.node)
        } catch {
            return reply(.failure(error))
        }
        guard probe == nil else {
            return reply(.failed(.state, "a probe is already running here"))
        }
        guard wanted.interval >= Probe.minimumInterval else {
            return reply(
                .failed(.state, "a probe asks at most every \(Probe.minimumInterval.text)"))
        }
        var named = wanted
        named.name = supervisor.unusedProbeName(wanted.name)
        eventListener = supervisor.timeline.addListener { [unowned self, name = named.name] event in
            if case .probe(let result) = event.kind, result.probe == name { push(.event(event)) }
        }
        probe = ProbeRunner(named, supervisor: supervisor)
    }

    private func runScenario(_ name: String) {
        guard let found = supervisor.order.lab.scenarios.first(where: { $0.name == name }) else {
            return reply(
                .failed(.state, "lab \(supervisor.order.lab.name) has no scenario \(name)"))
        }
        run(found)
    }

    private func run(_ found: Scenario) {
        guard scenario == nil else {
            return reply(.failed(.state, "a scenario is already running here"))
        }
        let runner = ScenarioRunner(found, supervisor: supervisor)
        scenario = runner
        runner.start(
            ScenarioRunner.Observer(
                onStep: { [unowned self] in reply(.step($0)) },
                onSlice: { [unowned self] in reply(.slice($0)) },
                onEnd: { [unowned self] outcome in
                    scenario = nil
                    reply(.verdict(outcome))
                }))
    }
}
