/// Why words are no limits, and what would be right.
public struct NodeLimitsError: Error, Equatable, CustomStringConvertible, Sendable {
    public var description: String
}

extension NodeLimits {
    /// Reads the words of limits, in any order:
    ///
    ///     cpu SHARE      of one processor, as 20%; 150% is one and a half
    ///     cpus NUMBER    the same as docker has it: 0.2
    ///     memory SIZE    from 6MiB
    ///     disk full      | disk SIZE [left]
    ///     pids NUMBER
    ///     RESOURCE none  lifts one limit
    ///     none           lifts all
    ///
    /// A size is a number of `B`, `KiB`, `MiB` or `GiB`, or `k`, `m`, `g` as docker has them.
    ///
    /// - Throws: ``NodeLimitsError``.
    public init(words: [String]) throws(NodeLimitsError) {
        var reader = LimitWords(words)
        self = try reader.read()
    }

    /// The words that begin its parts.
    public static let keywords = ["cpu", "cpus", "memory", "disk", "pids", "none"]

    /// The least share of a processor, in thousandths: the kernel's smallest quota is 1 ms, of a
    /// period of 100 ms (Documentation/scheduler/sched-bwc.rst).
    public static let leastThousandths: Int64 = 10
    /// The greatest, which no machine has: 1000 processors.
    public static let greatestThousandths: Int64 = 1_000_000
    /// The least memory, in bytes: docker's, below which hardly a process starts.
    public static let leastMemoryBytes: Int64 = 6 << 20

    /// Reads one value, as it stands behind a resource's name.
    init(_ word: String, _ value: String) throws(NodeLimitsError) {
        try self.init(words: [word] + value.split(separator: " ").map(String.init))
    }
}

/// Words on their way to limits.
private struct LimitWords {
    private var rest: ArraySlice<String>
    private var settings: [NodeLimits.Resource: NodeLimits.Setting] = [:]

    init(_ words: [String]) { rest = words[...] }

    private static func error(_ text: String) -> NodeLimitsError {
        NodeLimitsError(description: text)
    }

    mutating func read() throws(NodeLimitsError) -> NodeLimits {
        if rest.elementsEqual(["none"]) { return .none }
        while let word = rest.popFirst() {
            let resource = try Self.resource(word)
            let setting: NodeLimits.Setting
            if rest.first == "none" {
                rest.removeFirst()
                setting = .unlimited
            } else {
                setting = .amount(try amount(of: resource, word))
            }
            guard settings.updateValue(setting, forKey: resource) == nil else {
                throw Self.error("'\(resource.rawValue)' is there twice")
            }
        }
        guard !settings.isEmpty else {
            throw Self.error("nothing would be limited: give cpu, memory, disk, pids or none")
        }
        return NodeLimits(settings)
    }

    private static func resource(_ word: String) throws(NodeLimitsError) -> NodeLimits.Resource {
        if word == "cpus" { return .cpu }
        if word == "none" { throw error("'none' stands beside something") }
        guard let resource = NodeLimits.Resource(rawValue: word) else {
            throw error(
                "unknown word '\(word)'"
                    + SpellingSuggestion.hint(
                        for: word, among: NodeLimits.keywords, known: "known are"))
        }
        return resource
    }

    private mutating func amount(
        of resource: NodeLimits.Resource, _ word: String
    ) throws(NodeLimitsError) -> Int64 {
        guard let value = rest.popFirst() else { throw Self.error("'\(word)' lacks its value") }
        switch resource {
        case .cpu:
            let thousandths =
                word == "cpus" ? Self.number(value, [""], 1000) : Self.number(value, ["%"], 10)
            guard let thousandths else {
                let form = word == "cpus" ? "number of processors, as 0.2 is" : "share, as 20% is"
                throw Self.error("'\(value)' after '\(word)' is no \(form)")
            }
            guard thousandths >= NodeLimits.leastThousandths else {
                throw Self.error("'\(value)' after '\(word)' is less than 1% of a processor")
            }
            guard thousandths <= NodeLimits.greatestThousandths else {
                throw Self.error("'\(value)' after '\(word)' is more than 1000 processors")
            }
            return thousandths
        case .memory:
            let bytes = try Self.size(value, of: word)
            guard bytes >= NodeLimits.leastMemoryBytes else {
                throw Self.error("'\(value)' after 'memory' is less than 6MiB")
            }
            return bytes
        case .disk:
            if value == "full" { return 0 }
            let bytes = try Self.size(value, of: word)
            if rest.first == "left" { rest.removeFirst() }
            return bytes
        case .pids:
            guard let count = Int64(value), (1...4_194_304).contains(count) else {
                throw Self.error("'\(value)' after 'pids' is no whole number from 1")
            }
            return count
        }
    }

    private static let sizes: [(units: [String], bytes: Double)] = [
        (["B"], 1), (["KiB", "k"], 0x1p10), (["MiB", "m"], 0x1p20), (["GiB", "g"], 0x1p30),
    ]

    private static func size(_ text: String, of word: String) throws(NodeLimitsError) -> Int64 {
        for (units, bytes) in sizes {
            if let size = number(text, units, bytes) { return size }
        }
        throw error(
            "'\(text)' after '\(word)' is no size, as 64MiB is"
                + (word == "disk" ? ", nor 'full'" : ""))
    }

    /// A decimal number with one of these units behind it, times what the unit is.
    private static func number(_ text: String, _ units: [String], _ unit: Double) -> Int64? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard units.contains(String(text[digits.endIndex...])), let number = Double(digits),
            number > 0, number * unit < 1e15
        else { return nil }
        let amount = Int64((number * unit).rounded())
        return amount > 0 ? amount : nil
    }
}
