/// Decodes values from lines of JSON, the counterpart of ``JSONLine``.
///
/// JSONDecoder takes some tens of microseconds an event, and a recorded run has a million. This one
/// reads no number with a fraction, which the timeline has none of.
public struct JSONLineDecoder: Sendable {
    public init() {}

    /// Decodes the value that a line is.
    ///
    /// - Throws: `DecodingError`.
    public func decode<Value: Decodable>(
        _ type: Value.Type, from line: some Sequence<UInt8>
    ) throws -> Value {
        let tape: JSONTape
        do {
            tape = try JSONTape(Array(line))
        } catch {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(
                    codingPath: [], debugDescription: "byte \(error.place): \(error.text)"))
        }
        return try Value(from: Reader(text: Text(tape), index: 0))
    }
}

/// A text that all readers of its values share.
private final class Text {
    let tape: JSONTape

    init(_ tape: JSONTape) { self.tape = tape }
}

/// One value of a text.
private struct Reader: Decoder, SingleValueDecodingContainer {
    let text: Text
    let index: Int

    /// Kept by nobody: an array of keys for each value would cost more than the value.
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    private var kind: JSONTape.Kind { text.tape.entries[index].kind }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard kind == .object else { throw mismatch([String: Any].self) }
        return KeyedDecodingContainer(Members<Key>(object: self))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard kind == .array else { throw mismatch([Any].self) }
        return Elements(array: self)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { self }

    /// Another value of the text.
    func reader(_ index: Int) -> Reader { Reader(text: text, index: index) }

    func mismatch(_ type: Any.Type) -> DecodingError {
        .typeMismatch(
            type,
            DecodingError.Context(
                codingPath: codingPath,
                debugDescription: "byte \(text.tape.entries[index].text.lowerBound): a \(kind)"))
    }

    func decodeNil() -> Bool { kind == .null }

    func decode(_ type: Bool.Type) throws -> Bool {
        guard kind == .boolean else { throw mismatch(type) }
        return text.tape.bytes[text.tape.entries[index].text.lowerBound] == UInt8(ascii: "t")
    }

    func decode(_ type: String.Type) throws -> String {
        do {
            if let string = try text.tape.string(index) { return string }
        } catch {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(
                    codingPath: codingPath, debugDescription: "byte \(error.place): \(error.text)"))
        }
        throw mismatch(type)
    }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try Value(from: self) }

    func integer<Value: FixedWidthInteger>(_ type: Value.Type) throws -> Value {
        guard let value = text.tape.integer(index, type) else { throw mismatch(type) }
        return value
    }

    func decode(_ type: Double.Type) throws -> Double { Double(try integer(Int64.self)) }
    func decode(_ type: Float.Type) throws -> Float { Float(try integer(Int64.self)) }
    func decode(_ type: Int.Type) throws -> Int { try integer(type) }
    func decode(_ type: Int8.Type) throws -> Int8 { try integer(type) }
    func decode(_ type: Int16.Type) throws -> Int16 { try integer(type) }
    func decode(_ type: Int32.Type) throws -> Int32 { try integer(type) }
    func decode(_ type: Int64.Type) throws -> Int64 { try integer(type) }
    func decode(_ type: UInt.Type) throws -> UInt { try integer(type) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try integer(type) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try integer(type) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try integer(type) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try integer(type) }
}

/// The members of an object.
private struct Members<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let object: Reader

    var codingPath: [any CodingKey] { object.codingPath }

    private var tape: JSONTape { object.text.tape }

    /// The place of every member's value, by the place of its name.
    private var names: [Int] {
        var names: [Int] = []
        var index = object.index + 1
        while index < tape.entries[object.index].next {
            names.append(index)
            index = tape.entries[index + 1].next
        }
        return names
    }

    /// The index of a member's value: of its last, where there are several.
    private func index(of key: Key) -> Int? {
        let text = object.text
        let name = key.stringValue
        let end = text.tape.entries[object.index].next
        var index = object.index + 1
        var found: Int?
        while index < end {
            if text.tape.isString(index, name) { found = index + 1 }
            index = text.tape.entries[index + 1].next
        }
        return found
    }

    private func reader(_ key: Key) throws -> Reader {
        guard let index = index(of: key) else {
            throw DecodingError.keyNotFound(
                key,
                DecodingError.Context(
                    codingPath: codingPath, debugDescription: "there is no \(key.stringValue)"))
        }
        return object.reader(index)
    }

    var allKeys: [Key] {
        names.compactMap { index in
            (try? tape.string(index)).flatMap { $0 }.flatMap { Key(stringValue: $0) }
        }
    }

    func contains(_ key: Key) -> Bool { index(of: key) != nil }
    func decodeNil(forKey key: Key) throws -> Bool { try reader(key).decodeNil() }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        try reader(key).decode(type)
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<NestedKey> {
        try reader(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try reader(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { object }
    func superDecoder(forKey key: Key) throws -> any Decoder { try reader(key) }
}

/// The elements of an array.
private struct Elements: UnkeyedDecodingContainer {
    private let array: Reader
    private let end: Int
    private var next: Int
    private(set) var currentIndex = 0

    let count: Int?
    var codingPath: [any CodingKey] { array.codingPath }
    var isAtEnd: Bool { next == end }

    init(array: Reader) {
        self.array = array
        let entries = array.text.tape.entries
        end = entries[array.index].next
        next = array.index + 1
        var number = 0
        var index = next
        while index < end {
            number += 1
            index = entries[index].next
        }
        count = number
    }

    private mutating func take() throws -> Reader {
        guard !isAtEnd else {
            throw DecodingError.valueNotFound(
                Any.self,
                DecodingError.Context(
                    codingPath: codingPath, debugDescription: "there are \(currentIndex)"))
        }
        let reader = array.reader(next)
        next = array.text.tape.entries[next].next
        currentIndex += 1
        return reader
    }

    mutating func decodeNil() throws -> Bool {
        var copy = self
        guard try copy.take().decodeNil() else { return false }
        self = copy
        return true
    }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try take().decode(type)
    }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type
    ) throws -> KeyedDecodingContainer<NestedKey> {
        try take().container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try take().unkeyedContainer()
    }

    mutating func superDecoder() throws -> any Decoder { try take() }
}
