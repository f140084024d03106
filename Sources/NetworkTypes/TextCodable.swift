// In JSON (the timeline, `--format json`, the supervisor's socket) every one of these is the text
// people write.

/// A value that is encoded as the text it prints as, and decoded by parsing that text.
public protocol TextCodable: Codable, CustomStringConvertible {
    /// The name of the type in the error about a text that does not parse.
    static var textName: String { get }
    /// Parses the text that `description` prints; nil for anything else.
    static func parse(_ text: String) -> Self?
}

extension TextCodable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let value = Self.parse(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "'\(text)' is no \(Self.textName)")
        }
        self = value
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension MACAddress: TextCodable {
    public static var textName: String { "Ethernet address" }
    public static func parse(_ text: String) -> Self? { Self(text) }
}
extension InterfaceName: TextCodable {
    public static var textName: String { "interface name" }
    public static func parse(_ text: String) -> Self? { Self(text) }
}
extension IPv4Address: TextCodable {
    public static var textName: String { "IPv4 address" }
    public static func parse(_ text: String) -> Self? { Self(text) }
}
extension IPv6Address: TextCodable {
    public static var textName: String { "IPv6 address" }
    public static func parse(_ text: String) -> Self? { Self(text) }
}
extension IPAddress: TextCodable {
    public static var textName: String { "IP address" }
    public static func parse(_ text: String) -> Self? { Self(text) }
}
extension InterfaceAddress: TextCodable {
    public static var textName: String { "interface address" }
    public static func parse(_ text: String) -> Self? { Self(text) }
}
extension IPPrefix: TextCodable {
    public static var textName: String { "network prefix" }
    public static func parse(_ text: String) -> Self? { Self(text) }
}
