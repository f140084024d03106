import NIOHTTP1
import Testing

@testable import HTTPBackend

@Suite("The answer to a request")
struct ResponseTests {
    private let now = HTTPDate(seconds: 784_111_777)
    private let modified = HTTPDate(seconds: 784_000_000)

    /// A folder that exists only here: its files' contents are their own names.
    private func find(_ path: SitePath) -> Finding<String> {
        switch String(decoding: path.relativePath, as: UTF8.self) {
        case ".", "docs", "docs/", "empty", "empty/", "odd", "odd/": .folder
        case "index.html": .file("home", length: 4, modified: modified)
        case "docs/index.html": .file("docs", length: 5, modified: modified)
        case "odd/index.html": .folder
        case "new.txt": .file("new", length: 3, modified: HTTPDate(seconds: now.seconds + 60))
        case "void": .file("void", length: 0, modified: modified)
        case "secret": .forbidden
        case "broken": .failed(reason: "input/output error")
        default: .missing
        }
    }

    private func decide(
        _ method: HTTPMethod = .GET, _ target: String, _ headers: HTTPHeaders = [:],
        version: HTTPVersion = .http1_1
    ) -> Response<String> {
        var headers = headers
        if !headers.contains(name: "Host") { headers.add(name: "Host", value: "web") }
        return decide(
            HTTPRequestHead(version: version, method: method, uri: target, headers: headers))
    }

    private func decide(_ request: HTTPRequestHead) -> Response<String> {
        .decide(request, now: now, find: find)
    }

    @Test(
        "carries the code its target deserves",
        arguments: [
            ("/", 200), ("/index.html", 200), ("/docs/", 200), ("/docs", 301), ("/void", 200),
            ("/none", 404), ("/a%2fb", 404), ("/secret", 403), ("/empty/", 403), ("/odd/", 403),
            ("/../../etc/passwd", 400), ("/%2e%2e/", 400), ("/a%00b", 400), ("*", 400),
            ("/broken", 500), ("/" + String(repeating: "a", count: 8192), 414),
        ] as [(String, UInt)])
    func codes(target: String, code: UInt) {
        let response = decide(.GET, target)
        #expect(response.status.code == code)
        #expect(response.headers["Date"] == ["Sun, 06 Nov 1994 08:49:37 GMT"])
        #expect(response.headers["Content-Length"] == ["\(response.bodyLength)"])
    }

    @Test("of a file is its content, with type, length and date, and nobody may keep it")
    func file() {
        let response = decide(.GET, "/docs/")
        guard case .file("docs", length: 5) = response.body else {
            Issue.record("\(response.body)")
            return
        }
        #expect(response.headers["Content-Type"] == ["text/html; charset=utf-8"])
        #expect(response.headers["Last-Modified"] == [modified.fieldValue])
        #expect(response.headers["Cache-Control"] == ["no-store"])
        #expect(response.keepsAlive)
    }

    @Test("of a folder without its slash leads to it, and never to another host")
    func redirect() {
        #expect(decide(.GET, "/docs?page=2").headers["Location"] == ["/docs/?page=2"])
        #expect(decide(.GET, "//docs").headers["Location"] == ["/docs/"])
    }

    @Test(
        "to HEAD has the head of the answer to GET, and no body (RFC 9110 §9.3.2)",
        arguments: ["/", "/docs", "/none", "/broken", "/.."])
    func head(target: String) {
        let get = decide(.GET, target)
        let head = decide(.HEAD, target)
        #expect(head.status == get.status)
        #expect(head.headers == get.headers)
        #expect(head.bodyLength == 0)
    }

    @Test(
        "to another method is 405 and names those that are allowed (RFC 9110 §15.5.6)",
        arguments: [.POST, .PUT, .DELETE, .OPTIONS, .PATCH, .TRACE] as [HTTPMethod])
    func otherMethods(method: HTTPMethod) {
        let response = decide(method, method == .OPTIONS ? "*" : "/")
        #expect(response.status == .methodNotAllowed)
        #expect(response.headers["Allow"] == ["GET, HEAD"])
        #expect(response.keepsAlive)
    }

    @Test(
        "to If-Modified-Since is 304 without a body unless the file changed since (§13.1.3)",
        arguments: [
            (0, 304), (1, 304), (100, 304), (-1, 200),
        ] as [(Int64, UInt)])
    func conditional(offset: Int64, code: UInt) {
        let since = HTTPDate(seconds: modified.seconds + offset).fieldValue
        let response = decide(.GET, "/", ["If-Modified-Since": since])
        #expect(response.status.code == code)
        #expect(response.headers["Last-Modified"] == [modified.fieldValue])
        #expect((response.bodyLength == 0) == (code == 304))
    }

    @Test("ignores If-Modified-Since beside If-None-Match, twice, unreadable or for no file")
    func ignoredCondition() {
        let since = now.fieldValue
        let both: HTTPHeaders = ["If-Modified-Since": since, "If-None-Match": "\"x\""]
        let twice: HTTPHeaders = ["If-Modified-Since": since, "if-modified-since": since]
        #expect(decide(.GET, "/", both).status == .ok)
        #expect(decide(.GET, "/", twice).status == .ok)
        #expect(decide(.GET, "/", ["If-Modified-Since": "today"]).status == .ok)
        #expect(decide(.GET, "/none", ["If-Modified-Since": since]).status == .notFound)
    }

    @Test("dates a file from the future with the present (§8.8.2.1)")
    func futureDate() {
        #expect(decide(.GET, "/new.txt").headers["Last-Modified"] == [now.fieldValue])
    }

    @Test("needs exactly one Host, but in HTTP/1.0 (RFC 9112 §3.2)")
    func host() {
        func status(_ version: HTTPVersion, hosts: [String]) -> HTTPResponseStatus {
            let headers = HTTPHeaders(hosts.map { ("Host", $0) })
            return decide(
                HTTPRequestHead(version: version, method: .GET, uri: "/", headers: headers)
            ).status
        }
        #expect(status(.http1_1, hosts: []) == .badRequest)
        #expect(status(.http1_1, hosts: ["a", "b"]) == .badRequest)
        #expect(status(.http1_0, hosts: []) == .ok)
        #expect(status(.http1_0, hosts: ["a", "b"]) == .badRequest)
    }

    @Test("is 431 when the header is too large, and 505 for another major version")
    func limits() {
        let large: HTTPHeaders = ["Cookie": String(repeating: "c", count: RequestLimit.headerBytes)]
        #expect(decide(.GET, "/", large).status == .requestHeaderFieldsTooLarge)
        #expect(decide(.GET, "/", version: .http2).status == .httpVersionNotSupported)
    }

    @Test("tells the client what failed by its code, and only the log why")
    func failure() {
        let response = decide(.GET, "/broken")
        #expect(response.reason == "input/output error")
        guard case .text(let text) = response.body else {
            Issue.record("\(response.body)")
            return
        }
        #expect(text == "500 Internal Server Error\n")
    }

    @Test("ends the connection when it is asked to, and when nothing could follow")
    func endings() {
        func connection(_ response: Response<String>) -> [String] {
            #expect(response.keepsAlive != response.headers["Connection"].contains("close"))
            return response.headers["Connection"]
        }
        #expect(connection(decide(.GET, "/")) == [])
        #expect(connection(decide(.GET, "/", ["Connection": "close"])) == ["close"])
        #expect(connection(decide(.GET, "/", version: .http1_0)) == ["close"])
        let kept = decide(.GET, "/", ["Connection": "keep-alive"], version: .http1_0)
        #expect(connection(kept) == ["keep-alive"])
        #expect(connection(decide(.CONNECT, "host:80")) == ["close"])
        #expect(connection(decide(.POST, "/", ["Expect": "100-continue"])) == ["close"])
        #expect(connection(decide(.GET, "/", ["Upgrade": "h2c"])) == ["close"])
        #expect(connection(decide(.GET, "/" + String(repeating: "a", count: 9000))) == ["close"])
    }

    @Test(
        "to what is no request at all ends the connection with the fitting code",
        arguments: [
            (.headerOverflow, 431), (.invalidVersion, 505), (.invalidMethod, 400),
            (.invalidHeaderToken, 400), (.unknown, 400),
        ] as [(HTTPParserError, UInt)])
    func unparsable(error: HTTPParserError, code: UInt) {
        let response = Response<String>.decide(unparsable: error, now: now)
        #expect(response.status.code == code)
        #expect(!response.keepsAlive)
        #expect(response.headers["Connection"] == ["close"])
    }
}

@Suite("The access log")
struct AccessLogTests {
    private let now = HTTPDate(seconds: 784_111_777)

    private func line(uri: String, status: UInt = 200, bytes: Int64 = 15) -> String {
        AccessLog.line(
            client: "192.168.69.20",
            request: HTTPRequestHead(version: .http1_1, method: .GET, uri: uri),
            status: status, bodyLength: bytes, now: now)
    }

    @Test("has one line in the Common Log Format for each answer")
    func commonLogFormat() {
        let place = "192.168.69.20 - - [06/Nov/1994:08:49:37 +0000]"
        #expect(line(uri: "/a") == "\(place) \"GET /a HTTP/1.1\" 200 15")
        #expect(line(uri: "/", status: 304, bytes: 0) == "\(place) \"GET / HTTP/1.1\" 304 -")
    }

    @Test("says - where there was no request")
    func noRequest() {
        let line = AccessLog.line(
            client: "::1", request: nil, status: 400, bodyLength: 16, now: now)
        #expect(line == "::1 - - [06/Nov/1994:08:49:37 +0000] \"-\" 400 16")
    }

    @Test("keeps quotes, line ends and floods from breaking its lines")
    func escapes() {
        #expect(line(uri: "/\"\\\n\u{1}\u{7f}").contains(#""GET /\"\\\x0a\x01\x7f HTTP/1.1""#))
        #expect(line(uri: String(repeating: "a", count: 100_000)).count < 1200)
    }
}
