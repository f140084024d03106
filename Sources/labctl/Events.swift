import ArgumentParser
import Glibc
import LabKit
import LabModel
import LinuxSystem
import NetworkTypes

struct Events: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Print a lab's timeline: what kernel and wire have shown.",
        discussion: """
            Times are seconds since the lab's first event. --since and --until take such a number, \
            or with a unit how long ago: --since 3.6, --since 10s.
            """)

    @OptionGroup var timeline: TimelineOption
    @Flag(name: .shortAndLong, help: "Go on as it grows.")
    var follow = false
    @Option(help: "From when on.") var since: TimelineTime?
    @Option(help: "Up to when.") var until: TimelineTime?
    @Option(
        help: ArgumentHelp(
            "Only events of these kinds, as JSON names them.", valueName: "kind,kind"))
    var kind: [String] = []
    @Option(help: ArgumentHelp("Only what happened on these nodes.", valueName: "node,node"))
    var node: [String] = []
    @Option(help: "How to print it; json is one object a line, as in events.jsonl.")
    var format = Format.text

    func validate() throws {
        if follow, timeline.run != nil { throw ValidationError("a recorded run does not grow") }
        let known = TimelineEvent.Kind.Name.allCases.map(\.rawValue)
        for word in Self.words(kind) where !known.contains(word) {
            throw ValidationError(
                "there is no kind '\(word)'; there are \(known.joined(separator: ", "))")
        }
    }

    func run() throws {
        let source = try timeline.source()
        let now = MonotonicClock.now
        let kinds = Set(Self.words(kind).compactMap(TimelineEvent.Kind.Name.init(rawValue:)))
        let nodes = Set(Self.words(node))
        if !nodes.isEmpty {
            let lab = try source.description().lab
            for name in nodes.sorted() where lab.node(name) == nil {
                let names = lab.nodes.map(\.name).joined(separator: ", ")
                throw LabError.state("\(source.name) has no node \(name): its nodes are \(names)")
            }
        }
        var text: EventText?
        var filter = EventFilter(kinds: kinds, nodes: nodes)
        try source.events(follow: follow) { event, line in
            let printer = text ?? EventText(origin: event.time)
            if text == nil {
                text = printer
                filter.since = since?.instant(origin: event.time, now: now)
                filter.until = until?.instant(origin: event.time, now: now)
            }
            guard filter.matches(event) else { return }
            switch format {
            case .json: printLine(String(decoding: line, as: UTF8.self))
            case .text: printLine(printer.line(for: event))
            }
        }
        if follow, !StandardStreams.hasReader(STDOUT_FILENO) { endForLackOfReader() }
    }

    private static func words(_ options: [String]) -> [String] {
        options.flatMap { $0.split(separator: ",").map(String.init) }
    }
}

/// A moment of a timeline as it is given on the command line.
enum TimelineTime: ExpressibleByArgument {
    /// Since the first event.
    case sinceOrigin(Duration)
    /// Before now.
    case ago(Duration)

    init?(argument: String) {
        if let seconds = Duration(durationText: argument + "s"), argument.last?.isNumber ?? false {
            self = .sinceOrigin(seconds)
        } else if let duration = Duration(durationText: argument) {
            self = .ago(duration)
        } else {
            return nil
        }
    }

    func instant(origin: MonotonicInstant, now: MonotonicInstant) -> MonotonicInstant {
        switch self {
        case .sinceOrigin(let duration): origin + duration
        case .ago(let duration): now - duration
        }
    }
}
