/// Takes options and other words off a command line as getopt_long(3) does, options anywhere.
struct OptionReader {
    /// One of them.
    enum Word: Equatable {
        case plain(String)
        case option(String, value: String?)
    }

    /// The words that have not been read.
    private(set) var rest: ArraySlice<String>
    /// The letters of a group (`-xe`) that are still to be read.
    private var letters: Substring = ""
    /// Whether `--` has been read, after which nothing is an option.
    private(set) var isOver = false

    init(_ arguments: [String]) { rest = arguments[...] }

    /// The next one; nil at the end.
    ///
    /// - Parameters:
    ///   - withValue: the options that have one: `-n 5`, `-n5`, `--lines 5`, `--lines=5`.
    ///   - mayHaveValue: those that have one in the same word (`-n5`, `--lines=5`) or none.
    mutating func next(
        withValue: Set<String>, mayHaveValue: Set<String> = []
    ) throws(UsageError) -> Word? {
        if let letter = letters.popFirst() {
            let name = "-\(letter)"
            if mayHaveValue.contains(name), !letters.isEmpty {
                defer { letters = "" }
                return .option(name, value: String(letters))
            }
            return try short(name, withValue)
        }
        guard let word = rest.popFirst() else { return nil }
        if isOver || !word.hasPrefix("-") || word == "-" { return .plain(word) }
        if word == "--" {
            isOver = true
            return try next(withValue: withValue, mayHaveValue: mayHaveValue)
        }
        guard word.hasPrefix("--") else {
            letters = word.dropFirst()
            return try next(withValue: withValue, mayHaveValue: mayHaveValue)
        }
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        if parts.count == 2 { return .option(name, value: String(parts[1])) }
        return .option(name, value: withValue.contains(name) ? try value(of: name) : nil)
    }

    /// Takes the next word, where it is one of those: a value that may be missing.
    mutating func takeWord(where isValue: (String) -> Bool) -> String? {
        guard letters.isEmpty, let word = rest.first, isValue(word) else { return nil }
        return rest.removeFirst()
    }

    private mutating func short(_ name: String, _ withValue: Set<String>) throws(UsageError) -> Word
    {
        guard withValue.contains(name) else { return .option(name, value: nil) }
        if letters.isEmpty { return .option(name, value: try value(of: name)) }
        defer { letters = "" }
        return .option(name, value: String(letters))
    }

    private mutating func value(of name: String) throws(UsageError) -> String {
        guard let value = rest.popFirst() else {
            throw UsageError(message: "option '\(name)' requires an argument")
        }
        return value
    }
}
