import Glibc
import LinuxSystem
import Testing

/// A TCP client that says exactly the bytes it is given and hears all that comes back.
final class Client {
    private let descriptor: SharedDescriptor
    private var received: [UInt8] = []

    /// Connects to a port of 127.0.0.1.
    init(port: Int) throws {
        let number = try systemCall("make a socket") {
            socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        }
        descriptor = SharedDescriptor(OwnedDescriptor(number))
        // A server that says nothing fails the test instead of hanging it.
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            try systemCall("limit the waiting") {
                setsockopt(
                    number, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
            }
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        try systemCall("connect to port \(port)") {
            withUnsafePointer(to: address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
    }

    func send(_ text: String) throws {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let sent = try systemCall("send") {
                rest.withUnsafeBytes {
                    Glibc.send(
                        descriptor.rawValue, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
                }
            }
            rest = rest.dropFirst(sent)
        }
    }

    /// Sends a GET with the headers a well-behaved client sends, and these.
    func get(_ target: String, _ headers: String...) throws {
        let lines = ["GET \(target) HTTP/1.1", "Host: web"] + headers
        try send(lines.joined(separator: "\r\n") + "\r\n\r\n")
    }

    /// Says that nothing more will be sent.
    func finishSending() { shutdown(descriptor.rawValue, CInt(SHUT_WR)) }

    func close() { descriptor.close() }

    /// One answer: its head, and as much of a body as its Content-Length says.
    struct Answer {
        var status: Int
        var head: String
        var body: [UInt8]
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// The next answer on the connection.
    func answer(hasBody: Bool = true) throws -> Answer {
        let end = Array("\r\n\r\n".utf8)
        while received.firstRange(of: end) == nil { try #require(try receive()) }
        let headEnd = try #require(received.firstRange(of: end)).upperBound
        let head = String(decoding: received[..<headEnd], as: UTF8.self)
        received.removeFirst(headEnd)
        let status = try #require(head.split(separator: " ").dropFirst().first.flatMap { Int($0) })
        let length = head.split(separator: "\r\n").compactMap { line -> Int? in
            let prefix = "Content-Length: "
            return line.hasPrefix(prefix) ? Int(line.dropFirst(prefix.count)) : nil
        }
        let wanted = hasBody ? length.first ?? 0 : 0
        while received.count < wanted { try #require(try receive()) }
        defer { received.removeFirst(wanted) }
        return Answer(status: status, head: head, body: Array(received.prefix(wanted)))
    }

    /// What is left until the server closes.
    func rest() throws -> [UInt8] {
        while try receive() {}
        defer { received = [] }
        return received
    }

    /// False at the end of what the server says.
    func receive() throws -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = try systemCall("receive") {
            recv(descriptor.rawValue, &buffer, buffer.count, 0)
        }
        received += buffer[..<count]
        return count > 0
    }
}

extension [UInt8] {
    /// Where `pattern` first stands.
    fileprivate func firstRange(of pattern: [UInt8]) -> Range<Int>? {
        guard count >= pattern.count else { return nil }
        for start in 0...(count - pattern.count)
        where self[start..<start + pattern.count].elementsEqual(pattern) {
            return start..<start + pattern.count
        }
        return nil
    }
}
