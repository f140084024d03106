// The encoding of what the supervisor, `NodeInit` and `labctl` say to each other: fields one after
// the other, integers little-endian, texts and lists led by their count. Both ends are always built
// together, so there is no version in it; a message that does not decode is a fault of ours and is
// thrown, never guessed at.

/// A message that does not decode.
public struct WireError: Error, CustomStringConvertible {
    /// What was expected where the bytes ended or did not fit.
    public var expected: String
    public var description: String { "message does not decode: \(expected) expected" }
}

/// Builds a message.
public struct WireWriter {
    /// The bytes so far.
    public private(set) var bytes: [UInt8] = []

    /// Begins an empty message.
    public init() {}

    /// Adds an integer of fixed width.
    public mutating func put(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Adds a truth value.
    public mutating func put(_ value: Bool) { bytes.append(value ? 1 : 0) }

    /// Adds a text.
    public mutating func put(_ text: String) { put(Array(text.utf8)) }

    /// Adds a string of bytes.
    public mutating func put(_ value: [UInt8]) {
        put(UInt32(value.count))
        bytes.append(contentsOf: value)
    }

    /// Adds a value that may be missing.
    public mutating func put<Value>(
        _ value: Value?, _ write: (inout WireWriter, Value) -> Void
    ) {
        put(value != nil)
        if let value { write(&self, value) }
    }

    /// Adds a list.
    public mutating func put<Value>(
        _ values: [Value], _ write: (inout WireWriter, Value) -> Void
    ) {
        put(UInt32(values.count))
        for value in values { write(&self, value) }
    }
}

/// Takes a message apart.
public struct WireReader {
    private var rest: ArraySlice<UInt8>

    /// Begins at the first byte.
    public init(_ bytes: [UInt8]) { rest = bytes[...] }

    /// Whether every byte has been read.
    public var isAtEnd: Bool { rest.isEmpty }

    /// Reads an integer of fixed width.
    public mutating func integer<Value: FixedWidthInteger>(
        _: Value.Type = Value.self
    ) throws(WireError) -> Value {
        let width = Value.bitWidth / 8
        guard rest.count >= width else { throw WireError(expected: "an integer of \(width) bytes") }
        var value: Value = 0
        for byte in rest.prefix(width).reversed() { value = value << 8 | Value(byte) }
        rest = rest.dropFirst(width)
        return value
    }

    /// Reads a truth value.
    public mutating func bool() throws(WireError) -> Bool { try integer(UInt8.self) != 0 }

    /// Reads a string of bytes.
    public mutating func byteString() throws(WireError) -> [UInt8] {
        let count = try integer(UInt32.self)
        guard rest.count >= Int(count) else { throw WireError(expected: "\(count) bytes") }
        defer { rest = rest.dropFirst(Int(count)) }
        return Array(rest.prefix(Int(count)))
    }

    /// Reads a text; what is not UTF-8 in it is repaired.
    public mutating func text() throws(WireError) -> String {
        String(decoding: try byteString(), as: UTF8.self)
    }

    /// Reads a value that may be missing.
    public mutating func optional<Value>(
        _ read: (inout WireReader) throws(WireError) -> Value
    ) throws(WireError) -> Value? {
        try bool() ? try read(&self) : nil
    }

    /// Reads a list.
    public mutating func list<Value>(
        _ read: (inout WireReader) throws(WireError) -> Value
    ) throws(WireError) -> [Value] {
        let count = try integer(UInt32.self)
        var values: [Value] = []
        for _ in 0..<count { values.append(try read(&self)) }
        return values
    }
}

/// A value with a place in messages.
public protocol WireCodable {
    /// Adds it to a message.
    func write(to writer: inout WireWriter)
    /// Reads it from a message.
    init(from reader: inout WireReader) throws(WireError)
}

extension WireCodable {
    /// It as a whole message.
    public var message: [UInt8] {
        var writer = WireWriter()
        write(to: &writer)
        return writer.bytes
    }

    /// Reads it from a whole message.
    public init(message: [UInt8]) throws(WireError) {
        var reader = WireReader(message)
        try self.init(from: &reader)
        guard reader.isAtEnd else { throw WireError(expected: "the end of the message") }
    }
}
