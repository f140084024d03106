import CLinux
import Glibc
import SystemPackage

/// The processes of a machine, read again and again: what ``ProcessEntry`` shows of each, with one
/// buffer for all.
public final class ProcessTable {
    /// A process that runs.
    public struct Entry: Equatable, Sendable {
        public var pid: Int32
        /// Its name, of at most 15 bytes.
        public var command: String
    }

    private var buffer = [UInt8](repeating: 0, count: 4_096)

    public init() {}

    /// Calls `body` with every process that runs; those that have ended and wait to be reaped are
    /// left out.
    ///
    /// Reads one small file a process, which does not touch the process's memory: reading never
    /// waits for one that is stuck.
    ///
    /// - Throws: ``SystemError`` when there is no /proc.
    public func forEach(_ body: (Entry) -> Void) throws(SystemError) {
        guard let folder = opendir("/proc") else {
            throw SystemError("list /proc", Errno(rawValue: errno))
        }
        defer { closedir(folder) }
        while let entry = readdir(folder) {
            let pid = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { Int32(atoi($0)) }
            }
            guard pid > 0, let process = self.entry(pid) else { continue }
            body(process)
        }
    }

    /// The command line of a process, up to 4 KB of it; empty for a process without one, or gone.
    ///
    /// Reads the process's memory, which can wait for one that is stuck.
    public func commandLine(of pid: Int32) -> [String] {
        let count = read("/proc/\(pid)/cmdline")
        var line = buffer.prefix(count)
        guard let last = line.last else { return [] }
        // Each word is followed by a zero, unless the process has written over them.
        if last == 0 { line.removeLast() }
        return line.split(separator: 0, omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
    }

    private func entry(_ pid: Int32) -> Entry? {
        let count = read("/proc/\(pid)/stat")
        let text = buffer.prefix(count)
        // The name may hold brackets itself: it reaches to the last closing one.
        guard let opening = text.firstIndex(of: UInt8(ascii: "(")),
            let closing = text.lastIndex(of: UInt8(ascii: ")")), opening < closing,
            closing + 2 < text.endIndex
        else { return nil }
        let state = text[closing + 2]
        guard state != UInt8(ascii: "Z"), state != UInt8(ascii: "X") else { return nil }
        return Entry(
            pid: pid, command: String(decoding: text[(opening + 1)..<closing], as: UTF8.self))
    }

    /// Reads the beginning of a file into the buffer; 0 bytes when it is gone.
    private func read(_ path: String) -> Int {
        let number = clinux_open(path, O_RDONLY | O_CLOEXEC, 0)
        guard number >= 0 else { return 0 }
        defer { close(number) }
        return max(Glibc.read(number, &buffer, buffer.count), 0)
    }
}
