import CLinux
import Glibc
public import NetworkTypes
import SystemPackage

/// A single-threaded event loop over epoll(7), with timers.
///
/// Handlers run one at a time on the thread that runs the loop, in the order the kernel reports
/// readiness; due timers run before descriptors. A handler may add and remove handlers and timers,
/// its own included.
public final class EventLoop {
    /// What a descriptor is watched for.
    public struct Interest: OptionSet, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }
        /// Something can be read, or the other end closed.
        public static let readable = Interest(rawValue: CLINUX_EPOLLIN)
        /// Something can be written.
        public static let writable = Interest(rawValue: CLINUX_EPOLLOUT)
        /// An error or hang-up; always reported.
        public static let hangUp = Interest(rawValue: CLINUX_EPOLLHUP | CLINUX_EPOLLERR)
    }

    /// Names a timer, to cancel it.
    public struct TimerID: Hashable, Sendable {
        fileprivate let deadline: MonotonicInstant
        fileprivate let number: UInt64
    }

    private struct Timer {
        var id: TimerID
        var handler: () -> Void
    }

    private let epoll: SharedDescriptor
    private let alarm: SharedDescriptor
    /// By descriptor.
    private var handlers: [((Interest) -> Void)?] = []
    // Sorted, the next last: a lab has tens of them, an agent some hundreds, which are found by
    // halving.
    private var timers: [Timer] = []
    /// What the alarm is set to; nil when it has to be set anew, `.zero` when it is not to ring.
    private var armed: MonotonicInstant?
    private var events = [epoll_event](repeating: epoll_event(), count: 64)
    private var nextTimer: UInt64 = 0
    private var isStopped = false
    /// Whether ``lastWait`` is kept: it costs two looks at the clock.
    public var recordsWaits = false
    /// When the loop last waited for events.
    public private(set) var lastWait: Wait

    /// One waiting for events, from which a handler can tell how late it learns of what it reads.
    public struct Wait: Equatable, Sendable {
        /// When the waiting before it ended.
        public var previousEnd: MonotonicInstant
        /// When everything known before was handled, and the waiting began.
        public var begin: MonotonicInstant
        /// When it ended.
        public var end: MonotonicInstant
    }

    /// A loop that watches nothing yet.
    ///
    /// - Throws: ``SystemError`` when the process has no descriptors left.
    public init() throws(SystemError) {
        epoll = SharedDescriptor(
            OwnedDescriptor(
                try systemCall("make an epoll instance") { epoll_create1(CLINUX_EPOLL_CLOEXEC) }))
        let now = MonotonicClock.now
        lastWait = Wait(previousEnd: now, begin: now, end: now)
        // epoll_wait counts in milliseconds; a timerfd wakes it to the nanosecond.
        alarm = SharedDescriptor(
            OwnedDescriptor(
                try systemCall("make a timer") { timerfd_create(CLOCK_MONOTONIC, CLINUX_TFD_FLAGS) }
            ))
        try control(EPOLL_CTL_ADD, alarm.rawValue, .readable)
    }

    /// Watches a descriptor. It must be removed before it is closed.
    ///
    /// - Throws: ``SystemError``, for a descriptor epoll cannot watch (a regular file).
    public func add(
        _ descriptor: CInt, _ interest: Interest, handler: @escaping (Interest) -> Void
    ) throws(SystemError) {
        precondition(!isWatched(descriptor), "a descriptor is watched once")
        try control(EPOLL_CTL_ADD, descriptor, interest)
        let missing = Int(descriptor) + 1 - handlers.count
        if missing > 0 { handlers += repeatElement(nil, count: missing) }
        handlers[Int(descriptor)] = handler
    }

    private func isWatched(_ descriptor: CInt) -> Bool {
        Int(descriptor) < handlers.count && handlers[Int(descriptor)] != nil
    }

    /// Changes what a descriptor is watched for.
    public func modify(_ descriptor: CInt, _ interest: Interest) throws(SystemError) {
        try control(EPOLL_CTL_MOD, descriptor, interest)
    }

    /// Watches a descriptor no longer; nothing when it is not watched.
    public func remove(_ descriptor: CInt) {
        guard isWatched(descriptor) else { return }
        handlers[Int(descriptor)] = nil
        epoll_ctl(epoll.rawValue, EPOLL_CTL_DEL, descriptor, nil)
    }

    /// Calls `handler` once, at or as soon as possible after `deadline`.
    @discardableResult
    public func schedule(at deadline: MonotonicInstant, handler: @escaping () -> Void) -> TimerID {
        nextTimer += 1
        let id = TimerID(deadline: deadline, number: nextTimer)
        timers.insert(Timer(id: id, handler: handler), at: place { $0 > deadline })
        return id
    }

    /// The place of the first timer whose deadline is not `isLater`.
    private func place(_ isLater: (MonotonicInstant) -> Bool) -> Int {
        var (low, high) = (0, timers.count)
        while low < high {
            let middle = (low + high) / 2
            if isLater(timers[middle].id.deadline) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Calls `handler` once, `delay` from now.
    @discardableResult
    public func schedule(after delay: Duration, handler: @escaping () -> Void) -> TimerID {
        schedule(at: MonotonicClock.now + delay, handler: handler)
    }

    /// Forgets a timer; nothing when it has run.
    public func cancel(_ timer: TimerID) {
        var index = place { $0 > timer.deadline }
        while index < timers.count, timers[index].id.deadline == timer.deadline {
            if timers[index].id == timer {
                timers.remove(at: index)
                return
            }
            index += 1
        }
    }

    /// Handles events until ``stop()``.
    ///
    /// - Throws: ``SystemError`` when waiting itself fails, which is a fault of the program.
    public func run() throws(SystemError) {
        isStopped = false
        while !isStopped { try runOnce() }
    }

    /// Waits for the next events and handles them.
    public func runOnce() throws(SystemError) {
        if nextDeadline != armed {
            // What was set since then may be due already; of all else the alarm tells.
            runDueTimers()
            guard !isStopped else { return }
            arm()
        }
        let begin = recordsWaits ? MonotonicClock.now : .zero
        let number = epoll.rawValue
        let count = try systemCall("wait for events") { epoll_wait(number, &events, 64, -1) }
        if recordsWaits {
            lastWait = Wait(previousEnd: lastWait.end, begin: begin, end: MonotonicClock.now)
        }
        runDueTimers()
        for index in 0..<Int(count) {
            let event = events[index]
            let descriptor = CInt(truncatingIfNeeded: event.data.u64)
            if descriptor == alarm.rawValue {
                // Setting it again takes its ringing back, so it need not be read.
                armed = nil
                continue
            }
            // An earlier handler of this round may have removed this one.
            handlers[Int(descriptor)]?(Interest(rawValue: event.events))
            if isStopped { return }
        }
    }

    /// Makes ``run()`` return after the handler that calls this.
    public func stop() { isStopped = true }

    private func runDueTimers() {
        let now = MonotonicClock.now
        while !isStopped, let timer = timers.last, timer.id.deadline <= now {
            timers.removeLast()
            timer.handler()
        }
    }

    /// What the alarm is to be set to; `.zero` when it is not to ring.
    private var nextDeadline: MonotonicInstant { timers.last?.id.deadline ?? .zero }

    private func arm() {
        let deadline = nextDeadline
        guard deadline != armed else { return }
        armed = deadline
        var setting = itimerspec()
        if !timers.isEmpty {
            let nanoseconds = max(deadline.nanoseconds, 1)  // Zero would disarm it.
            setting.it_value.tv_sec = Int(nanoseconds / 1_000_000_000)
            setting.it_value.tv_nsec = Int(nanoseconds % 1_000_000_000)
        }
        timerfd_settime(alarm.rawValue, CLINUX_TFD_TIMER_ABSTIME, &setting, nil)
    }

    private func control(
        _ operation: CInt, _ descriptor: CInt, _ interest: Interest
    ) throws(SystemError) {
        var event = epoll_event()
        event.events = interest.rawValue
        event.data.u64 = UInt64(truncatingIfNeeded: descriptor)
        let number = epoll.rawValue
        try systemCall("watch descriptor \(descriptor)") {
            epoll_ctl(number, operation, descriptor, &event)
        }
    }
}
