import LabModel
import LinuxSystem
import NetworkTypes

/// Carries out what flapping cables are to do: when they go down and come up is ``Flap``'s to say.
final class Flaps {
    private struct Schedule {
        var flap: Flap
        var start: MonotonicInstant
        var timer: EventLoop.TimerID
    }

    private let fabric: Fabric
    private let loop: EventLoop
    private var schedules: [Endpoint: Schedule] = [:]
    /// Called when a cable has come up for the last time.
    var onEnd: (Endpoint) -> Void = { _ in }

    init(_ fabric: Fabric, loop: EventLoop) {
        self.fabric = fabric
        self.loop = loop
    }

    /// Takes note of a fault that was applied at `time`: of another flap, or of what has ended one.
    func note(_ fault: Fault, at time: MonotonicInstant) {
        for (endpoint, schedule) in schedules where fabric.faults.flap(of: endpoint) == nil {
            loop.cancel(schedule.timer)
            schedules[endpoint] = nil
        }
        guard case .flap(let endpoint, let flap) = fault else { return }
        if let former = schedules[endpoint] { loop.cancel(former.timer) }
        advance(endpoint, flap, since: time)
    }

    /// Lets the cable be as its schedule has it now, and comes back when that changes.
    private func advance(_ endpoint: Endpoint, _ flap: Flap, since start: MonotonicInstant) {
        let next: Duration
        do {
            switch flap.phase(after: MonotonicClock.now - start) {
            case .down(let until):
                try fabric.setFlap(endpoint, isDown: true)
                next = until
            case .up(let until):
                try fabric.setFlap(endpoint, isDown: false)
                next = until
            case .over:
                schedules[endpoint] = nil
                return onEnd(endpoint)
            }
        } catch {
            StandardError.print("link \(endpoint) does not flap any more: \(error)")
            schedules[endpoint] = nil
            return onEnd(endpoint)
        }
        let timer = loop.schedule(at: start + next) { [unowned self] in
            advance(endpoint, flap, since: start)
        }
        schedules[endpoint] = Schedule(flap: flap, start: start, timer: timer)
    }
}
