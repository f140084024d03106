extension JSONValue {
    /// The value that a text describes.
    ///
    /// - Throws: ``SyntaxError`` for what is no JSON, `DecodingError` for what is no such value.
    public static func decode<Value: Decodable>(
        _ type: Value.Type = Value.self, from text: [UInt8]
    ) throws -> Value {
        try Value(from: JSONDecoding(value: JSONValue(parsing: text), codingPath: []))
    }
}

extension DecodingError {
    /// What is wrong, and where, for a person: `links[0].in: a list expected`.
    public var wireDescription: String {
        switch self {
        case .typeMismatch(_, let context), .valueNotFound(_, let context),
            .dataCorrupted(let context):
            Self.path(context.codingPath) + context.debugDescription
        case .keyNotFound(let key, let context):
            Self.path(context.codingPath) + "\(key.stringValue) is missing"
        @unknown default: "\(self)"
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        var text = ""
        for key in keys {
            if let place = key.intValue {
                text += "[\(place)]"
            } else {
                text += (text.isEmpty ? "" : ".") + key.stringValue
            }
        }
        return text.isEmpty ? "" : text + ": "
    }
}

/// A place in a JSON text that a value is decoded from.
private struct JSONDecoding: Decoder, SingleValueDecodingContainer {
    let value: JSONValue
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func mismatch(_ type: Any.Type, _ expected: String) -> DecodingError {
        .typeMismatch(type, .init(codingPath: codingPath, debugDescription: "\(expected) expected"))
    }

    func container<Key: CodingKey>(keyedBy: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .object(let values) = value else { throw mismatch(Key.self, "an object") }
        return KeyedDecodingContainer(Keyed<Key>(values: values, codingPath: codingPath))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .array(let values) = value else { throw mismatch([JSONValue].self, "a list") }
        return Unkeyed(values: values, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer { self }

    func decodeNil() -> Bool { value == .null }

    func decode(_: Bool.Type) throws -> Bool {
        guard case .bool(let value) = value else { throw mismatch(Bool.self, "true or false") }
        return value
    }

    func decode(_: String.Type) throws -> String {
        guard case .string(let value) = value else { throw mismatch(String.self, "a text") }
        return value
    }

    private func number<Number: LosslessStringConvertible>(_: Number.Type) throws -> Number {
        guard case .number(let digits) = value else { throw mismatch(Number.self, "a number") }
        guard let number = Number(digits) else {
            throw mismatch(Number.self, "a number of type \(Number.self), and not \(digits),")
        }
        return number
    }

    func decode(_ type: Double.Type) throws -> Double { try number(type) }
    func decode(_ type: Float.Type) throws -> Float { try number(type) }
    func decode(_ type: Int.Type) throws -> Int { try number(type) }
    func decode(_ type: Int8.Type) throws -> Int8 { try number(type) }
    func decode(_ type: Int16.Type) throws -> Int16 { try number(type) }
    func decode(_ type: Int32.Type) throws -> Int32 { try number(type) }
    func decode(_ type: Int64.Type) throws -> Int64 { try number(type) }
    func decode(_ type: UInt.Type) throws -> UInt { try number(type) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try number(type) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try number(type) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try number(type) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try number(type) }
    func decode<Value: Decodable>(_: Value.Type) throws -> Value { try Value(from: self) }
}

extension JSONDecoding {
    struct Keyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let values: [String: JSONValue]
        let codingPath: [any CodingKey]

        var allKeys: [Key] { values.keys.sorted().compactMap { Key(stringValue: $0) } }
        func contains(_ key: Key) -> Bool { values[key.stringValue] != nil }
        func decodeNil(forKey key: Key) throws -> Bool { try place(key).value == .null }

        private func place(_ key: some CodingKey) throws -> JSONDecoding {
            guard let value = values[key.stringValue] else {
                throw DecodingError.keyNotFound(
                    key, .init(codingPath: codingPath, debugDescription: "missing"))
            }
            return JSONDecoding(value: value, codingPath: codingPath + [key])
        }

        func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
            try Value(from: place(key))
        }

        func nestedContainer<Other: CodingKey>(
            keyedBy type: Other.Type, forKey key: Key
        ) throws -> KeyedDecodingContainer<Other> {
            try place(key).container(keyedBy: type)
        }

        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
            try place(key).unkeyedContainer()
        }

        func superDecoder() throws -> any Decoder {
            JSONDecoding(value: .object(values), codingPath: codingPath)
        }
        func superDecoder(forKey key: Key) throws -> any Decoder { try place(key) }
    }

    struct Unkeyed: UnkeyedDecodingContainer {
        let values: [JSONValue]
        let codingPath: [any CodingKey]
        var currentIndex = 0

        var count: Int? { values.count }
        var isAtEnd: Bool { currentIndex == values.count }

        private struct Place: CodingKey {
            var intValue: Int?
            var stringValue: String { "\(intValue ?? 0)" }
            init(intValue: Int) { self.intValue = intValue }
            init?(stringValue: String) { return nil }
        }

        private mutating func next() throws -> JSONDecoding {
            let path = codingPath + [Place(intValue: currentIndex)]
            guard !isAtEnd else {
                throw DecodingError.valueNotFound(
                    JSONValue.self, .init(codingPath: path, debugDescription: "no more"))
            }
            currentIndex += 1
            return JSONDecoding(value: values[currentIndex - 1], codingPath: path)
        }

        mutating func decodeNil() throws -> Bool {
            guard !isAtEnd, values[currentIndex] == .null else { return false }
            currentIndex += 1
            return true
        }

        mutating func decode<Value: Decodable>(_: Value.Type) throws -> Value {
            try Value(from: next())
        }

        mutating func nestedContainer<Key: CodingKey>(
            keyedBy type: Key.Type
        ) throws -> KeyedDecodingContainer<Key> { try next().container(keyedBy: type) }

        mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
            try next().unkeyedContainer()
        }

        mutating func superDecoder() throws -> any Decoder { try next() }
    }
}
