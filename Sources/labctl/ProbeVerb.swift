import ArgumentParser
import Glibc
import LabKit
import LabModel
import LabReport
import LinuxSystem
import NetworkTypes

struct ProbeVerb: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe",
        abstract: "Ask from a node at a fixed rate, and tell when the answers change.",
        discussion: """
            What is asked is written as in a lab file's probes: `labctl probe client http \
            http://192.0.2.1/`, tcp or udp ADDRESS:PORT, ping or arp ADDRESS; a URL alone will \
            do. Requests are due by the clock, and late ones count. It goes on until it is \
            interrupted, and then tells outages and times to answer. `watch`, `events` and \
            `explain` show the answers as well. Exit status 1 where nothing was ever answered.
            """)

    @OptionGroup var lab: LabOption
    @Argument(help: "The node to ask from.", completion: .nodes) var node: String
    @Argument(help: ArgumentHelp("What is asked, and whom.", valueName: "kind> <target"))
    var question: [String]
    @Option(
        help: ArgumentHelp("From one request to the next.", valueName: "duration"),
        transform: duration(_:))
    var every = Probe.defaultInterval
    @Option(
        help: ArgumentHelp("After which a request has failed.", valueName: "duration"),
        transform: duration(_:))
    var timeout = Probe.defaultTimeout
    @Flag(help: "Send all requests over one connection (http, tcp).") var keepOpen = false
    @Option(name: .shortAndLong, help: "End after so many requests.") var count: Int?
    @Option(
        name: .customLong("for"), help: ArgumentHelp("End after that time.", valueName: "duration"),
        transform: duration(_:))
    var length: Duration?
    @Option(help: "json prints the figures at the end, and no lines before.")
    var format = Format.text

    func validate() throws {
        let request = try request()
        if keepOpen, !request.canKeepOpen {
            throw ValidationError("only http and tcp have a connection that could be kept open")
        }
        if every < Probe.minimumInterval {
            throw ValidationError("--every must be at least \(Probe.minimumInterval.text)")
        }
        if timeout <= .zero { throw ValidationError("--timeout must be more than nothing") }
        if let count, count < 1 { throw ValidationError("--count counts requests: 1 or more") }
        if count != nil, length != nil { throw ValidationError("--count and --for: one of them") }
    }

    func run() throws {
        let request = try request()
        let probe = Probe(
            name: request.description, node: node, request: request, keepsOpen: keepOpen,
            interval: every, timeout: timeout)
        let client = try lab.client()
        SignalDescriptor.blockAll()
        let signals = try SignalDescriptor(endingSignals)
        var narration = ProbeNarration(probe)
        let last = count ?? length.map { max(1, Int($0 / every)) } ?? .max
        try client.probe(probe, until: signals.descriptor.rawValue) { result, ended in
            for line in narration.record(result, ended: ended) where format == .text {
                printLine(Self.text(line))
            }
            return narration.requests < last
        }
        let figures = narration.figures
        switch format {
        case .json: try printJSON(figures)
        case .text: for line in figures.lines { printLine(line) }
        }
        if figures.lost == figures.requests { throw ExitStatus.failed }
    }

    private static func text(_ line: ProbeNarration.Line) -> String {
        let time = EventText.seconds(line.offset)
        let padding = String(repeating: " ", count: max(0, 12 - time.count))
        return "\(padding)\(time)  \((line.isGood ? Style.green : Style.red)(line.text))"
    }

    private func request() throws -> ProbeRequest {
        let kinds = ProbeRequest.Kind.allCases.map(\.rawValue)
        let words =
            question.count == 1 && question[0].contains("://") ? ["http"] + question : question
        guard words.count == 2, let kind = ProbeRequest.Kind(rawValue: words[0]) else {
            throw ValidationError(
                "say what to ask, and whom: one of \(kinds.joined(separator: ", ")), and its target"
            )
        }
        if let request = ProbeRequest(kind, words[1]) { return request }
        let wanted =
            switch kind {
            case .http: "no address to fetch: write http://ADDRESS[:PORT][/PATH]"
            case .tcp, .udp: "no ADDRESS:PORT, as 192.0.2.1:80 and [2001:db8::1]:80 are"
            case .ping, .arp: "no address, as 192.0.2.1 is (without a prefix length)"
            }
        throw ValidationError("'\(words[1])' is \(wanted)")
    }
}

private func duration(_ text: String) throws -> Duration {
    guard let duration = Duration(durationText: text) else {
        throw ValidationError("'\(text)' is no duration, as 10ms and 1.5s are")
    }
    return duration
}
