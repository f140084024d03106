import Glibc
import LinuxSystem
import Testing

@Suite("sd_notify(3): the ready notification")
struct ReadyNotificationTests {
    /// A datagram socket bound to `name`, its first byte the NUL of an abstract name or not.
    private func receiver(at name: [UInt8]) throws -> OwnedDescriptor {
        let socket = OwnedDescriptor(
            try systemCall("make a socket") {
                Glibc.socket(AF_UNIX, CInt(SOCK_DGRAM.rawValue), 0)
            })
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let number = socket.rawValue
        let length = socklen_t(2 + name.count)
        try systemCall("bind") {
            withUnsafePointer(to: address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(number, $0, length) }
            }
        }
        return socket
    }

    private func message(from socket: borrowing OwnedDescriptor) throws -> String {
        var buffer = [UInt8](repeating: 0, count: 100)
        let number = socket.rawValue
        let count = try systemCall("receive") {
            recv(number, &buffer, buffer.count, CInt(MSG_DONTWAIT))
        }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }

    @Test("goes to a socket in a folder")
    func path() throws {
        let name = "/tmp/ready-test-\(getpid())"
        let socket = try receiver(at: Array(name.utf8) + [0])
        defer { unlink(name) }
        #expect(try ReadyNotification.send(to: name))
        #expect(try message(from: socket) == "READY=1\n")
    }

    @Test("goes to an abstract socket, written with an @")
    func abstract() throws {
        let name = "ready-test-\(getpid())"
        let socket = try receiver(at: [0] + Array(name.utf8))
        #expect(try ReadyNotification.send(to: "@\(name)"))
        #expect(try message(from: socket) == "READY=1\n")
    }

    @Test("is not sent when nobody asked for it")
    func nobody() throws {
        #expect(try !ReadyNotification.send(to: nil))
        #expect(try !ReadyNotification.send(to: ""))
    }

    @Test(
        "fails on a name that is no socket's, saying which",
        arguments: [
            ("/nowhere/notify", "no such file or directory"), ("relative", "invalid argument"),
            ("@", "invalid argument"),
            ("/" + String(repeating: "n", count: 120), "invalid argument"),
        ])
    func wrongName(name: String, reason: String) throws {
        let error = try #require(throws: SystemError.self) { try ReadyNotification.send(to: name) }
        #expect(
            "\(error)"
                == "tell the service manager at \(name) that this service is ready: \(reason)")
    }
}
