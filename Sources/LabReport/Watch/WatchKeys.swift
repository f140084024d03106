/// Makes keys of the bytes that a terminal sends.
///
/// A key may be several bytes, and they may come in two pieces.
public struct WatchKeyReader: Sendable {
    private var pending: [UInt8] = []
    /// Longer than any key: what is left of a sequence that nobody knows is not waited for.
    private static let maximumPendingBytes = 16

    public init() {}

    /// The keys that are complete now.
    public mutating func take(_ bytes: some Sequence<UInt8>) -> [WatchKey] {
        pending += bytes
        var keys: [WatchKey] = []
        while let first = pending.first {
            if first == 0x1b {
                guard let length = sequenceLength else {
                    if pending.count > Self.maximumPendingBytes { pending = [] }
                    break
                }
                if let key = Self.key(for: pending[1..<length]) { keys.append(key) }
                pending.removeFirst(length)
            } else {
                pending.removeFirst()
                switch first {
                case 0x03: keys.append(.interrupt)
                case 0x21...0x7e: keys.append(.character(Character(Unicode.Scalar(first))))
                // Tab goes through the nodes, as arrows do.
                case 0x09: keys.append(.down)
                default: break
                }
            }
        }
        return keys
    }

    /// The length of the escape sequence that is pending; nil while it is not all there.
    private var sequenceLength: Int? {
        guard pending.count > 1 else { return nil }
        switch pending[1] {
        // CSI: parameters, then one final byte (ECMA-48 §5.4).
        case UInt8(ascii: "["):
            return pending.dropFirst(2).firstIndex { (0x40...0x7e).contains($0) }.map { $0 + 1 }
        // SS3: the cursor keys of a terminal in application mode.
        case UInt8(ascii: "O"): return pending.count > 2 ? 3 : nil
        // Another key after Escape itself.
        default: return 1
        }
    }

    private static func key(for sequence: ArraySlice<UInt8>) -> WatchKey? {
        switch String(decoding: sequence, as: UTF8.self) {
        case "[A", "OA": .up
        case "[B", "OB": .down
        case "[H", "OH", "[1~": .first
        case "[F", "OF", "[4~": .last
        // Shift and Tab.
        case "[Z": .up
        default: nil
        }
    }
}
