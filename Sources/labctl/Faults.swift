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
    @OptionGroup var lasting: LastingOption

    func validate() throws {
        _ = try endpoint(port)
        if lasting.duration != nil, state == .up {
            throw ValidationError("only what is broken can be so for a time")
        }
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
        try lab.client().apply(fault, lasting: lasting.duration)
    }
}

/// `--for`: how long a fault lasts.
struct LastingOption: ParsableArguments {
    @Option(
        name: .customLong("for"),
        help: "Take it back after that time, as 500ms or 10s, unless it has been mended by then.",
        transform: { text in
            guard let duration = Duration(durationText: text), duration > .zero else {
                throw ValidationError("'\(text)' is no duration, as 10s is")
            }
            return duration
        })
    var duration: Duration?
}

struct Impair: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Have a cable delay, lose, damage or multiply frames.",
        usage: "labctl impair [-l <lab>] <port> <words> ...",
        discussion: """
            The words are those of tc-netem(8) and tc-tbf(8), in any order: \
            `labctl impair master:eth0 delay 10ms 2ms loss 1%`, or only for some frames: \
            `labctl impair master:eth0 out loss every 3 only vrrp`.

              in | out                  what is sent to the node, or what it sends; else both
              delay TIME [JITTER [uniform | normal]]
              loss PERCENT | loss every N | loss gemodel P [R [1-H [1-K]]]
              duplicate PERCENT, corrupt PERCENT, reorder PERCENT [gap N]
              rate RATE [burst SIZE] [limit SIZE | limit PACKETS], queue PACKETS
              only PROTOCOL [port N]    ipv4, ipv6, arp, nd, icmp, vrrp, udp, tcp
              from NODE, to NODE        by their Ethernet addresses
              seed N                    the same seed loses the same frames
              none                      ends what is done to such frames

            Another one for the same frames takes its place; one for others is added, and of all \
            that a frame fits the last counts. `labctl heal` ends it.
            """)

    @OptionGroup var lab: LabOption
    @Argument(help: "The end of the cable that is meant, as NODE:INTERFACE.") var port: String
    @Argument(help: "What becomes of frames.") var words: [String]
    @OptionGroup var lasting: LastingOption

    func validate() throws {
        _ = try endpoint(port)
        _ = try impairment()
    }

    func run() throws {
        try lab.client().apply(
            .impair(endpoint(port), impairment()), lasting: lasting.duration)
    }

    private func impairment() throws -> CableImpairment {
        do {
            return try CableImpairment(words: words)
        } catch {
            throw ValidationError("\(error)")
        }
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
    @OptionGroup var lasting: LastingOption

    func run() throws {
        try lab.client().apply(.partition(Self.groups(groups)), lasting: lasting.duration)
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

struct Heal: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Mend what `link`, `impair`, `partition` and `imposter` have broken.",
        discussion: """
            Without a port, limits are lifted and what is frozen is thawed as well.
            """)

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
