import LabModel
import LinuxSystem
import NetworkTypes

/// Sends a probe's requests when they are due, and puts each result on the timeline.
final class ProbeRunner {
    private unowned let supervisor: Supervisor
    private let probe: Probe
    private let prober: any Prober
    private var schedule: ProbeSchedule
    private var timer: EventLoop.TimerID?

    /// The probe's name, which its results bear.
    var name: String { probe.name }

    /// Begins at once.
    init(_ probe: Probe, supervisor: Supervisor) {
        self.probe = probe
        self.supervisor = supervisor
        prober = supervisor.prober(
            for: probe.request, from: probe.node, keepsOpen: probe.keepsOpen)
        schedule = ProbeSchedule(start: MonotonicClock.now, interval: probe.interval)
        sendDue()
    }

    /// Sends no more requests; those under way still end.
    func stop() {
        if let timer { supervisor.loop.cancel(timer) }
        supervisor.retire(prober, of: probe.node)
    }

    private func sendDue() {
        let refusal = supervisor.refusal(ofRequestsFrom: probe.node)
        while let due = schedule.popDue(now: MonotonicClock.now) {
            let record = { [unowned supervisor, probe] (outcome: ProbeResult.Outcome) in
                _ = supervisor.timeline.record(
                    .probe(ProbeResult(probe: probe.name, due: due, outcome: outcome)))
            }
            if let refusal {
                record(refusal)
            } else {
                prober.ask(timeout: probe.timeout, completion: record)
            }
        }
        timer = supervisor.loop.schedule(at: schedule.nextDue) { [weak self] in self?.sendDue() }
    }
}
