/// A line that a service has printed, as the supervisor keeps it in a file of the service's, which
/// the node's own `journalctl` reads.
public struct StoredLine: Equatable, Sendable {
    /// When it was read, as CLOCK_MONOTONIC in nanoseconds.
    public var nanoseconds: Int64
    /// Whether it came from standard error.
    public var isError: Bool
    /// The process that was started for the service, as its node numbers it; nil for none: its
    /// program could not be run.
    public var pid: Int32?
    public var text: String

    public init(nanoseconds: Int64, isError: Bool, pid: Int32? = nil, text: String) {
        self.nanoseconds = nanoseconds
        self.isError = isError
        self.pid = pid
        self.text = text
    }

    /// The line in its file: nanoseconds, `o` or `e` with the process's number, text.
    public var bytes: [UInt8] {
        let source = (isError ? "e" : "o") + (pid.map { "\($0)" } ?? "")
        return Array("\(nanoseconds) \(source) \(text)\n".utf8)
    }

    /// Reads a kept line, without its end; nil for one that was cut off.
    public init?(_ stored: ArraySlice<UInt8>) {
        let parts = stored.split(
            separator: UInt8(ascii: " "), maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3,
            let nanoseconds = Int64(String(decoding: parts[0], as: UTF8.self)),
            let stream = parts[1].first, [UInt8(ascii: "e"), UInt8(ascii: "o")].contains(stream)
        else { return nil }
        let number = parts[1].dropFirst()
        let pid = Int32(String(decoding: number, as: UTF8.self))
        guard number.isEmpty || pid != nil else { return nil }
        self.init(
            nanoseconds: nanoseconds, isError: stream == UInt8(ascii: "e"), pid: pid,
            text: String(decoding: parts[2], as: UTF8.self))
    }
}
