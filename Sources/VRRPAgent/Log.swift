import LinuxSystem
import NetworkTypes

/// The log, in keepalived's wording: on standard error in the foreground, in syslog in the
/// background or where `-S` asks for it, and in a file with `-g`.
///
/// Nothing here ever waits for who reads it.
final class Log {
    /// How much waits for a reader of standard error that is slow, before lines are dropped.
    private static let limitBytes = 1 << 20

    private let options: Options.LogOptions
    private let console: LineWriter?
    private let syslog: Syslog?
    private let file: (writer: LineWriter, descriptor: SharedDescriptor)?

    /// - Parameter isForeground: whether there is a standard error to log to.
    /// - Throws: ``SystemError`` when the file of `-g` cannot be opened.
    init(_ options: Options.LogOptions, isForeground: Bool) throws(SystemError) {
        self.options = options
        console = isForeground ? .standardError(limitBytes: Self.limitBytes) : nil
        let wantsSyslog = !options.avoidsSyslog && (!isForeground || options.facility != nil)
        syslog =
            wantsSyslog
            ? Syslog(identity: Version.name, facility: options.facility ?? .daemon) : nil
        if let name = options.file {
            let path = name.hasPrefix("/") ? name : "/tmp/\(name)"
            let descriptor = try FileSystem.openForAppending(path)
            file = (LineWriter(descriptor.rawValue), descriptor)
        } else {
            file = nil
        }
    }

    /// The log of a test, which goes nowhere but to standard error.
    convenience init(isStamped: Bool, isDetailed: Bool) {
        var options = Options.LogOptions()
        options.isStamped = isStamped
        options.isDetailed = isDetailed
        do throws(SystemError) {
            try self.init(options, isForeground: true)
        } catch {
            preconditionFailure("without a file nothing is opened")
        }
    }

    /// Whether lines of `--log-detail` are printed.
    var isDetailed: Bool { options.isDetailed }

    /// Told when a line has to wait for a reader, and none did before.
    var onWaiting: () -> Void = {}

    /// Whether lines wait for a reader: ``flush()`` is to be called some time later.
    var isWaiting: Bool { console?.isWaiting ?? false }

    /// Writes what waits, as far as somebody reads it.
    func flush() { console?.flush() }

    /// The name under which syslog files it, with the namespace and the instance the daemon has.
    func rename(_ identity: String) { syslog?.rename(identity) }

    /// Logs a line.
    func line(_ text: String) { write(.info) { text } }

    /// Logs a line that keepalived prints with `--log-detail` only.
    func detail(_ text: @autoclosure () -> String) {
        guard options.isDetailed else { return }
        let text = text()
        write(.detail) { text }
    }

    // MARK: What is more urgent

    /// A line with its time, before it is composed and written.
    private struct Entry {
        var text: () -> String
        var level: LogRecord.Level
        /// Nanoseconds since 1970.
        var realtime: Int64
        var monotonic: MonotonicInstant
    }

    private var held: [Entry] = []
    private var isHolding = false

    /// Does something that has no time for a log: lines get their time at once, but are
    /// composed and written when it is done.
    func withoutWriting(_ body: () throws -> Void) rethrows {
        let isOutermost = !isHolding
        isHolding = true
        defer {
            if isOutermost {
                isHolding = false
                write(held)
                held = []
            }
        }
        try body()
    }

    /// Logs a line that is not composed before it is written.
    func write(_ level: LogRecord.Level, _ text: @escaping () -> String) {
        guard level != .detail || options.isDetailed else { return }
        let entry = Entry(
            text: text, level: level, realtime: MonotonicClock.realtimeNanoseconds,
            monotonic: MonotonicClock.now)
        if isHolding { held.append(entry) } else { write([entry]) }
    }

    private func write(_ entries: [Entry]) {
        let wasWaiting = isWaiting
        for entry in entries { append(entry) }
        console?.flush()
        file?.writer.flush()
        if isWaiting, !wasWaiting { onWaiting() }
    }

    private func append(_ entry: Entry) {
        let (text, level) = (entry.text(), entry.level)
        let time =
            options.isStamped || syslog != nil || file != nil
            ? localTime(entry.realtime / 1_000_000_000) : ""
        if options.isJSON {
            let line = LogRecord(text, level).json(
                realtimeNanoseconds: entry.realtime, monotonic: entry.monotonic)
            console?.append(line)
            file?.writer.append(line)
        } else {
            console?.append(options.isStamped ? "\(time): \(text)" : text)
            file?.writer.append("\(time): \(text)")
        }
        syslog?.write(text, time: time)
    }

    /// The second that was written last, as it was written.
    private var second: (number: Int64, text: String) = (0, "")

    private func localTime(_ seconds: Int64) -> String {
        if seconds != second.number {
            second = (seconds, HostInformation.localTime(seconds: seconds))
        }
        return second.text
    }
}
