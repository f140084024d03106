import CLinux
import Glibc

/// Writes whole lines to a descriptor without ever waiting for its reader.
///
/// A daemon whose log's reader has stopped must not stop with it: lines for which the pipe has no
/// room wait in a bounded queue; when that is full too, lines are dropped, and the next one that
/// fits is preceded by how many.
public final class LineWriter {
    private let descriptor: CInt
    private var queue: LineQueue

    /// Writes to an open descriptor, which stays the caller's.
    ///
    /// - Parameter limitBytes: how much may wait; 0: what does not fit at once is dropped.
    public init(_ descriptor: CInt, limitBytes: Int = 0) {
        self.descriptor = descriptor
        queue = LineQueue(limitBytes: limitBytes)
    }

    /// Writes to standard error.
    public static func standardError(limitBytes: Int = 0) -> LineWriter {
        LineWriter(STDERR_FILENO, limitBytes: limitBytes)
    }

    /// Whether something waits for room: ``flush()`` is to be tried again.
    public var isWaiting: Bool { !queue.isEmpty }

    /// Writes the text and a newline; what does not fit a pipe's atomic write is cut off.
    public func write(_ text: String) {
        append(text)
        flush()
    }

    /// Adds a line that the next ``flush()`` writes: many take few system calls.
    public func append(_ text: String) { queue.append(text) }

    /// Writes what waits, as far as there is room now.
    public func flush() {
        while !queue.isEmpty {
            let (bytes, count) = queue.batch
            guard writeNow(bytes) else {
                queue.settle()
                return
            }
            queue.removeFirst(count)
        }
    }

    private func writeNow(_ lines: [UInt8]) -> Bool {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard poll(&waiting, 1, 0) == 1, waiting.revents & Int16(POLLOUT) != 0 else { return false }
        return Glibc.write(descriptor, lines, lines.count) > 0
    }
}

/// Lines that wait to be written, in bounded memory.
struct LineQueue {
    /// Pipes guarantee room for that many bytes when they are writable at all (PIPE_BUF).
    static let maximumBytes = 4096

    private enum Item {
        case line([UInt8])
        /// That many lines were dropped here.
        case dropped(Int)

        var bytes: [UInt8] {
            switch self {
            case .line(let line): line
            case .dropped(let count):
                LineQueue.bytes("(\(count) lines were dropped, nobody read them)")
            }
        }
    }

    private let limitBytes: Int
    private var items: ArraySlice<Item> = []
    private var byteCount = 0

    init(limitBytes: Int) { self.limitBytes = limitBytes }

    var isEmpty: Bool { items.isEmpty }

    /// What is to be written next, as many lines as a pipe takes at once, and how many they are.
    var batch: (bytes: [UInt8], count: Int) {
        var batch: (bytes: [UInt8], count: Int) = ([], 0)
        for item in items {
            let line = item.bytes
            guard batch.bytes.count + line.count <= Self.maximumBytes else { break }
            batch.bytes += line
            batch.count += 1
        }
        return batch
    }

    /// Adds a line. Until ``settle()`` it counts as one that may yet be written at once.
    mutating func append(_ text: String) {
        let line = Self.bytes(text)
        items.append(.line(line))
        byteCount += line.count
    }

    /// Forgets what has been written.
    mutating func removeFirst(_ count: Int) {
        for _ in 0..<count {
            if case .line(let line)? = items.popFirst() { byteCount -= line.count }
        }
    }

    /// Drops the newest lines until what has to wait is within the limit.
    mutating func settle() {
        var dropped = 0
        while byteCount > limitBytes, let item = items.popLast() {
            switch item {
            case .line(let line):
                byteCount -= line.count
                dropped += 1
            case .dropped(let count): dropped += count
            }
        }
        if dropped > 0 {
            if case .dropped(let count)? = items.last {
                items.removeLast()
                dropped += count
            }
            items.append(.dropped(dropped))
        }
        // A slice keeps the memory of what was taken from its front.
        if items.startIndex > 0 { items = ArraySlice(Array(items)) }
    }

    private static func bytes(_ text: String) -> [UInt8] {
        var line = Array(text.utf8.prefix(maximumBytes - 1))
        line.append(UInt8(ascii: "\n"))
        return line
    }
}
