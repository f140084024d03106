import Glibc
import LinuxSystem
import Testing

@testable import HTTPBackend

@Suite("The echo server")
struct EchoServerTests {
    /// A connected socket takes an answer from nobody but the address it asked.
    @Test(
        "a datagram is answered from the address that it was sent to, again and again",
        arguments: [nil, "0.0.0.0"])
    func datagrams(listens: String?) throws {
        let server = try EchoServer(address: listens, port: 0)
        let port = try #require(server.port)
        // All of 127/8 is this machine's, and what is sent from there has 127.0.0.1 as its source
        // where nothing else is asked for.
        for address: UInt32 in [0x7f00_0001, 0x7f00_0002, 0x7f01_0203] {
            let client = try DatagramClient(address, port: port)
            for text in ["one", "two", ""] {
                #expect(try client.ask(text) == text)
            }
        }
        try server.stop()
    }

    @Test("a connection's bytes come back")
    func stream() throws {
        let server = try EchoServer(address: nil, port: 0)
        let client = try Client(port: try #require(server.port))
        try client.send("echo")
        client.finishSending()
        #expect(try client.rest() == Array("echo".utf8))
        try server.stop()
    }
}

/// A UDP socket that is connected to one address.
private struct DatagramClient {
    private let descriptor: SharedDescriptor

    init(_ address: UInt32, port: Int) throws {
        let number = try systemCall("make a socket") {
            socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0)
        }
        descriptor = SharedDescriptor(OwnedDescriptor(number))
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        try systemCall("limit the waiting") {
            setsockopt(
                number, SOL_SOCKET, SO_RCVTIMEO, &limit,
                socklen_t(MemoryLayout<timeval>.size))
        }
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_port = in_port_t(port).bigEndian
        target.sin_addr.s_addr = address.bigEndian
        try systemCall("connect") {
            withUnsafePointer(to: target) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
    }

    /// Sends a datagram, and waits for the answer.
    func ask(_ text: String) throws -> String {
        let octets = Array(text.utf8)
        try systemCall("send") {
            send(descriptor.rawValue, octets, octets.count, CInt(MSG_NOSIGNAL))
        }
        var buffer = [UInt8](repeating: 0, count: 100)
        let count = try systemCall("receive") {
            recv(descriptor.rawValue, &buffer, buffer.count, 0)
        }
        return String(decoding: buffer.prefix(count), as: UTF8.self)
    }
}
