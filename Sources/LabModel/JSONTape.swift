/// A JSON text cut into its values, without copying anything of it: where each begins and ends, one
/// after the other, each object's and array's contents behind it (RFC 8259).
struct JSONTape {
    /// A value, or the name of a member, which stands before its value.
    struct Entry {
        var kind: Kind
        /// Its text: of a string that between the quotation marks, of an object or array nothing.
        var text: Range<Int>
        /// The entry after it and all that is in it.
        var next: Int
    }

    enum Kind: UInt8 {
        case object, array, number, boolean, null
        /// A string without an escape, and one with some.
        case plain, escaped
    }

    /// What is wrong, and at which byte.
    struct Mistake: Error {
        var text: String
        var place: Int
    }

    /// How deep values may be nested.
    private static let maximumDepth = 64

    let bytes: [UInt8]
    private(set) var entries: [Entry] = []

    /// Cuts a text that is one value.
    init(_ bytes: [UInt8]) throws(Mistake) {
        self.bytes = bytes
        entries.reserveCapacity(32)
        var place = skipBlanks(0)
        place = try value(at: place, depth: 0)
        place = skipBlanks(place)
        guard place == bytes.count else { throw Mistake(text: "more than a value", place: place) }
    }

    private func skipBlanks(_ start: Int) -> Int {
        var place = start
        // Lines that JSONLine has written have none.
        while place < bytes.count, bytes[place] <= 0x20, Self.isBlank(bytes[place]) { place += 1 }
        return place
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d
    }

    private func byte(at place: Int) throws(Mistake) -> UInt8 {
        guard place < bytes.count else { throw Mistake(text: "the text ends", place: place) }
        return bytes[place]
    }

    /// Cuts the value that begins there; where it ends.
    private mutating func value(at start: Int, depth: Int) throws(Mistake) -> Int {
        guard depth < Self.maximumDepth else { throw Mistake(text: "too deep", place: start) }
        switch try byte(at: start) {
        case UInt8(ascii: "{"): return try object(at: start, depth: depth)
        case UInt8(ascii: "["): return try array(at: start, depth: depth)
        case UInt8(ascii: "\""): return try string(at: start)
        case UInt8(ascii: "t"): return try word("true", .boolean, at: start)
        case UInt8(ascii: "f"): return try word("false", .boolean, at: start)
        case UInt8(ascii: "n"): return try word("null", .null, at: start)
        default: return try number(at: start)
        }
    }

    private mutating func add(_ kind: Kind, _ text: Range<Int>) {
        entries.append(Entry(kind: kind, text: text, next: entries.count + 1))
    }

    private mutating func object(at start: Int, depth: Int) throws(Mistake) -> Int {
        let own = entries.count
        add(.object, start..<start)
        var place = skipBlanks(start + 1)
        if try byte(at: place) == UInt8(ascii: "}") { return place + 1 }
        while true {
            place = try string(at: place)
            place = skipBlanks(place)
            guard try byte(at: place) == UInt8(ascii: ":") else {
                throw Mistake(text: "a member without a value", place: place)
            }
            place = try value(at: skipBlanks(place + 1), depth: depth + 1)
            if try isOver(at: &place, end: UInt8(ascii: "}")) { break }
        }
        entries[own].next = entries.count
        return place
    }

    private mutating func array(at start: Int, depth: Int) throws(Mistake) -> Int {
        let own = entries.count
        add(.array, start..<start)
        var place = skipBlanks(start + 1)
        if try byte(at: place) == UInt8(ascii: "]") { return place + 1 }
        while true {
            place = try value(at: place, depth: depth + 1)
            if try isOver(at: &place, end: UInt8(ascii: "]")) { break }
        }
        entries[own].next = entries.count
        return place
    }

    /// Whether `end` follows there, and not a comma; passes it, and the blanks around it.
    private func isOver(at place: inout Int, end: UInt8) throws(Mistake) -> Bool {
        let found = skipBlanks(place)
        let byte = try byte(at: found)
        guard byte == end || byte == UInt8(ascii: ",") else {
            throw Mistake(text: "neither a comma nor an end", place: found)
        }
        place = skipBlanks(found + 1)
        return byte == end
    }

    private mutating func string(at start: Int) throws(Mistake) -> Int {
        guard try byte(at: start) == UInt8(ascii: "\"") else {
            throw Mistake(text: "no string where one must be", place: start)
        }
        var place = start + 1
        var kind = Kind.plain
        while true {
            switch try byte(at: place) {
            case UInt8(ascii: "\""):
                add(kind, start + 1..<place)
                return place + 1
            case UInt8(ascii: "\\"):
                kind = .escaped
                place += 2
            case ..<0x20: throw Mistake(text: "a control character in a string", place: place)
            default: place += 1
            }
        }
    }

    private mutating func word(
        _ word: StaticString, _ kind: Kind, at start: Int
    ) throws(Mistake) -> Int {
        let end = start + word.utf8CodeUnitCount
        let isThere =
            end <= bytes.count && word.withUTF8Buffer { bytes[start..<end].elementsEqual($0) }
        guard isThere else { throw Mistake(text: "no value", place: start) }
        add(kind, start..<end)
        return end
    }

    private mutating func number(at start: Int) throws(Mistake) -> Int {
        var place = start
        while place < bytes.count {
            switch bytes[place] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"),
                UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
                place += 1
                continue
            default: break
            }
            break
        }
        guard place > start else { throw Mistake(text: "no value", place: start) }
        add(.number, start..<place)
        return place
    }
}
