/// Writes JSON in one line, in the order in which it is told to.
struct JSONText {
    /// How strings are written.
    enum Escaping {
        /// By the book (RFC 8259 §7).
        case standard
        /// As keepalived does: a slash gets a backslash, which JSON allows.
        case keepalived
    }

    private(set) var text = ""
    private let escaping: Escaping
    private var needsComma = false

    init(_ escaping: Escaping = .standard) { self.escaping = escaping }

    mutating func object(_ body: (inout JSONText) -> Void) { bracket("{", "}", body) }

    mutating func array(_ body: (inout JSONText) -> Void) { bracket("[", "]", body) }

    mutating func name(_ name: String) {
        separate()
        quote(name)
        text += ":"
        needsComma = false
    }

    mutating func string(_ value: String) {
        separate()
        quote(value)
    }

    /// A number or a word of JSON, as it is to stand there.
    mutating func literal(_ value: String) {
        separate()
        text += value
    }

    mutating func field(_ name: String, _ value: String) {
        self.name(name)
        string(value)
    }

    mutating func field(_ name: String, _ value: some BinaryInteger) {
        self.name(name)
        literal(String(value))
    }

    mutating func field(_ name: String, _ value: Bool) {
        self.name(name)
        literal(value ? "true" : "false")
    }

    mutating func field(_ name: String, literal value: String) {
        self.name(name)
        literal(value)
    }

    private mutating func bracket(
        _ opening: String, _ closing: String, _ body: (inout JSONText) -> Void
    ) {
        separate()
        text += opening
        needsComma = false
        body(&self)
        text += closing
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { text += "," }
        needsComma = true
    }

    private mutating func quote(_ value: String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\t": text += "\\t"
            case "/" where escaping == .keepalived: text += "\\/"
            case _ where scalar.value < 0x20:
                text += "\\u" + Text.padded(0, 2) + hexadecimalByte(scalar.value)
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }

    private func hexadecimalByte(_ value: UInt32) -> String {
        (value < 16 ? "0" : "") + String(value, radix: 16)
    }
}
