import KeepalivedConf
import LinuxSystem
import NetworkTypes
import VRRP

// The moments in which an instance becomes master.

extension Agent {
    /// How long before its deadline a backup is woken to get ready.
    ///
    /// From a timer's expiry until the process runs, and has what a takeover needs in memory, it
    /// takes some tenths of a millisecond, in which nobody has the addresses of a master that is
    /// dead. A backup's deadline comes only when there is no master: being early costs nothing
    /// else.
    static let readiness: Duration = .milliseconds(1)

    /// How long before its deadline a backup begins to listen without a pause, which nobody else
    /// has the processor for.
    static let watch: Duration = .microseconds(150)

    /// When to wake a backup for a deadline.
    static func wakeUp(for deadline: MonotonicInstant, now: MonotonicInstant) -> MonotonicInstant {
        let ready = deadline - readiness
        return ready > now ? ready : deadline - watch
    }

    /// Gets ready to take over, and listens for the master until the last moment.
    ///
    /// - Returns: whether the deadline has come; not when it is not time to listen yet, or somebody
    ///   was heard.
    func awaitMaster(
        _ runner: InstanceRunner, until deadline: MonotonicInstant, now: MonotonicInstant
    ) -> Bool {
        guard deadline <= now + Self.watch else {
            if deadline <= now + Self.readiness { rehearse(runner, deadline) }
            return false
        }
        repeat {
            takePackets(for: runner)
            guard !runner.isMaster, runner.router.deadline == deadline else { return false }
        } while MonotonicClock.now < deadline
        return true
    }

    /// Goes through a takeover without its effects: the pages of code that it needs were given back
    /// and other programs have had the caches since.
    private func rehearse(_ runner: InstanceRunner, _ deadline: MonotonicInstant) {
        // Of many that take over together the first does.
        guard deadline - lastRehearsal > Self.rehearsalPause else { return }
        lastRehearsal = deadline
        runner.rehearse(deadline)
        machine.kernel.rehearse()
        machine.announcer.rehearse()
    }

    private static let rehearsalPause: Duration = .milliseconds(100)

    // MARK: Announcements

    func announce(_ runner: InstanceRunner, count: Int) {
        if log.isDetailed {
            for announcement in runner.announcements {
                log.detail(
                    "(\(runner.name)) "
                        + Announcer.burstLine(announcement.address, on: announcement.interface))
            }
        }
        guard !announcements.isPaced else { return pace(runner, count) }
        let frames = runner.frames()
        for round in 0..<max(0, count) where !frames.isEmpty {
            guard round == 0 || stillHasAddresses(runner) else { return }
            for frame in frames { send(frame) }
        }
    }

    private func pace(_ runner: InstanceRunner, _ count: Int) {
        let list = runner.announcements
        guard !list.isEmpty else { return }
        let due = announcements.add(list, rounds: count, pacedBy: runner.instance.interface)
        for (index, announcement) in due.enumerated() {
            if index > 0, index.isMultiple(of: list.count) {
                guard stillHasAddresses(runner) else {
                    return announcements.cancel(runner.name)
                }
            }
            send(announcement)
        }
    }

    /// A better router may have taken the addresses meanwhile. What is announced after it has
    /// announced them itself leads everybody here, where nobody answers any more, until its second
    /// burst: seen for 5 s when this process lost the CPU between two rounds.
    private func stillHasAddresses(_ runner: InstanceRunner) -> Bool {
        takePackets(for: runner)
        return runner.isMaster
    }

    /// Sends an announcement that has waited for its turn.
    func send(_ announcement: AnnouncementQueue.Announcement) {
        guard let runner = runnersByName[announcement.owner], runner.isMaster,
            let frame = runner.frames().first(where: { $0.announcement == announcement })
        else { return }
        send(frame)
    }

    private func send(_ frame: Announcer.Frame) {
        let (address, name) = (frame.announcement.address, frame.announcement.interface)
        log.detail(Announcer.frameLine(address, on: name))
        do throws(SystemError) {
            try machine.announcer.send(frame)
        } catch {
            log.line(Announcer.errorLine(error, address, on: name))
        }
    }
}
