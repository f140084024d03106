/// A character of a line that is not in the file as it stands there, with what it comes from.
struct Cell: Hashable, Sendable {
    var byte: UInt8
    /// Whether it is a comment character that was escaped.
    var isLiteral = false
    /// The column of the character in the file that it comes from, in the line being read.
    var column: Int32
}

extension Array where Element == Cell {
    /// The cells as text.
    var text: String { String(decoding: map(\.byte), as: UTF8.self) }

    /// Whether the text starts with these characters.
    func hasPrefix(_ prefix: String) -> Bool {
        count >= prefix.utf8.count && zip(self, prefix.utf8).allSatisfy { $0.byte == $1 }
    }

    /// The place of the first of these bytes at or after a place; nil: none is there.
    func firstIndex(from start: Int, where isWanted: (UInt8) -> Bool) -> Int? {
        self[start...].firstIndex { isWanted($0.byte) }
    }

    /// The cells from a place on, blanks at their start left out.
    func dropping(_ count: Int) -> [Cell] {
        Array(dropFirst(count).drop { isBlankByte($0.byte) })
    }
}

/// What a byte can mean to the lexer, as bits, so that a line's can be added up.
enum ByteClass {
    /// `$` and `\`: the line has to be looked at closely.
    static let special: UInt8 = 1
    /// `'`, `"` and `\`: a command may be split into other words than a line.
    static let quoting: UInt8 = 2
    /// No ASCII: bytes and columns differ.
    static let multibyte: UInt8 = 0x80

    /// The class of a byte.
    @inline(__always)
    static func of(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "$"): special
        case UInt8(ascii: "\\"): special | quoting
        case UInt8(ascii: "\""), UInt8(ascii: "'"): quoting
        default: byte & 0x80
        }
    }
}

/// Whether the byte continues a UTF-8 character, and so takes no column of its own.
func isContinuationByte(_ byte: UInt8) -> Bool { byte & 0xc0 == 0x80 }

/// Whether the byte may stand in a variable's name.
func isNameByte(_ byte: UInt8) -> Bool {
    isNameStartByte(byte) || (0x30...0x39).contains(byte)
}

/// Whether the byte may start a variable's name.
func isNameStartByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "_"):
        true
    default: false
    }
}

/// Whether the byte is white space to keepalived (`isspace` in the C locale).
func isSpaceByte(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }

/// Whether the byte is a blank or a tab.
func isBlankByte(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

/// The text without white space at its ends.
func trimmed(_ text: String) -> String {
    let utf8 = text.utf8
    guard let first = utf8.firstIndex(where: { !isSpaceByte($0) }),
        let last = utf8.lastIndex(where: { !isSpaceByte($0) })
    else { return "" }
    return String(text[first...last])
}
