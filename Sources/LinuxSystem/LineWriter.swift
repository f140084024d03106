import CLinux
import Glibc

/// Writes whole lines to a descriptor without ever waiting for its reader.
///
/// A daemon whose log's reader has stopped must not stop with it: lines for which the pipe has no
/// room are dropped, and the next one that fits is preceded by how many.
public final class LineWriter {
    private let descriptor: CInt
    private var droppedLines = 0

    /// Pipes guarantee room for that many bytes when they are writable at all (PIPE_BUF).
    private static let maximumLineBytes = 4096

    /// Writes to an open descriptor, which stays the caller's.
    public init(_ descriptor: CInt) { self.descriptor = descriptor }

    /// Writes to standard error.
    public static func standardError() -> LineWriter { LineWriter(STDERR_FILENO) }

    /// Writes the text and a newline; what does not fit a pipe's atomic write is cut off.
    public func write(_ text: String) {
        if droppedLines > 0 {
            guard writeNow("(\(droppedLines) lines were dropped, nobody read them)") else {
                droppedLines += 1
                return
            }
            droppedLines = 0
        }
        if !writeNow(text) { droppedLines += 1 }
    }

    private func writeNow(_ text: String) -> Bool {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard poll(&waiting, 1, 0) == 1, waiting.revents & Int16(POLLOUT) != 0 else { return false }
        var line = Array(text.utf8.prefix(Self.maximumLineBytes - 1))
        line.append(UInt8(ascii: "\n"))
        return Glibc.write(descriptor, line, line.count) == line.count
    }
}
