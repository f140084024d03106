import LabModel
import LinuxSystem
import NetworkTypes

/// Notices while a scenario runs when what runs in a node was kept from a CPU, and says so on the
/// timeline: an answer that is late for that is no fault of a protocol's.
///
/// ``StallWatch`` measures the supervisor alone, which may have been luckier. The kernel counts for
/// every control group how long at least one of its processes waited (PSI, `cpu.pressure`); where
/// it does not, nothing is noticed here.
final class PressureWatch {
    /// How often it looks, at the most.
    private static let interval: Duration = .milliseconds(100)
    /// A look at one node costs the supervisor some 20 us of its own.
    private static let intervalOfNode: Duration = .milliseconds(4)

    private unowned let supervisor: Supervisor
    private var waited: [String: Duration] = [:]
    private var timer: EventLoop.TimerID?
    private var isOver = false

    init(_ supervisor: Supervisor) {
        self.supervisor = supervisor
        look()
        schedule()
    }

    /// Ends it.
    func stop() {
        isOver = true
        if let timer { supervisor.loop.cancel(timer) }
        timer = nil
    }

    /// Looks now: before something is judged that may have been late.
    func look() {
        guard let freezer = supervisor.freezer else { return }
        var longest = Duration.zero
        for node in supervisor.nodes where node.isAlive {
            let name = node.node.name
            guard let total = freezer.waited(name) else { continue }
            if let before = waited.updateValue(total, forKey: name) {
                longest = max(longest, total - before)
            }
        }
        if longest > StallWatch.threshold { supervisor.timeline.record(.stall(longest)) }
    }

    private func schedule() {
        let interval = max(Self.interval, Self.intervalOfNode * supervisor.nodes.count)
        timer = supervisor.loop.schedule(after: interval) { [weak self] in
            self?.timer = nil
            // What is found may end the scenario, and this with it.
            self?.look()
            if let self, !isOver { schedule() }
        }
    }
}
