/// A JSON text (RFC 8259) as a value: the relay reads and writes lines of it without Foundation,
/// which would cost more memory and start-up time than all the rest of it.
public enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    /// In its digits: a seed has 64 bits, more than a Double tells apart.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// A text that is no JSON.
    public struct SyntaxError: Error, Equatable, CustomStringConvertible {
        /// Where, in bytes from the start.
        public var offset: Int
        public var expected: String
        public var description: String { "no JSON at byte \(offset): \(expected) expected" }
    }

    /// How deep arrays and objects may be inside each other.
    public static let maximumDepth = 32

    /// Reads a whole text.
    public init(parsing text: [UInt8]) throws(SyntaxError) {
        var parser = JSONParser(text: text)
        self = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.isAtEnd else { throw parser.error("the end") }
    }

    /// The text, without white space; an object's names in alphabetical order.
    public var text: [UInt8] {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return bytes
    }

    private func write(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes += "null".utf8
        case .bool(let value): bytes += (value ? "true" : "false").utf8
        case .number(let digits): bytes += digits.utf8
        case .string(let text): Self.write(text, to: &bytes)
        case .array(let values):
            for (place, value) in values.enumerated() {
                bytes.append(UInt8(ascii: place == 0 ? "[" : ","))
                value.write(to: &bytes)
            }
            bytes += (values.isEmpty ? "[]" : "]").utf8
        case .object(let values):
            for (place, name) in values.keys.sorted().enumerated() {
                bytes.append(UInt8(ascii: place == 0 ? "{" : ","))
                Self.write(name, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                values[name]?.write(to: &bytes)
            }
            bytes += (values.isEmpty ? "{}" : "}").utf8
        }
    }

    private static func write(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0..<0x20: bytes += "\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}

/// Reads JSON byte by byte.
private struct JSONParser {
    let text: [UInt8]
    private var offset = 0

    init(text: [UInt8]) { self.text = text }

    var isAtEnd: Bool { offset == text.count }
    private var next: UInt8? { offset < text.count ? text[offset] : nil }

    func error(_ expected: String) -> JSONValue.SyntaxError {
        JSONValue.SyntaxError(offset: offset, expected: expected)
    }

    mutating func skipSpace() {
        while let byte = next, byte == 0x20 || (0x09...0x0a).contains(byte) || byte == 0x0d {
            offset += 1
        }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        offset += 1
        return true
    }

    private mutating func take(word: String) -> Bool {
        guard text[offset...].starts(with: word.utf8) else { return false }
        offset += word.utf8.count
        return true
    }

    mutating func value(depth: Int) throws(JSONValue.SyntaxError) -> JSONValue {
        guard depth < JSONValue.maximumDepth else { throw error("less nesting") }
        skipSpace()
        if take(word: "null") { return .null }
        if take(word: "true") { return .bool(true) }
        if take(word: "false") { return .bool(false) }
        if next == UInt8(ascii: "\"") { return .string(try string()) }
        if take("[") { return .array(try array(depth: depth)) }
        if take("{") { return .object(try object(depth: depth)) }
        return .number(try number())
    }

    private mutating func array(depth: Int) throws(JSONValue.SyntaxError) -> [JSONValue] {
        var values: [JSONValue] = []
        skipSpace()
        if take("]") { return [] }
        while true {
            values.append(try value(depth: depth + 1))
            skipSpace()
            if take("]") { return values }
            guard take(",") else { throw error("a comma or ]") }
        }
    }

    private mutating func object(depth: Int) throws(JSONValue.SyntaxError) -> [String: JSONValue] {
        var values: [String: JSONValue] = [:]
        skipSpace()
        if take("}") { return [:] }
        while true {
            skipSpace()
            let name = try string()
            skipSpace()
            guard take(":") else { throw error("a colon") }
            values[name] = try value(depth: depth + 1)
            skipSpace()
            if take("}") { return values }
            guard take(",") else { throw error("a comma or }") }
        }
    }

    private mutating func number() throws(JSONValue.SyntaxError) -> String {
        let start = offset
        _ = take("-")
        let whole = offset
        guard digits() > 0 else { throw error("a value") }
        guard text[whole] != UInt8(ascii: "0") || offset == whole + 1 else {
            throw error("no leading zero")
        }
        if take("."), digits() == 0 { throw error("a digit") }
        if take("e") || take("E") {
            if !take("-") { _ = take("+") }
            guard digits() > 0 else { throw error("a digit") }
        }
        return String(decoding: text[start..<offset], as: UTF8.self)
    }

    private mutating func digits() -> Int {
        let start = offset
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
            offset += 1
        }
        return offset - start
    }

    private mutating func string() throws(JSONValue.SyntaxError) -> String {
        guard take("\"") else { throw error("a quotation mark") }
        var bytes: [UInt8] = []
        while let byte = next {
            offset += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: bytes, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(into: &bytes)
            case 0..<0x20:
                offset -= 1
                throw error("no control character")
            default: bytes.append(byte)
            }
        }
        throw error("a quotation mark")
    }

    private mutating func escape(into bytes: inout [UInt8]) throws(JSONValue.SyntaxError) {
        guard let byte = next else { throw error("an escape") }
        offset += 1
        switch Unicode.Scalar(byte) {
        case "\"", "\\", "/": bytes.append(byte)
        case "b": bytes.append(0x08)
        case "f": bytes.append(0x0c)
        case "n": bytes.append(0x0a)
        case "r": bytes.append(0x0d)
        case "t": bytes.append(0x09)
        case "u":
            var unit = try hexadecimal()
            // The second half of a pair, for what is beyond 16 bits.
            if 0xd800 <= unit, unit < 0xdc00, take(word: "\\u") {
                let low = try hexadecimal()
                guard 0xdc00 <= low, low < 0xe000 else { throw error("a low surrogate") }
                unit = 0x10000 + (unit - 0xd800) << 10 + (low - 0xdc00)
            }
            guard let scalar = Unicode.Scalar(unit) else { throw error("a character") }
            bytes += Character(scalar).utf8
        default:
            offset -= 1
            throw error("an escape")
        }
    }

    private mutating func hexadecimal() throws(JSONValue.SyntaxError) -> UInt32 {
        let digits = text[offset...].prefix(4)
        guard digits.count == 4, digits.first != UInt8(ascii: "+"),
            digits.first != UInt8(ascii: "-"),
            let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw error("four hexadecimal digits") }
        offset += 4
        return value
    }
}
