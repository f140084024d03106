public import NetworkTypes

/// One failover, told in its parts: how a virtual address came from one node to another, each
/// moment as kernel and wire showed it, beside what theory says.
///
/// The parts follow one another without a gap: detect (from the last advertisement to the end of
/// the timer), elect (to the first advertisement of the new master), announce (to the address and
/// its gratuitous ARP), relearn (to a client's neighbour entry), serve (to the first answer).
public struct Failover: Equatable, Sendable {
    public var address: IPAddress
    /// The virtual router's identifier; nil where no advertisement of it was seen.
    public var vrid: Int?
    /// Who held the address before.
    public var from: String
    /// Who holds it since.
    public var to: String
    /// What was done, or happened, that led to it; nil where the timeline shows nothing.
    public var cause: Moment?
    /// When `from` was last heard of as master by `to`.
    public var lastAdvertisement: MonotonicInstant?
    /// When `from` gave up, with priority 0.
    public var resignation: MonotonicInstant?
    /// When the daemon of `to` became ready, where it took the address from a living master that
    /// it had outranked ever since.
    public var ready: MonotonicInstant?
    /// When `from` last advertised a priority that `to` had to respect, where it lived on with a
    /// lower one.
    public var outranked: MonotonicInstant?
    /// When the timer of `to` ran out: by theory, or as soon as `to` acted, if that was earlier.
    public var timer: MonotonicInstant?
    public var firstAdvertisement: MonotonicInstant?
    /// When the address was configured on `to`.
    public var appeared: MonotonicInstant
    /// When the first gratuitous ARP for it, or unsolicited neighbour advertisement, left `to`.
    public var announced: MonotonicInstant?
    /// When another node's neighbour entry first pointed to `to`; the text is that node's name.
    public var relearned: Moment?
    /// When the first request after the outage was answered; the text is the probe's name.
    public var served: Moment?
    public var parts: [Part]

    /// Something that happened, in words.
    public struct Moment: Codable, Equatable, Sendable {
        public var time: MonotonicInstant
        public var text: String

        public init(_ time: MonotonicInstant, _ text: String) {
            self.time = time
            self.text = text
        }
    }

    /// A part of a failover.
    public struct Part: Equatable, Sendable {
        public var name: Name
        public var begin: MonotonicInstant
        public var end: MonotonicInstant
        /// How long it should take.
        public var theory: TimeBound

        /// The parts, in order.
        public enum Name: String, Codable, CaseIterable, Sendable {
            case detect, elect, announce, relearn, serve
        }

        /// How long it took.
        public var delay: Duration { end - begin }
    }

    /// From the beginning of the first part to the end of the last.
    public var total: Duration {
        guard let first = parts.first, let last = parts.last else { return .zero }
        return last.end - first.begin
    }
}

extension Failover: JSONWritable {
    public func write(to fields: inout some JSONFields) {
        fields.field("address", address)
        if let vrid { fields.field("vrid", vrid) }
        fields.field("from", from)
        fields.field("to", to)
        if let cause { fields.field("cause", cause) }
        if let lastAdvertisement { fields.field("lastAdvertisement", lastAdvertisement) }
        if let resignation { fields.field("resignation", resignation) }
        if let ready { fields.field("ready", ready) }
        if let outranked { fields.field("outranked", outranked) }
        if let timer { fields.field("timer", timer) }
        if let firstAdvertisement { fields.field("firstAdvertisement", firstAdvertisement) }
        fields.field("appeared", appeared)
        if let announced { fields.field("announced", announced) }
        if let relearned { fields.field("relearned", relearned) }
        if let served { fields.field("served", served) }
        fields.field("parts", parts)
        fields.field("total", total)
    }
}

extension Failover.Moment: JSONWritable {
    public func write(to fields: inout some JSONFields) {
        fields.field("time", time)
        fields.field("text", text)
    }
}

extension Failover.Part: JSONWritable {
    public func write(to fields: inout some JSONFields) {
        fields.field("part", name)
        fields.field("begin", begin)
        fields.field("end", end)
        fields.field("delay", delay)
        fields.field("theory", theory.total)
        if !theory.terms.isEmpty { fields.field("arithmetic", theory.arithmetic) }
    }
}

extension Failover {
    /// The failover in a paragraph; times are seconds since `origin`, as `labctl events` has them.
    public func paragraph(origin: MonotonicInstant) -> String {
        func clock(_ time: MonotonicInstant) -> String { EventText.seconds(time - origin) + " s" }
        var sentences = ["\(address) went from \(from) to \(to)."]
        if let cause {
            sentences.append("At \(clock(cause.time)): \(cause.text).")
        } else if ready == nil, outranked == nil {
            sentences.append("Nothing was done to either that the timeline shows.")
        }
        sentences += beginning(clock)
        if let detect = parts.first(where: { $0.name == .detect }), let timer {
            sentences.append(
                "The timer of \(to) ran out at \(clock(timer)), \(detect.delay.text) later;"
                    + " theory has \(detect.theory.total.text) (\(detect.theory.arithmetic)).")
        }
        sentences += rest(clock)
        if !parts.isEmpty {
            let list = parts.map { "\($0.name.rawValue) \($0.delay.text)" }.joined(separator: ", ")
            sentences.append("In all \(total.text): \(list).")
        }
        return sentences.joined(separator: " ")
    }

    /// The failover in a line: who, how long, and in which parts, each beside its theory where that
    /// is more than nothing.
    public var line: String {
        let list = parts.map { part in
            let theory = part.theory.total
            return "\(part.name.rawValue) \(part.delay.text)"
                + (theory == .zero ? "" : " (theory \(theory.text))")
        }
        let what = "\(address) from \(from) to \(to)"
        return list.isEmpty
            ? what : "\(what) in \(total.text): \(list.joined(separator: ", "))"
    }

    /// What came after the timer, in the order of its stamps.
    private func rest(_ clock: (MonotonicInstant) -> String) -> [String] {
        let moments: [(time: MonotonicInstant?, text: String)] = [
            (firstAdvertisement, "\(to) sent its first advertisement"),
            (appeared, "The address was configured on \(to)"),
            (announced, "The first announcement of \(address) left \(to)"),
            (relearned?.time, "The neighbour entry of \(relearned?.text ?? "") pointed to \(to)"),
            (served?.time, "The first request of \(served?.text ?? "") was answered"),
        ]
        var last = timer
        // A stable sort: what has the same stamp stays in this order.
        return moments.enumerated().compactMap { place, moment in
            moment.time.map { (place, $0, moment.text) }
        }.sorted { ($0.1, $0.0) < ($1.1, $1.0) }.map { _, time, text in
            let distance = last.map { ", \(Self.distance(from: $0, to: time))" } ?? ""
            last = time
            return "\(text) at \(clock(time))\(distance)."
        }
    }

    private func beginning(_ clock: (MonotonicInstant) -> String) -> [String] {
        if let ready {
            return ["\(to) was ready to take over from \(from) at \(clock(ready))."]
        }
        if let outranked {
            return ["\(from) outranked \(to) for the last time at \(clock(outranked))."]
        }
        var sentences: [String] = []
        if let lastAdvertisement {
            let before =
                cause.map { ", \(Self.distance(from: $0.time, to: lastAdvertisement))" } ?? ""
            let moment = clock(lastAdvertisement)
            sentences.append(
                "The last advertisement of \(from) was seen at \(moment)\(before).")
        }
        if let resignation {
            sentences.append("\(from) gave up, with priority 0, at \(clock(resignation)).")
        }
        return sentences
    }

    private static func distance(
        from first: MonotonicInstant, to second: MonotonicInstant
    ) -> String {
        second < first ? "\((first - second).text) before" : "\((second - first).text) later"
    }
}
