// What the values of a JSON text are.

extension JSONTape {
    /// Whether a string without an escape is that one.
    func isString(_ index: Int, _ text: String) -> Bool {
        let entry = entries[index]
        guard entry.kind == .plain else { return (try? string(index)) == text }
        var text = text
        return text.withUTF8 { utf8 in
            guard utf8.count == entry.text.count else { return false }
            for (offset, byte) in utf8.enumerated()
            where bytes[entry.text.lowerBound + offset] != byte {
                return false
            }
            return true
        }
    }

    /// The integer there; nil for anything else, and for one that the type has no room for.
    func integer<Value: FixedWidthInteger>(_ index: Int, _ type: Value.Type) -> Value? {
        let entry = entries[index]
        guard entry.kind == .number else { return nil }
        var digits = bytes[entry.text]
        let isNegative = digits.first == UInt8(ascii: "-")
        if isNegative { digits.removeFirst() }
        guard !digits.isEmpty else { return nil }
        var result: Value = 0
        for byte in digits {
            guard case UInt8(ascii: "0")...UInt8(ascii: "9") = byte else { return nil }
            let digit = Value(byte - UInt8(ascii: "0"))
            let (tens, isTooBig) = result.multipliedReportingOverflow(by: 10)
            let (next, isTooBigNow) =
                isNegative
                ? tens.subtractingReportingOverflow(digit) : tens.addingReportingOverflow(digit)
            guard !isTooBig, !isTooBigNow else { return nil }
            result = next
        }
        return result
    }

    /// The string there.
    ///
    /// - Throws: ``Mistake`` for an escape that is none.
    func string(_ index: Int) throws(Mistake) -> String? {
        let entry = entries[index]
        switch entry.kind {
        case .plain: return String(decoding: bytes[entry.text], as: UTF8.self)
        case .escaped: return try unescaped(entry.text)
        case .object, .array, .number, .boolean, .null: return nil
        }
    }

    private func unescaped(_ text: Range<Int>) throws(Mistake) -> String {
        var result: [UInt8] = []
        var place = text.lowerBound
        while place < text.upperBound {
            guard bytes[place] == UInt8(ascii: "\\") else {
                result.append(bytes[place])
                place += 1
                continue
            }
            let escape = bytes[place + 1]
            place += 2
            switch escape {
            case UInt8(ascii: "n"): result.append(0x0a)
            case UInt8(ascii: "t"): result.append(0x09)
            case UInt8(ascii: "r"): result.append(0x0d)
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0c)
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(escape)
            case UInt8(ascii: "u"):
                let scalar = try scalar(at: &place, before: text.upperBound)
                result.append(contentsOf: String(Character(scalar)).utf8)
            default: throw Mistake(text: "no escape", place: place - 1)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The scalar behind `\u`, and behind a second one where it takes two.
    private func scalar(at place: inout Int, before end: Int) throws(Mistake) -> UnicodeScalar {
        let first = try unit(at: &place, before: end)
        if let scalar = UnicodeScalar(first) { return scalar }
        guard (0xd800..<0xdc00).contains(first), place + 2 <= end,
            bytes[place] == UInt8(ascii: "\\"), bytes[place + 1] == UInt8(ascii: "u")
        else { throw Mistake(text: "half a character", place: place) }
        place += 2
        let second = try unit(at: &place, before: end)
        guard (0xdc00..<0xe000).contains(second),
            let scalar = UnicodeScalar(
                0x10000 + (UInt32(first) - 0xd800) << 10 + (UInt32(second) - 0xdc00))
        else { throw Mistake(text: "half a character", place: place) }
        return scalar
    }

    private func unit(at place: inout Int, before end: Int) throws(Mistake) -> UInt16 {
        guard place + 4 <= end else { throw Mistake(text: "four digits are missing", place: place) }
        var unit: UInt16 = 0
        for byte in bytes[place..<place + 4] {
            guard let digit = Character(UnicodeScalar(byte)).hexDigitValue else {
                throw Mistake(text: "no hexadecimal digit", place: place)
            }
            unit = unit << 4 | UInt16(digit)
        }
        place += 4
        return unit
    }
}
