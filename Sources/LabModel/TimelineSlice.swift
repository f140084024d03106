public import NetworkTypes

/// The part of a timeline that is worth reading beside something that went wrong.
public enum TimelineSlice {
    /// The most events of a slice.
    public static let maximumCount = 40
    /// How long before the cause a slice begins.
    static let lead = Duration.milliseconds(100)

    /// What happened from shortly before `since` up to `time`, in the order of time: without the
    /// run's own events and probes that were answered. Of what repeats itself while nothing else
    /// happens, advertisements and lost requests above all, only the first and the last are there;
    /// of too much, the end.
    public static func around(
        _ time: MonotonicInstant, of events: [TimelineEvent], since: MonotonicInstant
    ) -> [TimelineEvent] {
        var slice: [TimelineEvent] = []
        var runs: [String: (isLong: Bool, last: Int)] = [:]
        for event in events where event.time >= since - lead && event.time <= time {
            guard isTelling(event.kind) else { continue }
            guard let key = repetition(event.kind) else {
                runs = [:]
                slice.append(event)
                continue
            }
            if let run = runs[key], run.isLong {
                slice[run.last] = event
            } else {
                slice.append(event)
                runs[key] = (runs[key] != nil, slice.count - 1)
            }
        }
        return Array(slice.sorted { $0.time < $1.time }.suffix(maximumCount))
    }

    private static func isTelling(_ kind: TimelineEvent.Kind) -> Bool {
        switch kind {
        case .probe(let result): !result.outcome.isSuccess
        case .step, .scenario, .packet, .routeAdded, .routeRemoved: false
        case .addressAdded, .addressRemoved, .link, .neighbour, .neighbourRemoved, .advertisement,
            .gratuitousARP, .arp, .unsolicitedNA, .control, .fault, .node, .service, .claim,
            .violation, .stall, .lost:
            true
        }
    }

    /// What events have in common of which one says what all do; nil for those that stand alone.
    private static func repetition(_ kind: TimelineEvent.Kind) -> String? {
        switch kind {
        case .advertisement(let seen): "advert \(seen.node) \(seen.vrid) \(seen.priority)"
        case .gratuitousARP(let node, _, let address, _): "garp \(node) \(address)"
        case .unsolicitedNA(let node, _, let address, _): "na \(node) \(address)"
        case .arp(let arp): "arp \(arp.node) \(arp.sender)"
        case .probe(let result): "probe \(result.probe ?? "")"
        case .neighbour(let entry): "neighbour \(entry.node) \(entry.address)"
        case .stall: "stall"
        case .addressAdded, .addressRemoved, .link, .neighbourRemoved, .control, .fault, .node,
            .service, .claim, .violation, .lost, .step, .scenario, .packet, .routeAdded,
            .routeRemoved:
            nil
        }
    }
}
