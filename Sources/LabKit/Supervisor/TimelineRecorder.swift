import CLinux
import Glibc
import LabModel
import LinuxSystem
import NetworkTypes
import SystemPackage

/// The timeline of a lab: kept in order in memory, appended to `events.jsonl`, and given to whoever
/// listens.
///
/// Events arrive almost in order: a captured frame carries the kernel's stamp and may be read after
/// a notification that was stamped later. Listeners get them as they arrive; list and file are
/// ordered.
final class TimelineRecorder {
    /// How long an event waits for earlier ones before it goes to the file.
    static let settlingTime: Duration = .milliseconds(200)
    /// Events kept in memory; older ones are in the file only.
    static let maximumEventsInMemory = 100_000

    private let loop: EventLoop
    private let file: SharedDescriptor?
    private var lines = JSONLine()
    private(set) var events: [TimelineEvent] = []
    private var writtenCount = 0
    /// Every event that was ever recorded.
    private var recordedCount = 0
    private var flushIsScheduled = false
    private var listeners: [Int: (TimelineEvent) -> Void] = [:]
    private var growthListeners: [Int: (Int) -> Void] = [:]
    private var nextListener = 0
    /// How long the file is.
    private(set) var fileBytes = 0
    private(set) var fileError: SystemError?

    /// Begins a timeline.
    ///
    /// - Parameter path: of the file.
    init(loop: EventLoop, path: String) {
        self.loop = loop
        do {
            file = try FileSystem.openForAppending(path, followsLinks: false)
        } catch {
            file = nil
            fileError = error
        }
    }

    /// Adds an event.
    func record(
        _ kind: TimelineEvent.Kind, at time: MonotonicInstant, stamp: TimelineEvent.Stamp,
        uncertainty: Duration = .zero, frame: [UInt8]? = nil
    ) {
        var event = TimelineEvent(
            time: time, stamp: stamp, uncertainty: uncertainty, kind: kind, frame: frame)
        recordedCount += 1
        event.order = recordedCount
        var place = events.count
        while place > writtenCount, events[place - 1].time > time { place -= 1 }
        events.insert(event, at: place)
        // One that hears of it earlier may be the end of one that would hear of it later.
        for number in listeners.keys.sorted() { listeners[number]?(event) }
        scheduleFlush()
    }

    /// Adds something the supervisor does itself, now.
    @discardableResult
    func record(_ kind: TimelineEvent.Kind) -> MonotonicInstant {
        let now = MonotonicClock.now
        record(kind, at: now, stamp: .origin)
        return now
    }

    /// Calls `listener` with every event from now on.
    ///
    /// - Returns: what ``removeListener(_:)`` takes.
    func addListener(_ listener: @escaping (TimelineEvent) -> Void) -> Int {
        nextListener += 1
        listeners[nextListener] = listener
        return nextListener
    }

    /// Calls `listener` with the length of the file whenever it has grown.
    ///
    /// - Returns: what ``removeListener(_:)`` takes.
    func addGrowthListener(_ listener: @escaping (Int) -> Void) -> Int {
        nextListener += 1
        growthListeners[nextListener] = listener
        return nextListener
    }

    func removeListener(_ number: Int) {
        listeners[number] = nil
        growthListeners[number] = nil
    }

    /// The events that are not in the file yet, in order.
    var unwritten: ArraySlice<TimelineEvent> { events[writtenCount...] }

    private func scheduleFlush() {
        guard !flushIsScheduled else { return }
        flushIsScheduled = true
        loop.schedule(after: Self.settlingTime) { [self] in
            flushIsScheduled = false
            flush(before: MonotonicClock.now - Self.settlingTime)
            if writtenCount < events.count { scheduleFlush() }
        }
    }

    /// Writes what is settled; everything, at the end.
    func flush(before settled: MonotonicInstant = MonotonicInstant(nanoseconds: .max)) {
        lines.removeAll()
        while writtenCount < events.count, events[writtenCount].time <= settled {
            lines.append(events[writtenCount])
            writtenCount += 1
        }
        if let file, fileError == nil, !lines.bytes.isEmpty {
            do {
                try FileSystem.writeAll(lines.bytes[...], to: file.rawValue, name: "events.jsonl")
                fileBytes += lines.bytes.count
                for number in growthListeners.keys { growthListeners[number]?(fileBytes) }
            } catch {
                // A full disk ends the recording, not the lab.
                fileError = error
                StandardError.print("events.jsonl ends here: \(error)")
            }
        }
        let surplus = events.count - Self.maximumEventsInMemory
        if surplus > Self.maximumEventsInMemory / 10 {
            let dropped = min(surplus, writtenCount)
            events.removeFirst(dropped)
            writtenCount -= dropped
        }
    }
}
