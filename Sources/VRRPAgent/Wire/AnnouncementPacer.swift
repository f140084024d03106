import KeepalivedConf
import LinuxSystem
import NetworkTypes
import VRRP

/// Sends what an ``AnnouncementQueue`` holds back, when it is due.
final class AnnouncementPacer {
    /// Sends one announcement.
    var send: (AnnouncementQueue.Announcement) -> Void = { _ in }

    private var queue: AnnouncementQueue
    private let loop: EventLoop
    private var timer: (deadline: MonotonicInstant, id: EventLoop.TimerID)?

    init(_ global: GlobalDefinitions, loop: EventLoop) {
        queue = AnnouncementQueue(global)
        self.loop = loop
    }

    /// Goes on with other intervals; what waits is forgotten, and comes with the next burst.
    func reconfigure(_ global: GlobalDefinitions) {
        queue = AnnouncementQueue(global)
        arm()
    }

    /// Whether a burst may have to wait; if not, it is all its rounds at once.
    var isPaced: Bool { queue.isPaced }

    /// Takes a burst.
    ///
    /// - Returns: what is to be sent now.
    func add(
        _ announcements: [AnnouncementQueue.Announcement], rounds: Int, pacedBy base: InterfaceName
    ) -> [AnnouncementQueue.Announcement] {
        defer { arm() }
        return queue.add(announcements, rounds: rounds, pacedBy: base, at: MonotonicClock.now)
    }

    /// Forgets what waits for an instance.
    func cancel(_ owner: String) {
        queue.cancel(owner: owner)
        arm()
    }

    private func arm() {
        let deadline = queue.deadline
        guard deadline != timer?.deadline else { return }
        if let timer { loop.cancel(timer.id) }
        timer = deadline.map { deadline in
            let id = loop.schedule(at: deadline) { [unowned self] in
                timer = nil
                for announcement in queue.due(at: MonotonicClock.now) { send(announcement) }
                arm()
            }
            return (deadline, id)
        }
    }
}

extension AnnouncementQueue {
    fileprivate init(_ global: GlobalDefinitions) {
        self.init(
            intervals: Intervals(
                gratuitousARP: global.garpInterval, neighbourAdvertisement: global.gnaInterval),
            groups: global.garpGroups.map {
                Group(
                    interfaces: Set($0.interfaces),
                    intervals: Intervals(
                        gratuitousARP: $0.garpInterval, neighbourAdvertisement: $0.gnaInterval))
            })
    }
}
