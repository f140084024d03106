import CLinux
import Glibc
import LinuxSystem
import Wire

/// The stream to whoever started the relay: requests in and replies out, one JSON object a line.
struct ControlStream: ~Copyable {
    /// The longest request: some thousands of links with their rules.
    static let maximumLineBytes = 16 << 20
    /// How much may wait for a reader that does not read.
    static let maximumPendingBytes = 16 << 20

    private let socket: OwnedDescriptor
    private var received: [UInt8] = []
    private var pending: [UInt8] = []
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)

    /// Takes over a connected stream socket.
    init(_ socket: consuming OwnedDescriptor) { self.socket = socket }

    var descriptor: CInt { socket.rawValue }
    /// Whether something waits until the socket is writable.
    var hasPendingOutput: Bool { !pending.isEmpty }

    /// The lines that are complete, and whether the other end has closed. A line that is too long
    /// ends the stream.
    mutating func receive() -> (lines: [[UInt8]], isAtEnd: Bool) {
        var isAtEnd = false
        while !isAtEnd {
            let count = recv(descriptor, &buffer, buffer.count, CLINUX_MSG_DONTWAIT)
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN || errno == EWOULDBLOCK { break }
            isAtEnd = count <= 0
            received += buffer.prefix(max(count, 0))
            if received.count > Self.maximumLineBytes { isAtEnd = true }
        }
        var lines = received.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        received = lines.popLast().map { Array($0) } ?? []
        return (lines.filter { !$0.isEmpty }.map { Array($0) }, isAtEnd)
    }

    /// Sends a reply, as far as the socket takes it now.
    ///
    /// - Returns: false when the other end is gone, or does not read.
    mutating func send(_ reply: WireReply) -> Bool {
        guard let line = try? JSONValue.encode(reply) else { return false }
        pending += line
        pending.append(UInt8(ascii: "\n"))
        return flush() && pending.count <= Self.maximumPendingBytes
    }

    /// Sends what waits, as far as the socket takes it.
    mutating func flush() -> Bool {
        while !pending.isEmpty {
            let count = Glibc.send(
                descriptor, pending, pending.count, CLINUX_MSG_DONTWAIT | CLINUX_MSG_NOSIGNAL)
            if count < 0, errno == EINTR { continue }
            if count < 0 { return errno == EAGAIN || errno == EWOULDBLOCK }
            pending.removeFirst(count)
        }
        return true
    }
}
