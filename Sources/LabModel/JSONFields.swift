import NetworkTypes

/// Where a value writes its fields: JSON text at once (``JSONLine``), or an `Encoder`.
///
/// The timeline is written as it happens, by a supervisor that has other things to do, and
/// JSONEncoder takes some tens of microseconds an event.
public protocol JSONFields {
    mutating func field(_ key: String, _ text: String)
    mutating func field(_ key: String, _ number: Int64)
    mutating func field(_ key: String, _ flag: Bool)
    mutating func field(_ key: String, _ texts: [String])
    mutating func field(_ key: String, _ groups: [[String]])
    mutating func field(_ key: String, _ octets: [UInt8])
    mutating func field(_ key: String, _ object: some JSONWritable)
    mutating func field(_ key: String, _ objects: [some JSONWritable])
}

extension JSONFields {
    mutating func field(_ key: String, _ number: some BinaryInteger) {
        field(key, Int64(number))
    }

    mutating func field(_ key: String, _ time: MonotonicInstant) { field(key, time.nanoseconds) }

    mutating func field(_ key: String, _ duration: Duration) {
        field(key, duration.wholeNanoseconds)
    }

    mutating func field(_ key: String, _ value: some TextCodable) { field(key, value.description) }

    mutating func field(_ key: String, _ value: some RawRepresentable<String>) {
        field(key, value.rawValue)
    }
}

/// A value that is an object in JSON, whose fields it writes itself.
public protocol JSONWritable: Encodable {
    /// Writes the fields, in the order in which people read them.
    func write(to fields: inout some JSONFields)
}

extension JSONWritable {
    public func encode(to encoder: any Encoder) throws {
        var fields = EncoderFields(encoder.container(keyedBy: EncoderFields.Key.self))
        write(to: &fields)
        if let error = fields.error { throw error }
    }
}

/// Fields that go to an `Encoder`.
private struct EncoderFields: JSONFields {
    struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(_ name: String) { stringValue = name }
        init?(stringValue: String) { self.init(stringValue) }
        init?(intValue: Int) { nil }
    }

    private var container: KeyedEncodingContainer<Key>
    /// The first that the encoder has thrown.
    private(set) var error: (any Error)?

    init(_ container: KeyedEncodingContainer<Key>) { self.container = container }

    private mutating func put(_ key: String, _ value: some Encodable) {
        guard error == nil else { return }
        do { try container.encode(value, forKey: Key(key)) } catch { self.error = error }
    }

    mutating func field(_ key: String, _ text: String) { put(key, text) }
    mutating func field(_ key: String, _ number: Int64) { put(key, number) }
    mutating func field(_ key: String, _ flag: Bool) { put(key, flag) }
    mutating func field(_ key: String, _ texts: [String]) { put(key, texts) }
    mutating func field(_ key: String, _ groups: [[String]]) { put(key, groups) }
    mutating func field(_ key: String, _ octets: [UInt8]) { put(key, Hexadecimal.text(octets)) }
    mutating func field(_ key: String, _ object: some JSONWritable) { put(key, object) }
    mutating func field(_ key: String, _ objects: [some JSONWritable]) { put(key, objects) }
}
