import LabModel
import NetworkTypes
import Testing

@Suite("HTTP: request and response")
struct ScenarioHTTPTests {
    @Test("RFC 9112 §3: the request as it goes onto the connection")
    func request() {
        let url = HTTPURL("http://192.0.2.1:8080/a b/ü?q=<1>#part")
        #expect(url == nil, "a blank is no part of a URL")
        #expect(
            String(
                decoding: HTTPRequest(get: HTTPURL("http://192.0.2.1:8080/ü?q=<1>#part")!).bytes,
                as: UTF8.self)
                == "GET /%C3%BC?q=%3C1%3E HTTP/1.1\r\nHost: 192.0.2.1:8080\r\n"
                + "User-Agent: labctl\r\nAccept: */*\r\nConnection: close\r\n\r\n")
        #expect(
            String(
                decoding: HTTPRequest(get: HTTPURL("http://[2001:db8::1]")!).bytes, as: UTF8.self
            ).hasPrefix("GET / HTTP/1.1\r\nHost: [2001:db8::1]\r\n"))
    }

    @Test("a request that another follows on its connection does not ask for the end of it")
    func keptOpen() {
        let url = HTTPURL("http://192.0.2.1/")!
        #expect(
            String(decoding: HTTPRequest(get: url, isLast: false).bytes, as: UTF8.self)
                == "GET / HTTP/1.1\r\nHost: 192.0.2.1\r\nUser-Agent: labctl\r\nAccept: */*\r\n\r\n"
        )
    }

    @Test("of two responses in a row a parser takes the first and leaves the second")
    func twoInARow() throws {
        func response(_ body: String) -> String {
            "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
        }
        var bytes = Array((response("one") + response("two") + "HTTP/1").utf8)[...]
        for body in ["one", "two"] {
            var parser = HTTPResponseParser()
            #expect(try parser.take(&bytes)?.text == body)
        }
        var parser = HTTPResponseParser()
        #expect(try parser.take(&bytes) == nil)
        #expect(bytes.isEmpty)
    }

    /// What a parser makes of a response that comes in pieces of `size` bytes and then ends.
    private func parse(
        _ text: String, inPiecesOf size: Int = .max,
        configure: (inout HTTPResponseParser) -> Void = { _ in }
    ) throws -> HTTPResponse {
        var parser = HTTPResponseParser()
        configure(&parser)
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            if let response = try parser.feed(rest.prefix(size)) { return response }
            rest = rest.dropFirst(size)
        }
        return try parser.finish()
    }

    @Test(
        "A response is the same in whatever pieces it arrives",
        arguments: [1, 2, 3, 7, Int.max],
        [
            "HTTP/1.1 200 OK\r\nContent-Length: 15\r\nServer: t\r\n\r\nthis is master\nmore",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\nServer: t\r\n\r\n"
                + "5\r\nthis \r\na;x=\"y\"\r\nis master\n\r\n0\r\nTrailer: x\r\n\r\n",
            "HTTP/1.0 200 OK\nServer:   t  \n\nthis is master\n",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nServer: t\r\n\r\nthis is master\n",
        ])
    func pieces(_ size: Int, _ text: String) throws {
        let response = try parse(text, inPiecesOf: size)
        #expect(response.status == 200)
        #expect(response.reason == "OK")
        #expect(response.text == "this is master\n")
        #expect(response.values(of: "SERVER") == ["t"])
    }

    @Test("RFC 9112 §6.3: answers without a body end with their header")
    func noBody() throws {
        var parser = HTTPResponseParser()
        #expect(
            try parser.feed("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n".utf8)?.status
                == 204)
        #expect(try parse("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").body == [])
        #expect(try parse("HTTP/1.1 200\r\nContent-Length: 1, 1\r\n\r\nx").reason == "")
    }

    @Test(
        "What is no response is refused, with the reason",
        arguments: [
            ("", .empty),
            ("SSH-2.0-OpenSSH\r\n", .statusLine("SSH-2.0-OpenSSH")),
            ("HTTP/2 200\r\n", .statusLine("HTTP/2 200")),
            ("HTTP/1.1 +20 OK\r\n", .statusLine("HTTP/1.1 +20 OK")),
            ("HTTP/1.1 2000 OK\r\n", .statusLine("HTTP/1.1 2000 OK")),
            ("HTTP/1.1 200 OK\r\nno colon\r\n", .field("no colon")),
            ("HTTP/1.1 200 OK\r\nA : b\r\n", .field("A : b")),
            ("HTTP/1.1 200 OK\r\nA: b\r\n folded: c\r\n", .field(" folded: c")),
            ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", .contentLength("-1")),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                .contentLength("1, 2")
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
                .transferCoding("gzip, chunked")
            ),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", .chunk("xyz")),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", .chunk("b")),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", .truncated),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", .truncated),
            ("HTTP/1.1 200 OK\r\n", .truncated),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
                .bodyTooLong(limit: 1024 * 1024)
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffff\r\n",
                .bodyTooLong(limit: 1024 * 1024)
            ),
        ] as [(String, HTTPResponseError)])
    func refused(_ text: String, _ error: HTTPResponseError) {
        #expect(throws: error) { try parse(text) }
        #expect(throws: error) { try parse(text, inPiecesOf: 1) }
    }

    @Test("The limits of header and body hold for every way to send them")
    func limits() {
        let endless = "HTTP/1.1 200 OK\r\n" + String(repeating: "A: b\r\n", count: 100)
        #expect(throws: HTTPResponseError.headTooLong(limit: 64)) {
            try parse(endless) { $0.maximumHeadBytes = 64 }
        }
        #expect(throws: HTTPResponseError.bodyTooLong(limit: 4)) {
            try parse("HTTP/1.1 200 OK\r\n\r\nabcde") { $0.maximumBodyBytes = 4 }
        }
        #expect(throws: HTTPResponseError.bodyTooLong(limit: 4)) {
            try parse(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n"
            ) { $0.maximumBodyBytes = 4 }
        }
        #expect(throws: HTTPResponseError.headTooLong(limit: 64)) {
            try parse(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
                    + String(repeating: "A: b\r\n", count: 100)
            ) { $0.maximumHeadBytes = 64 }
        }
    }
}
