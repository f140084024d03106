/// What a pattern names in a view of files, as glob(3) with GLOB_BRACE finds it.
struct Glob {
    /// The paths found: those of the first alternative in braces first, each lot sorted.
    private(set) var paths: [String] = []
    /// Whether a file or a folder was not found that the pattern names without wildcards.
    private(set) var hasMissing = false
    /// Whether a folder was looked through.
    private(set) var hasWildcard = false
    private let files: ConfigurationFiles

    /// Looks for `pattern`, which counts from `folder` (empty, or ending in a slash) unless it is
    /// absolute.
    init(_ pattern: String, in folder: String, files: ConfigurationFiles) {
        self.files = files
        for alternative in Self.alternatives(Array(pattern.utf8)) {
            find(alternative, in: folder)
        }
    }

    /// Whether the pattern has a brace that is not escaped.
    static func hasBrace(_ pattern: String) -> Bool {
        var isEscaped = false
        for byte in pattern.utf8 {
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "{") {
                return true
            }
        }
        return false
    }

    // MARK: Braces

    /// The most patterns that one with braces may stand for.
    private static let maximumAlternatives = 4096

    /// The patterns that one with braces stands for, in order.
    private static func alternatives(_ pattern: [UInt8]) -> [[UInt8]] {
        var finished: [[UInt8]] = []
        var waiting = [pattern]
        while let next = waiting.popLast(), finished.count < maximumAlternatives {
            guard let (before, choices, after) = firstBrace(in: next) else {
                finished.append(next)
                continue
            }
            waiting += choices.reversed().map { before + $0 + after }
        }
        return finished
    }

    /// The first `{a,b}` and what is around it; nil where none is closed.
    private static func firstBrace(
        in pattern: [UInt8]
    ) -> (before: [UInt8], choices: [[UInt8]], after: [UInt8])? {
        guard let open = unescaped(UInt8(ascii: "{"), in: pattern) else { return nil }
        var choices: [[UInt8]] = [[]]
        var depth = 0
        var index = open + 1
        while index < pattern.count {
            let byte = pattern[index]
            switch byte {
            case UInt8(ascii: "\\") where index + 1 < pattern.count:
                choices[choices.count - 1] += pattern[index...(index + 1)]
                index += 2
                continue
            case UInt8(ascii: "}") where depth == 0:
                return (Array(pattern[..<open]), choices, Array(pattern[(index + 1)...]))
            case UInt8(ascii: ",") where depth == 0:
                choices.append([])
                index += 1
                continue
            case UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "}"): depth -= 1
            default: break
            }
            choices[choices.count - 1].append(byte)
            index += 1
        }
        return nil
    }

    private static func unescaped(_ wanted: UInt8, in pattern: [UInt8]) -> Int? {
        var index = 0
        while index < pattern.count {
            if pattern[index] == wanted { return index }
            index += pattern[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return nil
    }

    // MARK: Wildcards

    private mutating func find(_ pattern: [UInt8], in folder: String) {
        let isAbsolute = pattern.first == UInt8(ascii: "/")
        let components = pattern.split(separator: UInt8(ascii: "/")).map(Array.init)
        var found = [isAbsolute ? "/" : folder]
        for (position, component) in components.enumerated() {
            let isLast = position == components.count - 1
            if Self.isMagic(component) {
                found = found.flatMap { names(matching: component, in: $0) }
            } else {
                let name = Self.unescaped(component)
                found = found.map { $0 + name }
                if isLast { found = found.filter { exists($0) } }
            }
            if !isLast { found = found.map { $0 + "/" } }
        }
        guard !components.isEmpty else { return }
        paths += found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private mutating func exists(_ path: String) -> Bool {
        if files.content(path) != nil { return true }
        hasMissing = true
        return false
    }

    private mutating func names(matching pattern: [UInt8], in folder: String) -> [String] {
        hasWildcard = true
        guard let names = files.names(folder) else {
            hasMissing = true
            return []
        }
        return names.filter { matches(Array($0.utf8)[...], pattern[...]) && !isHidden($0, pattern) }
            .map { folder + $0 }
    }

    /// A name that starts with a dot is found only by a pattern that does.
    private func isHidden(_ name: String, _ pattern: [UInt8]) -> Bool {
        name.utf8.first == UInt8(ascii: ".") && pattern.first != UInt8(ascii: ".")
    }

    private static func isMagic(_ component: [UInt8]) -> Bool {
        var isEscaped = false
        for byte in component {
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if "*?[".utf8.contains(byte) {
                return true
            }
        }
        return false
    }

    private static func unescaped(_ component: [UInt8]) -> String {
        var name: [UInt8] = []
        var isEscaped = false
        for byte in component {
            if byte == UInt8(ascii: "\\"), !isEscaped {
                isEscaped = true
                continue
            }
            name.append(byte)
            isEscaped = false
        }
        return String(decoding: name, as: UTF8.self)
    }

    /// Whether a name is what fnmatch(3) finds the pattern to mean.
    private func matches(_ name: ArraySlice<UInt8>, _ pattern: ArraySlice<UInt8>) -> Bool {
        guard let first = pattern.first else { return name.isEmpty }
        let rest = pattern.dropFirst()
        switch first {
        case UInt8(ascii: "*"):
            return (name.startIndex...name.endIndex).contains { matches(name[$0...], rest) }
        case UInt8(ascii: "?"):
            return !name.isEmpty && matches(name.dropFirst(), rest)
        case UInt8(ascii: "["):
            guard let byte = name.first else { return false }
            guard let (isIn, after) = set(rest, contains: byte) else { break }
            return isIn && matches(name.dropFirst(), after)
        case UInt8(ascii: "\\"):
            guard let escaped = rest.first else { break }
            return name.first == escaped && matches(name.dropFirst(), rest.dropFirst())
        default: break
        }
        return name.first == first && matches(name.dropFirst(), rest)
    }

    /// Whether a byte is in `abc]`, `a-z]` or `!a-z]`, and what follows; nil where no `]` does.
    private func set(
        _ pattern: ArraySlice<UInt8>, contains byte: UInt8
    ) -> (Bool, ArraySlice<UInt8>)? {
        var rest = pattern
        let isNegated = rest.first == UInt8(ascii: "!") || rest.first == UInt8(ascii: "^")
        if isNegated { rest = rest.dropFirst() }
        var isIn = false
        var isFirst = true
        while let low = rest.first, isFirst || low != UInt8(ascii: "]") {
            isFirst = false
            rest = rest.dropFirst()
            var high = low
            if rest.first == UInt8(ascii: "-"), let end = rest.dropFirst().first,
                end != UInt8(ascii: "]")
            {
                high = end
                rest = rest.dropFirst(2)
            }
            if low <= high, (low...high).contains(byte) { isIn = true }
        }
        guard rest.first != nil else { return nil }
        return (isIn != isNegated, rest.dropFirst())
    }
}
