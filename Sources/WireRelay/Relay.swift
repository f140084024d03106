import CLinux
import Glibc
import LinuxSystem
import NetworkTypes
import SystemPackage
import Wire

/// The relay: waits for frames, for their times, and for the supervisor, all in one thread. Others
/// close sockets, and nothing else.
final class Relay {
    /// How long before a frame is due the relay stops sleeping and only looks: what a sleeping
    /// processor of a virtual machine needs to wake. Frames that come close together wake each
    /// other, so that then it sleeps until they are due.
    static let listening: Duration = .microseconds(100)
    /// Frames that are due within this time of each other are close together.
    static let closeTogether: Duration = .milliseconds(1)
    /// How far apart frames that come close together are received and sent at least, so that many
    /// go with one system call: half of what a delay may be off.
    static let gathering: Duration = .microseconds(100)
    /// How many looks at one port before another has its turn.
    static let maximumLooks = 4
    /// What waits for its time in all links together, in bytes.
    static let maximumQueuedBytes = 256 << 20
    /// Beside the ports' numbers: stand for the control stream, and for the link watch.
    static let controlEvent = UInt64.max
    static let linkEvent = UInt64.max - 1

    var control: ControlStream
    private let linkWatch: LinkWatch
    let epoll: OwnedDescriptor
    var links: [String: RelayLink] = [:]
    /// By number; nil: free. A path's source port is watched under that number.
    var paths: [RelayPath?] = []
    var queue = DueQueue<QueuedFrame>()
    var queuedBytes = 0
    let slots: UnsafeMutablePointer<clinux_frames_in>
    /// What is about to be sent, all by one path.
    let outgoing: UnsafeMutablePointer<clinux_frames_out>
    var outgoingPath: RelayPath?
    /// Of the queued frames among those.
    var outgoingMemory: [QueuedFrame] = []
    /// The present, as of the last look at the clock.
    var now = MonotonicClock.now
    /// What turns the kernel's stamps into monotonic times.
    var realtimeOffset: Int64 = 0
    /// How many frames this round has received, and how many sent.
    var moved = 0
    private var gathered = Gathering(interval: Relay.gathering)
    private var lastDeparture = MonotonicInstant.zero
    private let events = UnsafeMutableBufferPointer<epoll_event>.allocate(capacity: 64)
    private var isDone = false

    /// - Throws: ``SystemError`` when there is no memory or descriptor left.
    init(control: consuming OwnedDescriptor) throws(SystemError) {
        self.control = ControlStream(control)
        linkWatch = try LinkWatch()
        epoll = OwnedDescriptor(
            try systemCall("make an epoll instance") { epoll_create1(CLINUX_EPOLL_CLOEXEC) })
        guard let slots = clinux_frames_in_create() else {
            throw SystemError("make room for frames", .noMemory)
        }
        self.slots = slots
        outgoing = .allocate(capacity: 1)
        outgoing.initialize(to: clinux_frames_out())
        events.initialize(repeating: epoll_event())
        try watch(self.control.descriptor, as: Self.controlEvent)
        try watch(linkWatch.descriptor, as: Self.linkEvent)
    }

    deinit {
        clinux_frames_in_destroy(slots)
        outgoing.deallocate()
        events.deallocate()
    }

    /// Relays frames until the control stream ends.
    ///
    /// - Throws: ``SystemError`` when waiting itself fails.
    func run() throws(SystemError) {
        // A cable does not wait for a processor: on a machine that is busy, one in a hundred frames
        // was 2 ms late with the largest share of it, which the kernel gives at its next tick.
        // Where a flood never lets the relay sleep, the kernel keeps a twentieth for the others
        // (sched_rt_runtime_us). Refused, it is as good as it can be.
        clinux_run_promptly()
        // Else a sleep may be 50 us longer than it says (prctl(2), PR_SET_TIMERSLACK).
        _ = clinux_prctl(PR_SET_TIMERSLACK, 1)
        while !isDone {
            let count = try wait()
            lookAtClocks()
            let begin = now
            moved = 0
            var (isControlled, areLinksLost) = (false, false)
            for event in events.prefix(count) {
                switch event.data.u64 {
                case Self.controlEvent: isControlled = true
                case Self.linkEvent: areLinksLost = linkWatch.hasLostInterfaces()
                case let number: if let path = paths[Int(number)] { receive(path) }
                }
            }
            sendDue()
            flush()
            // After the frames: these may give the number of a path that ends to another.
            if areLinksLost { endLinksWithoutInterfaces() }
            if isControlled { handleControl() }
            if gathered.isWorthwhile(afterMoving: moved, begin: begin) {
                sleep(until: begin + Self.gathering)
            }
        }
    }

    // MARK: Time

    /// Waits for something to do: how many events there are.
    private func wait() throws(SystemError) -> Int {
        let (number, room) = (epoll.rawValue, CInt(events.count))
        guard let due = queue.nextDue else {
            return Int(
                try systemCall("wait for frames") {
                    epoll_wait(number, events.baseAddress, room, -1)
                })
        }
        var wakeUp = due - Self.listening
        if due - lastDeparture < Self.closeTogether {
            wakeUp = max(due, lastDeparture + Self.gathering)
        }
        let rest = max((wakeUp - MonotonicClock.now).wholeNanoseconds, 0)
        var timeout = timespec(
            tv_sec: Int(rest / 1_000_000_000), tv_nsec: Int(rest % 1_000_000_000))
        return Int(
            try systemCall("wait for frames") {
                epoll_pwait2(number, events.baseAddress!, room, &timeout, nil)
            })
    }

    private func sleep(until time: MonotonicInstant) {
        var time = timespec(
            tv_sec: Int(time.nanoseconds / 1_000_000_000),
            tv_nsec: Int(time.nanoseconds % 1_000_000_000))
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, nil)
    }

    private func lookAtClocks() {
        let offset = MonotonicClock.realtimeOffset()
        realtimeOffset = offset.nanoseconds
        now = MonotonicClock.now
    }

    private func sendDue() {
        now = MonotonicClock.now
        guard let due = queue.nextDue, due <= now else { return }
        lastDeparture = now
        while let (frame, _) = queue.popDue(at: now) { send(frame) }
    }

    // MARK: Descriptors

    /// Has a descriptor's readiness reported under that number.
    func watch(_ descriptor: CInt, as number: UInt64) throws(SystemError) {
        try change(EPOLL_CTL_ADD, descriptor, CLINUX_EPOLLIN, number)
    }

    /// Has a descriptor's readiness reported no longer.
    func stopWatching(_ descriptor: CInt) {
        epoll_ctl(epoll.rawValue, EPOLL_CTL_DEL, descriptor, nil)
    }

    private func change(
        _ operation: CInt, _ descriptor: CInt, _ interest: UInt32, _ number: UInt64
    ) throws(SystemError) {
        var event = epoll_event()
        event.events = interest
        event.data.u64 = number
        let epoll = epoll.rawValue
        try systemCall("watch descriptor \(descriptor)") {
            epoll_ctl(epoll, operation, descriptor, &event)
        }
    }

    // MARK: The supervisor

    private func handleControl() {
        if !control.flush() { isDone = true }
        let (lines, isAtEnd) = control.receive()
        for line in lines where !isDone { reply(answer(to: line)) }
        if isAtEnd { isDone = true }
        watchControl()
    }

    /// Says something to the supervisor. Without one the relay has nothing to do.
    func reply(_ reply: WireReply) {
        if !control.send(reply) { isDone = true }
        watchControl()
    }

    private func watchControl() {
        let interest = CLINUX_EPOLLIN | (control.hasPendingOutput ? CLINUX_EPOLLOUT : 0)
        do throws(SystemError) {
            try change(EPOLL_CTL_MOD, control.descriptor, interest, Self.controlEvent)
        } catch {
            isDone = true
        }
    }

    /// As much of a request as its answer needs, whatever else is wrong with it.
    private struct Numbered: Decodable {
        var id: Int?
    }

    private func answer(to line: [UInt8]) -> WireReply {
        var number: Int?
        do {
            number = try JSONValue.decode(Numbered.self, from: line).id
            let request: WireRequest = try JSONValue.decode(from: line)
            if let links = request.set { try set(links) }
            guard request.counters == true else {
                return request.set == nil
                    ? WireReply(id: number, error: "set or counters expected")
                    : WireReply(id: number, done: true)
            }
            return WireReply(
                id: number, done: true,
                links: links.values.map(\.counters).sorted { $0.name < $1.name })
        } catch let error as DecodingError {
            return WireReply(id: number, error: error.wireDescription)
        } catch {
            return WireReply(id: number, error: "\(error)")
        }
    }
}
