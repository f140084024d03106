import NetworkTypes

/// The form of a partition, from which the groups of any set of nodes follow.
public enum PartitionShape: Hashable, Sendable {
    /// The first half of the nodes, in the lab file's order, and the others; of an odd number the
    /// first half is the larger one.
    case halves
    /// These, together, and the others.
    case isolate([String])
    /// Majorities that overlap: each node reaches its neighbours in a ring of the nodes, in the
    /// lab file's order, which with it are more than half of all, and no two nodes reach the same
    /// ones. Jepsen's majorities-ring, with cables that pass frames both ways.
    case ring
    /// Two halves of the others, which reach each other through that node alone.
    case bridge(String)

    /// The words that begin a shape.
    public static let words = ["halves", "isolate", "ring", "bridge"]

    /// The shape that words name, `isolate a b`; nil where the first is none of ``words``.
    ///
    /// - Throws: ``PartitionShapeError``.
    public init?(words: [String]) throws(PartitionShapeError) {
        let objects = words.dropFirst().flatMap { $0.split(separator: ",").map(String.init) }
        switch words.first {
        case "halves", "ring":
            guard objects.isEmpty else {
                throw PartitionShapeError(
                    description: "'\(words[0])' is about all nodes and names none")
            }
            self = words[0] == "ring" ? .ring : .halves
        case "isolate":
            guard !objects.isEmpty else {
                throw PartitionShapeError(
                    description: "'isolate' lacks the nodes that are cut off, as in `isolate a`")
            }
            self = .isolate(objects)
        case "bridge":
            guard objects.count == 1 else {
                throw PartitionShapeError(
                    description: "'bridge' takes the one node that both halves reach, as in"
                        + " `bridge a`")
            }
            self = .bridge(objects[0])
        default: return nil
        }
    }

    /// The groups that it makes of these nodes: ``Fault/partition(_:)``.
    ///
    /// - Throws: ``PartitionShapeError`` where they are too few, or lack one that it names.
    public func groups(of nodes: [String]) throws(PartitionShapeError) -> [[String]] {
        switch self {
        case .halves:
            try Self.require(2, of: nodes, for: "halves")
            return Self.halves(of: nodes)
        case .isolate(let isolated):
            try Self.require(isolated, among: nodes)
            let others = nodes.filter { !isolated.contains($0) }
            guard !others.isEmpty else {
                throw PartitionShapeError(
                    description: "'isolate' names every node: nobody is left to be cut off from")
            }
            return [nodes.filter(isolated.contains), others]
        case .ring:
            // Of three, whoever reaches both neighbours reaches everybody.
            try Self.require(4, of: nodes, for: "a ring of majorities")
            let majority = nodes.count / 2 + 1
            // A node shares a group with those up to one less than its size away, on both sides.
            let size = majority / 2 + 1
            return nodes.indices.map { first in
                (0..<size).map { nodes[(first + $0) % nodes.count] }
            }
        case .bridge(let middle):
            try Self.require([middle], among: nodes)
            try Self.require(3, of: nodes, for: "a bridge")
            return Self.halves(of: nodes.filter { $0 != middle }).map { $0 + [middle] }
        }
    }

    private static func halves(of nodes: [String]) -> [[String]] {
        let middle = (nodes.count + 1) / 2
        return [Array(nodes[..<middle]), Array(nodes[middle...])]
    }

    private static func require(
        _ count: Int, of nodes: [String], for what: String
    ) throws(PartitionShapeError) {
        guard nodes.count < count else { return }
        let them = nodes.isEmpty ? "none" : nodes.joined(separator: ", ")
        throw PartitionShapeError(description: "\(what) takes at least \(count) nodes, not \(them)")
    }

    private static func require(
        _ wanted: [String], among nodes: [String]
    ) throws(PartitionShapeError) {
        for name in wanted where !nodes.contains(name) {
            throw PartitionShapeError(
                description: "node \(name) is none of those that are to be parted"
                    + SpellingSuggestion.hint(for: name, among: nodes, known: "they are"))
        }
    }
}

/// Why a partition cannot have that shape, and what would be right.
public struct PartitionShapeError: Error, Equatable, CustomStringConvertible, Sendable {
    public var description: String
}

extension Lab {
    /// The partition of that shape, of all nodes or of those with an interface on one network.
    ///
    /// - Throws: ``PartitionShapeError``, also where there is no such network.
    public func partition(
        _ shape: PartitionShape, of network: String? = nil
    ) throws(PartitionShapeError) -> Fault {
        guard let network else { return .partition(try shape.groups(of: nodes.map(\.name))) }
        if let problem = problem(withNetwork: network) {
            throw PartitionShapeError(description: problem)
        }
        let members = nodes.filter { node in
            node.interfaces.contains {
                if case .network(let name) = $0.attachment { name.text == network } else { false }
            }
        }
        return .partition(try shape.groups(of: members.map(\.name)))
    }

    /// Why there is no such network; nil when there is.
    func problem(withNetwork name: String) -> String? {
        let names = networks.map(\.name.text)
        guard !names.contains(name) else { return nil }
        return "lab \(self.name) has no network \(name)"
            + SpellingSuggestion.hint(for: name, among: names, known: "its networks are")
    }
}
