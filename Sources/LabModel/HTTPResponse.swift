/// An answer of an HTTP server.
public struct HTTPResponse: Equatable, Sendable {
    /// Its status code, 200 to 999; interim answers (1xx) are skipped.
    public var status: Int
    /// The words after the code; may be empty.
    public var reason: String
    /// Its header fields, in order, names as they were sent.
    public var fields: [Field]
    /// Its body, transfer coding undone.
    public var body: [UInt8]

    /// A header field.
    public struct Field: Equatable, Sendable {
        public var name: String
        public var value: String
        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The body as text; bytes that are no UTF-8 become U+FFFD.
    public var text: String { String(decoding: body, as: UTF8.self) }

    /// The values of a field, whatever the case of its name.
    public func values(of name: String) -> [String] {
        let name = name.lowercased()
        return fields.filter { $0.name.lowercased() == name }.map(\.value)
    }
}

/// Why bytes are no HTTP answer; printed as what became of the request.
public enum HTTPResponseError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The first line is not `HTTP/1.x STATUS REASON`.
    case statusLine(String)
    /// A header line is not `NAME: VALUE`.
    case field(String)
    /// A Content-Length that is no number, or two that differ.
    case contentLength(String)
    /// A transfer coding other than `chunked`.
    case transferCoding(String)
    /// A chunk's size or end is wrong.
    case chunk(String)
    /// Status line and header are longer than the parser's limit in bytes.
    case headTooLong(limit: Int)
    /// The body is longer than the parser's limit in bytes.
    case bodyTooLong(limit: Int)
    /// The connection ended in the middle of the answer.
    case truncated
    /// The connection ended before the first byte.
    case empty

    public var description: String {
        switch self {
        case .statusLine(let line): "no HTTP status line: '\(line)'"
        case .field(let line): "no HTTP header field: '\(line)'"
        case .contentLength(let value): "wrong Content-Length '\(value)'"
        case .transferCoding(let value): "unknown Transfer-Encoding '\(value)'"
        case .chunk(let line): "wrong chunk '\(line)'"
        case .headTooLong(let limit): "header longer than \(limit) bytes"
        case .bodyTooLong(let limit): "body longer than \(limit) bytes"
        case .truncated: "connection closed in the middle of the answer"
        case .empty: "connection closed without an answer"
        }
    }
}
