import NetworkTypes
import Testing

@testable import Wire

@Suite("a lane through its changes")
struct WireLaneTests {
    private static let loss = WireRule(
        Impairment { $0.loss = .random(percent: 30) }, of: FrameSelector(.arp), seed: 3)
    private let arp = octets("ffffffffffff 020000000001 0806 0001")

    private func lost(_ lane: inout WireLane, _ count: Int) -> [Bool] {
        (0..<count).map { _ in lane.pass(arp, at: at(0)).copies.isEmpty }
    }

    @Test("a rule that stays goes on with its numbers, wherever it stands; a new one begins with 1")
    func rulesChange() {
        var undisturbed = WireLane(link: "l", direction: .inward, rules: [Self.loss])
        let expected = lost(&undisturbed, 200)
        var lane = WireLane(link: "l", direction: .inward, rules: [Self.loss])
        var seen = lost(&lane, 100)
        let other = WireRule(Impairment { $0.loss = .every(1) }, of: FrameSelector(.vrrp))
        lane.setRules([other, Self.loss])
        seen += lost(&lane, 100)
        #expect(seen == expected)
        lane.setRules([])
        #expect(lost(&lane, 10) == [Bool](repeating: false, count: 10))
        lane.setRules([Self.loss])
        #expect(lost(&lane, 100) == Array(expected[..<100]))
    }

    @Test("counters survive the rules that they come from, and add up")
    func countersAddUp() {
        let everything = WireRule(
            Impairment {
                $0.loss = .random(percent: 10)
                $0.duplicatePercent = 10
                $0.corruptPercent = 10
                $0.delay = .milliseconds(10)
                $0.reorder = .init(percent: 10)
                $0.limitPackets = 8
                $0.rate = .init(bitsPerSecond: 500_000, burstBytes: 200, limit: .bytes(240))
            })
        var lane = WireLane(link: "l", direction: .inward, rules: [everything])
        let passages = Traffic(count: 5000).passages(&lane)
        lane.setRules([Self.loss])
        #expect(lane.ruleCounters == [WireCounters()])
        let counters = lane.counters
        #expect(counters.frames == 5000)
        #expect(counters.passed == passages.reduce(0) { $0 + $1.copies.count })
        #expect(
            counters.frames + counters.duplicated
                == counters.passed + counters.lost + counters.overlimit)
        #expect(
            counters.corrupted
                == passages.flatMap(\.copies).count { $0.invertedBit != nil })
        for count in [counters.lost, counters.duplicated, counters.corrupted, counters.reordered] {
            #expect(count > 100)
        }
        #expect(counters.overlimit > 100)
    }

    @Test("a copy of a rule that is gone departs without a trace")
    func staleTicket() throws {
        let rule = WireRule(
            Impairment {
                $0.delay = .milliseconds(1)
                $0.limitPackets = 1
            })
        var lane = WireLane(link: "l", direction: .inward, rules: [rule])
        let ticket = try #require(lane.pass(arp, at: at(0)).first?.ticket)
        lane.setRules([])
        lane.setRules([rule])
        #expect(lane.pass(arp, at: at(0)).lostBy == nil)
        lane.depart(ticket)
        #expect(lane.pass(arp, at: at(0)).lostBy == .overlimit)
    }

    @Test("random numbers of one purpose tell nothing about those of another, nor frames of frames")
    func independence() {
        let random = WireRandom(seed: 0, link: "", direction: .inward)
        var same = 0
        var ones = [Int](repeating: 0, count: 64)
        for frame in 1...20_000 as ClosedRange<UInt64> {
            let bits = random.bits(frame: frame, .loss)
            same += (bits ^ random.bits(frame: frame, .jitter)).nonzeroBitCount
            same += (bits ^ random.bits(frame: frame + 1, .loss)).nonzeroBitCount
            same += (bits ^ random.bits(frame: frame, copy: 1, .loss)).nonzeroBitCount
            for place in 0..<64 where bits >> UInt64(place) & 1 == 1 { ones[place] += 1 }
        }
        #expect(abs(Double(same) / Double(3 * 20_000 * 64) - 0.5) < 0.002)
        // Within five standard deviations of half of them.
        #expect(ones.allSatisfy { abs($0 - 10_000) < 354 }, "\(ones)")
    }

    @Test("a number below a count is each as likely")
    func numbersBelow() {
        let random = WireRandom(seed: 9, link: "l", direction: .outward)
        var counts = [Int](repeating: 0, count: 10)
        for frame in 1...50_000 as ClosedRange<UInt64> {
            counts[Int(random.number(below: 10, frame: frame, .jitter))] += 1
        }
        #expect(counts.allSatisfy { abs($0 - 5000) < 350 }, "\(counts)")
    }
}
