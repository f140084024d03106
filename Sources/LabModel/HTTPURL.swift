public import NetworkTypes

/// The address of something served over HTTP by an address of the lab:
/// `http://192.0.2.1:8080/index.html`.
public struct HTTPURL: Hashable, Sendable, TextCodable {
    /// The server's address; names are not looked up.
    public var address: IPAddress
    /// Its TCP port; 80 where the text has none.
    public var port: UInt16
    /// Path and query, beginning with `/`.
    public var path: String

    public init(address: IPAddress, port: UInt16 = 80, path: String = "/") {
        self.address = address
        self.port = port
        self.path = path
    }

    /// Parses `http://ADDRESS[:PORT][/PATH]`, an IPv6 address in brackets; nil for anything else.
    public init?(_ text: String) {
        let scheme = "http://"
        guard text.hasPrefix(scheme), !text.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7f })
        else { return nil }
        let rest = text.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" }
        path = authority.endIndex == rest.endIndex ? "/" : String(rest[authority.endIndex...])
        let host: Substring
        var portText: Substring?
        if authority.hasPrefix("[") {
            guard let bracket = authority.firstIndex(of: "]") else { return nil }
            host = authority[authority.index(after: authority.startIndex)..<bracket]
            let tail = authority[authority.index(after: bracket)...]
            guard tail.isEmpty || tail.hasPrefix(":") else { return nil }
            if !tail.isEmpty { portText = tail.dropFirst() }
            guard let v6 = IPv6Address(host) else { return nil }
            address = .v6(v6)
        } else {
            let parts = authority.split(
                separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            host = parts[0]
            if parts.count == 2 { portText = parts[1] }
            guard let v4 = IPv4Address(host) else { return nil }
            address = .v4(v4)
        }
        if let portText {
            guard let number = UInt16(portText), number > 0 else { return nil }
            port = number
        } else {
            port = 80
        }
    }

    public static var textName: String { "http URL of an address" }
    public static func parse(_ text: String) -> Self? { Self(text) }

    public var description: String {
        let host: String
        switch address {
        case .v4(let v4): host = v4.description
        case .v6(let v6): host = "[\(v6)]"
        }
        return "http://\(host)\(port == 80 ? "" : ":\(port)")\(path)"
    }
}
