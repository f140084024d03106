import CLinux
import Glibc
import KeepalivedConf
import LinuxSystem
import SystemPackage

/// Counts the processes of every `vrrp_track_process`.
///
/// keepalived is told by the kernel's process connector, which refuses in a network namespace of
/// one's own (and needs root): so /proc is read, every ``interval``. That one is a second, the
/// shortest interval of a `vrrp_script`, which is what people do this with otherwise; a scan costs
/// some 10 µs a process. The end of a process that counts is known at once all the same, through
/// its pidfd: what is waited for up to a second is a start.
final class ProcessTracker {
    /// From one reading of /proc to the next.
    static let interval: Duration = .seconds(1)
    /// Processes whose end is known at once; of more, the scan tells.
    static let watchedLimit = 64

    private final class Tracked {
        var monitor: ProcessMonitor
        let pattern: ProcessPattern
        var timer: EventLoop.TimerID?

        init(_ definition: TrackProcess) {
            monitor = ProcessMonitor(definition)
            pattern = ProcessPattern(definition)
        }
    }

    private let loop: EventLoop
    private let log: (LogLine) -> Void
    private let onQuorum: (_ name: String, _ hasQuorum: Bool) -> Void
    private let table = ProcessTable()
    private var tracked: [Tracked] = []
    private var scanTimer: EventLoop.TimerID?
    private var watched: [Int32: SharedDescriptor] = [:]
    private var lastFailure: Errno?

    /// - Parameter onQuorum: told whether enough processes of a definition run: first from
    ///   ``start(_:)``, then from the loop when it changes.
    init(
        loop: EventLoop, log: @escaping (LogLine) -> Void,
        onQuorum: @escaping (_ name: String, _ hasQuorum: Bool) -> Void
    ) {
        self.loop = loop
        self.log = log
        self.onQuorum = onQuorum
    }

    deinit { stop() }

    /// Tracks those definitions, and what was tracked before no longer, unless it is the same.
    func start(_ definitions: [TrackProcess]) {
        let before = tracked
        tracked = definitions.map { definition in
            before.first { $0.monitor.definition == definition } ?? Tracked(definition)
        }
        for old in before where !tracked.contains(where: { $0 === old }) {
            old.timer.map(loop.cancel)
        }
        if tracked.isEmpty { stop() } else { scan() }
    }

    /// Tracks nothing any more.
    func stop() {
        for entry in tracked { entry.timer.map(loop.cancel) }
        tracked = []
        scanTimer.map(loop.cancel)
        scanTimer = nil
        for pid in Array(watched.keys) { unwatch(pid) }
    }

    /// How many processes each definition matched in the last scan, by its name.
    var counts: [String: Int] {
        Dictionary(tracked.map { ($0.monitor.definition.name, $0.monitor.number) }) { first, _ in
            first
        }
    }

    // MARK: Scans

    private func scan() {
        scanTimer.map(loop.cancel)
        scanTimer = loop.schedule(after: Self.interval) { [unowned self] in scan() }
        var counts = [Int](repeating: 0, count: tracked.count)
        var pids: Set<Int32> = []
        do throws(SystemError) {
            try table.forEach { process in
                // Read once, and only where a definition asks for it.
                var line: [String]?
                func words() -> [String] {
                    let words = line ?? table.commandLine(of: process.pid)
                    line = words
                    return words
                }
                for (number, entry) in tracked.enumerated()
                where entry.pattern.matches(command: process.command, words: words) {
                    counts[number] += 1
                    pids.insert(process.pid)
                }
            }
            lastFailure = nil
        } catch {
            // Not known is not gone.
            if error.code != lastFailure { log(.init("\(error)")) }
            lastFailure = error.code
            return
        }
        for pid in watched.keys where !pids.contains(pid) { unwatch(pid) }
        for pid in pids.sorted() where watched[pid] == nil { watch(pid) }
        for (entry, count) in zip(tracked, counts) {
            perform(entry, entry.monitor.count(count, now: MonotonicClock.now))
        }
    }

    private func perform(_ entry: Tracked, _ actions: [ProcessMonitor.Action]) {
        for action in actions {
            switch action {
            case .log(let line): log(line)
            case .report(let hasQuorum): onQuorum(entry.monitor.definition.name, hasQuorum)
            }
        }
        entry.timer.map(loop.cancel)
        entry.timer = entry.monitor.deadline.map { deadline in
            loop.schedule(at: deadline) { [unowned self, unowned entry] in
                perform(entry, entry.monitor.expire(MonotonicClock.now))
            }
        }
    }

    // MARK: Ends

    private func watch(_ pid: Int32) {
        guard watched.count < Self.watchedLimit else { return }
        let number = clinux_pidfd_open(pid)
        guard number >= 0 else { return }
        let descriptor = SharedDescriptor(OwnedDescriptor(number))
        // Without it, the next scan tells.
        guard
            (try? loop.add(
                number, .readable,
                handler: { [unowned self] _ in
                    unwatch(pid)
                    scan()
                })) != nil
        else { return }
        watched[pid] = descriptor
    }

    private func unwatch(_ pid: Int32) {
        guard let descriptor = watched.removeValue(forKey: pid) else { return }
        loop.remove(descriptor.rawValue)
        descriptor.close()
    }
}
