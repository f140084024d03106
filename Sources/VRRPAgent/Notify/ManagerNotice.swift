import LinuxSystem
import NetworkTypes
import VRRP

/// What a service manager is told of the instances' states, in messages of sd_notify(3): a line to
/// read, `STATUS=1 MASTER, 2 BACKUP`, and for programs one for each change,
/// `X_VRRP=12000000345 MASTER VI_1`, with the moment on CLOCK_MONOTONIC in nanoseconds.
struct ManagerNotice {
    /// What one datagram may carry, for whoever receives it into a buffer of a page.
    static let maximumBytes = 4000

    private var states: [String: VirtualRouter.Transition] = [:]
    private var lines: [String] = []

    /// Whether there is something to tell.
    var isPending: Bool { !lines.isEmpty }

    /// Notes what an instance has come to.
    mutating func note(
        _ transition: VirtualRouter.Transition, of instance: String, at time: MonotonicInstant
    ) {
        switch transition {
        case .master, .backup, .fault, .stop: states[instance] = transition
        case .deleted: states[instance] = nil
        case .masterHeardLowerPriority, .masterPriority, .backupPriority: return
        }
        lines.append("X_VRRP=\(time.nanoseconds) \(transition.rawValue) \(instance)\n")
    }

    /// Notes that instances have other names from now on: those of before are gone, and those of
    /// now what they were.
    ///
    /// - Parameter names: the new ones by the old ones.
    mutating func rename(_ names: [String: String], at time: MonotonicInstant) {
        let renamed = names.sorted { $0.key < $1.key }.compactMap { old, new in
            states[old].map { (old, new, $0) }
        }
        for (old, _, _) in renamed { note(.deleted, of: old, at: time) }
        for (_, new, state) in renamed { note(state, of: new, at: time) }
    }

    /// The next message; it stays the next until ``drop(_:)``.
    var message: String? {
        guard isPending else { return nil }
        var message = status
        for line in lines {
            guard message.utf8.count + line.utf8.count <= Self.maximumBytes else { break }
            message += line
        }
        return message
    }

    /// Forgets a message that has been sent.
    mutating func drop(_ message: String) {
        lines.removeFirst(message.utf8.count { $0 == UInt8(ascii: "\n") } - 1)
    }

    private var status: String {
        let counts = [VirtualRouter.Transition.master, .backup, .fault].compactMap { state in
            let count = states.values.count { $0 == state }
            return count > 0 ? "\(count) \(state.rawValue)" : nil
        }
        return "STATUS=\(counts.isEmpty ? "stopped" : counts.joined(separator: ", "))\n"
    }
}

/// Sends ``ManagerNotice``s, where a manager asked for them.
///
/// Later than what is told of: an address that moves does not wait for anybody's interest in it.
final class ManagerNotifier {
    /// The wait before another try, where the manager is slow to read.
    private static let pause = Duration.milliseconds(10)

    private let socket: ManagerSocket?
    private let loop: EventLoop
    private let log: (String) -> Void
    private var notice = ManagerNotice()
    private var isScheduled = false
    private var hasFailed = false

    init(_ socket: ManagerSocket?, loop: EventLoop, log: @escaping (String) -> Void) {
        self.socket = socket
        self.loop = loop
        self.log = log
    }

    /// Notes what an instance has come to; it is told soon.
    func note(_ transition: VirtualRouter.Transition, of instance: String) {
        guard socket != nil, !hasFailed else { return }
        notice.note(transition, of: instance, at: MonotonicClock.now)
        schedule(after: .zero)
    }

    /// Notes that instances have other names from now on, which are told soon.
    ///
    /// - Parameter names: the new ones by the old ones.
    func rename(_ names: [String: String]) {
        guard socket != nil, !hasFailed else { return }
        notice.rename(names, at: MonotonicClock.now)
        schedule(after: .zero)
    }

    private func schedule(after delay: Duration) {
        guard notice.isPending, !isScheduled else { return }
        isScheduled = true
        loop.schedule(after: delay) { [weak self] in
            self?.isScheduled = false
            self?.flush()
        }
    }

    /// Tells what is to be told, as far as there is room for it.
    func flush() {
        guard let socket, !hasFailed else { return }
        do {
            while let message = notice.message {
                guard try socket.send(message) else { return schedule(after: Self.pause) }
                notice.drop(message)
            }
        } catch {
            // Whoever asked has gone; the router's business goes on.
            hasFailed = true
            log("\(error)")
        }
    }
}
