import NetworkTypes
import Testing

@testable import Wire

@Suite("rate and limit")
struct RateTests {
    private func rate(
        _ bitsPerSecond: Int, burst: Int, _ limit: Impairment.Rate.Limit = .bytes(1 << 20)
    ) -> Impairment {
        Impairment {
            $0.rate = .init(bitsPerSecond: bitsPerSecond, burstBytes: burst, limit: limit)
            $0.limitPackets = 1_000_000
        }
    }

    @Test(
        "in the long run the rate passes, to the nanosecond",
        arguments: [64_000, 1_000_000, 1_234_567, 10_000_000_000])
    func longRun(bitsPerSecond: Int) throws {
        // All at once, and room for all: the last leaves when its last bit has its token.
        let frame = [UInt8](repeating: 0, count: 1000)
        let traffic = Traffic(count: 1000, interval: .zero, frame: frame)
        let passages = traffic.passages(rate(bitsPerSecond, burst: 2000))
        let last = try #require(passages.last?.first).due - traffic.arrival(0)
        let expected = Double(998 * 8000) / Double(bitsPerSecond) * 1000
        #expect(abs(last.milliseconds - expected) < 0.001, "\(last)")
    }

    @Test("a full bucket lets its burst pass at once, and what follows at the rate")
    func burst() {
        // 1 Mbit/s: a frame of 125 octets has its tokens after a millisecond.
        let traffic = Traffic(
            count: 12, interval: .zero, frame: [UInt8](repeating: 0, count: 125))
        let delays = traffic.delays(rate(1_000_000, burst: 1250))
        #expect(delays == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2])
    }

    @Test("a bucket fills while nothing comes, and no more than to its burst")
    func refill() {
        var lane = WireLane(
            link: "l", direction: .inward, rules: [WireRule(rate(1_000_000, burst: 250))])
        let frame = [UInt8](repeating: 0, count: 125)
        let delays = [0.0, 0, 0, 100, 100, 100, 102.5].map { time in
            lane.pass(frame, at: at(time)).first.map { ($0.due - at(time)).milliseconds }
        }
        #expect(delays == [0, 0, 1, 0, 0, 1, 0])
    }

    @Test("what finds no room before the bucket is lost: limit in bytes, and in packets")
    func limits() {
        let traffic = Traffic(
            count: 20, interval: .zero, frame: [UInt8](repeating: 0, count: 125))
        let limits: [(Impairment.Rate.Limit, Int)] = [
            (.bytes(500), 4), (.bytes(499), 3), (.packets(5), 5), (.packets(0), 0),
        ]
        for (limit, waiting) in limits {
            let passages = traffic.passages(rate(1_000_000, burst: 250, limit))
            #expect(passages.lost == Array(2 + waiting + 1...20), "\(limit)")
            #expect(passages.last?.lostBy == .overlimit)
        }
    }

    @Test("those that wait leave room as they go")
    func roomAgain() {
        // Two a millisecond come, one can go; four wait at most.
        let traffic = Traffic(
            count: 100, interval: .microseconds(500), frame: [UInt8](repeating: 0, count: 125))
        let passages = traffic.passages(rate(1_000_000, burst: 125, .packets(4)))
        #expect(abs(passages.lost.count - 46) <= 1, "\(passages.lost.count)")
    }

    @Test("a packet that is longer than the burst never passes; a super-frame of short ones does")
    func longFrames() throws {
        var lane = WireLane(
            link: "l", direction: .inward, rules: [WireRule(rate(8_000_000, burst: 2000))])
        let long = [UInt8](repeating: 0, count: 2001)
        #expect(lane.pass(long, at: at(0)).lostBy == .overlimit)
        // 8 Mbit/s: a thousand octets a millisecond. The bucket is in debt by 18 000 octets.
        let arrival = WireLane.Arrival(length: 20_000, bytes: 20_000, largest: 1514)
        let large = [UInt8](repeating: 0, count: 20_000)
        #expect(lane.pass(large, arrival, at: at(0)).first?.due == at(0))
        let short = [UInt8](repeating: 0, count: 1000)
        #expect(lane.pass(short, at: at(0)).first?.due == at(19))
    }

    @Test("the length of the wire comes behind its bottleneck")
    func rateAndDelay() {
        var impairment = rate(1_000_000, burst: 125)
        impairment.delay = .milliseconds(10)
        let traffic = Traffic(
            count: 4, interval: .zero, frame: [UInt8](repeating: 0, count: 125))
        #expect(traffic.delays(impairment) == [10, 11, 12, 13])
    }

    @Test("the limit counts what is under way, and departures make room")
    func limitPackets() {
        let impairment = Impairment {
            $0.delay = .milliseconds(10)
            $0.limitPackets = 5
        }
        // One each millisecond, of which ten would be under way.
        let passages = Traffic(count: 20).passages(impairment)
        #expect(passages.lost == [6, 7, 8, 9, 10, 16, 17, 18, 19, 20])
        #expect(passages[5].lostBy == .overlimit)
    }

    @Test("netem's limit is a thousand")
    func defaultLimit() {
        let passages = Traffic(count: 1200, interval: .zero).passages(
            Impairment { $0.delay = .milliseconds(1) })
        #expect(passages.lost == Array(1001...1200))
    }
}
