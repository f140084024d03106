public import NetworkTypes

/// What a node has at most of what its machine has: what `limit` sets, in its words:
/// `cpu 20% memory 64MiB`, `disk full`, `none`.
///
/// A resource that is not named is left as it is.
public struct NodeLimits: Hashable, Sendable {
    /// What a node can run short of.
    public enum Resource: String, CaseIterable, Sendable {
        /// Time on processors; an amount is in thousandths of one.
        case cpu
        /// What its processes allocate from then on; an amount is in bytes.
        case memory
        /// What its disk takes from then on; an amount is in bytes, 0 for a full disk.
        case disk
        /// Processes and threads; an amount is a number of them.
        case pids
    }

    /// How much there is of one.
    public enum Setting: Hashable, Sendable {
        /// As much as the machine has.
        case unlimited
        case amount(Int64)
    }

    /// What it says of each resource that it names.
    public private(set) var settings: [Resource: Setting]

    public init(_ settings: [Resource: Setting] = [:]) { self.settings = settings }

    /// No limit at all.
    public static let none = NodeLimits(
        Dictionary(uniqueKeysWithValues: Resource.allCases.map { ($0, .unlimited) }))

    /// Whether it limits nothing.
    public var isNone: Bool { settings.values.allSatisfy { $0 == .unlimited } }

    /// The limit of a resource; nil where there is none.
    public subscript(resource: Resource) -> Int64? {
        guard case .amount(let amount) = settings[resource] else { return nil }
        return amount
    }

    /// What lifts the limits of the resources that it names.
    var ending: NodeLimits { NodeLimits(settings.mapValues { _ in .unlimited }) }

    /// Sets what another one names.
    mutating func apply(_ other: NodeLimits) {
        settings.merge(other.settings) { $1 }
        settings = settings.filter { $0.value != .unlimited }
    }

    /// Whether everything that another one names is just so.
    func holds(_ other: NodeLimits) -> Bool {
        other.settings.allSatisfy { settings[$0.key] ?? .unlimited == $0.value }
    }

    /// The resources that it limits.
    public var limited: Set<Resource> {
        Set(Resource.allCases.filter { self[$0] != nil })
    }
}

extension NodeLimits: TextCodable {
    public static var textName: String { "limits, as in `\(example)`" }
    /// How they are written.
    public static let example = "cpu 20% memory 64MiB"

    public static func parse(_ text: String) -> Self? {
        try? Self(words: text.split(separator: " ").map(String.init))
    }

    /// The words that ``init(words:)`` reads them from.
    public var description: String {
        if settings == Self.none.settings { return "none" }
        return Resource.allCases.compactMap { resource in
            settings[resource].map { "\(resource.rawValue) \(resource.words(of: $0))" }
        }.joined(separator: " ")
    }
}

extension NodeLimits.Resource {
    fileprivate func words(of setting: NodeLimits.Setting) -> String {
        switch (self, setting) {
        case (_, .unlimited): return "none"
        case (.cpu, .amount(let thousandths)):
            let (whole, tenth) = thousandths.quotientAndRemainder(dividingBy: 10)
            return tenth == 0 ? "\(whole)%" : "\(whole).\(tenth)%"
        case (.memory, .amount(let bytes)): return Self.sizeText(bytes)
        case (.disk, .amount(0)): return "full"
        case (.disk, .amount(let bytes)): return "\(Self.sizeText(bytes)) left"
        case (.pids, .amount(let count)): return "\(count)"
        }
    }

    /// In the largest unit in which it is a whole number.
    private static func sizeText(_ bytes: Int64) -> String {
        for (unit, size) in [("GiB", Int64(1) << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
        where bytes % size == 0 {
            return "\(bytes / size)\(unit)"
        }
        return "\(bytes)B"
    }
}
