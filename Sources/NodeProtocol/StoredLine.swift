/// A line that a service has printed, as the supervisor keeps it in a file of the service's, which
/// the node's own `journalctl` reads.
public struct StoredLine: Equatable, Sendable {
    /// When it was read, as CLOCK_MONOTONIC in nanoseconds.
    public var nanoseconds: Int64
    /// Whether it came from standard error.
    public var isError: Bool
    public var text: String

    public init(nanoseconds: Int64, isError: Bool, text: String) {
        self.nanoseconds = nanoseconds
        self.isError = isError
        self.text = text
    }

    /// The line in its file: nanoseconds, `o` or `e`, text.
    public var bytes: [UInt8] { Array("\(nanoseconds) \(isError ? "e" : "o") \(text)\n".utf8) }

    /// Reads a kept line, without its end; nil for one that was cut off.
    public init?(_ stored: ArraySlice<UInt8>) {
        let parts = stored.split(
            separator: UInt8(ascii: " "), maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3,
            let nanoseconds = Int64(String(decoding: parts[0], as: UTF8.self)), parts[1].count == 1
        else { return nil }
        self.init(
            nanoseconds: nanoseconds, isError: parts[1].first == UInt8(ascii: "e"),
            text: String(decoding: parts[2], as: UTF8.self))
    }
}
