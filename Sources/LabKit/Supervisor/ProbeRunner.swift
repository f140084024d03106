import LabModel
import LinuxSystem
import NetworkTypes

/// Sends a probe's requests when they are due, and puts each result on the timeline.
final class ProbeRunner {
    private unowned let supervisor: Supervisor
    private let probe: Probe
    private var schedule: ProbeSchedule
    private var timer: EventLoop.TimerID?

    /// Begins at once.
    init(_ probe: Probe, supervisor: Supervisor) {
        self.probe = probe
        self.supervisor = supervisor
        schedule = ProbeSchedule(start: MonotonicClock.now, interval: probe.interval)
        sendDue()
    }

    /// Sends no more requests; those under way still end.
    func stop() {
        if let timer { supervisor.loop.cancel(timer) }
    }

    private func sendDue() {
        while let due = schedule.popDue(now: MonotonicClock.now) {
            supervisor.ask(
                probe.request, from: probe.node, keepsOpen: probe.keepsOpen,
                timeout: probe.timeout
            ) {
                [unowned supervisor, probe] outcome in
                supervisor.timeline.record(
                    .probe(ProbeResult(probe: probe.name, due: due, outcome: outcome)))
            }
        }
        timer = supervisor.loop.schedule(at: schedule.nextDue) { [weak self] in self?.sendDue() }
    }
}

extension Supervisor {
    /// Asks one question from inside a node; `completion` is called once, later.
    ///
    /// - Parameter keepsOpen: whether the connection of the question before is used again.
    func ask(
        _ request: ProbeRequest, from name: String, keepsOpen: Bool = false, timeout: Duration,
        completion: @escaping (ProbeResult.Outcome) -> Void
    ) {
        switch request {
        case .http(let url) where !keepsOpen:
            fetch(url, from: name, timeout: timeout, completion: completion)
        case .http, .tcp, .udp, .ping, .arp:
            loop.schedule(after: .zero) {
                completion(.failed("this supervisor cannot send '\(request)'"))
            }
        }
    }

    /// Makes one request from inside a node; `completion` is called once, later.
    func fetch(
        _ url: HTTPURL, from name: String, timeout: Duration,
        completion: @escaping (ProbeResult.Outcome) -> Void
    ) {
        guard let node = try? node(name), node.state == .running, let pid = node.process?.pid else {
            loop.schedule(after: .zero) { completion(.failed("node \(name) is not running")) }
            return
        }
        var key: ObjectIdentifier?
        let fetch = HTTPFetch.start(url, fromNamespaceOf: pid, timeout: timeout, loop: loop) {
            [unowned self] outcome in
            if let key { fetches[name]?[key] = nil }
            completion(outcome)
        }
        guard let fetch else { return }
        let identifier = ObjectIdentifier(fetch)
        key = identifier
        fetches[name, default: [:]][identifier] = fetch
    }
}
