import NetworkTypes

/// A YAML text that is being written: what ``YAMLDocument`` reads again, value for value.
///
/// Scalars that cannot be mistaken are written plain, all others in double quotes (YAML 1.2
/// §7.3.1).
indirect enum YAMLText: Equatable {
    /// A text, quoted where it has to be.
    case text(String)
    /// A number, a duration or `true`: never quoted, since the lab file's decoder minds.
    case word(String)
    case list([YAMLText])
    /// In order; a key whose value is nil is left out.
    case mapping([Field])

    struct Field: Equatable {
        var key: String
        var value: YAMLText
    }

    /// A mapping of these, without those that have no value.
    static func fields(_ fields: (String, YAMLText?)...) -> YAMLText {
        .mapping(fields.compactMap { key, value in value.map { Field(key: key, value: $0) } })
    }

    static func duration(_ duration: Duration) -> YAMLText { .word(duration.lossless) }

    static func texts(_ texts: [String]) -> YAMLText { .list(texts.map(YAMLText.text)) }

    /// In one line: `{ kill: master, at: "advert(master) + 300ms" }`.
    var line: String {
        switch self {
        case .text(let text): Self.isPlain(text) ? text : Self.quoted(text)
        case .word(let word): word
        case .list(let values): "[" + values.map(\.line).joined(separator: ", ") + "]"
        case .mapping(let fields) where fields.isEmpty: "{}"
        case .mapping(let fields): "{ " + fields.map(\.line).joined(separator: ", ") + " }"
        }
    }

    /// As an element of a list in the block style: a mapping of one key without its braces.
    var element: String {
        if case .mapping(let fields) = self, fields.count == 1 { return "- \(fields[0].line)" }
        return "- \(line)"
    }

    /// Letters, digits and what no parser takes for anything else between them. Not what a reader
    /// could take for another type, though here every scalar is a text.
    fileprivate static func isPlain(_ text: String) -> Bool {
        guard let first = text.utf8.first, isLetterOrDigit(first), text.utf8.count <= 64 else {
            return false
        }
        let isOther = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"].contains(
            text.lowercased())
        return !isOther
            && text.utf8.allSatisfy { isLetterOrDigit($0) || "-_./".utf8.contains($0) }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte)
            || (0x61...0x7a).contains(byte)
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            case "\r": quoted += "\\r"
            // Control characters, line ends of Unicode, the byte-order mark and what is not
            // printable for YAML (§5.1).
            case "\u{0}"..."\u{1f}", "\u{7f}"..."\u{a0}", "\u{2028}", "\u{2029}", "\u{feff}",
                "\u{fffe}", "\u{ffff}":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

extension YAMLText.Field {
    /// `key: value`.
    ///
    /// Keys are never taken for anything but texts, so `on` needs no quotes here.
    var line: String {
        let isPlain = YAMLText.isPlain(key + "_")
        return "\(isPlain ? key : YAMLText.text(key).line): \(value.line)"
    }
}

extension Duration {
    /// The duration so that `init(durationText:)` reads the very same again, to the nanosecond.
    fileprivate var lossless: String {
        let (microseconds, rest) = wholeNanoseconds.quotientAndRemainder(dividingBy: 1000)
        guard rest != 0 else { return exactText }
        let digits = String(rest)
        return "\(microseconds).\(String(repeating: "0", count: 3 - digits.count))\(digits)us"
    }
}
