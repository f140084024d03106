/// A network device's name, as the kernel accepts it (`dev_valid_name`, net/core/dev.c).
public struct InterfaceName: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The name.
    public let text: String

    /// The longest name the kernel stores: IFNAMSIZ less the terminating NUL.
    public static let maximumLengthBytes = 15

    /// The name, when the kernel would accept it: 1 to 15 bytes, not `.` or `..`, without `/`, `:`
    /// or white space.
    public init?(_ text: some StringProtocol) {
        let text = String(text)
        guard (1...Self.maximumLengthBytes).contains(text.utf8.count), text != ".", text != "..",
            !text.utf8.contains(where: { byte in
                byte == UInt8(ascii: "/") || byte == UInt8(ascii: ":") || byte == 0x20
                    || (0x09...0x0d).contains(byte) || byte == 0
            })
        else { return nil }
        self.text = text
    }

    public static func < (left: Self, right: Self) -> Bool { left.text < right.text }

    public var description: String { text }
}
