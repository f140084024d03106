import ArgumentParser
import Glibc
import LabKit
import LabModel
import LabReport
import LinuxSystem
import NetworkTypes

struct Watch: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Show a running lab on the whole terminal, live, and break it by keys.",
        discussion: """
            Arrow keys select a node; k kills it, s starts it, f freezes and t thaws it, c pulls \
            its cables and h mends whatever is broken at them; q ends. Without a terminal, see \
            `labctl status` and `labctl events -f`.
            """)

    @Argument(help: "The lab's name, folder or file.", completion: .runningLabs)
    var lab: String?

    func run() throws {
        let client = try LabReference.running(lab)
        let terminal = getenv("TERM").map { String(cString: $0) } ?? ""
        guard isatty(STDIN_FILENO) == 1, isatty(STDOUT_FILENO) == 1, terminal != "dumb" else {
            printError(
                "watch needs a terminal that it can draw on: `labctl status` and "
                    + "`labctl events -f` do without")
            throw ExitStatus.wrongUsage
        }
        let session = try WatchSession(client)
        switch try session.run() {
        case .left: break
        case .signal(let number): throw CommandExit(status: ExecuteSession.signalBase + number)
        case .labEnded(let message): printError(message)
        }
    }
}

/// The terminal of `labctl watch`, from the first picture to the last.
private final class WatchSession {
    /// The time from one picture to the next, at least.
    private static let frame = Duration.milliseconds(50)
    /// The time after which there is another picture though nothing has happened: its clock goes
    /// on, and so do its probes.
    private static let tick = Duration.milliseconds(500)

    /// Why it ended.
    enum End {
        case left
        case signal(Int32)
        case labEnded(String)
    }

    private let client: LabClient
    private let timeline: TimelineFollower
    private let signals: SignalDescriptor
    private var view: WatchView
    private var canvas = WatchCanvas(isColoured: Style.isOn)
    private var keys = WatchKeyReader()
    private var requests: [(request: WatchRequest, progress: ControlInProgress)] = []
    private var isStale = true

    init(_ client: LabClient) throws {
        self.client = client
        let description = try client.description()
        timeline = try TimelineFollower(client)
        SignalDescriptor.blockAll()
        signals = try SignalDescriptor([SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH])
        view = WatchView(
            lab: description.lab, routers: description.virtualRouters, size: Self.size,
            glyphs: Self.showsBlocks ? .blocks : .ascii)
    }

    private static var size: WatchSize {
        let (rows, columns) = Terminal.size(of: STDOUT_FILENO)
        return WatchSize(rows: Int(rows), columns: Int(columns))
    }

    /// Whether the terminal speaks UTF-8, and block elements are one cell wide there.
    private static var showsBlocks: Bool {
        let names: [String] = ["LC_ALL", "LC_CTYPE", "LANG"]
        let locales = names.compactMap { name in
            getenv(name).map { String(cString: $0).lowercased() }
        }
        let locale = locales.first { !$0.isEmpty }
        guard let locale, locale.contains("utf-8") || locale.contains("utf8") else { return false }
        return !["zh", "ja", "ko"].contains { locale.hasPrefix($0) }
    }

    /// Shows the lab until somebody or something ends it; the terminal is as before then.
    func run() throws -> End {
        let terminal = RawTerminal(STDIN_FILENO)
        // The alternate screen, without a cursor.
        try send("\u{1b}[?1049h\u{1b}[?25l")
        defer {
            try? send("\u{1b}[0m\u{1b}[?25h\u{1b}[?1049l")
            terminal.restore()
        }
        var drawn = MonotonicInstant.zero
        while true {
            let now = MonotonicClock.now
            if now - drawn >= (isStale ? Self.frame : Self.tick) {
                try send(canvas.update(to: view.screen(now: now), size: view.size))
                drawn = now
                isStale = false
            }
            let next = drawn + (isStale ? Self.frame : Self.tick)
            if let end = try wait(until: next) { return end }
        }
    }

    private func send(_ text: String) throws {
        guard !text.isEmpty else { return }
        try FileSystem.writeAll(Array(text.utf8)[...], to: STDOUT_FILENO, name: "the terminal")
    }

    /// Takes what comes first, if anything does; the end, when it has come.
    private func wait(until deadline: MonotonicInstant) throws -> End? {
        let descriptors =
            [STDIN_FILENO, signals.descriptor.rawValue, timeline.descriptor]
            + requests.map(\.progress.descriptor)
        var waiting = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        // Rounded up, so as not to come round again just before.
        let rest = max(.zero, deadline - MonotonicClock.now).wholeNanoseconds
        poll(&waiting, nfds_t(waiting.count), Int32(rest / 1_000_000 + 1))
        if waiting[1].revents != 0, let end = takeSignals() { return end }
        if waiting[2].revents != 0, let end = try takeEvents() { return end }
        if waiting.dropFirst(3).contains(where: { $0.revents != 0 }) { takeAnswers() }
        if waiting[0].revents != 0, let end = takeKeys() { return end }
        return nil
    }

    private func takeSignals() -> End? {
        for signal in signals.drain() {
            guard signal == SIGWINCH else { return .signal(signal) }
            view.size = Self.size
            isStale = true
        }
        return nil
    }

    private func takeEvents() throws -> End? {
        do throws(LabError) {
            try timeline.takeEvents { view.fold($0) }
        } catch {
            guard case .failed(let message) = error else { throw error }
            return .labEnded(message)
        }
        isStale = true
        return nil
    }

    private func takeKeys() -> End? {
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = read(STDIN_FILENO, &buffer, buffer.count)
        // The terminal is gone.
        guard count > 0 else { return count < 0 && errno == EINTR ? nil : .left }
        for key in keys.take(buffer.prefix(count)) {
            isStale = true
            guard let request = view.press(key) else { continue }
            if request == .quit { return .left }
            begin(request)
        }
        return nil
    }

    private func begin(_ request: WatchRequest) {
        do throws(LabError) {
            switch request {
            case .control(let verb, let target):
                requests.append((request, try client.begin(verb, target)))
            case .faults(let faults):
                for fault in faults {
                    requests.append((.faults([fault]), try client.begin(fault)))
                }
            case .quit: break
            }
        } catch {
            view.note(request, problem: error.description)
        }
    }

    private func takeAnswers() {
        isStale = true
        requests.removeAll { request, progress in
            do throws(LabError) {
                guard try progress.isDone() else { return false }
                view.note(request)
            } catch {
                view.note(request, problem: error.description)
            }
            return true
        }
    }
}
