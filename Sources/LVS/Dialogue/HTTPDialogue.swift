public import KeepalivedConf
import NetworkTypes

/// `HTTP_GET` and `SSL_GET`: asks for one page and looks at status and body.
///
/// The request equals keepalived 2.2.7's byte for byte. As there, the page ends where the server
/// closes the connection.
public struct HTTPDialogue: CheckDialogue {
    private enum Stage {
        case header
        case body
    }

    /// What is kept of a header whose end has not come: a server that sends more is broken.
    static let longestHeaderBytes = 64 << 10

    private let page: HTTPCheck.Page
    private let request: [UInt8]
    private let match: @Sendable ([UInt8]) -> Bool
    private var stage = Stage.header
    private var header: [UInt8] = []
    private var status = 0
    private var lengthBytes: Int?
    private var receivedBytes = 0
    private var digest = MD5()
    private var body: [UInt8] = []
    /// What is kept of a body for the sake of an expression.
    static let longestBodyBytes = 1 << 20

    /// - Parameters:
    ///   - virtualHost: the name to ask for; nil: the address.
    ///   - match: whether a body matches the page's expression.
    public init(
        _ check: HTTPCheck, page number: Int, to connection: Checker.Connection,
        virtualHost: String?, match: @escaping @Sendable ([UInt8]) -> Bool = { _ in true }
    ) {
        page = check.pages[number]
        self.match = match
        let address = connection.address
        let host =
            page.virtualHost ?? check.virtualHost ?? virtualHost
            ?? (address.family == .v6 ? "[\(address)]" : "\(address)")
            + ":\(connection.port ?? 0)"
        request = Array(
            ("GET \(page.path) HTTP/1.\(check.version == .http11 ? 1 : 0)\r\n"
                + "User-Agent: KeepAliveClient\r\n"
                + (check.version == .http10 ? "" : "Connection: close\r\n")
                + "Host: \(host)\r\n\r\n").utf8)
    }

    public mutating func begin() -> [CheckStep] { [.send(request)] }

    public mutating func receive(_ bytes: [UInt8]) -> [CheckStep] {
        switch stage {
        case .body: take(bytes[...])
        case .header:
            // The end may have come in two pieces.
            let start = max(header.count - 3, 0)
            header += bytes
            guard let end = Self.endOfHeader(header, from: start) else {
                return header.count > Self.longestHeaderBytes
                    ? [.finish(.failure("Read, no data received from "))] : []
            }
            stage = .body
            readHeader(header[..<end])
            take(header[end...])
            header = []
        }
        return []
    }

    public mutating func end() -> [CheckStep] { [.finish(verdict)] }

    public func result(of trouble: CheckTrouble) -> CheckResult {
        let words =
            switch trouble {
            case .unreachable: "HTTP_CHECK - network unreachable"
            case .connectionTimeout: "Timeout connecting"
            case .connectionFailed: "Connection failed"
            case .handshakeFailed: "SSL handshake/communication error connecting to"
            case .readTimeout:
                header.isEmpty && stage == .header
                    ? "Timeout WEB read" : "Timeout HTTP read"
            case .readFailed: "Read error with"
            case .writeFailed: "Cannot send get request to"
            }
        return .failure(words)
    }

    private var verdict: CheckResult {
        guard stage == .body else { return .failure("Read, no data received from ") }
        guard page.statusCodes.contains(where: { $0.contains(status) }) else {
            return .failure("HTTP status code error to")
        }
        var basis = "HTTP status code"
        if let wanted = page.digest {
            var digest = digest
            guard digest.finish() == wanted else { return .failure("MD5 digest error to") }
            basis = "MD5 digest"
        }
        if page.expression != nil {
            guard match(body) != page.mustNotMatch else { return .failure("Regex match failed") }
            basis = "Regex match"
        }
        return .success(basis: basis)
    }

    // MARK: What comes

    private static func endOfHeader(_ bytes: [UInt8], from start: Int) -> Int? {
        guard bytes.count >= 4 else { return nil }
        return (start...bytes.count - 4).first {
            bytes[$0] == 0x0d && bytes[$0 + 1] == 0x0a && bytes[$0 + 2] == 0x0d
                && bytes[$0 + 3] == 0x0a
        }.map { $0 + 4 }
    }

    private mutating func readHeader(_ bytes: ArraySlice<UInt8>) {
        let lines = bytes.split { $0 == 0x0a }.map {
            String(decoding: $0.last == 0x0d ? $0.dropLast() : $0, as: UTF8.self)
        }
        let words = lines.first?.split(separator: " ") ?? []
        if words.count > 1, words[0].hasPrefix("HTTP/") { status = Int(words[1]) ?? 0 }
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == "content-length" else { continue }
            lengthBytes = Int(parts[1].filter { $0 != " " && $0 != "\t" })
        }
    }

    /// What comes after the length that was announced is not part of the page.
    private mutating func take(_ bytes: ArraySlice<UInt8>) {
        let room = lengthBytes.map { max($0 - receivedBytes, 0) } ?? bytes.count
        receivedBytes += bytes.count
        if page.digest != nil { digest.update(bytes.prefix(room)) }
        if page.expression != nil {
            body += bytes.prefix(min(room, Self.longestBodyBytes - body.count))
        }
    }
}
