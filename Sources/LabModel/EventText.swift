public import NetworkTypes

/// Prints a timeline, one line for each event: seconds since an origin, the node, what happened.
///
///        3.613281  backup    10.10.10.10/32 added to eth0
public struct EventText: Sendable {
    /// What times are relative to.
    public var origin: MonotonicInstant
    /// The width of the column of nodes' names.
    public var nodeWidth: Int

    public init(origin: MonotonicInstant, nodeWidth: Int = 8) {
        self.origin = origin
        self.nodeWidth = nodeWidth
    }

    /// The event in one line, without its end. Control characters, which daemons and servers could
    /// have put into their words, are printed as escapes: they must not reach a terminal.
    public func line(for event: TimelineEvent) -> String {
        let seconds = Self.seconds(event.time - origin)
        let node = event.kind.node ?? "-"
        return Self.padded(seconds, to: 12, onTheLeft: true) + "  "
            + Self.padded(Self.printable(node), to: nodeWidth) + "  "
            + Self.printable(event.kind.words)
    }

    /// Seconds with all six decimals of microseconds, so that columns and differences can be read.
    public static func seconds(_ duration: Duration) -> String {
        let microseconds = duration.wholeNanoseconds / 1000
        let (whole, rest) = microseconds.magnitude.quotientAndRemainder(dividingBy: 1_000_000)
        let digits = String(rest)
        let zeros = String(repeating: "0", count: 6 - digits.count)
        return (microseconds < 0 ? "-" : "") + "\(whole).\(zeros)\(digits)"
    }

    private static func padded(_ text: String, to width: Int, onTheLeft: Bool = false) -> String {
        let blanks = String(repeating: " ", count: max(0, width - text.count))
        return onTheLeft ? blanks + text : text + blanks
    }

    /// The text with control characters as escapes, fit for a terminal.
    public static func printable(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { line, scalar in
            if scalar.properties.generalCategory == .control {
                line += scalar.escaped(asASCII: true)
            } else {
                line.unicodeScalars.append(scalar)
            }
        }
    }
}

extension TimelineEvent.Kind {
    /// The node it happened on; nil for what concerns the whole lab.
    public var node: String? {
        switch self {
        case .addressAdded(let node, _, _), .addressRemoved(let node, _, _),
            .link(let node, _, _, _), .routeAdded(let node, _), .routeRemoved(let node, _),
            .neighbourRemoved(let node, _, _), .gratuitousARP(let node, _, _, _),
            .unsolicitedNA(let node, _, _, _), .packet(let node, _, _), .node(let node, _),
            .service(let node, _, _):
            node
        case .neighbour(let neighbour): neighbour.node
        case .advertisement(let advertisement): advertisement.node
        case .arp(let arp): arp.node
        case .control(_, let target): target.node
        case .fault(let fault): fault.node
        case .claim(let claim): claim.node
        case .scenario(.line(let target, _)): target.node
        case .lost(let loss): loss.node
        case .probe, .step, .violation, .stall, .scenario: nil
        }
    }

    /// What happened, in words, without time and node.
    public var words: String {
        switch self {
        case .addressAdded(_, let interface, let address): "\(address) added to \(interface)"
        case .addressRemoved(_, let interface, let address):
            "\(address) removed from \(interface)"
        case .link(_, let interface, let isUp, let hasCarrier):
            "\(interface) \(isUp ? "up" : "down"), \(hasCarrier ? "carrier" : "no carrier")"
        case .routeAdded(_, let route): "route added: \(route.words)"
        case .routeRemoved(_, let route): "route removed: \(route.words)"
        case .neighbour(let entry):
            "\(entry.address) on \(entry.interface) is "
                + (entry.mac.map { "at \($0), " } ?? "") + entry.state.rawValue
        case .neighbourRemoved(_, let interface, let address):
            "\(address) on \(interface) is forgotten"
        case .advertisement(let advertisement): advertisement.words
        case .gratuitousARP(_, let interface, let address, let mac):
            "gratuitous ARP on \(interface): \(address) is at \(mac)"
        case .arp(let arp): arp.words
        case .unsolicitedNA(_, let interface, let address, let mac):
            "unsolicited neighbour advertisement on \(interface): \(address) is at \(mac)"
        case .packet(_, let interface, let length): "packet of \(length) bytes on \(interface)"
        case .probe(let result): result.words
        case .control(let verb, let target): "\(verb.rawValue) \(target)"
        case .fault(let fault): fault.description
        case .node(_, let state): "node \(state.rawValue)"
        case .service(_, let service, let state): "\(service) \(state.words)"
        case .step(let report): report.words
        case .claim(let claim):
            "\(claim.service) says that \(claim.instance) is \(claim.state.rawValue)"
        case .violation(let violation): violation.words
        case .stall(let duration): "this machine stood still for \(duration.text)"
        case .lost(let loss): loss.words
        case .scenario(let event): event.words
        }
    }
}

extension TimelineEvent.Advertisement {
    fileprivate var words: String {
        let addresses = addresses.map(\.description).joined(separator: " ")
        let resigns = priority == 0 ? " (resigns)" : ""
        return "VRRPv\(version) advertisement on \(interface): vrid \(vrid), priority \(priority)"
            + "\(resigns), interval \(interval.text), \(addresses) from \(source)"
            + (flaw.map { ", \($0)" } ?? "")
    }
}

extension TimelineEvent.ARP {
    fileprivate var words: String {
        switch operation {
        case .request: "ARP on \(interface): who has \(target)? tell \(sender) at \(senderMAC)"
        case .reply: "ARP on \(interface): \(sender) is at \(senderMAC), to \(target)"
        }
    }
}

extension TimelineEvent.Route {
    /// As `ip route` prints it.
    fileprivate var words: String {
        (type == "unicast" ? "" : "\(type) ") + "\(destination)"
            + (gateway.map { " via \($0)" } ?? "") + (interface.map { " dev \($0)" } ?? "")
            + (metric.map { $0 == 0 ? "" : " metric \($0)" } ?? "")
            + (table == 254 ? "" : table == 255 ? " table local" : " table \(table)")
    }
}

extension TimelineEvent.Violation {
    fileprivate var words: String {
        "violated: \(check)" + (until.map { " for \(($0 - since).text)" } ?? "") + ": \(text)"
            + (cause.map { " (\($0))" } ?? "")
    }
}

extension TimelineEvent.Loss {
    fileprivate var words: String {
        let number = count.map { "\($0) " } ?? ""
        if what == .flood { return "\(number)more frames, left out" }
        let again = resynchronised.map(\.rawValue).joined(separator: ", ")
        return "\(number)\(what.rawValue) lost" + (again.isEmpty ? "" : "; read anew: \(again)")
    }
}

extension TimelineEvent.ServiceState {
    fileprivate var words: String {
        switch self {
        case .starting: "starting"
        case .running(let pid): "running, pid \(pid)"
        case .ready: "ready"
        case .stopping: "stopping"
        case .exited(let reason): "ended with \(reason)"
        case .failed(let reason): "failed: \(reason)"
        }
    }
}

extension ProbeResult {
    fileprivate var words: String {
        let name = probe.map { "probe \($0)" } ?? "request"
        switch outcome {
        case .answered(let status, let body): return "\(name): \(status), \(body.utf8.count) bytes"
        case .replied: return "\(name): answered"
        case .failed(let reason): return "\(name): \(reason)"
        }
    }
}

extension StepReport {
    fileprivate var words: String {
        let step = "\(scenario) step \(index): \(summary)"
        switch phase {
        case .began: return step
        case .passed(let result): return "\(step): passed\(result.words)"
        case .failed(let message): return "\(step): failed: \(message)"
        case .inconclusive(let message): return "\(step): inconclusive: \(message)"
        case .notRun: return "\(step): not run"
        }
    }
}

extension StepResult {
    /// What was measured, as it follows a step's summary: ` 3.613 s after kill master (bound ...)`;
    /// empty where nothing was.
    public var words: String {
        guard let cause else { return "" }
        var text = ""
        if let after {
            text += ", \(after.text) after \(cause)"
        } else if bound != nil {
            text += ", already so"
        }
        if let outage {
            let length = outage.duration(now: outage.end ?? outage.begin).text
            text += ", outage \(length), \(Words.lost(outage.lostRequests))"
        } else if let measured {
            text += ", \(measured)"
        } else if bound == nil {
            text += ", no request lost"
        }
        if let bound { text += " (bound \(bound))" }
        return text
    }
}
