import ArgumentParser
import LabKit
import LabModel

struct Link: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Pull a cable, plug it in again, or let frames vanish in it.",
        discussion: """
            down: no frame passes, and the node sees its carrier go. blackhole: frames vanish, and \
            nothing tells the node. up: the end of both. What is done is done to the switch's \
            port, so a node that is killed and started again finds its cable as it was.
            """)

    enum State: String, ExpressibleByArgument, CaseIterable { case down, up, blackhole }

    @OptionGroup var lab: LabOption
    @Argument(help: "The end of the cable that is meant, as NODE:INTERFACE.") var port: String
    @Argument(help: "What becomes of it.") var state: State
    @Option(
        help: "Which way frames vanish, as the node sees it: in, out or both.",
        transform: direction(_:))
    var direction: Fault.Direction?

    func validate() throws {
        _ = try endpoint(port)
        if direction != nil, state != .blackhole {
            throw ValidationError("only a blackhole has a direction")
        }
    }

    func run() throws {
        let endpoint = try endpoint(port)
        let fault: Fault =
            switch state {
            case .down: .linkDown(endpoint)
            case .up: .linkUp(endpoint)
            case .blackhole: .blackhole(endpoint, direction ?? .both)
            }
        try lab.client().apply(fault)
    }
}

private func direction(_ word: String) throws -> Fault.Direction {
    guard let direction = Fault.Direction(rawValue: word) else {
        throw ValidationError("'\(word)' is none of in, out and both")
    }
    return direction
}

struct Partition: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Cut the network into groups of nodes that reach nobody outside.",
        discussion: """
            Nothing tells the nodes: their carriers stay. Groups are separated by a slash, \
            `labctl partition a b / c d`, or the nodes of each by commas, `labctl partition a,b \
            c,d`. A node that no group names keeps reaching everybody. It takes the place of a \
            partition before it; `labctl heal` ends it.
            """)

    @OptionGroup var lab: LabOption
    @Argument(help: "Nodes in groups.") var groups: [String]

    func run() throws { try lab.client().apply(.partition(Self.groups(groups))) }

    /// The groups that words on the command line make.
    static func groups(_ words: [String]) -> [[String]] {
        func nodes(_ words: some Sequence<String>) -> [String] {
            words.flatMap { $0.split(separator: ",").map(String.init) }
        }
        guard words.contains("/") else { return words.map { nodes([$0]) } }
        return words.split(separator: "/", omittingEmptySubsequences: false).map(nodes)
    }
}

struct Heal: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Mend what `link` and `partition` have broken.")

    @OptionGroup var lab: LabOption
    @Argument(help: "The ends of cables, as NODE:INTERFACE; everything, where none is given.")
    var ports: [String] = []

    func validate() throws {
        for port in ports where port != "all" { _ = try endpoint(port) }
    }

    func run() throws {
        let client = try lab.client()
        if ports.isEmpty || ports.contains("all") { return try client.apply(.heal(nil)) }
        for port in ports { try client.apply(.heal(try endpoint(port))) }
    }
}

/// The end of a cable that a word names.
private func endpoint(_ word: String) throws -> Endpoint {
    guard let endpoint = Endpoint.parse(word) else {
        throw ValidationError("'\(word)' is no NODE:INTERFACE")
    }
    return endpoint
}
