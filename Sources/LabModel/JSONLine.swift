/// JSON text that is written straight into bytes: an object a line, without white space.
public struct JSONLine: JSONFields {
    /// What has been written so far.
    public private(set) var bytes: [UInt8] = []
    private var isFirst = true

    public init() {}

    /// Forgets what was written, and keeps its memory.
    public mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    /// Appends a value as one line.
    public mutating func append(_ value: some JSONWritable) {
        object(value)
        bytes.append(UInt8(ascii: "\n"))
    }

    /// Appends text as it is.
    public mutating func append(literal text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func object(_ value: some JSONWritable) {
        let outer = isFirst
        bytes.append(UInt8(ascii: "{"))
        isFirst = true
        value.write(to: &self)
        bytes.append(UInt8(ascii: "}"))
        isFirst = outer
    }

    public mutating func field(_ key: String, _ text: String) {
        begin(key)
        string(text)
    }

    public mutating func field(_ key: String, _ number: Int64) {
        begin(key)
        self.number(number)
    }

    public mutating func field(_ key: String, _ flag: Bool) {
        begin(key)
        append(literal: flag ? "true" : "false")
    }

    public mutating func field(_ key: String, _ texts: [String]) {
        begin(key)
        list(texts) { $0.string($1) }
    }

    public mutating func field(_ key: String, _ groups: [[String]]) {
        begin(key)
        list(groups) { line, texts in line.list(texts) { $0.string($1) } }
    }

    public mutating func field(_ key: String, _ octets: [UInt8]) {
        begin(key)
        bytes.append(UInt8(ascii: "\""))
        Hexadecimal.append(octets, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    public mutating func field(_ key: String, _ object: some JSONWritable) {
        begin(key)
        self.object(object)
    }

    public mutating func field(_ key: String, _ objects: [some JSONWritable]) {
        begin(key)
        list(objects) { $0.object($1) }
    }

    /// Keys are written by this module, and need no escapes.
    private mutating func begin(_ key: String) {
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        isFirst = false
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: key.utf8)
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
    }

    private mutating func list<Element>(
        _ elements: [Element], _ write: (inout JSONLine, Element) -> Void
    ) {
        bytes.append(UInt8(ascii: "["))
        for (index, element) in elements.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            write(&self, element)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    private mutating func number(_ number: Int64) {
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        var rest = number.magnitude
        let start = bytes.count
        repeat {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            bytes.append(UInt8(ascii: "0") + UInt8(digit))
            rest = quotient
        } while rest > 0
        bytes[start...].reverse()
    }

    private mutating func string(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): append(literal: #"\""#)
            case UInt8(ascii: "\\"): append(literal: #"\\"#)
            case UInt8(ascii: "\n"): append(literal: #"\n"#)
            case ..<0x20:
                append(literal: #"\u00"#)
                Hexadecimal.append([byte], to: &bytes)
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
