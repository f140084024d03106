/// Reads one HTTP/1.x response to a GET from bytes as they arrive (RFC 9112), in pieces of any
/// size.
///
///     var parser = HTTPResponseParser()
///     if let response = try parser.feed(bytes) { … }     // for every read
///     let response = try parser.finish()                 // when the server closed the connection
public struct HTTPResponseParser: Sendable {
    /// Bytes that status line and header, or a chunked body's trailer, may have.
    public var maximumHeadBytes = 16 * 1024
    /// Bytes that a body may have.
    public var maximumBodyBytes = 1024 * 1024

    private enum State: Sendable {
        case statusLine
        case fields
        case sizedBody(remaining: Int)
        case bodyUntilClose
        case chunkSize
        case chunkData(remaining: Int)
        case chunkEnd
        case trailer
        case done
    }

    private var state = State.statusLine
    private var response = HTTPResponse(status: 0, reason: "", fields: [], body: [])
    /// The line that is being read, without its end.
    private var line: [UInt8] = []
    /// Bytes of the present head or trailer.
    private var headBytes = 0
    private var hasBegun = false

    public init() {}

    /// Takes the next bytes.
    ///
    /// - Returns: the response, as soon as it is complete; nil while bytes are missing. Bytes after
    ///   its end are ignored.
    /// - Throws: what is wrong with it; the parser is of no use afterwards.
    public mutating func feed(_ bytes: some Sequence<UInt8>) throws(HTTPResponseError)
        -> HTTPResponse?
    {
        for byte in bytes {
            hasBegun = true
            try take(byte)
            if case .done = state { return response }
        }
        if case .done = state { return response }
        return nil
    }

    /// Takes the next bytes, but none after the end of the response: they are the next one's, which
    /// needs a parser of its own.
    ///
    /// - Returns: the response, as soon as it is complete; nil while bytes are missing.
    /// - Throws: as ``feed(_:)``.
    public mutating func take(
        _ bytes: inout ArraySlice<UInt8>
    ) throws(HTTPResponseError) -> HTTPResponse? {
        while let byte = bytes.popFirst() {
            if let response = try feed(CollectionOfOne(byte)) { return response }
        }
        return nil
    }

    /// Ends the response where the connection ended, which is right for a body without a length
    /// (RFC 9112 §6.3, rule 8).
    ///
    /// - Throws: `empty` or `truncated` where the response had not ended.
    public mutating func finish() throws(HTTPResponseError) -> HTTPResponse {
        switch state {
        case .done, .bodyUntilClose:
            state = .done
            return response
        case .statusLine, .fields, .sizedBody, .chunkSize, .chunkData, .chunkEnd, .trailer:
            throw hasBegun ? .truncated : .empty
        }
    }

    private mutating func take(_ byte: UInt8) throws(HTTPResponseError) {
        switch state {
        case .statusLine, .fields, .chunkSize, .chunkEnd, .trailer:
            headBytes += 1
            guard headBytes <= maximumHeadBytes else {
                throw .headTooLong(limit: maximumHeadBytes)
            }
            guard byte == UInt8(ascii: "\n") else {
                line.append(byte)
                return
            }
            // A line ends with CRLF; a bare LF is accepted (RFC 9112 §2.2).
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            let text = String(decoding: line, as: UTF8.self)
            line.removeAll(keepingCapacity: true)
            try take(line: text)
        case .sizedBody(let remaining):
            try append(byte)
            state = remaining > 1 ? .sizedBody(remaining: remaining - 1) : .done
        case .chunkData(let remaining):
            try append(byte)
            state = remaining > 1 ? .chunkData(remaining: remaining - 1) : .chunkEnd
        case .bodyUntilClose:
            try append(byte)
        case .done:
            break
        }
    }

    private mutating func take(line: String) throws(HTTPResponseError) {
        switch state {
        case .statusLine:
            try takeStatusLine(line)
        case .fields:
            if line.isEmpty { try endHead() } else { try takeField(line) }
        case .chunkSize:
            try takeChunkSize(line)
        case .chunkEnd:
            guard line.isEmpty else { throw .chunk(line) }
            headBytes = 0
            state = .chunkSize
        case .trailer:
            if line.isEmpty { state = .done }
        case .sizedBody, .bodyUntilClose, .chunkData, .done:
            preconditionFailure("these states read no lines")
        }
    }

    private mutating func append(_ byte: UInt8) throws(HTTPResponseError) {
        guard response.body.count < maximumBodyBytes else {
            throw .bodyTooLong(limit: maximumBodyBytes)
        }
        response.body.append(byte)
    }

    /// `HTTP/1.x STATUS [REASON]` (RFC 9112 §4).
    private mutating func takeStatusLine(_ line: String) throws(HTTPResponseError) {
        let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[0].utf8.count == 8, parts[0].hasPrefix("HTTP/1."),
            parts[1].utf8.count == 3, let status = Self.decimal(parts[1]), status >= 100
        else { throw .statusLine(line) }
        response.status = status
        response.reason = parts.count == 3 ? String(parts[2]) : ""
        response.fields = []
        state = .fields
    }

    /// `NAME: VALUE` (RFC 9112 §5): no space before the colon, and none to continue a line (§5.2).
    private mutating func takeField(_ line: String) throws(HTTPResponseError) {
        guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")) else { throw .field(line) }
        let name = line[..<colon]
        guard !name.isEmpty, !name.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7f }) else {
            throw .field(line)
        }
        let value = line[line.utf8.index(after: colon)...]
        response.fields.append(
            .init(name: String(name), value: Self.trimmed(value)))
    }

    /// Decides how long the body is (RFC 9112 §6.3).
    private mutating func endHead() throws(HTTPResponseError) {
        headBytes = 0
        if (100...199).contains(response.status) {
            state = .statusLine
            return
        }
        if response.status == 204 || response.status == 304 {
            state = .done
            return
        }
        let codings = Self.members(of: response.values(of: "Transfer-Encoding"))
        guard codings.isEmpty else {
            guard codings.count == 1, codings[0].lowercased() == "chunked" else {
                throw .transferCoding(codings.joined(separator: ", "))
            }
            state = .chunkSize
            return
        }
        let lengths = Self.members(of: response.values(of: "Content-Length"))
        guard let first = lengths.first else {
            state = .bodyUntilClose
            return
        }
        guard let length = Self.decimal(first), lengths.allSatisfy({ $0 == first }) else {
            throw .contentLength(lengths.joined(separator: ", "))
        }
        guard length <= maximumBodyBytes else { throw .bodyTooLong(limit: maximumBodyBytes) }
        state = length > 0 ? .sizedBody(remaining: length) : .done
    }

    /// `SIZE[;EXTENSION]`, hexadecimal; size 0 is the last chunk (RFC 9112 §7.1).
    private mutating func takeChunkSize(_ line: String) throws(HTTPResponseError) {
        let digits = Self.trimmed(line.prefix { $0 != ";" })
        guard !digits.isEmpty, digits.allSatisfy({ $0.isASCII && $0.isHexDigit }),
            let size = Int(digits, radix: 16)
        else { throw .chunk(line) }
        guard size <= maximumBodyBytes - response.body.count else {
            throw .bodyTooLong(limit: maximumBodyBytes)
        }
        headBytes = 0
        state = size > 0 ? .chunkData(remaining: size) : .trailer
    }

    /// The members of a comma-separated list that may be spread over several fields
    /// (RFC 9110 §5.3).
    private static func members(of values: [String]) -> [String] {
        values.flatMap { $0.split(separator: ",") }.map { trimmed($0) }.filter { !$0.isEmpty }
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 }
        let kept = Array(text.utf8).drop(while: isBlank)
        let end = kept.lastIndex { !isBlank($0) }.map { kept.index(after: $0) } ?? kept.startIndex
        return String(decoding: kept[..<end], as: UTF8.self)
    }

    /// A number of digits alone: `Int.init` would take a sign.
    private static func decimal(_ text: some StringProtocol) -> Int? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int(text)
    }
}
