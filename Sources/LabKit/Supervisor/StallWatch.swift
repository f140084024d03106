import LabModel
import LinuxSystem
import NetworkTypes

/// Notices when the supervisor was kept from running, and says so on the timeline: what happened
/// meanwhile was seen late, and nothing was done in time. ``PressureWatch`` does so for the nodes.
///
/// The time that it was busy itself is no stall, as while it builds a large lab.
final class StallWatch {
    /// How often it looks.
    static let interval: Duration = .milliseconds(10)
    /// From when on being kept counts as a stall.
    static let threshold: Duration = .milliseconds(25)

    private let loop: EventLoop
    private let timeline: TimelineRecorder

    /// Begins to watch when the loop begins to run.
    init(loop: EventLoop, timeline: TimelineRecorder) {
        self.loop = loop
        self.timeline = timeline
        loop.schedule(after: .zero) { [self] in look() }
    }

    private func look() {
        let due = MonotonicClock.now + Self.interval
        let before = ProcessUsage.own.total
        loop.schedule(at: due) { [self] in
            let late = MonotonicClock.now - due - (ProcessUsage.own.total - before)
            if late > Self.threshold { timeline.record(.stall(late)) }
            look()
        }
    }
}
