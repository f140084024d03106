import CLinux
import Glibc
import LinuxSystem
import NetworkTypes
import Spoofing
import SystemPackage
import Wire

/// `imposter`: a station that does on its network what it is told, be it a lie.
///
/// It is started in the fabric's network namespace with a stream socket as its standard input: one
/// line with a ``StationOrder`` comes in; `{"ready":true}` or `{"error":"..."}` goes out, and then
/// it begins. It ends when the other end of the stream does, or the thread that started it.
@main
struct Main {
    static func main() {
        // It is asked for after the start and so may come too late; but then the stream has ended.
        _ = clinux_prctl(CLINUX_PR_SET_PDEATHSIG, UInt(SIGKILL))
        guard let line = readLine() else { return }
        do {
            let order: StationOrder = try JSONValue.decode(from: Array(line.utf8))
            let imposter = try Imposter(order)
            answer("{\"ready\":true}\n")
            try imposter.run()
        } catch {
            StandardError.print("imposter: \(error)")
            let text = JSONValue.string("\(error)").text
            answer("{\"error\":" + String(decoding: text, as: UTF8.self) + "}\n")
            exit(EXIT_FAILURE)
        }
    }

    private static func answer(_ line: String) {
        let bytes = Array(line.utf8)
        _ = Glibc.send(STDIN_FILENO, bytes, bytes.count, CLINUX_MSG_NOSIGNAL)
    }
}

/// The station, with its interface.
final class Imposter {
    private let port: FramePort
    private let epoll: OwnedDescriptor
    private var station: Station

    /// What is due within this time of what was sent before goes with it: so many frames go with
    /// one system call, and none is later.
    private static let gathering: Duration = .microseconds(500)
    /// How many looks at what has come before it is time to send.
    private static let maximumLooks = 8

    /// - Throws: ``SystemError`` where the interface cannot be opened, and what the codec says of
    ///   an advertisement that cannot be encoded.
    init(_ order: StationOrder) throws {
        port = try FramePort(index: order.interface)
        station = try Station(order, begin: MonotonicClock.now)
        epoll = OwnedDescriptor(
            try systemCall("make an epoll instance") { epoll_create1(CLINUX_EPOLL_CLOEXEC) })
        try watch(port.descriptor)
        try watch(STDIN_FILENO)
    }

    /// Does what it is told until the stream to whoever started it ends.
    ///
    /// - Throws: ``SystemError`` when waiting itself fails.
    func run() throws(SystemError) {
        // Else a sleep may be 50 us longer than it says (prctl(2), PR_SET_TIMERSLACK).
        _ = clinux_prctl(PR_SET_TIMERSLACK, 1)
        var lastSent = MonotonicInstant.zero
        while true {
            let wakeUp = station.deadline.map { max($0, lastSent + Self.gathering) }
            let (hasFrames, isOver) = try wait(until: wakeUp)
            if isOver { return }
            if hasFrames { hear() }
            let now = MonotonicClock.now
            var hasSent = false
            while let frame = station.next(at: now) {
                port.send(frame)
                hasSent = true
            }
            port.flush()
            if hasSent { lastSent = now }
        }
    }

    private func hear() {
        for _ in 0..<Self.maximumLooks {
            let now = MonotonicClock.now
            guard port.receive({ station.hear($0, at: now) }) else { return }
        }
    }

    private func wait(
        until time: MonotonicInstant?
    ) throws(SystemError) -> (hasFrames: Bool, isOver: Bool) {
        var events = [epoll_event(), epoll_event()]
        let number = epoll.rawValue
        let rest = time.map { max(($0 - MonotonicClock.now).wholeNanoseconds, 0) }
        var timeout = timespec(
            tv_sec: Int((rest ?? 0) / 1_000_000_000), tv_nsec: Int((rest ?? 0) % 1_000_000_000))
        let count = try systemCall("wait for frames") {
            rest == nil
                ? epoll_wait(number, &events, 2, -1)
                : epoll_pwait2(number, &events, 2, &timeout, nil)
        }
        let ready = events.prefix(Int(count)).map { CInt($0.data.fd) }
        // Nothing else than its end is ever said on the stream.
        return (ready.contains(port.descriptor), ready.contains(STDIN_FILENO))
    }

    private func watch(_ descriptor: CInt) throws(SystemError) {
        var event = epoll_event()
        event.events = CLINUX_EPOLLIN
        event.data.fd = descriptor
        let number = epoll.rawValue
        try systemCall("watch descriptor \(descriptor)") {
            epoll_ctl(number, EPOLL_CTL_ADD, descriptor, &event)
        }
    }
}
