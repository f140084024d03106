import ArgumentParser
import LabKit
import LabModel

struct Partition: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "partition",
        abstract: "Cut the network into groups of nodes that reach nobody outside.",
        usage: "labctl partition [-l <lab>] <groups or shape> ... [--network <network>]",
        discussion: """
            Nothing tells the nodes: their carriers stay. Groups are separated by a slash, \
            `labctl partition a b / c d`, or the nodes of each by commas, `labctl partition a,b \
            c,d`; one that is in several groups is the bridge between them. A node that no group \
            names keeps reaching everybody. Or the groups follow from a shape:

              halves            the first half of the nodes, and the others
              isolate NODE ...  these, together, and the others
              ring              each node reaches its neighbours, a majority, and no two the same
              bridge NODE       two halves that only that node reaches, both of them

            A partition takes the place of one before it; `labctl heal` ends it.
            """)

    @OptionGroup var lab: LabOption
    @Argument(help: "Nodes in groups, or a shape.") var groups: [String]
    @Option(help: "The network whose nodes a shape is about; all nodes, where none is given.")
    var network: String?
    @OptionGroup var lasting: LastingOption

    private func shape() throws -> PartitionShape? {
        do {
            // A node may have such a name.
            return groups.contains("/") ? nil : try PartitionShape(words: groups)
        } catch {
            throw ValidationError("\(error)")
        }
    }

    func validate() throws {
        if try shape() == nil, network != nil {
            throw ValidationError("only a shape is about a network: groups name their nodes")
        }
    }

    func run() throws {
        let client = try lab.client()
        if let shape = try shape() {
            return try client.partition(shape, of: network, lasting: lasting.duration)
        }
        try client.apply(.partition(Self.groups(groups)), lasting: lasting.duration)
    }

    /// The groups that words on the command line make.
    static func groups(_ words: [String]) -> [[String]] {
        func nodes(_ words: some Sequence<String>) -> [String] {
            words.flatMap { $0.split(separator: ",").map(String.init) }
        }
        guard words.contains("/") else { return words.map { nodes([$0]) } }
        return words.split(separator: "/", omittingEmptySubsequences: false).map(nodes)
    }
}

struct Cut: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cut",
        abstract: "Let what some nodes send not get to others, which they go on to hear.",
        usage: "labctl cut [-l <lab>] <node> ... to <node> ...",
        discussion: """
            `labctl cut a to b`: a hears b, and b does not hear a. Nothing tells the nodes. A cut \
            takes the place of one before it, beside any partition; `labctl cut none` and \
            `labctl heal` end it.
            """)

    @OptionGroup var lab: LabOption
    @Argument(help: "Who is not heard, 'to', and by whom.") var words: [String]
    @OptionGroup var lasting: LastingOption

    private func fault() throws -> Fault {
        if words == ["none"] { return .cut(from: [], to: []) }
        let sides = words.split(separator: "to", omittingEmptySubsequences: false).map { side in
            side.flatMap { $0.split(separator: ",").map(String.init) }
        }
        guard sides.count == 2, !sides.contains([]) else {
            throw ValidationError("a cut is `a to b`, or `none`")
        }
        return .cut(from: sides[0], to: sides[1])
    }

    func validate() throws { _ = try fault() }

    func run() throws { try lab.client().apply(fault(), lasting: lasting.duration) }
}
