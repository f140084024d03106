import CLinux
import Glibc
import SystemPackage

/// Messages with descriptors over a stream socket: `[length][descriptor count][payload]`, both
/// numbers 32 bits little-endian. Never blocks: what does not fit the socket's buffer waits here
/// until it is writable.
public final class MessageChannel {
    /// A received message.
    public struct Message {
        public var payload: [UInt8]
        /// The descriptors that came with it, in the order they were sent.
        public var descriptors: [SharedDescriptor]
    }

    /// The longest payload accepted, in bytes: a lab file's files travel in one message.
    public static let maximumPayloadBytes = 64 << 20
    /// Descriptors that one message can carry.
    public static let maximumDescriptors = 16

    /// The socket; closed with this object.
    public let socket: SharedDescriptor
    private var received: [UInt8] = []
    private var receivedDescriptors: [SharedDescriptor] = []
    private var outgoing:
        [(bytes: ArraySlice<UInt8>, descriptors: [CInt], keep: [SharedDescriptor])] = []

    /// Takes over a connected stream socket and makes it non-blocking.
    public convenience init(_ socket: consuming OwnedDescriptor) throws(SystemError) {
        try self.init(SharedDescriptor(socket))
    }

    /// Uses a connected stream socket, which it makes non-blocking.
    public init(_ socket: SharedDescriptor) throws(SystemError) {
        let number = socket.rawValue
        let flags = try systemCall("read descriptor flags") { clinux_fcntl(number, F_GETFL, 0) }
        try systemCall("make a socket non-blocking") {
            clinux_fcntl(number, F_SETFL, flags | O_NONBLOCK)
        }
        self.socket = socket
    }

    /// Two connected channels' sockets. Like socketpair(2), close-on-exec.
    public static func pair() throws(SystemError) -> (SharedDescriptor, SharedDescriptor) {
        var ends: [CInt] = [-1, -1]
        try systemCall("make a socket pair") {
            socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | CLINUX_SOCK_CLOEXEC, 0, &ends)
        }
        return (
            SharedDescriptor(OwnedDescriptor(ends[0])), SharedDescriptor(OwnedDescriptor(ends[1]))
        )
    }

    /// Whether something waits until the socket is writable.
    public var hasPendingOutput: Bool { !outgoing.isEmpty }

    /// How many messages wait until the socket is writable.
    public var pendingMessageCount: Int { outgoing.count }

    /// How many bytes wait until the socket is writable.
    public var pendingBytes: Int { outgoing.reduce(0) { $0 + $1.bytes.count } }

    /// Sends a message, as far as the socket takes it now; the rest goes with ``flush()``.
    ///
    /// - Parameter descriptors: sent along; kept open until they are on their way.
    /// - Throws: ``SystemError`` when the other end is gone (EPIPE, ECONNRESET).
    public func send(_ payload: [UInt8], descriptors: [SharedDescriptor] = []) throws(SystemError) {
        precondition(descriptors.count <= Self.maximumDescriptors)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(payload.count + 8)
        for number in [UInt32(payload.count), UInt32(descriptors.count)] {
            withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
        }
        bytes.append(contentsOf: payload)
        outgoing.append((bytes[...], descriptors.map(\.rawValue), descriptors))
        try flush()
    }

    /// Sends what waits, as far as the socket takes it.
    ///
    /// - Throws: ``SystemError`` when the other end is gone.
    public func flush() throws(SystemError) {
        while let (bytes, descriptors, _) = outgoing.first {
            let number = socket.rawValue
            let sent = try systemCallUnlessBlocked("send a message") {
                bytes.withUnsafeBytes {
                    clinux_send_descriptors(
                        number, $0.baseAddress, $0.count, descriptors, CInt(descriptors.count),
                        CLINUX_MSG_DONTWAIT)
                }
            }
            guard let sent else { return }
            if sent == bytes.count {
                outgoing.removeFirst()
            } else {
                // The descriptors went with the first byte.
                outgoing[0] = (bytes.dropFirst(sent), [], [])
            }
        }
    }

    /// Reads what has arrived.
    ///
    /// - Returns: the messages that are complete, and whether the other end has closed.
    /// - Throws: ``SystemError`` when a message is longer than allowed (EMSGSIZE) or lacks its
    ///   descriptors (EBADMSG).
    public func receive() throws(SystemError) -> (messages: [Message], isAtEnd: Bool) {
        var isAtEnd = false
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            var numbers = [CInt](repeating: -1, count: Self.maximumDescriptors)
            var count: CInt = 0
            let number = socket.rawValue
            let length: Int?
            do {
                length = try systemCallUnlessBlocked("receive a message") {
                    clinux_receive_descriptors(
                        number, &buffer, buffer.count, &numbers, &count, CLINUX_MSG_DONTWAIT)
                }
            } catch  where error.code == .connectionReset {
                // The other end closed with something of ours unread. What it sent has been read.
                isAtEnd = true
                break
            }
            guard let length else { break }
            for number in numbers.prefix(Int(count)) {
                receivedDescriptors.append(SharedDescriptor(OwnedDescriptor(number)))
            }
            if length == 0 {
                isAtEnd = true
                break
            }
            received.append(contentsOf: buffer.prefix(length))
        }
        return (try takeMessages(), isAtEnd)
    }

    private func takeMessages() throws(SystemError) -> [Message] {
        var messages: [Message] = []
        var start = 0
        func number(at offset: Int) -> Int {
            received[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        while received.count - start >= 8 {
            let length = number(at: start)
            let descriptorCount = number(at: start + 4)
            guard length <= Self.maximumPayloadBytes else {
                throw SystemError("receive a message of \(length) bytes", .messageTooLong)
            }
            guard received.count - start - 8 >= length else { break }
            guard descriptorCount <= receivedDescriptors.count else {
                throw SystemError("receive a message's descriptors", .badMessage)
            }
            messages.append(
                Message(
                    payload: Array(received[start + 8..<start + 8 + length]),
                    descriptors: Array(receivedDescriptors.prefix(descriptorCount))))
            receivedDescriptors.removeFirst(descriptorCount)
            start += 8 + length
        }
        received.removeFirst(start)
        return messages
    }
}
