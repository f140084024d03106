import ArgumentParser
import LabKit
import LabModel

struct Link: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "link",
        abstract: "Pull a cable, plug it in again, or let frames vanish in it.",
        discussion: """
            down: no frame passes, and the node sees its carrier go. blackhole: frames vanish, and \
            nothing tells the node. flap: it goes down and comes up, again and again. up: the end \
            of all of them. What is done is done to the switch's port, so a node that is killed \
            and started again finds its cable as it was.
            """)

    enum State: String, ExpressibleByArgument, CaseIterable { case down, up, blackhole, flap }

    @OptionGroup var lab: LabOption
    @Argument(
        help: "The end of the cable that is meant, as NODE:INTERFACE.", completion: .endpoints)
    var port: String
    @Argument(help: "What becomes of it.") var state: State
    @Option(
        help: "Which way frames vanish, as the node sees it: in, out or both.",
        transform: direction(_:))
    var direction: Fault.Direction?
    @Option(
        help: "From one time a flapping cable goes down to the next; 2s, where none is given.",
        transform: duration(_:))
    var period: Duration?
    @Option(
        help: "The share of the period in which it is down, at its beginning; else 50%.",
        transform: { text in
            guard let share = Flap.share(text) else {
                throw ValidationError("'\(text)' is no share, as 50% is")
            }
            return share
        })
    var duty: Double?
    @Option(help: "How many times it goes down; until it is mended, where none is given.")
    var count: Int?
    @OptionGroup var lasting: LastingOption

    private var flap: Flap {
        Flap(period: period ?? Flap().period, dutyPercent: duty ?? Flap().dutyPercent, count: count)
    }

    func validate() throws {
        _ = try endpoint(port)
        if state != .flap, period != nil || duty != nil || count != nil {
            throw ValidationError("only a flapping cable has a period, a duty and a count")
        }
        if let problem = flap.problem { throw ValidationError(problem) }
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
            case .flap: .flap(endpoint, flap)
            }
        try lab.client().apply(fault, lasting: lasting.duration)
    }
}

/// `--for`: how long a fault lasts.
struct LastingOption: ParsableArguments {
    @Option(
        name: .customLong("for"),
        help: "Take it back after that time, as 500ms or 10s, unless it has been mended by then.",
        transform: duration(_:))
    var duration: Duration?
}

private func duration(_ text: String) throws -> Duration {
    guard let duration = Duration(durationText: text), duration > .zero else {
        throw ValidationError("'\(text)' is no duration, as 10s is")
    }
    return duration
}

struct Impair: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "impair",
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
              mtu OCTETS                longer packets are lost, and nobody is told
              only PROTOCOL [port N]    ipv4, ipv6, arp, nd, icmp, vrrp, udp, tcp
              from NODE, to NODE        by their Ethernet addresses
              seed N                    the same seed loses the same frames
              via wire | via netem      carried out by wire-relay, or by the kernel: no seed
              none                      ends what is done to such frames

            Another one for the same frames takes its place; one for others is added, and of all \
            that a frame fits the last counts. A cable goes one way: one via netem ends those via \
            the wire, and the other way round. `labctl heal` ends it.
            """)

    @OptionGroup var lab: LabOption
    @Argument(
        help: "The end of the cable that is meant, as NODE:INTERFACE.", completion: .endpoints)
    var port: String
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

struct Heal: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "heal",
        abstract:
            "Mend what `link`, `plug`, `impair`, `partition`, `cut` and `imposter` have broken.",
        discussion: """
            Without a port, limits are lifted and what is frozen is thawed as well.
            """)

    @OptionGroup var lab: LabOption
    @Argument(
        help: "The ends of cables, as NODE:INTERFACE; everything, where none is given.",
        completion: .endpoints)
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
func endpoint(_ word: String) throws -> Endpoint {
    guard let endpoint = Endpoint.parse(word) else {
        throw ValidationError("'\(word)' is no NODE:INTERFACE")
    }
    return endpoint
}
