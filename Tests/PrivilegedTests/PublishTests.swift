import CLinux
import Glibc
import LinuxSystem
import NetworkTypes
import SystemPackage
import Testing

@Suite(
    "publish: ports of the host that lead into a lab", .serialized,
    .enabled(if: geteuid() == 0, "needs root"))
struct PublishTests {
    /// Two web servers behind one address, which is found within half a second.
    private static func pair(_ name: String, publish: String) throws -> LabUnderTest {
        func node(_ name: String, priority: Int) -> String {
            """
              \(name):
                interfaces: { eth0: { network: lan } }
                files:
                  /var/www/html/index.html: { text: "this is \(name)\\n" }
                  /etc/keepalived/keepalived.conf:
                    text: |
                      vrrp_instance VI_1 {
                        interface eth0
                        virtual_router_id 51
                        version 3
                        priority \(priority)
                        advert_int 0.1
                        virtual_ipaddress { 10.0.0.100/24 }
                      }
                services: { web: { kind: http }, echo: { kind: echo }, vrrp: { kind: vrrp-agent } }

            """
        }
        return try LabUnderTest(
            name,
            "networks: { lan: { subnet: 10.0.0.0/24 } }\nnodes:\n"
                + node("master", priority: 200) + node("slave", priority: 100) + publish)
    }

    /// What `status` says is published: the host's ports, in the order of the lab.
    private func ports(of lab: LabUnderTest) throws -> [UInt16] {
        try lab.status().published.map(\.hostPort)
    }

    @Test("as many ports as can be published are all answered")
    func many() throws {
        let lab = try LabUnderTest(
            "publish-many",
            """
            networks: { lan: { subnet: 10.0.0.0/24 } }
            nodes:
              web:
                interfaces: { eth0: { network: lan, address: 10.0.0.1 } }
                services: { s: { kind: http } }
            publish: [ \(Array(repeating: "0:web:80", count: 128).joined(separator: ", ")) ]
            """)
        try lab.up()
        let ports = try ports(of: lab)
        #expect(Set(ports).count == 128)
        for port in ports { #expect(try !Browser(port).get().isEmpty) }
        try lab.down()
    }

    @Test("a browser sees another page when the master dies, and its connection is cut")
    func browser() throws {
        let lab = try Self.pair("publish", publish: "publish: [ 0:10.0.0.100:80 ]\n")
        try lab.up("--wait", "converged")
        let port = try #require(try ports(of: lab).first)
        let browser = try Browser(port)
        #expect(try browser.get() == "this is master\n")
        #expect(try browser.get() == "this is master\n", "on the same connection")
        #expect(try Labctl.run("kill", "-l", lab.name, "master").status == 0)
        // A client that waits for an answer of the dead would wait for minutes.
        #expect(try browser.isCut(within: .seconds(5)))
        try eventually("the other page is there", within: .seconds(10)) {
            (try? Browser(port).get()) == "this is slave\n"
        }
        let status = try Labctl.run("status", lab.name).output
        #expect(status.contains("published: 127.0.0.1:\(port) -> 10.0.0.100:80 (slave)"))
        let graph = try Labctl.run("graph", lab.name).output
        #expect(graph.contains("127.0.0.1:\(port) -> 10.0.0.100:80"))
        try lab.down()
        #expect(throws: SystemError.self) { try Browser(port) }
    }

    @Test("bytes pass whole in both directions, and an end in one is no end in the other")
    func bytes() throws {
        let lab = try Self.pair("publish-bytes", publish: "")
        try lab.up("--publish", "0:master:7", "-p", "[::1]:0:slave:7")
        let ports = try ports(of: lab)
        try #require(ports.count == 2)
        for (address, port) in zip([IPAddress("127.0.0.1"), IPAddress("::1")], ports) {
            let socket = try TCPSocket.begin(to: try #require(address), port: port)
            let sent = (0..<(8 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 8) }
            #expect(try exchange(sent, over: socket) == sent)
        }
        try lab.down()
    }

    /// Sends all, then the end, and takes what comes meanwhile up to its end.
    private func exchange(_ bytes: [UInt8], over socket: SharedDescriptor) throws -> [UInt8] {
        var left = bytes[...]
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        let deadline = MonotonicClock.now + .seconds(60)
        while true {
            try #require(MonotonicClock.now < deadline, "\(received.count) bytes came back")
            var waiting = pollfd(
                fd: socket.rawValue, events: Int16(left.isEmpty ? POLLIN : POLLIN | POLLOUT),
                revents: 0)
            poll(&waiting, 1, 1000)
            if waiting.revents & Int16(POLLOUT) != 0 {
                let count = left.withUnsafeBytes {
                    send(socket.rawValue, $0.baseAddress, $0.count, CLINUX_MSG_NOSIGNAL)
                }
                if count > 0 { left = left.dropFirst(count) }
                if left.isEmpty { shutdown(socket.rawValue, CInt(SHUT_WR)) }
            }
            if waiting.revents & Int16(POLLIN) != 0 {
                let count = recv(socket.rawValue, &buffer, buffer.count, CLINUX_MSG_DONTWAIT)
                if count == 0 { return received }
                try #require(count > 0)
                received += buffer.prefix(count)
            }
        }
    }

    @Test("one that falls is followed by another, with the same port")
    func fallenProxy() throws {
        let lab = try Self.pair("publish-fall", publish: "publish: 0:master:80\n")
        try lab.up()
        let port = try #require(try ports(of: lab).first)
        #expect(try Browser(port).get() == "this is master\n")
        let proxies = try lab.pids(of: "port-proxy")
        try #require(proxies.count == 1)
        kill(proxies[0], SIGKILL)
        try eventually("another serves the port", within: .seconds(10)) {
            (try? Browser(port).get()) == "this is master\n"
        }
        try lab.down()
    }

    @Test("a target where nobody listens, or nobody is, refuses the client as well")
    func refusal() throws {
        let lab = try Self.pair(
            "publish-none", publish: "publish: [ 0:master:81, 0:10.0.0.200:80 ]\n")
        try lab.up()
        for port in try ports(of: lab) {
            let browser = try Browser(port)
            #expect(try browser.isCut(within: .seconds(10)))
        }
        try lab.down()
    }

    @Test("a port that is taken is said before anything is built, and tests publish nothing")
    func taken() throws {
        let lab = try Self.pair(
            "publish-taken",
            publish: """
                scenarios: { quick: { steps: [ { expect: { http: "http://10.0.0.1/", from: slave, \
                body: this is master } } ] } }

                """)
        let mine = try TCPSocket.listen(on: try #require(IPAddress("127.0.0.1")), port: 0)
        let port = try TCPSocket.port(of: mine)
        let refused = try Labctl.run("up", lab.folder, "-p", "\(port):master:80")
        #expect(refused.status == 3)
        #expect(
            refused.errors.contains(
                "127.0.0.1:\(port) cannot be published: somebody listens there already"))
        try expectNothingLeft(of: lab.name)
        let foreign = try Labctl.run("up", lab.folder, "-p", "192.0.2.77:0:master:80")
        #expect(foreign.status == 3)
        #expect(foreign.errors.contains("the address is none of this machine's"))
        let wrong = try Labctl.run("up", lab.folder, "-p", "80 -> master:80")
        #expect(wrong.status == 2)
        #expect(wrong.errors.contains("--publish: '80 -> master:80' is written '80:master:80'"))
        // The file's own ports do not keep tests of it from running side by side.
        let text = try FileSystem.readText("\(lab.folder)/lab.yaml")
        try FileSystem.write(
            Array((text + "publish: \(port):master:80\n").utf8), to: "\(lab.folder)/lab.yaml")
        #expect(try Labctl.run("up", lab.folder).status == 3)
        let test = try Labctl.run("test", lab.folder)
        #expect(test.status == 0, "\(test.output)")
    }
}

/// A client on the host that keeps its connection.
private final class Browser {
    private let socket: SharedDescriptor
    private var received: [UInt8] = []

    init(_ port: UInt16) throws {
        socket = try TCPSocket.connect(to: try #require(IPAddress("127.0.0.1")), port: port)
    }

    /// The page at `/`.
    func get() throws -> String {
        let request = "GET / HTTP/1.1\r\nHost: lab\r\n\r\n"
        _ = send(socket.rawValue, request, request.utf8.count, CLINUX_MSG_NOSIGNAL)
        received = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while isReadable(socket.rawValue, for: .seconds(5)) {
            let count = recv(socket.rawValue, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            received += buffer.prefix(count)
            if let body = body { return body }
        }
        throw SystemError("get a page", .connectionReset)
    }

    /// The answer's body once it is complete.
    private var body: String? {
        let text = String(decoding: received, as: UTF8.self)
        guard let end = text.firstRange(of: "\r\n\r\n") else { return nil }
        let header = text[..<end.lowerBound].lowercased()
        guard let field = header.firstRange(of: "content-length: "),
            let length = Int(header[field.upperBound...].prefix { $0.isNumber })
        else { return nil }
        let body = text[end.upperBound...]
        return body.utf8.count >= length ? String(body) : nil
    }

    /// Whether the connection is ended by the other side within that time.
    func isCut(within patience: Duration) throws -> Bool {
        var byte: UInt8 = 0
        guard isReadable(socket.rawValue, for: patience) else { return false }
        return recv(socket.rawValue, &byte, 1, CLINUX_MSG_DONTWAIT) <= 0 && errno != EAGAIN
    }
}
