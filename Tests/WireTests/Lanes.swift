import NetworkTypes
import Testing

@testable import Wire

// What the tests of lanes share.

/// A moment, in milliseconds since the first frame.
func at(_ milliseconds: Double) -> MonotonicInstant {
    MonotonicInstant(nanoseconds: Int64(milliseconds * 1e6))
}

extension Impairment {
    /// One with something set.
    init(_ change: (inout Impairment) -> Void) {
        self.init()
        change(&self)
    }
}

/// What frame comes to, and when: by default a small one each millisecond.
struct Traffic {
    var count = 10_000
    var interval: Duration = .milliseconds(1)
    var frame = [UInt8](repeating: 0xff, count: 60)

    /// What a lane with that rule makes of it. Copies are taken off the wire at their time.
    func passages(
        _ impairment: Impairment, seed: UInt64 = 1, link: String = "r1:eth0",
        direction: WireDirection = .inward
    ) -> [WireLane.Passage] {
        var lane = WireLane(
            link: link, direction: direction, rules: [WireRule(impairment, seed: seed)])
        return passages(&lane)
    }

    func passages(_ lane: inout WireLane) -> [WireLane.Passage] {
        var underWay = DueQueue<WireLane.Ticket>()
        return (0..<count).map { number in
            let now = arrival(number)
            while let (ticket, _) = underWay.popDue(at: now) { lane.depart(ticket) }
            let passage = lane.pass(frame, at: now)
            for copy in passage.copies {
                if let ticket = copy.ticket { underWay.insert(ticket, due: copy.due) }
            }
            return passage
        }
    }

    func arrival(_ number: Int) -> MonotonicInstant { at(1000) + interval * number }

    /// How long the first copies of frames travel, in milliseconds.
    func delays(_ impairment: Impairment, seed: UInt64 = 1) -> [Double] {
        passages(impairment, seed: seed).enumerated().compactMap { number, passage in
            passage.first.map { ($0.due - arrival(number)).milliseconds }
        }
    }
}

extension [WireLane.Passage] {
    /// The numbers of the frames that are lost, the first being 1.
    var lost: [Int] { indices.filter { self[$0].copies.isEmpty }.map { $0 + 1 } }
    /// The share of frames that are lost.
    var lostShare: Double { Double(lost.count) / Double(count) }
}

extension [Double] {
    var mean: Double { reduce(0, +) / Double(count) }
    var deviation: Double {
        let mean = mean
        return (map { ($0 - mean) * ($0 - mean) }.mean).squareRoot()
    }
}

/// Octets from hexadecimal digits.
func octets(_ digits: String) -> [UInt8] {
    let digits = Array(digits.filter { !$0.isWhitespace })
    return stride(from: 0, to: digits.count - 1, by: 2).compactMap {
        UInt8(String(digits[$0...$0 + 1]), radix: 16)
    }
}

// What #expect calls takes no Span, which cannot leave the place where it is made.

extension FrameSelector {
    func selects(_ frame: [UInt8]) -> Bool { selects(frame.span) }
}

extension FrameOffload {
    func arrival(of frame: [UInt8]) -> WireLane.Arrival { arrival(of: frame.span) }
}

extension WireLane {
    mutating func pass(
        _ frame: [UInt8], _ arrival: Arrival? = nil, at time: MonotonicInstant
    ) -> Passage { pass(frame.span, arrival, at: time) }
}
