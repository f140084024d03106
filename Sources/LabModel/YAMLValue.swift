/// A place in a YAML text.
struct YAMLMark: Hashable, Comparable, Sendable {
    /// The line, from 1.
    var line: Int
    /// The column in Unicode scalars, from 1.
    var column: Int

    static func < (left: Self, right: Self) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// A YAML node with the place where it begins: what the lab file's decoder reads.
///
/// Scalars stay the text they were written as, so that `no`, `0755` and `1.10` mean what the key
/// they belong to says and not what YAML 1.1 would make of them.
struct YAMLValue: Sendable {
    /// What a node holds.
    enum Content: Sendable {
        /// A text; `isPlain` when it stood without quotes.
        case scalar(String, isPlain: Bool)
        case sequence([YAMLValue])
        case mapping([YAMLEntry])
    }
    var content: Content
    var mark: YAMLMark

    /// Whether nothing is written here, or YAML's word for nothing.
    var isNull: Bool {
        guard case .scalar(let text, isPlain: true) = content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    /// What this is, in the words of messages about a wrong type.
    var typeInWords: String {
        switch content {
        case _ where isNull: "nothing"
        case .scalar(let text, _): text.isEmpty ? "an empty text" : "'\(text)'"
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }
}

/// One key of a mapping with its value.
struct YAMLEntry: Sendable {
    var key: String
    var keyMark: YAMLMark
    var value: YAMLValue

    /// Where a message about the value points: to the value, or to the key where none is written.
    var mark: YAMLMark { value.isNull ? keyMark : value.mark }
}

/// A value with the place where it is written.
struct Located<Value> {
    var value: Value
    var mark: YAMLMark

    init(_ value: Value, _ mark: YAMLMark) {
        self.value = value
        self.mark = mark
    }
}

extension Located: Sendable where Value: Sendable {}
