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

    /// In a structure, as the timers': closures that are elements themselves are called by way of
    /// another function.
    private struct Watch {
        var handler: (Interest) -> Void
        /// Which of all the watches that this descriptor's number has had.
        var generation: UInt32
    }

    private let epoll: SharedDescriptor
    private let alarm: SharedDescriptor
    /// By descriptor.
    private var watches: [Watch?] = []
    // Sorted, the next last: a lab has tens of them, an agent some hundreds, which are found by
    // halving.
    private var timers: [Timer] = []
    /// What the alarm is set to; nil when it has to be set anew, `never` when it is not to ring.
    private var armed: MonotonicInstant? = EventLoop.never
    private static let never = MonotonicInstant(nanoseconds: .max)
    /// What the last waiting has found. Not an array: the kernel writes into it, and nobody else.
    private let events = UnsafeMutableBufferPointer<epoll_event>.allocate(capacity: 64)
    private var eventCount = 0
    private var nextTimer: UInt64 = 0
    private var lastGeneration: UInt32 = 0
    private var isStopped = false
    /// When what is handled now was found. Of two timers that are due the second has a time of its
    /// own.
    public private(set) var now: MonotonicInstant
    private var wokenAt = MonotonicInstant.zero
    /// Whether ``lastWait`` is kept: it costs another look at the clock.
    public var recordsWaits = false
    /// When the loop last waited for events.
    public private(set) var lastWait: Wait
    /// Up to when the waiting itself ends in time for a timer, without the alarm.
    private var shortWait = Duration.zero

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
        now = MonotonicClock.now
        lastWait = Wait(previousEnd: now, begin: now, end: now)
        // epoll_wait counts in milliseconds; a timerfd wakes it to the nanosecond.
        alarm = SharedDescriptor(
            OwnedDescriptor(
                try systemCall("make a timer") { timerfd_create(CLOCK_MONOTONIC, CLINUX_TFD_FLAGS) }
            ))
        events.initialize(repeating: epoll_event())
        // Told of once each time it rings; and as it is set again then, it need not be read.
        try control(
            EPOLL_CTL_ADD, alarm.rawValue,
            Interest(rawValue: CLINUX_EPOLLIN | CLINUX_EPOLLET))
    }

    deinit { events.deallocate() }

    /// Watches a descriptor. It must be removed before it is closed.
    ///
    /// - Throws: ``SystemError``, for a descriptor epoll cannot watch (a regular file).
    public func add(
        _ descriptor: CInt, _ interest: Interest, handler: @escaping (Interest) -> Void
    ) throws(SystemError) {
        precondition(!isWatched(descriptor), "a descriptor is watched once")
        lastGeneration &+= 1
        try control(EPOLL_CTL_ADD, descriptor, interest, generation: lastGeneration)
        let missing = Int(descriptor) + 1 - watches.count
        if missing > 0 { watches += repeatElement(nil, count: missing) }
        watches[Int(descriptor)] = Watch(handler: handler, generation: lastGeneration)
    }

    private func isWatched(_ descriptor: CInt) -> Bool {
        Int(descriptor) < watches.count && watches[Int(descriptor)] != nil
    }

    /// Changes what a descriptor is watched for.
    public func modify(_ descriptor: CInt, _ interest: Interest) throws(SystemError) {
        guard isWatched(descriptor), let watch = watches[Int(descriptor)] else {
            throw SystemError("watch descriptor \(descriptor)", .noSuchFileOrDirectory)
        }
        try control(EPOLL_CTL_MOD, descriptor, interest, generation: watch.generation)
    }

    /// Watches a descriptor no longer; nothing when it is not watched.
    public func remove(_ descriptor: CInt) {
        guard isWatched(descriptor) else { return }
        watches[Int(descriptor)] = nil
        epoll_ctl(epoll.rawValue, EPOLL_CTL_DEL, descriptor, nil)
    }

    /// Calls `handler` once, at or as soon as possible after `deadline`.
    @discardableResult
    public func schedule(at deadline: MonotonicInstant, handler: @escaping () -> Void) -> TimerID {
        nextTimer += 1
        let id = TimerID(deadline: deadline, number: nextTimer)
        let timer = Timer(id: id, handler: handler)
        let place = place { $0 > deadline }
        // The next of all often, and the only one: that takes no moving of others.
        if place == timers.count { timers.append(timer) } else { timers.insert(timer, at: place) }
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
        // It may have rung, and not been looked at, when the loop was stopped.
        armed = nil
        while !isStopped { try runOnce() }
    }

    /// Waits for the next events and handles them.
    public func runOnce() throws(SystemError) {
        let begin = recordsWaits || shortWait > .zero ? MonotonicClock.now : now
        let count = if let count = waitBriefly(from: begin) { count } else { try wait() }
        now = MonotonicClock.now
        wokenAt = now
        if recordsWaits { lastWait = Wait(previousEnd: lastWait.end, begin: begin, end: now) }
        eventCount = Int(count)
        runDueTimers()
        for index in 0..<eventCount where !isStopped {
            let event = events[index]
            let (descriptor, generation) = Self.parts(of: event)
            if descriptor == alarm.rawValue {
                armed = nil
                continue
            }
            // An earlier handler of this round may have removed this one, closed the descriptor and
            // opened another, which has got its number: that is not what is ready.
            guard let watch = watches[Int(descriptor)], watch.generation == generation else {
                continue
            }
            watch.handler(Interest(rawValue: event.events))
        }
    }

    private func wait() throws(SystemError) -> CInt {
        arm()
        let (number, room) = (epoll.rawValue, CInt(events.count))
        return try systemCall("wait for events") {
            epoll_wait(number, events.baseAddress, room, -1)
        }
    }

    /// Waits for events until the next timer is due; nil if that is too far away, or the kernel
    /// cannot: it is older than 5.11.
    private func waitBriefly(from begin: MonotonicInstant) -> CInt? {
        guard let next = timers.last?.id.deadline, next - begin < shortWait else { return nil }
        let patience = max(next.nanoseconds - begin.nanoseconds, 0)
        var timeout = timespec(tv_sec: 0, tv_nsec: Int(patience))
        let count = epoll_pwait2(
            epoll.rawValue, events.baseAddress!, CInt(events.count), &timeout, nil)
        if count < 0, errno != EINTR { shortWait = .zero }
        return count < 0 ? nil : count
    }

    /// Spares the alarm where a timer is near, which is a system call less for each: has this
    /// process's waiting end on time (prctl(2), PR_SET_TIMERSLACK: a nanosecond, not 50 us, also
    /// for processes that it starts).
    public func waitsOnTime() {
        guard clinux_prctl(PR_SET_TIMERSLACK, 1) == 0 else { return }
        // A wait may be longer by a thousandth (fs/select.c, __estimate_accuracy): 20 us.
        shortWait = .milliseconds(20)
    }

    /// Whether nothing could be read from a watched descriptor at ``now``, which is as good as a
    /// look at it, and costs less; false when it is not known.
    public func wasQuiet(_ descriptor: CInt) -> Bool {
        // A later timer of a round has a later time, of which epoll has told nothing.
        guard now == wokenAt, eventCount < events.count else { return false }
        return !events[..<eventCount].contains { Self.parts(of: $0).descriptor == descriptor }
    }

    /// Makes ``run()`` return after the handler that calls this.
    public func stop() { isStopped = true }

    private var isTimerDue: Bool {
        !timers.isEmpty && timers[timers.count - 1].id.deadline <= now
    }

    private func runDueTimers() {
        while !isStopped, isTimerDue {
            let timer = timers.removeLast()
            timer.handler()
            if isTimerDue { now = MonotonicClock.now }
        }
    }

    /// Sets the alarm to the next timer, be it due already: then it rings at once.
    private func arm() {
        let deadline = timers.isEmpty ? Self.never : timers[timers.count - 1].id.deadline
        guard deadline != armed else { return }
        armed = deadline
        var setting = itimerspec()
        if deadline != Self.never {
            let nanoseconds = max(deadline.nanoseconds, 1)  // Zero would disarm it.
            setting.it_value.tv_sec = Int(nanoseconds / 1_000_000_000)
            setting.it_value.tv_nsec = Int(nanoseconds % 1_000_000_000)
        }
        timerfd_settime(alarm.rawValue, CLINUX_TFD_TIMER_ABSTIME, &setting, nil)
    }

    private static func parts(
        of event: epoll_event
    ) -> (descriptor: CInt, generation: UInt32) {
        (CInt(truncatingIfNeeded: event.data.u64), UInt32(event.data.u64 >> 32))
    }

    private func control(
        _ operation: CInt, _ descriptor: CInt, _ interest: Interest, generation: UInt32 = 0
    ) throws(SystemError) {
        var event = epoll_event()
        event.events = interest.rawValue
        event.data.u64 = UInt64(generation) << 32 | UInt64(UInt32(bitPattern: descriptor))
        let number = epoll.rawValue
        try systemCall("watch descriptor \(descriptor)") {
            epoll_ctl(number, operation, descriptor, &event)
        }
    }
}
