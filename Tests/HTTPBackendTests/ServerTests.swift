import Glibc
import LinuxSystem
import NIOCore
import SystemPackage
import Testing

@testable import HTTPBackend

/// A server on a free port of 127.0.0.1 with a folder of its own, for the length of a test.
private final class RunningServer {
    let folder: String
    let server: Server
    let port: Int
    let log: AccessLog
    private let outside: String

    init() throws {
        var template = Array("/tmp/http-backend-test-XXXXXX".utf8CString)
        let created = mkdtemp(&template) != nil
        try #require(created)
        let base = String(
            decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let www = "\(base)/www"
        try systemCall("make \(www)") { mkdir(www, 0o755) }
        outside = base
        folder = www
        let output = try SystemPackage.FileDescriptor.open(
            FilePath("\(outside)/access.log"), .writeOnly, options: [.create, .append],
            permissions: .ownerReadWrite)
        log = AccessLog(output: output)
        server = try Server(site: Site(root: folder), address: "127.0.0.1", port: 0, log: log)
        port = try #require(server.address?.port)
        try write("index.html", "home\n")
    }

    func write(_ name: String, _ text: String) throws { try write(name, Array(text.utf8)) }

    func write(_ name: String, _ bytes: [UInt8]) throws {
        let file = try SystemPackage.FileDescriptor.open(
            FilePath("\(folder)/\(name)"), .writeOnly, options: [.create, .truncate],
            permissions: [.ownerReadWrite, .groupRead, .otherRead])
        try file.closeAfter { _ = try file.writeAll(bytes) }
    }

    func link(_ name: String, to target: String) throws {
        let path = "\(folder)/\(name)"
        try systemCall("link \(path)") { symlink(target, path) }
    }

    func accessLog() throws -> String {
        let file = try SystemPackage.FileDescriptor.open(
            FilePath("\(outside)/access.log"), .readOnly)
        return try file.closeAfter {
            var buffer = [UInt8](repeating: 0, count: 65536)
            let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
            return String(decoding: buffer[..<count], as: UTF8.self)
        }
    }

    /// Stops the server and removes what it served.
    func end() throws {
        try server.stop()
        try removeTree(outside)
    }
}

/// Removes a folder and all below it, following no links.
private func removeTree(_ path: String) throws {
    guard let folder = opendir(path) else { throw Errno(rawValue: errno) }
    defer { closedir(folder) }
    while let entry = readdir(folder) {
        let type = entry.pointee.d_type
        let name = withUnsafeBytes(of: entry.pointee.d_name) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        guard name != ".", name != ".." else { continue }
        let child = "\(path)/\(name)"
        if type == UInt8(DT_DIR) {
            try removeTree(child)
        } else {
            try systemCall("remove \(child)") { unlink(child) }
        }
    }
    try systemCall("remove \(path)") { rmdir(path) }
}

private func withServer(_ body: (RunningServer) throws -> Void) throws {
    let running = try RunningServer()
    do {
        try body(running)
    } catch {
        try running.end()
        throw error
    }
    try running.end()
}

@Suite("A running server")
struct ServerTests {
    @Test("answers one request after another on a kept connection")
    func keepAlive() throws {
        try withServer { running in
            let client = try Client(port: running.port)
            try client.get("/")
            #expect(try client.answer().text == "home\n")
            try client.get("/none")
            #expect(try client.answer().status == 404)
            try client.get("/index.html", "Connection: close")
            #expect(try client.answer().text == "home\n")
            #expect(try client.rest() == [])
        }
    }

    @Test("answers requests that arrive together in their order, past HEAD and unread bodies")
    func pipelining() throws {
        try withServer { running in
            try running.write("second", "two")
            let client = try Client(port: running.port)
            try client.send(
                "GET / HTTP/1.1\r\nHost: a\r\n\r\nHEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
                    + "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
                    + "GET /second HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(try client.answer().text == "home\n")
            let head = try client.answer(hasBody: false)
            #expect(head.status == 200)
            #expect(head.head.contains("Content-Length: 5\r\n"))
            let post = try client.answer()
            #expect(post.status == 405)
            #expect(post.head.contains("Allow: GET, HEAD\r\n"))
            #expect(try client.answer().text == "two")
            #expect(try client.rest() == [])
        }
    }

    @Test("shows an edit, and a folder put in the root's place, at once")
    func edits() throws {
        try withServer { running in
            let client = try Client(port: running.port)
            try client.get("/")
            #expect(try client.answer().text == "home\n")
            try running.write("index.html", "edited\n")
            try client.get("/")
            #expect(try client.answer().text == "edited\n")
            let folder = running.folder
            try systemCall("move") { rename(folder, "\(folder).old") }
            try systemCall("make") { mkdir(folder, 0o755) }
            try running.write("index.html", "another\n")
            try client.get("/")
            #expect(try client.answer().text == "another\n")
        }
    }

    @Test("never serves what is outside its folder, by path or by link")
    func containment() throws {
        try withServer { running in
            try running.write("page", "page")
            try running.link("inside", to: "page")
            try running.link("out", to: "../access.log")
            try running.link("absolute", to: "/etc/passwd")
            try running.link("up", to: "..")
            try running.link("loop", to: "loop")
            let expected = [
                ("/../../etc/passwd", 400), ("/%2e%2e/access.log", 400), ("/inside", 200),
                ("/out", 403), ("/absolute", 403), ("/up/access.log", 403), ("/loop", 403),
                ("/..%2faccess.log", 404),
            ]
            for (target, status) in expected {
                let client = try Client(port: running.port)
                try client.get(target)
                let answer = try client.answer()
                #expect(answer.status == status, "\(target)")
                #expect(!answer.text.contains("root:"))
            }
        }
    }

    @Test("serves only files: not a FIFO, and not one it may not read")
    func files() throws {
        try withServer { running in
            let fifo = "\(running.folder)/fifo"
            try systemCall("make a FIFO") { mkfifo(fifo, 0o644) }
            let folder = "\(running.folder)/folder"
            try systemCall("make a folder") { mkdir(folder, 0o755) }
            let client = try Client(port: running.port)
            for (target, status) in [
                ("/fifo", 403), ("/folder", 301), ("/folder/", 403), ("/index.html/", 404),
                ("/index.html/x", 404), ("/" + String(repeating: "n", count: 300), 404),
            ] {
                try client.get(target)
                #expect(try client.answer().status == status, "\(target)")
            }
        }
    }

    @Test("sends a large file whole, also to a client that has said all it has to say")
    func largeFile() throws {
        try withServer { running in
            let bytes = (0..<3_000_001).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
            try running.write("large", bytes)
            let client = try Client(port: running.port)
            try client.get("/large")
            #expect(try client.answer().body == bytes)
            try client.get("/large", "Connection: close")
            client.finishSending()
            #expect(try client.answer().body == bytes)
            #expect(try client.rest() == [])
        }
    }

    @Test("breaks the connection when a file becomes shorter than was promised")
    func truncation() throws {
        try withServer { running in
            let size = 64 << 20
            let path = "\(running.folder)/large"
            try running.write("large", "")
            try systemCall("lengthen") { truncate(path, off_t(size)) }
            let client = try Client(port: running.port)
            try client.get("/large")
            // The sockets' buffers hold far less than the file, so the server is still sending.
            #expect(try client.receive())
            try systemCall("shorten") { truncate(path, 0) }
            #expect(try client.rest().count < size)
            let next = try Client(port: running.port)
            try next.get("/")
            #expect(try next.answer().status == 200)
        }
    }

    /// Bytes that are no acceptable request, told in one line.
    struct Refusal: CustomTestStringConvertible {
        var testDescription: String
        var bytes: String
        var status: Int

        init(_ description: String, _ bytes: String, _ status: Int) {
            testDescription = description
            self.bytes = bytes
            self.status = status
        }
    }

    @Test(
        "refuses what is no request with a code, and closes",
        arguments: [
            Refusal("HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
            Refusal("the beginning of TLS", "\u{16}\u{3}\u{1}\u{2}\r\n\r\n", 400),
            Refusal("no Host", "GET / HTTP/1.1\r\n\r\n", 400),
            Refusal("an unknown method", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
            Refusal("a space in a name", "GET / HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n", 400),
            Refusal(
                "a long target", "GET /\(letters(100_000)) HTTP/1.1\r\nHost: a\r\n\r\n", 414),
            Refusal(
                "a long header",
                "GET / HTTP/1.1\r\nHost: a\r\nX: \(letters(40_000))\r\n\r\n", 431),
            Refusal(
                "an endless header", "GET / HTTP/1.1\r\nHost: a\r\nX: \(letters(500_000))", 431),
        ])
    func refusals(refusal: Refusal) throws {
        try withServer { running in
            let client = try Client(port: running.port)
            try client.send(refusal.bytes)
            let answer = try client.answer()
            #expect(answer.status == refusal.status)
            #expect(answer.head.contains("Connection: close\r\n"))
            client.finishSending()
            #expect(try client.rest() == [])
        }
    }

    private static func letters(_ count: Int) -> String { String(repeating: "a", count: count) }

    @Test("answers 400 to a client that ends in the middle of a request")
    func halfRequest() throws {
        try withServer { running in
            let client = try Client(port: running.port)
            try client.send("GET / HTTP/1.1\r\nHo")
            client.finishSending()
            #expect(try client.answer().status == 400)
            #expect(try client.rest() == [])
        }
    }

    @Test("answers what came before garbage in full, then refuses the garbage")
    func garbageAfterRequest() throws {
        try withServer { running in
            try running.write("large", [UInt8](repeating: 7, count: 5_000_000))
            let client = try Client(port: running.port)
            try client.get("/large", "\r\n\u{1}garbage")
            #expect(try client.answer().body.count == 5_000_000)
            #expect(try client.answer().status == 400)
            client.finishSending()
            #expect(try client.rest() == [])
        }
    }

    @Test("logs each answer before it is given")
    func accessLog() throws {
        try withServer { running in
            let client = try Client(port: running.port)
            try client.get("/")
            _ = try client.answer()
            let line = try running.accessLog()
            #expect(line.hasPrefix("127.0.0.1 - - ["))
            #expect(line.hasSuffix("] \"GET / HTTP/1.1\" 200 5\n"))
        }
    }

    @Test("stops at once: idle connections close, an answer under way is finished, no new ones")
    func stopping() throws {
        let running = try RunningServer()
        let bytes = [UInt8](repeating: 1, count: 3_000_000)
        try running.write("large", bytes)
        let idle = try Client(port: running.port)
        try idle.get("/")
        _ = try idle.answer()
        let busy = try Client(port: running.port)
        try busy.get("/large")
        #expect(try busy.receive())
        let reader = Reader(busy)
        reader.start()
        try running.end()
        #expect(try reader.answer().body == bytes)
        #expect(try idle.rest() == [])
        // By now the port may be another test's server's.
        if let client = try? Client(port: running.port) {
            try client.get("/large")
            #expect((try? client.answer())?.body != bytes)
        }
    }

    @Test("says why it cannot start")
    func startErrors() throws {
        try withServer { running in
            let site = Site(root: running.folder)
            func message(_ site: Site, _ address: String, _ port: Int) throws -> String {
                let error = try #require(throws: Server.StartError.self) {
                    _ = try Server(site: site, address: address, port: port, log: running.log)
                }
                return "\(error)"
            }
            let taken = try message(site, "127.0.0.1", running.port)
            #expect(
                taken == "cannot listen on 127.0.0.1:\(running.port): address already in use")
            let foreign = try message(site, "2001:db8::1", 80)
            #expect(
                foreign == "cannot listen on [2001:db8::1]:80: cannot assign requested address")
            let missing = try message(Site(root: "/nowhere"), "127.0.0.1", 0)
            #expect(missing == "cannot serve /nowhere: no such file or directory")
        }
    }

    @Test("listens on all addresses when none is given")
    func allAddresses() throws {
        try withServer { running in
            let server = try Server(
                site: Site(root: running.folder), address: nil, port: 0, log: running.log)
            let client = try Client(port: try #require(server.address?.port))
            try client.get("/")
            #expect(try client.answer().status == 200)
            try server.stop()
            let log = try running.accessLog()
            // The socket is IPv6's, the client is not.
            #expect(log.hasPrefix("127.0.0.1 - - ["))
        }
    }
}

/// Reads one answer on a thread of its own, while the test stops the server.
private final class Reader: @unchecked Sendable {
    private let client: Client
    private var thread = pthread_t()
    private var result: Result<Client.Answer, any Error>?

    init(_ client: Client) { self.client = client }

    func start() {
        let context = Unmanaged.passRetained(self).toOpaque()
        pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                let reader = Unmanaged<Reader>.fromOpaque(context).takeRetainedValue()
                reader.result = Result { try reader.client.answer() }
                return nil
            }, context)
    }

    func answer() throws -> Client.Answer {
        pthread_join(thread, nil)
        return try #require(result).get()
    }
}
