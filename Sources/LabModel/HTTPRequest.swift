import NetworkTypes

/// The one HTTP request labs make: `GET`.
public struct HTTPRequest: Equatable, Sendable {
    /// What is asked for.
    public var url: HTTPURL

    /// Whether no other follows on its connection.
    public var isLast: Bool

    public init(get url: HTTPURL, isLast: Bool = true) {
        self.url = url
        self.isLast = isLast
    }

    /// The request as it goes onto the connection (RFC 9112 §2.1, §3).
    ///
    /// For the last one `Connection: close` lets the end of the connection be the end of the
    /// answer, which keeps the fate of a request that is alone its own.
    public var bytes: [UInt8] {
        let lines =
            [
                "GET \(requestTarget) HTTP/1.1", "Host: \(host)", "User-Agent: labctl",
                "Accept: */*",
            ] + (isLast ? ["Connection: close"] : []) + ["", ""]
        return Array(lines.joined(separator: "\r\n").utf8)
    }

    /// The Host field: the port only where it is not the scheme's (RFC 9110 §7.2).
    private var host: String {
        let port = url.port == 80 ? "" : ":\(url.port)"
        switch url.address {
        case .v4(let address): return "\(address)\(port)"
        case .v6(let address): return "[\(address)]\(port)"
        }
    }

    /// Path and query in origin form: no fragment (RFC 9110 §7.1), and every byte that may not
    /// stand in a URI percent-encoded (RFC 3986 §2.1).
    private var requestTarget: String {
        let hexadecimal = Array("0123456789ABCDEF")
        return url.path.utf8.prefix { $0 != UInt8(ascii: "#") }.reduce(into: "") { text, byte in
            if (0x21...0x7e).contains(byte), !#""<>\^`{|}"#.utf8.contains(byte) {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                text += "%\(hexadecimal[Int(byte >> 4)])\(hexadecimal[Int(byte & 15)])"
            }
        }
    }
}
