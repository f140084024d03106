extension JSONValue {
    /// The text that describes a value: one line, without its end.
    ///
    /// - Throws: whatever the value's own encoding throws; numbers that are none (NaN) are null.
    public static func encode(_ value: some Encodable) throws -> [UInt8] {
        let place = JSONEncoding(codingPath: [])
        try value.encode(to: place)
        return place.result.text
    }
}

/// A place in a JSON text that a value is encoded to.
private final class JSONEncoding: Encoder, SingleValueEncodingContainer {
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }
    private var leaf: JSONValue = .null
    fileprivate var members: [String: JSONEncoding]?
    fileprivate var elements: [JSONEncoding]?

    init(codingPath: [any CodingKey]) { self.codingPath = codingPath }

    var result: JSONValue {
        if let members { return .object(members.mapValues(\.result)) }
        if let elements { return .array(elements.map(\.result)) }
        return leaf
    }

    func container<Key: CodingKey>(keyedBy: Key.Type) -> KeyedEncodingContainer<Key> {
        if members == nil { members = [:] }
        return KeyedEncodingContainer(Keyed<Key>(place: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        if elements == nil { elements = [] }
        return Unkeyed(place: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { self }

    func encodeNil() { leaf = .null }
    func encode(_ value: Bool) { leaf = .bool(value) }
    func encode(_ value: String) { leaf = .string(value) }
    func encode(_ value: Double) { leaf = value.isFinite ? .number("\(value)") : .null }
    func encode(_ value: Float) { leaf = value.isFinite ? .number("\(value)") : .null }
    func encode(_ value: Int) { leaf = .number("\(value)") }
    func encode(_ value: Int8) { leaf = .number("\(value)") }
    func encode(_ value: Int16) { leaf = .number("\(value)") }
    func encode(_ value: Int32) { leaf = .number("\(value)") }
    func encode(_ value: Int64) { leaf = .number("\(value)") }
    func encode(_ value: UInt) { leaf = .number("\(value)") }
    func encode(_ value: UInt8) { leaf = .number("\(value)") }
    func encode(_ value: UInt16) { leaf = .number("\(value)") }
    func encode(_ value: UInt32) { leaf = .number("\(value)") }
    func encode(_ value: UInt64) { leaf = .number("\(value)") }
    func encode(_ value: some Encodable) throws { try value.encode(to: self) }

    fileprivate func member(_ key: some CodingKey) -> JSONEncoding {
        let place = JSONEncoding(codingPath: codingPath + [key])
        members?[key.stringValue] = place
        return place
    }

    fileprivate func nextElement() -> JSONEncoding {
        let place = JSONEncoding(codingPath: codingPath)
        elements?.append(place)
        return place
    }
}

extension JSONEncoding {
    struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
        let place: JSONEncoding
        var codingPath: [any CodingKey] { place.codingPath }

        func encodeNil(forKey key: Key) { place.member(key).encodeNil() }
        func encode(_ value: some Encodable, forKey key: Key) throws {
            try value.encode(to: place.member(key))
        }
        func nestedContainer<Other: CodingKey>(
            keyedBy type: Other.Type, forKey key: Key
        ) -> KeyedEncodingContainer<Other> { place.member(key).container(keyedBy: type) }
        func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
            place.member(key).unkeyedContainer()
        }
        func superEncoder() -> any Encoder { place }
        func superEncoder(forKey key: Key) -> any Encoder { place.member(key) }
    }

    struct Unkeyed: UnkeyedEncodingContainer {
        let place: JSONEncoding
        var codingPath: [any CodingKey] { place.codingPath }
        var count: Int { place.elements?.count ?? 0 }

        func encodeNil() { place.nextElement().encodeNil() }
        func encode(_ value: some Encodable) throws { try value.encode(to: place.nextElement()) }
        func nestedContainer<Key: CodingKey>(
            keyedBy type: Key.Type
        ) -> KeyedEncodingContainer<Key> { place.nextElement().container(keyedBy: type) }
        func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
            place.nextElement().unkeyedContainer()
        }
        func superEncoder() -> any Encoder { place.nextElement() }
    }
}
