import NIOHTTP1

/// What the served folder has at a path, as `Site` found it or as a test says it is.
///
/// `Content` is whatever the body will be read from; the decision passes it through unread.
enum Finding<Content> {
    /// A regular file that can be read.
    case file(Content, length: Int64, modified: HTTPDate)
    case folder
    case missing
    /// It exists, but is not to be served: unreadable, not a file, or a link out of the root.
    case forbidden
    /// The machine could not say; the reason is for the server's own log, not for the client.
    case failed(reason: String)
}

/// The answer to one request: a value, decided without a socket, a clock or a file of its own.
struct Response<Content> {
    var status: HTTPResponseStatus
    var headers: HTTPHeaders
    var body: Body
    /// Whether the connection waits for another request afterwards.
    var keepsAlive: Bool
    /// What the server's own log should say about it.
    var reason: String?

    /// What follows the head.
    enum Body {
        case none
        case text(String)
        case file(Content, length: Int64)
    }

    /// The body's length in bytes; 0 where only the head is sent.
    var bodyLength: Int64 {
        switch body {
        case .none: 0
        case .text(let text): Int64(text.utf8.count)
        case .file(_, let length): length
        }
    }
}

/// Limits on a request's head.
enum RequestLimit {
    /// Longest target answered with anything but 414, in bytes (RFC 9112 §3 asks for 8000).
    static let targetBytes = 8192
    /// Largest sum of header names and values answered with anything but 431, in bytes.
    static let headerBytes = 32768
    /// Where parsing itself gives up, in bytes: above the other two, so that they can be told
    /// apart.
    static let parsedBytes = 262_144
}

extension Response {
    /// Decides the answer to `request`.
    ///
    /// - Parameters:
    ///   - now: the present, for the Date field and for reading dates.
    ///   - find: what stands at a path; called at most twice.
    static func decide(
        _ request: HTTPRequestHead, now: HTTPDate, find: (SitePath) -> Finding<Content>
    ) -> Self {
        var response = refusal(ofHead: request) ?? answer(to: request, now: now, find: find)
        response.keepsAlive = response.keepsAlive && canContinue(after: request)
        response.complete(now: now, version: request.version)
        if request.method == .HEAD { response.body = .none }
        return response
    }

    /// The answer to something that could not be parsed as a request; the connection ends with it.
    static func decide(unparsable error: HTTPParserError, now: HTTPDate) -> Self {
        let status: HTTPResponseStatus =
            switch error {
            case .headerOverflow: .requestHeaderFieldsTooLarge
            case .invalidVersion: .httpVersionNotSupported
            default: .badRequest
            }
        var response = Self(refusing: status)
        response.keepsAlive = false
        response.complete(now: now, version: .http1_1)
        return response
    }

    /// The answer where the head alone decides; nil when the folder should be asked.
    private static func refusal(ofHead request: HTTPRequestHead) -> Self? {
        if let status = fault(ofHead: request) {
            var response = Self(refusing: status)
            // Whoever sent this cannot be trusted to count its bytes.
            response.keepsAlive = false
            return response
        }
        guard request.method == .GET || request.method == .HEAD else {
            var response = Self(refusing: .methodNotAllowed)
            response.headers.add(name: "Allow", value: "GET, HEAD")
            return response
        }
        return nil
    }

    private static func fault(ofHead request: HTTPRequestHead) -> HTTPResponseStatus? {
        guard request.version.major == 1 else { return .httpVersionNotSupported }
        guard request.uri.utf8.count <= RequestLimit.targetBytes else { return .uriTooLong }
        let headerBytes = request.headers.reduce(0) {
            $0 + $1.name.utf8.count + $1.value.utf8.count
        }
        guard headerBytes <= RequestLimit.headerBytes else { return .requestHeaderFieldsTooLarge }
        // RFC 9112 §3.2: exactly one Host, but an HTTP/1.0 client need not send it.
        let hosts = request.headers["Host"].count
        let isHostRight = hosts == 1 || (hosts == 0 && request.version == .http1_0)
        return isHostRight ? nil : .badRequest
    }

    /// Whether what follows `request` on its connection can be told to be another request.
    private static func canContinue(after request: HTTPRequestHead) -> Bool {
        // After CONNECT and Upgrade may come bytes of another protocol. A client that waits to be
        // asked for its body is answered without it, but may send it all the same (RFC 9110
        // §10.1.1).
        request.isKeepAlive && request.method != .CONNECT
            && !request.headers.contains(name: "Upgrade")
            && !request.headers.contains(name: "Expect")
    }

    private static func answer(
        to request: HTTPRequestHead, now: HTTPDate, find: (SitePath) -> Finding<Content>
    ) -> Self {
        var path: SitePath
        do {
            path = try SitePath(target: request.uri)
        } catch {
            switch error {
            case .malformed: return Self(refusing: .badRequest)
            case .unnameable: return Self(refusing: .notFound)
            }
        }
        var finding = find(path)
        if case .folder = finding {
            guard path.endsInSlash else {
                // Without the slash, the relative links of the folder's page would miss it.
                var response = Self(refusing: .movedPermanently)
                response.headers.add(name: "Location", value: path.folderTarget)
                return response
            }
            path = path.indexFile
            finding = find(path)
            // A folder is not listed.
            switch finding {
            case .missing, .folder: finding = .forbidden
            case .file, .forbidden, .failed: break
            }
        }
        switch finding {
        case .file(let content, let length, let modified):
            return .serving(
                content, length: length, modified: modified, at: path, to: request, now: now)
        case .missing:
            return Self(refusing: .notFound)
        case .forbidden, .folder:
            return Self(refusing: .forbidden)
        case .failed(let reason):
            var response = Self(refusing: .internalServerError)
            response.reason = reason
            return response
        }
    }

    private static func serving(
        _ content: Content, length: Int64, modified: HTTPDate, at path: SitePath,
        to request: HTTPRequestHead, now: HTTPDate
    ) -> Self {
        var headers: HTTPHeaders = [
            // A date in the future would be a promise about it (RFC 9110 §8.8.2.1).
            "Last-Modified": min(modified, now).fieldValue,
            // The address may move to another machine with another page: what a browser kept from
            // the one must not be shown for the other.
            "Cache-Control": "no-store",
        ]
        if isUnchanged(modified, for: request, now: now) {
            return Self(status: .notModified, headers: headers, body: .none, keepsAlive: true)
        }
        headers.add(name: "Content-Type", value: MediaType.of(path))
        headers.add(name: "Content-Length", value: "\(length)")
        return Self(
            status: .ok, headers: headers, body: .file(content, length: length), keepsAlive: true)
    }

    /// RFC 9110 §13.1.3: If-Modified-Since counts as long as no If-None-Match (for which there is
    /// no entity tag here) stands beside it, and only as one valid date.
    private static func isUnchanged(
        _ modified: HTTPDate, for request: HTTPRequestHead, now: HTTPDate
    ) -> Bool {
        let conditions = request.headers["If-Modified-Since"]
        guard !request.headers.contains(name: "If-None-Match"), conditions.count == 1,
            let since = HTTPDate(fieldValue: conditions[0], now: now)
        else { return false }
        return modified <= since
    }

    /// An answer that only explains itself.
    private init(refusing status: HTTPResponseStatus) {
        let text = "\(status.code) \(status.reasonPhrase)\n"
        self.init(
            status: status,
            headers: [
                "Content-Type": MediaType.plainText, "Content-Length": "\(text.utf8.count)",
            ],
            body: .text(text), keepsAlive: true)
    }

    /// Adds the fields every answer has.
    private mutating func complete(now: HTTPDate, version: HTTPVersion) {
        headers.add(name: "Date", value: now.fieldValue)
        headers.add(name: "Server", value: "http-backend")
        if !keepsAlive {
            headers.add(name: "Connection", value: "close")
        } else if version == .http1_0 {
            // HTTP/1.0 closes unless both sides say otherwise.
            headers.add(name: "Connection", value: "keep-alive")
        }
    }
}
